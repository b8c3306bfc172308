"""Answer a question about variants of a workspace."""

from __future__ import annotations

from percorso.analyses.basis import basis_of
from percorso.analyses.result import Result
from percorso.analyses.scope_warnings import with_scope_warnings
from percorso.analyses.variants import VariantsSpec, run_variants
from percorso.services.build import fresh_log
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog

__all__ = ["ask_variants"]


def ask_variants(
    workspace: Workspace, spec: VariantsSpec, *, log: JourneyLog | None = None, threads: int | None = None
) -> Result:
    """The most common paths.

    Parameters
    ----------
    workspace : Workspace
    spec : VariantsSpec
    log : JourneyLog, optional
        A log that the caller has opened; by default the workspace's, built first where it is stale.
    threads : int, optional
        Default: the cores this process may use.
    """
    log = fresh_log(workspace) if log is None else log
    basis = basis_of(workspace.settings)
    answer = run_variants(spec, log, basis, threads=threads)
    return with_scope_warnings(answer, spec.scope, log, basis, is_empty=not answer.totals["total"])
