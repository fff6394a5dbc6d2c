"""What a GPU or another accelerator of this host brings, against one core.

    python -m tests.benchmarks.accelerator PROVIDER [VIDEO] [--pack FOLDER] [--workers 1 4 8 16]

PROVIDER is a name that `annotate worker --provider` takes, e.g. `cuda`. Without VIDEO, a made one
of 1280x720 with one person is used.

Printed:

- each model: ms a run on one core and on the accelerator, agreement in dB, nodes placed;
- each model in batches: ms a picture for batches of 1, 4 and 16, or why it cannot be batched;
- decoding: frames a second of one core, and of this host's hardware decoder if it has one;
- the whole: frames a second of N processes with the detector on every fifth frame, on the CPU (one
  core each) and on the accelerator.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import onnxruntime as ort

from annotate.domain.model_spec import ModelSpec
from annotate.domain.pack import read_pack
from annotate.domain.settings import Provider, settings_from
from annotate.domain.video import Chunk
from annotate.inference import load_models
from annotate.inference.accelerators import ACCELERATORS
from annotate.inference.agreement import made_picture
from annotate.inference.session import agreements
from annotate.inference.timing import median_ms
from annotate.packs.blazepose import NAME
from annotate.pipeline import PoseEstimator
from annotate.pipeline.prefetch import prefetch
from annotate.synthetic import Camera, Scene, ScenePerson, WayPoint, steady_times
from annotate.synthetic.film import render_video
from annotate.video import Reading, decode, hardware_device, probe
from annotate.video.writer import Encoding
from workers.process import prepare_process

RUNS = 50
BATCHES = (1, 4, 16)
# Seconds that each measurement of the whole takes.
SECONDS = 8.0
DETECT_EVERY = 5


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("provider")
    parser.add_argument("video", nargs="?", type=Path)
    parser.add_argument("--pack", type=Path, default=settings_from().packs / NAME)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4, 8, 16])
    given = parser.parse_args()
    provider = cast("Provider", given.provider)
    print(f"ONNX Runtime {ort.__version__}: {', '.join(ort.get_available_providers())}")
    models_table(given.pack, provider)
    batches_table(given.pack, provider)
    with tempfile.TemporaryDirectory() as folder:
        video = given.video or made_video(Path(folder))
        decoding_table(video)
        whole_table(given.pack, video, provider, given.workers)


def models_table(folder: Path, provider: Provider) -> None:
    """Time and agreement of each model."""
    pack = read_pack(folder)
    here, there = load_models(pack, folder), load_models(pack, folder, provider=provider)
    found = agreements(there, here)
    for stage, spec in pack.stages.items():
        core, accelerated = (median_ms(one.stage(stage), spec, RUNS) for one in (here, there))
        print(
            f"{stage}: one core {core:.2f} ms, {provider} {accelerated:.2f} ms, "
            f"{found[stage]:.0f} dB, nodes {there.placement[stage]}"
        )


def batches_table(folder: Path, provider: Provider) -> None:
    """Time of a picture in batches."""
    pack = read_pack(folder)
    for stage, spec in pack.stages.items():
        times = [batched_ms(folder / spec.file, spec, provider, size) for size in BATCHES]
        print(f"{stage} in batches: " + ", ".join(times))


def batched_ms(file: Path, spec: ModelSpec, provider: Provider, size: int) -> str:
    """Time of a picture in batches of `size`, with the model's first dimension made `size`."""
    model = onnx.load(file)
    make_batches_possible(model, size)
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        value.type.tensor_type.shape.dim[0].dim_value = size
    accelerator = ACCELERATORS[provider]
    options = ort.SessionOptions()
    options.log_severity_level = 4
    picture = np.repeat(made_picture(spec).transpose(2, 0, 1)[None], size, axis=0)
    if spec.layout != "NCHW":
        picture = picture.transpose(0, 2, 3, 1)
    try:
        session = ort.InferenceSession(
            model.SerializeToString(),
            options,
            providers=[(accelerator.provider, dict(accelerator.options)), "CPUExecutionProvider"],
        )
        feed = {spec.input: np.ascontiguousarray(picture)}
        session.run(spec.outputs, feed)
        times = []
        for _ in range(RUNS):
            began = time.perf_counter()
            session.run(spec.outputs, feed)
            times.append(time.perf_counter() - began)
    # ONNX Runtime's exceptions have no common base below Exception.
    except Exception as error:  # noqa: BLE001
        return f"{size}: not possible ({str(error)[:60]})"
    return f"{size}: {1000 * float(np.median(times)) / size:.2f} ms"


def make_batches_possible(model: onnx.ModelProto, size: int) -> None:
    """Changes constant shapes that begin with 1 to begin with `size`."""
    places = {"Reshape": 1, "Resize": 3}  # of the input that is the shape
    shapes = {
        node.input[places[node.op_type]] for node in model.graph.node if node.op_type in places
    }
    for constant in model.graph.initializer:
        values = onnx.numpy_helper.to_array(constant)
        if constant.name in shapes and values[0] == 1:
            changed = np.array([size, *values[1:]], np.int64)
            constant.CopyFrom(onnx.numpy_helper.from_array(changed, constant.name))


def decoding_table(video: Path) -> None:
    """Frames a second of the decoders."""
    index = probe(video)
    hardware = hardware_device(video)
    for device in (None, hardware) if hardware else (None,):
        chunk, reading = Chunk(0, len(index)), Reading(device=device)
        began = time.perf_counter()
        frames = sum(1 for _ in decode(video, index, chunk, reading=reading))
        print(f"decoding, {device or 'one core'}: {frames / (time.perf_counter() - began):.0f}/s")


def whole_table(folder: Path, video: Path, provider: Provider, workers: Sequence[int]) -> None:
    """Frames a second of the whole pipeline."""
    index = probe(video)
    print(f"whole, {index.width}x{index.height}, detector on every {DETECT_EVERY}th frame:")
    for count in workers:
        for one in ("cpu", provider):
            print(f"  {count} processes on {one}: {whole(folder, video, one, count):.0f} frames/s")


def whole(folder: Path, video: Path, provider: Provider, count: int) -> float:
    """Frames a second of `count` processes."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(count), context.SimpleQueue()
    processes = [
        context.Process(target=work, args=(folder, video, provider, barrier, results))
        for _ in range(count)
    ]
    for process in processes:
        process.start()
    rates = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return float(sum(rates))


def work(
    folder: Path,
    video: Path,
    provider: Provider,
    barrier: Barrier,
    results: "multiprocessing.SimpleQueue[float]",
) -> None:
    """Puts this process's frames a second into `results`."""
    prepare_process()
    models = load_models(read_pack(folder), folder, provider=provider)
    estimator, index = PoseEstimator(models, detect_every=DETECT_EVERY), probe(video)

    def once() -> int:
        frames = decode(video, index, Chunk(0, len(index)))
        estimator.run(frames if provider == "cpu" else prefetch(frames), index, first=0)
        return len(index)

    once()
    barrier.wait()
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        done += once()
    results.put(done / (time.perf_counter() - began))


def made_video(folder: Path) -> Path:
    """A video of one walking person, 1280x720, 4 s."""
    way = (WayPoint(0.0, -1.0, 4.0), WayPoint(4.0, 1.0, 4.0))
    people = (ScenePerson(way),)
    scene = Scene(1280, 720, steady_times(30, 4), people, camera=Camera(height_m=1.2))
    path = folder / "made.mp4"
    render_video(scene, path, Encoding())
    return path


if __name__ == "__main__":
    main()
