"""The quality of data: the kernels and their plain twin, and the rules of findings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.analyses.quality import Ledger, QualitySpec, SourceImports, run_quality
from percorso.analyses.quality_findings import FINDING_SCHEMA, FINDINGS, say_fault
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.errors import SpecError
from percorso.language.words import Words
from percorso.store.journey_log import FLAG_BOT, FLAG_FUTURE, FLAG_HEAVY, FLAG_SAME_ORDER
from tests.log_builder import DAY, HOUR, Row, build_test_log
from tests.naive import quality as naive

FLAGS = (0, 0, 0, FLAG_BOT, FLAG_HEAVY, FLAG_FUTURE, FLAG_SAME_ORDER, FLAG_BOT | FLAG_HEAVY)
COUNTED = ("events", "bots", "heavy", "future", "order_copies", "stageless")

rows_of_a_shop = st.lists(
    st.builds(
        lambda person, hour, source, stage, direction, flags, session: Row(
            person=person,
            time=hour * HOUR,
            event="Product Viewed",
            coded={"source": source, "stage": stage, "direction": direction},
            flags=flags,
            session=session,
        ),
        st.sampled_from("ABCDE"),
        st.integers(0, 240),
        st.sampled_from(("site", "till", "")),
        st.sampled_from(("", "awareness")),
        st.sampled_from(("inbound", "outbound", "")),
        st.sampled_from(FLAGS),
        st.sampled_from(("", "s1", "s2")),
    ),
    max_size=40,
)


def micros(time: datetime | None) -> int | None:
    return None if time is None else round(time.timestamp() * 1e6)


@given(rows=rows_of_a_shop, days=st.sampled_from([("", ""), ("1970-01-03", "1970-01-06"), ("1970-01-02", "")]))
def test_equals_its_plain_twin(memory: Path, rows: list[Row], days: tuple[str, str]) -> None:
    scope = Scope(start=days[0], end=days[1])
    log = build_test_log(memory / "log", rows)
    start, end = scope.start_us() or -(10**18), scope.end_us() or 10**18
    told = {row["source"]: row for row in run_quality(QualitySpec(scope=scope), log).table.to_pylist()}
    expected = naive.sources(rows, start, end, log.as_of_us)
    assert {name: {key: row[key] for key in COUNTED} for name, row in told.items()} == {
        name: {key: one[key] for key in COUNTED} for name, one in expected.items()
    }
    for name, one in expected.items():
        assert micros(told[name]["first_event"]) == min(one["times"], default=None)
        assert micros(told[name]["newest_event"]) == max(one["times"], default=None)


@given(rows=rows_of_a_shop, bots=st.booleans(), threads=st.sampled_from([1, 2]))
def test_robots_in_and_out(memory: Path, rows: list[Row], bots: bool, threads: int) -> None:
    log = build_test_log(memory / "log", rows)
    answer = run_quality(QualitySpec(scope=Scope(include_bots=bots)), log, threads=threads)
    every = rows
    span = (-(10**18), 10**18, log.as_of_us)
    asked, inside = answer.tables["bots"].to_pylist()
    assert (asked["persons"], asked["events"]) == naive.active(every, *span, bots=bots)
    assert (inside["persons"], inside["events"]) == naive.active(every, *span, bots=True)
    assert answer.totals["persons"] == asked["persons"]


def test_sessions_belong_to_the_period_in_which_they_begin(tmp_path: Path) -> None:
    def view(hour: int, session: str, flags: int = 0) -> Row:
        return Row(person="A", time=hour * HOUR, event="Product Viewed", session=session, flags=flags)

    log = build_test_log(tmp_path, [view(23, "s1"), view(25, "s1"), view(30, "s2"), view(31, "s3", FLAG_BOT)])
    asked, inside = run_quality(QualitySpec(scope=Scope(start="1970-01-02")), log).tables["bots"].to_pylist()
    assert (asked["sessions"], inside["sessions"]) == (1, 2)


def test_an_as_of_time_hides_what_came_later(tmp_path: Path) -> None:
    rows = [
        Row(person="A", time=at * DAY, event="Product Viewed", coded={"source": "site"}, flags=flags)
        for at, flags in ((0, 0), (2, 0), (5, FLAG_FUTURE), (6, 0))
    ]
    log = build_test_log(tmp_path, rows)
    row = run_quality(QualitySpec(scope=Scope(as_of="1970-01-03")), log).table.to_pylist()[0]
    assert (row["events"], row["future"], row["newest_event"]) == (2, 0, datetime(1970, 1, 3, tzinfo=UTC))
    assert row["days_since"] == pytest.approx(1, abs=1e-6)
    assert run_quality(QualitySpec(), log).table.to_pylist()[0]["future"] == 1


def test_an_empty_log(tmp_path: Path) -> None:
    answer = run_quality(QualitySpec(), build_test_log(tmp_path, []))
    assert answer.table.num_rows == 0
    assert answer.tables["findings"].num_rows == 0
    assert answer.totals["events"] == 0


def test_what_the_lake_knows(tmp_path: Path) -> None:
    rows = [Row(person="A", time=DAY, event="Product Viewed", coded={"source": "site"})]
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    ledger = Ledger(
        imports={
            "site": SourceImports(files=2, rows=100, duplicates=3, incomplete=1, last=noon, rejected={"cells": 5}),
            "gone": SourceImports(files=1, rows=10, rejected={"time_missing": 6, "cells": 4}),
        },
        corrected={"site": 1},
        built_duplicates=7,
    )
    answer = run_quality(QualitySpec(), build_test_log(tmp_path, rows), ledger=ledger)
    gone, site = answer.table.to_pylist()
    assert (gone["source"], gone["events"], gone["newest_event"], gone["days_since"]) == ("gone", 0, None, None)
    assert (site["files"], site["rejected"], site["last_import"], site["corrected"]) == (2, 5, noon, 1)
    assert answer.tables["rejected"].to_pylist() == [
        {"source": "gone", "reason": "time_missing", "rows": 6},
        {"source": "gone", "reason": "cells", "rows": 4},
        {"source": "site", "reason": "cells", "rows": 5},
    ]
    faults = {(row["finding"], row["source"]): row for row in answer.tables["findings"].to_pylist()}
    assert faults[("rejected_rows", "gone")]["about"] == "time_missing"
    assert faults[("corrected_clocks", "site")]["level"] == "problem"
    assert {key for key, row in faults.items() if row["level"] == "notice"} == {
        ("duplicates", "site"),
        ("repeated_events", ""),
    }


def test_nothing_is_the_matter(tmp_path: Path) -> None:
    rows = [Row(person="A", time=DAY, event="Product Viewed", coded={"source": "site", "stage": "awareness"})]
    assert run_quality(QualitySpec(), build_test_log(tmp_path, rows)).tables["findings"].num_rows == 0


@pytest.mark.parametrize("language", ["en", "it"])
def test_every_finding_has_its_sentences(language: str) -> None:
    totals = {"currency": "EUR", "most_events": 100_000}
    for finding in FINDINGS:
        for count in (1, 1234):
            fault = {"finding": finding, "source": "site", "count": count, "of": 5000, "share": 0.25, "value": 10}
            meaning, advice = say_fault(fault | {"about": "cells"}, totals, Words(language))
            assert meaning.endswith(".")
            assert advice.endswith(".")
            assert "{" not in meaning + advice


def test_a_question_without_conditions() -> None:
    for scope in (Scope(where="place = store"), Scope(by="place"), Scope(persons="orders >= 1")):
        with pytest.raises(SpecError, match="that of all events"):
            QualitySpec(scope=scope)
    spec = QualitySpec(scope=Scope(start="2024-01-01"))
    assert spec_from_json(QualitySpec, spec_to_json(spec)) == spec


def test_columns_of_findings(tmp_path: Path) -> None:
    rows: list[Any] = [Row(person="A", time=DAY, event="x", coded={"source": "s"}, flags=FLAG_BOT)]
    assert run_quality(QualitySpec(), build_test_log(tmp_path, rows)).tables["findings"].schema == FINDING_SCHEMA
