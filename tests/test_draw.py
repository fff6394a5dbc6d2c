"""`annotate draw`: the people of a video in a copy of it."""

import resource
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.errors import UsageError, VideoError
from annotate.domain.look import Look
from annotate.domain.options import SubmitOptions
from annotate.render.faces import blur_all, blur_faces
from annotate.video import VideoWriter, probe
from annotate.video.sound import Sound
from tests.command import Host
from tests.gallery.damage import zero_packet
from tests.made_drawings import Annotated, annotated, frames_of, sound_of, tracks_in
from tests.made_videos import FPS, FRAMES, Layout, number_of

SIZE = (320, 240)
# Times in an MP4 of a source with milliseconds, and its own first edit, in seconds.
TIME_TOLERANCE_S = 0.0001


def strongly_changed(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    """How many pixels differ by more than lossy coding does."""
    luma = (one.astype(int) - other) @ [0.299, 0.587, 0.114]
    return int((np.abs(luma) > 60).sum())


LAYOUTS: Mapping[str, Layout] = {
    "variable frame rate": Layout(
        ".mkv", size=SIZE, times=lambda n: 2 * n + n // 7 * 5 + n % 2, sound_s=FRAMES / FPS
    ),
    "rotated": Layout(".mp4", size=SIZE, rotation=90, sound_s=FRAMES / FPS),
    "B-frames": Layout(".mp4", size=SIZE, b_frames=2, sound_s=FRAMES / FPS),
    "odd sides": Layout(".mkv", size=(321, 241), codec="ffv1", pix_fmt="bgr0"),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_drawing_has_the_frames_times_and_sound_of_its_source(
    layout: Layout, blazepose_pack: Path, tmp_path: Path
) -> None:
    source = layout.make(tmp_path / f"film{layout.suffix}").path
    made = annotated(source, blazepose_pack, range(10, 40))
    target = made.drawing().write_video(tmp_path / "out", Look(audio=True))
    assert target == tmp_path / "out" / "film.drawn.mp4"
    old, new = probe(source), probe(target)
    assert len(new) == len(old)
    np.testing.assert_allclose(new.player_s, old.player_s, atol=TIME_TOLERANCE_S)
    assert (new.width, new.height) == (old.width + old.width % 2, old.height + old.height % 2)
    drawn, frames = frames_of(target), frames_of(source)
    assert [number_of(rgb) for rgb in drawn] == [number_of(rgb) for rgb in frames]
    changed = [
        strongly_changed(ours[: old.height, : old.width], theirs) > 50
        for ours, theirs in zip(drawn, frames, strict=True)
    ]
    assert changed == [10 <= number < 40 for number in range(len(frames))]
    if layout.sound_s:
        ours, theirs = sound_of(target), sound_of(source)
        assert [packet for _, packet in ours] == [packet for _, packet in theirs]
        np.testing.assert_allclose(
            [time_s for time_s, _ in ours], [time_s for time_s, _ in theirs], atol=0.001
        )


def samples_of(path: Path) -> NDArray[np.int32]:
    """What one hears, in 32 bits, as PyAV decodes it."""
    resampler = av.AudioResampler(format="s32", layout="mono")
    with av.open(str(path)) as container:
        frames = [one for frame in container.decode(audio=0) for one in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


@pytest.mark.parametrize(
    ("suffix", "codec", "form"),
    [(".avi", "pcm_mulaw", ""), (".avi", "adpcm_ms", ""), (".mkv", "wavpack", "s32p")],
)
def test_sound_that_mp4_cannot_hold_is_heard_as_before(
    suffix: str, codec: str, form: str, blazepose_pack: Path, tmp_path: Path
) -> None:
    silent = Layout(suffix, codec="mpeg4", sound_s=FRAMES / FPS, sound_codec=codec)
    layout = replace(silent, sound_format=form, loudness=0.5)
    path = layout.make(tmp_path / f"film{suffix}").path
    made = annotated(path, blazepose_pack, range(10, 12))
    target = made.drawing().write_video(tmp_path / "out", Look(audio=True))
    heard = samples_of(made.path)
    assert np.abs(heard).max() > 2**29
    assert not form or (heard & 0xFF00).any(), "more than 16 bits"
    np.testing.assert_array_equal(samples_of(target), heard)
    assert sound_of(target)[0][0] == pytest.approx(sound_of(made.path)[0][0], abs=0.001)


def test_a_pause_of_the_sound_is_kept(tmp_path: Path) -> None:
    """Samples that are encoded anew are counted; here none come for a second."""
    layout = Layout(".mkv", codec="mpeg4", sound_s=2, sound_codec="pcm_u8")
    source, paused = layout.make(tmp_path / "film.mkv").path, tmp_path / "paused.mkv"
    with av.open(str(source)) as old, av.open(str(paused), "w") as new:
        streams = [new.add_stream_from_template(one) for one in old.streams]
        for packet in old.demux():
            if packet.size and packet.pts is not None and packet.time_base is not None:
                if packet.stream.type == "audio" and packet.pts * packet.time_base > 1:
                    packet.pts += round(1 / packet.time_base)
                    packet.dts = packet.pts
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    target = tmp_path / "out.mp4"
    with Sound(paused, 0.0) as sound, VideoWriter(target, sound=sound) as video:
        for number in range(FRAMES):
            video.write(np.zeros((64, 64, 3), np.uint8), number / FPS)
    times_s = [time_s for time_s, _ in sound_of(target)]
    assert np.diff(times_s).max() == pytest.approx(1.05, abs=0.05)  # and a packet


def test_one_drawing_gets_the_name_that_is_given(blazepose_pack: Path, tmp_path: Path) -> None:
    made = annotated(film(tmp_path), blazepose_pack, range(10, 12))
    drawing, mine = made.drawing(), tmp_path / "mine.mp4"
    mine.write_bytes(b"another film")
    with pytest.raises(UsageError, match="exists"):
        drawing.write_video(mine, Look())
    assert drawing.write_video(mine, Look(), force=True) == mine
    assert len(probe(mine)) == FRAMES
    with pytest.raises(UsageError, match="is the video itself"):
        drawing.write_video(made.path, Look(), force=True)
    assert drawing.write_still(tmp_path / "mine.png", 5, Look()) == tmp_path / "mine.png"
    with pytest.raises(UsageError, match=r"cannot be written as \.mp4"):
        drawing.write_still(mine, 5, Look(), force=True)
    made.path.unlink()  # the name is looked at before the video
    with pytest.raises(UsageError, match=r"cannot be written as \.avi"):
        drawing.write_video(tmp_path / "mine.avi", Look())


def test_memory_does_not_grow_with_the_video(blazepose_pack: Path, tmp_path: Path) -> None:
    peaks = []
    for frames in (200, 2000):
        layout = Layout(".mp4", size=(160, 120), frames=frames, options={"preset": "ultrafast"})
        folder = tmp_path / str(frames)
        folder.mkdir()
        made = annotated(layout.make(folder / "film.mp4").path, blazepose_pack, range(frames))
        made.drawing().write_video(folder, Look(trail=1.0))
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    assert peaks[1] - peaks[0] < 20, "MiB more for ten times as many frames"


def film(tmp_path: Path) -> Path:
    return Layout(".mkv", size=SIZE, codec="ffv1", pix_fmt="bgr0").make(tmp_path / "film.mkv").path


def test_heads_are_blurred_and_nothing_else() -> None:
    noise = np.random.default_rng(2).integers(0, 255, (240, 320, 3), np.uint8)
    keypoints = tracks_in(np.zeros(1), np.zeros(1, np.int64)).smoothed[:, :17, :2].copy()
    keypoints[0, :5] = [[200, 90], [204, 86], [196, 86], [208, 88], [192, 88]]
    blurred = blur_faces(noise, keypoints)
    assert detail_of(blurred[82:96, 192:208]) < 0.2 * detail_of(noise)
    assert (blurred[:60] == noise[:60]).all()
    assert (blurred[130:] == noise[130:]).all()


def test_of_a_frame_whose_people_are_unknown_nothing_is_recognised(
    blazepose_pack: Path, tmp_path: Path
) -> None:
    source = film(tmp_path)
    made = annotated(source, blazepose_pack, range(20, 40), SubmitOptions(every=2))
    unknown = still(made, 31, Look(blur_faces=True))
    np.testing.assert_array_equal(unknown[:60], blur_all(frames_of(source)[31])[:60])
    noise = np.random.default_rng(2).integers(0, 255, (240, 320, 3), np.uint8)
    assert detail_of(blur_all(noise)) < 0.05 * detail_of(noise)


def still(made: Annotated, frame: int, look: Look) -> NDArray[np.uint8]:
    picture = cv2.imread(str(made.drawing().write_still(made.path.parent, frame, look)))
    assert picture is not None
    return np.asarray(picture[:, :, ::-1], np.uint8)


def detail_of(rgb: NDArray[np.uint8]) -> float:
    """Mean difference of neighbouring pixels."""
    return float(np.abs(np.diff(rgb.astype(int), axis=1)).mean())


def test_a_crop_follows_one_person_while_they_are_there(
    blazepose_pack: Path, tmp_path: Path
) -> None:
    made = annotated(film(tmp_path), blazepose_pack, range(20, 40))
    target = made.drawing().write_video(tmp_path, Look(crop=1))
    index = probe(target)
    assert target.name == "film.track1.mp4"
    assert (len(index), index.width, index.height) == (20, 66, 154)
    np.testing.assert_allclose(index.time_s, np.arange(20) / 25, atol=TIME_TOLERANCE_S)
    with pytest.raises(UsageError, match="no track 7"):
        made.drawing().write_video(tmp_path, Look(crop=7))


def test_the_command_draws_what_is_named(host: Host, stroll: Path, tmp_path: Path) -> None:
    host.run("submit", stroll)
    host.run("draw", "stroll.mp4", "--trail", "1", "--out", tmp_path / "drawn")
    assert len(probe(tmp_path / "drawn" / "stroll.drawn.mp4")) == 60
    host.run("draw", "--frame", "5", "--out", tmp_path / "drawn")
    picture = cv2.imread(str(tmp_path / "drawn" / "stroll.frame5.png"))
    assert picture is not None
    (colourful,) = np.nonzero(np.ptp(picture.reshape(-1, 3), axis=1) > 180)
    assert len(colourful) > 100, "two people are drawn in strong colours"


def test_damaged_frames_are_left_out_and_a_still_of_one_is_refused(
    tmp_path: Path, blazepose_pack: Path
) -> None:
    path = Layout(".mp4", size=SIZE).make(tmp_path / "video.mp4").path
    zero_packet(path, number=18)
    made = annotated(path, blazepose_pack, range(10))
    drawn = made.drawing().write_video(tmp_path, Look())
    with av.open(str(drawn)) as container:
        pictures = [frame.to_rgb().to_ndarray() for frame in container.decode(video=0)]
    shown = [number_of(np.asarray(picture, np.uint8)) for picture in pictures]
    damaged = sorted(set(range(50)) - set(shown))
    assert 18 in damaged
    assert len(damaged) <= 12, "at most the rest of the frames between two keyframes"
    with pytest.raises(VideoError, match=r"frame 18 of .* is damaged"):
        made.drawing().write_still(tmp_path, 18, Look())
