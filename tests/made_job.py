"""A job of one video, for tests that run no model."""

from annotate.domain.job import Job, JobVideo, Recipe, Rejected
from annotate.domain.video import Chunk
from tests.made_poses import FINGERPRINT

RECIPE = Recipe("blazepose-full", "00" * 32)
VIDEO = JobVideo("walk.mp4", FINGERPRINT, "media", "videos/walk.mp4")
JOB = Job(
    id="20260102-030405-abcdef",
    recipe=RECIPE,
    smooth_hz=6.0,
    videos=(VIDEO,),
    rejected=(Rejected("videos/notes.txt", "no video"),),
)
CHUNK = Chunk(0, 4)
