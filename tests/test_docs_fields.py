"""docs/formats.md names every field and column of what the program writes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.command import Host
from tests.documents import ROOT

TEXT = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([\w.]+)`", TEXT)) | {
    name.rpartition(".")[2] for name in re.findall(r"`([\w.]+)`", TEXT)
}
# Objects whose keys are data: names of models and execution providers.
OPEN = {"placement"}


def fields(content: Any) -> Iterator[str]:
    """The keys of all objects in a JSON value."""
    if isinstance(content, list):
        for one in content:
            yield from fields(one)
    elif isinstance(content, dict):
        for key, value in content.items():
            yield key
            if key not in OPEN:
                yield from fields(value)


def columns(file: Path) -> Iterator[str]:
    """The columns of a Parquet file, those of structs too, and its facts."""
    schema = pq.read_schema(file)
    for column in schema:
        yield column.name
        if pa.types.is_list(column.type) and pa.types.is_struct(column.type.value_type):
            yield from (inner.name for inner in column.type.value_type)
    yield from json.loads(schema.metadata[b"annotate"])


@pytest.mark.timeout(1200)
def test_every_field_is_documented(host: Host, stroll: Path) -> None:
    host.run("submit", stroll, "--processes", "1")
    host.run("export", "--out", "people.json")
    host.run("export", "--results", "--out", "results.json")
    dataset = json.loads((host.home / "people.json").read_bytes())
    assert dataset["annotations"]
    (manifest,) = Path(host.store).glob("jobs/*.json")
    written = {
        "people.json": fields(dataset),
        "results.json": fields(json.loads((host.home / "results.json").read_bytes())),
        "the manifest": fields(json.loads(manifest.read_text())),
        "status": fields(json.loads(host.run("status", "--json").out)),
        "probe": fields(json.loads(host.run("probe", stroll, "--json").out)),
        "jobs": fields(json.loads(host.run("jobs", "--json").out)),
        "evaluate": fields(
            json.loads(host.run("evaluate", "people.json", "people.json", "--json").out)
        ),
        **{str(file.parent.name): columns(file) for file in Path(host.store).rglob("*.parquet")},
    }
    assert len(written) == 10
    missing = {what: sorted(set(names) - NAMED) for what, names in written.items()}
    assert {what: names for what, names in missing.items() if names} == {}
