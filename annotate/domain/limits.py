"""What a video may ask of a host: bounds that no honest video reaches."""

from dataclasses import dataclass, fields
from math import inf

from annotate.domain.errors import UsageError

# The variable that sets limits.
LIMITS_VARIABLE = "ANNOTATE_LIMITS"


@dataclass(frozen=True)
class Limits:
    """Bounds of what one video may take, however it is made. Each has its own message.

    Attributes:
        pixels: of a frame, as it is stored and as it is displayed: 8192 x 8192, twice 8K.
        frames: of a video: 77 hours at 60 frames per second.
        packets: of a video's stream, those without data included.
        decode_s: seconds of one core that the decoder takes for one packet; not those that it waits
            for other programs.
        memory_gb: gigabytes of memory that a worker process takes.
    """

    pixels: int = 2**26
    frames: int = 2**24
    packets: int = 2**25
    decode_s: float = 60.0
    memory_gb: float = 16.0

    def __str__(self) -> str:
        """As `limits_from` reads it."""
        return ",".join(f"{one.name}={getattr(self, one.name)}" for one in fields(self))


DEFAULT_LIMITS = Limits()


def limits_from(text: str) -> Limits:
    """The limits of `pixels=2e7,memory_gb=4`; those that are not named keep their defaults.

    Raises:
        UsageError: a name is unknown, or a value is not a number above 0.

    >>> limits_from("pixels=2e7").pixels
    20000000
    """
    found, names = vars(DEFAULT_LIMITS).copy(), ", ".join(vars(DEFAULT_LIMITS))
    for entry in filter(None, text.split(",")):
        name, _, value = (part.strip() for part in entry.partition("="))
        counts, number = isinstance(found.get(name), int), _number(value)
        if name not in found or not (1 if counts else 1e-9) <= number < inf:
            raise UsageError(
                f"{LIMITS_VARIABLE}: {entry!r} is not a limit",
                f"Give numbers above 0 for some of {names}, e.g. pixels=2e7,memory_gb=4.",
            )
        found[name] = int(number) if counts else number
    return Limits(**found)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0
