"""A report put together: sections chosen and made from answers, and the sentences that matter."""

from __future__ import annotations

from collections.abc import Callable

from percorso.analyses.result import Result
from percorso.charts.chart import Chart
from percorso.reports.document import Cover, Document, Fact, Section
from percorso.reports.page import Page
from percorso.reports.sections.cohorts import make_cohorts
from percorso.reports.sections.contacts import make_channels, make_places
from percorso.reports.sections.flow import make_flow
from percorso.reports.sections.funnel import make_funnel
from percorso.reports.sections.journeys import make_journeys
from percorso.reports.sections.kpis import make_kpis
from percorso.reports.sections.lifecycle import make_lifecycle
from percorso.reports.sections.map import make_map
from percorso.reports.sections.quality import make_quality
from percorso.reports.sections.reading import make_reading
from percorso.reports.sections.variants import make_variants
from percorso.reports.summary import summarise

__all__ = ["compose_report"]

_MOST_SOURCES = 5

_MAKERS: dict[str, Callable[[Page], Section]] = {
    "kpis": make_kpis,
    "funnel": make_funnel,
    "flow": make_flow,
    "channels": make_channels,
    "places": make_places,
    "variants": make_variants,
    "journeys": make_journeys,
    "cohorts": make_cohorts,
    "lifecycle": make_lifecycle,
    "quality": make_quality,
    "reading": make_reading,
}


def compose_report(page: Page, poster: Chart | None, *, as_of: str, version: str) -> Document:
    """The report as a document.

    Parameters
    ----------
    page : Page
    poster : Chart or None
        The map as drawn.
    as_of : str
        In words.
    version : str
        Of Percorso.
    """
    words = page.words
    sections = []
    for name in ("kpis", "map", *(key for key in _MAKERS if key != "kpis")):
        if page.spec.has(name):
            sections.append(make_map(page, poster) if name == "map" else _MAKERS[name](page))
    return Document(
        language=page.words.language,
        cover=_cover(page, as_of),
        summary_title=words.text("report.summary"),
        summary=summarise(page) if page.spec.has("summary") else (),
        sections=tuple(sections),
        contents=words.text("report.contents"),
        skip=words.text("report.skip"),
        to_top=words.text("report.to_top"),
        details=words.text("report.why"),
        made_by=words.text("report.made_by", version=version),
    )


def _cover(page: Page, as_of: str) -> Cover:
    words = page.words
    facts = [Fact(words.text("report.as_of_head"), as_of)]
    if page.compared:
        facts.append(Fact(words.text("report.compared_head"), page.compared))
    if page.persona:
        facts.append(Fact(words.text("report.persona_head"), page.persona))
    quality = page.answer("quality")
    if quality is not None:
        facts.append(Fact(words.text("report.sources_head"), _sources(page, quality)))
    period = page.told_period()
    if page.period.is_all:
        period = words.text("report.all_data", period=period)
    return Cover(page.brand, words.text("report.title"), period, tuple(facts))


def _sources(page: Page, quality: Result) -> str:
    """Each source with its newest day; of many, how many there are and the one that is furthest behind."""
    rows = [row for row in quality.table.to_pylist() if row["newest_event"] is not None]
    if len(rows) > _MOST_SOURCES:
        oldest = min(rows, key=lambda row: row["newest_event"])
        day = page.day(oldest["newest_event"])
        return page.words.text("report.many_sources", n=len(rows), source=oldest["source"], day=day)
    told = [
        page.words.text("report.source_newest", source=row["source"], day=page.day(row["newest_event"])) for row in rows
    ]
    return " · ".join(told)
