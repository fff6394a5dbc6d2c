"""How many edits of the review page make a video right.

    python -m tests.benchmarks.mend [--folder FOLDER] [--packs PACKS] [--data DATA]

The three scenes of `tests.benchmarks.tracking`, set 6, with the lowest IDF1, and `two_people.mp4`
of DATA are annotated by `blazepose-full` with `--people all`; then a scripted reviewer
(`tests.scripted_reviewer`) edits the tracks until IDF1, as `tests.benchmarks.tracking` measures it,
is 1. Nobody labelled `two_people.mp4`: its truth are the tracks that `movenet-thunder` gives, whose
models and person detector are others, of the two people who are in every frame. PACKS has both
packs. With `--folder` videos and parts stay there for the next run.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import orjson

from annotate.domain.export_options import ExportOptions
from annotate.domain.job import Job
from annotate.domain.options import SubmitOptions
from annotate.domain.settings import Settings, settings_from
from annotate.evaluate import GroundTruth, read_truth
from annotate.queue.run_job import work_here
from annotate.review.session import Session
from annotate.store import Store, open_store
from annotate.use_cases.export import export
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.submit import submit
from tests.benchmarks.tracking import counted_truth, film
from tests.benchmarks.tracking_scenes import scene_set
from tests.compared_tracks import Compared, compared
from tests.scripted_reviewer import ScriptedReviewer

SET = 6
# Those with the lowest IDF1 in docs/accuracy.md.
WORST = ("2 side by side, 1 against them", "3 come and go in depth", "5 cross at all angles")
PACK, OTHER_PACK = "blazepose-full", "movenet-thunder"
ACTIONS = (
    *("swap ids", "split", "merge", "delete", "add a person", "fill", "look again"),
    "drag a keypoint",
)
PROCESSES = 2


@dataclass(frozen=True)
class Mended:
    """A video before and after its edits.

    Attributes:
        name: of the scene.
        before, after: IDF1.
        actions: how many requests of each of `ACTIONS` were made.
        left: frames in which a person still lacks a right pose.
    """

    name: str
    before: float
    after: float
    actions: tuple[int, ...]
    left: int

    @property
    def row(self) -> str:
        """Of the table."""
        cells = [f"{self.before:.3f}", *map(str, self.actions), f"**{sum(self.actions)}**"]
        return f"| {self.name} | {' | '.join(cells)} | {self.after:.3f} | {self.left} |"


def annotated(store: Store, settings: Settings, videos: list[Path], pack: str) -> Job:
    """A finished job of the videos; parts that stand are not made again."""
    options = SubmitOptions(people="all", pack=pack)
    job = submit(store, FoundVideos(tuple(videos)), options, settings, workers=PROCESSES)
    work_here(store, job, settings, PROCESSES, lambda _status: None)
    return job


def answer_of(store: Store, job: Job, number: int, out: Path) -> Path:
    """The export of one video of a job, with the track ids that edits know."""
    export(store, job, ExportOptions(out=out, video=(job.videos[number].name,), force=True))
    content = orjson.loads(out.read_bytes())
    for one in content["annotations"]:
        one["track_id"] = one["video_track_id"]
    out.write_bytes(orjson.dumps(content))
    return out


def of_other_pack(store: Store, job: Job, out: Path) -> Path:
    """The tracks of the job's only video that are in every frame, as truth."""
    content = orjson.loads(answer_of(store, job, 0, out).read_bytes())
    tracks = [one["track_id"] for one in content["annotations"]]
    ids, frames = np.unique(tracks, return_counts=True)
    always = set(ids[frames == len(content["images"])].tolist())
    content["annotations"] = [
        {**one, "keypoints": one["keypoints"]}
        if one["track_id"] in always
        else {**one, "keypoints": [0] * 51, "num_keypoints": 0}
        for one in content["annotations"]
    ]
    out.write_bytes(orjson.dumps(content))
    return out


def mended(session: Session, number: int, truth: GroundTruth, store: Store, out: Path) -> Mended:
    """Brings one video of a session to the truth."""

    def look() -> Compared:
        return compared(truth, answer_of(store, session.job, number, out))

    before = look().idf1
    reviewer = ScriptedReviewer(session, number, truth, look)
    after = reviewer.mend()
    right = after.right.any(axis=2)
    actions = tuple(reviewer.actions[name] for name in ACTIONS)
    left = int((after.there & ~right).sum())
    return Mended(session.job.videos[number].name, before, after.idf1, actions, left)


def rows(folder: Path, data: Path, settings: Settings) -> Iterator[Mended]:
    """All of them."""
    scenes = [case for case in scene_set(SET) if case.name in WORST]
    videos = [film(case, folder) for case in scenes]
    real = data / "videos" / "two_people.mp4"
    store = open_store(settings.store)
    job = annotated(store, settings, [*videos, real], PACK)
    truths = []
    for video in videos:
        truths.append(folder / f"{video.stem}.truth.json")
        truths[-1].write_bytes(orjson.dumps(counted_truth(video)))
    other = annotated(store, settings, [real], OTHER_PACK)
    truths.append(of_other_pack(store, other, folder / "two_people.truth.json"))
    with tempfile.TemporaryDirectory() as scratch:
        # Of the store itself, the next run wants the tracks without edits.
        shutil.copytree(folder / "store", Path(scratch) / "store")
        store = open_store(str(Path(scratch) / "store"))
        session = Session(store, settings, job)
        mend = partial(mended, session, store=store, out=Path(scratch) / "answer.json")
        for number, truth in enumerate(truths):
            yield mend(number=number, truth=read_truth(truth))
        session.close()


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("--folder", type=Path, help="for videos and parts, to be used again")
    parser.add_argument("--packs", type=Path, default=settings_from().packs)
    parser.add_argument("--data", type=Path, default=beside)
    arguments = parser.parse_args()
    print(f"| scene | IDF1 | {' | '.join(ACTIONS)} | all | IDF1 after | frames left |")
    print("|---|" + "---|" * (len(ACTIONS) + 4))
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        environ = {**os.environ, "ANNOTATE_PACKS": str(arguments.packs)}
        settings = settings_from(environ, store=str(folder / "store"))
        for one in rows(folder, arguments.data, settings):
            print(one.row, flush=True)


if __name__ == "__main__":
    main()
