"""The table and the block of AI Hub's card of MediaPipe-Pose, for its eleven devices.

The stand-in's figures are made; the form is the card's.
"""

import re

import pytest

from annotate.domain.soc import find_soc
from tests.hub.command import run
from tests.hub.devices import HOSTED, HostedDevice
from tests.hub.service import HubService

ROW = "| {} | {} | {} | TFLITE | 1.042 | 1 - 11 | float | NPU ({} ops), CPU (1 ops) |"
BLOCK = """\
------------------------------------------------------------
pose_landmark_full.onnx
Device                          : {} ({})
Runtime                         : TFLITE
Estimated inference time (ms)   : 1.0
Estimated peak memory usage (MB): [1, 11]
Total # Ops                     : {}
Compute Unit(s)                 : NPU ({} ops), CPU (1 ops)
Job                             : """


def test_the_card_has_eleven_devices() -> None:
    assert len(HOSTED) == 11
    assert all(find_soc(device.soc) for device in HOSTED.values())


@pytest.mark.parametrize("device", HOSTED.values(), ids=lambda device: device.name)
def test_the_table_and_the_block_of_a_device(service: HubService, device: HostedDevice) -> None:
    options = ("--device", device.name, "--runtime", "tflite")
    printed = run("export", *options, "--skip-verify").output
    (total,) = re.findall(r"pose_landmark_full[^-]*Total # Ops +: (\d+)", printed, re.DOTALL)[:1]
    ops = int(total)
    assert BLOCK.format(device.name, device.os, ops, ops - 1) in printed
    table = run("profile", *options, "--format", "table").output
    name = "pose_landmark_full.onnx"
    assert ROW.format(name, device.name, device.chipset, ops - 1) in table
    assert service.submitted("compile") == 2
