"""Channels and places as charts: whom each reaches, what converts, orders and value, changes from one to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from percorso.analyses.contact_plan import NOTHING
from percorso.analyses.intervals import FEW
from percorso.analyses.plots_telling import (
    NAME_BEHIND,
    Row,
    amount_text,
    joined,
    minor,
    money_of,
    name_of,
    note,
    refuse_groups,
    rows_of,
    subtitle,
    unit,
)
from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars, draw_bars
from percorso.charts.chart import Chart
from percorso.charts.dots import Dot, Dots, draw_dots
from percorso.charts.heat import HeatRow, HeatTable, Switches, draw_heat, draw_switches
from percorso.charts.lettering import fit
from percorso.charts.theme import ACCENT, QUIET, SMALL
from percorso.language.measures import COUNT, SHARE, Measure
from percorso.language.words import Words

__all__ = [
    "MOST",
    "conversion_dots",
    "left_out",
    "plot_breadth",
    "plot_conversion",
    "plot_devices",
    "plot_orders",
    "plot_reach",
    "plot_researched",
    "plot_roles",
    "plot_switches_of",
    "plot_value",
    "reach_bar",
]

#: Rows that one chart can hold and still be read.
MOST = 15
_MOST_SWITCHES = 10

_ONLINE_THEN_STORE = "online, then store"


def _field(result: Result) -> Literal["channel", "place"]:
    """What the answer is about, after its table."""
    return "channel" if "channels" in result.tables else "place"


def _shown(result: Result) -> list[Row]:
    """The rows of an answer without a break-down."""
    refuse_groups(result.spec.scope.by)
    return list(result.table.to_pylist())


def left_out(n_rows: int, words: Words, most: int = MOST) -> str:
    """How many rows a chart does not show."""
    return words.text("plots.not_shown", n=n_rows - most) if n_rows > most else ""


def reach_bar(row: Row, field: str, words: Words, colour: str = ACCENT, more: str = "") -> Bar:
    """Share of persons reached, with its interval, and how many they are."""
    behind = words.text("plots.n_persons", n=row["persons"])
    return Bar(
        name=name_of(field, row[field], words),
        value=row["share"],
        low=row["share_low"],
        high=row["share_high"],
        note=f"{behind} · {fit(more, NAME_BEHIND, SMALL)}" if more else behind,
        colour=QUIET if row[field] == NOTHING else colour,
    )


def plot_reach(result: Result, words: Words) -> Chart:
    """Whom each channel or place reaches."""
    rows, field = _shown(result), _field(result)
    title = words.text("plots.reach_channel") if field == "channel" else words.text("plots.reach_place")
    rows = sorted(rows, key=lambda row: -row["persons"])
    drawn = Bars(
        title=title,
        subtitle=subtitle(result, words.text("plots.share_of_persons"), words),
        note=joined([left_out(len(rows), words), note(result, result.totals["persons"], words)]),
        bars=tuple(reach_bar(row, field, words) for row in rows[:MOST]),
        measure=SHARE,
        name_head=unit(field, words),
    )
    return draw_bars(drawn, words)


def plot_conversion(result: Result, words: Words) -> Chart:
    """How the journeys convert in which each appears."""
    rows, field = _shown(result), _field(result)
    title = words.text("plots.conversion_channel") if field == "channel" else words.text("plots.conversion_place")
    return conversion_dots(result, rows, field, title, words, words.text("plots.at_a_till"))


def conversion_dots(result: Result, rows: Sequence[Row], field: str, title: str, words: Words, said: str) -> Chart:
    """Conversion as dots: of those that most journeys have, the best first; those with too few are only named."""
    told = [row for row in rows if row["journeys"] >= FEW and row["conversion"] is not None]
    told.sort(key=lambda row: (-row["journeys"], row[field]))
    shown = sorted(told[:MOST], key=lambda row: (-row["conversion"], row[field]))
    few = [name_of(field, row[field], words) for row in rows if 0 < row["journeys"] < FEW]
    drawn = Dots(
        title=title,
        subtitle=subtitle(result, words.text("plots.of_journeys_with"), words),
        note=joined(
            [
                left_out(len(told), words),
                words.text("plots.too_few_journeys", few=FEW, names=", ".join(few)) if few else "",
                said,
                words.text("plots.no_cause"),
                note(result, FEW, words),
            ]
        ),
        dots=tuple(
            Dot(
                name=name_of(field, row[field], words),
                value=row["conversion"],
                low=row["conversion_low"],
                high=row["conversion_high"],
                n=row["journeys"],
            )
            for row in shown
        ),
        measure=SHARE,
        zero=True,
        name_head=unit(field, words),
    )
    return draw_dots(drawn, words)


def _selling(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["orders"] or row["unidentified_orders"]]


def plot_orders(result: Result, words: Words) -> Chart:
    """Orders, and those of nobody beside them."""
    field = _field(result)
    rows = sorted(_selling(_shown(result)), key=lambda row: -row["orders"])
    measure = money_of(result)
    bars = tuple(
        Bar(
            name=name_of(field, row[field], words),
            value=row["orders"],
            note=_behind(words.numbers.brief(_worth(row, result, measure), measure), row["unidentified_orders"], words),
        )
        for row in rows[:MOST]
    )
    title = words.text("plots.orders_channel") if field == "channel" else words.text("plots.orders_place")
    drawn = Bars(
        title=title,
        subtitle=subtitle(result, words.text("plots.orders_known"), words),
        note=joined([left_out(len(rows), words), note(result, FEW, words)]),
        bars=bars,
        measure=COUNT,
        name_head=unit(field, words),
    )
    return draw_bars(drawn, words)


def _worth(row: Row, result: Result, measure: Measure) -> int | None:
    """Value of a row's orders; where no order of the answer has a value, that is not known, which is not zero."""
    if result.totals["valueless_orders"] and not result.totals["value"]:
        return None
    return minor(row["value"], measure)


def _behind(told: str, nobody: int, words: Words) -> str:
    return f"{told} · {words.text('plots.of_nobody', n=nobody)}" if nobody else told


def plot_value(result: Result, words: Words) -> Chart:
    """Value of the orders; beside it how many they are, and what advertising cost."""
    field = _field(result)
    rows = sorted(_selling(_shown(result)), key=lambda row: -row["value"])
    measure = money_of(result)
    bars = tuple(
        Bar(name=name_of(field, row[field], words), value=_worth(row, result, measure), note=_cost(row, result, words))
        for row in rows[:MOST]
    )
    title = words.text("plots.value_channel") if field == "channel" else words.text("plots.value_place")
    drawn = Bars(
        title=title,
        subtitle=subtitle(result, words.text("plots.value_known"), words),
        note=joined([left_out(len(rows), words), note(result, FEW, words)]),
        bars=bars,
        measure=measure,
        name_head=unit(field, words),
    )
    return draw_bars(drawn, words)


def _cost(row: Row, result: Result, words: Words) -> str:
    orders = words.text("plots.n_orders", n=row["orders"])
    if row["unidentified_orders"]:
        orders += f" · {words.text('plots.of_nobody', n=row['unidentified_orders'])}"
    if row.get("cost") is None:
        return orders
    return f"{orders} · {words.text('plots.ads', value=amount_text(row['cost'], money_of(result), words))}"


def plot_roles(result: Result, words: Words) -> Chart:
    """In how many journeys each comes first, between, or last."""
    rows, field = _shown(result), _field(result)
    rows = sorted((row for row in rows if row["journeys"]), key=lambda row: -row["journeys"])
    title = words.text("plots.roles_channel") if field == "channel" else words.text("plots.roles_place")
    drawn = HeatTable(
        title=title,
        subtitle=subtitle(result, unit("journeys", words), words),
        note=joined([left_out(len(rows), words), words.text("plots.roles_note"), note(result, FEW, words)]),
        rows=tuple(
            HeatRow(
                name_of(field, row[field], words),
                (row["first"], row["assist"], row["last"], row["first_converted"], row["last_converted"]),
                row["journeys"],
            )
            for row in rows[:MOST]
        ),
        columns=(
            words.text("plots.role_first"),
            words.text("plots.role_between"),
            words.text("plots.role_last"),
            words.text("plots.role_first_won"),
            words.text("plots.role_last_won"),
        ),
        measure=COUNT,
        row_head=unit(field, words),
        n_head=words.name("unit", "journeys"),
    )
    return draw_heat(drawn, words)


def plot_switches_of(result: Result, words: Words) -> Chart:
    """Changes from channel to channel, or from place to place."""
    field = _field(result)
    title = words.text("plots.switches_channel") if field == "channel" else words.text("plots.switches_place")
    return _switches(result, "switches", "switch_rate", field, title, words)


def plot_devices(result: Result, words: Words) -> Chart:
    """Changes from device to device."""
    return _switches(result, "devices", "device_switch_rate", "device", words.text("plots.switches_device"), words)


def _switches(result: Result, table: str, rate: str, field: str, title: str, words: Words) -> Chart:
    refuse_groups(result.spec.scope.by)
    moves = rows_of(result, table)
    weight: dict[str, int] = {}
    for row in moves:
        for end in (row["from"], row["to"]):
            weight[end] = weight.get(end, 0) + row["count"]
    keys = sorted(weight, key=lambda key: (-weight[key], key))[:_MOST_SWITCHES]
    count = {(row["from"], row["to"]): row["count"] for row in moves}
    drawn = Switches(
        title=title,
        subtitle=subtitle(result, words.text("plots.switches_between"), words),
        note=joined([left_out(len(weight), words, _MOST_SWITCHES), note(result, FEW, words)]),
        description=_rate_said(result, rate, words),
        names=tuple(name_of(field, key, words) for key in keys),
        counts=tuple(tuple(None if a == b else count.get((a, b), 0) for b in keys) for a in keys),
    )
    return draw_switches(drawn, words)


def _rate_said(result: Result, key: str, words: Words) -> str:
    """What share of all steps is a change."""
    rate = result.totals.get(key)
    if rate is None:
        return ""
    low, high = result.totals.get(f"{key}_interval") or (None, None)
    return words.text("plots.switch_rate", share=words.numbers.interval(rate, low, high, SHARE))


def plot_breadth(result: Result, words: Words) -> Chart:
    """How journeys convert with one, two, or more."""
    refuse_groups(result.spec.scope.by)
    field = _field(result)
    rows = [row for row in rows_of(result, "breadth") if row["journeys"]]
    titles = {"channel": words.text("plots.breadth_channel"), "place": words.text("plots.breadth_place")}
    fewest = min((row["journeys"] for row in rows), default=0)
    heads = {"channel": words.text("plots.n_channels"), "place": words.text("plots.n_places")}
    drawn = Dots(
        title=titles[field],
        subtitle=subtitle(result, words.text("plots.share_of_converted"), words),
        note=joined([words.text("plots.breadth_note"), note(result, fewest, words)]),
        dots=tuple(
            Dot(
                name=row[f"{field}s"],
                value=row["conversion"],
                low=row["conversion_low"],
                high=row["conversion_high"],
                n=row["journeys"],
            )
            for row in rows
        ),
        measure=SHARE,
        zero=True,
        name_head=heads[field],
    )
    return draw_dots(drawn, words)


def plot_researched(result: Result, words: Words) -> Chart:
    """Orders that were researched elsewhere: online before the store, in the store before online."""
    refuse_groups(result.spec.scope.by)
    rows = [row for row in rows_of(result, "ropo") if row["orders"]]
    names = {True: words.text("plots.online_then_store"), False: words.text("plots.store_then_online")}
    drawn = Bars(
        title=words.text("plots.researched"),
        subtitle=subtitle(result, words.text("plots.researched_of"), words),
        note=note(result, min((row["orders"] for row in rows), default=0), words),
        bars=tuple(
            Bar(
                name=names[row["way"] == _ONLINE_THEN_STORE],
                value=row["share"],
                low=row["share_low"],
                high=row["share_high"],
                note=words.text("plots.n_of", n=row["researched"], of=row["orders"]),
            )
            for row in rows
        ),
        measure=SHARE,
        names_above=True,
    )
    return draw_bars(drawn, words)
