"""Annotates a gallery of odd videos as a user does, and prints what came of each.

    python -m tests.benchmarks.gallery [NAME...] [--packs FOLDER] [--json FILE]

NAME is a part of the names of cases; without one, all run (about 3 core-seconds each). Columns: the
case, what must come of it, what came, images and frames that are said to be missing, seconds, peak
memory of a process in MB, faults, message. Exits with 1 if there is a fault.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from annotate.domain.settings import settings_from
from tests.gallery import CASES
from tests.gallery.judge import Verdict, judged


def main() -> None:
    """Prints a line a case, and the totals."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--packs", type=Path, default=settings_from().packs)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    wanted = {
        name: case
        for name, case in CASES.items()
        if not given.names or any(part in name for part in given.names)
    }
    verdicts: dict[str, Verdict] = {}
    for name, case in wanted.items():
        verdict = verdicts[name] = judged(case, given.packs)
        print(
            f"{name} | {case.answer.outcome} | {verdict.outcome} | {verdict.images} "
            f"| {verdict.missing} | {verdict.seconds:.1f} | {verdict.peak_mb:.0f} "
            f"| {'; '.join(verdict.faults) or '-'} | {verdict.message!r}",
            flush=True,
        )
    print(totals(verdicts))
    if given.json:
        given.json.write_text(json.dumps({name: asdict(one) for name, one in verdicts.items()}))
    sys.exit(any(verdict.faults for verdict in verdicts.values()))


def totals(verdicts: dict[str, Verdict]) -> str:
    """One line that counts the faults of each kind."""
    faults = [fault for verdict in verdicts.values() for fault in verdict.faults]
    kinds = {
        "crashes": sum(fault == "crash" for fault in faults),
        "hangs": sum(fault == "hang" for fault in faults),
        "silent losses": sum("silence" in fault for fault in faults),
        "wrong sizes": sum(fault.startswith("size") for fault in faults),
        "with faults": sum(bool(verdict.faults) for verdict in verdicts.values()),
    }
    peak = max((verdict.peak_mb for verdict in verdicts.values()), default=0.0)
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return f"{len(verdicts)} cases: {counted}; peak {peak:.0f} MB"


if __name__ == "__main__":
    main()
