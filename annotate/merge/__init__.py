"""Parts to tracks: association, numbering, smoothing."""

from annotate.domain.merge_settings import MergeSettings
from annotate.merge.merge import merge

__all__ = ["MergeSettings", "merge"]
