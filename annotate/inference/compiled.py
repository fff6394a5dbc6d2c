"""Context binaries: the models compiled ahead of time for the NPU of one SoC.

Any x86-64 host can compile for any SoC. A host with an NPU uses the variant in the pack. Where the
pack has none, the host compiles one and keeps it in its cache.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort
import platformdirs

from annotate.domain.errors import PackError, ProviderError
from annotate.domain.pack import Pack
from annotate.domain.soc import Soc, with_same_npu
from annotate.domain.variant import (
    VARIANT_FILE,
    VARIANTS,
    Variant,
    check_variant,
    file_facts,
    sources_of,
    variant_folder,
)
from annotate.files import scratch_in
from annotate.inference.qnn import rejected_hint, sdk_version, session_options

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compiled:
    """One model compiled for one SoC: the size of its files and the duration of the compilation."""

    soc: Soc
    model: str
    size_bytes: int
    compile_s: float


def compile_variant(pack: Pack, folder: Path, soc: Soc) -> list[Compiled]:
    """Compiles the pack in `folder` for `soc` into the pack; replaces an older variant.

    The variant appears whole or not at all.

    Raises:
        PackError: the variant cannot be written.
        ProviderError: the plugin is missing, or cannot compile a model.
    """
    target = variant_folder(folder, soc)
    with _staged(target.parent) as scratch:
        done = _compile(pack, folder, soc, scratch / "new")
        with suppress(FileNotFoundError):
            target.rename(scratch / "old")
        (scratch / "new").rename(target)
    return done


def compiled_models(pack: Pack, folder: Path, soc: Soc, cache: Path | None) -> Path:
    """The folder with the models of the pack compiled for `soc`: the pack's variant, else the one
    in this host's cache, which is compiled now where it is missing or damaged. The log says why a
    variant of the pack cannot run here.

    Raises:
        PackError: the cache cannot be written.
        ProviderError: the plugin is missing, or cannot compile a model.
    """
    sdk = sdk_version()
    in_pack = variant_folder(folder, soc)
    if in_pack.exists():
        try:
            check_variant(in_pack, pack, soc, sdk)
        except PackError as error:
            logger.warning("%s: this host compiles its own. %s", error.message, error.hint)
        else:
            return in_pack
    root = cache or platformdirs.user_cache_path("annotate", appauthor=False)
    target = root / VARIANTS / pack.digest / f"{with_same_npu(soc).name}-{sdk}"
    if not _is_valid(target, pack, soc, sdk):
        with _staged(target.parent) as scratch:
            _compile(pack, folder, soc, scratch / "new")
            # Another process may have finished first; a damaged variant is replaced.
            if not _is_valid(target, pack, soc, sdk):
                with suppress(FileNotFoundError):
                    target.rename(scratch / "old")
                (scratch / "new").rename(target)
    return target


def _compile(pack: Pack, folder: Path, soc: Soc, out: Path) -> list[Compiled]:
    """Makes the variant in the new folder `out`."""
    out.mkdir()
    done = []
    for name in sources_of(pack):
        began = time.perf_counter()
        _compile_model(folder / name, soc, out / name)
        seconds = time.perf_counter() - began
        size = sum(file.stat().st_size for file in out.glob(f"{Path(name).stem}*"))
        done.append(Compiled(soc, name, size, seconds))
    variant = Variant(
        soc=soc.name,
        soc_model=soc.soc_model,
        htp_arch=soc.htp_arch,
        sdk=sdk_version(),
        onnxruntime=ort.__version__,
        sources=sources_of(pack),
        files=file_facts(sorted(out.iterdir())),
    )
    (out / VARIANT_FILE).write_text(variant.to_json(), encoding="utf-8")
    return done


def _compile_model(source: Path, soc: Soc, out: Path) -> None:
    import onnx  # models that are compiled already are used without it

    options = session_options(soc, {})
    try:
        ort.ModelCompiler(options, source).compile_to_file(str(out))
        model = onnx.load(out)
    # ONNX Runtime's exceptions have no common base below Exception.
    except Exception as error:
        raise ProviderError(
            f"{source} cannot be compiled for {soc.title}: {error}",
            rejected_hint(soc, "Run `annotate doctor`."),
        ) from error
    nodes = {node.op_type for node in model.graph.node}
    if nodes != {"EPContext"}:
        raise ProviderError(
            f"{source} cannot be compiled completely for {soc.title}: {', '.join(sorted(nodes))}",
            "Use this model on the CPU.",
        )


@contextmanager
def _staged(parent: Path) -> Iterator[Path]:
    """A scratch folder beside the target, so that a rename can publish its contents."""
    try:
        with scratch_in(parent, ".compiling-") as scratch:
            yield scratch
    except OSError as error:
        raise PackError(
            f"compiled models cannot be written to {parent}: {error.strerror or error}",
            "Make the folder writable and free 50 MB there.",
        ) from error


def _is_valid(folder: Path, pack: Pack, soc: Soc, sdk: str) -> bool:
    try:
        check_variant(folder, pack, soc, sdk)
    except PackError:
        return False
    return True
