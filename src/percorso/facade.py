"""The door that users of the Python package open: ``percorso.open(folder)``. It delegates and computes nothing."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, TypedDict, Unpack, get_type_hints

import pyarrow as pa

from percorso.analyses.basis import basis_of
from percorso.analyses.channels import ChannelsSpec
from percorso.analyses.customer_view import CustomerView
from percorso.analyses.flow import FlowSpec
from percorso.analyses.funnel import FunnelSpec
from percorso.analyses.journeys import JourneysSpec
from percorso.analyses.kpis import KpisSpec
from percorso.analyses.lifecycle import LifecycleSpec
from percorso.analyses.map import MapSpec
from percorso.analyses.places import PlacesSpec
from percorso.analyses.quality import QualitySpec
from percorso.analyses.result import Result
from percorso.analyses.retention import RetentionSpec
from percorso.analyses.spec import Scope
from percorso.analyses.stages import StagesSpec
from percorso.analyses.timeouts import TimeoutsSpec
from percorso.analyses.touchpoints import TouchpointsSpec
from percorso.analyses.variants import VariantsSpec
from percorso.charts.chart import Chart
from percorso.errors import SpecError, nearest_hint
from percorso.language.words import LANGUAGES
from percorso.reports.spec import ReportSpec
from percorso.services.build import BuildReport, build_log, fresh_log
from percorso.services.channels import ask_channels
from percorso.services.customer import ask_customer
from percorso.services.decide import DecisionReport, link, unlink
from percorso.services.engine import choose_engine
from percorso.services.erasure import ErasureReport, erase_person
from percorso.services.explained import EventExplanation, Explanation
from percorso.services.flow import ask_flow
from percorso.services.funnel import ask_funnel
from percorso.services.identity_explain import explain_event, explain_identity
from percorso.services.identity_report import report_identity
from percorso.services.identity_reported import IdentityReport
from percorso.services.imports import ImportReport, ImportRequest, import_files
from percorso.services.journeys import ask_journeys
from percorso.services.kpis import ask_kpi_people, ask_kpis
from percorso.services.lifecycle import ask_lifecycle
from percorso.services.map import ask_map, draw_map
from percorso.services.people import FlowCell, FunnelCell, VariantCell, ask_people
from percorso.services.people_of_contacts import ContactCell, SpecOfContacts
from percorso.services.people_over_time import CellOverTime, SpecOverTime
from percorso.services.person_export import export_person
from percorso.services.places import ask_places
from percorso.services.quality import ask_quality
from percorso.services.report import Report, make_report
from percorso.services.retention import ask_retention
from percorso.services.segment import segment_json, show_segment
from percorso.services.segment_lookup import list_segments, persons_of
from percorso.services.sql import run_sql
from percorso.services.stages import ask_stages
from percorso.services.suggest import suggest_timeout
from percorso.services.touchpoints import ask_touchpoints
from percorso.services.variants import ask_variants
from percorso.services.workspace import Workspace, default_folder, open_workspace
from percorso.store.journey_log import JourneyLog

__all__ = ["Percorso", "ScopeOptions", "open_percorso"]


class ScopeOptions(TypedDict, total=False):
    """What every question takes: see `percorso.Scope`, whose `start` and `end` are `since` and `until` here.

    The time zone is by default the workspace's.
    """

    since: str
    until: str
    timezone: str
    as_of: str
    where: str
    persona: str
    persons: str
    by: str
    include_bots: bool
    include_heavy: bool


class FunnelOptions(ScopeOptions, total=False):
    """What a funnel takes beside its steps: see `percorso.FunnelSpec`."""

    within: str
    step_within: str
    order: str
    start: str
    count: str
    exclude: Sequence[str]
    optional: Sequence[str]
    counts_only: bool


class PathOptions(ScopeOptions, total=False):
    """What flows and variants take: see `percorso.FlowSpec` and `percorso.VariantsSpec`."""

    collapse: bool
    kind: str
    outcome: str
    per: str


class FlowOptions(PathOptions, total=False):
    """What a flow takes: see `percorso.FlowSpec`."""

    counts_only: bool
    steps: int
    from_node: str
    to_node: str
    top: int


class JourneysOptions(ScopeOptions, total=False):
    """What journeys take: see `percorso.JourneysSpec`."""

    kind: str


class RetentionOptions(ScopeOptions, total=False):
    """What a retention takes: see `percorso.RetentionSpec`."""

    start: str
    back: str
    unit: str
    mode: str
    recurring: bool
    periods: int


class LifecycleOptions(ScopeOptions, total=False):
    """What a lifecycle takes: see `percorso.LifecycleSpec`."""

    unit: str


class TimeoutsOptions(ScopeOptions, total=False):
    """What a suggestion of a time-out takes: see `percorso.TimeoutsSpec`."""

    at_most: float


class VariantsOptions(PathOptions, total=False):
    """What variants take: see `percorso.VariantsSpec`."""

    top: int
    counts_only: bool


class KpisOptions(ScopeOptions, total=False):
    """What KPIs take: see `percorso.KpisSpec`."""

    last: str
    compare: str
    every: str


class MapOptions(ScopeOptions, total=False):
    """What a map takes: see `percorso.MapSpec`."""

    top: int


class QualityOptions(TypedDict, total=False):
    """What a look at the quality of data takes: see `percorso.QualitySpec`."""

    since: str
    until: str
    timezone: str
    as_of: str


class ReportOptions(QualityOptions, total=False):
    """What a report takes: see `percorso.ReportSpec`."""

    persona: str
    persons: str
    compare: str
    language: str
    sections: Sequence[str]


class Percorso:
    """A workspace to ask.

    Every question returns a `percorso.Result`: ``.table`` is an Arrow table, ``.to_pandas()`` a DataFrame. The journey
    log is built first where events or settings have changed.

    Parameters
    ----------
    workspace : Workspace
    threads : int, optional
        For questions; default the cores this process may use.
    """

    def __init__(self, workspace: Workspace, *, threads: int | None = None) -> None:
        self._workspace = workspace
        self._threads = threads
        self._log: JourneyLog | None = None

    def __repr__(self) -> str:
        return f"percorso.open({str(self._workspace.folder)!r})"

    def funnel(self, steps: str | Sequence[str], **options: Unpack[FunnelOptions]) -> Result:
        """How many get from step to step; a single text is one step.

        Examples
        --------
        >>> shop.funnel(["Product Viewed", "Order Completed"], within="7d", by="channel")  # doctest: +SKIP
        """
        return self._told(ask_funnel(self._workspace, self.funnel_spec(steps, **options), **self._how()))

    def flow(self, unit: str = "event", **options: Unpack[FlowOptions]) -> Result:
        """What follows what, and how often."""
        return self._told(ask_flow(self._workspace, self.flow_spec(unit, **options), **self._how()))

    def variants(self, unit: str = "event", **options: Unpack[VariantsOptions]) -> Result:
        """The most common paths."""
        return self._told(ask_variants(self._workspace, self.variants_spec(unit, **options), **self._how()))

    def journeys(self, **options: Unpack[JourneysOptions]) -> Result:
        """How journeys end, how long they are, how fast they convert."""
        return self._told(ask_journeys(self._workspace, self.journeys_spec(**options), **self._how()))

    def retention(self, **options: Unpack[RetentionOptions]) -> Result:
        """Cohorts, by default of first orders, and who of them comes back.

        Examples
        --------
        >>> shop.retention(since="2024-01-01", unit="month").tables["repeat"]  # doctest: +SKIP
        """
        return self._told(ask_retention(self._workspace, self.retention_spec(**options), **self._how()))

    def lifecycle(self, **options: Unpack[LifecycleOptions]) -> Result:
        """Who is new, comes back, falls silent; relationships and churn."""
        return self._told(ask_lifecycle(self._workspace, self.lifecycle_spec(**options), **self._how()))

    def suggest_timeout(self, **options: Unpack[TimeoutsOptions]) -> Result:
        """After how much silence a purchase journey should count as abandoned."""
        return self._told(suggest_timeout(self._workspace, self.suggest_timeout_spec(**options), **self._how()))

    def channels(self, **options: Unpack[ScopeOptions]) -> Result:
        """What brings contacts: whom each channel reaches, and what it is in the journeys that buy."""
        return self._told(ask_channels(self._workspace, self.channels_spec(**options), **self._how()))

    def places(self, **options: Unpack[ScopeOptions]) -> Result:
        """Where contacts happen, how journeys go between places, what is researched here and bought there."""
        return self._told(ask_places(self._workspace, self.places_spec(**options), **self._how()))

    def touchpoints(self, **options: Unpack[ScopeOptions]) -> Result:
        """What customers meet, at which stage, what it leads to, and where they leave."""
        return self._told(ask_touchpoints(self._workspace, self.touchpoints_spec(**options), **self._how()))

    def stages(self, **options: Unpack[ScopeOptions]) -> Result:
        """How many customers are at each stage, for how long, where they go from there, and where they leave."""
        return self._told(ask_stages(self._workspace, self.stages_spec(**options), **self._how()))

    def people(
        self,
        answer: Result | FunnelSpec | FlowSpec | VariantsSpec | SpecOfContacts | SpecOverTime,
        cell: FunnelCell | FlowCell | VariantCell | CellOverTime | ContactCell,
    ) -> Result:
        """The persons behind a number of an answer.

        Examples
        --------
        >>> answer = shop.funnel(["Product Viewed", "Order Completed"])  # doctest: +SKIP
        >>> shop.people(answer, percorso.FunnelCell(step=1, dropped=True))  # doctest: +SKIP
        """
        spec = answer.spec if isinstance(answer, Result) else answer
        return ask_people(self._workspace, spec, cell, **self._how())

    def map(self, *, language: str = "", **options: Unpack[MapOptions]) -> Result:
        """The journey map: who is at each stage, what they use, see and do, how it goes, where they leave.

        Examples
        --------
        >>> shop.draw_map(shop.map(persona="beginner")).save("map.svg")  # doctest: +SKIP
        """
        return ask_map(self._workspace, self.map_spec(**options), language=language, **self._how())

    def draw_map(self, answer: Result, *, language: str = "") -> Chart:
        """The answer of `map` as a poster; in the workspace's language, or another."""
        if not isinstance(answer.spec, MapSpec):
            raise SpecError("This is no answer of a map.", hint="Give what shop.map() returned.")
        return draw_map(self._workspace, answer, language=language).poster

    def kpis(self, *kpis: str, language: str = "en", **options: Unpack[KpisOptions]) -> Result:
        """KPIs by stage, each with interval, n, comparison and target; without names all of them.

        Examples
        --------
        >>> shop.kpis("revenue", "conversion_rate", last="30d", compare="previous")  # doctest: +SKIP
        """
        return self._told(ask_kpis(self._workspace, self.kpis_spec(*kpis, **options), language=language, **self._how()))

    def kpi_people(self, answer: Result | KpisSpec, kpi: str, *, group: str = "") -> Result:
        """The persons behind a KPI that counts persons, or things of persons."""
        spec = answer.spec if isinstance(answer, Result) else answer
        return ask_kpi_people(self._workspace, spec, kpi, group=group, **self._how())

    def quality(self, **options: Unpack[QualityOptions]) -> Result:
        """What each source sent and how fresh it is, what was rejected, left out or is nobody's."""
        return self._told(ask_quality(self._workspace, self.quality_spec(**options), **self._how()))

    def report(self, **options: Unpack[ReportOptions]) -> Report:
        """Everything that matters, as one page.

        Examples
        --------
        >>> shop.report(language="it").save("report.html")  # doctest: +SKIP
        """
        return make_report(self._workspace, self.report_spec(**options), **self._how())

    def segment(self, name: str, *, as_of: str = "") -> Result:
        """What the persons of a segment or persona are like: its size, and their traits beside those of all.

        Examples
        --------
        >>> shop.segment("guitarists").tables["traits"]  # doctest: +SKIP
        """
        return self._told(show_segment(self._workspace, name, as_of=as_of, **self._how()))

    def segments(self) -> list[dict[str, Any]]:
        """The segments and personas that are defined, by name: rule, words, traits and earlier rules."""
        zone = self._workspace.settings.workspace.timezone
        return [segment_json(one, timezone=zone) for one in list_segments(self._workspace)]

    def customer(
        self, identifier: str, *, kind: str = "", space: str = "", as_of: str = "", personal: bool = False
    ) -> CustomerView:
        """Everything that is known of the person that an e-mail, a number or a person's id means.

        Parameters
        ----------
        identifier : str
        kind, space : str
            Type of identifier and where it lives, if it would mean several persons otherwise.
        as_of : str
            What came after this day or time has not happened. Default: the newest event.
        personal : bool
            Show raw identifiers.
        """
        log = self._how()["log"]
        return ask_customer(
            self._workspace, identifier, kind=kind, space=space, as_of=as_of, personal=personal, log=log
        )

    def explain(self, identifier: str, *, kind: str = "", space: str = "", personal: bool = False) -> Explanation:
        """Why an identifier, or a person, is what it is: what joined it, what was refused, which rules placed events.

        Parameters
        ----------
        identifier, kind, space, personal
            As of `customer`.
        """
        log = self._how()["log"]
        return explain_identity(self._workspace, identifier, kind=kind, space=space, personal=personal, log=log)

    def explain_event(self, message: str, *, source: str = "", personal: bool = False) -> EventExplanation:
        """Why one event is whose it is, by its message id, and its source where several sent one with this id."""
        return explain_event(self._workspace, message, source=source, personal=personal, log=self._how()["log"])

    def identity_report(self, *, personal: bool = False) -> IdentityReport:
        """How identity went over the whole workspace."""
        return report_identity(self._workspace, personal=personal, log=self._how()["log"])

    def link(self, a: str, b: str, *, reason: str, author: str = "") -> DecisionReport:
        """Say that two identifiers are one person, or take back an `unlink` of the two.

        Parameters
        ----------
        a, b : str
            Alone, or as ``type:value`` or ``type:space:value``.
        reason : str
            Why; kept, so it must not hold an identifier.
        author : str
            Who says so. Default: the name under which the system knows the user.
        """
        return link(self._workspace, a, b, reason=reason, author=author)

    def unlink(self, a: str, b: str, *, reason: str, author: str = "") -> DecisionReport:
        """Say that two identifiers are not one person, or take back a `link` of the two. See `link`."""
        return unlink(self._workspace, a, b, reason=reason, author=author)

    def erase(
        self, identifier: str, *, reason: str, kind: str = "", space: str = "", author: str = ""
    ) -> ErasureReport:
        """Erase everything that is held on a person, at once and for good.

        Parameters
        ----------
        identifier, kind, space
            As of `customer`.
        reason, author : str
            As of `link`.
        """
        return erase_person(self._workspace, identifier, kind=kind, space=space, author=author, reason=reason)

    def export_person(self, identifier: str, *, kind: str = "", space: str = "") -> dict[str, Any]:
        """Everything that is held on a person, ready for JSON; raw values throughout. Parameters as of `customer`."""
        return export_person(self._workspace, identifier, kind=kind, space=space)

    def sql(self, query: str, *, personal: bool = False) -> pa.Table:
        """Your own SELECT over events, sessions, journeys and persons."""
        return run_sql(self._workspace, query, personal=personal, threads=self._threads)

    def build(self, *, full: bool = False) -> BuildReport:
        """Bring the journey log up to date; questions do it by themselves."""
        return build_log(self._workspace, full=full)

    def import_files(self, *files: str | Path, **options: Any) -> ImportReport:
        """Import files, each in one commit; options as of `ImportRequest`: format, mapping, source, replace."""
        return import_files(self._workspace, ImportRequest(files=tuple(map(str, files)), **options))

    def funnel_spec(self, steps: str | Sequence[str], **options: Unpack[FunnelOptions]) -> FunnelSpec:
        """The question of `funnel`, unasked."""
        scope, rest = self._split(_checked("funnel", options, FunnelOptions))
        return FunnelSpec(steps=_texts("steps", steps), scope=scope, **rest)

    def flow_spec(self, unit: str = "event", **options: Unpack[FlowOptions]) -> FlowSpec:
        """The question of `flow`, unasked."""
        scope, rest = self._split(_checked("flow", options, FlowOptions), per="journey")
        return FlowSpec(unit=unit, scope=scope, **rest)

    def variants_spec(self, unit: str = "event", **options: Unpack[VariantsOptions]) -> VariantsSpec:
        """The question of `variants`, unasked."""
        scope, rest = self._split(_checked("variants", options, VariantsOptions), per="journey")
        return VariantsSpec(unit=unit, scope=scope, **rest)

    def journeys_spec(self, **options: Unpack[JourneysOptions]) -> JourneysSpec:
        """The question of `journeys`, unasked."""
        checked = _checked("question about journeys", options, JourneysOptions)
        by = checked.pop("by", "")
        scope, rest = self._split(checked)
        return JourneysSpec(by=by, scope=scope, **rest)

    def retention_spec(self, **options: Unpack[RetentionOptions]) -> RetentionSpec:
        """The question of `retention`, unasked."""
        scope, rest = self._split(_checked("retention", options, RetentionOptions))
        return RetentionSpec(scope=scope, **rest)

    def lifecycle_spec(self, **options: Unpack[LifecycleOptions]) -> LifecycleSpec:
        """The question of `lifecycle`, unasked."""
        scope, rest = self._split(_checked("lifecycle", options, LifecycleOptions))
        return LifecycleSpec(scope=scope, **rest)

    def suggest_timeout_spec(self, **options: Unpack[TimeoutsOptions]) -> TimeoutsSpec:
        """The question of `suggest_timeout`, unasked."""
        scope, rest = self._split(_checked("suggestion", options, TimeoutsOptions))
        return TimeoutsSpec(scope=scope, **rest)

    def map_spec(self, **options: Unpack[MapOptions]) -> MapSpec:
        """The question of `map`, unasked."""
        scope, rest = self._split(_checked("map", options, MapOptions))
        return MapSpec(scope=scope, **rest)

    def kpis_spec(self, *kpis: str, **options: Unpack[KpisOptions]) -> KpisSpec:
        """The question of `kpis`, unasked."""
        scope, rest = self._split(_checked("question about KPIs", options, KpisOptions))
        return KpisSpec(scope=scope, kpis=_texts("kpis", kpis), **rest)

    def quality_spec(self, **options: Unpack[QualityOptions]) -> QualitySpec:
        """The question of `quality`, unasked."""
        scope, _ = self._split(_checked("quality", options, QualityOptions))
        return QualitySpec(scope=scope)

    def report_spec(self, **options: Unpack[ReportOptions]) -> ReportSpec:
        """The report of `report`, not made yet."""
        scope, rest = self._split(_checked("report", options, ReportOptions))
        return ReportSpec(scope=scope, **rest)

    def channels_spec(self, **options: Unpack[ScopeOptions]) -> ChannelsSpec:
        """The question of `channels`, unasked."""
        return ChannelsSpec(scope=self._split(_checked("question about channels", options, ScopeOptions))[0])

    def places_spec(self, **options: Unpack[ScopeOptions]) -> PlacesSpec:
        """The question of `places`, unasked."""
        return PlacesSpec(scope=self._split(_checked("question about places", options, ScopeOptions))[0])

    def touchpoints_spec(self, **options: Unpack[ScopeOptions]) -> TouchpointsSpec:
        """The question of `touchpoints`, unasked."""
        return TouchpointsSpec(scope=self._split(_checked("question about touchpoints", options, ScopeOptions))[0])

    def stages_spec(self, **options: Unpack[ScopeOptions]) -> StagesSpec:
        """The question of `stages`, unasked."""
        return StagesSpec(scope=self._split(_checked("question about stages", options, ScopeOptions))[0])

    def _split(self, options: Mapping[str, Any], per: str = "person") -> tuple[Scope, dict[str, Any]]:
        """The scope among the options, and the rest."""
        zone = self._workspace.settings.workspace.timezone
        parts: dict[str, Any] = {"timezone": zone, "per": per}
        rest = {}
        for name, value in options.items():
            if name in _SCOPE:
                parts[_SCOPE[name]] = value
            else:
                rest[name] = value
        name, rule = persons_of(self._workspace, parts.get("persona", ""), parts.get("persons", ""))
        return Scope(**{**parts, "persona": name, "persons": rule}), rest

    def _told(self, answer: Result) -> Result:
        """The answer with the workspace's words for its charts, in its language first."""
        settings = self._workspace.settings
        languages = sorted(LANGUAGES, key=lambda language: language != settings.workspace.language)
        basis = basis_of(settings)
        return replace(answer, words=tuple(basis.words(language) for language in languages))

    def _how(self) -> _How:
        """The log for a question: the one already mapped, if it is still the workspace's."""
        fresh = fresh_log(self._workspace)
        if self._log is None or self._log.manifest != fresh.manifest:
            self._log = fresh
        return {"log": self._log, "threads": self._threads}


class _How(TypedDict):
    log: JourneyLog
    threads: int | None


#: Option -> field of a scope.
_SCOPE = {
    "since": "start",
    "until": "end",
    **{
        name: name
        for name in ("timezone", "as_of", "where", "persona", "persons", "by", "include_bots", "include_heavy", "per")
    },
}


@functools.cache
def _types_of(options: type) -> dict[str, Any]:
    return get_type_hints(options)


def _checked(question: str, options: Mapping[str, Any], known: type) -> dict[str, Any]:
    """Options of a question as its spec takes them; SpecError where one is unknown or of another type."""
    types = _types_of(known)
    checked = {}
    for name, value in options.items():
        if name not in types:
            raise SpecError(f"A {question} has no option '{name}'.", hint=nearest_hint(name, types, show=len(types)))
        checked[name] = _value(name, value, types[name])
    return checked


def _value(name: str, value: Any, kind: Any) -> Any:
    if kind is str:
        if isinstance(value, date):  # also a datetime
            return value.isoformat()
        if not isinstance(value, str):
            raise SpecError(f"{name} is a text, not {value!r}.", hint=_EXAMPLES.get(name, "Write it in quotes."))
    elif kind is bool:
        if not isinstance(value, bool):
            raise SpecError(f"{name} is True or False, not {value!r}.")
    elif kind is int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise SpecError(f"{name} is a whole number, not {value!r}.")
    elif kind is float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SpecError(f"{name} is a number, not {value!r}.")
    else:
        return _texts(name, value)
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    """A single text is a list of one: ``funnel("Product Viewed")`` does not mean fourteen steps."""
    texts = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (value,)
    for text in texts:
        if not isinstance(text, str):
            raise SpecError(f"{name} are texts, but {text!r} is none.", hint=f'Write {name}=["Product Viewed"].')
    return texts


_DURATION = "Write a number with its unit in quotes, such as '7d', '12h' or '30m'."
_DAY = "Write '2024-01-31' or '2024-01-31T18:00'."
_EXAMPLES = {"within": _DURATION, "step_within": _DURATION, "since": _DAY, "until": _DAY, "as_of": _DAY}


def open_percorso(
    folder: str | Path | None = None, *, threads: int | None = None, engine: str = "", master: str = ""
) -> Percorso:
    """Open a workspace.

    Parameters
    ----------
    folder : str or Path, optional
        Default: $PERCORSO_HOME, else ./percorso-data.
    threads : int, optional
        For questions; default the cores this process may use.
    engine : str
        ``local`` or ``spark``. Default: $PERCORSO_ENGINE, else what the workspace says.
    master : str
        Where Spark is, such as ``local[2]`` or ``sc://host:15002``. Default: $PERCORSO_MASTER, else what the
        workspace says.

    Raises
    ------
    WorkspaceError
        There is none.
    SpecError
        There is no such engine, or no such form of a master.
    """
    workspace = open_workspace(default_folder() if folder is None else Path(folder))
    return Percorso(choose_engine(workspace, engine, master), threads=threads)
