"""Longer videos from short ones, without encoding again."""

from pathlib import Path

import av


def looped(source: Path, times: int, target: Path) -> Path:
    """Writes the first video stream of `source` `times` over, packets as they are, to `target`.

    The source begins with a keyframe that nothing before it is needed for, as encoders make it.
    """
    with av.open(str(target), "w") as out:
        stream, shift = None, 0
        for _ in range(times):
            with av.open(str(source)) as container:
                video = container.streams.video[0]
                stream = stream or out.add_stream_from_template(video)
                ends = []
                for packet in container.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    ends.append(packet.pts + (packet.duration or 0))
                    packet.pts += shift
                    packet.dts += shift
                    packet.stream = stream
                    if video.time_base is not None:
                        packet.time_base = video.time_base
                    out.mux(packet)
                shift += max(ends) - (video.start_time or 0)
    return target
