"""Sessions of ONNX Runtime over the two models of a pack.

A session is made in the process that uses it, never before a fork: a session with threads of its
own hangs in the child.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from annotate.domain import FloatArray
from annotate.errors import PackError
from annotate.pack import Layout, Pack


class Model:
    """One model: a picture in, the named outputs out."""

    def __init__(
        self, file: Path, image: str, layout: Layout, outputs: Sequence[str], threads: int
    ) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(
                file, sess_options=options, providers=["CPUExecutionProvider"]
            )
        # ONNX Runtime's exceptions have no common base below Exception.
        except Exception as error:
            raise PackError(
                f"ONNX Runtime cannot load {file}: {error}",
                "Run `annotate models pull --force` to make the pack anew.",
            ) from error
        self._image = image
        self._layout = layout
        self._outputs = list(outputs)

    def run(self, image: FloatArray) -> list[FloatArray]:
        """The outputs, in the order asked for, of an (H, W, 3) float32 picture in the model's
        range of values.
        """
        if self._layout == "NCHW":
            image = np.ascontiguousarray(image.transpose(2, 0, 1))
        outputs: list[Any] = self._session.run(self._outputs, {self._image: image[None]})
        return outputs


@dataclass(frozen=True)
class Models:
    """Both models of a pack, and what the pack says of them."""

    pack: Pack
    detector: Model
    landmark: Model
    provider: str


def load_models(pack: Pack, folder: Path, *, threads: int = 1) -> Models:
    """Both models of the pack in `folder` on the CPU, with `threads` threads each.

    Raises:
        PackError: a file is missing or ONNX Runtime refuses it.
    """
    stage_1, stage_2 = pack.detector, pack.landmark
    heatmap = [stage_2.heatmap] if stage_2.heatmap else []
    detector = Model(
        folder / stage_1.file,
        stage_1.input,
        stage_1.layout,
        [*stage_1.boxes, *stage_1.scores],
        threads,
    )
    landmark = Model(
        folder / stage_2.file,
        stage_2.input,
        stage_2.layout,
        [stage_2.landmarks, stage_2.flag, *heatmap],
        threads,
    )
    return Models(pack, detector, landmark, provider="cpu")
