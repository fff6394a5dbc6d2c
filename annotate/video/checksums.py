"""Packets that can be checked without decoding them: the checksums of FFV1 (RFC 9043) and the marks
of DV (SMPTE 314M). Decoders pass over what is wrong, and show a smeared picture.
"""

import zlib
from itertools import islice

import numpy as np

from annotate.video.file import VideoFile

# A slice of FFV1 ends with its size in 3 bytes, a byte of status, and its checksum; these count
# bits from the highest one on, those of zlib from the lowest one on.
_FOOTER_BYTES, _SIZE_BYTES = 8, 3
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_NO_START = 0xFFFFFFFF
# Of FFV1, the number of first packets among which a sound one tells whether there are checksums.
_LOOKED_AT = 16
# Blocks of a sequence of DV, their bytes, and the kind of each, which its first 3 bits tell: a
# header, subcode, auxiliary data, and sound in front of pictures.
_DV_BLOCKS, _DV_BLOCK_BYTES = 150, 80
_DV_KINDS = np.array([0, 1, 1, 2, 2, 2] + 9 * ([3] + 15 * [4]), np.uint8)


class Checks:
    """What is known of the packets of one video. It does not depend on where decoding begins."""

    def __init__(self, video: VideoFile) -> None:
        """Looks at the first packets of a video, which stays where it is."""
        self._codec = video.stream.codec.canonical_name
        self._summed = False
        if self._codec == "ffv1":
            with video.again() as other:
                first = islice(other.packets(), _LOOKED_AT)
                self._summed = any(_is_ffv1(memoryview(packet)) for packet in first)

    def fail(self, data: memoryview) -> bool:
        """Whether a packet is not what it should be."""
        if self._summed:
            return not _is_ffv1(data)
        return self._codec == "dvvideo" and not _is_dv(data)


def _is_ffv1(data: memoryview) -> bool:
    """Whether a packet is made of slices with the right checksums."""
    end = len(data)
    while end > _FOOTER_BYTES:
        size = data[end - _FOOTER_BYTES :][:_SIZE_BYTES]
        begin = end - _FOOTER_BYTES - int.from_bytes(size, "big")
        # The remainder of a slice with its own checksum is 0.
        if (
            begin < 0
            or zlib.crc32(bytes(data[begin:end]).translate(_REVERSED), _NO_START) != _NO_START
        ):
            return False
        end = begin
    return end == 0


def _is_dv(data: memoryview) -> bool:
    """Whether the blocks of a frame follow each other as they should."""
    if len(data) % (_DV_BLOCKS * _DV_BLOCK_BYTES):
        return False
    kinds = np.frombuffer(data, np.uint8)[::_DV_BLOCK_BYTES] >> 5
    return bool((kinds.reshape(-1, _DV_BLOCKS) == _DV_KINDS).all())
