"""Numbers and times for people."""


def number(value: float) -> str:
    """With thousands apart: 1,234; one decimal below 10."""
    return f"{value:,.1f}" if 0 < abs(value) < 10 and value % 1 else f"{value:,.0f}"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
