"""Write what was measured as Markdown: every figure beside the target it is meant to reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.report_identity import identity, identity_summary
from benchmarks.tables import table

__all__ = ["report", "summary"]

#: What the figures are meant to reach at 20 million events on two cores.
TARGETS = {
    "funnel ClickHouse": 6.0,
    "funnel DuckDB": 25.0,
    "follows DuckDB": 40.0,
    "import parquet": 400_000,
    "import csv": 120_000,
    "import segment": 60_000,
    "build": 300_000,
    "build peak": 4e9,
    "command": 2.0,
    "peer": 20.0,
    "simulate": 100_000,
}

#: Times of analyses have targets for so many events.
TARGET_EVENTS = 20_000_000

NAMES = {"funnel": "Funnel of four steps within seven days", "follows": "Directly-follows counts of events"}


PEER_NAMES = {"retentioneering": "Retentioneering {}", "pm4py": "PM4Py {}, pandas", "pm4py-polars": "PM4Py {}, Polars"}
PEER_QUESTIONS = {
    "funnel": "Funnel of four steps, no window",
    "follows": "Directly-follows counts of events",
    "variants": "All variants of persons' paths",
}


def report(found: dict[str, Any]) -> str:
    """The whole page, from the figures that :mod:`benchmarks.run` collects."""
    parts = [
        "# Results",
        "Written by `make bench`; [README.md](README.md) says how each figure is measured and what bounds it.",
        _machine(found["machine"]),
    ]
    if "sizes" in found:
        parts += ["## Questions\n\n" + _questions(found["sizes"]), "## From files to journeys\n\n" + _ways_in(found)]
    if "analyses" in found:
        parts.append("## Analyses, map and report\n\n" + _analyses(found["analyses"]))
    if "peers" in found:
        parts.append("## Beside other tools\n\n" + _peers(found["peers"]))
    if "simulate" in found:
        parts.append("## The invented shop\n\n" + _simulate(found["simulate"]))
    if "identity" in found:
        parts.append("## Who is one person\n\n" + identity(found["identity"]))
    parts.append("## What the machine allows\n\n" + _limits(found["limits"]))
    if "kills" in found:
        parts.append("## Imports killed half-way\n\n" + _kills(found["kills"]))
    return "\n\n".join(parts) + "\n"


def summary(found: dict[str, Any]) -> str:
    """A few rows for the README: the largest size."""
    size, machine = found["sizes"][-1], found["machine"]
    rows = []
    for question, name in NAMES.items():
        timed = size["questions"]["questions"][question]["timings"]
        times = {label: timing["median_s"] for label, timing in timed.items()}
        fastest = [min(t for label, t in times.items() if label.startswith(e)) for e in ("ClickHouse", "DuckDB")]
        rows.append((name, _ms(times["Percorso"]), _ms(fastest[0]), _ms(fastest[1])))
    rates = [(f"import, {kind}", found["text"][kind]["rate"]) for kind in found["text"]]
    rates += [("import, parquet", size["import"]["rate"]), ("build", size["build"]["rate"])]
    ways = table(("step", "events per second"), [(name, f"{rate:,.0f}") for name, rate in rates])
    head = (
        f"Over {size['events']:,} events on {machine['cores']} cores ({machine['processor']}), medians of warm runs; "
        f"a funnel from the command line, start included: {size['command']['seconds']:.1f} s."
    )
    parts = [head, table(("question", "Percorso", "ClickHouse", "DuckDB"), rows), ways]
    measured = [each for each in found.get("identity", []) if each["events"] >= size["events"]]
    parts += [identity_summary(each) for each in measured[:1]]
    return "\n\n".join(parts)


def _machine(machine: dict[str, Any]) -> str:
    return (
        f"{machine['date']}, {machine['cores']} cores ({machine['processor']}), "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB of memory, {machine['system']}, Python {machine['python']}. "
        "Medians; ratios are of runs taken in turns in one process."
    )


def _questions(sizes: list[dict[str, Any]]) -> str:
    rows: list[Sequence[str]] = []
    for size in sizes:
        for question, name in NAMES.items():
            rows.extend(_question_rows(size, question, name))
    header = ("events", "question", "Percorso", "other engine, fastest form", "its time", "ratio", "target")
    return table(header, rows)


def _question_rows(size: dict[str, Any], question: str, name: str) -> Iterable[Sequence[str]]:
    timings = {
        label: timing["median_s"] for label, timing in size["questions"]["questions"][question]["timings"].items()
    }
    own = timings["Percorso"]
    for engine in ("ClickHouse", "DuckDB"):
        forms = {label: seconds for label, seconds in timings.items() if label.startswith(engine)}
        fastest = min(forms, key=lambda label: forms[label])
        target = TARGETS.get(f"{question} {engine}")
        yield (
            f"{size['events']:,}", name, _ms(own), fastest, _ms(forms[fastest]), f"{forms[fastest] / own:.1f}×",
            f"≥ {target:.0f}×" if target else "-",
        )  # fmt: skip


def _analyses(sizes: list[dict[str, Any]]) -> str:
    """Each analysis: how long it takes, what its threads work in all, and how often memory could be read meanwhile."""
    rows: list[Sequence[str]] = []
    for size in sizes:
        scan = size["memory"]["median_s"]
        for name, timed in size["questions"].items():
            seconds, cpu = timed["median_s"], timed["cpu_s"]
            target = f"≤ {timed['target_s']:.0f} s" if size["events"] >= TARGET_EVENTS else "-"
            rows.append(
                (f"{size['events']:,}", name, _ms(seconds), f"{cpu:.2f} s", f"{cpu / seconds:.1f}",
                 f"{seconds / scan:.1f}×", target)
            )  # fmt: skip
        rows.append((f"{size['events']:,}", "all columns of events, read once", _ms(scan), "-", "-", "1.0×", "-"))
    header = ("events", "question", "time", "all threads", "cores busy", "beside reading all", "target")
    return table(header, rows)


def _peers(found: dict[str, Any]) -> str:
    """Each question of each other tool beside Percorso's time for it, and what comes before the first question."""
    ours = found["Percorso"]
    tools = {peer: name.format(found[peer]["version"]) for peer, name in PEER_NAMES.items()}
    rows: list[Sequence[str]] = []
    for question, name in PEER_QUESTIONS.items():
        for peer in (peer for peer in tools if question in found[peer]["questions"]):
            own, other = (each["questions"][question]["median_s"] for each in (ours, found[peer]))
            ratio, target = f"{other / own:.1f}×", f"≥ {TARGETS['peer']:.0f}×"
            rows.append((name, _ms(own), tools[peer], _ms(other), ratio, target))
    before = [("Percorso", f"{ours['import_s']:.1f} s to import and {ours['build_s']:.1f} s to build, once", _gb(ours))]
    for peer, tool in tools.items():
        loaded = f"{found[peer]['load_s']:.1f} s to load and prepare the file, in each process"
        before.append((tool, loaded, _gb(found[peer])))
    head = (
        f"{found['events']:,} events from one Parquet file, each tool in a process of its own, its data ready in "
        "memory; the answers are equal. Medians of warm runs."
    )
    times = table(("question", "Percorso", "other tool", "its time", "ratio", "target"), rows)
    return f"{head}\n\n{times}\n\n" + table(("tool", "before the first question", "peak memory"), before)


def _simulate(found: dict[str, Any]) -> str:
    rate, target = f"{found['rate']:,.0f}", f"≥ {TARGETS['simulate']:,.0f}/s"
    written, disk = (f"{found[key] / 1e9:.1f} GB" for key in ("written_bytes", "disk_bytes"))
    row = ("`percorso simulate`", f"{found['events']:,}", f"{found['seconds']:.1f} s", rate, _gb(found), written, disk)
    header = ("step", "events", "seconds", "events/s", "peak memory, largest process", "written", "disk meanwhile")
    return table((*header, "target"), [(*row, target)])


def _ways_in(found: dict[str, Any]) -> str:
    rows = []
    for kind, figure in found.get("text", {}).items():
        rows.append(_rate_row(f"import {kind}", figure, TARGETS[f"import {kind}"]))
    for size in found["sizes"]:
        rows.append(_rate_row("import parquet", size["import"], TARGETS["import parquet"]))
        rows.append(_rate_row("build --full", size["build"] | {"events": size["events"]}, TARGETS["build"]))
        command = size["command"]
        seconds = f"{command['seconds']:.2f} s"
        rows.append(("one-shot `percorso funnel`", f"{size['events']:,}", seconds, "-", _gb(command), "< 2 s"))
    return table(("step", "events", "seconds", "events/s", "peak memory", "target"), rows)


def _rate_row(name: str, figure: dict[str, Any], target: float) -> Sequence[str]:
    rate, wanted = f"{figure['rate']:,.0f}", f"≥ {target:,.0f}/s"
    return (name, f"{figure['events']:,}", f"{figure['seconds']:.1f} s", rate, _gb(figure), wanted)


def _limits(limits: dict[str, float]) -> str:
    texts = {
        "memory_scan_bytes_per_s": ("memory read by numpy's sum, all cores", 1e-9, "{:.1f} GB/s"),
        "memory_copy_bytes_per_s": ("memory copied by numpy, all cores", 1e-9, "{:.1f} GB/s"),
        "sha256_bytes_per_s": ("SHA-256 of large content, one core", 1e-9, "{:.2f} GB/s"),
        "sort_rows_per_s": ("rows sorted by person and time (DuckDB, 24 bytes each)", 1, "{:,.0f}/s"),
        "fsync_ms": ("one synced write of 4 KiB", 1, "{:.2f} ms"),
        "write_bytes_per_s": ("one synced write of 256 MiB", 1e-6, "{:,.0f} MB/s"),
        "parquet_rows_per_s": ("rows read from Parquet, nothing done to them", 1, "{:,.0f}/s"),
        "csv_rows_per_s": ("rows read from CSV (pyarrow), nothing done to them", 1, "{:,.0f}/s"),
        "json_rows_per_s": ("JSON lines decoded (msgspec, one core), nothing done to them", 1, "{:,.0f}/s"),
    }
    rows = [(name, form.format(limits[key] * unit)) for key, (name, unit, form) in texts.items() if key in limits]
    return table(("limit", "measured"), rows)


def _kills(kills: dict[str, Any]) -> str:
    return table(("figure", "count"), [(key.replace("_", " "), f"{value}") for key, value in kills.items()])


def _gb(figure: dict[str, Any]) -> str:
    return f"{figure['peak_bytes'] / 1e9:.2f} GB"


def _ms(seconds: float) -> str:
    return f"{seconds * 1_000:,.1f} ms"
