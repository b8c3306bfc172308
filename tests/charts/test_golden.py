"""Two charts to the letter, small enough to check by hand.

Written by the code and then checked: bars of 100 and 50 whose longer one ends where room for "100" begins, the other
in the middle; a line through (0, 0) and (1, 10) of a bare plot. A change of the look changes them: check them again.
"""

from __future__ import annotations

from pathlib import Path

from percorso.charts.bars import Bar, Bars, draw_bars
from percorso.charts.chart import Chart
from percorso.charts.funnel import FunnelStep, Steps, draw_steps
from percorso.language.words import Words

GOLDEN = Path(__file__).parent / "golden"


def golden_charts() -> dict[str, Chart]:
    bars = Bars(title="Orders", bars=(Bar(name="Site", value=100), Bar(name="App", value=50)), width=300)
    steps = (
        FunnelStep(name="View", count=200, share=1.0, dropped=150),
        FunnelStep(name="Buy", count=50, share=0.25, low=0.195, high=0.314, from_previous=0.25, dropped=0),
    )
    return {
        "bars.svg": draw_bars(bars, Words("en")),
        "funnel.svg": draw_steps(Steps(title="Funnel", steps=steps, width=400), Words("it")),
    }


def test_charts_are_those_of_the_golden_files() -> None:
    for name, chart in golden_charts().items():
        assert chart.svg + "\n" == (GOLDEN / name).read_text(encoding="utf-8"), name
