"""What runs inside the sandbox: the cells of one submission, then its functions on the cases.

It imports the standard library, NumPy and the files next to it, and it knows no right answer. It
writes everything it learns to one file, message by message, so that a crash loses no earlier
message. A submission can forge any message. Then it forges only its own answer, which is compared
outside.

    python -I -S worker.py PLACE_OF_NUMPY UID TASK FILTER MESSAGES

The task is one message: event {"limits": …, "cells": [[number, source], …], "questions": [name,
…]} and what `cells.run_notebook` says, and as its tree the arguments of the cases, question by
question.
"""

import os
import sys
from collections.abc import Callable
from typing import Any


def main(place: str, uid: int, *files: str) -> None:
    """Read the task, give up all rights, run the cells, call the functions."""
    sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), place]
    # The worker's folder is not on the path of the type checker. Now the files can be read.
    import calls  # type: ignore[import-not-found]  # noqa: F401
    import cells  # type: ignore[import-not-found]
    import rights  # type: ignore[import-not-found]
    import stand_ins  # type: ignore[import-not-found]
    import transport  # type: ignore[import-not-found]

    data, program, descriptor = rights.open_files(*files)
    messages = os.fdopen(descriptor, "wb", buffering=0)
    # The grader wrote the task: a header may be as long as it is.
    ((task, arguments),) = transport.read_messages(data, header_limit=len(data))
    rights.give_up(uid, task["limits"], program)

    def tell(event: dict[str, Any], tree: Any = None) -> None:
        messages.write(transport.write_message(event, tree))

    namespace = stand_ins.namespace_of_a_notebook()
    cells.run_notebook(task, namespace, tell)
    for name, cases in zip(task["questions"], arguments):
        ask(name, cases, namespace, tell)
    tell({"what": "end"})
    messages.flush()
    os._exit(0)  # without the threads and exit handlers of the submission


def ask(name: str, cases: list[Any], namespace: dict[str, Any], tell: Callable[..., None]) -> None:
    """Call the function `name` on its cases and tell what it returned, call by call."""
    from calls import call_on_cases, describe

    tell({"what": "question", "question": name})
    function = namespace.get(name)
    if not callable(function):
        tell({"what": "missing", "question": name})
        return
    for event, tree in call_on_cases(function, cases, namespace):
        event |= {"question": name}
        try:
            tell(event, tree)
        except BaseException as error:  # what came back cannot be sent
            tell(event | {"what": "raised", "error": describe(error)})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
