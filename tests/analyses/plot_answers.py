"""Answers to every kind of question about one small shop, for tests of their charts; and the same, made difficult."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.channels import ChannelsSpec, run_channels
from percorso.analyses.journeys import JourneysSpec, run_journeys
from percorso.analyses.kpis import KpisSpec, run_kpis
from percorso.analyses.lifecycle import LifecycleSpec, run_lifecycle
from percorso.analyses.places import PlacesSpec, run_places
from percorso.analyses.plots import PLOTS
from percorso.analyses.quality import QualitySpec, run_quality
from percorso.analyses.result import Result
from percorso.analyses.retention import run_retention
from percorso.analyses.retention_plan import RetentionSpec
from percorso.analyses.segment import SegmentSpec, run_segment
from percorso.analyses.spec import Scope
from percorso.analyses.stages import StagesSpec, run_stages
from percorso.analyses.timeouts import TimeoutsSpec, run_timeouts
from percorso.analyses.touchpoints import TouchpointsSpec, run_touchpoints
from percorso.store.journey_log import JourneyLog
from tests.analyses.contact_logs import LAPTOP, ORIGINS, PHONE, build_shop
from tests.lake_builder import event

__all__ = ["HOSTILE", "answers_of", "build_plotted", "cut", "drawable", "with_hostile_names"]

HOSTILE = '<script>alert("x")</script> & a very long name, Straße 大きい ' + "W" * 60

_PERSONS = 150
_START = datetime(2023, 11, 2, 9)
_OF_ACTIVITY = RetentionSpec(start="activity", back="activity", unit="week")


def build_plotted(folder: Path) -> JourneyLog:
    """A shop with 150 customers over nine months: some buy, some again, some in the store after looking online."""
    rows = [row for number in range(_PERSONS) for row in _life(number)]
    # Long after all else, so that the silence of others counts.
    rows.append(event(_START + timedelta(days=270), "Page Viewed", user_id="late", source="web", message_id="late"))
    return build_shop(folder, rows)


def _life(number: int) -> list[dict[str, Any]]:
    at = _START + timedelta(days=number % 90, minutes=number)
    agent, origin = (PHONE, LAPTOP)[number % 2], ORIGINS[number % len(ORIGINS)]
    rows = [_web(number, at, name, agent, step, **origin) for step, name in enumerate(_looks(number))]
    if number % 3 == 0:
        rows += [
            _web(number, at + timedelta(days=1 + number % 4), name, LAPTOP, 10 + step)
            for step, name in enumerate(("Product Viewed", "Product Added", "Checkout Started"))
        ]
        rows.append(_order(number, at + timedelta(days=1 + number % 4, minutes=15), "web", 1))
    if number % 6 == 0:
        rows.append(_order(number, at + timedelta(days=20 + number), "pos", 2))
    if number % 12 == 0:
        rows.append(_order(number, at + timedelta(days=60 + number), "web", 3))
        rows.append(_told(number, at + timedelta(days=63 + number), "Product Reviewed", "web", score=4.0))
    if number % 5 == 0:
        rows.append(_told(number, at + timedelta(days=2), "Email Link Clicked", "email"))
        rows.append(_told(number, at + timedelta(days=8), "Ticket Opened", "support"))
    return rows


def _looks(number: int) -> tuple[str, ...]:
    return ("Page Viewed", "Product Viewed", "Products Searched")[: 1 + number % 3]


def _web(number: int, at: datetime, name: str, agent: str, step: int, **more: Any) -> dict[str, Any]:
    fields = {
        "user_id": f"u{number}",
        "anonymous_id": f"{number}-{agent[13:19]}",
        "user_agent": agent,
        "category": "drums",
        "url": "https://shop.example/p/a",
        "sequence": step,
        **more,
    }
    return event(at + timedelta(minutes=step), name, source="web", message_id=f"{number}-{name}-{at}", **fields)


def _order(number: int, at: datetime, kind: str, rank: int) -> dict[str, Any]:
    fields = {"order_id": f"o{number}-{rank}", "value": 2_550 + 100 * number, "currency": "EUR"}
    return _told(number, at, "Order Completed", kind, items=[{"sku": "a", "category": "drums"}], **fields)


def _told(number: int, at: datetime, name: str, kind: str, **more: Any) -> dict[str, Any]:
    return event(
        at, name, source=kind, source_kind=kind, user_id=f"u{number}", message_id=f"{number}-{name}-{at}", **more
    )


def answers_of(log: JourneyLog) -> dict[str, Result]:
    """Every question that has charts beside paths, with and without a break-down, by name."""
    basis, by_device = Basis(), Scope(by="device")
    period = Scope(start="2023-12-15", end="2024-03-14")
    return {
        "touchpoints": run_touchpoints(TouchpointsSpec(), log, basis),
        "channels": run_channels(ChannelsSpec(), log, basis),
        "places": run_places(PlacesSpec(), log, basis),
        "stages": run_stages(StagesSpec(), log, basis),
        "journeys": run_journeys(JourneysSpec(), log, basis),
        "journeys by": run_journeys(JourneysSpec(by="first_channel"), log, basis),
        "retention": run_retention(RetentionSpec(), log, basis),
        "retention by": run_retention(RetentionSpec(scope=by_device), log, basis),
        "retention of activity": run_retention(
            RetentionSpec(start="activity", back="activity", unit="week"), log, basis
        ),
        "lifecycle": run_lifecycle(LifecycleSpec(), log, basis),
        "kpis": run_kpis(KpisSpec(scope=period, compare="previous", every="month"), log, basis),
        "kpis of two": run_kpis(KpisSpec(kpis=("conversion_rate", "bounce_rate"), every="month"), log, basis),
        "kpis by": run_kpis(KpisSpec(kpis=("conversion_rate",), every="month", scope=by_device), log, basis),
        "timeouts": run_timeouts(TimeoutsSpec(), log, basis),
        "segment": run_segment(SegmentSpec(scope=Scope(persona="loyal", persons="orders >= 2")), log, basis),
        "quality": run_quality(QualitySpec(), log, basis),
    }


#: Charts that an answer cannot give: those of a break-down without one, and the other way round.
_NOT_DRAWN = {
    "journeys by": {"times", "lengths"},
    "retention by": {"cohorts"},
    "retention of activity": {"repeat"},
    "kpis": {"groups"},
    "kpis of two": {"groups", "changes"},
    "kpis by": {"tiles", "changes"},
}


def drawable(name: str, answer: Result) -> list[str]:
    """The charts of an answer."""
    return [kind for kind in PLOTS[type(answer.spec)] if kind not in _NOT_DRAWN.get(name, ())]


def cut(answer: Result, n: int) -> Result:
    """The answer with so many rows in each table, at most."""
    return _with_tables(answer, {name: table.slice(0, n) for name, table in answer.tables.items()})


def with_hostile_names(answer: Result) -> Result:
    """The answer with names that are long, no Latin, and look like markup; what Percorso itself names stays."""
    kept = {"kpi", "unit", "better", "stage", "kind", "outcome", "measure", "way", "relationship", "season", "method"}
    kept |= {"cohort", "interval", "period", "begins", "field", "finding", "level", "channels", "places", "flag"}
    tables = {}
    for name, table in answer.tables.items():
        for at, field in enumerate(table.schema):
            if pa.types.is_string(field.type) and field.name not in kept:
                texts = [text and f"{HOSTILE}{text}" for text in table.column(at).to_pylist()]
                table = table.set_column(at, field.name, pa.array(texts, pa.string()))
        tables[name] = table
    return _with_tables(answer, tables)


def _with_tables(answer: Result, tables: Mapping[str, pa.Table]) -> Result:
    return replace(answer, tables=dict(tables))
