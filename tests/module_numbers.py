"""Numbers in the source of a package, to find thresholds that are not in its settings."""

import ast
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType


def module_numbers(package: ModuleType) -> set[str]:
    """Names of the package's module-level constants that hold a number, as `module.NAME`."""
    return {
        f"{file.stem}.{name}"
        for file, tree in _modules(package)
        for node in tree.body
        for name, value in _assigned(node)
        if any(_is_number(part) for part in ast.walk(value))
    }


def inner_floats(package: ModuleType) -> set[float]:
    """The floats in the package's functions and classes, defaults of parameters included."""
    return {
        part.value
        for _, tree in _modules(package)
        for node in tree.body
        if not isinstance(node, ast.Assign | ast.AnnAssign)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, float)
    }


def _modules(package: ModuleType) -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(Path(package.__path__[0]).rglob("*.py")):
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield ast.unparse(target), node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield ast.unparse(node.target), node.value


def _is_number(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    )
