"""Measure Percorso on Apache Spark beside Percorso in one process: `make bench-spark`, or

    python -m benchmarks.spark [--events 1000000,5000000,20000000] [--build-events 30000000] [--only overhead,build]
                               [--resume] [--runs 5] [--repeat 3] [--quick]

Each section writes its figures to benchmarks/spark.json as it ends, and the tables of docs/concepts/scale.md are made
from that file; `--quick` measures 200,000 events once, and writes to benchmarks/.work alone. See benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT, run_module
from benchmarks.common import DATA, WORK, fresh_workspace, percorso, say
from benchmarks.report_spark import tables
from benchmarks.run import machine
from benchmarks.scale import write_page
from benchmarks.spark_cluster import CORES, Watched, cluster, run_child, settings_of, spark_log, telling, worked_in
from tests.cluster.standalone import Standalone

RESULTS = ROOT / "benchmarks" / "spark.json"
PAGE = ROOT / "docs" / "concepts" / "scale.md"
CHILD = "benchmarks.spark_child"
QUICK_EVENTS = 200_000
BUCKET_BITS = (3, 6, 9)

#: A build of so many events leaves so many bytes on the disk while it runs, files of the workspace included: a guess
#: on the safe side, to stop before the disk is full.
BYTES_AN_EVENT = 1_000


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark", description=__doc__)
    parser.add_argument("--events", default="1000000,5000000,20000000", help="sizes for questions")
    parser.add_argument("--build-events", default="30000000", help="sizes for builds; 100000000 takes hours and 100 GB")
    parser.add_argument("--worker-build-events", type=int, default=5_000_000, help="built by one worker and by two")
    parser.add_argument("--bucket-events", type=int, default=5_000_000, help="asked in 8, 64 and 512 buckets")
    parser.add_argument("--only", default="", metavar="NAMES", help=f"some of {', '.join(SECTIONS)}; the rest is kept")
    parser.add_argument("--resume", action="store_true", help="leave out sizes that the results have already")
    parser.add_argument("--runs", type=int, default=5, help="warm runs of each question")
    parser.add_argument("--repeat", type=int, default=3, help="builds by one worker and by two")
    parser.add_argument("--build-repeat", type=int, default=1, help="builds of each size of --build-events")
    parser.add_argument("--limit", type=float, default=7_200, help="seconds that one step may take")
    parser.add_argument("--quick", action="store_true", help="200,000 events, once: does the bench run?")
    parser.add_argument("--data", type=Path, default=DATA, help="where events and workspaces are kept")
    parser.add_argument(
        "--scratch", type=Path, default=WORK / "spark", help="where clusters work, in a folder that goes"
    )
    parser.add_argument("--results", type=Path, default=None, help="another file than benchmarks/spark.json")
    options = parser.parse_args(arguments)
    options.only = options.only.split(",") if options.only else list(SECTIONS)
    unknown = sorted(set(options.only) - set(SECTIONS))
    if unknown:
        parser.error(f"--only knows {', '.join(SECTIONS)}, not {', '.join(unknown)}")
    if options.quick:
        options.events = options.build_events = str(QUICK_EVENTS)
        options.worker_build_events = options.bucket_events = QUICK_EVENTS
        options.runs = options.repeat = options.build_repeat = 1
        options.results = options.results or WORK / "spark-quick.json"
    options.results = options.results or RESULTS
    options.sizes, options.build_sizes = (
        [int(size) for size in given.split(",")] for given in (options.events, options.build_events)
    )
    return options


# ------------------------------------------------------------------------------------------------ workspaces


def workspace_of(options: argparse.Namespace, events: int, bits: int | None = None) -> Path:
    """A workspace with so many events and an up-to-date log, in so many buckets; made where there is none."""
    folder = options.data / str(events)
    if not (folder / "done").exists():
        say(f"generating {events:,} events")
        run_module("benchmarks.generate", str(folder), "--events", str(events))
        (folder / "done").touch()
    workspace: Path = folder / ("workspace" if bits is None else f"workspace-{2**bits}")
    if not (workspace / "log" / "manifest.json").exists():
        say(f"importing {events:,} events")
        shutil.rmtree(workspace, ignore_errors=True)
        fresh_workspace(workspace)
        percorso(workspace, "import", str(folder / "events.parquet"), "--mapping", str(folder / "mapping.toml"))
    if bits is not None:
        settings = workspace / "percorso.toml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(re.sub(r"(?m)^#?\s*bucket_bits\s*=.*$", f"bucket_bits = {bits}", text), encoding="utf-8")
    percorso(workspace, "--engine", "local", "build")
    return workspace


def manifest_of(workspace: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((workspace / "log" / "manifest.json").read_text(encoding="utf-8"))
    return found


def stored(workspace: Path) -> dict[str, Any]:
    """Bytes and files of lake and log, by what the manifest names: files of earlier logs stay for an hour."""
    manifest = manifest_of(workspace)
    named = set(re.findall(r'"([^"]+\.arrow)"', json.dumps(manifest)))
    sizes = {name: (workspace / "log" / name).stat().st_size for name in named}
    traces = set((manifest.get("traces") or {}).values())
    lake = [path.stat().st_size for path in (workspace / "lake").rglob("*.parquet")]
    bucket = sum(sizes[name] for name in set(manifest["buckets"][0]["files"].values()))
    return {
        "lake_bytes": sum(lake),
        "lake_files": len(lake),
        "log_bytes": sum(size for name, size in sizes.items() if name not in traces),
        "log_files": len(sizes) - len(traces),
        "trace_bytes": sum(sizes[name] for name in traces),
        "alias_bytes": sizes[manifest["alias"]],
        "manifest_bytes": (workspace / "log" / "manifest.json").stat().st_size,
        "buckets": len(manifest["buckets"]),
        "largest_bucket_events": max(one["n_events"] for one in manifest["buckets"]),
        "first_bucket_bytes": bucket,
    }


# -------------------------------------------------------------------------------------------------- sections


def asked(
    options: argparse.Namespace, workspace: Path, master: str, settings: dict[str, str], *more: str
) -> dict[str, Any]:
    """The questions, by a child; beside each what Spark says of its tasks."""
    log = options.scratch / "told"
    shutil.rmtree(log, ignore_errors=True)
    words = [word for name, value in (settings | telling(log)).items() for word in ("--conf", f"{name}={value}")]
    given = ("questions", str(workspace), "--master", master, "--runs", str(options.runs), *words, *more)
    found = run_child(CHILD, *given, limit_s=options.limit)
    events = spark_log(log)
    for one in found["questions"].values():
        one["spark"] = worked_in(events, one.pop("window_ms"))
    return found


def built(options: argparse.Namespace, workspace: Path, far: Standalone) -> dict[str, Any]:
    """A whole build by a cluster, watched."""
    log = options.scratch / "told"
    shutil.rmtree(log, ignore_errors=True)
    words = [word for name, value in settings_of(far, log).items() for word in ("--conf", f"{name}={value}")]
    with Watched(far) as watched:
        given = ("build", str(workspace), "--master", far.master, *words)
        found = run_child(CHILD, *given, limit_s=options.limit, watched=watched)
    manifest = manifest_of(workspace)
    kept = {name: manifest[name] for name in ("data_version", "alias")}
    return found | {"spark": worked_in(spark_log(log), found["window_ms"]), "memory": watched.told(), "log": kept}


def built_here(options: argparse.Namespace, workspace: Path) -> dict[str, Any]:
    """The same by one process."""
    found = run_child(CHILD, "build", str(workspace), limit_s=options.limit)
    manifest = manifest_of(workspace)
    return found | {"log": {name: manifest[name] for name in ("data_version", "alias")}}


def measure_overhead(options: argparse.Namespace, events: int) -> dict[str, Any]:
    """Spark in this very process' Java, two tasks at a time, beside no Spark."""
    say(f"questions to {events:,} events: Spark beside this process")
    return asked(options, workspace_of(options, events), "local[2]", {})


def measure_driver(options: argparse.Namespace, events: int) -> dict[str, Any]:
    """What a driver holds and gets that only asks: its tasks are elsewhere."""
    workspace = workspace_of(options, events)
    say(f"questions to {events:,} events: what the driver of a cluster holds")
    with cluster(options.scratch, 2) as far:
        return asked(options, workspace, far.master, settings_of(far, options.scratch / "told"), "--alone")


def measure_workers(options: argparse.Namespace, events: int) -> dict[str, Any]:
    """One worker, and two, of one core each: questions at the largest size, and a build."""
    workspace, found = workspace_of(options, events), {}
    for n in (1, 2):
        say(f"questions to {events:,} events: {n} worker(s)")
        with cluster(options.scratch, n) as far:
            found[str(n)] = asked(options, workspace, far.master, settings_of(far, options.scratch / "told"), "--alone")
    return {"workers": found}


def measure_worker_build(options: argparse.Namespace, events: int) -> dict[str, Any]:
    """A build by one worker and by two, in turns."""
    workspace = workspace_of(options, events)
    runs: dict[str, list[dict[str, Any]]] = {"1": [], "2": []}
    for turn in range(options.repeat):
        for n, done in runs.items():
            say(f"build of {events:,} events by {n} worker(s), {turn + 1} of {options.repeat}")
            with cluster(options.scratch, int(n)) as far:
                done.append(built(options, workspace, far))
    return {"workers": {n: _middle(done) for n, done in runs.items()}}


def measure_build(options: argparse.Namespace, events: int) -> dict[str, Any]:
    """A build by two executors of 2 GB beside one by this machine alone, with equal logs.

    Raises
    ------
    RuntimeError
        The logs differ: then no time means anything.
    """
    free = shutil.disk_usage(_made(options.scratch)).free
    if free < events * BYTES_AN_EVENT:
        raise SystemExit(f"{events * BYTES_AN_EVENT / 1e9:.0f} GB must be free to build {events:,} events on Spark.")
    workspace = workspace_of(options, events)
    near, far_runs = [], []
    for turn in range(options.build_repeat):
        say(f"build of {events:,} events, {turn + 1} of {options.build_repeat}: one process")
        near.append(built_here(options, workspace))
        say(f"build of {events:,} events, {turn + 1} of {options.build_repeat}: two workers")
        with cluster(options.scratch, 2) as far:
            far_runs.append(built(options, workspace, far))
    if any(one["log"] != near[0]["log"] for one in (*near, *far_runs)):
        raise RuntimeError("Spark has built another log than one process")
    sizes = stored(workspace)
    piece = run_module("benchmarks.spark_piece", str(workspace)).json
    found = {"local": _middle(near), "spark": _middle(far_runs), "cores": 2 * CORES, "stored": sizes, "piece": piece}
    return found | {"ratio": found["spark"]["seconds"] / found["local"]["seconds"]}


def _middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run with the median time, and the times and largest memory of all."""
    seconds = [one["seconds"] for one in runs]
    middle = min(runs, key=lambda one: (abs(one["seconds"] - statistics.median(seconds)), one["seconds"]))
    most = {name: max(one["memory"][name] for one in runs) for name in runs[0].get("memory", {})}
    return middle | {"seconds": statistics.median(seconds), "runs_s": seconds} | ({"memory": most} if most else {})


def measure_buckets(options: argparse.Namespace, events: int) -> dict[str, Any]:
    """The same events in few buckets and in many."""
    rows = []
    for bits in BUCKET_BITS:
        workspace = workspace_of(options, events, bits)
        say(f"questions to {events:,} events in {2**bits} buckets")
        rows.append(asked(options, workspace, "local[2]", {}))
    few, many = rows[0], rows[-1]
    more = many["buckets"] - few["buckets"]
    a_bucket = {
        name: {
            engine: (many["questions"][name][f"{engine}_s"] - few["questions"][name][f"{engine}_s"]) / more
            for engine in ("local", "spark")
        }
        for name in few["questions"]
    }
    return {"rows": rows, "seconds_a_bucket": a_bucket}


Measure = Callable[[argparse.Namespace, int], dict[str, Any]]

#: Sections in the order in which they run: how one size is measured, and which sizes the options ask for.
SECTIONS: dict[str, tuple[Measure, Callable[[argparse.Namespace], list[int]]]] = {
    "overhead": (measure_overhead, lambda options: options.sizes),
    "driver": (measure_driver, lambda options: options.sizes),
    "workers": (measure_workers, lambda options: [max(options.sizes)]),
    "worker-build": (measure_worker_build, lambda options: [options.worker_build_events]),
    "buckets": (measure_buckets, lambda options: [options.bucket_events]),
    "build": (measure_build, lambda options: options.build_sizes),
}


# --------------------------------------------------------------------------------------------------- results


def versions() -> dict[str, Any]:
    """The machine, and the versions that matter here."""
    java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
    names = ("pyspark", "pyarrow", "numpy", "numba", "percorso")
    return machine() | {name: importlib.metadata.version(name) for name in names} | {"java": java.splitlines()[0]}


def read_results(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


def put(options: argparse.Namespace, found: dict[str, Any], section: str, figures: dict[str, Any]) -> None:
    """Add the figures of one size, in place of those there were, and write."""
    kept = [each for each in found.get(section, []) if each["size"] != figures["size"]]
    found[section] = sorted([*kept, figures], key=lambda each: int(each["size"]))
    options.results.parent.mkdir(parents=True, exist_ok=True)
    draft = options.results.with_suffix(".draft")
    draft.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draft.replace(options.results)


def measure_all(options: argparse.Namespace) -> dict[str, Any]:
    whole = len(options.only) == len(SECTIONS) and not options.resume
    found = {} if whole else read_results(options.results)
    found["machine"] = versions()
    for section in options.only:
        measure, sizes_of = SECTIONS[section]
        for events in sizes_of(options):
            if options.resume and any(each["size"] == events for each in found.get(section, [])):
                say(f"{section}, {events:,} events: measured before")
                continue
            began = time.monotonic()
            figures = measure(options, events)
            took = {"size": events, "took_s": round(time.monotonic() - began, 1), "date": found["machine"]["date"]}
            put(options, found, section, took | figures)
    return found


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that what was started is ended
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_made(options.scratch)) as folder:
        options.scratch = Path(folder)
        found = measure_all(options)
    print(f"\n{tables(found)}\n")
    if options.results == RESULTS:
        write_page(PAGE, found)
        say(f"written: {RESULTS.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}")
    else:
        say(f"written: {options.results}")


if __name__ == "__main__":
    main()
