"""What one process of a submission may use."""

from typing import NamedTuple

__all__ = ["MIB", "Limits"]

MIB = 1 << 20


class Limits(NamedTuple):
    """What one process of a submission may use, and the wall that holds it."""

    seconds: float = 10  # of real time; processor time has the same limit
    memory: int = 1024 * MIB  # address space, bytes
    processes: int = 1  # threads count too
    output: int = 8 * MIB  # what it can write, and its largest file, bytes
    wall: str = ""  # the name of a wall; "": the first that works here

    def for_worker(self) -> dict[str, int]:
        """Return the limits under the names that the worker uses."""
        return {
            "cpu": int(self.seconds) + 1,
            "memory": self.memory,
            "processes": self.processes,
            "file": self.output,
            "files": 64,
            "core": 1,  # a byte: no file, and unlike 0 nothing for a program that collects dumps
        }
