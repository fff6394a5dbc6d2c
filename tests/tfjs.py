"""Runs graph models in TF.js itself, which npm installs."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotate.domain.arrays import FloatArray

_PACKAGES = ("tfjs-core", "tfjs-converter", "tfjs-backend-wasm")
_VERSION = "4.22.0"


@dataclass(frozen=True)
class Tfjs:
    """TF.js in a folder of its own, and the path of the program `node`."""

    folder: Path
    node: str

    def run(
        self,
        files: tuple[Path, Path],
        input_name: str,
        pictures: Sequence[FloatArray],
        outputs: Mapping[str, tuple[int, ...]],
    ) -> list[dict[str, FloatArray]]:
        """The outputs of a model, of the shapes that are given, for pictures of one shape."""
        np.stack(pictures).astype(np.float32).tofile(self.folder / "pictures")
        request = {
            "json": str(files[0]),
            "bin": str(files[1]),
            "input": input_name,
            "integer": input_name == "input",
            "shape": [1, *pictures[0].shape],
            "pictures": str(self.folder / "pictures"),
            "outputs": [*outputs],
            "answer": str(self.folder / "answer"),
        }
        (self.folder / "request.json").write_text(json.dumps(request))
        script = Path(__file__).with_name("tfjs_run.cjs")
        subprocess.run([self.node, script, "request.json"], cwd=self.folder, check=True)
        sizes = [int(np.prod(shape)) for shape in outputs.values()]
        rows = np.fromfile(self.folder / "answer", np.float32).reshape(len(pictures), sum(sizes))
        parts = [np.split(row, np.cumsum(sizes)[:-1]) for row in rows]
        return [
            {name: part.reshape(outputs[name]) for name, part in zip(outputs, row, strict=True)}
            for row in parts
        ]


def installed_tfjs(folder: Path, node: str, npm: str) -> Tfjs:
    """Installs TF.js into a folder with the user's npm.

    Args:
        node, npm: paths of the programs.
    """
    packages = [f"@tensorflow/{name}@{_VERSION}" for name in _PACKAGES]
    subprocess.run(
        [npm, "install", "--silent", "--prefix", folder, *packages], cwd=folder, check=True
    )
    return Tfjs(folder, node)
