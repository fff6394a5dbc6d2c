"""A job: its videos and its recipe, as the store keeps them in the job's manifest.

A manifest is written once and never changed. Its digest is in every message, so that a worker
refuses a job whose manifest was altered.
"""

import json
import re
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import PureWindowsPath
from typing import Any

from annotate.domain.digests import digest_of
from annotate.domain.errors import ManifestError, UnknownWorkError
from annotate.domain.json_text import parsed
from annotate.domain.merge_settings import MergeSettings
from annotate.domain.options import Arithmetic, People, Priority, Selection
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.runs_on import CPU

# Of this version's pipeline: parts that were made with other thresholds or code do not count as
# done.
PIPELINE_DIGEST = PipelineSettings().digest
# Of this version's merge: likewise for tracks.
MERGE_DIGEST = MergeSettings().digest

# Roots of videos that are not on a share: those whose bytes are in the store (their path is empty),
# those that only the host which submitted them can read (their path is absolute), and those in a
# bucket (their path is its name and the object's key).
STORED, HERE, BUCKET = ".store", ".here", ".bucket"

# What to do about a manifest that cannot be read.
NOT_A_MANIFEST = (
    "It was written by another version or is damaged; submit the videos again. `annotate check "
    "--repair` sets a damaged one aside."
)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Recipe:
    """All that can change a part: results are filed under its digest.

    Attributes:
        pack_name: name of the model pack, for display; not part of the digest.
        pack: digest of the model pack.
        people: which people are annotated: `near` or `all`.
        detect_every: the detector runs on every N-th frame.
        selection: the frames that are annotated.
        pipeline: digest of the `PipelineSettings` of the version that submitted the job.
        deinterlace: of interlaced frames, the first of their two moments is annotated.
        rotations: in how many ways the picture, and the crop of a new person, are turned.
        precision: what the models compute in: `float`, or `bf16`. 8-bit models are another pack.
        runs_on: what the models run on: one of `annotate.domain.runs_on.PLACES`, or `mixed`.
    """

    pack_name: str
    pack: str
    people: People = "near"
    detect_every: int = 1
    selection: Selection = field(default_factory=Selection)
    pipeline: str = PIPELINE_DIGEST
    deinterlace: bool = False
    rotations: int = 1
    precision: Arithmetic = "float"
    runs_on: str = CPU

    @cached_property
    def digest(self) -> str:
        """16 hex digits of everything but the pack's name."""
        fields = {**asdict(self), "pack_name": ""}
        # Recipes of before there was a choice keep their digest.
        if not self.deinterlace:
            del fields["deinterlace"]
        if self.rotations == 1:
            del fields["rotations"]
        if self.precision == "float":
            del fields["precision"]
        if self.runs_on == CPU:
            del fields["runs_on"]
        return digest_of(fields)[:16]


@dataclass(frozen=True)
class JobVideo:
    """One video of a job.

    Attributes:
        name: unique in the job; names in exports are made from it.
        fingerprint: of its content.
        root: name of the share that it is on, the same on all hosts; or `STORED`, `HERE`, `BUCKET`.
        path: relative to the root, with `/` between names.
        declared_frames: how many frames the container claims; None where it claims nothing.
        missing_frames: how many of them the file does not hold.
    """

    name: str
    fingerprint: str
    root: str
    path: str
    declared_frames: int | None = None
    missing_frames: int = 0

    def __post_init__(self) -> None:
        if not is_fingerprint(self.fingerprint):
            raise ValueError(f"{self.fingerprint!r} is not a fingerprint")
        if self.root == STORED and self.path:
            raise ValueError(f"the path of a video in the store is empty, not {self.path!r}")
        if self.root not in (STORED, HERE) and not _is_below(self.path):
            raise ValueError(f"{self.path!r} is not a path inside a share")


@dataclass(frozen=True)
class Rejected:
    """A file that was submitted but cannot be annotated.

    Attributes:
        path: as the user named it.
        reason: why, in one line.
        hint: what the user can do about it; empty where there is nothing.
    """

    path: str
    reason: str
    hint: str = ""


@dataclass(frozen=True)
class Job:
    """One submission.

    Attributes:
        id: time of submission and digest of the content, e.g. `20260102-030405-1a2b3c`.
        recipe: of the parts.
        smooth_hz: cut-off of the smoother in Hz, or None for no smoothing.
        priority: `high`, `normal` or `low`: workers take chunks of higher priority first.
        videos: in the order in which they were submitted.
        rejected: files that could not be read.
        merge: digest of the merge's thresholds and code.
    """

    id: str
    recipe: Recipe
    smooth_hz: float | None
    videos: tuple[JobVideo, ...]
    rejected: tuple[Rejected, ...] = ()
    priority: Priority = "normal"
    merge: str = MERGE_DIGEST

    def __post_init__(self) -> None:
        # Without videos, every job would count as complete.
        if not self.videos:
            raise ValueError("a job has at least one video")

    @cached_property
    def merge_digest(self) -> str:
        """16 hex digits of all that can change the tracks made from the same parts."""
        return digest_of({"smooth_hz": self.smooth_hz, "merge": self.merge})[:16]

    @property
    def content_digest(self) -> str:
        """Of everything but the id: equal for two identical submissions."""
        return digest_of({**asdict(self), "id": ""})

    @cached_property
    def digest(self) -> str:
        """Of the whole manifest."""
        return digest_of(asdict(self))

    @property
    def copies(self) -> tuple[tuple[str, str], ...]:
        """Duplicates: names of videos with the content of an earlier one, and the earlier name."""
        firsts = ((video, self.video(video.fingerprint)) for video in self.videos)
        return tuple((video.name, first.name) for video, first in firsts if first is not video)

    def to_json(self) -> str:
        """The text of the manifest, which has its own digest."""
        return json.dumps({**asdict(self), "digest": self.digest}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "Job":
        """Inverse of `to_json`.

        Raises:
            ManifestError: the text is damaged, or was written by another version.
        """
        try:
            fields: dict[str, Any] = parsed(text)
            job = cls(
                id=fields["id"],
                recipe=_recipe(fields["recipe"]),
                smooth_hz=fields["smooth_hz"],
                videos=tuple(JobVideo(**video) for video in fields["videos"]),
                rejected=tuple(Rejected(**one) for one in fields["rejected"]),
                priority=fields["priority"],
                merge=fields["merge"],
            )
            _check_digest(fields.get("digest"), job.digest)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ManifestError(
                f"a job's manifest cannot be read ({type(error).__name__}: {error})",
                NOT_A_MANIFEST,
            ) from error
        return job

    def video(self, fingerprint: str) -> JobVideo:
        """The first video with that fingerprint.

        Raises:
            UnknownWorkError: the job has no such video.
        """
        # A forged message may hold something else than a text.
        found = self._first.get(str(fingerprint))
        if found is None:
            raise UnknownWorkError(
                f"job {self.id} has no video {fingerprint!s:.12}", "Submit it again."
            )
        return found

    @cached_property
    def _first(self) -> dict[str, JobVideo]:
        """The first video of each fingerprint."""
        return {video.fingerprint: video for video in reversed(self.videos)}


def _check_digest(stated: str | None, own: str) -> None:
    """Earlier versions stated none."""
    if stated not in (None, own):
        raise ValueError("its content does not match its digest")


def is_fingerprint(text: str) -> bool:
    """Whether a text has the form of a fingerprint."""
    return _FINGERPRINT.fullmatch(text) is not None


def _is_below(path: str) -> bool:
    """Whether a path with `/` between names stays below its root on every system."""
    names = path.split("/")
    return not any(
        name in ("", ".", "..") or "\\" in name or "\0" in name or PureWindowsPath(name).drive
        for name in names
    )


def _recipe(fields: dict[str, Any]) -> Recipe:
    return Recipe(**{**fields, "selection": Selection(**fields["selection"])})
