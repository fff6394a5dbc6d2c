"""The figures of an evaluation as plots."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from annotate.domain.errors import UsageError
from annotate.evaluate.evaluation import Evaluation
from annotate.extras import library


def plots(evaluation: Evaluation, folder: Path) -> tuple[Path, ...]:
    """Draws the figures that there are into PNG files in `folder`, which is made if it is missing.

    Raises:
        UsageError: matplotlib is not installed, or the folder cannot be written.
    """
    drawings: dict[str, Callable[[Any, Evaluation], None]] = {"heights": _heights}
    if evaluation.pck.overall is not None:
        drawings["keypoints"] = _keypoints
    if evaluation.average_precision.curves:
        drawings["precision"] = _precision
    if evaluation.tracking is not None:
        drawings["identity"] = _identity
    figures = library("matplotlib.figure", "evaluate")
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, draw in drawings.items():
            figure = figures.Figure(figsize=(7, 4.5), layout="constrained")
            draw(figure.subplots(), evaluation)
            paths.append(folder / f"{name}.png")
            figure.savefig(paths[-1], dpi=120)
    except OSError as error:
        raise UsageError(
            f"{folder}: cannot write plots: {error.strerror}", "Name a folder that can be written."
        ) from error
    return tuple(paths)


def _heights(axes: Any, evaluation: Evaluation) -> None:
    bands = [band for band in evaluation.by_height if band.people or band.false_positives]
    names = [f"{b.low}-{b.high}" if b.high else f"{b.low}+" for b in bands]
    for side, kind in ((-0.2, "recall"), (0.2, "precision")):
        values = [getattr(band, kind) or 0.0 for band in bands]
        axes.bar([place + side for place in range(len(bands))], values, 0.38, label=kind)
    axes.set_xticks(range(len(bands)), names)
    axes.set(xlabel="height in pixels", ylim=(0, 1.02), title="People found (OKS 0.5)")
    axes.legend(loc="lower right")


def _keypoints(axes: Any, evaluation: Evaluation) -> None:
    names = [name.replace("_", " ") for name in (one.name for one in evaluation.by_keypoint)]
    axes.barh(names, [fraction or 0.0 for fraction in evaluation.pck.by_keypoint])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="PCK@0.2", title="Keypoints within 0.2 torso lengths")


def _precision(axes: Any, evaluation: Evaluation) -> None:
    for threshold, curve in evaluation.average_precision.curves:
        recall = [place / (len(curve) - 1) for place in range(len(curve))]
        axes.plot(recall, curve, label=f"OKS {threshold}")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title="Poses")
    axes.legend(loc="lower left")


def _identity(axes: Any, evaluation: Evaluation) -> None:
    if evaluation.tracking is None:
        return
    threshold, *curves = zip(*evaluation.tracking.hota_curve, strict=True)
    for name, curve in zip(("HOTA", "DetA", "AssA"), curves, strict=True):
        axes.plot(threshold, curve, label=name)
    axes.set(xlabel="OKS threshold", xlim=(0, 1), ylim=(0, 1.02), title="Identity")
    axes.legend(loc="lower left")
