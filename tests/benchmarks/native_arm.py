"""What native Python of Windows on Arm would need instead of OpenCV, which has no wheel there: a
crop of a person by OpenCV, and by what has one: ONNX Runtime, SciPy, NumPy alone. In Markdown.

    python -m tests.benchmarks.native_arm [--rounds 40]

Time is that of one core. The difference is that of the crops' levels in 0-255.
"""

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np
from onnx import TensorProto, helper
from scipy import ndimage

from annotate.domain.arrays import FloatArray
from tests.cpu_session import cpu_session

HEIGHT, WIDTH, SIDE = 1080, 1920, 256
# Of a person of 700 px, turned by 10 degrees.
SCALE, DEGREES, LEFT, TOP = 700 / SIDE, 10.0, 500.0, 200.0


def affine() -> FloatArray:
    """The (2, 3) map from pixels of the crop to those of the picture, x first."""
    cos, sin = (SCALE * one(np.radians(DEGREES)) for one in (np.cos, np.sin))
    return np.array([[cos, -sin, LEFT], [sin, cos, TOP]], np.float32)


def by_opencv(picture: FloatArray, matrix: FloatArray) -> FloatArray:
    """As the program does."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )


def by_scipy(picture: FloatArray, matrix: FloatArray) -> FloatArray:
    """One colour after the other: rows are first there."""
    turned = matrix[::-1, 1::-1]
    shift = matrix[::-1, 2]
    colours = [
        ndimage.affine_transform(
            picture[..., one], turned, shift, (SIDE, SIDE), order=1, mode="nearest"
        )
        for one in range(3)
    ]
    return np.stack(colours, axis=-1).astype(np.float32)


def by_numpy(picture: FloatArray, matrix: FloatArray) -> FloatArray:
    """Four neighbours of each pixel, and their weights."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    across, down = (row[0] * x + row[1] * y + row[2] for row in matrix)
    left, top = np.floor(across).astype(np.intp), np.floor(down).astype(np.intp)
    right_share, low_share = (across - left)[..., None], (down - top)[..., None]
    columns = [np.clip(left + one, 0, WIDTH - 1) for one in (0, 1)]
    rows = [np.clip(top + one, 0, HEIGHT - 1) for one in (0, 1)]
    upper, lower = (
        picture[row, columns[0]] * (1 - right_share) + picture[row, columns[1]] * right_share
        for row in rows
    )
    return np.asarray(upper * (1 - low_share) + lower * low_share, np.float32)


def sampler() -> Callable[[FloatArray, FloatArray], FloatArray]:
    """ONNX Runtime's operator GridSample, on the part of the picture that the crop is in."""
    names = ("picture", "grid", "crop")
    kinds = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
    node = helper.make_node(
        "GridSample", names[:2], names[2:], padding_mode="border", align_corners=1
    )
    graph = helper.make_graph([node], "crop", kinds[:2], kinds[2:])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8
    ).SerializeToString()
    session = cpu_session(model)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)

    def crop(picture: FloatArray, matrix: FloatArray) -> FloatArray:
        across, down = (row[0] * x + row[1] * y + row[2] for row in matrix)
        left, top = max(int(across.min()), 0), max(int(down.min()), 0)
        part = picture[top : int(down.max()) + 2, left : int(across.max()) + 2]
        high, wide = part.shape[0] - 1, part.shape[1] - 1
        grid = np.stack([2 * (across - left) / wide - 1, 2 * (down - top) / high - 1], axis=-1)
        whole = np.ascontiguousarray(part.transpose(2, 0, 1)[None])
        (made,) = session.run(None, {"picture": whole, "grid": grid[None]})
        return np.asarray(made[0].transpose(1, 2, 0), np.float32)

    return crop


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    picture = np.kron(noise, np.ones((8, 8, 1), np.uint8)).astype(np.float32)
    matrix = affine()
    ways: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
        "OpenCV": by_opencv,
        "ONNX Runtime": sampler(),
        "SciPy": by_scipy,
        "NumPy": by_numpy,
    }
    spent = dict.fromkeys(ways, 0.0)
    for _ in range(rounds):
        for name, crop in ways.items():
            began = time.process_time()
            crop(picture, matrix)
            spent[name] += time.process_time() - began
    expected = by_opencv(picture, matrix)
    print(f"{rounds} rounds\n\n| a crop of 256 px by | core-ms | mean difference | largest |")
    print("|---|---|---|---|")
    for name, crop in ways.items():
        apart = np.abs(crop(picture, matrix) - expected)
        core_ms = spent[name] / rounds * 1000
        print(f"| {name} | {core_ms:.1f} | {apart.mean():.3f} | {apart.max():.1f} |")


if __name__ == "__main__":
    main()
