"""Fixtures that many tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real videos and images with MediaPipe's own answers; they are not part of the project."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ANNOTATE_TEST_DATA", default))
    if not (folder / "videos").is_dir():
        pytest.skip(f"no test data: {folder / 'videos'} (set ANNOTATE_TEST_DATA)")
    return folder
