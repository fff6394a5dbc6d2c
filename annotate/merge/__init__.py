"""Parts to tracks: association, numbering, smoothing."""

from annotate.merge.merge import merge
from annotate.merge.settings import MergeSettings

__all__ = ["MergeSettings", "merge"]
