"""How to read this: definitions, intervals, and what is left out."""

from __future__ import annotations

from percorso.analyses.intervals import FEW
from percorso.reports.document import Section, Term, Terms
from percorso.reports.page import Page

__all__ = ["make_reading"]


def make_reading(page: Page) -> Section:
    """The closing page."""
    words, days = page.words, page.words.numbers
    timeout = days.count(round(page.basis.journey_timeout_us / 86_400_000_000))
    terms = (
        Term(words.text("report.term_person"), words.text("report.means_person")),
        Term(words.text("report.term_customer"), words.text("report.means_customer")),
        Term(words.text("report.term_contact"), words.text("report.means_contact")),
        Term(words.text("report.term_journey"), words.text("report.means_journey", days=timeout)),
        Term(words.text("report.term_stage"), words.text("report.means_stage")),
        Term(words.text("report.term_order"), words.text("report.means_order")),
        Term(words.text("report.term_value"), words.text("report.means_value", currency=page.basis.currency)),
        *_counted(page),
        Term(words.text("report.term_interval"), words.text("report.means_interval")),
        Term(words.text("report.term_difference"), words.text("report.means_difference")),
        Term(words.text("report.term_few"), words.text("report.means_few", few=FEW)),
    )
    left_out = (
        Term(words.text("report.term_bots"), words.text("report.means_bots")),
        Term(words.text("report.term_nobody"), words.text("report.means_nobody")),
        Term(words.text("report.term_future"), words.text("report.means_future")),
        Term(words.text("report.term_copies"), words.text("report.means_copies")),
        Term(words.text("report.term_cause"), words.text("report.means_cause")),
    )
    return page.section(
        "reading",
        words.text("report.reading"),
        words.text("report.reading_lead"),
        [Terms(words.text("report.definitions"), terms), Terms(words.text("report.left_out"), left_out)],
    )


def _counted(page: Page) -> tuple[Term, ...]:
    """Which orders all sections count, so that they can be held against each other."""
    counted = page.counted()
    if counted is None:
        return ()
    meaning = f"{counted.text} {page.words.text('report.means_counted')}"
    return (Term(page.words.text("report.term_counted"), meaning),)
