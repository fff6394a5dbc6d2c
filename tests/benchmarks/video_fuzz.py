"""Reads seeded mutations of small videos in six containers, and compares with a plain decode.

    python -m tests.benchmarks.video_fuzz [--count 2000] [--first 0]

Prints every mutation with a fault, and a line of totals: crashes, hangs, silent losses (frames that
a plain decode by PyAV gives, and the program neither gives nor lists as damaged), and frames with
the picture of another one. Exits with 1 if there is any.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.fuzz import Verdict, fuzzed


def main() -> None:
    """Prints the faults and the totals."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory() as folder:
        for verdict in fuzzed(range(given.first, given.first + given.count), Path(folder)):
            verdicts.append(verdict)
            if verdict.is_fault:
                print(verdict, flush=True)
    print(totals(verdicts))
    sys.exit(any(verdict.is_fault for verdict in verdicts))


def totals(verdicts: list[Verdict]) -> str:
    """One line that counts outcomes and faults."""
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    slowest = max((verdict.seconds for verdict in verdicts), default=0.0)
    refused = sum(verdict.outcome == "refused" and verdict.plain > 0 for verdict in verdicts)
    return (
        f"{len(verdicts)} mutations: {outcomes['read']} read, {outcomes['refused']} refused "
        f"({refused} of them give a plain decode some frame), {outcomes['crash']} crashes, "
        f"{outcomes['hang']} hangs, {sum(one.silent > 0 for one in verdicts)} with a silent loss, "
        f"{sum(one.other > 0 for one in verdicts)} with another picture, "
        f"{sum(one.cut > 0 for one in verdicts)} that depend on chunks; slowest {slowest:.1f} s"
    )


if __name__ == "__main__":
    main()
