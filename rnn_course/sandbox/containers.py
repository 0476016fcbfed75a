"""The walls "podman" and "docker": containers with nothing in them but what the worker needs."""

import io
import os
import shutil
import subprocess
import tarfile
from functools import cache, partial

from rnn_course.sandbox.limits import MIB, PATIENCE
from rnn_course.sandbox.start import ENVIRONMENT, Start, site_folders, visible, worker
from rnn_course.sandbox.wall import Wall

__all__ = ["DOCKER", "PODMAN", "docker", "podman"]

IMAGE = "rnn-course-empty"
# What the client must know of the grader's environment. Nothing of it reaches the container.
CLIENT = (
    "PATH HOME XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_DATA_HOME DBUS_SESSION_BUS_ADDRESS "
    "CONTAINERS_CONF CONTAINERS_STORAGE_CONF DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG"
).split()
# Files of /proc that tell what the machine and other processes do.
TELLING = (
    "cmdline cpuinfo diskstats interrupts key-users keys loadavg locks meminfo modules mounts "
    "pagetypeinfo partitions pressure schedstat slabinfo softirqs stat swaps sys uptime version "
    "vmstat zoneinfo"
).split()


def podman(start: Start) -> list[str]:
    """Return the command that runs the worker in podman, without an image.

    Raises: OSError if podman is not installed.
    """
    root = start.folder / "root"
    root.mkdir()
    # Without root, there are 65,536 user ids; each container of this user may have the same one.
    uid = start.uid if os.getuid() == 0 else 1 + start.number % 65_000
    options = ["--read-only-tmpfs=false", "--http-proxy=false", "--no-hosts", "--passwd=false"]
    # If the grader is killed, podman ends the container all the same.
    options += ["--timeout", str(int(start.limits.elapsed_now()) + PATIENCE)]
    mask = ":".join(f"/proc/{name}" for name in TELLING)
    options += ["--security-opt", f"mask={mask}"]
    return [*container("podman", start, uid, options), "--rootfs", str(root), *worker(0)]


def docker(start: Start) -> list[str]:
    """Return the command that runs the worker in docker, in an image without a file.

    Raises: OSError if docker is not installed or its daemon does not answer.
    """
    make_image()
    uid = 60_000 + start.number % 5_000  # a rootless daemon has no more than 65,536
    return [*container("docker", start, uid, ["--pull", "never"]), IMAGE, *worker(0)]


def container(engine: str, start: Start, uid: int, options: list[str]) -> list[str]:
    """Return the part of the command that podman and docker share, up to the image.

    Raises: OSError if the engine is not installed.
    """
    if not shutil.which(engine):
        raise FileNotFoundError(f"{engine} is not installed")
    empty = start.folder / "empty"
    empty.mkdir()
    run = [*client(engine), "run", "--rm", "--name", name_of(start), "--log-driver", "none"]
    run += ["--network", "none", "--ipc", "none", "--hostname", "sandbox", "--read-only"]
    run += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    # SELinux would refuse the libraries of the machine: they have no label of a container.
    run += ["--security-opt", "label=disable"]
    run += ["--user", f"{uid}:{uid}", "--pids-limit", "64"]
    run += ["--memory", str(start.limits.memory + 64 * MIB)]
    for limit in ("nofile=64:64", "nproc=64:64", "core=1:1"):
        run += ["--ulimit", limit]
    run += ["--tmpfs", f"/tmp:rw,size={16 * MIB},mode=1777", "--workdir", "/tmp"]
    for inside, path in visible(start).items():
        run += ["--volume", f"{path}:{inside}:ro"]
    run += ["--volume", f"{start.messages}:/messages:rw"]
    for path in site_folders():
        run += ["--volume", f"{empty}:{path}:ro"]
    for name, value in ENVIRONMENT.items():
        run += ["--env", f"{name}={value}"]
    return [*run, *options]


def client(engine: str) -> list[str]:
    """Return the beginning of a command of the engine, with the environment that it needs."""
    return ["env", *(f"{name}={os.environ[name]}" for name in CLIENT if name in os.environ), engine]


def name_of(start: Start) -> str:
    """Return the name of the container of a start."""
    return f"rnn-course-{start.folder.name}"


def remove(engine: str, options: tuple[str, ...], start: Start) -> list[str]:
    """Return the command that ends the container at once: it does not die with the client."""
    return [*client(engine), "rm", "--force", *options, name_of(start)]


@cache
def make_image() -> None:
    """Put an image with an empty /tmp and no file into docker, once in each process.

    Raises: OSError if docker is not installed or its daemon does not answer.
    """
    scratch = tarfile.TarInfo("tmp")  # the scratch space has the rights of the folder below it
    scratch.type, scratch.mode = tarfile.DIRTYPE, 0o1777
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(scratch)
    command = [*client("docker"), "import", "-", IMAGE]
    made = subprocess.run(command, input=archive.getvalue(), capture_output=True, timeout=20)
    if made.returncode:
        raise OSError(made.stderr.decode(errors="replace").strip()[:300])


HOLDS = (
    "It sees Python, NumPy, the libraries in /usr/lib and 16 MiB of scratch, no file of yours, no "
    "other process and no network. It asks the kernel for what is on a list only. Its memory is "
    "counted by the kernel as a whole."
)
PODMAN = Wall(
    "podman",
    podman,
    partial(remove, "podman", ("--time", "0")),
    HOLDS,
    lacks="It shares the kernel with you. As an ordinary user there is no daemon with more rights.",
)
DOCKER = Wall(
    "docker",
    docker,
    partial(remove, "docker", ()),
    HOLDS,
    lacks="It shares the kernel with you, and docker's daemon runs as root, unless it is rootless. "
    "It can see in /proc how busy the machine is.",
)
