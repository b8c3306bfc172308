"""What every section works with: the words, the answers, the period; and how all of them say the same things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from percorso.analyses.basis import Basis
from percorso.analyses.intervals import FEW
from percorso.analyses.result import Result
from percorso.language.measures import Measure, money
from percorso.language.words import Words, capital
from percorso.money import exponent
from percorso.reports.document import Counted, Note, Piece, Section
from percorso.reports.spec import ReportPeriod, ReportSpec
from percorso.time import zone_of

__all__ = ["WIDTH", "Answers", "Page"]

#: Of charts, in pixels: the width of the text.
WIDTH = 780

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
    """

    spec: ReportSpec
    period: ReportPeriod
    words: Words
    answers: Answers
    basis: Basis
    brand: str = ""
    compared: str = ""
    persona: str = ""

    # ------------------------------------------------------------------------------------------------- answers

    def answer(self, name: str) -> Result | None:
        """An answer without its English warnings: what matters of them is said in the report's language."""
        found = self.answers.get(name)
        return None if found is None else replace(found, warnings=())

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
        return Counted(str(totals["orders"]), str(totals["value"]), str(nobody), str(theirs), said)

    def missing(self, why: str) -> Note:
        return Note(why, "missing")

    # --------------------------------------------------------------------------------------------------- words

    @property
    def money(self) -> Measure:
        return money(self.basis.currency, exponent(self.basis.currency))

    def minor(self, amount: Decimal | float) -> int:
        """An amount in minor units, as charts and numbers take it."""
        return round(Decimal(amount).scaleb(exponent(self.basis.currency)))

    def amount(self, value: Decimal | float) -> str:
        return self.words.numbers.show(self.minor(value), self.money)

    def name(self, family: Any, code: str) -> str:
        """The name of a code with a capital; what has none is said to have none."""
        if code in ("", "(none)"):
            return self.words.text("report.no_name")
        return capital(self.words.name(family, code))

    def stage(self, key: str) -> str:
        """The name of a stage: the workspace's own, where its model has one."""
        for stage in self.basis.stages.stages:
            if stage.key == key:
                return str(stage.it if self.words.language == "it" else stage.en)
        return self.name("stage", key)

    def moment(self, time: datetime | None) -> str:
        if time is None:
            return "–"
        return self.words.numbers.moment(time.astimezone(zone_of(self.spec.scope.timezone)))

    def day(self, time: datetime | None) -> str:
        """Short, for tables."""
        if time is None:
            return "–"
        local: date = time.astimezone(zone_of(self.spec.scope.timezone)).date()
        return f"{self.words.numbers.day(local, short=True)} {local.year}"

    def period_name(self, label: str) -> str:
        """A month, week or day as calendars label it: "2024-03" is "Mar 24"."""
        parts = label.split("-")
        if len(parts) == 2 and parts[1].isdigit():
            return self.words.numbers.month(date(int(parts[0]), int(parts[1]), 1), short=True)
        return label

    def is_whole(self, row: Mapping[str, Any], label: str) -> bool:
        """Is a month of a trend over? The last one is, if the as-of time lies on its last day."""
        last = self.period.last
        return bool(row["complete"]) or (
            (last + timedelta(days=1)).day == 1 and row[label] == f"{last.year:04d}-{last.month:02d}"
        )

    def partial(self, rows: Sequence[Mapping[str, Any]], label: str) -> str:
        """Which months are not whole; "" where all are."""
        names = [self.period_name(row[label]) for row in rows if not self.is_whole(row, label)]
        return self.words.text("report.partial", names=", ".join(names)) if names else ""

    def few(self, n: int) -> str:
        """A warning where a figure rests on few; "" else."""
        return self.words.text("report.few", n=n, few=FEW) if n < FEW else ""

    def told_period(self) -> str:
        return self.words.numbers.period(self.period.first, self.period.last)
