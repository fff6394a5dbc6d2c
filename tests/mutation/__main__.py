"""Which small wrong changes of the program does no test notice?

python -m tests.mutation reach [TESTS]             once, and for new tests: which test runs what
python -m tests.mutation --since REV [PATHS]       wrong changes of the lines that differ from REV
python -m tests.mutation --sample 50 --seed 1 annotate/merge
python -m tests.mutation thresholds                the numbers of the settings, doubled and halved

Answers are kept in build/mutation: the same command goes on where it was stopped. It ends with 1
if anything was not noticed. Needs `pip install -e '.[test,mutation]'`, and a system that can fork.
"""

import argparse
import random
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from tests.documents import ROOT
from tests.mutation import reach
from tests.mutation.mutant import Mutant
from tests.mutation.mutants import Place, places
from tests.mutation.thresholds import FILES, threshold_mutants
from tests.mutation.trial import Trials, environment, make_copy

STATE = ROOT / "build" / "mutation"
REACH = STATE / "reach.json"
HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--since", help="mutate only lines that differ from this revision")
    parser.add_argument("--sample", type=int, help="try so many, chosen by chance; all by default")
    parser.add_argument("--seed", type=int, default=0, help="of that choice")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="of tests for one wrong change, the quickest"
    )
    parser.add_argument("what", nargs="*", default=[], help="reach, thresholds, or paths to mutate")
    arguments = parser.parse_args()
    STATE.mkdir(parents=True, exist_ok=True)
    tree = STATE / "tree"
    make_copy(ROOT, tree)
    environ = environment(ROOT, tree)
    if arguments.what[:1] == ["reach"]:
        reach.measure(tree, REACH, arguments.what[1:], environ)
        return 0
    known = reach.read(REACH)
    if not known:
        parser.error("it is not known which test runs what: python -m tests.mutation reach")
    trials = Trials(tree, environ, STATE / "answers.jsonl")
    present = trials.present(known)
    known = {test: reached for test, reached in known.items() if test in present}
    chosen = thresholds() if arguments.what == ["thresholds"] else list(lines(arguments))
    unnoticed = 0
    for mutant, functions in chosen:
        tests = reach.chosen_tests(known, functions, arguments.seconds)
        noticed = trials.noticed_by(mutant, tests)
        unnoticed += not noticed
        said = "noticed  " if noticed else "UNNOTICED" if tests else "NO TEST  "
        print(f"{said} {mutant.path}:{mutant.line} {noticed}")
        print(mutant.diff, flush=True)
    print(f"{len(chosen) - unnoticed} of {len(chosen)} noticed")
    return int(unnoticed > 0)


def thresholds() -> list[tuple[Mutant, set[str]]]:
    """Wrong settings, and the functions that read each."""
    sources = {path: (ROOT / path).read_text(encoding="utf-8") for path in python_files([])}
    read = readers(sources)
    return [
        (mutant, read[f".{name}"])
        for path in FILES
        for name, mutant in threshold_mutants(path, sources[path])
    ]


def readers(sources: dict[str, str]) -> defaultdict[str, set[str]]:
    """The functions whose text has a name, by the name; attributes begin with a dot."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path, source in sources.items():
        names = reach.functions(source)
        for number, line in enumerate(source.splitlines(), 1):
            for name in re.findall(r"\.?\w+", line):
                found[name].add(f"{path}::{names[number]}")
    return found


def lines(arguments: argparse.Namespace) -> Iterator[tuple[Mutant, set[str]]]:
    """Mutants of the paths, or of the lines that were changed, and the function of each."""
    order = random.Random(arguments.seed)  # noqa: S311  # guards no secret
    changed = changed_lines(arguments.since) if arguments.since else None
    found: list[Place] = []
    for path in python_files(arguments.what):
        if changed is None or path in changed:
            source = (ROOT / path).read_text(encoding="utf-8")
            found += places(path, source, changed[path] if changed is not None else None)
    if arguments.sample:
        order.shuffle(found)
    made = filter(None, (place.mutant(order) for place in found))
    sources = {path: (ROOT / path).read_text(encoding="utf-8") for path in python_files([])}
    read = readers(sources)
    for mutant in islice(made, arguments.sample or None):
        source = sources[mutant.path]
        wanted = {f"{mutant.path}::{reach.functions(source)[mutant.line]}"}
        for name in reach.assigned(source, mutant.line):
            wanted |= read[name] | read[f".{name}"]
        yield mutant, wanted


def python_files(paths: Iterable[str]) -> list[str]:
    """The files of the program below the paths; all of them for no path."""
    found: list[Path] = []
    for path in list(paths) or ["annotate", "workers"]:
        here = ROOT / path
        found += sorted(here.rglob("*.py")) if here.is_dir() else [here]
    return [path.relative_to(ROOT).as_posix() for path in found]


def changed_lines(revision: str) -> dict[str, set[int]]:
    """The lines of the program that differ from a revision, by file."""
    command = ["git", "diff", "-U0", revision, "--", "annotate", "workers"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, set[int]] = {}
    path = ""
    for line in done.stdout.splitlines():
        if line.startswith("+++ "):
            path = line[6:]
        elif match := HUNK.match(line):
            start, count = int(match[1]), int(match[2] or 1)
            found.setdefault(path, set()).update(range(start, start + count))
    return {path: numbers for path, numbers in found.items() if path.endswith(".py")}


if __name__ == "__main__":
    sys.exit(main())
