"""What a journey map says, in words: from the answer of percorso.analyses.map to the view that is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from percorso.analyses.intervals import FEW
from percorso.analyses.map import purchases_end_at
from percorso.analyses.map_lanes import OTHER
from percorso.analyses.result import Result
from percorso.language.kpi_words import kpi_name
from percorso.language.measures import DURATION, NUMBER, POINTS, SHARE, Measure, money
from percorso.language.said import again
from percorso.language.words import Words
from percorso.maps.head import how_to_read, subtitle, tiles
from percorso.maps.told import Row, Told
from percorso.maps.view import CurvePoint, LaneView, Line, MapView, StageView
from percorso.money import exponent
from percorso.settings.stages import StageModel

__all__ = ["map_view"]

_NAMES = {
    "actions": "action",
    "touchpoints": "touchpoint",
    "messages": "touchpoint",
    "places": "place",
    "channels": "channel",
}
_SCORE = Measure("number", decimals=0)


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
    names = model.names(words.language)
    told = Told(answer, words, model, names)
    title = told.words.text("map.title_persona", name=persona) if persona else told.words.text("map.title")
    return MapView(
        brand=brand,
        title=title,
        subtitle=subtitle(told, persona),
        tiles=tiles(told),
        stages=tuple(_stage(told, at) for at in range(len(model.stages))),
        curve=tuple(_point(told, stage) for stage in told.stages),
        curve_title=told.words.text("map.lane_emotion"),
        curve_note=told.words.text("map.lane_emotion_note"),
        curve_ends=(told.words.text("map.delighted"), told.words.text("map.disappointed")),
        lanes=_lanes(told),
        notes=(how_to_read(told), *(again(warning, words) for warning in answer.warnings)),
    )


def _stage(told: Told, at: int) -> StageView:
    key = told.stages[at]
    (row,) = told.rows("stages", key)
    numbers = told.words.numbers
    size = told.words.text("map.n_persons", n=int(row["persons"]))
    if row["share"] is not None:
        size += f" · {numbers.share(row['share'])}"
    onward = full = ""
    if at + 1 < len(told.stages) and row["next_share"] is not None:
        onward = f"{numbers.share(row['next_share'])} →"
        share = numbers.interval(row["next_share"], row["next_low"], row["next_high"], SHARE)
        full = told.words.text("map.onward_full", share=share)
    return StageView(key, told.names[key], size, onward, full)


def _point(told: Told, stage: str) -> CurvePoint:
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
    """How a lane comes about: its name, what is counted, its lines, and what an empty cell says.

    ``instead`` says so of the stages to which the lane does not apply; "" of the others.
    """

    title: str
    note: str
    make: Callable[[Told, str], Iterable[Line]]
    empty: str
    instead: Callable[[Told, str], str] = lambda _, __: ""


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
        _Lane(say.text("map.lane_exits"), say.text("map.lane_exits_note"), _exits, nothing, _no_exits),
        _Lane(say.text("map.lane_next"), say.text("map.lane_next_note"), _moves, nothing),
        _Lane(say.text("map.lane_kpis"), "", _kpis, unmeasured),
    )


#: Items shown of a lane; the answer has more. So many fill a sheet of A3.
_SHOWN = {"touchpoints": 5, "actions": 4, "categories": 2, "pages": 2, "places": 4, "channels": 5, "messages": 3}


def _of(lane: str) -> Callable[[Told, str], Iterable[Line]]:
    return lambda told, stage: _bars(told, stage, lane)


def _seen(told: Told, stage: str) -> Iterable[Line]:
    """Categories and pages apart, each with a heading: they are not parts of one whole."""
    lines: list[Line] = []
    for head, lane in ((told.words.text("map.categories"), "categories"), (told.words.text("map.pages"), "pages")):
        bars = _bars(told, stage, lane)
        lines += [Line(head, tone="muted"), *bars] if bars else []
    return lines


def _lanes(told: Told) -> tuple[LaneView, ...]:
    """All lanes that have something to say somewhere."""
    lanes = []
    for lane in _lane_makers(told.words):
        cells = [tuple(lane.make(told, stage)) for stage in told.stages]
        if any(cells):
            empty = [(Line(lane.instead(told, stage) or lane.empty, tone="muted"),) for stage in told.stages]
            whole = tuple(cell or said for cell, said in zip(cells, empty, strict=True))
            lanes.append(LaneView(lane.title, lane.note, whole))
    return tuple(lanes)


def _goals(told: Told, stage: str) -> Iterable[Line]:
    for row in told.rows("goals", stage):
        if row["customer"]:
            yield Line(row["customer"], tone="strong")
        if row["brand"]:
            yield Line(told.words.text("map.goal_brand", goal=row["brand"]), tone="muted")


def _bars(told: Told, stage: str, lane: str) -> list[Line]:
    lines = []
    for row in told.rows("cells", stage, lane=lane):
        if row["item"] == OTHER or row["rank"] > _SHOWN[lane]:
            continue
        name = row["item"] if lane not in _NAMES else told.words.name(_NAMES[lane], row["item"])  # type: ignore[arg-type]
        if (lane, name) == ("pages", "/"):
            name = f"/ ({told.words.name('touchpoint', 'home page')})"
        few = told.words.text("map.few") if row["persons"] < FEW else ""
        value = told.words.numbers.share(row["share"], 0 if row["share"] >= 0.0995 else 1)
        full = f"{name}: {told.share(row)}, {told.words.text('map.n_persons', n=row['persons'])}"
        lines.append(Line(name, f"{value} {few}".strip(), row["share"], full=full))
    return lines


def _experience(told: Told, stage: str) -> Iterable[Line]:
    """A line of each survey, and of reviews: what the KPI of the same name says, for this stage."""
    numbers = told.words.numbers
    for row in told.rows("feedback", stage):
        if row["kind"] == "all":
            continue
        name = _answer_name(told, row)
        count = told.words.text("map.n_answers", n=row["n"])
        if row["n"] < FEW:
            yield Line(name, told.words.text("map.few_answers", n=row["n"]), tone="muted", full=f"{name}: {count}")
            continue
        if row["nps"] is not None:
            value = numbers.interval(row["nps"], row["nps_low"], row["nps_high"], _SCORE)
        elif row["good"] is not None:
            value = numbers.interval(row["good"], row["good_low"], row["good_high"], SHARE)
        else:
            value = numbers.decimal(row["mean"], 1)
        yield Line(name, f"{value} · {numbers.count(row['n'])}", full=f"{name}: {value}, {count}")


def _answer_name(told: Told, row: Row) -> str:
    """The kind of answer; with the survey's own name where there are several of the kind."""
    name = told.words.name("answer", row["kind"])
    kinds = told.answer.tables["feedback"].select(["kind", "survey"]).to_pylist()
    of_kind = {one["survey"] for one in kinds if one["kind"] == row["kind"]}
    return f"{name}, {row['survey']}" if row["survey"] and len(of_kind) > 1 else name


def _signals(told: Told, stage: str) -> Iterable[Line]:
    """What is told of, as bars; then what was tried without any source telling whether it failed."""
    unknown = []
    for row in told.rows("signals", stage):
        name = told.words.name("trouble", row["signal"])
        if row["share"] is None:
            unknown.append(name)
            continue
        if row["n"] < FEW:
            few = told.words.text("map.few_answers", n=row["n"])
            yield Line(name, few, tone="muted", full=f"{name}: {told.words.numbers.count(row['hits'])}, n = {row['n']}")
            continue
        full = f"{name}: {told.share(row)}, n = {told.words.numbers.count(row['n'])}"
        yield Line(name, told.words.numbers.share(row["share"]), row["share"], "bad" if row["hits"] else "", full)
    if unknown:
        yield Line(told.words.text("map.untold", what=", ".join(unknown)), tone="muted")
    elif not told.answer.totals["signals_told"] and told.rows("stages", stage)[0]["persons"]:
        yield Line(told.words.text("map.nothing_told"), tone="muted")


def _effort(told: Told, stage: str) -> Iterable[Line]:
    (row,) = told.rows("stages", stage)
    numbers = told.words.numbers
    if row["contacts_each"] is not None:
        value = numbers.interval(row["contacts_each"], row["contacts_low"], row["contacts_high"], NUMBER)
        yield Line(told.words.text("map.contacts_each"), value)
    if row["time_median_s"] is not None:
        yield Line(told.words.text("map.time_in"), numbers.show(row["time_median_s"], DURATION))


def _exits(told: Told, stage: str) -> Iterable[Line]:
    (row,) = told.rows("stages", stage)
    if row["exit_share"] is None:
        return
    share = told.words.numbers.interval(row["exit_share"], row["exit_low"], row["exit_high"], SHARE)
    name = told.words.text("map.abandoned_here")
    tone = "bad" if row["exits"] else ""
    yield Line(name, told.words.numbers.share(row["exit_share"]), row["exit_share"], tone, f"{name}: {share}")
    for last in told.rows("exits", stage)[:2]:
        name = told.words.text("map.last_at", touchpoint=told.words.name("touchpoint", last["touchpoint"]))
        yield Line(
            name, told.words.numbers.share(last["share"], 0), full=f"{name}: {told.words.numbers.count(last['count'])}"
        )


def _no_exits(told: Told, stage: str) -> str:
    at = told.stages.index(stage)
    return "" if purchases_end_at(told.model, at) else told.words.text("map.no_exits")


def _moves(told: Told, stage: str) -> Iterable[Line]:
    own = told.stages.index(stage)
    for row in told.rows("moves", stage)[:3]:
        to = told.stages.index(row["to"])
        name = told.names[row["to"]]
        skips = f" ({told.words.text('map.skip')})" if to > own + 1 else ""
        arrow = f"← {name}" if to < own else f"→ {name}{skips}"
        yield Line(
            arrow, told.words.numbers.share(row["share"], 0), full=f"{arrow}: {told.words.numbers.count(row['count'])}"
        )


def _kpis(told: Told, stage: str) -> Iterable[Line]:
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
