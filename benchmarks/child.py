"""Run one measured command in a process of its own: wall time, peak memory, what it printed.

The parent stays small and imports nothing heavy: a child's peak memory starts at the size its parent had.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Run", "run_command", "run_module"]

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process. `peak_bytes` is the largest resident memory of the process itself."""

    seconds: float
    peak_bytes: int
    output: str

    @property
    def json(self) -> Any:
        return json.loads(self.output)


def run_command(command: Sequence[str], *, environment: dict[str, str] | None = None) -> Run:
    """Run `command` from the repository's root and wait for it.

    Raises
    ------
    RuntimeError
        It exited with anything but 0; the message holds the end of what it wrote to standard error.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=errors, env={**os.environ, **(environment or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{errors.read()[-4000:]}")
        unit = 1 if sys.platform == "darwin" else 1024
        return Run(seconds, usage.ru_maxrss * unit, output.read())


def run_module(module: str, *arguments: str) -> Run:
    """Run a module of this repository with this interpreter."""
    return run_command([sys.executable, "-m", module, *arguments])
