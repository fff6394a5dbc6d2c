"""How often loops look at the store: seldom in a large one, and soon again after an outage."""

# How many times as long as a look takes no other one follows: a twentieth of one core.
PAUSE_LOOKS = 19.0


def pause_s(took_s: float, least_s: float, longest_s: float, looks: float = PAUSE_LOOKS) -> float:
    """Seconds until the next look.

    Args:
        took_s: seconds that the last one took. It may have waited for a store that was away, which
            says nothing about the next one: so the pause has an upper bound.
        least_s, longest_s: its bounds.
        looks: how many times as long as the look it is between them.
    """
    return min(max(least_s, looks * took_s), longest_s)
