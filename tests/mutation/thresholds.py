"""Each number of the settings of pipeline and merge, doubled and halved."""

import ast
from collections.abc import Iterator

from tests.mutation.mutant import Mutant, wrong_version

FILES = ("annotate/domain/pipeline_settings.py", "annotate/domain/merge_settings.py")
# Numbers that decide nothing: they are there to change the digest.
_NO_THRESHOLDS = ("code_version",)


def threshold_mutants(path: str, source: str) -> Iterator[tuple[str, Mutant]]:
    """The name of each number that a class of the file has as a default, and wrong versions.

    The numbers of a tuple are changed together.
    """
    classes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]
    for field in (one for node in classes for one in node.body):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if field.value is None or field.target.id in _NO_THRESHOLDS:
            continue
        for other in _others(field.value):
            wrong = _put(source, field.value, other)
            yield field.target.id, wrong_version(path, field.lineno, source, wrong)


def _others(value: ast.expr) -> list[str]:
    """Half of a number, and twice it, as Python writes them; nothing for other values."""
    if isinstance(value, ast.Tuple):
        numbers = [_others(one) for one in value.elts]
        return [f"({', '.join(row)},)" for row in zip(*numbers, strict=True)]
    if isinstance(value, ast.BinOp):  # such as 1 / 6
        text = ast.unparse(value)
        return [f"({text}) / 2", f"({text}) * 2"]
    number = value.value if isinstance(value, ast.Constant) else None
    if isinstance(number, bool) or not isinstance(number, int | float):
        return []
    half = number // 2 if isinstance(number, int) else number / 2
    return [repr(other) for other in sorted({half, number * 2} - {number})]


def _put(source: str, place: ast.expr, text: str) -> str:
    assert place.end_col_offset is not None
    lines = source.splitlines(keepends=True)
    line = lines[place.lineno - 1]
    lines[place.lineno - 1] = f"{line[: place.col_offset]}{text}{line[place.end_col_offset :]}"
    return "".join(lines)
