"""The documentation: its fenced commands, and what they need to run."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))

_FENCE = re.compile(r"\s*```(\w*)")
_NEEDS = re.compile(r"\s*<!-- needs: (.+) -->")
_REMARK = re.compile(r"\s+# .*$")
_POWERSHELL_AND = re.compile(r"; if \(\$\?\) \{ (.+) \}$")


@dataclass(frozen=True)
class Line:
    """One command of a fenced block.

    Attributes:
        file: the document.
        number: of the line, from 1.
        language: of the block: `sh` or `powershell`.
        needs: what a comment before the block says that it needs, or empty.
        words: of the command, the program first.
    """

    file: Path
    number: int
    language: str
    needs: str
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """The command as it is typed."""
        return shlex.join(self.words)

    def __str__(self) -> str:
        return f"{self.file.name}:{self.number}: {self.text}"


def commands(file: Path) -> Iterator[Line]:
    """The commands of a document's fenced blocks, in order; `a && b` is two."""
    language, needs = "", ""
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(text)
        if fence and language:
            language, needs = "", ""
        elif fence:
            language = fence[1] or "text"
        elif language in ("sh", "powershell"):
            for command in _split(_REMARK.sub("", text).strip()):
                words = shlex.split(command, posix=language == "sh")
                yield Line(file, number, language, needs, tuple(words))
        elif text.strip() and not language:
            said = _NEEDS.match(text)
            needs = said[1] if said else ""


def _split(text: str) -> list[str]:
    return [part for part in _POWERSHELL_AND.sub(r" && \1", text).split(" && ") if part]
