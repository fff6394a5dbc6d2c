"""Makes the picture of the README from the demo's overlay.

    annotate demo
    python -m tests.benchmarks.picture demo/overlay.mp4 docs/demo.gif

Fewer, smaller frames in few colours keep an animated GIF small.
"""

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import av
import av.filter
import typer
from av.video.frame import VideoFrame

# Width in pixels, frames per second and number of colours: 263 kB for the demo's six seconds.
WIDTH, FPS, COLOURS = 320, 6, 32
# The README's picture must not be larger, in bytes.
MAX_BYTES = 300_000


def small_frames(video: Path) -> list[VideoFrame]:
    """The frames of `video` at `FPS` and `WIDTH`, all with the same palette of colours."""
    graph = av.filter.Graph()
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        source = graph.add_buffer(template=stream, time_base=stream.time_base)
        steps = [
            graph.add("fps", str(FPS)),
            graph.add("scale", f"{WIDTH}:-2:flags=area"),
            graph.add("split"),
        ]
        palette = graph.add("palettegen", f"max_colors={COLOURS}:stats_mode=full")
        use = graph.add("paletteuse", "dither=none:diff_mode=rectangle")
        sink = graph.add("buffersink")
        for first, second in zip([source, *steps], steps, strict=False):
            first.link_to(second)
        steps[-1].link_to(use, 0, 0)
        steps[-1].link_to(palette, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()
        for frame in container.decode(stream):
            graph.push(frame)
        graph.push(None)
    frames = []
    while True:
        try:
            frames.append(graph.pull())
        except (av.BlockingIOError, av.EOFError):
            return [frame for frame in frames if isinstance(frame, VideoFrame)]


def write_gif(frames: list[VideoFrame], path: Path) -> None:
    """Writes `frames` as an animated GIF that repeats for ever."""
    with av.open(str(path), "w", format="gif", options={"loop": "0"}) as container:
        stream = container.add_stream("gif", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, "pal8"
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main(
    overlay: Annotated[Path, typer.Argument(help="The overlay.mp4 of `annotate demo`.")],
    out: Annotated[Path, typer.Argument(help="The GIF to write.")],
) -> None:
    """Make the picture of the README."""
    out.parent.mkdir(parents=True, exist_ok=True)
    frames = small_frames(overlay)
    write_gif(frames, out)
    size = out.stat().st_size
    typer.echo(f"{out}: {len(frames)} frames, {size / 1000:.0f} kB")
    if size > MAX_BYTES:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
