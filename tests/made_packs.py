"""Packs of every kind, each written into an empty folder of packs."""

import shutil
import tempfile
from pathlib import Path

from annotate.domain.progress import silent
from annotate.packs.catalogue import entry_named
from annotate.packs.pull_entry import add_person_detector, pull_entry
from annotate.use_cases.add_pack import add_pack
from tests.made_zips import asset_zip, detector_zip, rtmpose_zip


def fill_lightning(root: Path, models: Path) -> None:
    """MoveNet Lightning with YOLOX-nano, of the folder of weights."""
    pull_entry(
        entry_named("movenet-lightning"),
        root,
        source=models,
        detector=models / "yolox_nano.onnx",
        progress=silent,
    )


def fill_with(root: Path, pack: Path, detector: Path) -> None:
    """A copy of a pack, with a person detector beside its own one."""
    add_person_detector(shutil.copytree(pack, root / pack.name), detector)


def fill_simcc(root: Path) -> None:
    """A made RTMPose with a made RTMDet, as OpenMMLab publishes them."""
    with tempfile.TemporaryDirectory() as scratch:
        pose = rtmpose_zip(Path(scratch, "rtmpose-m_simcc-body7_256x192.zip"))
        add_pack(pose, root, detector_zip(Path(scratch, "rtmdet.zip"), normalized=True))


def fill_heatmap(root: Path) -> None:
    """A made HRNetPose with a made YOLOX, as AI Hub publishes them."""
    with tempfile.TemporaryDirectory() as scratch:
        pose = asset_zip(Path(scratch, "hrnet_pose.zip"), "hrnet_pose")
        add_pack(pose, root, asset_zip(Path(scratch, "yolox.zip"), "yolox"))
