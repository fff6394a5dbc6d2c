"""A case of the gallery: how its file is made, and what must come of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from PIL import Image

from tests.gallery import names
from tests.gallery.damage import cut_off
from tests.gallery.person import SIZE, person
from tests.made_videos import Layout, Made, h264

Outcome = Literal["done", "damaged", "rejected", "any"]
# Of frames that show a person, the share that must have one.
PEOPLE_SHARE = 0.8


@dataclass(frozen=True)
class Answer:
    """What must come of a file.

    Attributes:
        outcome: `done`, every frame; `damaged`, it is annotated and what is missing is said;
            `rejected`, with a reason; `any` of them, as long as nothing is lost in silence.
        frames: how many frames the sound video has; None takes those that PyAV decodes.
        size: width and height of the displayed picture in pixels; None where nothing is shown.
        people: whether a person is found in most frames; None where that is of no matter.
    """

    outcome: Outcome
    frames: int | None = None
    size: tuple[int, int] | None = None
    people: bool | None = None


@dataclass(frozen=True)
class Case:
    """A file: how it is made in an empty folder, and what must come of it.

    Attributes:
        make: makes it in a folder.
        answer: what must come of it.
        during: what happens to it once it is read and before all of it is annotated.
    """

    make: Callable[[Path], Path]
    answer: Answer
    during: Callable[[Path], None] | None = None


def sound(layout: Layout) -> Case:
    """A video that is whole: every frame is annotated, in its size."""
    shown = replace(layout, paint=person)

    def make(folder: Path) -> Path:
        return shown.make(folder / f"video{layout.suffix}").path

    # Reworked files show fewer frames than were made: PyAV tells how many.
    frames = layout.frames if layout.rework is None else None
    large = min(layout.size) >= min(SIZE)
    return Case(make, Answer("done", frames, layout.size, people=True if large else None))


def spoiled(layout: Layout, spoil: Callable[[Path], None], outcome: Outcome) -> Case:
    """A video with damage."""

    def make(folder: Path) -> Path:
        path = replace(layout, paint=person).make(folder / f"video{layout.suffix}").path
        spoil(path)
        return path

    return Case(make, Answer(outcome, layout.frames, layout.size))


def cut_anywhere(share: float) -> Case:
    """A transport stream of which the first part is left: as many frames as PyAV finds."""
    case = spoiled(small(".ts", frames=48), partial(cut_off, share=share), "any")
    return replace(case, answer=Answer("any", size=SIZE))


def named(name: str | bytes) -> Case:
    """A sound video of that name."""
    layout = replace(SMALL, frames=6, paint=person)

    def make(folder: Path) -> Path:
        made: Made = layout.make(folder / "video.mp4")
        return names.renamed(made.path, name)

    return Case(make, Answer("done", 6, layout.size, people=True))


def changed(change: Callable[[Path], None]) -> Case:
    """A video that changes while it is annotated."""
    layout = replace(SMALL, frames=CHANGED_FRAMES, paint=person)

    def make(folder: Path) -> Path:
        return layout.make(folder / "video.mp4").path

    return Case(make, Answer("any", CHANGED_FRAMES), during=change)


# So many that annotating them takes some seconds.
CHANGED_FRAMES = 150
small = partial(h264, size=SIZE, frames=24)
SMALL = small(".mp4")


def coded(suffix: str, codec: str, pix_fmt: str = "yuv420p", **more: object) -> Case:
    """A sound video of that codec; `more` are fields of its `Layout`."""
    options = {"size": SIZE, "frames": 12, **more}
    return sound(Layout(suffix, codec=codec, pix_fmt=pix_fmt, **options))  # type: ignore[arg-type]


def joined_images(make: Callable[[list[Image.Image], Path], Path], frames: int = 12) -> Case:
    """Images, all of them frames of one video."""

    def made(folder: Path) -> Path:
        return make([Image.fromarray(person(number, *SIZE)) for number in range(frames)], folder)

    return Case(made, Answer("done", frames, SIZE, people=True))


def x264(**parameters: str | int) -> dict[str, str]:
    """Options of a `Layout` for the encoder's own parameters."""
    text = ":".join(f"{name.replace('_', '-')}={value}" for name, value in parameters.items())
    return {"x264-params": text}


def animation(shown: list[Image.Image], path: Path) -> Path:
    """Images as one animated file."""
    shown[0].save(path, save_all=True, append_images=shown[1:], duration=40)
    return path


def numbered(shown: list[Image.Image], folder: Path, suffix: str) -> Path:
    """Images as files of a folder that are named by their numbers."""
    folder.mkdir()
    for number, image in enumerate(shown):
        image.save(folder / f"{number:05d}{suffix}")
    return folder
