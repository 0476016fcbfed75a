"""The machine that measured: its processor, the versions of the libraries, and its best rates."""

import os
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np


def facts_of_machine(dtypes: Sequence[str], threads: int) -> dict[str, object]:
    """Return {fact: value}: the processor, the versions, and the best rates."""
    facts: dict[str, object] = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "Python": sys.version.split()[0],
        "NumPy": np.__version__,
    }
    facts |= {
        "BLAS": blas(),
        "PyTorch": version_of("torch"),
        "EpyNN": version_of("EpyNN"),
        "numpy-ml": version_of("numpy-ml"),
    }
    facts |= {f"GFLOP/s {dtype}": round(best_product(dtype, threads), 1) for dtype in dtypes}
    if threads == 1:
        facts["GB/s"] = round(bandwidth(), 1)
    return facts


def processor() -> str:
    """Return the name of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def version_of(package: str) -> str:
    """Return the version of an installed package, or "missing"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def blas() -> str:
    """Return the library of NumPy's matrix products, with its kernel if threadpoolctl is there."""
    library = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    name = f"{library['name']} {library['version']}"
    if not find_spec("threadpoolctl"):
        return name
    from threadpoolctl import threadpool_info

    kernels = [
        info["architecture"]
        for info in threadpool_info()
        if info["user_api"] == "blas" and "architecture" in info
    ]
    return ", ".join([name, *kernels[:1]])


def best_product(
    dtype: str, threads: int, sizes: Sequence[int] = (512, 1024, 2048), repeats: int = 4
) -> float:
    """Return the best rate of a large matrix product in GFLOP/s.

    One thread is measured by the time of the process, more threads by the clock.
    """
    clock, best = time.process_time if threads == 1 else time.perf_counter, 0.0
    for size in sizes:
        a = np.random.default_rng(0).standard_normal((size, size)).astype(dtype)
        out = np.empty_like(a)
        for _ in range(repeats):
            start = clock()
            np.matmul(a, a, out)
            best = max(best, 2 * size**3 / (clock() - start) / 1e9)
    return best


def bandwidth(megabytes: int = 256, repeats: int = 5) -> float:
    """Return the rate at which one thread of NumPy copies an array, in GB/s, read and written.

    The array is too large for any cache of the processor.
    """
    source = np.ones(megabytes * 2**20 // 8)
    target, best = np.empty_like(source), 0.0
    for _ in range(repeats):
        start = time.process_time()
        np.copyto(target, source)
        best = max(best, 2 * source.nbytes / (time.process_time() - start) / 1e9)
    return best
