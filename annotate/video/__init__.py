"""Video files: reading what they hold, decoding their frames, and writing new ones."""

from annotate.video.decode import decode, decode_with_damage
from annotate.video.describe import describe
from annotate.video.file import Reading, VideoFile, fingerprint
from annotate.video.hardware import hardware_device
from annotate.video.holds_video import holds_video, streams_video
from annotate.video.join_images import JOIN_VERSION, is_animated, is_animated_webp, joined
from annotate.video.probe import probe
from annotate.video.reader import reader_version
from annotate.video.writer import VideoWriter

__all__ = [
    "JOIN_VERSION",
    "Reading",
    "VideoFile",
    "VideoWriter",
    "decode",
    "decode_with_damage",
    "describe",
    "fingerprint",
    "hardware_device",
    "holds_video",
    "is_animated",
    "is_animated_webp",
    "joined",
    "probe",
    "reader_version",
    "streams_video",
]
