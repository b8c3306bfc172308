"""All kinds of charts: sound for ordinary, empty, single, huge, tiny, negative, missing data, and for hostile names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from percorso.charts.bars import Bar, Bars, draw_bars
from percorso.charts.chart import Chart
from percorso.charts.columns import Columns, Series, draw_columns
from percorso.charts.dots import Dot, Dots, draw_dots
from percorso.charts.funnel import FunnelStep, Steps, draw_steps
from percorso.charts.heat import HeatRow, HeatTable, Switches, draw_heat, draw_switches
from percorso.charts.lines import Line, LinePoint, Lines, draw_lines
from percorso.charts.sankey import FlowLink, FlowNode, Sankey, draw_sankey
from percorso.charts.spark import Spark, draw_spark
from percorso.charts.tiles import Tile, Tiles, draw_tiles
from percorso.errors import FileError, SpecError
from percorso.language.measures import COUNT, DURATION, NUMBER, SHARE, money
from percorso.language.words import LANGUAGES, Words
from tests.charts.drawn import assert_sound, elements, text_boxes

HOSTILE = "<script>alert('x')</script> & \"Söhne\" \x00 ]]>"
LONG = "Una campagna con un nome davvero molto lungo che nessuno leggerà mai per intero, nemmeno stampato in grande"
NAMES = ("Sito", LONG, HOSTILE, "店舗のご来店", "Supercalifragilistichespiralidoso" * 4, "e")
Values = tuple[float | None, ...]
VALUES: Mapping[str, Values] = {
    "ordinary": (12.0, 30.0, 7.0, 21.5, 3.0, 18.0),
    "one": (12.0,),
    "zeros": (0.0, 0.0, 0.0),
    "equal": (5.0, 5.0, 5.0),
    "huge": (1e15, 3e14, 2.5e15, 1.0, 0.0, 8e12),
    "tiny": (1e-9, 3e-9, 0.0, 2e-9, 1e-12, 5e-10),
    "negative": (-12.0, 30.0, -7.0, -300.0, 0.0, 1.0),
    "missing": (None, 3.0, None, 5.0, 2.0, None),
    "nothing known": (None, None),
    "empty": (),
}


def bars(values: Values, words: Words) -> Chart:
    entries = tuple(
        Bar(
            name=NAMES[at % 6],
            value=value,
            low=None if value is None or at % 2 else value - abs(value) / 5,
            high=None if value is None or at % 2 else value + abs(value) / 5,
            reference=None if value is None else value * 1.3,
            note="n = 120",
        )
        for at, value in enumerate(values)
    )
    return draw_bars(Bars(title="Barre", bars=entries, measure=NUMBER, reference_name="obiettivo"), words)


def paths(values: Values, words: Words) -> Chart:
    entries = tuple(Bar(name=f"{NAMES[at % 6]} → {LONG}", value=value) for at, value in enumerate(values))
    return draw_bars(Bars(title=LONG, subtitle=LONG, note=LONG * 4, bars=entries, names_above=True), words)


def columns(values: Values, words: Words) -> Chart:
    names = tuple(f"gen {at}" for at in range(len(values)))
    return draw_columns(
        Columns(title="Colonne", categories=names, series=(Series(HOSTILE, values),), measure=NUMBER, target=4.0), words
    )


def stacked(values: Values, words: Words) -> Chart:
    known = tuple(None if value is None else abs(value) for value in values)
    names = tuple(f"{LONG} {at}" for at in range(len(values)))
    series = tuple(Series(name, known) for name in NAMES)
    return draw_columns(Columns(title="Pile", categories=names, series=series, stacked=True), words)


def grouped(values: Values, words: Words) -> Chart:
    names = tuple(str(at) for at in range(len(values)))
    series = tuple(Series(name, values) for name in NAMES[:3])
    return draw_columns(Columns(title="Gruppi", categories=names, series=series, measure=money("EUR")), words)


def points(values: Values) -> tuple[LinePoint, ...]:
    return tuple(
        LinePoint(
            x=float(at),
            value=value,
            low=None if value is None else value - abs(value) / 10,
            high=None if value is None else value + abs(value) / 10,
            n=at * 1000,
        )
        for at, value in enumerate(values)
    )


def smooth(values: Values, words: Words) -> Chart:
    labels = tuple((float(at), NAMES[at % 6][:12]) for at in range(len(values)))
    lines = Lines(
        title="Curva", lines=(Line(points=points(values)),), measure=NUMBER, labels=labels, shape="smooth", with_n=True
    )
    return draw_lines(lines, words)


def survival(values: Values, words: Words) -> Chart:
    lines = tuple(Line(points=points(values), name=name) for name in NAMES)
    return draw_lines(
        Lines(title="Curve", lines=lines, measure=SHARE, x_measure=DURATION, x_title="dal primo ordine", shape="step"),
        words,
    )


def dots(values: Values, words: Words) -> Chart:
    entries = tuple(
        Dot(
            name=NAMES[at % 6],
            value=value,
            low=None if value is None else value - abs(value) / 10,
            high=None if value is None else value + abs(value) / 10,
            before=None if value is None else value / 2,
        )
        for at, value in enumerate(values)
    )
    return draw_dots(Dots(title="Punti", dots=entries, before_name="prima", measure=NUMBER), words)


def funnel(values: Values, words: Words) -> Chart:
    counts = sorted((int(abs(value)) for value in values if value is not None), reverse=True)
    steps = tuple(
        FunnelStep(
            name=NAMES[at % 6],
            count=count,
            share=count / counts[0] if counts[0] else None,
            low=0.0,
            high=1.0,
            from_previous=count / counts[at - 1] if at and counts[at - 1] else None,
            dropped=count // 2,
            median_s=None if at % 2 else 93_780.0,
        )
        for at, count in enumerate(counts)
    )
    return draw_steps(Steps(title="Imbuto", steps=steps), words)


def sankey(values: Values, words: Words) -> Chart:
    nodes = tuple(FlowNode(key=str(at), name=NAMES[at % 6]) for at in range(len(values) + 1))
    links = tuple(
        FlowLink(str(at), str((at + step) % (len(values) + 1)), int(abs(value)))
        for at, value in enumerate(values)
        if value is not None
        for step in (0, 1, 2, 4)
    )
    return draw_sankey(Sankey(title="Flusso", nodes=nodes, links=links, first=("0",)), words)


def heat(values: Values, words: Words) -> Chart:
    rows = tuple(HeatRow(NAMES[at % 6], values[at:], 10**at) for at in range(len(values)))
    names = tuple(NAMES[at % 6] for at in range(len(values)))
    table = HeatTable(
        title="Coorti",
        rows=rows,
        columns=names,
        measure=NUMBER,
        row_head="primo ordine",
        n_head="clienti",
        column_head="mesi dopo",
    )
    return draw_heat(table, words)


def switches(values: Values, words: Words) -> Chart:
    counts = tuple(tuple(None if value is None else int(value) for value in values) for _ in values)
    names = tuple(NAMES[at % 6] for at in range(len(values)))
    return draw_switches(Switches(title="Cambi", names=names, counts=counts), words)


def spark(values: Values, words: Words) -> Chart:
    return draw_spark(Spark(title="Andamento", values=values), words)


def tiles(values: Values, words: Words) -> Chart:
    measures = (NUMBER, SHARE, COUNT, money("EUR"), DURATION)
    entries = tuple(
        Tile(
            name=NAMES[at % 6],
            value=value,
            measure=measures[at % 5],
            low=value,
            high=value,
            n=120,
            difference=value,
            difference_low=-1.0 if at % 2 else value,
            difference_high=1.0 if at % 2 else value,
            better=("more", "less", "")[at % 3],
            target=value,
            trend=values,
            note=LONG,
        )
        for at, value in enumerate(values)
    )
    return draw_tiles(Tiles(title="KPI", tiles=entries, before_name="il mese prima"), words)


KINDS: tuple[Callable[[Values, Words], Chart], ...] = (
    bars, paths, columns, stacked, grouped, smooth, survival, dots, funnel, sankey, heat, switches, spark, tiles,
)  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("values", VALUES.values(), ids=list(VALUES))
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_a_chart_is_sound(kind: Callable[[Values, Words], Chart], values: Values, language: str) -> None:
    chart = kind(values, Words(language))
    assert_sound(chart)
    assert chart.language == language


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_equal_data_give_equal_text(kind: Callable[[Values, Words], Chart]) -> None:
    assert kind(VALUES["ordinary"], Words("it")) == kind(VALUES["ordinary"], Words("it"))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_hostile_names_stay_text(kind: Callable[[Values, Words], Chart]) -> None:
    chart = kind(VALUES["ordinary"], Words("it"))
    for written in (chart.svg, chart.as_figure()):
        assert "<script" not in written
        assert "\x00" not in written
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", chart.as_figure())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_a_chart_of_nothing_says_so(kind: Callable[[Values, Words], Chart]) -> None:
    chart = kind((), Words("it"))
    if kind is not spark:
        assert "Nessun dato" in chart.svg
        assert chart.as_table() == ""


def test_a_shortened_name_tells_its_full_text() -> None:
    chart = bars((3.0, 4.0), Words("it"))
    shortened = [each for each in elements(chart, "text") if (each.text or "").endswith("…")]
    assert [each[0].text for each in shortened] == [LONG]


def test_a_bare_chart_has_no_heading() -> None:
    entries = (Bar(name="a", value=1.0),)
    whole = draw_bars(Bars(title="Titolo", note="Nota", bars=entries), Words("it"))
    bare = draw_bars(Bars(title="Titolo", note="Nota", bars=entries, bare=True), Words("it"))
    assert {"Titolo", "Nota"} <= {box.text for box in text_boxes(whole)}
    assert not {"Titolo", "Nota"} & {box.text for box in text_boxes(bare)}
    assert bare.height < whole.height
    assert "<title>Titolo</title>" in bare.svg


def test_saving(tmp_path: Path) -> None:
    chart = bars((3.0, 4.0), Words("it"))
    assert chart.save(tmp_path / "a.svg").read_text(encoding="utf-8") == chart.svg + "\n"
    page = chart.save(tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert '<html lang="it">' in page
    assert "Tabella dietro il grafico" in page
    with pytest.raises(FileError, match=r"\.png"):
        chart.save(tmp_path / "a.png")


def test_notebooks() -> None:
    chart: Any = bars((3.0,), Words("en"))
    assert chart._repr_svg_() == chart.svg
    assert chart._repr_html_() == chart.as_figure()


def test_data_that_cannot_be_drawn() -> None:
    with pytest.raises(SpecError, match="one value for each category"):
        Columns(title="", categories=("a", "b"), series=(Series("x", (1.0,)),))
    with pytest.raises(SpecError, match="cannot be stacked"):
        Columns(title="", categories=("a",), series=(Series("x", (-1.0,)),), stacked=True)
    with pytest.raises(SpecError, match="ascending"):
        Line(points=(LinePoint(x=1.0, value=1.0), LinePoint(x=1.0, value=2.0)))
    with pytest.raises(SpecError, match="more values"):
        HeatTable(title="", rows=(HeatRow("a", (1.0, 2.0)),), columns=("x",))
    with pytest.raises(SpecError, match="as many rows"):
        Switches(title="", names=("a",), counts=())
    with pytest.raises(SpecError, match="same key"):
        Sankey(title="", nodes=(FlowNode(key="a"), FlowNode(key="a")), links=())
    with pytest.raises(SpecError, match="that there is not"):
        Sankey(title="", nodes=(FlowNode(key="a"),), links=(FlowLink("a", "b", 1),))
    with pytest.raises(SpecError, match="negative"):
        Sankey(title="", nodes=(FlowNode(key="a"),), links=(FlowLink("a", "a", -1),))


@pytest.mark.parametrize(
    ("difference", "low", "high", "better", "said"),
    [
        (0.02, 0.01, 0.03, "more", "▲ +2,0 punti rispetto a prima: meglio"),
        (0.02, 0.01, 0.03, "less", "▲ +2,0 punti rispetto a prima: peggio"),
        (-0.02, -0.03, -0.01, "more", "▼ −2,0 punti rispetto a prima: peggio"),
        (-0.02, -0.03, -0.01, "", "▼ −2,0 punti rispetto a prima"),
        (0.02, -0.01, 0.05, "more", "+2,0 punti rispetto a prima: nessuna differenza chiara"),
    ],
)
def test_a_difference_is_judged_only_where_it_is_clear(
    difference: float, low: float, high: float, better: Any, said: str
) -> None:
    tile = Tile(
        name="Tasso", value=0.3, measure=SHARE, difference=difference, difference_low=low, difference_high=high,
        better=better,
    )  # fmt: skip
    chart = draw_tiles(Tiles(title="KPI", tiles=(tile,), before_name="prima"), Words("it"))
    assert said in " ".join(box.text for box in text_boxes(chart)).replace("\u00a0", " ")


def test_a_value_stands_behind_its_interval_and_its_reference() -> None:
    bar = Bar(name="a", value=10.0, low=5.0, high=40.0, reference=30.0)
    chart = draw_bars(Bars(title="x", bars=(bar, Bar(name="b", value=50.0)), measure=COUNT), Words("it"))
    (interval,) = (each for each in elements(chart, "line") if each.get("stroke-width") == "2")
    (value,) = (box for box in text_boxes(chart) if box.text == "10")
    assert value.left > float(interval.attrib["x2"])
