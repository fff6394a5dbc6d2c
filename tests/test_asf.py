"""Which frames the data packets of ASF hold, by files that are made byte by byte."""

from pathlib import Path

import numpy as np
import pytest

from annotate.domain.errors import HostError
from annotate.video.asf import AsfFrames, asf_frames
from tests.made_videos import Layout

HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
# Where in the properties the size of data packets is, twice, and all of them, in bytes.
SIZES_AT, PROPERTIES_BYTES = 92, 104
PREROLL_MS = 3000
SIZE = 128
# Flags of a data packet, and sizes of its payload's fields: the offset has 4 bytes, others 1.
PLAIN = bytes([0, 0x5D]) + bytes(6)


def payload(offset: int, extra: bytes, *, stream: int = 1, number: int = 7) -> bytes:
    head = bytes([stream, number]) + offset.to_bytes(4, "little") + bytes([len(extra)])
    return head + extra + b"data"


def frame(time_ms: int) -> bytes:
    """What stands before a payload: the size of its frame, and the time."""
    return (99).to_bytes(4, "little") + (time_ms + PREROLL_MS).to_bytes(4, "little")


def made(path: Path, *packets: bytes) -> AsfFrames:
    properties = bytearray(PROPERTIES + bytes(PROPERTIES_BYTES - len(PROPERTIES)))
    properties[80:88] = PREROLL_MS.to_bytes(8, "little")
    properties[SIZES_AT : SIZES_AT + 8] = SIZE.to_bytes(4, "little") * 2
    header = HEADER + (24 + len(properties)).to_bytes(8, "little") + properties
    body = b"".join(one.ljust(SIZE, b"\1") for one in packets)
    data = DATA + (50 + len(body)).to_bytes(8, "little") + bytes(26) + body
    path.write_bytes(header + data)
    return asf_frames(path, 1)


@pytest.mark.parametrize(
    ("packet", "times", "whole"),
    [
        (PLAIN + payload(0, frame(40)), [40], True),
        (PLAIN + payload(5, frame(40)), [], True),
        (PLAIN + payload(PREROLL_MS + 80, b"\1"), [80], True),
        (PLAIN + payload(0, frame(40), stream=2), [], True),
        (PLAIN + payload(0, frame(40), stream=0), [], False),
        (b"\x82\0\0" + PLAIN + payload(0, frame(40)), [40], True),
        (b"\x82\0\1" + PLAIN + payload(0, frame(40)), [], False),
        (PLAIN + payload(0, frame(40))[:6] + bytes([250]), [], False),
    ],
    ids=[
        *("begins", "goes on", "several short frames", "another stream", "no stream"),
        *("error correction of zeros", "error correction", "longer than the data packet"),
    ],
)
def test_a_frame_is_known_by_the_payload_that_it_begins_in(
    packet: bytes, times: list[int], *, whole: bool, tmp_path: Path
) -> None:
    before = PLAIN + payload(0, frame(0), number=6)
    found = made(tmp_path / "v.wmv", before, packet)
    assert found.time_ms.tolist() == [0, *times]
    assert found.number.tolist() == [6, *([7] * len(times))]
    assert len(found.unreadable) == (not whole)
    assert found.goes_on(0) is not whole


def test_only_numbers_that_count_tell_of_lost_frames() -> None:
    time_ms, none = np.array([0, 40, 80, 200, 240]), np.empty(0, np.int64)
    counted = AsfFrames(time_ms, np.array([254, 255, 0, 3, 4]), none, none)
    assert counted.lost_ms(time_ms).tolist() == [120, 160]
    assert counted.lost_ms(np.array([0, 40, 240])).tolist() == [80, 120, 160, 200]
    constant = AsfFrames(time_ms, np.full(5, 7), none, none)
    assert constant.lost_ms(time_ms).tolist() == []


@pytest.mark.parametrize("sizes", [(1, 1), (1, 3200), (2**31, 2**31)])
def test_data_packets_of_a_wrong_size_are_not_read(sizes: tuple[int, int], tmp_path: Path) -> None:
    """A file of a gigabyte would be read byte by byte, or into memory at once."""
    path = Layout(".wmv", codec="wmv2").make(tmp_path / "v.wmv").path
    data = bytearray(path.read_bytes())
    at = data.index(PROPERTIES) + SIZES_AT
    assert len(asf_frames(path, 1).place)
    data[at : at + 8] = np.array(sizes, "<u4").tobytes()
    path.write_bytes(data)
    found = asf_frames(path, 1)
    assert not len(found.place)
    assert not len(found.unreadable)


def test_trouble_of_the_host_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(HostError):
        asf_frames(tmp_path / "gone.wmv", 1)
