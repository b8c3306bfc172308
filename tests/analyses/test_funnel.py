"""The funnel through `run_funnel`: its published vectors, every option against the naive twin, its people."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from percorso.analyses import funnel as module
from percorso.analyses.funnel import funnel_people, run_funnel
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.analyses.people import people_table
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.errors import NotFound, SpecError
from percorso.store.journey_log import FLAG_BOT, FLAG_FUTURE, FLAG_HEAVY, FLAG_SAME_ORDER, JourneyLog
from tests.analyses.funnel_logs import counts_of, naive_counts, random_rows
from tests.log_builder import DAY, HOUR, MINUTE, Row, build_test_log, person_id


def rows_at(*events: tuple[str, int], person: str = "p") -> list[Row]:
    return [Row(person=person, time=time, event=event) for event, time in events]


def ask(folder: Path, rows: list[Row], *steps: str, scope: Scope | None = None, **options: Any) -> Any:
    log = build_test_log(folder, rows)
    return run_funnel(FunnelSpec(steps=steps, scope=scope or Scope(), **options), log)


@pytest.mark.parametrize(
    ("options", "reached"),
    [
        pytest.param({"start": "first"}, [1, 1, 0], id="Mixpanel's default: the first A starts the clock"),
        pytest.param({"start": "latest"}, [1, 1, 1], id="PostHog, and Mixpanel with optimized re-entry"),
        pytest.param({"start": "first", "within": ""}, [1, 1, 1], id="Retentioneering: no window"),
    ],
)
def test_one_log_three_answers(tmp_path: Path, options: dict[str, Any], reached: list[int]) -> None:
    """Source: the example of Mixpanel's documentation, A 13:00, A 13:30, B 13:45, C 14:15, one hour."""
    begin = 13 * HOUR
    rows = rows_at(("A", begin), ("A", begin + 30 * MINUTE), ("B", begin + 45 * MINUTE), ("C", begin + 75 * MINUTE))
    answer = ask(tmp_path, rows, "A", "B", "C", **({"within": "1h"} | options))
    assert counts_of(answer) == reached


def test_latest_start_is_the_one_whose_times_are_shown(tmp_path: Path) -> None:
    rows = rows_at(("A", 0), ("A", 30 * MINUTE), ("B", 45 * MINUTE), ("C", 75 * MINUTE))
    answer = ask(tmp_path, rows, "A", "B", "C", within="1h")
    assert answer.table.column("median_s").to_pylist() == [None, 900.0, 1800.0]


def test_window_is_inclusive_and_measured_from_step_one(tmp_path: Path) -> None:
    rows = rows_at(("A", 0), ("B", 40 * MINUTE), ("C", 60 * MINUTE))
    rows += rows_at(("A", 0), ("B", 40 * MINUTE), ("C", 60 * MINUTE + 1), person="q")
    assert counts_of(ask(tmp_path, rows, "A", "B", "C", within="1h")) == [2, 2, 1]


def test_a_step_twice_must_be_done_twice(tmp_path: Path) -> None:
    """PostHog: a duplicate step must be done twice. Amplitude: each event belongs to one conversion path."""
    rows = rows_at(("A", 0), ("B", HOUR)) + rows_at(("A", 0), ("A", HOUR), ("B", 2 * HOUR), person="q")
    assert counts_of(ask(tmp_path, rows, "A", "A", "B")) == [2, 1, 1]


def test_exclusion_stops_the_attempt_but_earlier_steps_count(tmp_path: Path) -> None:
    """Mixpanel: stops the attempt only. (PostHog removes the person from the whole funnel.)"""
    rows = rows_at(("A", 0), ("X", HOUR), ("B", 2 * HOUR))
    rows += rows_at(("A", 0), ("X", HOUR), ("A", 2 * HOUR), ("B", 3 * HOUR), person="again")
    assert counts_of(ask(tmp_path, rows, "A", "B", exclude=("X",))) == [2, 1]


def test_exclusion_between_two_given_steps(tmp_path: Path) -> None:
    rows = rows_at(("A", 0), ("X", HOUR), ("B", 2 * HOUR), ("C", 3 * HOUR))
    rows += rows_at(("A", 0), ("B", HOUR), ("X", 2 * HOUR), ("C", 3 * HOUR), person="q")
    assert counts_of(ask(tmp_path, rows, "A", "B", "C", exclude=("X@2-3",))) == [2, 2, 1]


def test_equal_times_are_taken_in_the_order_that_advances(tmp_path: Path) -> None:
    """PostHog sorts them by step; in Amplitude they satisfy either order and do not break exact order."""
    rows = rows_at(("B", HOUR), ("A", HOUR))
    assert counts_of(ask(tmp_path, rows, "A", "B")) == [1, 1]
    assert counts_of(ask(tmp_path / "2", rows_at(("X", HOUR), ("B", HOUR), ("A", HOUR)), "A", "B", order="strict")) == [
        1,
        1,
    ]


def test_strict_allows_nothing_between(tmp_path: Path) -> None:
    rows = rows_at(("A", 0), ("X", HOUR), ("B", 2 * HOUR)) + rows_at(("A", 0), ("B", HOUR), ("X", 2 * HOUR), person="q")
    assert counts_of(ask(tmp_path, rows, "A", "B", order="strict")) == [2, 1]
    scope = Scope(where="event != X")
    assert counts_of(ask(tmp_path / "2", rows, "A", "B", order="strict", scope=scope)) == [2, 2]


def test_any_order_counts_how_many_steps_were_done(tmp_path: Path) -> None:
    rows = rows_at(("C", 0), ("A", HOUR)) + rows_at(("B", 0), person="q")
    answer = ask(tmp_path, rows, "A", "B", "C", order="any")
    assert counts_of(answer) == [2, 1, 0]


def test_step_window(tmp_path: Path) -> None:
    rows = rows_at(("A", 0), ("B", 3 * HOUR), ("C", 4 * HOUR))
    assert counts_of(ask(tmp_path, rows, "A", "B", "C", step_within="3h")) == [1, 1, 1]
    assert counts_of(ask(tmp_path / "2", rows, "A", "B", "C", step_within="2h")) == [1, 0, 0]


def test_optional_step_may_be_skipped(tmp_path: Path) -> None:
    rows = rows_at(("A", 0), ("C", HOUR)) + rows_at(("A", 0), ("B", HOUR), ("C", 2 * HOUR), person="q")
    answer = ask(tmp_path, rows, "A", "B", "C", optional=("B",))
    assert counts_of(answer) == [2, 1, 2]
    assert answer.table.column("from_previous").to_pylist() == [1.0, 0.5, 1.0]
    assert answer.table.column("dropped").to_pylist() == [0, 0, 0]


def test_totals_enter_again_after_conversion_and_after_the_window(tmp_path: Path) -> None:
    rows = rows_at(("A", 0), ("B", HOUR), ("A", 2 * HOUR), ("B", 3 * HOUR), ("A", 4 * HOUR), ("A", 10 * DAY))
    assert counts_of(ask(tmp_path, rows, "A", "B", count="totals")) == [4, 2]
    assert counts_of(ask(tmp_path / "2", rows, "A", "B", count="persons")) == [1, 1]


OPTIONS = st.fixed_dictionaries(
    {
        "steps": st.lists(st.sampled_from(["A", "B", "C", "A|B", "D"]), min_size=1, max_size=4).map(tuple),
        "within": st.sampled_from(["", "0s", "5h", "1d"]),
        "order": st.sampled_from(["ordered", "strict", "any"]),
        "start": st.sampled_from(["latest", "first"]),
        "count": st.sampled_from(["persons", "journeys", "sessions", "totals"]),
        "step_within": st.sampled_from(["", "", "3h"]),
        "exclude": st.sampled_from([(), (), ("D",), ("D@1-2",)]),
    }
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(options=OPTIONS, seed=st.integers(0, 10**6), n_rows=st.sampled_from([0, 1, 40, 90]))
def test_every_option_equals_the_naive_twin(
    tmp_path_factory: pytest.TempPathFactory, options: dict[str, Any], seed: int, n_rows: int
) -> None:
    try:
        spec = FunnelSpec(**options)
    except SpecError:
        return  # options that contradict each other
    rows = random_rows(seed, n_rows, n_persons=20)
    log = build_test_log(tmp_path_factory.mktemp("log"), rows)
    answers = [run_funnel(spec, log, threads=threads) for threads in (1, 2)]
    assert answers[0].table.equals(answers[1].table)
    assert counts_of(answers[0]) == naive_counts(spec, rows)
    for by in ("", "place"):
        whole, counts = (
            run_funnel(replace(spec, counts_only=plain, scope=Scope(by=by)), log).table for plain in (False, True)
        )
        assert counts.equals(whole.drop_columns(["median_s", "p90_s"]))


def test_plain_and_general_kernel_agree(tmp_path: Path) -> None:
    rows = random_rows(3, 4000, n_persons=300, coarse=False)
    log = build_test_log(tmp_path, rows)
    plain = FunnelSpec(steps=("A", "B", "C"), within="2d")
    general = FunnelSpec(steps=("A", "B", "C"), within="2d", exclude=("no such event",))
    for by in ("", "place", "person.kind"):
        tables = [
            run_funnel(FunnelSpec(steps=s.steps, within=s.within, exclude=s.exclude, scope=Scope(by=by)), log).table
            for s in (plain, general)
        ]
        assert tables[0].equals(tables[1])


def test_steps_of_several_fields_and_conditions(tmp_path: Path) -> None:
    rows = [
        Row(person="p", time=1, event="A", coded={"place": "site"}),
        Row(person="p", time=2, event="Order Completed", coded={"place": "store", "currency": "EUR"}, value=5000),
        Row(person="q", time=1, event="A", coded={"place": "site"}),
        Row(person="q", time=2, event="Order Completed", coded={"place": "store", "currency": "EUR"}, value=4999),
    ]
    log = build_test_log(tmp_path, rows)
    assert counts_of(run_funnel(FunnelSpec(steps=("A", "Order Completed[value >= 50]")), log)) == [2, 1]
    assert counts_of(run_funnel(FunnelSpec(steps=("place:site", "place:store")), log)) == [2, 2]
    assert counts_of(run_funnel(FunnelSpec(steps=("place:site|place:store", "*")), log)) == [2, 2]


@pytest.mark.parametrize("flag", [FLAG_BOT, FLAG_HEAVY, FLAG_FUTURE, FLAG_SAME_ORDER])
@pytest.mark.parametrize("steps", [("A", "B"), ("A", "A|B")])
def test_flagged_events_are_out(tmp_path: Path, flag: int, steps: tuple[str, ...]) -> None:
    rows = [
        *rows_at(("A", 0), ("B", 2)),
        Row(person="q", time=0, event="A"),
        Row(person="q", time=1, event="B", flags=flag),
    ]
    log = build_test_log(tmp_path, rows)
    assert counts_of(run_funnel(FunnelSpec(steps=steps), log)) == [2, 1]
    everything = Scope(include_bots=True, include_heavy=True)
    expected = [2, 2] if flag in (FLAG_BOT, FLAG_HEAVY) else [2, 1]
    assert counts_of(run_funnel(FunnelSpec(steps=steps, scope=everything), log)) == expected


@pytest.mark.parametrize(
    ("scope", "reached"),
    [
        (Scope(), [1, 1]),
        (Scope(start="1970-01-03"), [0, 0]),
        (Scope(start="1970-01-02"), [1, 1]),
        (Scope(end="1970-01-02"), [1, 0]),
        (Scope(end="1970-01-03"), [1, 1]),
        (Scope(as_of="1970-01-02"), [1, 0]),
        (Scope(as_of="1970-01-03T00:00"), [1, 1]),
        (Scope(where="place = store"), [0, 0]),
        (Scope(where="place = store or event = A"), [1, 1]),
        (Scope(where="person.country = IT"), [1, 1]),
        (Scope(where="person.country != IT"), [0, 0]),
    ],
)
def test_scope(tmp_path: Path, scope: Scope, reached: list[int]) -> None:
    rows = [
        Row(person="p", time=DAY, event="A"),
        Row(person="p", time=2 * DAY, event="B", coded={"place": "store"}),
    ]
    log = build_test_log(tmp_path, rows, persons={"p": {"country": "IT"}})
    assert counts_of(run_funnel(FunnelSpec(steps=("A", "B"), scope=scope), log)) == reached


def test_break_down_adds_up_and_opens_to_people(tmp_path: Path) -> None:
    log = build_test_log(tmp_path, random_rows(5, 1500, n_persons=100, coarse=False))
    whole = run_funnel(FunnelSpec(steps=("A", "B", "C"), within="2d"), log)
    spec = FunnelSpec(steps=("A", "B", "C"), within="2d", scope=Scope(by="place"))
    answer = run_funnel(spec, log)
    rows = answer.table.to_pylist()
    assert {row["place"] for row in rows} == {"site", "store", ""}
    for position in (1, 2, 3):
        parts = [row["count"] for row in rows if row["position"] == position]
        assert sum(parts) == counts_of(whole)[position - 1]
    for row in rows:
        for dropped in (False, True):
            task = funnel_people(spec, log, row["position"], dropped=dropped, group=row["place"])
            expected = row["count"] if not dropped else _ended(rows, row)
            assert people_table(log, task).num_rows == expected


def _ended(rows: list[dict[str, Any]], row: dict[str, Any]) -> int:
    return int(row["count"] if row["position"] == 3 else row["dropped"])


@pytest.mark.parametrize("count", ["persons", "journeys", "sessions", "totals"])
@pytest.mark.parametrize("order", ["ordered", "any"])
def test_people_are_those_who_did_the_step(tmp_path: Path, count: str, order: str) -> None:
    rows = random_rows(11, 300, n_persons=40)
    log = build_test_log(tmp_path, rows)
    spec = FunnelSpec(steps=("A", "B"), within="3h", count=count, order=order)
    found = people_table(log, funnel_people(spec, log, "B")).column("person").to_pylist()
    expected = [
        person_id(person).hex()
        for person in sorted({row.person for row in rows}, key=person_id)
        if naive_counts(spec, [row for row in rows if row.person == person])[1]
    ]
    assert sorted(found) == sorted(expected)


def test_people_of_what_is_not_there(tmp_path: Path) -> None:
    log = build_test_log(tmp_path, rows_at(("A", 0)))
    spec = FunnelSpec(steps=("A", "B"))
    with pytest.raises(NotFound, match="no step 'C'"):
        funnel_people(spec, log, "C")
    with pytest.raises(SpecError, match="no step 3"):
        funnel_people(spec, log, 3)
    by_place = FunnelSpec(steps=("A", "B"), scope=Scope(by="place"))
    with pytest.raises(NotFound, match="No attempt has place 'moon'"):
        funnel_people(by_place, log, 1, group="moon")


@pytest.mark.parametrize("kept", [0, 1 << 24])
def test_times_are_exact_quantiles_kept_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr(module, "KEPT_TIMES", kept)
    rng = np.random.default_rng(1)
    gaps = rng.integers(0, 5 * DAY, 501).tolist()
    rows = [row for at, gap in enumerate(gaps) for row in rows_at(("A", 0), ("B", gap), person=f"p{at}")]
    log = build_test_log(tmp_path, rows)
    ordered = sorted(gaps)
    for by in ("", "person.kind"):
        answer = run_funnel(FunnelSpec(steps=("A", "B"), scope=Scope(by=by)), log).table.to_pylist()
        assert answer[1]["median_s"] == ordered[250] / 1e6
        assert answer[1]["p90_s"] == ordered[450] / 1e6


def test_what_nobody_has_is_said(tmp_path: Path) -> None:
    answer = ask(tmp_path, rows_at(("Product Viewed", 0)), "Product Vieved", "place:moon")
    assert counts_of(answer) == [0, 0]
    assert answer.table.column("share").to_pylist() == [None, None]
    assert "Nothing has event 'Product Vieved'. Did you mean 'Product Viewed'?" in answer.warnings[0]
    assert "Nothing has place 'moon'." in answer.warnings[1]


def test_few_units_are_said(tmp_path: Path) -> None:
    assert "Only 1 persons entered" in ask(tmp_path, rows_at(("A", 0)), "A").warnings[0]


def test_more_than_256_names(tmp_path: Path) -> None:
    rows = [row for at in range(400) for row in rows_at((f"E{at}", 0), ("B", 1), person=f"p{at % 3}")]
    log = build_test_log(tmp_path, rows, n_buckets=1)
    assert log.buckets[0].events.values("event").dtype == np.uint16
    assert counts_of(run_funnel(FunnelSpec(steps=("E399", "B")), log)) == [1, 1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": ()}, "1 to 15 steps"),
        ({"order": "orderd"}, "'orderd' is no order"),
        ({"start": "last"}, "'last' is no start"),
        ({"count": "people"}, "'people' is no count"),
        ({"within": "7"}, "not a duration"),
        ({"optional": ("D",)}, "none of the steps"),
        ({"optional": ("A",)}, "cannot be optional"),
        ({"order": "any", "step_within": "1h"}, "no step before another"),
        ({"order": "strict", "exclude": ("X",)}, "already allows nothing"),
        ({"exclude": ("X@2-9",)}, "names a step that there is not"),
        ({"exclude": ("X@2-1",)}, "no range of steps"),
        ({"order": "any", "exclude": ("X@1-2",)}, "without optional steps"),
        ({"steps": ("A", "B[value")}, "not closed"),
        ({"steps": ("A", "|B")}, "has no name"),
    ],
)
def test_what_cannot_be_asked(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        FunnelSpec(**({"steps": ("A", "B", "C")} | options))


def test_spec_and_its_json_are_equal() -> None:
    spec = FunnelSpec(steps=("A", "B"), exclude=("X",), scope=Scope(by="channel", where="place = store"))
    assert spec_from_json(FunnelSpec, spec_to_json(spec)) == spec


def test_answer_does_not_depend_on_buckets(tmp_path: Path) -> None:
    rows = random_rows(8, 500, n_persons=60)

    def log_of(n: int) -> JourneyLog:
        return build_test_log(tmp_path / str(n), rows, n_buckets=n)

    for order, count in itertools.product(("ordered", "any"), ("persons", "totals")):
        spec = FunnelSpec(steps=("A", "B", "C"), within="5h", order=order, count=count)
        tables = [run_funnel(spec, log_of(n)).table for n in (1, 3, 7)]
        assert tables[0].equals(tables[1])
        assert tables[0].equals(tables[2])
