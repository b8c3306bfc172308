"""Measure Percorso and write RESULTS.md: `make bench`, or

    python -m benchmarks.run [--events 1000000,5000000,20000000] [--with-100m] [--runs 7] [--repeat 3] [--kills 50]

Every measured step runs in a process of its own. Data and workspaces go to benchmarks/data, raw figures to
benchmarks/.work; both are ignored by git.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT, Run, run_command, run_module
from benchmarks.report import report, summary

DATA = ROOT / "benchmarks" / "data"
WORK = ROOT / "benchmarks" / ".work"
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
PERCORSO = str(Path(sys.executable).with_name("percorso"))
STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")

#: The README shows the figures of a run at least this large, between these marks.
README_EVENTS = 20_000_000
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

#: Text formats are measured on at most this many events: their rate does not depend on the size.
TEXT_EVENTS = 1_000_000


def say(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}  {text}", flush=True)


def percorso(workspace: Path, *arguments: str) -> Run:
    return run_command([PERCORSO, "-w", str(workspace), *arguments])


def repeated(run: Callable[[], Run], times: int) -> dict[str, Any]:
    """Median seconds and largest peak of several runs."""
    runs = [run() for _ in range(times)]
    return {
        "seconds": statistics.median(each.seconds for each in runs),
        "all_seconds": [each.seconds for each in runs],
        "peak_bytes": max(each.peak_bytes for each in runs),
    }


def import_into(workspace: Path, file: Path, mapping: Path | None) -> Run:
    """Import one file into a fresh workspace; only the import is measured."""
    shutil.rmtree(workspace, ignore_errors=True)
    percorso(workspace, "init", "--currency", "EUR", "--timezone", "Europe/Rome", "--language", "en")
    return percorso(workspace, "import", str(file), "--json", *(("--mapping", str(mapping)) if mapping else ()))


def measure_import(kind: str, events: int, workspace: Path, repeat: int) -> dict[str, Any]:
    files = generated(events)
    say(f"import of {events:,} events, {kind}")
    mapping = files["mapping"] if kind in ("parquet", "csv") else None
    found = repeated(lambda: import_into(workspace, files[kind], mapping), repeat)
    return found | {"events": events, "bytes": files[kind].stat().st_size, "rate": events / found["seconds"]}


def generated(events: int) -> dict[str, Path]:
    """The generated files of this size, by format; what is there already is kept."""
    folder = DATA / str(events)
    done = folder / "done"
    if not done.exists():
        say(f"generating {events:,} events")
        text = ("--text",) if events <= TEXT_EVENTS else ()
        run_module("benchmarks.generate", str(folder), "--events", str(events), *text)
        done.touch()
    names = {"parquet": "events.parquet", "csv": "events.csv", "segment": "events.ndjson", "mapping": "mapping.toml"}
    return {kind: folder / name for kind, name in names.items()}


def measure_size(events: int, options: argparse.Namespace) -> dict[str, Any]:
    """Import, build, questions and the command line on one size."""
    workspace = DATA / str(events) / "workspace"
    found: dict[str, Any] = {"events": events}
    found["import"] = measure_import("parquet", events, workspace, options.repeat)
    say("build --full")
    build = repeated(lambda: percorso(workspace, "build", "--full"), options.repeat)
    found["build"] = build | {"rate": events / build["seconds"]}
    say("questions to Percorso, ClickHouse and DuckDB")
    found["questions"] = run_module("benchmarks.questions", str(workspace), str(WORK), "--runs", str(options.runs)).json
    say("one-shot funnel from the command line")
    steps = [word for step in STEPS for word in ("--step", step)]
    command = ("funnel", *steps, "--within", "7d", "--format", "json")
    percorso(workspace, *command)
    found["command"] = repeated(lambda: percorso(workspace, *command), options.runs)
    return found


def machine() -> dict[str, Any]:
    model = ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_bytes": memory,
        "processor": model or platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--events", default="1000000,5000000,20000000", help="sizes, separated by commas")
    parser.add_argument("--with-100m", action="store_true", help="also 100 million events; takes hours and 60 GB")
    parser.add_argument("--runs", type=int, default=7, help="warm runs of each question")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each import and build")
    parser.add_argument("--kills", type=int, default=50, help="imports killed half-way; 0 leaves that out")
    return parser.parse_args(arguments)


def write(found: dict[str, Any]) -> None:
    """Write raw figures, RESULTS.md and, where the largest size was measured, the figures in the README."""
    (WORK / "results.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    RESULTS.write_text(report(found), encoding="utf-8")
    if found["sizes"][-1]["events"] >= README_EVENTS:
        readme = ROOT / "README.md"
        before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        readme.write_text(f"{before}{BEGIN}\n\n{summary(found)}\n\n{END}{after}", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    sizes = [int(size) for size in options.events.split(",")] + ([100_000_000] if options.with_100m else [])
    WORK.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {"machine": machine(), "sizes": []}
    text_events = min(TEXT_EVENTS, max(sizes))
    files = generated(text_events)
    say("limits of the machine")
    formats = (("--parquet", "parquet"), ("--csv", "csv"), ("--ndjson", "segment"))
    given = [word for option, kind in formats for word in (option, str(files[kind]))]
    found["limits"] = run_module("benchmarks.limits", str(WORK), *given).json
    scratch = DATA / "text-workspace"
    found["text"] = {kind: measure_import(kind, text_events, scratch, options.repeat) for kind in ("csv", "segment")}
    for events in sizes:
        found["sizes"].append(measure_size(events, options))
        write(found)
    if options.kills:
        say(f"{options.kills} imports killed")
        found["kills"] = run_module("benchmarks.kill_import", "--kills", str(options.kills)).json
    write(found)
    say(f"written: {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
