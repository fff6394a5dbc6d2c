"""MediaPipe's own mode sees exact RGB; every other mode samples the decoder's planes."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from annotate.domain.options import People, SubmitOptions
from annotate.domain.pack import read_pack
from annotate.domain.picture import Picture
from annotate.domain.poses import Poses
from annotate.domain.settings import settings_from
from annotate.domain.video import AnyFrame, Frame, VideoIndex
from annotate.domain.work import WorkUnit
from annotate.numeric.plane_picture import PlanePicture
from annotate.numeric.rgb_picture import RgbPicture
from annotate.pipeline import PoseEstimator
from annotate.store import open_store
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.run_chunk import run_chunk
from annotate.use_cases.submit import submit
from tests.made_films import film
from tests.made_models import fakes


class Noting(PoseEstimator):
    """Notes the kinds of pictures that it gets."""

    kinds: set[type[Picture]]

    def run(
        self,
        frames: Iterable[AnyFrame],
        index: VideoIndex,
        *,
        first: int | None = None,
        crowded: list[int] | None = None,
    ) -> Poses:
        self.kinds = set()
        return super().run(self._noted(frames), index, first=first, crowded=crowded)

    def _noted(self, frames: Iterable[AnyFrame]) -> Iterator[AnyFrame]:
        for frame in frames:
            assert isinstance(frame, Frame)
            self.kinds.add(type(frame.picture))
            yield frame


@pytest.mark.parametrize(
    ("people", "every", "kind"),
    [
        ("near", 1, RgbPicture),
        ("near", 5, PlanePicture),
        ("all", 1, PlanePicture),
        ("all", 5, PlanePicture),
    ],
)
def test_only_mediapipes_own_mode_needs_exact_rgb(
    people: People, every: int, kind: type[Picture], tmp_path: Path, blazepose_pack: Path
) -> None:
    path = film(tmp_path / "film.mp4", [(160, 120)])
    where = settings_from({"ANNOTATE_PACKS": str(blazepose_pack.parent)}, store=str(tmp_path / "s"))
    store = open_store(where.store)
    options = SubmitOptions(people=people, detect_every=every, pack=blazepose_pack.name)
    job = submit(store, FoundVideos((path,)), options, where, workers=1)
    (video,) = job.videos
    (chunk,) = store.results(job.recipe, video).read_chunks() or []
    pipeline = Noting(fakes(read_pack(blazepose_pack)), people=people, detect_every=every)
    run_chunk(store, WorkUnit(job, video, chunk), where, lambda: pipeline, store)
    assert pipeline.kinds == {kind}
