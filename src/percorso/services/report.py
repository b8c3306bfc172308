"""Make a report of a workspace: ask everything, put it together, write one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import percorso
from percorso.analyses.basis import basis_of
from percorso.analyses.channels import ChannelsSpec
from percorso.analyses.flow import FlowSpec
from percorso.analyses.funnel import FunnelSpec
from percorso.analyses.journeys import JourneysSpec
from percorso.analyses.kpi_periods import period_of
from percorso.analyses.kpis import KpisSpec
from percorso.analyses.lifecycle import LifecycleSpec
from percorso.analyses.log_facts import values_of_persons
from percorso.analyses.map import MapSpec
from percorso.analyses.places import PlacesSpec
from percorso.analyses.plots_telling import days_of
from percorso.analyses.quality import QualitySpec
from percorso.analyses.result import Result
from percorso.analyses.retention import RetentionSpec
from percorso.analyses.spec import Scope
from percorso.analyses.stages import StagesSpec
from percorso.analyses.variants import VariantsSpec
from percorso.errors import UserError
from percorso.language.said import Said
from percorso.reports.compose import compose_report
from percorso.reports.document import Document
from percorso.reports.page import Page
from percorso.reports.render import render_report
from percorso.reports.spec import AUTO, NONE, ReportPeriod, ReportSpec, default_period, earlier_is_known
from percorso.services.build import fresh_log
from percorso.services.channels import ask_channels
from percorso.services.flow import ask_flow
from percorso.services.funnel import ask_funnel
from percorso.services.journeys import ask_journeys
from percorso.services.kpis import ask_kpis
from percorso.services.lifecycle import ask_lifecycle
from percorso.services.map import ask_map, brand_of, draw_map
from percorso.services.places import ask_places
from percorso.services.quality import ask_quality
from percorso.services.retention import ask_retention
from percorso.services.segment_lookup import find_segment
from percorso.services.stages import ask_stages
from percorso.services.variants import ask_variants
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog
from percorso.time import zone_of

__all__ = ["Report", "make_report"]

#: Steps of the funnel, of which those are asked for that occur.
_STEPS = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
_TOP_VARIANTS = 10
#: The touchpoint after which journeys are followed: there people look, and go on or leave.
_CENTRE = "product page"

#: Called with the name of each answer before it is asked for.
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Report:
    """A finished report.

    Parameters
    ----------
    spec : ReportSpec
        Resolved: with its period, comparison and language.
    document : Document
    answers : dict of str to Result
        All answers that it is made of.
    """

    spec: ReportSpec
    document: Document
    answers: dict[str, Result]

    @property
    def warnings(self) -> tuple[str, ...]:
        """That there is nothing to report, which the page alone would not tell whoever made it."""
        told = dict.fromkeys(text for answer in self.answers.values() for text in answer.warnings)
        return tuple(text for text in told if isinstance(text, Said) and text.key.startswith("warnings.no_events"))

    def as_html(self) -> str:
        """The page."""
        return render_report(self.document)

    def save(self, path: str | Path) -> Path:
        """Write the page into a file."""
        target = Path(path)
        target.write_text(self.as_html(), encoding="utf-8")
        return target


def make_report(
    workspace: Workspace,
    spec: ReportSpec,
    *,
    log: JourneyLog | None = None,
    threads: int | None = None,
    told: Told = lambda name: None,
) -> Report:
    """Make a report.

    Parameters
    ----------
    workspace : Workspace
    spec : ReportSpec
    log : JourneyLog, optional
        A log that the caller has opened; by default the workspace's, built first where it is stale.
    threads : int, optional
        Default: the cores this process may use.
    told : callable, optional
    """
    log = fresh_log(workspace) if log is None else log
    first, as_of = _days(log, spec.scope)
    period = _period(spec.scope, first, as_of)
    scope = replace(spec.scope, start=period.first.isoformat(), end=period.last.isoformat(), per="person")
    compare = _compare(spec.compare, period, first)
    spec = replace(spec, scope=scope, compare=compare, language=spec.language or workspace.settings.workspace.language)
    asking = _Asking(workspace, spec, log, threads, told)
    answers = asking.answers()
    basis = basis_of(workspace.settings)
    words = basis.words(spec.language)
    page = Page(
        spec,
        period,
        words,
        answers,
        basis,
        brand=brand_of(workspace),
        compared=days_of(answers["kpis"], "earlier_period", words) if "kpis" in answers else "",
        persona=_persona(workspace, scope),
        poster=draw_map(workspace, answers["map"], language=spec.language).poster if "map" in answers else None,
    )
    document = compose_report(page, as_of=words.numbers.day(as_of), version=percorso.__version__)
    return Report(spec, document, answers)


def _days(log: JourneyLog, scope: Scope) -> tuple[date, date]:
    """Days of the first event and of the as-of time, in the zone of the question."""
    as_of = scope.as_of_us()
    as_of = log.as_of_us if as_of is None else min(as_of, log.as_of_us)
    first = period_of(None, None, 0, log, scope.timezone, as_of).start_us
    zone = zone_of(scope.timezone)
    begin, end = (datetime.fromtimestamp(time // 1_000_000, UTC).astimezone(zone).date() for time in (first, as_of))
    return begin, end


def _period(scope: Scope, first: date, as_of: date) -> ReportPeriod:
    if not scope.start and not scope.end:
        return default_period(first, as_of)
    begin = date.fromisoformat(scope.start[:10]) if scope.start else first
    end = min(date.fromisoformat(scope.end[:10]), as_of) if scope.end else as_of
    return ReportPeriod(begin, max(begin, end))


def _compare(asked: str, period: ReportPeriod, first: date) -> str:
    if asked != AUTO:
        return asked
    return "previous" if earlier_is_known(first, period.first, period.last) else NONE


def _persona(workspace: Workspace, scope: Scope) -> str:
    """Whom the report is of, as people call them; a rule without a name is shown as it is."""
    return (find_segment(workspace, scope.persona).title or scope.persona) if scope.persona else scope.persons


@dataclass(frozen=True, slots=True)
class _Asking:
    """All questions of a report, asked one after the other: each uses all cores by itself."""

    workspace: Workspace
    spec: ReportSpec
    log: JourneyLog
    threads: int | None
    told: Told

    def answers(self) -> dict[str, Result]:
        """All answers by name; a question that cannot be answered with these data is left out."""
        found: dict[str, Result] = {}
        for name, sections, ask in self._questions(found):
            if any(self.spec.has(section) for section in sections):
                self.told(name)
                with suppress(UserError):
                    found[name] = ask()
        return found

    def _questions(self, found: Mapping[str, Result]) -> Iterator[tuple[str, tuple[str, ...], Callable[[], Result]]]:
        scope, how = self.spec.scope, {"log": self.log, "threads": self.threads}
        journeys = replace(scope, per="journey")

        def asked(ask: Callable[..., Result], spec: Any) -> Callable[[], Result]:
            return lambda: ask(self.workspace, spec, **how)

        yield "quality", ("quality", "summary", "kpis"), asked(ask_quality, QualitySpec(scope=_of_all(scope)))
        yield "kpis", ("kpis", "summary"), self._ask_kpis
        yield "map", ("map",), lambda: self._ask_map(found.get("kpis"))
        steps = self._steps()
        if len(steps) > 1:
            yield "funnel", ("funnel", "summary"), asked(ask_funnel, FunnelSpec(steps=steps, scope=scope))
        stages = FlowSpec(unit="stage", collapse=True, scope=scope)
        yield "stage_flow", ("flow",), asked(ask_flow, stages)
        if _CENTRE in values_of_persons(self.log, "touchpoint"):
            onward = FlowSpec(
                unit="touchpoint", collapse=True, kind="purchase", steps=4, from_node=_CENTRE, top=6, scope=journeys
            )
            yield "touchpoint_flow", ("flow",), asked(ask_flow, onward)
        yield "channels", ("channels", "summary"), asked(ask_channels, ChannelsSpec(scope=scope))
        yield "places", ("places",), asked(ask_places, PlacesSpec(scope=scope))
        variants = VariantsSpec(unit="channel", collapse=True, kind="purchase", top=_TOP_VARIANTS, scope=journeys)
        yield "variants", ("variants",), asked(ask_variants, variants)
        yield "journeys", ("journeys", "summary"), asked(ask_journeys, JourneysSpec(kind="purchase", scope=scope))
        if "map" not in found:  # which knows where journeys stop
            yield "stages", ("journeys", "summary"), asked(ask_stages, StagesSpec(scope=scope))
        yield "retention", ("cohorts", "summary"), asked(ask_retention, RetentionSpec(scope=scope))
        yield "lifecycle", ("lifecycle",), asked(ask_lifecycle, LifecycleSpec(scope=scope))

    def _ask_kpis(self) -> Result:
        compare = "" if self.spec.compare == NONE else self.spec.compare
        spec = KpisSpec(scope=self.spec.scope, compare=compare, every="month")
        return ask_kpis(self.workspace, spec, language=self.spec.language, log=self.log, threads=self.threads)

    def _ask_map(self, kpis: Result | None) -> Result:
        spec = MapSpec(scope=self.spec.scope)
        how: dict[str, Any] = {"language": self.spec.language, "log": self.log, "threads": self.threads}
        return ask_map(self.workspace, spec, kpis=kpis, **how)

    def _steps(self) -> tuple[str, ...]:
        told = values_of_persons(self.log, "event")
        return tuple(step for step in _STEPS if step in told)


def _of_all(scope: Scope) -> Scope:
    """The period without its persons: the quality of data is that of all."""
    return replace(scope, persona="", persons="")
