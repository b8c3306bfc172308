"""Look at the quality of a workspace's data."""

from __future__ import annotations

from collections import Counter

from percorso.analyses.basis import basis_of
from percorso.analyses.quality import Ledger, QualitySpec, SourceImports, run_quality
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.identity.clocks import count_corrected
from percorso.services.build import fresh_log
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog
from percorso.store.lake import Lake

__all__ = ["ask_quality"]


def ask_quality(
    workspace: Workspace, spec: QualitySpec, *, log: JourneyLog | None = None, threads: int | None = None
) -> Result:
    """Look at the quality of a workspace's data.

    Parameters
    ----------
    workspace : Workspace
    spec : QualitySpec
    log : JourneyLog, optional
        A log that the caller has opened; by default the workspace's, built first where it is stale.
    threads : int, optional
        Default: the cores this process may use.
    """
    log = fresh_log(workspace) if log is None else log
    return run_quality(spec, log, basis_of(workspace.settings), _ledger(workspace, log, spec.scope), threads=threads)


def _ledger(workspace: Workspace, log: JourneyLog, scope: Scope) -> Ledger:
    return Ledger(
        imports=_imports(Lake(workspace.lake)),
        corrected=count_corrected(log, scope.start_us(), scope.end_us()),
        built_duplicates=int(log.manifest.get("n_duplicates", 0)),
        most_events=workspace.settings.build.heavy_person_events,
    )


def _imports(lake: Lake) -> dict[str, SourceImports]:
    rejected = lake.rejected_reasons()
    reasons: dict[str, Counter[str]] = {}
    records = lake.imports()
    source_of = {record.batch: record.source for record in records}
    for one in rejected.group_by(["batch", "reason"]).aggregate([([], "count_all")]).to_pylist():
        reasons.setdefault(source_of[one["batch"]], Counter())[one["reason"]] += one["count_all"]
    found = {}
    for name in sorted(set(source_of.values())):
        mine = [record for record in records if record.source == name]
        found[name] = SourceImports(
            files=len(mine),
            rows=sum(record.rows for record in mine),
            duplicates=sum(record.duplicates for record in mine),
            incomplete=sum(record.incomplete for record in mine),
            last=max(record.imported_at for record in mine),
            rejected=reasons.get(name, Counter()),
        )
    return found
