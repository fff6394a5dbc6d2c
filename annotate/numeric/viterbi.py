"""The cheapest way through two states. Arrays in, arrays out."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cheapest_states(
    stay: Array, switch: Array, second_costs: Array, first: bool | None = None
) -> NDArray[np.bool_]:
    """Which of n steps are in the second of two states, by Viterbi's algorithm.

    The cost of a way is the sum over its steps after the first: `stay` or `switch`, and
    `second_costs` for each that is in the second state.

    Args:
        stay, switch: (n - 1,) float64 costs of keeping and of changing the state before each step
            after the first.
        second_costs: (n - 1,) float64 costs of being in the second state at each step after the
            first.
        first: whether the first step is known to be in the second state; None where it is unknown.

    Returns:
        (n,) bool: true in the second state. Of equally cheap ways the one that stays.
    """
    one, two = (np.inf, 0.0) if first else (0.0, 0.0 if first is None else np.inf)
    # For either state of each step, whether the step before is in the other state.
    one_came, two_came = [], []
    for keep, change, cost in zip(
        stay.tolist(), switch.tolist(), second_costs.tolist(), strict=True
    ):
        one_stays, one_changes = one + keep, one + change
        two_stays, two_changes = two + keep, two + change
        one_came.append(two_changes < one_stays)
        two_came.append(one_changes < two_stays)
        one = two_changes if two_changes < one_stays else one_stays
        two = (one_changes if one_changes < two_stays else two_stays) + cost
    state = two < one
    states = [state]
    for to_one, to_two in zip(reversed(one_came), reversed(two_came), strict=True):
        state ^= to_two if state else to_one
        states.append(state)
    return np.array(states[::-1], np.bool_)
