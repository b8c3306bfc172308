"""Answer a question about places."""

from __future__ import annotations

from percorso.analyses.basis import basis_of
from percorso.analyses.places import PlacesSpec, run_places
from percorso.analyses.result import Result
from percorso.analyses.scope_warnings import with_scope_warnings
from percorso.services.build import fresh_log
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog

__all__ = ["ask_places"]


def ask_places(
    workspace: Workspace, spec: PlacesSpec, *, log: JourneyLog | None = None, threads: int | None = None
) -> Result:
    """Answer a question about places.

    Parameters
    ----------
    workspace : Workspace
    spec : PlacesSpec
    log : JourneyLog, optional
        A log that the caller has opened; by default the workspace's, built first where it is stale.
    threads : int, optional
        Default: the cores this process may use.
    """
    log = fresh_log(workspace) if log is None else log
    basis = basis_of(workspace.settings)
    answer = run_places(spec, log, basis, threads=threads)
    return with_scope_warnings(answer, spec.scope, log, basis, is_empty=not answer.totals["contacts"])
