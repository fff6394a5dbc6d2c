"""Holes in packets: zeros that no encoder writes, as a lost sector or block leaves them.

Some decoders pass over them without an error, and show a smeared picture or the frame before again.
"""

import re
from collections.abc import Iterator

# Codecs whose packets cannot be all zeros, since they begin or end with marks.
NEVER_ZEROS = frozenset(
    [
        *("av1", "cinepak", "ffv1", "h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "qtrle"),
        *("snow", "utvideo", "vp8", "vp9", "vvc"),
    ]
)
# Codecs with start codes: three bytes of zeros are only before one, or at the end (ISO/IEC 11172-2,
# 13818-2, 14496-2; ITU-T H.264, H.265 and H.266, annex B).
START_CODES = frozenset({"mpeg1video", "mpeg2video", "mpeg4", "h264", "hevc", "vvc"})
_HOLE = re.compile(rb"\0\0\0+[^\0\1]")
# So many bytes of zeros are in no packet of arithmetic coders; of AV1 they may end one.
_LONG_HOLES = {codec: re.compile(rb"\0{32}") for codec in ("vp8", "vp9")}
_LONG_HOLES["av1"] = re.compile(rb"\0{32}\0*[^\0]")
# Where the decoder's setup in MP4 and Matroska (ISO/IEC 14496-15) has the length of lengths.
_LENGTH_SIZE_AT = {"h264": 4, "hevc": 21}


def is_zeros(codec: str, data: memoryview) -> bool:
    """Whether nothing is in a packet of a codec whose packets are never all zeros."""
    # Most packets are told by their last byte.
    return codec in NEVER_ZEROS and not data[-1] and not any(data)


def has_hole(codec: str, setup: bytes, data: memoryview) -> bool:
    """Whether a part of a packet was overwritten with zeros, as far as the codec tells.

    Args:
        codec: FFmpeg's name.
        setup: what the container holds for the decoder; empty where the stream itself has it.
        data: of the packet.
    """
    if codec not in START_CODES:
        return codec in _LONG_HOLES and _LONG_HOLES[codec].search(data) is not None
    at = _LENGTH_SIZE_AT.get(codec)
    if at is None or len(setup) <= at or setup[0] != 1:
        return _HOLE.search(data) is not None
    # No unit is empty. Zeros at its end may be stuffing of an encoder with a constant bit rate.
    return any(not unit or _HOLE.search(unit) for unit in _units(data, (setup[at] & 3) + 1))


def _units(data: memoryview, length_size: int) -> Iterator[memoryview]:
    """The units of a packet, each of which follows its length."""
    at = 0
    while at + length_size < len(data):
        begin = at + length_size
        at = begin + int.from_bytes(data[at:begin], "big")
        yield data[begin:at]
