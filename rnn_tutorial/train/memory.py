"""The memory that a step of training frees, kept for the next step."""

import numpy as np

__all__ = ["keep_freed_memory"]

# The largest block that the C library of Linux may take into account, without its own few bytes.
LARGEST_BLOCK = 2**25 - 2**16


def keep_freed_memory() -> None:
    """Set the C library of Linux to keep up to 64 MB of freed memory, instead of giving it back.

    A step of training makes its arrays anew and frees them all. The library, glibc, then returns
    the memory to the system, and in the next step the system clears every page again: at sizes such
    as (T, B, H) = (50, 32, 128) this took a third of the time. Its limit is twice the largest block
    that was ever freed. So one block is made and freed here; nothing is written to it. With other
    libraries, or where the environment sets the limit (MALLOC_TRIM_THRESHOLD_), nothing changes.

    Source: mallopt(3), "Dynamic M_MMAP_THRESHOLD" and M_TRIM_THRESHOLD.
    """
    np.empty(LARGEST_BLOCK, np.uint8)
