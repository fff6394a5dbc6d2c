"""Video files: reading what they hold, decoding their frames, and writing new ones."""

from annotate.video.decode import decode
from annotate.video.file import VideoFile, fingerprint
from annotate.video.hardware import hardware_device
from annotate.video.probe import probe
from annotate.video.writer import VideoWriter

__all__ = ["VideoFile", "VideoWriter", "decode", "fingerprint", "hardware_device", "probe"]
