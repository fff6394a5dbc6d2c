"""Damaged videos end neither the program nor its patience, and lose no frame in silence: a part of
`python -m tests.benchmarks.video_fuzz`.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.fuzz import KINDS, Verdict, fuzzed, mutated

COUNT = 150
# Of the mutations, the least number that can be read: refusing all would be no answer.
MIN_READ = 100
# Mutations that once were lost in silence, shown as another frame, or read otherwise in chunks.
ONCE_WRONG = (435, 1468, 1539, 1979)


def test_mutations_are_read_as_a_plain_decode_reads_them(tmp_path: Path) -> None:
    numbers = [*range(COUNT), *ONCE_WRONG]
    verdicts = list(fuzzed(numbers, tmp_path))
    assert [verdict.number for verdict in verdicts] == numbers
    assert [verdict for verdict in verdicts if verdict.is_fault] == []
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    assert outcomes.keys() == {"read", "refused"}
    assert outcomes["read"] >= MIN_READ
    assert all(verdict.message for verdict in verdicts if verdict.outcome == "refused")


def test_a_crash_or_a_hang_of_the_child_is_a_verdict(tmp_path: Path) -> None:
    """And the mutations after it are read."""
    (tmp_path / "1.mkv").mkdir()  # the child cannot write its file, and ends
    verdicts = list(fuzzed(range(3), tmp_path))
    assert [verdict.outcome == "crash" for verdict in verdicts] == [False, True, False]


def test_the_same_seed_gives_the_same_damage_of_every_kind() -> None:
    data = np.random.default_rng(0).bytes(10_000)
    for kind in KINDS:
        damaged = {seed: mutated(data, kind, seed) for seed in range(20)}
        assert damaged == {seed: mutated(data, kind, seed) for seed in range(20)}
        assert len(set(damaged.values())) > 15
        assert sum(one == data for one in damaged.values()) < 5


def test_faults_are_counted() -> None:
    sound = Verdict(0, "video", "cut off", "refused")
    assert not sound.is_fault
    faulty = replace(sound, silent=1), replace(sound, other=1), replace(sound, cut=1)
    assert all(one.is_fault for one in faulty)
