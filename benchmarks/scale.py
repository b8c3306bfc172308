"""From what `make bench-spark` measured to what larger sizes would take: the tables of docs/concepts/scale.md.

Every figure is worked out on the page, in lines that begin with figures of benchmarks/spark.json, rounded to four
digits, so that a reader, and a test of the page, can work them out again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report_spark import seconds_text, size_text, tables
from benchmarks.tables import table

__all__ = ["ASSUMED", "SIZES", "Line", "Measured", "blocks", "measured_of", "rounded", "write_page"]

SIZES = {"1 billion": 10**9, "10 billion": 10**10, "100 billion": 10**11}

#: What the page assumes and nobody measured; a reader puts in what applies.
ASSUMED = {
    "cores of a node": 16,
    "memory of a node, bytes": 64e9,
    "disk of a node, bytes": 1e12,
    "price of a core for an hour": 0.05,
    "hours that a whole build may take": 8,
}
_CORES, _MEMORY, _DISK, _PRICE, _HOURS = ASSUMED.values()

#: Machines like the measured one, for the crossing points.
MACHINES = (2, 4, 8, 16, 32)

#: As many buckets has a log at most, and as many events one bucket as long as there may be more buckets.
MOST_BUCKETS, BUCKET_EVENTS = 4_096, 1_500_000

#: Beyond so many seconds of the driver alone the listing of the lake counts as a bottleneck.
LISTING_S = 600

QUESTIONS = ("funnel", "channels", "kpis", "variants")
_DIGITS = 4


def rounded(value: float) -> float:
    """Four digits, as the page shows its figures."""
    return float(f"{value:.{_DIGITS - 1}e}") if value else 0.0


def shown(value: float) -> str:
    """A figure with its digits, and nothing that would not be read back."""
    if value == int(value) and abs(value) < 1e18:
        return f"{int(value):,}"
    return f"{value:.12f}".rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True)
class Line:
    """A figure, and how it comes about: `expression` has numbers and + - × ÷ ( ) ceil alone."""

    name: str
    expression: str
    value: float

    def __str__(self) -> str:
        return f"{self.name} = {self.expression} = {shown(rounded(self.value))}"


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of the bench that the page goes on with, each rounded to four digits.

    Attributes
    ----------
    cores : int
        Of the machine; one process uses all of them.
    question_events, build_events : int
        Largest sizes that were measured.
    core_s_an_event : dict of str to float
        Core seconds of a question in one process for an event.
    more_s : dict of str to float
        What Spark adds to a question, seconds, at the smallest size.
    core_s_a_bucket : dict of str to float
        Core seconds of a bucket, whatever is in it; 0 where it was not more than noise.
    build_rate, local_rate : float
        Events a second and core of a build on Spark, and events a second of one process.
    an_event : dict of str to float
        Bytes for an event of lake, log, traces, alias table, shuffle, the executors' disks, and one process' memory.
    pieces_a_pair : float
        Pieces of a build for each pair of parts.
    sent_a_bucket : float
        Bytes that say of a bucket what a task must know, in all jobs of a question on KPIs.
    """

    cores: int
    question_events: int
    build_events: int
    core_s_an_event: dict[str, float]
    more_s: dict[str, float]
    core_s_a_bucket: dict[str, float]
    build_rate: float
    local_rate: float
    an_event: dict[str, float]
    pieces_a_pair: float
    piece_bytes: int
    part_rows: int
    files_a_bucket: float
    sent_a_bucket: float
    tasks_a_part: float
    list_s_a_file: float
    rows_a_file: float


def measured_of(found: dict[str, Any]) -> Measured:
    """The figures of a finished bench.

    Raises
    ------
    KeyError
        A section was not measured.
    """
    small, large, build = found["overhead"][0], found["overhead"][-1], found["build"][-1]
    cores, events, stored = found["machine"]["cores"], build["size"], build["stored"]
    spark, parts = build["spark"]["spark"], max(build["cores"], -(-build["size"] // build["piece"]["part_rows"]))
    many, a_bucket = found["buckets"][-1]["rows"][-1], found["buckets"][-1]["seconds_a_bucket"]
    of_event = {
        "lake": stored["lake_bytes"],
        "log": stored["log_bytes"],
        "traces": stored["trace_bytes"],
        "alias table": stored["alias_bytes"],
        "shuffled": spark["shuffle_bytes"],
        "disks of executors": build["spark"]["memory"]["disk_bytes"],
        "memory of one process": build["local"]["peak_python_bytes"],
    }
    return Measured(
        cores=cores,
        question_events=large["size"],
        build_events=events,
        core_s_an_event={q: rounded(large["questions"][q]["local_s"] * cores / large["size"]) for q in QUESTIONS},
        more_s={q: rounded(max(small["questions"][q]["more_s"], 0)) for q in QUESTIONS},
        core_s_a_bucket={q: rounded(max(a_bucket[q]["local"], 0) * cores) for q in QUESTIONS},
        build_rate=rounded(events / build["spark"]["seconds"] / build["cores"]),
        local_rate=rounded(events / build["local"]["seconds"]),
        an_event={name: rounded(value / events) for name, value in of_event.items()},
        pieces_a_pair=rounded(spark["shuffle_rows"] / parts**2),
        piece_bytes=build["piece"]["empty_bytes"],
        part_rows=build["piece"]["part_rows"],
        files_a_bucket=rounded(stored["log_files"] / stored["buckets"]),
        sent_a_bucket=rounded(many["questions"]["kpis"]["travelled"]["meta_bytes"] / many["buckets"]),
        tasks_a_part=rounded(spark["tasks"] / parts),
        list_s_a_file=rounded(build["piece"]["list_s_a_file"]),
        rows_a_file=rounded(events / build["piece"]["lake_files"]),
    )


# ----------------------------------------------------------------------------------------------- arithmetic


def buckets_of(events: int) -> int:
    """As `percorso.journeys.numbering.bucket_bits` makes them where nobody says how many."""
    wanted = -(-events // BUCKET_EVENTS)
    return int(min(max(2 ** (wanted - 1).bit_length(), 8), MOST_BUCKETS))


def crossing(one: Measured, question: str, machines: int) -> Line:
    """Events from which `machines` machines like the measured one answer sooner than it does alone."""
    more, slope = shown(one.more_s[question]), shown(one.core_s_an_event[question])
    value = one.more_s[question] / (one.core_s_an_event[question] / one.cores * (1 - 1 / machines))
    expression = f"{more} ÷ ({slope} ÷ {one.cores} × (1 - 1 ÷ {machines}))"
    return Line(f"{question}, {machines} machines: events", expression, value)


def cores_to_match(one: Measured) -> Line:
    """Cores of a cluster that build as fast as one process on the measured machine."""
    value = math.ceil(one.local_rate / one.build_rate)
    return Line("cores that build as fast", f"ceil({shown(one.local_rate)} ÷ {shown(one.build_rate)})", value)


def one_machine(one: Measured) -> list[Line]:
    """Events up to which one machine goes: by a night, by its disk (two logs while a build runs), by its memory."""
    lake, log = (one.an_event[name] for name in ("lake", "log"))
    memory = one.an_event["memory of one process"]
    return [
        Line(
            f"events that one process builds within {_HOURS} hours",
            f"{shown(one.local_rate)} × {_HOURS} × 3600",
            one.local_rate * _HOURS * 3600,
        ),
        Line(
            "events whose lake and two logs fill a disk",
            f"{shown(_DISK)} ÷ ({shown(lake)} + 2 × {shown(log)})",
            _DISK / (lake + 2 * log),
        ),
        Line("events that fill the memory", f"{shown(_MEMORY)} ÷ {shown(memory)}", _MEMORY / memory),
    ]


@dataclass(frozen=True, slots=True)
class Scaled:
    """One size worked out: figures by their name, in the order in which they are worked out."""

    events: int
    lines: dict[str, Line]

    def __getitem__(self, name: str) -> float:
        return rounded(self.lines[name].value)


def scaled(one: Measured, events: int) -> Scaled:
    """Bytes, nodes, times and costs of one size, line by line: each uses those before it as they are shown."""
    found: dict[str, Line] = {}

    def add(name: str, expression: str, value: float) -> float:
        found[name] = Line(name, expression, value)
        return rounded(value)

    n = shown(events)
    for name in ("lake", "log", "traces"):
        add(f"{name}, bytes", f"{n} × {shown(one.an_event[name])}", events * one.an_event[name])
    rate, disk = one.build_rate, one.an_event["disks of executors"]
    by_time = add(
        "nodes by time", f"ceil({n} ÷ ({shown(rate)} × {_CORES} × {_HOURS} × 3600))",
        math.ceil(events / (rate * _CORES * _HOURS * 3600)),
    )  # fmt: skip
    by_disk = add("nodes by disk", f"ceil({n} × {shown(disk)} ÷ {shown(_DISK)})", math.ceil(events * disk / _DISK))
    nodes = max(by_time, by_disk)
    cores = add("cores", f"{shown(nodes)} × {_CORES}", nodes * _CORES)
    hours = add("build, hours", f"{n} ÷ ({shown(rate)} × {shown(cores)}) ÷ 3600", events / (rate * cores) / 3600)
    add("build, cost", f"{shown(hours)} × {shown(cores)} × {_PRICE}", hours * cores * _PRICE)
    parts = add("parts", f"ceil({n} ÷ {one.part_rows:,})", math.ceil(events / one.part_rows))
    add("build, tasks", f"{shown(parts)} × {shown(one.tasks_a_part)}", parts * one.tasks_a_part)
    add("build, pieces", f"{shown(parts)} × {shown(parts)} × {shown(one.pieces_a_pair)}", parts**2 * one.pieces_a_pair)
    buckets = buckets_of(events)
    add("files of the log", f"{buckets:,} × {shown(one.files_a_bucket)}", buckets * one.files_a_bucket)
    add("kpis, bytes sent out", f"{buckets:,} × {shown(one.sent_a_bucket)}", buckets * one.sent_a_bucket)
    busy = min(cores, buckets)
    for question in QUESTIONS:
        more, slope, bucket = (kind[question] for kind in (one.more_s, one.core_s_an_event, one.core_s_a_bucket))
        work = f"({n} × {shown(slope)} + {buckets:,} × {shown(bucket)}) ÷ {shown(busy)}"
        seconds = add(
            f"{question}, seconds", f"{shown(more)} + {work}", more + (events * slope + buckets * bucket) / busy
        )
        add(
            f"{question}, cost",
            f"{shown(seconds)} × {shown(cores)} × {_PRICE} ÷ 3600",
            seconds * cores * _PRICE / 3600,
        )
    return Scaled(events, found)


#: What each bottleneck is.
BOTTLENECKS = {
    "pieces": "The frames of pieces weigh as much as what is in them: each step of a build cuts every part for every "
    "other, so pieces grow with the square of the events. Pieces that were only cut because they were large count as "
    "such, too, so it is reached later, the more so the smaller the measured build was.",
    "alias table": "One task writes the alias table, and the table alone fills the memory of a core. It holds the rows "
    "several times over while it sorts them, so it is reached earlier.",
    "bucket": "A log has 4,096 buckets at most, so buckets grow; one alone fills the memory of the core whose task "
    "writes it.",
    "listing": "Before a build this process opens every file of the lake, one after the other, to deal out its row "
    "groups: ten minutes of it. Files as large as those of the bench; an object store is slower.",
}


def bottlenecks(one: Measured) -> list[Line]:
    """Events at which each is reached, the first first."""
    shuffled, alias, log = (one.an_event[name] for name in ("shuffled", "alias table", "log"))
    a_core, a_pair = f"({shown(_MEMORY)} ÷ {_CORES})", one.pieces_a_pair
    found = [
        Line(
            "pieces",
            f"{shown(shuffled)} × {one.part_rows:,} × {one.part_rows:,} ÷ ({shown(a_pair)} × {one.piece_bytes:,})",
            shuffled * one.part_rows**2 / (a_pair * one.piece_bytes),
        ),
        Line("alias table", f"{a_core} ÷ {shown(alias)}", _MEMORY / _CORES / alias),
        Line("bucket", f"{a_core} × {MOST_BUCKETS:,} ÷ {shown(log)}", _MEMORY / _CORES * MOST_BUCKETS / log),
        Line(
            "listing",
            f"{LISTING_S} ÷ {shown(one.list_s_a_file)} × {shown(one.rows_a_file)}",
            LISTING_S / one.list_s_a_file * one.rows_a_file,
        ),
    ]
    return sorted(found, key=lambda line: line.value)


# --------------------------------------------------------------------------------------------------- the page


def blocks(found: dict[str, Any]) -> dict[str, str]:
    """What stands between the marks of the page, by its name."""
    one = measured_of(found)
    return {
        "machine": _machine(found, one),
        "verdict": _verdict(found, one),
        "tables": tables(found),
        "crossing": _crossing(one),
        "alone": _fenced(map(str, one_machine(one))),
        "sizes": _sizes(one),
        "arithmetic": "\n\n".join(_arithmetic(one)),
        "bottlenecks": _bottlenecks(one),
    }


def _machine(found: dict[str, Any], one: Measured) -> str:
    known = found["machine"]
    memory, java = size_text(known["memory_bytes"]), known["java"].replace('"', "")
    return (
        f"Measured on {known['date']} with {known['cores']} cores ({known['processor']}) and {memory} of memory, "
        f"{known['system']}, Python {known['python']}, PySpark {known['pyspark']}, {java}. "
        f"Questions up to {one.question_events:,} events, builds up to {one.build_events:,}. Everything, master, "
        "workers and driver, shared these cores and one disk; no network was between them."
    )


def _verdict(found: dict[str, Any], one: Measured) -> str:
    asked = [(row["size"], name, q["ratio"]) for row in found["overhead"] for name, q in row["questions"].items()]
    won = [(size, name) for size, name, ratio in asked if ratio < 1]
    ratios = sorted(ratio for *_, ratio in asked)
    if won:
        first = "; ".join(f"{name} at {size:,} events" for size, name in won)
        questions = f"On this machine Spark was sooner for {first}, and slower for the other questions"
    else:
        questions = "On this machine Spark was never sooner: each of its answers took longer than this process took"
    build = found["build"][-1]
    more = "as long" if build["ratio"] == 1 else f"{build['ratio']:,.1f} times as long"
    return (
        f"{questions} (ratios from {ratios[0]:,.1f} to {ratios[-1]:,.1f}). A build of {build['size']:,} events "
        f"took {more} on Spark, so {shown(cores_to_match(one).value)} cores of a cluster build as fast as one process "
        f"on these {one.cores}."
    )


def _crossing(one: Measured) -> str:
    lines = {question: [crossing(one, question, n) for n in MACHINES] for question in QUESTIONS}
    rows = [(name, *(_rough(line.value) for line in found)) for name, found in lines.items()]
    header = ("question", *(f"{n} machines" for n in MACHINES))
    worked = [str(line) for found in lines.values() for line in found] + [str(cores_to_match(one))]
    return f"{table(header, rows)}\n\n{_fenced(worked)}"


def _sizes(one: Measured) -> str:
    every = [scaled(one, events) for events in SIZES.values()]
    first = bottlenecks(one)
    rows = [
        ("lake", *(size_text(each["lake, bytes"]) for each in every)),
        ("log", *(size_text(each["log, bytes"]) for each in every)),
        ("traces", *(size_text(each["traces, bytes"]) for each in every)),
        ("files of the log", *(f"{each['files of the log']:,.0f}" for each in every)),
        ("nodes", *(f"{max(each['nodes by time'], each['nodes by disk']):,.0f}" for each in every)),
        ("whole build", *(f"{each['build, hours']:,.1f} h" for each in every)),
        ("its cost", *(f"{each['build, cost']:,.2f}" for each in every)),
        *((question, *(seconds_text(each[f"{question}, seconds"]) for each in every)) for question in QUESTIONS),
        ("what `kpis` tells tasks", *(size_text(each["kpis, bytes sent out"]) for each in every)),
        ("cost of `kpis`", *(f"{each['kpis, cost']:,.4f}" for each in every)),
        ("first bottleneck", *(_passed(first, each.events) for each in every)),
    ]
    return table(("events", *SIZES), rows)


def _passed(lines: list[Line], events: int) -> str:
    return lines[0].name if lines[0].value <= events else "none of those below"


def _arithmetic(one: Measured) -> Iterator[str]:
    for name, events in SIZES.items():
        yield f"**{name[0].upper()}{name[1:]} events**\n\n{_fenced(map(str, scaled(one, events).lines.values()))}"


def _bottlenecks(one: Measured) -> str:
    lines = bottlenecks(one)
    rows = [(line.name, _rough(line.value), BOTTLENECKS[line.name]) for line in lines]
    return f"{table(('name', 'reached at, events', 'what it is'), rows)}\n\n{_fenced(map(str, lines))}"


def _rough(value: float) -> str:
    for unit, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= unit:
            return f"{value / unit:,.1f} {name}"
    return f"{value:,.0f}"


def _fenced(lines: Any) -> str:
    return "```text\n" + "\n".join(map(str, lines)) + "\n```"


def write_page(page: Path, found: dict[str, Any]) -> None:
    """Put the figures between the page's marks; a bench that is not whole leaves the page as it is."""
    if not {"overhead", "driver", "workers", "worker-build", "build", "buckets"} <= found.keys():
        return
    text = page.read_text(encoding="utf-8")
    for name, content in blocks(found).items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        text, n = pattern.subn(lambda _, new=f"{begin}\n\n{content}\n\n{end}": new, text)  # type: ignore[misc]
        assert n == 1, name
    page.write_text(text, encoding="utf-8")
