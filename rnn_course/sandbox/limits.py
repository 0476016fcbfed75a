"""What one process of a submission may use.

Its time is processor time, which a busy machine does not take away. Only a process that sleeps or
waits comes to the limit on real time, which is far longer, and grows with the load of the machine.
"""

import os
from typing import NamedTuple

__all__ = ["LONGER", "MIB", "MORE", "PATIENCE", "Limits"]

MIB = 1 << 20
PATIENCE = 30  # seconds that a wall may take to start the worker; they are not the submission's
LONGER, MORE = 4, 10  # of the processor time: 4 times as long, and at least 10 s more


class Limits(NamedTuple):
    """What one process of a submission may use, and the wall that holds it."""

    seconds: float = 10  # of processor time
    memory: int = 1024 * MIB  # address space, bytes
    output: int = 8 * MIB  # what it can write, and its largest file, bytes
    wall: str = ""  # the name of a wall; "": the first that works here

    @property
    def elapsed(self) -> float:
        """The seconds of real time that it has on a machine that has nothing else to do."""
        return max(LONGER * self.seconds, self.seconds + MORE)

    def elapsed_now(self) -> float:
        """Return the seconds of real time after which it is ended, as busy as the machine is."""
        processors = os.cpu_count() or 1
        return self.elapsed * max(1.0, os.getloadavg()[0] / processors)

    def for_worker(self) -> dict[str, float]:
        """Return the limits under the names that the worker uses."""
        return {
            "cpu": self.seconds,
            "memory": self.memory,
            "processes": 1,  # where no filter refuses another one, as on macOS
            "file": self.output,
            "files": 64,
            "core": 1,  # a byte: no file, and unlike 0 nothing for a program that collects dumps
        }
