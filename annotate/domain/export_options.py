"""What a user chooses for an export: one dataclass for the command line and the API."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from annotate.domain.choices import one_of
from annotate.domain.errors import UsageError
from annotate.domain.flags import Flag

# Sets of keypoints that landmarks are exported as.
KeypointSetName: TypeAlias = Literal[
    "coco17", "body-feet", "blazepose33", "halpe26", "wholebody133"
]
# Kinds of images; each is also how their names end.
ImageFormat: TypeAlias = Literal["jpg", "png", "webp"]


def tracks_of(text: str) -> tuple[int, ...]:
    """Ids of `1,3`.

    Raises:
        UsageError: the text is not a list of ids.

    >>> tracks_of("1, 3")
    (1, 3)
    """
    try:
        return tuple(int(one) for one in text.split(","))
    except ValueError:
        raise UsageError(
            f"--tracks {text!r} is not a list of tracks", "Give ids with commas, e.g. 1,3."
        ) from None


@dataclass(frozen=True)
class ExportOptions:
    """The choices of one export; every field is an option of `annotate export`.

    Attributes:
        out: file or folder to write; `-` is standard output.
        per_video: instead, a folder: each video becomes a dataset of its own in it.
        format: one of `annotate.formats.registry.format_names()`.
        video: names of the videos to export; empty for all.
        tracks: ids, as each video counts them; None for all.
        max_people: people in a frame at most: those whose tracks have the largest sum of scores.
        min_score: poses with a lower score are left out; filled ones have 0.
        min_seconds: tracks that last less are left out, gaps included.
        every: only frames whose index is a multiple of it.
        raw: the landmarks as the model gave them, without smoothing and without filled poses.
        reviewed_only: only frames that a reviewer marked as reviewed.
        keypoints: which keypoints are written; None leaves it to the format.
        angles: joint angles instead of keypoints, a row a pose; for tables.
        images: folder for the images that the dataset names; None writes none.
        image_format: of those images, and of their names in the dataset.
        partial: write what there is of an unfinished job.
        keep_missing: write frames that were not processed too, and mark them.
        force: replace a file that is not an export.

    Raises:
        UsageError: a value is impossible, or two contradict each other.

    >>> ExportOptions(format="csv", tracks=(1, 3)).tracks
    (1, 3)
    """

    out: Path | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "The file or folder to write; - is standard output.", metavar="PATH", short="-o"
            )
        },
    )
    per_video: Path | None = field(
        default=None,
        metadata={"flag": Flag("Instead: a dataset of each video, in this folder.", metavar="DIR")},
    )
    format: str = field(
        default="coco",
        metadata={"flag": Flag("Format to write.", metavar="NAME", short="-f")},
    )
    video: tuple[str, ...] = field(
        default=(),
        metadata={
            "flag": Flag(
                "Only this video; may be given several times.", metavar="NAME", default="all"
            )
        },
    )
    tracks: tuple[int, ...] | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "Only the tracks with these ids, e.g. 1,3.",
                metavar="IDS",
                default="all",
                parse=tracks_of,
            )
        },
    )
    max_people: int | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "At most so many people in a frame: those with the largest sum of scores.",
                metavar="N",
                minimum=1,
                default="all",
            )
        },
    )
    min_score: float = field(
        default=0.0,
        metadata={
            "flag": Flag(
                "Leave out poses with a lower score; filled ones have 0.",
                metavar="SCORE",
                minimum=0,
            )
        },
    )
    min_seconds: float = field(
        default=0.0,
        metadata={"flag": Flag("Leave out shorter tracks.", metavar="SECONDS", minimum=0)},
    )
    every: int = field(
        default=1,
        metadata={
            "flag": Flag("Only frames whose index is a multiple of N.", metavar="N", minimum=1)
        },
    )
    raw: bool = field(
        default=False,
        metadata={"flag": Flag("Landmarks as the model gave them: not smoothed, gaps open.")},
    )
    reviewed_only: bool = field(
        default=False,
        metadata={"flag": Flag("Only frames that were marked in `annotate review`.")},
    )
    keypoints: KeypointSetName | None = field(
        default=None,
        metadata={"flag": Flag("Which keypoints to write.", default="as the format has them")},
    )
    angles: bool = field(
        default=False,
        metadata={"flag": Flag("Joint angles instead of keypoints, for --format csv or parquet.")},
    )
    images: Path | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "Also write the images of the frames that the dataset names, in this folder.",
                metavar="DIR",
            )
        },
    )
    image_format: ImageFormat = field(
        default="jpg", metadata={"flag": Flag("Of the images: PNG loses nothing.")}
    )
    partial: bool = field(
        default=False, metadata={"flag": Flag("Write what there is of an unfinished job.")}
    )
    keep_missing: bool = field(
        default=False,
        metadata={"flag": Flag("With --partial: keep the images of missing frames, marked.")},
    )
    force: bool = field(
        default=False, metadata={"flag": Flag("Replace a file that is not an export.")}
    )

    def __post_init__(self) -> None:
        if self.keypoints is not None:
            one_of(get_args(KeypointSetName), self.keypoints, "--keypoints")
        one_of(get_args(ImageFormat), self.image_format, "--image-format")
        for one in fields(self):
            one.metadata["flag"].check(one.name, getattr(self, one.name))
        if self.keep_missing and not self.partial:
            raise UsageError("--keep-missing is only for --partial", "Give both.")
        if self.out is not None and self.per_video is not None:
            raise UsageError("--out and --per-video exclude each other", "Give one of them.")
