"""The figures of an evaluation as pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from annotate.domain.errors import UsageError
from annotate.domain.skeleton import COCO_KEYPOINTS
from annotate.evaluate.libraries import library
from annotate.evaluate.report import Report


def plots(report: Report, folder: Path) -> tuple[Path, ...]:
    """Draws what the report can tell into PNG files in `folder`, which is made if need be.

    Raises:
        UsageError: matplotlib is not installed, or the folder cannot be written.
    """
    drawings: dict[str, Callable[[Any, Report], None]] = {"heights": _heights}
    if report.correct.all is not None:
        drawings["keypoints"] = _keypoints
    if report.average.curves:
        drawings["precision"] = _precision
    if report.tracking is not None:
        drawings["identity"] = _identity
    figures = library("matplotlib.figure")
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, draw in drawings.items():
            figure = figures.Figure(figsize=(7, 4.5), layout="constrained")
            draw(figure.subplots(), report)
            paths.append(folder / f"{name}.png")
            figure.savefig(paths[-1], dpi=120)
    except OSError as error:
        raise UsageError(
            f"{folder}: cannot write plots: {error.strerror}", "Name a folder that can be written."
        ) from error
    return tuple(paths)


def _heights(axes: Any, report: Report) -> None:
    bands = [band for band in report.heights if band.people or band.invented]
    names = [f"{b.low}-{b.high}" if b.high else f"{b.low}+" for b in bands]
    for side, kind in ((-0.2, "recall"), (0.2, "precision")):
        values = [getattr(band, kind) or 0.0 for band in bands]
        axes.bar([place + side for place in range(len(bands))], values, 0.38, label=kind)
    axes.set_xticks(range(len(bands)), names)
    axes.set(xlabel="height in pixels", ylim=(0, 1.02), title="People found (OKS 0.5)")
    axes.legend(loc="lower right")


def _keypoints(axes: Any, report: Report) -> None:
    names = [name.replace("_", " ") for name in COCO_KEYPOINTS]
    axes.barh(names, [share or 0.0 for share in report.correct.each])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="PCK@0.2", title="Keypoints within 0.2 torso lengths")


def _precision(axes: Any, report: Report) -> None:
    for threshold, curve in report.average.curves:
        recall = [place / (len(curve) - 1) for place in range(len(curve))]
        axes.plot(recall, curve, label=f"OKS {threshold}")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title="Poses")
    axes.legend(loc="lower left")


def _identity(axes: Any, report: Report) -> None:
    if report.tracking is None:
        return
    threshold, *curves = zip(*report.tracking.hota_curve, strict=True)
    for name, curve in zip(("HOTA", "DetA", "AssA"), curves, strict=True):
        axes.plot(threshold, curve, label=name)
    axes.set(xlabel="OKS threshold", xlim=(0, 1), ylim=(0, 1.02), title="Identity")
    axes.legend(loc="lower left")
