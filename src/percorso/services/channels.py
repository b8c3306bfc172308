"""Answer a question about channels."""

from __future__ import annotations

from percorso.analyses.ad_costs import AdCosts, ad_costs
from percorso.analyses.basis import Basis
from percorso.analyses.channels import ChannelsSpec, run_channels, takes_costs
from percorso.analyses.result import Result
from percorso.analyses.scope_warnings import with_scope_warnings
from percorso.analyses.select import plan_scope
from percorso.analyses.spec import Scope
from percorso.journeys.channels import ChannelRules, Origin
from percorso.services.question import log_and_basis
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog
from percorso.store.lake import Lake

__all__ = ["ask_channels"]


def ask_channels(
    workspace: Workspace, spec: ChannelsSpec, *, log: JourneyLog | None = None, threads: int | None = None
) -> Result:
    """Answer a question about channels.

    Parameters
    ----------
    workspace : Workspace
    spec : ChannelsSpec
    log : JourneyLog, optional
        A log that the caller has opened; by default the workspace's, built first where it is stale.
    threads : int, optional
        Default: the cores this process may use.
    """
    log, basis = log_and_basis(workspace, log)
    costs = _costs(workspace, spec.scope, log, basis) if takes_costs(spec.scope) else None
    answer = run_channels(spec, log, basis, costs=costs, threads=threads)
    return with_scope_warnings(answer, spec.scope, log, basis, is_empty=not answer.totals["contacts"])


def _costs(workspace: Workspace, scope: Scope, log: JourneyLog, basis: Basis) -> AdCosts:
    """Ad costs of the lake; a row that names no channel has that of its UTM source and medium."""
    spend = Lake(workspace.lake).ad_spend()
    if not spend.num_rows:
        return AdCosts()
    rules = ChannelRules(workspace.settings.channels)
    named = [spend.column(name).to_pylist() for name in ("channel", "utm_source", "utm_medium")]
    origins = list(zip(*named, strict=True))
    channel = {
        (own, source, medium): rules.classify(
            Origin("web", channel=own or "", utm_source=source or "", utm_medium=medium or "")
        ).channel
        for own, source, medium in set(origins)
    }
    return ad_costs(
        spend, [channel[origin] for origin in origins], scope, plan_scope(scope, log, basis).as_of_us, basis
    )
