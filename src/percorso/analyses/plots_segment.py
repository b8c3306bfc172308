"""A segment or persona as charts: how large it is and what it brings, and what sets it apart."""

from __future__ import annotations

from percorso.analyses.intervals import FEW
from percorso.analyses.plots_telling import (
    Row,
    few,
    field_name,
    minor,
    money_of,
    name_of,
    rows_of,
)
from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars
from percorso.charts.tiles import Tile, Tiles
from percorso.language.measures import COUNT, SHARE, Measure
from percorso.language.words import Words

__all__ = ["plot_segment_size", "plot_segment_traits"]

_MOST = 12
_A_YEAR = Measure("number", decimals=2)


def plot_segment_traits(result: Result, words: Words) -> Bars:
    """The traits in which the segment differs most from all persons; a mark shows all persons."""
    rows = [row for row in rows_of(result, "traits") if row["share"] is not None]
    rows.sort(key=lambda row: -abs(row["share"] - (row["share_of_all"] or 0.0)))
    return Bars(
        title=words.text("plots.traits", name=result.spec.scope.persona)
        if result.spec.scope.persona
        else words.text("plots.traits_of"),
        subtitle=words.text("plots.share_with_trait"),
        note=few(result, rows_of(result, "size")[0]["persons"], words),
        bars=tuple(
            Bar(
                name=_trait(row, words),
                value=row["share"],
                low=row["low"],
                high=row["high"],
                reference=row["share_of_all"],
                note=words.text("plots.all_persons", share=words.numbers.share(row["share_of_all"]))
                if row["share_of_all"] is not None
                else "",
            )
            for row in rows[:_MOST]
        ),
        measure=SHARE,
        reference_name=words.text("plots.among_all"),
        name_head=words.text("plots.trait"),
    )


def _trait(row: Row, words: Words) -> str:
    """A value and the field that it is of: "Direct (channel)"."""
    return f"{name_of(row['field'], row['value'], words)} ({field_name(row['field'], words)})"


def plot_segment_size(result: Result, words: Words) -> Tiles:
    """How many persons, and what they bring."""
    rows = rows_of(result, "size")
    mine, everybody = rows[0], rows[-1]
    of_all = words.text("plots.segment_of", n=mine["persons"], of=everybody["persons"])
    return Tiles(
        title=result.spec.scope.persona or words.text("plots.segment"),
        subtitle=of_all,
        note=few(result, mine["persons"], words),
        tiles=_tiles(mine, everybody, result, words) if mine["persons"] else (),
    )


def _tiles(mine: Row, everybody: Row, result: Result, words: Words) -> tuple[Tile, ...]:
    amounts = money_of(result)

    def amount(name: str) -> float | None:
        return None if mine[name] is None else minor(mine[name], amounts)

    lacking = words.text("plots.too_few", few=FEW)
    return (
        Tile(
            name=words.text("plots.share_of_all"),
            value=mine["share"],
            measure=SHARE,
            low=mine["low"],
            high=mine["high"],
            n=everybody["persons"],
        ),
        Tile(name=words.text("plots.share_of_orders"), value=_part(mine, everybody, "orders"), measure=SHARE),
        Tile(name=words.text("plots.share_of_value"), value=_part(mine, everybody, "value"), measure=SHARE),
        Tile(name=words.text("plots.customers"), value=mine["customers"], measure=COUNT),
        Tile(name=words.text("plots.orders"), value=mine["orders"], measure=COUNT),
        Tile(name=words.text("plots.value"), value=amount("value"), measure=amounts),
        Tile(
            name=words.text("plots.average_order"),
            value=amount("average_order"),
            measure=amounts,
            low=amount("average_low"),
            high=amount("average_high"),
            note=lacking,
        ),
        Tile(
            name=words.text("plots.orders_a_year"),
            value=mine["orders_a_year"],
            measure=_A_YEAR,
            low=mine["year_low"],
            high=mine["year_high"],
            note=lacking,
        ),
    )


def _part(mine: Row, everybody: Row, name: str) -> float | None:
    return float(mine[name] / everybody[name]) if everybody[name] else None
