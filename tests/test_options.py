"""What a user may choose for a job, from Python and on the command line."""

import pytest
import typer
from typer.testing import CliRunner

from annotate.cli.options import with_options
from annotate.domain.errors import UsageError
from annotate.domain.options import Selection, SubmitOptions
from annotate.domain.settings import settings_from


def on_the_command_line(*arguments: str) -> SubmitOptions:
    """The options that a command gets from these arguments."""
    got: list[SubmitOptions] = []
    app = typer.Typer()

    @app.command()
    @with_options(SubmitOptions)
    def command(name: str, options: SubmitOptions) -> None:
        assert name == "walk"
        got.append(options)

    CliRunner().invoke(app, ["walk", *arguments], catch_exceptions=False)
    return got[0]


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], SubmitOptions()),
        (["--people", "all"], SubmitOptions(people="all")),
        (["--detect-every", "3"], SubmitOptions(detect_every=3)),
        (["--rotations", "4"], SubmitOptions(rotations=4)),
        (["--start", "1:30", "--end", "0:02:00.5"], SubmitOptions(start=90.0, end=120.5)),
        (["--every", "4"], SubmitOptions(every=4)),
        (["--fps", "7.5"], SubmitOptions(fps=7.5)),
        (["--smooth", "off"], SubmitOptions(smooth=None)),
        (["--smooth", "7.5"], SubmitOptions(smooth=7.5)),
        (["--pack", "mine"], SubmitOptions(pack="mine")),
        (["--hwaccel", "auto"], SubmitOptions(hwaccel="auto")),
        (["--priority", "low"], SubmitOptions(priority="low")),
    ],
    ids=lambda value: " ".join(value) or "none" if isinstance(value, list) else "",
)
def test_command_line_options_are_the_fields(arguments: list[str], options: SubmitOptions) -> None:
    assert on_the_command_line(*arguments) == options


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"people": "al"}, "--people: 'al' is not one of: near, all"),
        ({"priority": "urgent"}, "--priority: 'urgent' is not one of: high, normal, low"),
        ({"hwaccel": "gpu"}, "--hwaccel: 'gpu' is not one of: off, auto"),
        ({"every": 0}, "--every cannot be 0"),
        ({"detect_every": 0}, "--detect-every cannot be 0"),
        ({"rotations": 0}, "--rotations cannot be 0"),
        ({"rotations": 2}, "--rotations cannot be 2"),
        ({"fps": 0.0}, "--fps cannot be 0.0"),
        ({"smooth": 0}, "--smooth cannot be 0"),
        ({"smooth": float("nan")}, "--smooth cannot be nan"),
        ({"smooth": float("inf")}, "--smooth cannot be inf"),
        ({"start": 2, "end": 1}, "--end 1 s is not after --start 2 s"),
        ({"every": 2, "fps": 5.0}, "--every and --fps exclude each other"),
    ],
    ids=str,
)
def test_impossible_choices_are_refused(choices: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        SubmitOptions(**choices)  # type: ignore[arg-type]  # as an untyped script would
    assert raised.value.message == message


def test_a_near_miss_gets_a_suggestion() -> None:
    with pytest.raises(UsageError) as raised:
        SubmitOptions(priority="hihg")  # type: ignore[arg-type]
    assert raised.value.hint == "Did you mean high?"


def test_whole_numbers_and_floats_make_the_same_job() -> None:
    """Digests are made of JSON, where 6 and 6.0 differ."""
    whole = SubmitOptions(start=1, end=2, fps=3, smooth=6)
    assert repr(whole.selection) == repr(Selection(1.0, 2.0, 1, 3.0))
    assert repr(whole.smooth_hz) == "6.0"


@pytest.mark.parametrize(
    ("options", "can_track", "interval"),
    [
        (SubmitOptions(), True, 5),
        (SubmitOptions(people="all"), True, 10),
        (SubmitOptions(people="all"), False, 1),
        (SubmitOptions(detect_every=3), True, 3),
        (SubmitOptions(detect_every=3), False, 3),
    ],
    ids=["near", "all", "a pack that cannot track", "chosen", "chosen, cannot track"],
)
def test_interval_of_the_detector(options: SubmitOptions, can_track: bool, interval: int) -> None:
    assert options.detector_interval(options.people or "near", can_track=can_track) == interval


def test_hardware_decoding_of_the_options_goes_before_that_of_the_host() -> None:
    host = settings_from({"ANNOTATE_HWACCEL": "auto"})
    assert SubmitOptions().on_host(host).hwaccel == "auto"
    assert SubmitOptions(hwaccel="off").on_host(host).hwaccel == "off"
