"""The worked examples of channels.md, places.md, touchpoints.md and stages.md, told to the real build and asked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from percorso.analyses.channels import ChannelsSpec, run_channels
from percorso.analyses.places import PlacesSpec, run_places
from percorso.analyses.result import Result
from percorso.analyses.stages import StagesSpec, run_stages
from percorso.analyses.touchpoints import TouchpointsSpec, run_touchpoints
from percorso.services.build import fresh_log
from percorso.store.journey_log import JourneyLog
from tests.docs.test_path_examples import duration, tables_of
from tests.docs_tables import DOCS, code_spans, table
from tests.lake_builder import event
from tests.workspaces import make_workspace

EXAMPLE = "A question and its answer"
CHANNELS, PLACES = "reference/channels.md", "reference/places.md"
TOUCHPOINTS, STAGES = "reference/touchpoints.md", "reference/stages.md"
NUMBERS = {"value": int, "score": float}


def rows_of(page: str) -> list[dict[str, Any]]:
    rows = []
    for person, time, kind, name, more in tables_of(page, EXAMPLE)[0]:
        given = dict(part.split("=", 1) for part in more.split())
        fields: dict[str, Any] = {key: NUMBERS.get(key, str)(value) for key, value in given.items()}
        if name == "Order Completed":
            fields = {"currency": "EUR", **fields}
        rows.append(event(time, name, source=kind, source_kind=kind, user_id=person or None, **fields))
    return rows


Shops = Callable[[str], JourneyLog]


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Shops:
    @functools.cache
    def shop(page: str) -> JourneyLog:
        return fresh_log(make_workspace(tmp_path_factory.mktemp("shop"), rows_of(page), currency="EUR"))

    return shop


@pytest.fixture(scope="module")
def log(shops: Shops) -> JourneyLog:
    return shops(CHANNELS)


def shown(result: Result, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [tuple(text(row[name]) for name in columns) for row in result.table.to_pylist()]


def text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{100 * value:.0f} %"
    return f"{value:.2f}" if isinstance(value, Decimal) else str(value)


_COUNTS = ("persons", "journeys", "first", "last", "assist", "orders", "value", "unidentified_orders")


def test_channels(log: JourneyLog) -> None:
    result = run_channels(ChannelsSpec(), log)
    assert shown(result, ("channel", "contacts", *_COUNTS)) == tables_of(CHANNELS, EXAMPLE)[1]
    assert (result.totals["switches"], result.totals["moves"]) == (2, 2)


def test_places(log: JourneyLog) -> None:
    result = run_places(PlacesSpec(), log)
    first, ways = tables_of(PLACES, EXAMPLE)
    assert shown(result, ("place", "contacts", "inbound", *_COUNTS)) == first
    found = result.tables["ropo"].to_pylist()
    columns = ("way", "orders", "known", "researched", "share")
    assert [tuple(text(row[name]) for name in columns) for row in found] == ways
    assert (result.totals["switches"], result.totals["moves"]) == (1, 2)
    (site, _, store) = result.table.to_pylist()
    assert (site["total_s"], site["measured_share"]) == (35 * 60, 1)
    assert (store["total_s"], store["measured_share"]) == (None, 0)


def test_touchpoints(shops: Shops) -> None:
    columns = ("touchpoint", "events", "persons", "journeys", "first", "last", "assist", "exits", "orders", "value")
    result = run_touchpoints(TouchpointsSpec(), shops(TOUCHPOINTS))
    assert shown(result, columns) == tables_of(TOUCHPOINTS, EXAMPLE)[1]


def test_stages(shops: Shops) -> None:
    text = "stage persons journeys stays open_stays median_s progressed skipped_ahead passed_over entered further exits"
    columns = (*text.split(), "now", "orders")
    rows = run_stages(StagesSpec(), shops(STAGES)).table.to_pylist()
    found = [tuple(duration(row[n]) if n == "median_s" else str(row[n]) for n in columns) for row in rows]
    assert found == tables_of(STAGES, EXAMPLE)[1]


def named_columns(page: str, heading: str) -> list[str]:
    return [span for row in table(page, heading) for span in code_spans(row[0])]


def test_columns_are_documented(log: JourneyLog) -> None:
    channels, places = run_channels(ChannelsSpec(), log), run_places(PlacesSpec(), log)
    named = named_columns(CHANNELS, "The answer")
    assert [name for name in named if not name.startswith("cost")] == channels.table.column_names
    assert ["place", *channels.table.column_names[1:]] == places.table.column_names
    tables = {code_spans(row[0])[0]: code_spans(row[1]) for row in table(PLACES, "The answer")}
    assert list(tables) == list(places.tables)[1:]
    for name, columns in tables.items():
        found = places.tables[name].column_names
        assert set(columns) - {"breadth"} <= set(found)
        if name != "device_breadth":
            assert columns == found
    check_totals_are_documented(CHANNELS, channels)
    touchpoints, stages = run_touchpoints(TouchpointsSpec(), log), run_stages(StagesSpec(), log)
    assert named_columns(TOUCHPOINTS, "The answer") == touchpoints.table.column_names
    assert named_columns(STAGES, "The answer") == stages.table.column_names
    check_totals_are_documented(TOUCHPOINTS, touchpoints)
    check_totals_are_documented(STAGES, stages)
    for page, result in ((TOUCHPOINTS, touchpoints), (STAGES, stages)):
        text = (DOCS / page).read_text(encoding="utf-8").replace("```", "")
        for name, beside in list(result.tables.items())[1:]:
            assert {name, *beside.column_names} <= set(code_spans(text))
    page = (DOCS / CHANNELS).read_text(encoding="utf-8")
    for name in ("switches", "breadth", "conversion_points"):
        assert set(channels.tables[name].column_names) <= set(code_spans(page.replace("```", "")))


def check_totals_are_documented(page: str, result: Result) -> None:
    paragraph = (DOCS / page).read_text(encoding="utf-8").split("single numbers: ", 1)[1].split("\n\n", 1)[0]
    assert set(result.totals) <= set(code_spans(paragraph))
