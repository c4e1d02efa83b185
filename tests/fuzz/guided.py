"""
One target, fuzzed with atheris, which is libFuzzer for Python: what reaches code that nothing reached before is kept
and changed further.

    python -m tests.fuzz.guided NAME SECONDS DIRECTORY

Of the changes half are libFuzzer's own and half ours (mutation.py), since it does not know JSON from msgpack. Ends at
the first broken promise, with status 77 and the input in DIRECTORY.
"""

import logging
import sys
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["poeticoins", "dashboards"]):
    from tests.fuzz.targets import TARGETS

from tests.fuzz.mutation import LARGEST, mutated


def fuzz(name: str, seconds: int, directory: Path) -> None:
    """Does not return: libFuzzer ends the process."""
    target = TARGETS[name]
    corpus = directory / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)

    def changed(data: bytes, largest: int, seed: int) -> bytes:
        chance = Random(seed)
        if chance.random() < 0.5:
            return bytes(atheris.Mutate(data, largest))
        return mutated(data, target.seeds, chance)[:largest]

    logging.disable(logging.NOTSET if name.endswith("feed") else logging.CRITICAL)
    options = [f"-max_total_time={seconds}", f"-max_len={LARGEST}", "-timeout=20", "-rss_limit_mb=1500"]
    options += [f"-artifact_prefix={directory}/", "-print_final_stats=1", "-verbosity=1"]
    atheris.Setup([sys.argv[0], str(corpus), *options], target.let_in, custom_mutator=changed)
    atheris.Fuzz()


if __name__ == "__main__":
    fuzz(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
