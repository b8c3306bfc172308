"""Channels and places as charts: whom each reaches, what converts, orders and value, changes from one to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from percorso.analyses.contact_plan import NOTHING
from percorso.analyses.intervals import FEW
from percorso.analyses.plots_telling import (
    MOST,
    NAME_BEHIND,
    Row,
    amount_text,
    busiest,
    few,
    joined,
    left_out,
    minor,
    money_of,
    name_of,
    refuse_groups,
    rows_of,
    share_bar,
    share_dot,
    too_few_closed,
    too_young,
    unit,
    whole_rows,
)
from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars
from percorso.charts.dots import Dots
from percorso.charts.heat import HeatRow, HeatTable, Switches
from percorso.charts.lettering import fit
from percorso.charts.theme import ACCENT, QUIET, SMALL
from percorso.language.measures import COUNT, SHARE, Measure
from percorso.language.words import Words

__all__ = [
    "closed_journeys",
    "conversion_dots",
    "plot_breadth",
    "plot_conversion",
    "plot_devices",
    "plot_orders",
    "plot_reach",
    "plot_researched",
    "plot_roles",
    "plot_switches_of",
    "plot_value",
    "reach_bars",
]

_MOST_SWITCHES = 10

_ONLINE_THEN_STORE = "online, then store"


def _field(result: Result) -> Literal["channel", "place"]:
    """What the answer is about, after its table."""
    return "channel" if "channels" in result.tables else "place"


def plot_reach(result: Result, words: Words) -> Bars:
    """Whom each channel or place reaches."""
    field = _field(result)
    title = words.text("plots.reach_channel") if field == "channel" else words.text("plots.reach_place")
    return reach_bars(result, field, title, words, lambda row: (ACCENT, ""))


def reach_bars(result: Result, field: str, title: str, words: Words, look: Callable[[Row], tuple[str, str]]) -> Bars:
    """Share of persons reached, with its interval, and how many they are; `look`: colour, and what stands behind."""
    rows = sorted(whole_rows(result), key=lambda row: -row["persons"])
    bars = []
    for row in rows[:MOST]:
        colour, more = look(row)
        behind = words.text("plots.n_persons", n=row["persons"])
        behind += f" · {fit(more, NAME_BEHIND, SMALL)}" if more else ""
        colour = QUIET if row[field] == NOTHING else colour
        bars.append(share_bar(name_of(field, row[field], words), row, behind, colour=colour))
    return Bars(
        title=title,
        subtitle=words.text("plots.share_of_persons"),
        note=joined([left_out(len(rows), words), few(result, result.totals["persons"], words)]),
        bars=tuple(bars),
        measure=SHARE,
        name_head=unit(field, words),
    )


def closed_journeys(row: Row) -> int:
    """How many journeys a row's conversion is of: how open ones end is not known."""
    n: int = row["journeys"] - row["open"]
    return n


def plot_conversion(result: Result, words: Words) -> Dots:
    """How the journeys convert in which each appears."""
    rows, field = whole_rows(result), _field(result)
    title = words.text("plots.conversion_channel") if field == "channel" else words.text("plots.conversion_place")
    return conversion_dots(rows, field, title, words, words.text("plots.at_a_till"))


def conversion_dots(rows: Sequence[Row], field: str, title: str, words: Words, said: str) -> Dots:
    """Conversion as dots: of those that most journeys have, the best first; those with too few are only named."""
    enough = [row for row in rows if closed_journeys(row) >= FEW]
    told = [row for row in enough if row["conversion"] is not None]
    told.sort(key=lambda row: (-row["journeys"], row[field]))
    shown = sorted(told[:MOST], key=lambda row: (-row["conversion"], row[field]))
    few_closed = [row for row in rows if row["journeys"] and closed_journeys(row) < FEW]
    young = [row for row in enough if row["conversion"] is None]
    lacking = [
        too_few_closed([name_of(field, row[field], words) for row in few_closed], words),
        too_young([name_of(field, row[field], words) for row in young], words),
    ]
    return Dots(
        title=title,
        subtitle=words.text("plots.of_journeys_with"),
        note=joined([left_out(len(told), words), *lacking, said, words.text("plots.no_cause")]),
        dots=tuple(
            share_dot(name_of(field, row[field], words), row, closed_journeys(row), share="conversion") for row in shown
        ),
        measure=SHARE,
        zero=True,
        name_head=unit(field, words),
    )


def plot_orders(result: Result, words: Words) -> Bars:
    """Orders, and those of nobody beside them."""
    measure = money_of(result)

    def bar(row: Row) -> tuple[float | None, str]:
        worth = words.numbers.brief(_worth(row, result, measure), measure)
        return row["orders"], worth + _of_nobody(row, words)

    is_channel = _field(result) == "channel"
    title = words.text("plots.orders_channel") if is_channel else words.text("plots.orders_place")
    return _selling_bars(result, "orders", title, words.text("plots.orders_known"), COUNT, words, bar)


def plot_value(result: Result, words: Words) -> Bars:
    """Value of the orders; beside it how many they are, and what advertising cost."""
    measure = money_of(result)

    def bar(row: Row) -> tuple[float | None, str]:
        behind = words.text("plots.n_orders", n=row["orders"]) + _of_nobody(row, words)
        if row.get("cost") is not None:
            behind += f" · {words.text('plots.ads', value=amount_text(row['cost'], measure, words))}"
        return _worth(row, result, measure), behind

    is_channel = _field(result) == "channel"
    title = words.text("plots.value_channel") if is_channel else words.text("plots.value_place")
    return _selling_bars(result, "value", title, words.text("plots.value_known"), measure, words, bar)


def _selling_bars(
    result: Result,
    column: str,
    title: str,
    counted: str,
    measure: Measure,
    words: Words,
    bar: Callable[[Row], tuple[float | None, str]],
) -> Bars:
    """What sells, the most of a column first; `bar`: the value of a row, and what stands behind it."""
    field = _field(result)
    rows = [row for row in whole_rows(result) if row["orders"] or row["unidentified_orders"]]
    rows.sort(key=lambda row: -row[column])
    shown = [(name_of(field, row[field], words), bar(row)) for row in rows[:MOST]]
    return Bars(
        title=title,
        subtitle=counted,
        note=left_out(len(rows), words),
        bars=tuple(Bar(name=name, value=value, note=behind) for name, (value, behind) in shown),
        measure=measure,
        name_head=unit(field, words),
    )


def _worth(row: Row, result: Result, measure: Measure) -> int | None:
    """Value of a row's orders; where no order of the answer has a value, that is not known, which is not zero."""
    if result.totals["valueless_orders"] and not result.totals["value"]:
        return None
    return minor(row["value"], measure)


def _of_nobody(row: Row, words: Words) -> str:
    nobody: int = row["unidentified_orders"]
    return f" · {words.text('plots.of_nobody', n=nobody)}" if nobody else ""


def plot_roles(result: Result, words: Words) -> HeatTable:
    """In how many journeys each comes first, between, or last."""
    rows, field = whole_rows(result), _field(result)
    rows = sorted((row for row in rows if row["journeys"]), key=lambda row: -row["journeys"])
    columns = {
        "first": words.text("plots.role_first"),
        "assist": words.text("plots.role_between"),
        "last": words.text("plots.role_last"),
        "first_converted": words.text("plots.role_first_won"),
        "last_converted": words.text("plots.role_last_won"),
    }
    return HeatTable(
        title=words.text("plots.roles_channel") if field == "channel" else words.text("plots.roles_place"),
        subtitle=unit("journeys", words),
        note=joined([left_out(len(rows), words), words.text("plots.roles_note")]),
        rows=tuple(
            HeatRow(name_of(field, row[field], words), tuple(row[key] for key in columns), row["journeys"])
            for row in rows[:MOST]
        ),
        columns=tuple(columns.values()),
        measure=COUNT,
        row_head=unit(field, words),
        n_head=words.name("unit", "journeys"),
    )


def plot_switches_of(result: Result, words: Words) -> Switches:
    """Changes from channel to channel, or from place to place."""
    field = _field(result)
    title = words.text("plots.switches_channel") if field == "channel" else words.text("plots.switches_place")
    return _switches(result, "switches", "switch_rate", field, title, words)


def plot_devices(result: Result, words: Words) -> Switches:
    """Changes from device to device."""
    return _switches(result, "devices", "device_switch_rate", "device", words.text("plots.switches_device"), words)


def _switches(result: Result, table: str, rate: str, field: str, title: str, words: Words) -> Switches:
    refuse_groups(result.spec.scope.by)
    count = {(row["from"], row["to"]): row["count"] for row in rows_of(result, table)}
    keys, n_keys = busiest(count, _MOST_SWITCHES)
    return Switches(
        title=title,
        subtitle=words.text("plots.switches_between"),
        note=left_out(n_keys, words, _MOST_SWITCHES),
        description=_rate_said(result, rate, words),
        names=tuple(name_of(field, key, words) for key in keys),
        counts=tuple(tuple(None if a == b else count.get((a, b), 0) for b in keys) for a in keys),
    )


def _rate_said(result: Result, key: str, words: Words) -> str:
    """What share of all steps is a change."""
    rate = result.totals.get(key)
    if rate is None:
        return ""
    low, high = result.totals.get(f"{key}_interval") or (None, None)
    return words.text("plots.switch_rate", share=words.numbers.interval(rate, low, high, SHARE))


def plot_breadth(result: Result, words: Words) -> Dots:
    """How journeys convert with one, two, or more."""
    refuse_groups(result.spec.scope.by)
    field = _field(result)
    rows = [row for row in rows_of(result, "breadth") if row["journeys"]]
    is_channel = field == "channel"
    fewest = min(map(closed_journeys, rows), default=0)
    return Dots(
        title=words.text("plots.breadth_channel") if is_channel else words.text("plots.breadth_place"),
        subtitle=words.text("plots.share_of_converted"),
        note=joined([words.text("plots.breadth_note"), few(result, fewest, words)]),
        dots=tuple(share_dot(row[f"{field}s"], row, closed_journeys(row), share="conversion") for row in rows),
        measure=SHARE,
        zero=True,
        name_head=words.text("plots.n_channels") if is_channel else words.text("plots.n_places"),
    )


def plot_researched(result: Result, words: Words) -> Bars:
    """Orders that were researched elsewhere: online before the store, in the store before online."""
    refuse_groups(result.spec.scope.by)
    rows = [row for row in rows_of(result, "ropo") if row["orders"]]
    names = {True: words.text("plots.online_then_store"), False: words.text("plots.store_then_online")}
    return Bars(
        title=words.text("plots.researched"),
        subtitle=words.text("plots.researched_of"),
        note=few(result, min((row["orders"] for row in rows), default=0), words),
        bars=tuple(
            share_bar(
                names[row["way"] == _ONLINE_THEN_STORE],
                row,
                words.text("plots.n_of", n=row["researched"], of=row["orders"]),
            )
            for row in rows
        ),
        measure=SHARE,
        names_above=True,
    )
