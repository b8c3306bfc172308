"""Answer which values the KPIs of a workspace have."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.kpi_people import kpi_people
from percorso.analyses.kpis import KPIS, KpiInputs, KpisSpec, run_kpis
from percorso.analyses.opening_hours import OpeningHours
from percorso.analyses.result import Result
from percorso.analyses.scope_warnings import with_scope_warnings
from percorso.analyses.worth import worth_of
from percorso.errors import SettingsError, nearest_hint
from percorso.services.question import log_and_basis, people_answer
from percorso.services.workspace import Workspace
from percorso.settings import Settings, Target
from percorso.settings.kinds import WEEKDAY_NAMES
from percorso.store.journey_log import JourneyLog
from percorso.store.lake import Lake

__all__ = ["ask_kpi_people", "ask_kpis", "kpi_inputs"]


def ask_kpis(
    workspace: Workspace,
    spec: KpisSpec,
    *,
    language: str = "en",
    log: JourneyLog | None = None,
    threads: int | None = None,
) -> Result:
    """Answer which values KPIs have.

    Parameters
    ----------
    workspace : Workspace
    spec : KpisSpec
    language : {"en", "it"}
        Of the notes.
    log : JourneyLog, optional
        A log that the caller has opened; by default the workspace's, built first where it is stale.
    threads : int, optional
        Default: the cores this process may use.

    Raises
    ------
    SettingsError
        A target is of a KPI that there is not.
    """
    log, basis = log_and_basis(workspace, log)
    inputs = kpi_inputs(workspace, spec, basis, log)
    answer = run_kpis(spec, log, basis, inputs, language=language, threads=threads)
    # Some KPIs have values in a period without events too, such as who may be written to.
    values = zip(answer.table["kpi"].to_pylist(), answer.table["value"].to_pylist(), strict=True)
    is_empty = not any(kpi == "events" and value for kpi, value in values)
    return with_scope_warnings(answer, spec.scope, log, basis, is_empty=is_empty)


def ask_kpi_people(
    workspace: Workspace,
    spec: KpisSpec,
    kpi: str,
    *,
    group: str = "",
    log: JourneyLog | None = None,
    threads: int | None = None,
) -> Result:
    """The persons behind a KPI that counts persons, or things of persons: those in its numerator.

    Parameters
    ----------
    workspace : Workspace
    spec : KpisSpec
    kpi : str
        Key.
    group : str
        The break-down's value.
    log, threads
        As of `ask_kpis`.

    Returns
    -------
    Result
        Table ``people``, total ``count``.
    """
    log, basis = log_and_basis(workspace, log)
    task, as_of_us = kpi_people(spec, log, basis, kpi, group=group, threads=threads)
    return people_answer(task, spec, log, basis, as_of_us, threads=threads, cell={"kpi": kpi, "group": group})


def kpi_inputs(workspace: Workspace, spec: KpisSpec, basis: Basis, log: JourneyLog) -> KpiInputs:
    """Costs, ad spend, targets and hours of a workspace; the tables only where a KPI that is asked for wants them."""
    needs = {kpi.needs for kpi in spec.chosen()}
    lake = Lake(workspace.lake)
    return KpiInputs(
        costs=_costs(lake.catalogue(), basis, log) if "costs" in needs else None,
        spend=lake.ad_spend() if "spend" in needs else None,
        targets=_targets(workspace.settings),
        hours=_hours(workspace.settings),
    )


def _costs(catalogue: pa.Table, basis: Basis, log: JourneyLog) -> dict[str, int]:
    """Cost of a piece of each product that has one, at the rate of the newest day."""
    known = catalogue.filter(catalogue.column("cost").is_valid())
    if not known.num_rows:
        return {}
    coded = known.column("currency").combine_chunks().dictionary_encode()
    import_day = pa.array([log.as_of_us] * known.num_rows, pa.int64()).to_numpy()
    worth = worth_of(
        known.column("cost").to_numpy(),
        tuple(coded.dictionary.to_pylist()),
        coded.indices.to_numpy(zero_copy_only=False),
        import_day,
        basis,
    )
    products = known.column("product_id").to_pylist()
    pairs: Iterable[tuple[str, int, bool]] = zip(products, worth.minor.tolist(), worth.known.tolist(), strict=True)
    return {product: cost for product, cost, has_rate in pairs if has_rate}


def _targets(settings: Settings) -> tuple[Target, ...]:
    known = {kpi.key for kpi in KPIS}
    for target in settings.targets:
        if target.kpi not in known:
            raise SettingsError(
                f"A target in percorso.toml is of '{target.kpi}', and there is no such KPI.",
                hint=nearest_hint(target.kpi, known, show=8),
            )
    return settings.targets


def _hours(settings: Settings) -> OpeningHours:
    service = settings.service
    weekdays = tuple(sorted({WEEKDAY_NAMES.index(name) for name in service.weekdays}))
    return OpeningHours(settings.workspace.timezone, weekdays, *service.hours_s)
