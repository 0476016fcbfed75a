"""The machine that measured: its name, the versions of what ran on it, and what it can do at best."""

import os
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np


def facts_of_machine(dtypes, threads):
    """Return {fact: value}: the processor, the versions, and what they can do at best with so many threads."""
    facts = {
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


def processor():
    """Return the name of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def version_of(package):
    """Return the version of a package, or "missing"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def blas():
    """Return the library of NumPy's matrix products, and its kernel if threadpoolctl is here to tell."""
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


def best_product(dtype, threads, sizes=(512, 1024, 2048), repeats=4):
    """Return the best rate of a large matrix product, GFLOP/s."""
    clock, best = time.process_time if threads == 1 else time.perf_counter, 0.0
    for size in sizes:
        a = np.random.default_rng(0).standard_normal((size, size)).astype(dtype)
        out = np.empty_like(a)
        for _ in range(repeats):
            start = clock()
            np.matmul(a, a, out)
            best = max(best, 2 * size**3 / (clock() - start) / 1e9)
    return best


def bandwidth(megabytes=256, repeats=5):
    """Return the rate at which NumPy copies an array too large for any cache, by one thread: GB/s, read and written."""
    source = np.ones(megabytes * 2**20 // 8)
    target, best = np.empty_like(source), 0.0
    for _ in range(repeats):
        start = time.process_time()
        np.copyto(target, source)
        best = max(best, 2 * source.nbytes / (time.process_time() - start) / 1e9)
    return best
