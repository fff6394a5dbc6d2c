"""Videos of every kind that users have, each with its right answer."""

from tests.gallery.cases import CASES, Answer, Case

__all__ = ["CASES", "Answer", "Case"]
