"""What every section works with: the words, the answers, the period; and how all of them say the same things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from percorso.analyses.basis import Basis
from percorso.analyses.intervals import FEW
from percorso.analyses.plots_telling import minor
from percorso.analyses.result import Result
from percorso.charts.chart import Chart, Drawing
from percorso.charts.draw import draw
from percorso.language.measures import measure_of
from percorso.language.tax import tax_note
from percorso.language.words import Words
from percorso.reports.document import Counted, Figure, Note, Piece, Section
from percorso.reports.spec import ReportPeriod, ReportSpec
from percorso.time import zone_of

__all__ = ["Answers", "Page"]

#: Of charts, in pixels: the width of the text.
_WIDTH = 780

#: Answers by name; one that there is none of is missing.
Answers = Mapping[str, Result]


@dataclass(frozen=True, slots=True)
class Page:
    """A report under way.

    Parameters
    ----------
    spec : ReportSpec
        Resolved: its period, comparison and language are said.
    period : ReportPeriod
    words : Words
    answers : Answers
    basis : Basis
    brand : str
    compared : str
        Name of the period compared with; "" for none.
    persona : str
        As people call it; "" for all.
    poster : Chart or None
        The map as drawn.
    """

    spec: ReportSpec
    period: ReportPeriod
    words: Words
    answers: Answers
    basis: Basis
    brand: str = ""
    compared: str = ""
    persona: str = ""
    poster: Chart | None = None

    # ------------------------------------------------------------------------------------------------- answers

    def answer(self, name: str) -> Result | None:
        """An answer without its warnings, which the report says once, below the first section that they are of."""
        found = self.answers.get(name)
        return None if found is None else replace(found, warnings=())

    def counted(self) -> Counted | None:
        """Which orders the answers count: those of the first that counts any."""
        for answer in self.answers.values():
            if answer.totals.get("orders") is not None and answer.totals.get("unidentified_orders") is not None:
                return self._counted(answer.totals)
        return None

    def section(
        self, key: str, title: str, lead: str, pieces: Sequence[Piece], result: Result | None = None
    ) -> Section:
        """A section; with what it counts of orders and value, where it counts any."""
        totals = {} if result is None else result.totals
        if totals.get("orders") is None or totals.get("value") is None:
            return Section(key, title, lead, tuple(pieces))
        return Section(key, title, lead, tuple(pieces), self._counted(totals))

    def _counted(self, totals: Mapping[str, Any]) -> Counted:
        said = self.words.text("report.basis", n=totals["orders"], value=self.amount(totals["value"]))
        if "unidentified_orders" not in totals:
            return Counted(str(totals["orders"]), str(totals["value"]), "", "", said)
        nobody, theirs = totals["unidentified_orders"], totals["unidentified_value"]
        if nobody:
            said += " " + self.words.text("report.basis_nobody", n=nobody, value=self.amount(theirs))
        said += " " + tax_note(self.basis.tax, self.words)
        return Counted(str(totals["orders"]), str(totals["value"]), str(nobody), str(theirs), said)

    def missing(self, why: str) -> Note:
        return Note(why, "missing")

    def figure(self, drawing: Drawing, **changes: Any) -> Figure:
        """A drawing as wide as the page, and of its period; `changes`: what the page says in other words."""
        counted = " · ".join(part for part in (drawing.subtitle, self.told_period()) if part)
        drawing = replace(drawing, **{"width": _WIDTH, "subtitle": counted, **changes})
        return Figure(draw(drawing, self.words))

    # --------------------------------------------------------------------------------------------------- words

    def amount(self, value: Decimal | float) -> str:
        amounts = measure_of("money", self.basis.currency)
        return self.words.numbers.show(minor(value, amounts), amounts)

    def day(self, time: datetime | None) -> str:
        """Short, for tables."""
        if time is None:
            return "–"
        local: date = time.astimezone(zone_of(self.spec.scope.timezone)).date()
        return f"{self.words.numbers.day(local, short=True)} {local.year}"

    def few(self, n: int) -> str:
        """A warning where a figure rests on few; "" else."""
        return self.words.text("plots.few", n=n, few=FEW) if n < FEW else ""

    def told_period(self) -> str:
        return self.words.numbers.period(self.period.first, self.period.last)
