"""Answer a journey map about a workspace, and draw it."""

from __future__ import annotations

from dataclasses import dataclass

from percorso.analyses.basis import basis_of
from percorso.analyses.kpis import KpisSpec
from percorso.analyses.map import MAP_KPIS, MapSpec, run_map
from percorso.analyses.result import Result
from percorso.analyses.scope_warnings import with_scope_warnings
from percorso.charts.chart import Chart
from percorso.maps.of_answer import map_view
from percorso.maps.page import map_page
from percorso.maps.poster import draw_poster
from percorso.maps.view import MapView
from percorso.services.kpis import kpi_inputs
from percorso.services.question import log_and_basis
from percorso.services.segment_lookup import find_segment
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog

__all__ = ["DrawnMap", "ask_map", "brand_of", "draw_map"]


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """A map as people see it: what it says, the poster, and the page with the table behind it."""

    view: MapView
    poster: Chart
    page: str


def ask_map(
    workspace: Workspace,
    spec: MapSpec,
    *,
    kpis: Result | None = None,
    language: str = "",
    log: JourneyLog | None = None,
    threads: int | None = None,
) -> Result:
    """Answer a map.

    Parameters
    ----------
    workspace : Workspace
    spec : MapSpec
    kpis : Result, optional
        As of `run_map`.
    language : {"", "en", "it"}
        Of the reasons why a KPI is missing; "": the workspace's.
    log : JourneyLog, optional
        A log that the caller has opened; by default the workspace's, built first where it is stale.
    threads : int, optional
        Default: the cores this process may use.
    """
    log, basis = log_and_basis(workspace, log)
    wanted = KpisSpec(scope=spec.scope, kpis=tuple(kpi for names in MAP_KPIS.values() for kpi in names))
    answer = run_map(
        spec,
        log,
        basis,
        None if kpis else kpi_inputs(workspace, wanted, basis, log),
        workspace.settings.map.goals,
        kpis=kpis,
        language=language or workspace.settings.workspace.language,
        threads=threads,
    )
    return with_scope_warnings(answer, spec.scope, log, basis, is_empty=not answer.totals["persons"])


def draw_map(workspace: Workspace, answer: Result, *, language: str = "") -> DrawnMap:
    """Draw the answer of `ask_map`, in a language; by default the workspace's."""
    words = basis_of(workspace.settings).words(language or workspace.settings.workspace.language)
    persona = answer.spec.scope.persona
    if persona:
        persona = find_segment(workspace, persona).title or persona
    view = map_view(answer, words, workspace.settings.stages, brand=brand_of(workspace), persona=persona)
    poster = draw_poster(view, words)
    return DrawnMap(view, poster, map_page(view, poster, words))


def brand_of(workspace: Workspace) -> str:
    """The brand's name, for titles: the setting, else the folder's."""
    return workspace.settings.workspace.name or workspace.folder.name
