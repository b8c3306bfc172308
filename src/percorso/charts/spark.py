"""A sparkline: how something went, as small as a word."""

from __future__ import annotations

from dataclasses import dataclass

from percorso.charts.chart import Chart, Drawing, finish
from percorso.charts.curve import curve_path, runs_of
from percorso.charts.svg import circle, line, path
from percorso.charts.theme import ACCENT, QUIET
from percorso.language.measures import NUMBER, Measure
from percorso.language.words import Words

__all__ = ["Spark", "draw_spark", "spark_parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark(Drawing):
    """A sparkline: values in order, None where the line breaks; `names` of their places, for the table behind."""

    values: tuple[float | None, ...]
    names: tuple[str, ...] = ()
    measure: Measure = NUMBER
    colour: str = ACCENT
    width: int = 120
    height: int = 28
    bare: bool = True


def spark_parts(
    values: tuple[float | None, ...], x: float, y: float, width: float, height: float, colour: str = ACCENT
) -> list[str]:
    """A sparkline inside a rectangle: the line, its last value as a dot, a dash where nothing is known."""
    known = [value for value in values if value is not None]
    if not known:
        return [line(x, y + height / 2, x + width, y + height / 2, stroke=QUIET, stroke_dasharray="2 3")]
    low, high = min(known), max(known)
    step = (width - 6) / max(len(values) - 1, 1)

    def place(at: int) -> tuple[float, float]:
        value = values[at] or 0.0
        part = (value - low) / (high - low) if high > low else 0.5
        return x + 3 + step * at, y + height - 3 - part * (height - 6)

    parts = []
    for run in runs_of([value is not None for value in values]):
        points = [place(at) for at in run]
        if len(points) == 1:
            parts.append(circle(*points[0], 1.5, fill=colour))
        else:
            parts.append(path(curve_path(points, "straight"), fill="none", stroke=colour, stroke_width=1.5))
    last = max(at for at, value in enumerate(values) if value is not None)
    return [*parts, circle(*place(last), 2.5, fill=colour)]


def draw_spark(spark: Spark, words: Words) -> Chart:
    """Draw a sparkline."""
    parts = spark_parts(spark.values, 0, 0, spark.width, spark.height, spark.colour)
    names = spark.names or tuple(str(at + 1) for at in range(len(spark.values)))
    rows = tuple(
        (name, words.numbers.show(value, spark.measure)) for name, value in zip(names, spark.values, strict=True)
    )
    heads = words.name("column", "period"), words.name("column", "value")
    return finish(spark, parts, spark.height, (heads, rows), words)
