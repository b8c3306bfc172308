"""What a journey map says, in words: from the answer of percorso.analyses.map to the view that is drawn."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from percorso.analyses.intervals import FEW
from percorso.analyses.map_lanes import OTHER
from percorso.analyses.result import Result
from percorso.language.kpi_words import kpi_name
from percorso.language.measures import DURATION, NUMBER, POINTS, SHARE, Measure, money
from percorso.language.said import again
from percorso.language.words import Words, capital
from percorso.maps.view import CurvePoint, LaneView, Line, MapView, StageView, Tile
from percorso.money import exponent
from percorso.settings.stages import StageModel
from percorso.time import zone_of

__all__ = ["map_view"]

Row = Mapping[str, Any]

_NAMES = {
    "actions": "action",
    "touchpoints": "touchpoint",
    "messages": "touchpoint",
    "places": "place",
    "channels": "channel",
}
_SCORE = Measure("number", decimals=0)


@dataclass(frozen=True, slots=True)
class _Told:
    """Rows of the answer by stage, and the language."""

    answer: Result
    words: Words
    names: Mapping[str, str]  # of the stages, in their order

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(self.names)

    def rows(self, table: str, stage: str, **wanted: str) -> list[Row]:
        return [
            row
            for row in self.answer.tables[table].to_pylist()
            if row["stage"] == stage and all(row[name] == value for name, value in wanted.items())
        ]

    def share(self, row: Row, name: str = "share") -> str:
        """A share with its interval."""
        return self.words.numbers.interval(row[name], row["low"], row["high"], SHARE)


def map_view(answer: Result, words: Words, model: StageModel, *, brand: str, persona: str = "") -> MapView:
    """The view of an answer.

    Parameters
    ----------
    answer : Result
        Of percorso.analyses.map.
    words : Words
    model : StageModel
        The workspace's stages: their names and order.
    brand : str
    persona : str
        Title of the persona that the map is of; "": all customers.
    """
    names = {stage.key: stage.it if words.language == "it" else stage.en for stage in model.stages}
    told = _Told(answer, words, names)
    title = told.words.text("map.title_persona", name=persona) if persona else told.words.text("map.title")
    return MapView(
        brand=brand,
        title=title,
        subtitle=_subtitle(told, persona),
        tiles=_tiles(told),
        stages=tuple(_stage(told, model, at) for at in range(len(model.stages))),
        curve=tuple(_point(told, stage) for stage in told.stages),
        curve_title=told.words.text("map.lane_emotion"),
        curve_note=told.words.text("map.lane_emotion_note"),
        curve_ends=(told.words.text("map.delighted"), told.words.text("map.disappointed")),
        lanes=_lanes(told),
        notes=(
            f"{told.words.text('map.how', few=FEW)} {told.words.text('map.bots_out')}"
            if not answer.spec.scope.include_bots
            else told.words.text("map.how", few=FEW),
            *(again(warning, words) for warning in answer.warnings),
        ),
    )


def _subtitle(told: _Told, persona: str) -> str:
    scope, numbers = told.answer.spec.scope, told.words.numbers
    zone = zone_of(scope.timezone)
    last = _day(told.answer.as_of_us, zone)
    end = scope.end_us()
    if end is not None:
        last = min(last, _day(end - 1, zone))
    start = scope.start_us()
    period = (
        numbers.period(_day(start, zone), last)
        if start is not None
        else told.words.text("map.up_to", day=numbers.day(last))
    )
    who = told.words.text("map.persona", name=persona) if persona else told.words.text("map.all_customers")
    return f"{capital(period)} · {who}"


def _day(time_us: int, zone: ZoneInfo) -> datetime.date:
    moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=time_us)
    return moment.astimezone(zone).date()


def _tiles(told: _Told) -> tuple[Tile, ...]:
    totals, numbers = told.answer.totals, told.words.numbers
    currency = totals["currency"]
    euro = money(currency, exponent(currency))
    minor = _minor(totals["value"], currency)
    nobody = ""
    if totals["unidentified_orders"]:
        worth = numbers.brief(_minor(totals["unidentified_value"], currency), euro)
        nobody = told.words.text("map.unidentified", n=int(totals["unidentified_orders"]), value=worth)
    every = totals["orders"] + totals["unidentified_orders"]
    all_minor = minor + _minor(totals["unidentified_value"], currency)
    average = all_minor / every if every else None
    return (
        Tile(told.words.text("map.persons"), numbers.count(totals["persons"])),
        Tile(told.words.text("map.orders"), numbers.count(totals["orders"]), nobody),
        Tile(told.words.text("map.value"), numbers.brief(minor, euro)),
        Tile(told.words.text("map.average"), numbers.show(average, euro)),
    )


def _minor(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(exponent(currency)))


def _stage(told: _Told, model: StageModel, at: int) -> StageView:
    key = model.stages[at].key
    (row,) = told.rows("stages", key)
    numbers = told.words.numbers
    size = told.words.text("map.n_persons", n=int(row["persons"]))
    if row["share"] is not None:
        size += f" · {numbers.share(row['share'])}"
    onward = full = ""
    if at + 1 < len(model.stages) and row["next_share"] is not None:
        onward = f"{numbers.share(row['next_share'])} →"
        share = numbers.interval(row["next_share"], row["next_low"], row["next_high"], SHARE)
        full = told.words.text("map.onward_full", share=share)
    return StageView(key, told.names[key], size, onward, full)


def _point(told: _Told, stage: str) -> CurvePoint:
    found = told.rows("feedback", stage, kind="all")
    if not found:
        return CurvePoint(None, note=told.words.text("map.no_answers"))
    (row,) = found
    few = row["n"] < FEW
    value, low, high = (None if row[name] is None else 100 * row[name] for name in ("satisfaction", "low", "high"))
    count = told.words.text("map.few_answers", n=row["n"]) if few else told.words.text("map.n_answers", n=row["n"])
    interval = "" if low is None else told.words.numbers.range(low, high, _SCORE)
    return CurvePoint(
        row["satisfaction"],
        None if few else row["low"],
        None if few else row["high"],
        told.words.numbers.show(value, _SCORE),
        f"{count} ({interval})" if interval else count,
        few,
    )


@dataclass(frozen=True, slots=True)
class _Lane:
    """How a lane comes about: its name, what is counted, its lines, and what an empty cell says."""

    title: str
    note: str
    make: Callable[[_Told, str], Iterable[Line]]
    empty: str


def _lane_makers(words: Words) -> tuple[_Lane, ...]:
    say = words
    nothing, unmeasured = say.text("map.nothing"), say.text("map.not_measured")
    return (
        _Lane(say.text("map.lane_goals"), say.text("map.lane_goals_note"), _goals, nothing),
        _Lane(say.text("map.lane_touchpoints"), say.text("map.lane_touchpoints_note"), _of("touchpoints"), nothing),
        _Lane(say.text("map.lane_actions"), say.text("map.lane_actions_note"), _of("actions"), nothing),
        _Lane(say.text("map.lane_seen"), say.text("map.lane_seen_note"), _seen, nothing),
        _Lane(say.text("map.lane_places"), say.text("map.lane_places_note"), _of("places"), nothing),
        _Lane(say.text("map.lane_channels"), say.text("map.lane_channels_note"), _of("channels"), nothing),
        _Lane(say.text("map.lane_messages"), say.text("map.lane_messages_note"), _of("messages"), nothing),
        _Lane(
            say.text("map.lane_experience"),
            say.text("map.lane_experience_note"),
            _experience,
            say.text("map.no_answers"),
        ),
        _Lane(say.text("map.lane_signals"), say.text("map.lane_signals_note"), _signals, say.text("map.no_trouble")),
        _Lane(say.text("map.lane_effort"), "", _effort, unmeasured),
        _Lane(say.text("map.lane_exits"), say.text("map.lane_exits_note"), _exits, nothing),
        _Lane(say.text("map.lane_next"), say.text("map.lane_next_note"), _moves, nothing),
        _Lane(say.text("map.lane_kpis"), "", _kpis, unmeasured),
    )


#: Items shown of a lane; the answer has more. So many fill a sheet of A3.
_SHOWN = {"touchpoints": 5, "actions": 4, "categories": 2, "pages": 3, "places": 4, "channels": 5, "messages": 3}


def _of(lane: str) -> Callable[[_Told, str], Iterable[Line]]:
    return lambda told, stage: _bars(told, stage, lane)


def _seen(told: _Told, stage: str) -> Iterable[Line]:
    return [*_bars(told, stage, "categories"), *_bars(told, stage, "pages")]


def _lanes(told: _Told) -> tuple[LaneView, ...]:
    """All lanes that have something to say somewhere."""
    lanes = []
    for lane in _lane_makers(told.words):
        cells = [tuple(lane.make(told, stage)) for stage in told.stages]
        if any(cells):
            empty = (Line(lane.empty, tone="muted"),)
            lanes.append(LaneView(lane.title, lane.note, tuple(cell or empty for cell in cells)))
    return tuple(lanes)


def _goals(told: _Told, stage: str) -> Iterable[Line]:
    for row in told.rows("goals", stage):
        if row["customer"]:
            yield Line(row["customer"], tone="strong")
        if row["brand"]:
            yield Line(told.words.text("map.goal_brand", goal=row["brand"]), tone="muted")


def _bars(told: _Told, stage: str, lane: str) -> list[Line]:
    lines = []
    for row in told.rows("cells", stage, lane=lane):
        if row["item"] == OTHER or row["rank"] > _SHOWN[lane]:
            continue
        name = row["item"] if lane not in _NAMES else told.words.name(_NAMES[lane], row["item"])  # type: ignore[arg-type]
        few = told.words.text("map.few") if row["persons"] < FEW else ""
        value = told.words.numbers.share(row["share"], 0 if row["share"] >= 0.0995 else 1)
        full = f"{name}: {told.share(row)}, {told.words.text('map.n_persons', n=row['persons'])}"
        lines.append(Line(name, f"{value} {few}".strip(), row["share"], full=full))
    return lines


def _experience(told: _Told, stage: str) -> Iterable[Line]:
    numbers = told.words.numbers
    for row in told.rows("feedback", stage):
        if row["kind"] == "all":
            continue
        name = told.words.name("answer", row["kind"])
        count = told.words.text("map.n_answers", n=row["n"])
        if row["n"] < FEW:
            yield Line(name, told.words.text("map.few_answers", n=row["n"]), tone="muted", full=f"{name}: {count}")
        elif row["kind"] == "nps":
            value = numbers.interval(row["nps"], row["nps_low"], row["nps_high"], _SCORE)
            yield Line(name, f"{value} · {numbers.count(row['n'])}", full=f"{name}: {value}, {count}")
        else:
            value = numbers.decimal(row["mean"], 1)
            yield Line(name, f"{value} · {numbers.count(row['n'])}", full=f"{name}: {value}, {count}")


def _signals(told: _Told, stage: str) -> Iterable[Line]:
    for row in told.rows("signals", stage):
        name = told.words.name("trouble", row["signal"])
        full = f"{name}: {told.share(row)}, n = {told.words.numbers.count(row['n'])}"
        yield Line(name, told.words.numbers.share(row["share"]), row["share"], "bad" if row["hits"] else "", full)


def _effort(told: _Told, stage: str) -> Iterable[Line]:
    (row,) = told.rows("stages", stage)
    numbers = told.words.numbers
    if row["contacts_each"] is not None:
        value = numbers.interval(row["contacts_each"], row["contacts_low"], row["contacts_high"], NUMBER)
        yield Line(told.words.text("map.contacts_each"), value)
    if row["time_median_s"] is not None:
        yield Line(told.words.text("map.time_in"), numbers.show(row["time_median_s"], DURATION))


def _exits(told: _Told, stage: str) -> Iterable[Line]:
    (row,) = told.rows("stages", stage)
    if row["exit_share"] is None:
        return
    share = told.words.numbers.interval(row["exit_share"], row["exit_low"], row["exit_high"], SHARE)
    name = told.words.text("map.abandoned_here")
    yield Line(name, told.words.numbers.share(row["exit_share"]), row["exit_share"], "bad", f"{name}: {share}")
    for last in told.rows("exits", stage)[:2]:
        name = told.words.text("map.last_at", touchpoint=told.words.name("touchpoint", last["touchpoint"]))
        yield Line(
            name, told.words.numbers.share(last["share"], 0), full=f"{name}: {told.words.numbers.count(last['count'])}"
        )


def _moves(told: _Told, stage: str) -> Iterable[Line]:
    own = told.stages.index(stage)
    for row in told.rows("moves", stage)[:3]:
        to = told.stages.index(row["to"])
        name = told.names[row["to"]]
        skips = f" ({told.words.text('map.skip')})" if to > own + 1 else ""
        arrow = f"← {name}" if to < own else f"→ {name}{skips}"
        yield Line(
            arrow, told.words.numbers.share(row["share"], 0), full=f"{arrow}: {told.words.numbers.count(row['count'])}"
        )


def _kpis(told: _Told, stage: str) -> Iterable[Line]:
    currency = told.answer.totals["currency"]
    for row in told.rows("kpis", stage):
        name = kpi_name(row["kpi"], told.words.language)
        if row["value"] is None:
            yield Line(name, told.words.text("map.not_measured"), tone="muted", full=f"{name}: {row['note']}")
            continue
        measure, scale = _measure(row["unit"], currency, row["value"])
        low, high = (None if row[key] is None else row[key] * scale for key in ("low", "high"))
        value = told.words.numbers.interval(row["value"] * scale, low, high, measure)
        yield Line(name, value, full=f"{name}: {value}, n = {told.words.numbers.count(row['n'])}")


def _measure(unit: str, currency: str, value: float) -> tuple[Measure, float]:
    """How a KPI's unit is shown, and what its value is multiplied by for that."""
    if unit == "money":
        places = exponent(currency)
        return money(currency, places), float(10**places)
    ratio = NUMBER if abs(value) >= 1 else Measure("number", decimals=2)
    measures = {"share": SHARE, "points": POINTS, "duration": DURATION, "score": _SCORE, "ratio": ratio}
    return measures.get(unit, Measure("count")), 1.0
