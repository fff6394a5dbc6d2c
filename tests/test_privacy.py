"""Nothing about a host or its models leaves it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.test_bf16 import needs_bf16

# What ONNX Runtime writes into the folder of temporary files where its telemetry is on.
DEVICE_NUMBER = ".ses"
# Variables that turn it off: in CI it is off by itself.
SWITCHES = {"CI", "ORT_DISABLE_TELEMETRY"}
LOAD = """
import sys
from pathlib import Path

from tests.test_bf16 import needs_bf16
from annotate.domain.pack import read_pack
from annotate.inference.session import load_model
pack = read_pack(Path(sys.argv[1]))
load_model(pack.detector, Path(sys.argv[1]) / pack.detector.file)
"""


def test_the_telemetry_of_onnx_runtime_is_off(blazepose_pack: Path, tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    environ["TMPDIR"] = str(tmp_path)
    subprocess.run([sys.executable, "-c", LOAD, blazepose_pack], env=environ, check=True)
    assert not (tmp_path / DEVICE_NUMBER).exists()


IN_BF16 = """
import sys
from pathlib import Path

from tests.test_bf16 import needs_bf16
from annotate.domain.pack import read_pack
from annotate.inference.bf16 import open_bf16
open_bf16(Path(sys.argv[1]) / read_pack(Path(sys.argv[1])).landmark.file)
assert "openvino" in sys.modules
# What would send something: none of it may even be loaded.
assert not [name for name in sys.modules if name.startswith("openvino_telemetry")]
"""


@needs_bf16
def test_openvino_sends_no_statistics_when_it_is_imported(
    blazepose_pack: Path, tmp_path: Path
) -> None:
    environ = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    environ |= {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", IN_BF16, blazepose_pack], env=environ, check=True)
    # Its number of the user.
    assert not list(tmp_path.iterdir())
