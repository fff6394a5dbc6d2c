"""Small wrong changes of a source file, by the operators of cosmic-ray.

Its own runner mutates whole modules and runs one command for all; this takes given lines.
"""

import ast
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from tests.mutation.mutant import Mutant, wrong_version

# Decorators are mostly `dataclass` and fixtures, and an exception that nobody raises says little.
_LEFT_OUT = ("RemoveDecorator", "ExceptionReplacer", "VariableReplacer", "VariableInserter")


@dataclass(frozen=True)
class Place:
    """Somewhere in a file that operators can change.

    Attributes:
        path: of the file, below the checkout.
        source: its text.
        line: from 1.
        changes: the operators, and which of the changes of each it is.
    """

    path: str
    source: str
    line: int
    changes: tuple[tuple[str, int], ...]

    def mutant(self, order: random.Random) -> Mutant | None:
        """One of the changes that are possible here; None where none gives a program.

        Args:
            order: chooses it.
        """
        for name, occurrence in order.sample(self.changes, len(self.changes)):
            wrong = mutate_code(self.source, get_operator(name)(), occurrence)
            if wrong and wrong != self.source and _compiles(wrong):
                return wrong_version(self.path, self.line, self.source, wrong)
        return None


def places(path: str, source: str, lines: set[int] | None) -> list[Place]:
    """The places of the lines at which an operator can change something.

    Args:
        path: of the file, below the checkout.
        source: its text.
        lines: the lines to change; None means all.
    """
    left = _left_out(source)
    found: dict[tuple[int, int], list[tuple[str, int]]] = {}
    for name, occurrence, place in _changes(source):
        if place[0] not in left and (lines is None or place[0] in lines):
            found.setdefault(place, []).append((name, occurrence))
    return [
        Place(path, source, place[0], tuple(changes)) for place, changes in sorted(found.items())
    ]


def _changes(source: str) -> Iterator[tuple[str, int, tuple[int, int]]]:
    """Operator, occurrence and place of everything that can be changed."""
    nodes = list(ast_nodes(get_ast(source)))
    for name in operator_names():
        if name.rpartition("/")[2].startswith(_LEFT_OUT) or get_operator(name).arguments():
            continue
        operator = get_operator(name)()
        found = (place for node in nodes for place, _ in operator.mutation_positions(node))
        for occurrence, place in enumerate(found):
            yield name, occurrence, place


def _left_out(source: str) -> set[int]:
    """Lines that only type checkers and readers see: annotations, imports and `__all__`."""
    seen_by_nobody = {
        line
        for node in ast.walk(ast.parse(source))
        for part in _unseen(node)
        for line in range(part.lineno, (part.end_lineno or part.lineno) + 1)
    }
    # The star before arguments that have names; to operators it is a product.
    stars = {n for n, text in enumerate(source.splitlines(), 1) if text.strip() == "*,"}
    return seen_by_nobody | stars


def _unseen(node: ast.AST) -> Iterable[ast.expr | ast.stmt | ast.arg]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [node]
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return [node]
    if isinstance(node, ast.FunctionDef):
        defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        if not defaults:
            names = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            return [*names, *([node.returns] if node.returns else [])]
    return []


def _compiles(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True
