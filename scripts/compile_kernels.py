"""Compile all kernels that are not in the cache yet, a process for each core: test workers would each compile all."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import percorso.kernels

FOLDER = Path(percorso.kernels.__path__[0])


def load(name: str) -> None:
    importlib.import_module(f"percorso.kernels.{name}")


if __name__ == "__main__":
    names = [module.name for module in pkgutil.iter_modules([str(FOLDER)])]
    # Long ones first, so that no core waits for the last of them.
    names.sort(key=lambda name: -(FOLDER / f"{name}.py").stat().st_size)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ProcessPoolExecutor(cores, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(load, names))
