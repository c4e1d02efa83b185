"""`python -m poeticoins`: the same as the command `poeticoins`."""

import sys

from poeticoins.command import main

if __name__ == "__main__":
    sys.exit(main())
