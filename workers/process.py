"""What a process that runs models sets up for itself, once."""

import ctypes
import sys

import cv2

# glibc's names for mallopt's parameters, and sizes above any picture's.
_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -3, -1
_LARGEST_KEPT = _MOST_KEPT = 1 << 25


def prepare_process() -> None:
    """Makes this process a good neighbour of the other ones, and quick with pictures.

    There is a process for each core: threads of OpenCV's own would only fight with the others'.
    glibc gives freed pictures back to the system, which then clears the same pages again for the
    next one: about 8% of all time at 1080p. It is told to keep them; more than a few would only
    let the heap fall to pieces.
    """
    cv2.setNumThreads(1)
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:  # musl has none
            mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
            mallopt(_M_TRIM_THRESHOLD, _MOST_KEPT)
