"""Measure who is one person: whole builds, increments, erasure, and imports past a suppression list.

Called by :mod:`benchmarks.run`; every measured step runs in a process of its own. An increment is measured on the
state that a whole build left (copied, so that it can be repeated) and beside a whole build of the same lake; both
must leave the same log, or there is no result.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.child import Run, run_module
from benchmarks.common import DATA, fresh_workspace, median, percorso, say
from benchmarks.generate_identity import SMALL_FILES, SOURCES

__all__ = ["measure_identity"]

#: Larger workspaces see one erasure and not `repeat` of them: each ends with a whole build.
_MOST_FOR_REPEATED = 2_000_000
#: Hashes of rows on the suppression list, beside those of the person who was erased.
_SUPPRESSED = 10_000
#: Folders that a build changes.
_BUILT = ("log", "state")


def measure_identity(events: int, repeat: int) -> dict[str, Any]:
    """All figures of one size.

    Parameters
    ----------
    events : int
    repeat : int
        How often builds, increments and imports past the suppression list are repeated.
    """
    files, workspace = _generated(events), DATA / f"identity-{events}" / "workspace"
    say(f"identity, {events:,} events: import of six sources")
    _warm(files)
    shutil.rmtree(workspace, ignore_errors=True)
    fresh_workspace(workspace)
    found: dict[str, Any] = {"events": events, "load": os.getloadavg()[0]}
    found["import"] = _imported(workspace, files, SOURCES)
    say("build --full")
    found["build"] = _whole_builds(workspace, repeat)
    kept = workspace.with_name("kept")
    _copy(workspace, kept)
    say("import of the newest events, increments beside whole builds")
    found["import_new"] = _imported(workspace, files, SOURCES, "_new")
    found |= _increments(workspace, kept, repeat)
    shutil.rmtree(kept)
    say("resolution alone")
    found["resolution"] = run_module("benchmarks.resolution", str(workspace), "--runs", str(repeat)).json
    say("increments of a small file")
    found["small"] = _small_increments(workspace, files)
    say("erasure")
    found["erasure"] = _erasures(workspace, repeat if events <= _MOST_FOR_REPEATED else 1)
    shutil.rmtree(workspace)
    say("imports past a suppression list")
    found["suppression"] = _past_suppression(files, repeat)
    return found


def _generated(events: int) -> Path:
    """The folder of generated files of this size; what is there already is kept."""
    folder = DATA / f"identity-{events}"
    done = folder / "done"
    if not done.exists():
        say(f"generating {events:,} events of six sources")
        run_module("benchmarks.generate_identity", str(folder), "--events", str(events))
        done.touch()
    return folder


def _warm(files: Path) -> None:
    """Import and build a little, so that no measured step compiles loops for the first time on this machine."""
    scratch = files / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    fresh_workspace(scratch)
    for number in (1, 2):
        _import(scratch, files / f"small_{number}.parquet", files / "web.toml")
        _build(scratch)
    shutil.rmtree(scratch)


def _import(workspace: Path, file: Path, mapping: Path) -> Run:
    return percorso(workspace, "import", str(file), "--mapping", str(mapping), "--json")


def _imported(workspace: Path, files: Path, sources: Sequence[str], suffix: str = "") -> dict[str, Any]:
    """One command for each source: seconds of all, the largest peak."""
    runs = [_import(workspace, files / f"{source}{suffix}.parquet", files / f"{source}.toml") for source in sources]
    events = sum(run.json["events"] for run in runs)
    seconds = sum(run.seconds for run in runs)
    peak = max(run.peak_bytes for run in runs)
    return {"seconds": seconds, "events": events, "rate": events / seconds, "peak_bytes": peak}


def _build(workspace: Path, *options: str) -> Run:
    return percorso(workspace, "build", "--json", *options)


def _whole_builds(workspace: Path, repeat: int) -> dict[str, Any]:
    runs = [_build(workspace, "--full") for _ in range(repeat)]
    report, found = runs[-1].json, median(runs)
    counts = {name: report[name] for name in ("events", "persons", "unidentified")}
    return found | counts | {"rate": counts["events"] / found["seconds"]}


def _increments(workspace: Path, kept: Path, repeat: int) -> dict[str, Any]:
    """Increments and whole builds of the same lake, in turns."""
    increments, whole = [], []
    for turn in range(repeat):
        if turn:
            _copy(kept, workspace)
        increments.append(_build(workspace))
        made = _made(workspace)
        whole.append(_build(workspace, "--full"))
        _check_same(made, _made(workspace))
    return {
        "increment": _against(increments, statistics.median(run.seconds for run in whole)),
        "build_again": median(whole) | {"events": whole[-1].json["events"]},
    }


def _small_increments(workspace: Path, files: Path) -> dict[str, Any]:
    """One small file after the other; a whole build at the end."""
    runs = []
    for number in range(1, SMALL_FILES + 1):
        _import(workspace, files / f"small_{number}.parquet", files / "web.toml")
        runs.append(_build(workspace))
    made, whole = _made(workspace), _build(workspace, "--full")
    _check_same(made, _made(workspace))
    return _against(runs, whole.seconds)


def _against(runs: Sequence[Run], whole_s: float) -> dict[str, Any]:
    found = median(runs)
    reports = [run.json for run in runs]
    return found | {
        "touched": round(statistics.median(report["touched"] for report in reports)),
        "share": found["seconds"] / whole_s,
        "inside_s": statistics.median(report["seconds"] for report in reports),
    }


def _made(workspace: Path) -> tuple[str, str]:
    """What tells two logs apart: the version, which is a hash of all buckets, and the hash of the alias table."""
    manifest = json.loads((workspace / "log" / "manifest.json").read_bytes())
    return manifest["data_version"], manifest["alias"]


def _check_same(increment: tuple[str, str], whole: tuple[str, str]) -> None:
    if increment != whole:
        raise RuntimeError(f"an increment and a whole build differ: {increment} {whole}")


def _copy(source: Path, target: Path) -> None:
    """What builds have made, with nothing of it left to be written by the system while something is measured."""
    for name in _BUILT:
        shutil.rmtree(target / name, ignore_errors=True)
        shutil.copytree(source / name, target / name)
    os.sync()


def _erasures(workspace: Path, times: int) -> dict[str, Any]:
    """Erase persons with about fifty events, one after the other."""
    runs = [run_module("benchmarks.erasure", str(workspace), "--about", "50") for _ in range(times)]
    told = [run.json for run in runs]
    parts = {name: statistics.median(each[name] for each in told) for name in told[0]}
    return median(runs) | parts


def _past_suppression(files: Path, repeat: int) -> dict[str, Any]:
    """Import the web's events into workspaces that differ in this alone: whether somebody was erased before."""
    plain, listed, scratch = (files / name for name in ("plain", "listed", "scratch"))
    for folder in (plain, listed, scratch):
        shutil.rmtree(folder, ignore_errors=True)
    fresh_workspace(plain)
    _import(plain, files / "till_new.parquet", files / "till.toml")
    _build(plain)
    shutil.copytree(plain, listed)
    run_module("benchmarks.erasure", str(listed), "--about", "2", "--more-suppressed", str(_SUPPRESSED))
    runs: dict[Path, list[Run]] = {plain: [], listed: []}
    for _ in range(repeat):
        for base, done in runs.items():
            shutil.copytree(base, scratch)
            os.sync()
            done.append(_import(scratch, files / "web.parquet", files / "web.toml"))
            shutil.rmtree(scratch)
    without, with_list = median(runs[plain]), median(runs[listed])
    for base in runs:
        shutil.rmtree(base)
    events = runs[plain][0].json["events"]
    ratio = with_list["seconds"] / without["seconds"]
    return {"events": events, "hashes": _SUPPRESSED, "without": without, "with": with_list, "ratio": ratio}
