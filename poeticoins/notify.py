"""
Words to the service manager that started us, if one did: systemd's sd_notify, a datagram of KEY=value lines.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

import contextlib
import os
import socket
import time
from collections.abc import MutableMapping


class Notifier:
    """
    Takes NOTIFY_SOCKET and WATCHDOG_USEC out of `environment`, so that no child takes them for its own.

    watchdog: seconds between two signs of life that are asked for, half of the limit; None if none are.
    """

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        address = environment.pop("NOTIFY_SOCKET", "")
        limit, pid = environment.pop("WATCHDOG_USEC", ""), environment.pop("WATCHDOG_PID", "")
        self._address = address.replace("@", "\0", 1) if address.startswith("@") else address  # "@": an abstract one
        ours = bool(address) and limit.isdecimal() and int(limit) > 0 and pid in ("", str(os.getpid()))
        self.watchdog = int(limit) / 2e6 if ours else None

    def tell(self, *words: str) -> None:
        """Sends `words`, such as "READY=1"; nothing if nobody asked for them. Never blocks and never raises."""
        if self._address:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
                peer.setblocking(False)
                peer.sendto("\n".join(words).encode(), self._address)

    def reloading(self) -> None:
        """Says that the settings are being read anew; READY=1 ends that."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
