"""What `annotate draw` draws: the fields are the options of the command line."""

from dataclasses import dataclass, field

from annotate.domain.flags import Flag


@dataclass(frozen=True)
class Look:
    """How the people of a video are drawn.

    Attributes:
        trail: seconds of the trail behind each person; 0 for none.
        blur_faces: heads become unrecognisable; a frame whose people are unknown is blurred whole.
        crop: only this track's person is shown, in the frames that they are in; None for all.
        audio: the sound is copied.
    """

    trail: float = field(
        default=0.0,
        metadata={"flag": Flag("Seconds of trail behind each person.", metavar="S", minimum=0)},
    )
    blur_faces: bool = field(
        default=False, metadata={"flag": Flag("Blur the heads of the people that were found.")}
    )
    crop: int | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "Only this track's person, cut out.",
                metavar="TRACK",
                minimum=1,
                default="everybody",
            )
        },
    )
    audio: bool = field(default=False, metadata={"flag": Flag("Copy the sound, without loss.")})
