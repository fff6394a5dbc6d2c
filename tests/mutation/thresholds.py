"""Each number of the settings of pipeline and merge, doubled and halved."""

import ast
from collections.abc import Iterator

from tests.mutation.mutant import Mutant, wrong_version

FILES = ("annotate/domain/pipeline_settings.py", "annotate/domain/merge_settings.py")


def threshold_mutants(path: str, source: str) -> Iterator[tuple[str, Mutant]]:
    """The name of each number that a class of the file has as a default, and wrong versions."""
    classes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]
    for field in (one for node in classes for one in node.body):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        value = field.value.value if isinstance(field.value, ast.Constant) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        half = value // 2 if isinstance(value, int) else value / 2
        for other in sorted({value * 2, half} - {value}):
            wrong = _put(source, field, other)
            yield field.target.id, wrong_version(path, field.lineno, source, wrong)


def _put(source: str, field: ast.AnnAssign, value: float) -> str:
    assert field.value is not None
    lines = source.splitlines(keepends=True)
    place = field.value
    line = lines[place.lineno - 1]
    lines[place.lineno - 1] = f"{line[: place.col_offset]}{value!r}{line[place.end_col_offset :]}"
    return "".join(lines)
