"""A report put together: sections chosen and made from answers, and the sentences that matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from percorso.analyses.plots_telling import rows_of, told_warnings
from percorso.analyses.result import Result
from percorso.language.said import Said
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

#: How each section is made, and of which answers.
_MAKERS: dict[str, tuple[Callable[[Page], Section], tuple[str, ...]]] = {
    "kpis": (make_kpis, ("kpis",)),
    "map": (make_map, ("map",)),
    "funnel": (make_funnel, ("funnel",)),
    "flow": (make_flow, ("stage_flow", "touchpoint_flow")),
    "channels": (make_channels, ("channels",)),
    "places": (make_places, ("places",)),
    "variants": (make_variants, ("variants",)),
    "journeys": (make_journeys, ("journeys",)),
    "cohorts": (make_cohorts, ("retention",)),
    "lifecycle": (make_lifecycle, ("lifecycle",)),
    "quality": (make_quality, ("quality",)),
    "reading": (make_reading, ()),
}


def compose_report(page: Page, *, as_of: str, version: str) -> Document:
    """The report as a document.

    Parameters
    ----------
    page : Page
    as_of : str
        In words.
    version : str
        Of Percorso.
    """
    words = page.words
    sections = [make(page) for name, (make, _) in _MAKERS.items() if page.spec.has(name)]
    return Document(
        language=page.words.language,
        cover=_cover(page, as_of),
        summary_title=words.text("report.summary"),
        summary=summarise(page) if page.spec.has("summary") else (),
        sections=tuple(_with_warnings(page, _with_basis(page, sections))),
        contents=words.text("report.contents"),
        skip=words.text("report.skip"),
        to_top=words.text("report.to_top"),
        details=words.text("report.why"),
        made_by=words.text("report.made_by", version=version),
    )


def _with_basis(page: Page, sections: Iterable[Section]) -> Iterator[Section]:
    """Which orders are counted is told once, in how to read the report, and where a section counts others."""
    counted = page.counted() if page.spec.has("reading") else None
    for section in sections:
        basis = section.basis
        if basis is not None and counted is not None and basis.has_same_orders(counted):
            basis = replace(basis, text="")
        elif basis is not None and counted is None:
            counted = basis
        yield replace(section, basis=basis)


def _with_warnings(page: Page, sections: Iterable[Section]) -> Iterator[Section]:
    """Below each section what its answers warn of; what stands elsewhere on the page is not said again."""
    quality = page.answer("quality") if page.spec.has("quality") else None
    found = set() if quality is None else {f"warnings.{row['finding']}" for row in rows_of(quality, "findings")}
    told: set[str] = set()
    for section in sections:
        answers = [page.answers[name] for name in _MAKERS[section.key][1] if name in page.answers]
        warnings = dict.fromkeys(text for answer in answers for text in answer.warnings if text not in told)
        told.update(warnings)
        if section.is_poster:
            yield section  # the poster says what it warns of
            continue
        new = [text for text in warnings if not (isinstance(text, Said) and text.key in found)]
        yield replace(section, warnings=tuple(told_warnings(new, page.words)))


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
