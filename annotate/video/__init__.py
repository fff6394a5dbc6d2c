"""Videos in and out: what a file holds, its frames one by one, and files made from frames."""

from annotate.video.decode import decode
from annotate.video.hardware import hardware_device
from annotate.video.opening import fingerprint
from annotate.video.probe import probe
from annotate.video.writer import VideoWriter

__all__ = ["VideoWriter", "decode", "fingerprint", "hardware_device", "probe"]
