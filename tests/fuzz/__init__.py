"""Seeded mutations of small videos, read in a child process and compared with a plain decode."""

from tests.fuzz.child import fuzzed
from tests.fuzz.judge import Verdict
from tests.fuzz.mutations import KINDS, mutated

__all__ = ["KINDS", "Verdict", "fuzzed", "mutated"]
