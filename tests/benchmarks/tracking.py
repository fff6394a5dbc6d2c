"""How well people keep their identity, on made scenes whose truth is known.

    python -m tests.benchmarks.tracking [--folder FOLDER] [--people near] [--set 0] [--scenes 0:4]

The scenes are rendered to videos and go through the whole program: submit, detector, landmarks,
merge, export. With `--folder` the videos and the parts stay there, and the next run repeats
only the merge and what follows it. The first run takes about fifteen minutes of one core; with
`--scenes`, which takes some of a set, it can be spread over several. The models are those of
`blazepose-full`, or of `--pack`.

The thresholds and rules of the pipeline and the merge were chosen on the sets 0 to 5 of scenes;
set 6, with other people of the same kinds, had no part in that, nor have those of higher numbers.

A person counts in the frames that show half of them or more, at least 6 of their 17 keypoints, and
cut off at most the legs. Elsewhere neither the person nor a pose on them counts, but the id must be
the same when the person is back. A pose matches a person from OKS 0.5 on.
"""

import argparse
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import astuple
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import orjson

from annotate.domain.export_options import ExportOptions
from annotate.domain.job import Job
from annotate.domain.options import People, SubmitOptions
from annotate.domain.settings import settings_from
from annotate.evaluate import match_poses, read_predictions, read_truth
from annotate.evaluate.tracking import Tracking, measure_tracking
from annotate.queue.run_job import work_here
from annotate.store import Store, open_store
from annotate.synthetic import Scene, truth_to_coco
from annotate.synthetic.film import render_video
from annotate.use_cases.export import export
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.submit import submit
from annotate.video.writer import Encoding
from tests.benchmarks.tracking_scenes import Case, scene_set

LEAST_INSIDE = 12
LEAST_KEYPOINTS = 6
LEAST_SHARE = 0.5
PROCESSES = 2


def film(case: Case, folder: Path) -> Path:
    """The case's video, rendered unless the folder has the same scene already."""
    digest = hashlib.sha256(repr(case.scene).encode()).hexdigest()[:8]
    video = folder / f"{case.name.replace(', ', '-').replace(' ', '-')}.{digest}.mp4"
    if not video.exists():
        known = render_video(case.scene, video, Encoding(fps=_fps(case.scene)))
        content = truth_to_coco(known, video.name)
        video.with_suffix(".json").write_bytes(orjson.dumps(content))
    return video


def _fps(scene: Scene) -> Fraction:
    return Fraction(round((len(scene) - 1) / scene.times_s[-1]))


def counted_truth(video: Path) -> dict[str, Any]:
    """The truth of a video; who is hidden or cut off stays as a box without keypoints."""
    content: dict[str, Any] = orjson.loads(video.with_suffix(".json").read_bytes())
    for annotation in content["annotations"]:
        v = annotation["keypoints"][2::3]
        cut_off = len(v) - v.count(0) < LEAST_INSIDE
        if cut_off or v.count(2) < LEAST_KEYPOINTS or annotation["visible_share"] < LEAST_SHARE:
            annotation |= {"keypoints": [0] * 51, "num_keypoints": 0}
    return content


def tracked(videos: list[Path], folder: Path, people: People, pack: str) -> Path:
    """The program's answer for all videos, as a COCO file. Parts that stand are not made again."""
    settings = settings_from(store=str(folder / "store"))
    store = open_store(settings.store)
    options = SubmitOptions(people=people, pack=pack)
    job = submit(store, FoundVideos(tuple(videos)), options, settings, workers=PROCESSES)
    _forget_tracks(store, job)
    work_here(store, job, settings, PROCESSES, lambda _status: None)
    out = folder / f"{people}.json"
    export(store, job, ExportOptions(out=out))
    return out


def _forget_tracks(store: Store, job: Job) -> None:
    for video in job.videos:
        store.results(job.recipe, video).delete_tracks(job.merge_digest)


def joined(truths: list[dict[str, Any]]) -> dict[str, Any]:
    """The truths of all videos as one."""
    whole: dict[str, Any] = {**truths[0], "images": [], "annotations": []}
    for number, content in enumerate(truths, start=1):
        shift = len(whole["images"])
        whole["images"] += [
            {**image, "id": image["id"] + shift, "video_id": number} for image in content["images"]
        ]
        whole["annotations"] += [
            {**annotation, "image_id": annotation["image_id"] + shift}
            for annotation in content["annotations"]
        ]
    return whole


def measured(answer: Path, truth: dict[str, Any], folder: Path) -> Tracking:
    """The figures of one truth."""
    file = folder / "truth.json"
    file.write_bytes(orjson.dumps(truth))
    known = read_truth(file)
    poses = read_predictions(answer, known).poses
    figures = measure_tracking(known, poses, match_poses(known, poses))
    assert figures is not None, "no person was tracked"
    return figures


def table(
    scenes: tuple[Case, ...], videos: list[Path], answer: Path, folder: Path
) -> Iterator[str]:
    """A line a scene, and one for all."""
    yield f"{'scene':<40} | frames | IDF1  | switches | tracks of people | HOTA  | MOTA"
    truths = [counted_truth(video) for video in videos]
    for case, truth in zip(scenes, truths, strict=True):
        yield _line(case.name, len(case.scene), measured(answer, truth, folder))
    frames = sum(len(case.scene) for case in scenes)
    yield _line("all", frames, measured(answer, joined(truths), folder))


def _line(name: str, frames: int, figures: Tracking) -> str:
    people, tracks, mota, idf1, switches, hota, *_ = astuple(figures)
    return (
        f"{name:<40} | {frames:6} | {idf1:.3f} | {switches:8} | {tracks:6} of {people:6} "
        f"| {hota:.3f} | {mota:.3f}"
    )


def _places(text: str) -> slice:
    """The slice that a text such as `0:4` means."""
    first, last = text.split(":")
    return slice(int(first or 0), int(last) if last else None)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="for videos and parts, to be used again")
    parser.add_argument("--people", choices=get_args(People), default="all")
    parser.add_argument("--set", type=int, default=0, help="of scenes")
    parser.add_argument("--scenes", type=_places, default=slice(None), help="of the set, as 0:4")
    parser.add_argument("--pack", default="blazepose-full")
    arguments = parser.parse_args()
    scenes = scene_set(arguments.set)[arguments.scenes]
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        videos = [film(case, folder) for case in scenes]
        answer = tracked(videos, folder, arguments.people, arguments.pack)
        for line in table(scenes, videos, answer, folder):
            print(line)


if __name__ == "__main__":
    main()
