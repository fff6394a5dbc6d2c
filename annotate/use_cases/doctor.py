"""Checks of this host: versions, NPU, model packs, speed, store and broker."""

import platform
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ParamSpec

import numpy as np

from annotate import __version__
from annotate.domain.broker import broker_address
from annotate.domain.distribution import install_command
from annotate.domain.errors import AnnotateError
from annotate.domain.pack import PACK_FILE
from annotate.domain.progress import Progress
from annotate.domain.runs_on import NPU
from annotate.domain.settings import Settings
from annotate.domain.soc import Soc, find_soc
from annotate.domain.variant import VARIANTS
from annotate.domain.video import Chunk
from annotate.host import emulates_npu, this_soc
from annotate.inference.isolated import run_isolated
from annotate.inference.qnn import PACKAGE, versions
from annotate.inference.self_test import SelfTest, self_test_cpu, self_test_npu
from annotate.packs.installed import verify_pack
from annotate.queue.app import make_app
from annotate.store import open_store
from annotate.use_cases.find_pack import default_pack
from annotate.use_cases.host_checks import Check, host_checks
from annotate.video import VideoWriter, decode, probe
from annotate.video.writer import Encoding

P = ParamSpec("P")
# Minor versions of the QNN plugin, each with the oldest and newest ONNX Runtime tested with it.
TESTED_PAIRS = {(2, 7): ((1, 26), (1, 32))}
# Seconds to wait for the broker.
BROKER_TIMEOUT_S = 3
# Height and width in pixels, and length, of the video that is decoded to measure speed.
VIDEO_SIZE, VIDEO_FRAMES = (720, 1280), 48


@dataclass(frozen=True)
class Report:
    """All checks.

    Attributes:
        npu: whether an NPU, not an emulator, runs both models whole and agrees with the CPU.
        verdict: one line for people.
        sound: whether no check failed.
    """

    checks: tuple[Check, ...]
    npu: bool
    verdict: str
    sound: bool


def examine(settings: Settings, *, require_npu: bool, progress: Progress) -> Report:
    """Checks everything; writes only a probe into the store, and removes it.

    Args:
        require_npu: a host without a working NPU is not sound.
        progress: called with the name of each step.

    Raises:
        UsageError: the settings name an unknown SoC.
    """
    soc = None if emulates_npu() else _soc(settings)
    progress("Versions and devices", 0.0)
    checks = [*_version_checks(soc), *host_checks(soc)]
    progress("Model packs", 0.1)
    checks += _pack_checks(settings.packs)
    folder = _sound_pack(settings.packs)
    progress("Models on the CPU", 0.2)
    on_cpu = _self_test_check("models on the CPU", folder, self_test_cpu)
    checks.append(on_cpu)
    progress("Models on the NPU", 0.4)
    checks.append(if_faster(_npu_check(folder, soc), on_cpu))
    progress("Decoding", 0.8)
    checks.append(_checked("decoding", _decode_check))
    progress("Store and broker", 0.9)
    checks.append(_checked("store", _store_check, settings))
    checks.append(_broker_check(settings))
    return judge(tuple(checks), soc, require_npu=require_npu)


def judge(checks: tuple[Check, ...], soc: Soc | None, *, require_npu: bool) -> Report:
    """The report on checks of a host.

    Args:
        soc: of the host, or None where it has no known NPU.
    """
    npu = any(check.facts.get("provider") == NPU for check in checks)
    if npu:
        runs = "The NPU works"
    elif soc:
        runs = f"The NPU of this {soc.title} does not work: the models run on the CPU"
    else:
        runs = "This machine has no NPU: the models run on the CPU"
    failed = [check.name for check in checks if check.state == "fail"]
    if require_npu and not npu:
        failed.append("no working NPU, which is required")
    verdict = f"{runs}. " + (f"Failed: {', '.join(failed)}." if failed else "No check failed.")
    return Report(checks, npu, verdict, not failed)


def _soc(settings: Settings) -> Soc | None:
    return find_soc(settings.soc) if settings.soc else this_soc()


# Versions and the host


def _version_checks(soc: Soc | None) -> Iterator[Check]:
    found = versions()
    yield Check("annotate", "ok", __version__)
    yield Check("Python", "ok", platform.python_version())
    yield Check("onnxruntime", "ok", str(found["onnxruntime"]))
    plugin = found[PACKAGE]
    if plugin is None:
        hint = f"Install it: {install_command('npu')}"
        yield Check(PACKAGE, "warn" if soc else "none", "not installed", hint)
        return
    oldest, newest = TESTED_PAIRS.get(_minor(plugin), ((0, 0), (0, 0)))
    tested = oldest <= _minor(str(found["onnxruntime"])) <= newest
    note = "" if tested else "; not tested with this version of onnxruntime"
    yield Check(PACKAGE, "ok" if tested else "warn", plugin + note)
    yield Check("QAIRT", "ok", str(found["QAIRT"]))


def _minor(version: str) -> tuple[int, int]:
    major, minor, *_ = version.split(".")
    return int(major), int(minor)


# Packs and models


def _pack_checks(root: Path) -> Iterator[Check]:
    folders = [file.parent for file in sorted(root.glob(f"*/{PACK_FILE}"))]
    if not folders:
        yield Check("model packs", "none", f"none in {root}", "Fetch one: annotate models pull")
    for folder in folders:
        yield _checked(f"pack {folder.name}", _pack_check, folder)


def _pack_check(folder: Path) -> Check:
    pack = verify_pack(folder)
    variants = sorted(file.name for file in folder.glob(f"{VARIANTS}/[!.]*"))
    value = f"{pack.digest[:12]}, compiled for {', '.join(variants) or 'no NPU'}"
    return Check(
        f"pack {pack.name}", "ok", value, facts={"digest": pack.digest, "variants": variants}
    )


def _sound_pack(root: Path) -> Path | None:
    """The pack that `submit` takes, or else another sound one."""
    usual = None
    with suppress(AnnotateError):  # the check of the packs says why
        usual = default_pack(root)
    for file in sorted(root.glob(f"*/{PACK_FILE}"), key=lambda one: one.parent.name != usual):
        try:
            verify_pack(file.parent)
        except AnnotateError:
            continue
        return file.parent
    return None


def _npu_check(folder: Path | None, soc: Soc | None) -> Check:
    name = "models on the emulator" if emulates_npu() else "models on the NPU"
    if versions()[PACKAGE] is None:
        return Check(name, "none", f"skipped: {PACKAGE} is not installed")
    check = _self_test_check(name, folder, self_test_npu, soc)
    # A host without an NPU is not at fault.
    return check if soc or check.state != "fail" else replace(check, state="none")


def if_faster(npu: Check, cpu: Check) -> Check:
    """The check of the NPU, failed if it is slower than the CPU: then it is an emulated one."""
    if npu.facts.get("provider") != NPU or "latency_ms" not in cpu.facts:
        return npu
    there, here = (sum(check.facts["latency_ms"].values()) for check in (cpu, npu))
    if here <= there:
        return npu
    value = f"{here:,.0f} ms for both models, and the CPU takes {there:.0f}: it is emulated"
    hint = "On Windows on Arm, take the x86-64 Python 3.12 or newer, and a newer driver of the NPU."
    return Check(npu.name, "fail", value, hint)


def _self_test_check(
    name: str, folder: Path | None, self_test: Callable[..., SelfTest], *more: Any
) -> Check:
    if folder is None:
        return Check(name, "none", "skipped: there is no sound model pack")
    return _checked(name, lambda: _self_test_found(name, run_isolated(self_test, folder, *more)))


def _self_test_found(name: str, found: SelfTest) -> Check:
    ms, nodes = found.latency_ms, found.placement
    placed = "; ".join(f"{model} {_counted(counts)}" for model, counts in nodes.items())
    value = f"{found.provider}: detector {ms['detector']:.1f} ms, landmarks {ms['landmark']:.1f} ms"
    if found.agreement_db:
        value += f"; {min(found.agreement_db.values()):.0f} dB from the CPU"
    facts = {
        "provider": found.provider,
        "device": found.device,
        "placement": {model: dict(counts) for model, counts in nodes.items()},
        "latency_ms": {model: round(value, 3) for model, value in ms.items()},
        "agreement_db": {model: round(value, 1) for model, value in found.agreement_db.items()},
    }
    return Check(name, "ok", f"{value}; nodes: {placed}", facts=facts)


def _counted(counts: Mapping[str, int]) -> str:
    return " + ".join(
        f"{count} {name.removesuffix('ExecutionProvider')}" for name, count in counts.items()
    )


# Videos, store, broker


def _decode_check() -> Check:
    height, width = VIDEO_SIZE
    noise = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    picture = np.kron(noise, np.ones((8, 8, 1), np.uint8))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "made.mp4"
        with VideoWriter(path, Encoding(fps=Fraction(30), options={"preset": "veryfast"})) as video:
            for shift in range(VIDEO_FRAMES):
                video.write(np.roll(picture, 3 * shift, axis=1))
        index = probe(path)
        began = time.perf_counter()
        frames = sum(1 for _ in decode(path, index, Chunk(0, len(index))))
        speed = frames / (time.perf_counter() - began)
    value = f"{speed:,.0f} frames/s a core ({width} x {height} H.264)"
    return Check("decoding", "ok", value, facts={"frames_per_s": round(speed, 1)})


def _store_check(settings: Settings) -> Check:
    files, key = open_store(settings.store).files, f"doctor-{uuid.uuid4().hex}"
    files.write(key, b"probe", durable=False)
    files.delete(key)
    return Check("store", "ok", f"{files} can be written")


def _broker_check(settings: Settings) -> Check:
    if settings.embedded:
        return Check("broker", "ok", "in the process of `annotate submit`; needs no server")
    options = {"socket_connect_timeout": BROKER_TIMEOUT_S, "socket_timeout": BROKER_TIMEOUT_S}
    app = make_app(settings.broker, "")
    with app.connection_for_write(
        connect_timeout=BROKER_TIMEOUT_S, transport_options=options
    ) as connection:
        address = broker_address(settings.broker)
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
        # Each transport raises different errors.
        except Exception as error:  # noqa: BLE001
            hint = "Start it, or correct ANNOTATE_BROKER."
            return Check("broker", "fail", f"{address} cannot be reached: {error}", hint)
    store = open_store(settings.store)
    store_id = f"this store's id is {store.id()}" if store.has_id() else "this store has no id yet"
    return Check("broker", "ok", f"{address} answers; {store_id}")


def _checked(name: str, check: Callable[P, Check], *args: P.args, **kwargs: P.kwargs) -> Check:
    try:
        return check(*args, **kwargs)
    except AnnotateError as error:
        return Check(name, "fail", error.message, error.hint)
