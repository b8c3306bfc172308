"""The page on scale: every line of arithmetic is worked out again, from the bench's own figures."""

from __future__ import annotations

import ast
import json
import math
import operator
import re
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.scale import SIZES, blocks, buckets_of, measured_of, scaled
from percorso.journeys.numbering import bucket_bits
from percorso.journeys.spread.build import PART_ROWS
from percorso.kernels.quantiles import COLLECT_LIMIT
from tests.docs_tables import DOCS, table

PAGE = DOCS / "concepts" / "scale.md"
FOUND: dict[str, Any] = json.loads((DOCS.parent / "benchmarks" / "spark.json").read_text(encoding="utf-8"))
SECTIONS = ("overhead", "driver", "workers", "worker-build", "build", "buckets")

#: Lines are rounded to four digits.
NEAR = 6e-4

_KNOWN: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def worked_out(node: ast.AST) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.BinOp(left=left, op=op, right=right):
            return _KNOWN[type(op)](worked_out(left), worked_out(right))
        case ast.Call(func=ast.Name(id="ceil"), args=[inner]):
            return math.ceil(worked_out(inner) - 1e-9)
    raise AssertionError(ast.dump(node))


def number(text: str) -> float:
    plain = text.replace(",", "").replace("×", "*").replace("÷", "/").strip()
    return worked_out(ast.parse(plain, mode="eval").body)


def lines(part: str = "") -> dict[str, tuple[str, float]]:
    """Lines of arithmetic under a heading in bold, or of the whole page: expression and value by name."""
    text = PAGE.read_text(encoding="utf-8")
    if part:
        text = text.partition(f"**{part}**")[2].partition("**")[0]
    found = re.findall(r"^(.+?) = (.+) = (\S+)$", text, re.MULTILINE)
    return {name: (expression, number(value)) for name, expression, value in found}


def test_the_page_says_what_the_bench_measured() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, content in blocks(FOUND).items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        assert text.partition(begin)[2].partition(end)[0].strip() == content, f"{name}: make bench-spark"


def test_every_line_is_right() -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"^.+? = (.+) = (\S+)$", text, re.MULTILINE)
    assert len(found) > 60
    for expression, value in found:
        assert number(value) == pytest.approx(number(expression), rel=NEAR), expression


def test_lines_begin_with_the_figures_of_the_bench() -> None:
    """Worked out here once more, from raw figures, without the code that writes the page."""
    build, small, large = FOUND["build"][-1], FOUND["overhead"][0], FOUND["overhead"][-1]
    cores, events = FOUND["machine"]["cores"], build["size"]
    rate = events / build["spark"]["seconds"] / build["cores"]
    for name, size in SIZES.items():
        told = {key: value for key, (_, value) in lines(f"{name[0].upper()}{name[1:]} events").items()}
        near = {
            "lake, bytes": build["stored"]["lake_bytes"] / events * size,
            "log, bytes": build["stored"]["log_bytes"] / events * size,
            "traces, bytes": build["stored"]["trace_bytes"] / events * size,
            "build, hours": size / rate / told["cores"] / 3600,
            "build, cost": size / rate / 3600 * 0.05,
            "parts": size / PART_ROWS,
        }
        for question, one in large["questions"].items():
            counting = one["local_s"] * cores / large["size"] * size
            many, few = FOUND["buckets"][-1]["rows"][-1], FOUND["buckets"][-1]["rows"][0]
            more = many["questions"][question]["local_s"] - few["questions"][question]["local_s"]
            buckets = 2 ** bucket_bits(None, size)
            opening = max(more, 0) / (many["buckets"] - few["buckets"]) * cores * buckets
            added = max(small["questions"][question]["more_s"], 0)
            near[f"{question}, seconds"] = added + (counting + opening) / min(told["cores"], buckets)
        for key, value in near.items():
            assert told[key] == pytest.approx(value, rel=5e-3), (name, key)
        nodes = max(told["nodes by time"], told["nodes by disk"])
        assert told["nodes by time"] == pytest.approx(math.ceil(size / (rate * 16 * 8 * 3600)), abs=1, rel=5e-3)
        assert told["cores"] == pytest.approx(nodes * 16, rel=5e-3)


def test_crossing_points_are_where_both_take_as_long() -> None:
    one, found = measured_of(FOUND), lines()
    for question, more in one.more_s.items():
        for machines in (2, 4, 8, 16, 32):
            events = found[f"{question}, {machines} machines: events"][1]
            alone = one.core_s_an_event[question] * events / one.cores
            assert more + alone / machines == pytest.approx(alone, rel=NEAR, abs=1e-9)


def test_the_table_of_sizes_is_that_of_the_lines() -> None:
    rows = {row[0]: row[1:] for row in table("concepts/scale.md", "1, 10 and 100 billion events")}
    for at, events in enumerate(SIZES.values()):
        every = scaled(measured_of(FOUND), events)
        assert number(rows["nodes"][at]) == max(every["nodes by time"], every["nodes by disk"])
        assert number(rows["whole build"][at].removesuffix(" h")) == pytest.approx(every["build, hours"], abs=0.06)


def test_parts_and_buckets_are_those_of_the_code() -> None:
    assert FOUND["build"][-1]["piece"]["part_rows"] == PART_ROWS
    for events in (1, 10**6, 12_000_001, *SIZES.values()):
        assert buckets_of(events) == 2 ** bucket_bits(None, events)


def test_both_builds_made_the_same_log() -> None:
    for build in FOUND["build"]:
        assert build["local"]["log"] == build["spark"]["log"]


def test_answers_of_a_question_grow_with_events_up_to_a_bound_alone() -> None:
    """With the buckets as these, and beyond that by the values that an exact median brings home at most."""
    rows, bound = FOUND["driver"], COLLECT_LIMIT * 12
    assert f"{bound / 1e6:.1f} MB" in PAGE.read_text(encoding="utf-8")
    for name, small in rows[0]["questions"].items():
        large = rows[-1]["questions"][name]["travelled"]["plain_bytes"]
        buckets = rows[-1]["buckets"] / rows[0]["buckets"]
        assert large <= buckets * small["travelled"]["plain_bytes"] + bound, name


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_was_measured(section: str) -> None:
    assert FOUND[section]
