"""JSON that others may have written is read by one function, which raises nothing unforeseen."""

import re
from pathlib import Path

import pytest

import annotate
from annotate.domain.errors import DamagedError, ManifestError, PackError
from annotate.domain.job import Job
from annotate.domain.json_text import parsed
from annotate.domain.pack import Pack
from annotate.store import Store, open_store
from tests.made_job import RECIPE, VIDEO
from tests.made_poses import FINGERPRINT

# Deeper than the interpreter recurses.
NESTED = b"[" * 100_000
BELOW = f"results/{RECIPE.digest}/{FINGERPRINT}"


@pytest.mark.parametrize("text", [NESTED, b'{"a":' * 100_000, b"\xff", b"", b"[1,"])
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(text)


def test_json_is_read_by_that_function_alone() -> None:
    root = Path(annotate.__file__).parent
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if re.search(r"\bjson\.loads?\(", path.read_text("utf-8"))
    }
    # The check of messages foresees it too.
    assert found == {"domain/json_text.py", "queue/message_check.py"}


def test_a_deeply_nested_file_is_named(tmp_path: Path) -> None:
    store: Store = open_store(str(tmp_path))
    results = store.results(RECIPE, VIDEO)
    for key in ("heartbeats/x-1.json", f"{BELOW}/chunks.json", f"{BELOW}/edits/000001.json"):
        store.files.write(key, NESTED)
    assert store.heartbeats() == []
    with pytest.raises(DamagedError, match="chunks"):
        results.read_chunks()
    with pytest.raises(DamagedError, match="000001"):
        results.edits.read()
    with pytest.raises(ManifestError):
        Job.from_json(NESTED)
    with pytest.raises(PackError):
        Pack.from_json(NESTED.decode())
