"""`annotate probe`, and what `annotate submit --dry-run` prints."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from annotate.cli.options import (
    JsonOption,
    StoreOption,
    VideosArgument,
    store_of,
    with_list,
    with_options,
)
from annotate.domain.errors import ExitCode, with_hint
from annotate.domain.options import SubmitOptions

if TYPE_CHECKING:
    from annotate.domain.job import Rejected
    from annotate.domain.video import VideoIndex
    from annotate.use_cases.probe_videos import Probed, VideoFacts


@with_options(SubmitOptions)
def probe(
    videos: VideosArgument,
    options: SubmitOptions,
    *,
    as_json: JsonOption = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Name the files of folders that are left out.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Show what is in videos, and what annotating them would cost.

    Every packet is read, so that frames are counted, not guessed; `submit`
    does not read the same files again. Only the first frames are decoded:
    damage of later ones that neither container nor codec tells shows when
    they are annotated. For the cost, each model is timed on this host and
    people are counted in eight frames, which takes some seconds; options are
    those of `submit`. Exits with 3 when some of the videos cannot be read,
    with 4 when none can.

    Examples:

      annotate probe videos/

      annotate probe match.mp4 --json

      annotate probe recordings/ --people all --fps 10
    """
    from annotate.cli.progress import phases, print_left_out
    from annotate.use_cases.find_videos import find_patiently
    from annotate.use_cases.probe_videos import probe_videos
    from annotate.use_cases.worker_pool import processes_here

    the_store, settings = store_of(store)
    found = find_patiently(with_list(videos), settings, store=the_store)
    print_left_out(found, verbose=verbose)
    settings = options.on_host(settings)
    workers = processes_here(settings, None)
    with phases() as phase:
        probed = probe_videos(the_store, found, options, settings, phase, workers)
    if as_json:
        typer.echo(json.dumps(fields_of(probed), indent=2))
    else:
        print_facts(probed)
    raise typer.Exit(exit_code(probed.videos))


def exit_code(videos: "Sequence[VideoFacts | Rejected]") -> ExitCode:
    """Says whether some videos, or all of them, cannot be read."""
    from annotate.domain.job import Rejected

    refused = sum(isinstance(one, Rejected) for one in videos)
    if refused == len(videos):
        return ExitCode.BAD_VIDEO
    return ExitCode.PARTIAL if refused else ExitCode.DONE


def print_facts(probed: "Probed") -> None:
    """Prints a row a video, the expected cost, and why files are rejected."""
    from rich.console import Console
    from rich.table import Table

    from annotate.cli.costs import UNKNOWN, cost_lines
    from annotate.cli.progress import print_line
    from annotate.cli.text import say
    from annotate.domain.job import Rejected

    table = Table(box=None, pad_edge=False)
    table.add_column("video", overflow="fold")
    for column in ("stream", "codec", "stored", "displayed"):
        table.add_column(column, no_wrap=True)
    for column in ("frames", "fps", "core time"):
        table.add_column(column, justify="right")
    table.add_column("notes", overflow="fold")
    for one in probed.videos:
        if not isinstance(one, Rejected):
            table.add_row(*_row(one))
    if table.row_count:
        Console().print(table)
        say("\n".join(cost_lines(probed.cost)) if probed.cost else UNKNOWN)
    for one in probed.videos:
        if isinstance(one, Rejected):
            print_line(with_hint(f"rejected   {one.reason}", one.hint), "yellow")


def _row(video: "VideoFacts") -> list[str]:
    from annotate.cli.text import duration, number

    index, stored = video.index, video.recording
    streams = ", ".join(map(str, index.video_streams))
    return [
        video.name,
        f"{index.stream} of {streams}" if len(index.video_streams) > 1 else f"{index.stream}",
        index.codec,
        f"{stored.width}x{stored.height}",
        f"{index.width}x{index.height}",
        number(len(index)),
        f"{index.fps:.2f}".rstrip("0").rstrip("."),
        "" if video.core_s is None else duration(video.core_s),
        ", ".join(_notes(video)),
    ]


def _notes(video: "VideoFacts") -> list[str]:
    """What is not usual in a video, in a few words each."""
    index = video.index
    declared = index.declared_frames
    notes = {
        f"{len(video.frames):,} frames selected": len(video.frames) != len(index),
        f"{declared or 0:,} frames declared": declared is not None and declared != len(index),
        f"turned by {index.rotation}": index.rotation != 0,
        "mirrored": index.mirrored,
        f"pixels {index.pixel_aspect}": index.pixel_aspect != 1,
        f"cropped by {', '.join(map(str, index.crop))}": any(index.crop),
        "variable rate": video.variable_rate,
        "interlaced": index.interlaced,
        f"HDR ({(index.hdr or '').upper()})": index.hdr is not None,
    }
    return [note for note, holds in notes.items() if holds] + list(_damage(index))


def _damage(index: "VideoIndex") -> list[str]:
    from annotate.cli.text import count, damaged_packets

    notes = {
        f"last {index.missing_s:.1f} s missing": index.missing_s > 0,
        damaged_packets(index.undecodable): index.undecodable > 0,
        f"{count(index.interpolated, 'time stamp')} interpolated": index.interpolated > 0,
        f"{count(index.image_gaps or 0, 'number')} without an image": bool(index.image_gaps),
        f"counted at {index.assumed_fps or 0:g} fps": index.assumed_fps is not None,
    }
    return [note for note, holds in notes.items() if holds]


def fields_of(probed: "Probed") -> dict[str, Any]:
    """The same for `--json`."""
    from annotate.cli.costs import cost_fields

    return {
        "videos": [_video_fields(one) for one in probed.videos],
        "cost": cost_fields(probed.cost) if probed.cost else None,
    }


def _video_fields(video: "VideoFacts | Rejected") -> dict[str, Any]:
    from annotate.domain.job import Rejected

    if isinstance(video, Rejected):
        return {"path": video.path, "rejected": {"reason": video.reason, "hint": video.hint}}
    index, stored = video.index, video.recording
    return {
        "path": video.path,
        "rejected": None,
        "fingerprint": index.fingerprint,
        "size_bytes": index.size_bytes,
        "stream": index.stream,
        "video_streams": list(index.video_streams),
        "codec": index.codec,
        "pixel_format": stored.pixel_format,
        "stored_width": stored.width,
        "stored_height": stored.height,
        "width": index.width,
        "height": index.height,
        "rotation": index.rotation,
        "mirrored": index.mirrored,
        "pixel_aspect": str(index.pixel_aspect),
        "crop": index.crop._asdict(),
        "frames": len(index),
        "declared_frames": index.declared_frames,
        "selected_frames": len(video.frames),
        "fps": round(index.fps, 3),
        "duration_s": round(float(index.time_s[-1]), 6),
        "time_base": str(index.time_base),
        "variable_rate": video.variable_rate,
        "interlaced": index.interlaced,
        "hdr": None if index.hdr is None else index.hdr.upper(),
        "missing_s": index.missing_s,
        "undecodable": index.undecodable,
        "interpolated": index.interpolated,
        "assumed_fps": index.assumed_fps,
        "image_gaps": index.image_gaps,
        "estimated_core_s": None if video.core_s is None else round(video.core_s, 1),
    }
