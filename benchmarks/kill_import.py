"""Kill imports half-way, and see that all of a file is there or none of it:

    python -m benchmarks.kill_import [--kills 50] [--rows 400000]

prints one JSON object with the counts. Each file goes to the same workspace: its import is killed with
SIGKILL, what readers see is checked, then it is imported to the end, and everything is checked again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.generate import MAPPING, event_tables, write_parquet
from percorso.services.imports import ImportRequest, import_files
from percorso.services.workspace import Workspace, init_workspace, open_workspace
from percorso.store.lake import Lake

__all__ = ["kill_imports", "main"]

_POLL_S = 0.001
_LONGEST_S = 120.0


def kill_imports(folder: Path, *, kills: int, rows: int, seed: int = 1) -> dict[str, int]:
    """Kill so many imports of files of so many rows; raises AssertionError if ever a file is there in part.

    Parameters
    ----------
    folder : Path
        Empty; holds the workspace and the files.
    kills : int
        Three in four come between the first byte of data and the commit, at a random moment.
    rows : int
    seed : int

    Returns
    -------
    dict of str to int
        kills, how many came before the first byte, between it and the commit, and after; how often all of the
        file was there and how often none; leftovers found after the next import.
    """
    workspace = init_workspace(folder / "workspace")
    (folder / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    rng = random.Random(seed)
    context = multiprocessing.get_context("forkserver")
    # The server imports once, so that a child is killed while it works and not while it starts.
    context.set_forkserver_preload(["__main__", "percorso.services.imports"])
    window_s = _calibrated(context, workspace, _file(folder, 0, rows))
    found: Counter[str] = Counter(kills=kills)
    for number in range(1, kills + 1):
        path = _file(folder, number, rows)
        before = _rows_seen(workspace)
        moment = _killed(context, workspace, path, rng, window_s, in_window=number % 4 != 0)
        seen = _rows_seen(workspace) - before
        assert seen in (0, rows), f"{seen} of {rows} rows are there after a kill {moment}"
        found[moment] += 1
        found["all_of_the_file" if seen else "none_of_the_file"] += 1
        _import(workspace.folder, path)
        assert _rows_seen(workspace) - before == rows, "the file is not there once after it was imported again"
        found["leftovers"] += _leftovers(workspace)
        path.unlink()
    return {key.replace(" ", "_"): count for key, count in found.items()}


def _file(folder: Path, number: int, rows: int) -> Path:
    """A file of its own: no row of it is in any other."""
    path = folder / f"events-{number}.parquet"
    write_parquet(path, event_tables(rows, max(1, rows // 20), seed=number))
    return path


def _import(workspace: Path, path: Path) -> None:
    request = ImportRequest((str(path),), mapping=path.parent / "mapping.toml")
    import_files(open_workspace(workspace), request)


def _rows_seen(workspace: Workspace) -> int:
    """Rows that readers count: by the log, by the files themselves, and by the table of imports."""
    lake = Lake(workspace.lake)
    files = lake.live_files()
    by_files = sum(int(pq.ParquetFile(file.path).metadata.num_rows) for file in files)
    assert by_files == sum(file.rows for file in files) == sum(record.events for record in lake.imports())
    return by_files


def _leftovers(workspace: Workspace) -> int:
    """Data files that no version of the lake has."""
    lake = Lake(workspace.lake)
    live = {file.path for file in lake.live_files()}
    return sum(path not in live for path in (workspace.folder / "lake" / "events").glob("source=*/*.parquet"))


def _calibrated(context: multiprocessing.context.ForkServerContext, workspace: Workspace, path: Path) -> float:
    """Seconds between the first byte of data and the commit of an import that nobody disturbs."""
    watch = _Watch(workspace)
    process = context.Process(target=_import, args=(workspace.folder, path))
    process.start()
    _wait(watch.has_data, process)
    began = time.monotonic()
    _wait(watch.has_commit, process)
    window_s = time.monotonic() - began
    process.join()
    return window_s


@dataclass(frozen=True, slots=True)
class _Watch:
    """Looks at the lake's folder from outside."""

    workspace: Workspace
    commits: frozenset[str] = frozenset()
    data: frozenset[str] = frozenset()

    @staticmethod
    def begin(workspace: Workspace) -> _Watch:
        empty = _Watch(workspace)
        return _Watch(workspace, empty._commits(), empty._data())

    def has_data(self) -> bool:
        return bool(self._data() - self.data)

    def has_commit(self) -> bool:
        return bool(self._commits() - self.commits - {"00000000000000000000.json"})

    def _commits(self) -> frozenset[str]:
        return frozenset(
            path.name for path in (self.workspace.folder / "lake" / "events" / "_delta_log").glob("*.json")
        )

    def _data(self) -> frozenset[str]:
        return frozenset(path.name for path in (self.workspace.folder / "lake" / "events").glob("source=*/*.parquet"))


def _killed(
    context: multiprocessing.context.ForkServerContext,
    workspace: Workspace,
    path: Path,
    rng: random.Random,
    window_s: float,
    *,
    in_window: bool,
) -> str:
    """Start an import, kill it, and say when that was: before, between or after."""
    watch = _Watch.begin(workspace)
    process = context.Process(target=_import, args=(workspace.folder, path))
    process.start()
    if in_window:
        _wait(watch.has_data, process)
        time.sleep(rng.random() * window_s)
    else:
        time.sleep(rng.random() * window_s * 4)
    has_commit, has_data = watch.has_commit(), watch.has_data()
    if process.is_alive() and process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    if has_commit or watch.has_commit():
        return "after the commit"
    return "between first byte and commit" if has_data else "before the first byte"


def _wait(happened: Callable[[], bool], process: BaseProcess) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while not happened() and process.is_alive():
        if time.monotonic() > deadline:
            raise TimeoutError("the import did not get that far")
        time.sleep(_POLL_S)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_import", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rows", type=int, default=400_000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(kill_imports(Path(folder), kills=options.kills, rows=options.rows)))


if __name__ == "__main__":
    main()
