"""Any drawing drawn, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from percorso.charts.bars import Bars, draw_bars
from percorso.charts.chart import Chart, Drawing
from percorso.charts.columns import Columns, draw_columns
from percorso.charts.dots import Dots, draw_dots
from percorso.charts.funnel import Steps, draw_steps
from percorso.charts.heat import HeatTable, Switches, draw_heat, draw_switches
from percorso.charts.lines import Lines, draw_lines
from percorso.charts.sankey import Sankey, draw_sankey
from percorso.charts.spark import Spark, draw_spark
from percorso.charts.tiles import Tiles, draw_tiles
from percorso.language.words import Words

__all__ = ["draw"]

_BY_KIND: Mapping[type[Drawing], Callable[[Any, Words], Chart]] = MappingProxyType(
    {
        Bars: draw_bars,
        Columns: draw_columns,
        Dots: draw_dots,
        HeatTable: draw_heat,
        Lines: draw_lines,
        Sankey: draw_sankey,
        Spark: draw_spark,
        Steps: draw_steps,
        Switches: draw_switches,
        Tiles: draw_tiles,
    }
)


def draw(drawing: Drawing, words: Words) -> Chart:
    """Draw a drawing.

    Examples
    --------
    >>> from percorso.charts.bars import Bar, Bars
    >>> draw(Bars(title="Orders", bars=(Bar(name="Store", value=12.0),)), Words("en")).rows
    (('Store', '12'),)
    """
    return _BY_KIND[type(drawing)](drawing, words)
