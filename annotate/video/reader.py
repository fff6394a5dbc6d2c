"""The version of the code that reads videos: of this program, and of FFmpeg's libraries."""

from dataclasses import fields

import av

from annotate import __version__
from annotate.domain.digests import digest_of
from annotate.domain.job import PIPELINE_DIGEST
from annotate.domain.video import VideoIndex


def reader_version() -> str:
    """16 hex digits that change whenever the same file may get another index."""
    return digest_of(
        {
            "program": __version__,
            "pipeline": PIPELINE_DIGEST,
            "libraries": av.library_versions,
            "facts": [one.name for one in fields(VideoIndex)],
        }
    )[:16]
