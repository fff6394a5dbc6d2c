"""What a user chooses for a job: one dataclass for the command line, the API and the benchmarks."""

from dataclasses import dataclass, field, fields, replace
from typing import Literal, TypeAlias, get_args

from annotate.domain.choices import one_of
from annotate.domain.errors import UsageError
from annotate.domain.flags import Flag, cutoff_of, seconds_of
from annotate.domain.settings import Hwaccel, Provider, Settings

# Which people the detector searches for: those that fill a good part of the picture, or all.
People: TypeAlias = Literal["near", "all"]
# In how many ways a picture is turned: as it is, or by every quarter turn.
ROTATIONS = (1, 4)
# What models compute in. Packs of 8-bit models are other packs, so a recipe knows two.
Precision: TypeAlias = Literal["float", "bf16", "int8"]
Arithmetic: TypeAlias = Literal["float", "bf16"]
Priority: TypeAlias = Literal["high", "normal", "low"]

# The detector runs on every Nth frame: the best recall for the cost, measured by
# `python -m tests.benchmarks.people`.
DETECT_EVERY: dict[People, int] = {"near": 5, "all": 10}


@dataclass(frozen=True)
class Selection:
    """Which frames of every video are annotated: by default all.

    Attributes:
        start_s, end_s: from this time on, and before that one, as players show it: 0 is where the
            container starts, sound included. None is the video's end.
        every: those whose index is a multiple of it.
        fps: instead, the frames that are shown at each 1 / fps seconds of the video.
        stream: index of a video stream in its container, as ffprobe numbers them; None: the best
            one.
        assume_fps: frames per second of numbered images, and of videos whose time stamps cannot be
            used; None: 30, and the rate that they declare.
    """

    start_s: float = 0.0
    end_s: float | None = None
    every: int = 1
    fps: float | None = None
    stream: int | None = None
    assume_fps: float | None = None

    @property
    def reading(self) -> str:
        """How videos are read, where not in the usual way: part of the name of their index."""
        stream = "" if self.stream is None else f"-stream-{self.stream}"
        return stream + ("" if self.assume_fps is None else f"-{self.assume_fps:g}-fps")


@dataclass(frozen=True)
class SubmitOptions:
    """The choices of one submission; every field is an option of `annotate submit`.

    Attributes:
        people: `near` finds people larger than about a quarter of the picture's longer side, `all`
            small ones too; None picks what suits the model pack.
        detect_every: the detector runs on every Nth frame; None picks what suits `people` and the
            model pack.
        rotations: 4 also looks for people with the picture turned by every quarter turn, who lie
            or are upside down; else 1.
        start, end: annotate from this time of every video on, and before that one, in seconds.
        every: annotate every Nth frame only.
        fps: annotate so many frames a second only.
        stream: annotate the video stream with this index in its container, as ffprobe numbers
            them; None: the best one.
        assume_fps: frames per second of numbered images, and of videos whose time stamps cannot be
            used; None: 30, and the rate that they declare.
        deinterlace: of interlaced frames, annotate the first of their two moments alone.
        smooth: cut-off of the smoother in Hz, or None for no smoothing.
        pack: name of the model pack, or None for the most accurate one that is installed.
        precision: in which numbers the models compute: `float`, `bf16` (bfloat16), or `int8`.
        hwaccel: `auto` decodes in hardware where this host can; None leaves it to the settings.
        provider: what runs the models: one execution provider, so that the poses of all hosts are
            alike; `auto`, what an earlier submission of the same videos ran on, else what this
            host has, or the queue's workers; None leaves it to the settings.
        allow_mixed: let each worker run the models on what it has; the export then says which
            frames are whose.
        priority: of the job's chunks in a queue.
        rehash: read all bytes of videos again that seem unchanged since they were last read.

    Raises:
        UsageError: a value is impossible, or two contradict each other.

    >>> SubmitOptions(people="all", start=90, end=120).selection
    Selection(start_s=90.0, end_s=120.0, every=1, fps=None, stream=None, assume_fps=None)
    """

    people: People | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "Which people to find: `near`, those larger than about a quarter of the picture's "
                "longer side; `all`, small ones too, at several times the cost where the pack has "
                "no detector of whole people. Packs with no other detector find all anyway.",
                default="all where the pack has a detector of whole people, else near",
            )
        },
    )
    detect_every: int | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "Run the detector on every Nth frame; people are tracked in between.",
                metavar="N",
                minimum=1,
                default="5, with `all` people 10; 1 where the pack cannot track",
            )
        },
    )
    rotations: int = field(
        default=1,
        metadata={
            "flag": Flag(
                "4 also finds people who lie or are upside down, with packs that want them upright "
                "(MoveNet): the picture and the crops of new people are turned by every quarter "
                "turn, and the surest pose counts.",
                metavar="1|4",
                minimum=1,
            )
        },
    )
    start: float = field(
        default=0.0,
        metadata={
            "flag": Flag(
                "Begin at this time of every video as a player shows it, e.g. 90 or 1:30.",
                metavar="TIME",
                parse=seconds_of,
            )
        },
    )
    end: float | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "End before this time.", metavar="TIME", default="its end", parse=seconds_of
            )
        },
    )
    every: int = field(
        default=1, metadata={"flag": Flag("Annotate every Nth frame only.", metavar="N", minimum=1)}
    )
    fps: float | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "Annotate this many frames a second only.",
                metavar="NUMBER",
                minimum=0.001,
                default="all",
            )
        },
    )
    stream: int | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "Annotate this stream of every video, as ffprobe numbers them.",
                metavar="N",
                minimum=0,
                default="the best video stream",
            )
        },
    )
    assume_fps: float | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "Frames per second of numbered images, and of videos whose time stamps cannot be "
                "used.",
                metavar="NUMBER",
                minimum=0.1,
                default="30, and the rate that they declare",
            )
        },
    )
    deinterlace: bool = field(
        default=False,
        metadata={"flag": Flag("Of interlaced frames, annotate the first of their two moments.")},
    )
    smooth: float | None = field(
        default=6.0,
        metadata={
            "flag": Flag(
                "Cut-off of the smoother in Hz; lower is smoother, `off` keeps the raw motion.",
                metavar="HZ",
                minimum=0.1,
                parse=cutoff_of,
            )
        },
    )
    pack: str | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "Model pack, see `annotate models list`.",
                metavar="NAME",
                default="the most accurate one that is installed",
            )
        },
    )
    precision: Precision = field(
        default="float",
        metadata={
            "flag": Flag(
                "What the models compute in: `bf16` on CPUs with AVX512_BF16, AMX or Arm's bf16, "
                "`int8` on CPUs with 8-bit dot products (VNNI, Arm's dotprod), about 1.7 times as "
                "fast. It is tried first on frames of the videos; where people move, are lost or "
                "jitter, or nothing is gained, `float` is taken, and why is said."
            )
        },
    )
    hwaccel: Hwaccel | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "Decode in hardware where this host can.", default="ANNOTATE_HWACCEL, or off"
            )
        },
    )
    provider: Provider | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "What runs the models, on all hosts alike.",
                default="ANNOTATE_PROVIDER, or auto: as before, else what the workers have",
            )
        },
    )
    allow_mixed: bool = field(
        default=False,
        metadata={
            "flag": Flag(
                "Let each worker run the models on what it has, CPU, GPU or NPU: their poses "
                "differ a little."
            )
        },
    )
    priority: Priority = field(
        default="normal",
        metadata={"flag": Flag("Workers of a queue take chunks of a higher priority first.")},
    )
    rehash: bool = field(
        default=False,
        metadata={"flag": Flag("Read videos again that seem unchanged by size, inode and times.")},
    )

    def __post_init__(self) -> None:
        if self.people is not None:
            one_of(get_args(People), self.people, "--people")
        one_of(get_args(Priority), self.priority, "--priority")
        one_of(get_args(Precision), self.precision, "--precision")
        if self.hwaccel is not None:
            one_of(get_args(Hwaccel), self.hwaccel, "--hwaccel")
        if self.provider is not None:
            one_of(get_args(Provider), self.provider, "--provider")
        for one in fields(self):
            one.metadata["flag"].check(one.name, getattr(self, one.name))
        if self.rotations not in ROTATIONS:
            raise UsageError(
                f"--rotations cannot be {self.rotations}",
                "Give 4 to find people who lie or are upside down, else 1.",
            )
        if self.fps is not None and self.every != 1:
            raise UsageError("--every and --fps exclude each other", "Give one of them.")
        if self.end is not None and not self.end > self.start:
            raise UsageError(
                f"--end {self.end:g} s is not after --start {self.start:g} s",
                "Check the two times.",
            )

    @property
    def selection(self) -> Selection:
        """The frames to annotate. Equal numbers give equal digests, be they int or float."""
        end = None if self.end is None else float(self.end)
        fps = None if self.fps is None else float(self.fps)
        assume_fps = None if self.assume_fps is None else float(self.assume_fps)
        return Selection(float(self.start), end, self.every, fps, self.stream, assume_fps)

    @property
    def smooth_hz(self) -> float | None:
        """Cut-off of the smoother in Hz as float, or None for no smoothing."""
        return None if self.smooth is None else float(self.smooth)

    def detector_interval(self, people: People, *, can_track: bool) -> int:
        """The detector runs on every Nth frame: this N.

        Args:
            people: that the detector searches for.
            can_track: whether the model pack can track people between those frames.
        """
        return self.detect_every or (DETECT_EVERY[people] if can_track else 1)

    def on_host(self, settings: Settings) -> Settings:
        """The host's settings with what the options say instead."""
        return replace(
            settings,
            hwaccel=self.hwaccel or settings.hwaccel,
            provider=self.provider or settings.provider,
        )
