"""Sound for made videos."""

from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer


def add_sound(
    container: OutputContainer,
    seconds: float,
    sound: tuple[str, str] = ("aac", ""),
    loudness: float = 0.0,
) -> None:
    """Adds a sound track of a codec and a format, as in `Layout`.

    With a loudness from 0 to 1 it is a hum, of 24 bits.
    """
    wave = np.round(loudness * np.sin(np.arange(1024) * 2 * np.pi / 64) * 2**23) / 2**23
    stream = container.add_stream(sound[0], rate=16000, layout="mono")
    assert isinstance(stream, AudioStream)
    if sound[1]:
        stream.codec_context.format = sound[1]
    for start in range(0, int(seconds * 16000), 1024):
        frame = av.AudioFrame.from_ndarray(
            wave[None].astype(np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = 16000, start, Fraction(1, 16000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
