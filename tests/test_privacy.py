"""Nothing about a host or its models leaves it."""

import os
import subprocess
import sys
from pathlib import Path

# What ONNX Runtime writes into the folder of temporary files where its telemetry is on.
DEVICE_NUMBER = ".ses"
# Variables that turn it off: in CI it is off by itself.
SWITCHES = {"CI", "ORT_DISABLE_TELEMETRY"}
LOAD = """
import sys
from pathlib import Path
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
