"""Edits of reviewers, applied to the tracks of a video."""

from annotate.edits.apply import Basis, Edited, apply, edited
from annotate.edits.identities import NotApplied

__all__ = ["Basis", "Edited", "NotApplied", "apply", "edited"]
