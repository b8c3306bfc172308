"""Measure Percorso and write RESULTS.md: `make bench`, or

    python -m benchmarks.run [--events 1000000,5000000,20000000] [--only identity] [--with-100m]
                             [--runs 7] [--repeat 3] [--kills 50]

Every measured step runs in a process of its own. Data and workspaces go to benchmarks/data, raw figures to
benchmarks/.work; both are ignored by git. With `--only`, the other figures of RESULTS.md stay as they were
measured last.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT, Run, run_module
from benchmarks.common import DATA, WORK, fresh_workspace, percorso, repeated, say
from benchmarks.identity import measure_identity
from benchmarks.peers import measure_peers
from benchmarks.report import report, summary
from benchmarks.simulate import SIMULATED_EVENTS, measure_simulate

RESULTS = ROOT / "benchmarks" / "RESULTS.md"
STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")

#: The README shows the figures of a run at least this large, between these marks.
README_EVENTS = 20_000_000
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

#: Text formats are measured on at most this many events: their rate does not depend on the size.
TEXT_EVENTS = 1_000_000

#: What can be measured by itself.
SECTIONS = ("text", "sizes", "analyses", "identity", "peers", "simulate", "kills")

#: Other tools keep their data in memory: they are asked at this size.
PEER_EVENTS = 2_000_000


def import_into(workspace: Path, file: Path, mapping: Path | None) -> Run:
    """Import one file into a fresh workspace; only the import is measured."""
    shutil.rmtree(workspace, ignore_errors=True)
    fresh_workspace(workspace)
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


def measure_analyses(events: int, options: argparse.Namespace) -> dict[str, Any]:
    """Each analysis, the map and the report over the workspace that "sizes" built; one is built where none is."""
    workspace = DATA / str(events) / "workspace"
    if not (workspace / "log" / "manifest.json").exists():
        measure_import("parquet", events, workspace, 1)
        percorso(workspace, "build")
    say(f"analyses, map and report over {events:,} events")
    found: dict[str, Any] = run_module("benchmarks.analyses", str(workspace), "--runs", str(options.runs)).json
    return found | {"events": events}


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
    parser.add_argument("--only", default="", metavar="NAMES", help=f"some of {', '.join(SECTIONS)}; the rest is kept")
    parser.add_argument("--with-100m", action="store_true", help="also 100 million events; takes hours and 60 GB")
    parser.add_argument("--runs", type=int, default=7, help="warm runs of each question")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each import and build")
    parser.add_argument("--kills", type=int, default=50, help="imports killed half-way; 0 leaves that out")
    options = parser.parse_args(arguments)
    options.only = options.only.split(",") if options.only else list(SECTIONS)
    unknown = sorted(set(options.only) - set(SECTIONS))
    if unknown:
        parser.error(f"--only knows {', '.join(SECTIONS)}, not {', '.join(unknown)}")
    return options


def write(found: dict[str, Any]) -> None:
    """Write raw figures, RESULTS.md and, where the largest size was measured, the figures in the README."""
    (WORK / "results.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    RESULTS.write_text(report(found), encoding="utf-8")
    sizes = found.get("sizes", [])
    if "text" in found and sizes and sizes[-1]["events"] >= README_EVENTS:
        readme = ROOT / "README.md"
        before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        readme.write_text(f"{before}{BEGIN}\n\n{summary(found)}\n\n{END}{after}", encoding="utf-8")


def measured_before() -> dict[str, Any]:
    """The figures of the last run, to which a run of some sections alone adds its own."""
    raw = WORK / "results.json"
    found: dict[str, Any] = json.loads(raw.read_text(encoding="utf-8")) if raw.exists() else {}
    return found


def put(found: dict[str, Any], section: str, figures: dict[str, Any]) -> None:
    """Add the figures of one size, in place of those there were."""
    kept = [each for each in found.get(section, []) if each["events"] != figures["events"]]
    found[section] = sorted([*kept, figures], key=lambda each: int(each["events"]))
    write(found)


def measure_limits(sections: list[str], text_events: int) -> dict[str, Any]:
    """Limits of the machine; those of parsers where files are there to be parsed."""
    given: list[str] = []
    if "text" in sections or "sizes" in sections:
        files = generated(text_events)
        formats = (("--parquet", "parquet"), ("--csv", "csv"), ("--ndjson", "segment"))
        given = [word for option, kind in formats for word in (option, str(files[kind]))]
    say("limits of the machine")
    limits: dict[str, Any] = run_module("benchmarks.limits", str(WORK), *given).json
    return limits


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    sizes = [int(size) for size in options.events.split(",")] + ([100_000_000] if options.with_100m else [])
    WORK.mkdir(parents=True, exist_ok=True)
    found = measured_before() if len(options.only) < len(SECTIONS) else {}
    text_events = min(TEXT_EVENTS, max(sizes))
    found["machine"] = machine()
    found["limits"] = found.get("limits", {}) | measure_limits(options.only, text_events)
    if "text" in options.only:
        scratch = DATA / "text-workspace"
        kinds = ("csv", "segment")
        found["text"] = {kind: measure_import(kind, text_events, scratch, options.repeat) for kind in kinds}
    for events in sizes:
        if "sizes" in options.only:
            put(found, "sizes", measure_size(events, options))
    for events in sizes:
        if "analyses" in options.only:
            put(found, "analyses", measure_analyses(events, options))
    for events in sizes:
        if "identity" in options.only:
            put(found, "identity", measure_identity(events, options.repeat))
    if "peers" in options.only:
        events = min(PEER_EVENTS, max(sizes))
        workspace = DATA / str(events) / "workspace"
        measure_import("parquet", events, workspace, 1)
        percorso(workspace, "build")
        found["peers"] = measure_peers(workspace, options.runs)
        write(found)
    if "simulate" in options.only:
        found["simulate"] = measure_simulate(min(SIMULATED_EVENTS, max(sizes)))
        write(found)
    if options.kills and "kills" in options.only:
        say(f"{options.kills} imports killed")
        found["kills"] = run_module("benchmarks.kill_import", "--kills", str(options.kills)).json
    write(found)
    say(f"written: {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
