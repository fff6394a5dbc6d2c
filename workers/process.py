"""Set-up of a process that runs models."""

import ctypes
import sys

import cv2

# glibc's numbers of mallopt's parameters, and sizes in bytes larger than any frame.
_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -3, -1
_LARGEST_KEPT = _MOST_KEPT = 1 << 25


def prepare_process() -> None:
    """Makes OpenCV use one thread, and glibc keep the memory of freed frames. Call it once.

    There is one process a core, so threads of OpenCV would only compete with other processes. By
    default glibc gives the memory of freed frames back to the system, which clears the same pages
    for the next frame: about 8% of all time at 1080p. It keeps only a few frames, as keeping more
    fragments the heap.
    """
    cv2.setNumThreads(1)
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:  # musl has none
            mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
            mallopt(_M_TRIM_THRESHOLD, _MOST_KEPT)
