"""BlazePose lite and heavy against MediaPipe with model_complexity 0 and 2, which pip fetches.

Run by `pytest -m reference tests/test_mediapipe_reference.py`; it needs a package index.
"""

import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from annotate.domain.pack import Pack
from annotate.domain.video import Chunk
from annotate.inference import load_models
from annotate.packs.blazepose import (
    DETECTOR,
    REQUIREMENT,
    SKELETON,
    Size,
    convert_detector,
    convert_landmark,
)
from annotate.packs.built import write_pack
from annotate.packs.wheel import read_members
from annotate.pipeline import PoseEstimator
from annotate.video import decode, probe
from tests.test_parity import Parity, beside

pytestmark = pytest.mark.reference

MEDIAN, PERCENTILE_95 = 0.0005, 0.005
"""Distance as a fraction of torso length, as that of full in tests/test_parity.py."""
WORLD_MEDIAN_M = 0.00015
"""Of world landmarks, in metres."""

# What MediaPipe's pose needs of its dependencies; the others are larger than all of these.
NEEDED = ("absl-py", "attrs", "flatbuffers", "matplotlib", "numpy<2", "protobuf<5")
OPENCV = "opencv-contrib-python-headless<4.11"
COMPLEXITY: dict[Size, int] = {"lite": 0, "heavy": 2}
# Every so many frames of a video are compared.
EVERY = 5


class MediaPipe(NamedTuple):
    """An environment that has it: its Python, and where the package keeps landmark models."""

    python: Path
    models: Path


@pytest.fixture(scope="module")
def mediapipe(tmp_path_factory: pytest.TempPathFactory) -> MediaPipe:
    home = tmp_path_factory.mktemp("mediapipe")
    venv.create(home, with_pip=True)
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = [str(python), "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, "--no-deps", REQUIREMENT, OPENCV], check=True)
    subprocess.run([*install, *NEEDED], check=True)
    (models,) = home.rglob("mediapipe/modules/pose_landmark")
    return MediaPipe(python, models)


@pytest.fixture(scope="module", params=COMPLEXITY)
def parity(
    request: pytest.FixtureRequest,
    shared_data: Path,
    mediapipe: MediaPipe,
    mediapipe_wheel: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Parity:
    size, folder = request.param, tmp_path_factory.mktemp(request.param)
    weights = (shared_data / "models" / f"pose_landmark_{size}.tflite").read_bytes()
    # MediaPipe looks there before it would download the model.
    (mediapipe.models / f"pose_landmark_{size}.tflite").write_bytes(weights)
    (detector_weights,) = read_members(mediapipe_wheel, [DETECTOR])
    detector, landmark = convert_detector(detector_weights), convert_landmark(weights, size)
    pack = Pack(size, SKELETON, "a test", detector.spec, landmark.spec)
    write_pack(folder, pack, (detector, landmark))
    estimator = PoseEstimator(load_models(pack, folder))
    rows = []
    for name in ("single_person", "two_people"):
        path = shared_data / "videos" / f"{name}.mp4"
        index = probe(path)
        frames = [
            np.array(frame.rgb)
            for frame in decode(path, index, Chunk(0, len(index)))
            if frame.index % EVERY == 0
        ]
        theirs = asked(mediapipe, np.stack(frames), COMPLEXITY[size], folder)
        assert theirs["found"].any()
        rows += [
            beside(estimator, frames[number], theirs["landmarks"][number], theirs["world"][number])
            for number in np.flatnonzero(theirs["found"]).tolist()
        ]
    return Parity(*(np.array(column) for column in zip(*rows, strict=True)))


def asked(
    mediapipe: MediaPipe, pictures: np.ndarray, complexity: int, folder: Path
) -> dict[str, np.ndarray]:
    """MediaPipe's answers for pictures (N, H, W, 3)."""
    np.save(folder / "pictures.npy", pictures)
    program = str(Path(__file__).with_name("mediapipe_landmarks.py"))
    arguments = [folder / "pictures.npy", complexity, folder / "theirs.npz"]
    subprocess.run([str(mediapipe.python), program, *map(str, arguments)], check=True)
    return dict(np.load(folder / "theirs.npz"))


def test_landmarks_are_mediapipes(parity: Parity) -> None:
    print(f"\n{len(parity.apart)} poses, of torso length: {np.median(parity.apart):.6f}, ")
    print(f"95%: {np.percentile(parity.apart, 95):.6f}")
    assert np.median(parity.apart) <= MEDIAN
    assert np.percentile(parity.apart, 95) <= PERCENTILE_95


def test_world_landmarks_are_mediapipes(parity: Parity) -> None:
    print(f"\nmetres: {np.median(parity.world_m):.6f}, {np.percentile(parity.world_m, 95):.6f}")
    assert np.median(parity.world_m) <= WORLD_MEDIAN_M
