"""Text of whole arrays of numbers at once, many times as fast as number by number.

Text is laid out in words of four bytes, with holes where it is shorter: a row of words is a line,
and the holes are left out at the end. Arrays in, bytes out.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

# (..., W) uint32: the last axis goes along the line.
Words: TypeAlias = NDArray[np.uint32]

_SIZE, _HOLE = 4, b"\0"
_GROUP = 10**_SIZE
# Float64 holds all integers up to here.
_EXACT = 2**53


def constant(text: bytes) -> Words:
    """(W,) words of an ASCII or UTF-8 text without NUL."""
    return pick([text], np.zeros((), np.intp))


def pick(texts: Sequence[bytes], which: NDArray[Any]) -> Words:
    """(..., W) words: for each of the places `which` (...) the text there."""
    width = max(1, -(-max(map(len, texts)) // _SIZE))
    data = b"".join(text.ljust(width * _SIZE, _HOLE) for text in texts)
    table = np.frombuffer(data, np.uint32).reshape(len(texts), width)
    words: Words = table[which.astype(np.intp)]
    return words


def texts(written: Sequence[bytes], shape: tuple[int, ...]) -> Words:
    """(*shape, W) words: texts that are written already, in the order of the places."""
    return pick([*written, b""], np.arange(len(written)).reshape(shape))


def integers(values: NDArray[np.integer[Any]]) -> Words:
    """(..., W) words: integers (...) of at least 0, as Python writes them."""
    ends, middles = _groups()
    groups = [values]
    while groups[0].max(initial=0) >= _GROUP:
        groups[:1] = np.divmod(groups[0], _GROUP)
    words = np.empty((*values.shape, len(groups)), np.uint32)
    begun = np.zeros(values.shape, np.bool_)
    for place, group in enumerate(groups):
        words[..., place] = np.where(begun, middles[group], ends[group]) if place else ends[group]
        if place + 1 < len(groups):
            begun |= group > 0
            words[~begun, place] = 0
    return words


def decimals(values: NDArray[np.float64], places: int, end: bytes = b"") -> Words:
    """(..., W) words: numbers (...) as `repr` writes them, each followed by `end`.

    Args:
        values: finite, rounded to so many decimal places, 1 to 4, and without -0.0.
    """
    sizes = np.abs(values)
    if sizes.max(initial=0.0) * 10**places >= _EXACT:
        return texts(
            [repr(one).encode() + end for one in values.reshape(-1).tolist()], values.shape
        )
    units = np.rint(sizes * 10**places).astype(np.int64)
    whole, part = np.divmod(units, 10**places)
    pieces = [integers(whole), _fractions(places, end)[part]]
    if (values < 0).any():
        pieces.insert(0, pick([b"", b"-"], values < 0))
    return np.concatenate(pieces, axis=-1)


def millionths(values: NDArray[np.float64], end: bytes = b"") -> Words:
    """(..., W) words: finite numbers (...) with six decimal places, as `format` writes them, each
    followed by `end` of at most one byte.
    """
    scaled = np.abs(values) * 1e6
    if scaled.max(initial=0.0) >= _EXACT:
        return texts([b"%.6f" % value + end for value in values.reshape(-1).tolist()], values.shape)
    units = np.rint(scaled).astype(np.int64)
    # Where the product lies in the middle, the number itself may lie on either side.
    middle = scaled - np.floor(scaled) == 0.5
    exact = [f"{value:.6f}".replace(".", "") for value in np.abs(values[middle]).tolist()]
    units[middle] = [int(digits) for digits in exact]
    thousandths, rest = np.divmod(units, 1000)
    whole, thousandths = np.divmod(thousandths, 1000)
    count = range(1000)
    pieces = [
        integers(whole),
        pick([b".%03d" % part for part in count], thousandths),
        pick([b"%03d" % part + end for part in count], rest),
    ]
    if np.signbit(values).any():
        pieces.insert(0, pick([b"", b"-"], np.signbit(values)))
    return np.concatenate(pieces, axis=-1)


def listed(values: NDArray[np.float64], places: int, between: bytes = b",") -> Words:
    """(n, W) words: of numbers (n, K) each row's as `decimals` writes them; K is at least 1."""
    first = flat(decimals(values[:, :-1], places, between))
    return joined(first, decimals(values[:, -1], places))


def joined(*pieces: bytes | Words) -> Words:
    """(..., W) words of pieces that follow each other: texts, or words with the same axes before
    the last.
    """
    words = [constant(piece) if isinstance(piece, bytes) else piece for piece in pieces]
    shape = np.broadcast_shapes(*(one.shape[:-1] for one in words))
    found = np.empty((*shape, sum(one.shape[-1] for one in words)), np.uint32)
    start = 0
    for one in words:
        found[..., start : start + one.shape[-1]] = one
        start += one.shape[-1]
    return found


def flat(words: Words, axes: int = 1) -> Words:
    """The same words with so many axes before the last, by default (n, W): a line each."""
    return words.reshape(*words.shape[:axes], math.prod(words.shape[axes:]))


def text_of(words: Words) -> bytes:
    """The text of all words, one after the other, without the holes."""
    return words.tobytes().translate(None, _HOLE)


def rows_of(words: Words) -> list[bytes]:
    """The text of each row of words (n, W)."""
    text, letters = text_of(words), words.view(np.uint8) > 0
    ends = np.cumsum(np.count_nonzero(letters, axis=1)).tolist()
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@cache
def _groups() -> tuple[Words, Words]:
    """(10,000,) words each: of the numbers 0 to 9,999 as they are, and with zeros before them."""
    digits = np.char.zfill(np.arange(_GROUP).astype("S4"), _SIZE)
    return np.arange(_GROUP).astype("S4").view(np.uint32), digits.view(np.uint32)


@cache
def _fractions(places: int, end: bytes) -> Words:
    """(10^places, W) words: what follows a number's integer part."""
    count = 10**places
    texts = [f"{part:0{places}d}".rstrip("0") or "0" for part in range(count)]
    return pick([b"." + text.encode() + end for text in texts], np.arange(count))
