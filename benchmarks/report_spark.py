"""What `make bench-spark` measured, as tables for people who have never seen the bench."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.tables import table

__all__ = ["seconds_text", "size_text", "tables"]

#: What an executor is meant to hold at most, Spark's "2g": half of it is Java's.
_GIVEN = 2 << 30


def seconds_text(value: float) -> str:
    if abs(value) < 1:
        return f"{value * 1000:,.1f} ms"
    if value < 600:
        return f"{value:,.1f} s"
    return f"{value / 60:,.1f} min" if value < 7_200 else f"{value / 3600:,.1f} h"


def size_text(value: float) -> str:
    for unit, name in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= unit:
            return f"{value / unit:,.1f} {name}"
    return f"{value:,.0f} bytes"


def tables(found: dict[str, Any]) -> str:
    """All sections that were measured, with a sentence before each table."""
    return "\n\n".join(text for name, make in _SECTIONS.items() if name in found for text in make(found[name]))


def _overhead(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield (
        "Questions, warm: Spark with two tasks on this machine (`local[2]`) beside this process with two threads, in "
        "turns. The last column is what Spark adds."
    )
    header = ("events", "question", "Spark", "this process", "ratio", "Spark takes longer by")
    yield table(header, [_question(row, name, one) for row in rows for name, one in row["questions"].items()])
    yield "Before the first question Spark has to be started; then its Python processes import Percorso."
    starts = ("events", "start of the session", "first question, a funnel")
    yield table(starts, [(_n(row["size"]), *map(seconds_text, (row["session_s"], row["first_s"]))) for row in rows])


def _question(row: dict[str, Any], name: str, one: dict[str, Any]) -> tuple[str, ...]:
    times = map(seconds_text, (one["spark_s"], one["local_s"]))
    return (_n(row["size"]), name, *times, f"{one['ratio']:,.1f}×", seconds_text(one["more_s"]))


def _driver(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield (
        "What a process holds and gets that asks a standalone cluster of two workers: its peak memory after all four "
        "questions, and for each question the Spark jobs, the bytes of all answers as pickled and as they travel, and "
        "what Spark shuffled between tasks."
    )
    header = ("events", "buckets", "Python", "Java", "question", "jobs", "answers", "travel", "shuffled")
    yield table(header, [_held(row, name, one) for row in rows for name, one in row["questions"].items()])


def _held(row: dict[str, Any], name: str, one: dict[str, Any]) -> tuple[str, ...]:
    memory = map(size_text, (row["peak_python_bytes"], row["peak_java_bytes"]))
    travelled, spark = one["travelled"], one["spark"]
    bytes_ = map(size_text, (travelled["plain_bytes"], travelled["packed_bytes"], spark["shuffle_bytes"]))
    return (_n(row["size"]), str(row["buckets"]), *memory, name, str(spark["jobs"]), *bytes_)


def _workers(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "Questions by one worker and by two, of one core each, on a real standalone cluster on this machine."
    header = ("events", "question", "one worker", "two workers", "faster")
    yield table(header, [line for row in rows for line in _pairs(row)])


def _pairs(row: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    one, two = row["workers"]["1"]["questions"], row["workers"]["2"]["questions"]
    for name in one:
        first, second = one[name]["spark_s"], two[name]["spark_s"]
        yield _n(row["size"]), name, seconds_text(first), seconds_text(second), f"{first / second:,.2f}×"


def _worker_build(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "Builds of the whole log by one worker and by two."
    header = ("events", "one worker", "two workers", "faster")
    yield table(header, [_two(row) for row in rows])


def _two(row: dict[str, Any]) -> tuple[str, ...]:
    one, two = (row["workers"][n]["seconds"] for n in "12")
    return _n(row["size"]), seconds_text(one), seconds_text(two), f"{one / two:,.2f}×"


def _buckets(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "The same events in more and more buckets: what each bucket costs, whatever is in it."
    header = ("events", "question", "engine", *(f"{one['buckets']} buckets" for one in rows[-1]["rows"]), "a bucket")
    yield table(header, [line for row in rows for line in _bucket_lines(row)])


def _bucket_lines(row: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, a_bucket in row["seconds_a_bucket"].items():
        for engine, shown in (("local", "this process"), ("spark", "Spark, `local[2]`")):
            times = [seconds_text(one["questions"][name][f"{engine}_s"]) for one in row["rows"]]
            yield _n(row["size"]), name, shown, *times, seconds_text(a_bucket[engine])


def _build(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield (
        "Builds of the whole log by two executors of one core each, with a GiB for Java and their Python beside "
        "it, and by one process on the same machine; `data_version` and alias table are equal."
    )
    header = ("events", "Spark", "one process", "ratio", "jobs", "tasks", "shuffled", "to the driver")
    yield table(header, [_built(row) for row in rows])
    yield "Peak memory meanwhile, and what the cluster's folder took of the disk at most."
    held = ("events", "one process", "an executor", "its Java", "a Python worker", "driver", "its Java", "disk")
    yield table(held, [_peaks(row) for row in rows])
    most = max(row["spark"]["memory"]["executor_bytes"] for row in rows)
    told = "within" if most <= _GIVEN else "MORE than"
    yield f"An executor with all its Python held {size_text(most)} at most: {told} the 2 GiB that are meant for it."


def _built(row: dict[str, Any]) -> tuple[str, ...]:
    far, spark = row["spark"], row["spark"]["spark"]
    times = map(seconds_text, (far["seconds"], row["local"]["seconds"]))
    moved = map(size_text, (spark["shuffle_bytes"], spark["to_driver_bytes"]))
    return (_n(row["size"]), *times, f"{row['ratio']:,.1f}×", _n(spark["jobs"]), _n(spark["tasks"]), *moved)


def _peaks(row: dict[str, Any]) -> tuple[str, ...]:
    names = (
        "executor_bytes",
        "executor_java_bytes",
        "python_worker_bytes",
        "driver_python_bytes",
        "driver_java_bytes",
        "disk_bytes",
    )
    memory = row["spark"]["memory"]
    here = size_text(row["local"]["peak_python_bytes"])
    return (_n(row["size"]), here, *(size_text(memory.get(name, 0)) for name in names))


def _n(value: int) -> str:
    return f"{value:,}"


_SECTIONS: dict[str, Callable[[list[dict[str, Any]]], Iterator[str]]] = {
    "overhead": _overhead,
    "workers": _workers,
    "worker-build": _worker_build,
    "build": _build,
    "buckets": _buckets,
    "driver": _driver,
}
