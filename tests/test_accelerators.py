"""Execution providers other than the CPU's and QNN.

No host of the tests has a GPU, so most tests call the CPU's provider by another name.
`pytest -m accelerator` runs the real one of the installed build of ONNX Runtime.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from annotate.domain.errors import ProviderError
from annotate.domain.pack import Pack, read_pack
from annotate.domain.settings import Provider
from annotate.inference import Models, accelerators, load_models, session
from annotate.inference.accelerators import ACCELERATORS, Accelerator, installed, open_accelerated
from annotate.inference.agreement import made_picture
from annotate.inference.cpu import cpu_options
from tests.cpu_session import cpu_session

CPU_NODES = Accelerator("the fake", "CPUExecutionProvider", "onnxruntime-fake")


@pytest.fixture(scope="module")
def pack(blazepose_pack: Path) -> Pack:
    return read_pack(blazepose_pack)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Provider:
    """A provider that is there and takes every node: the CPU's, under another name."""
    monkeypatch.setattr(accelerators, "ACCELERATORS", {**ACCELERATORS, "cuda": CPU_NODES})
    # ONNX Runtime refuses to open its CPU provider where falling back to it is forbidden.
    monkeypatch.setattr(accelerators, "_options", cpu_options)
    return "cuda"


@pytest.mark.parametrize("name", sorted(ACCELERATORS))
def test_a_build_of_onnx_runtime_without_the_provider_is_said_with_the_one_to_install(
    name: Provider, pack: Pack, blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    accelerator = ACCELERATORS[name]
    with pytest.raises(ProviderError, match=f"no {accelerator.title}") as raised:
        load_models(pack, blazepose_pack, provider=name)
    assert accelerator.wheel in raised.value.hint or "macOS" in raised.value.hint


def test_libraries_that_do_not_load_are_an_error_and_the_cpu_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This is what ONNX Runtime does where CUDA's libraries are missing: it opens on the CPU.
    monkeypatch.setattr(accelerators, "installed", lambda _: True)
    monkeypatch.setattr(accelerators, "_options", cpu_options)
    monkeypatch.setattr(
        accelerators, "_providers", lambda _: [("CPUExecutionProvider", dict[str, str]())]
    )
    with pytest.raises(ProviderError, match="libraries of CUDA do not load"):
        open_accelerated(_small_model(tmp_path), "cuda")


def test_a_node_on_the_cpu_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = ort.InferenceSession(
        _small_model(tmp_path), cpu_options(), providers=["CPUExecutionProvider"]
    )
    monkeypatch.setattr(
        opened, "get_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    with pytest.raises(ProviderError, match=r"not every node of .*CPUExecutionProvider"):
        accelerators._check_placement(opened, ACCELERATORS["cuda"], tmp_path)


def test_both_fallbacks_to_the_cpu_are_disabled(tmp_path: Path) -> None:
    options = accelerators._options()
    assert options.get_session_config_entry("session.disable_cpu_ep_fallback") == "1"
    assert options.use_deterministic_compute
    # ONNX Runtime itself refuses a session whose nodes would all be on the CPU.
    with pytest.raises(Exception, match="fallback"):
        ort.InferenceSession(_small_model(tmp_path), options, providers=["AzureExecutionProvider"])


def test_an_explicit_accelerator_runs_the_models_and_is_named(
    fake: Provider, pack: Pack, blazepose_pack: Path
) -> None:
    models = load_models(pack, blazepose_pack, provider=fake)
    assert models.provider == "cuda"
    placed = load_models(pack, blazepose_pack).placement
    assert models.placement == placed
    assert placed["landmark"]["CPUExecutionProvider"] > 100


def test_an_accelerator_with_other_answers_is_refused(
    fake: Provider, pack: Pack, blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_cpu = load_models(pack, blazepose_pack)
    right = on_cpu.landmark.run
    monkeypatch.setattr(on_cpu.landmark, "run", lambda image: [o * 0.5 for o in right(image)])
    monkeypatch.setattr(session, "_on_accelerator", lambda *_: on_cpu)
    with pytest.raises(ProviderError, match="on CUDA the landmark model agrees with the CPU to"):
        load_models(pack, blazepose_pack, provider=fake)
    assert load_models(pack, blazepose_pack, provider="cpu").provider == "cpu"


@pytest.mark.parametrize(
    ("times", "provider", "reason"),
    [((9.0, 10.0), "cuda", ""), ((11.0, 10.0), "cpu", "CUDA is slower than the CPU: 22 ms")],
    ids=["a faster one", "a slower one"],
)
def test_auto_takes_an_installed_gpu_only_where_it_is_faster(
    times: tuple[float, float],
    provider: str,
    reason: str,
    pack: Pack,
    blazepose_pack: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_cpu = load_models(pack, blazepose_pack)
    accelerated = replace(on_cpu, provider="cuda")
    monkeypatch.setattr(session, "_on_accelerator", lambda *_: accelerated)
    monkeypatch.setattr(session, "installed", lambda _: True)
    # Two models: first both of the accelerator, then both of the CPU.
    taken = iter([times[0]] * 2 + [times[1]] * 2)
    monkeypatch.setattr(session, "median_ms", lambda *_: next(taken))
    models = load_models(pack, blazepose_pack, provider="auto")
    assert models.provider == provider
    assert models.reason.startswith(reason)


@pytest.mark.accelerator
def test_the_real_accelerator_of_this_host_runs_every_node_and_agrees_and_repeats(
    pack: Pack, blazepose_pack: Path
) -> None:
    present = [name for name in ACCELERATORS if installed(name)]
    assert present, "install a build of ONNX Runtime with an accelerator"
    for name in present:
        models = load_models(pack, blazepose_pack, provider=name)
        assert models.provider == name
        assert _outputs(models) == _outputs(load_models(pack, blazepose_pack, provider=name))


def _outputs(models: Models) -> list[bytes]:
    spec = models.pack.landmark
    picture = made_picture(spec)
    return [output.tobytes() for output in models.landmark.run(picture)]


def _small_model(folder: Path) -> Path:
    square = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "small", [square], [out])
    file = folder / "small.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file
    )
    assert np.array_equal(
        cpu_session(file).run(None, {"x": np.array([[-1, 0, 1]], np.float32)})[0],
        [[0, 0, 1]],
    )
    return file
