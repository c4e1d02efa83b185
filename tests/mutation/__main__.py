"""
Breaks the code of the rules, one place at a time, and shows which breaks their tests do not notice:

    python -m tests.mutation [RULE…]        # make mutate RULES="sequence journal"; without: all

Exit status: 1 if of some rule less than FLOOR of its mutants are killed, or a mutant that survived is not explained in
equivalent.txt; else 0.
"""

import os
import sys
import time
from collections import Counter
from pathlib import Path

from tests.mutation.judging import Rule, Verdict, judged, load_all_but_ours, processor_time, seconds_unbroken
from tests.mutation.mutants import Mutant, mutants_of, source_of

FLOOR = 0.9
KNOWN = Path(__file__).with_name("equivalent.txt")
_OTHER_PROCESS = ("tests/test_journal.py::test_a_killed_writer_leaves_a_whole_journal",)
"""Its writer would know nothing of the mutant."""
RULES = [
    Rule("sequence", ("tests/test_sequence.py",)),
    Rule("restarts", ("tests/test_restarts.py",)),
    Rule("liveness", ("tests/test_liveness.py",)),
    Rule("journal", ("tests/test_journal.py",), _OTHER_PROCESS),
    Rule("journal_layout", ("tests/test_journal_layout.py", "tests/test_journal.py"), _OTHER_PROCESS),
    Rule("record", ("tests/test_record.py",)),
    Rule("backfill", ("tests/test_backfill.py",)),
    Rule("continuity", ("tests/test_continuity.py",)),
]


def known() -> dict[str, str]:
    """
    Of each mutant that no test can notice, the reason why. A block of the file is the place, the lines as they were
    and are, and the reason.
    """
    found = {}
    for block in KNOWN.read_text().strip().split("\n\n"):
        lines = block.splitlines()
        mutant = [line for line in lines if not line.startswith(" ")]
        found["\n".join(mutant)] = " ".join(line.strip() for line in lines if line.startswith(" "))
    return found


def report(rule: Rule, jobs: int, reasons: dict[str, str]) -> bool:
    """Prints what became of a rule's mutants, and each survivor. Whether it will do."""
    began, spent = time.monotonic(), processor_time()
    mutants = mutants_of(rule.module, source_of(rule.module)[1])
    limit = 10 * seconds_unbroken(rule) + 1
    verdicts: Counter[Verdict] = Counter()
    survivors: list[Mutant] = []
    for mutant, verdict in judged(rule, mutants, limit, jobs):
        verdicts[verdict] += 1
        if verdict == "survived":
            survivors.append(mutant)
    unexplained = [mutant for mutant in survivors if str(mutant) not in reasons]
    killed = len(mutants) - verdicts["survived"]
    print(
        f"{rule.module}: {len(mutants)} mutants; killed {killed} ({100 * killed / len(mutants):.1f} %): by a test "
        f"{verdicts['killed']}, by the clock {verdicts['stopped']}, by mypy {verdicts['mistyped']}; equivalent "
        f"{len(survivors) - len(unexplained)}, survived {len(unexplained)}; {time.monotonic() - began:.0f} s, "
        f"{processor_time() - spent:.0f} s of a processor",
        flush=True,
    )
    for mutant in sorted(survivors, key=mutants.index):
        print(f"\n{mutant}\n  {reasons.get(str(mutant), '???')}", flush=True)
    for stale in reasons.keys() - {str(mutant) for mutant in survivors}:
        if stale.startswith((f"{rule.module}\n", f"{rule.module}.")):
            print(f"\nno longer survives, take it out of {KNOWN.name}:\n{stale}", flush=True)
    return killed >= FLOOR * len(mutants) and not unexplained


def main(names: list[str]) -> int:
    """Reports on the rules of these names, or on all; the exit status."""
    load_all_but_ours()
    reasons, jobs = known(), int(os.environ.get("JOBS", os.cpu_count() or 1))
    chosen = [rule for rule in RULES if not names or rule.module in names]
    will_do = [report(rule, jobs, reasons) for rule in chosen]
    return 0 if all(will_do) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
