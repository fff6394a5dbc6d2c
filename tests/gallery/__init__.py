"""Videos of every kind that users have, each with its right answer."""

from tests.gallery.case import Answer, Case
from tests.gallery.cases import CASES

__all__ = ["CASES", "Answer", "Case"]
