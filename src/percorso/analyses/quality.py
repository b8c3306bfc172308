"""The quality of the data: what each source sent and how fresh it is, what was rejected, left out, or is nobody's.

Defined in docs/reference/quality.md. The plain twin is tests/naive/quality.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.log_facts import column_values
from percorso.analyses.quality_counts import QualityCounts, QualityPlan, count_quality
from percorso.analyses.quality_findings import FINDING_SCHEMA, find_faults
from percorso.analyses.result import Result
from percorso.analyses.select import plan_scope
from percorso.analyses.spec import Scope
from percorso.analyses.worth import amount, amounts_column, missing_rate_warnings
from percorso.errors import SpecError
from percorso.kernels.arrays import I64
from percorso.kernels.quality import INBOUND, N_CELLS, NO_STAGE
from percorso.store.journey_log import FLAG_BOT, FLAG_FUTURE, FLAG_HEAVY, FLAG_SAME_ORDER, JourneyLog

__all__ = ["Ledger", "QualitySpec", "SourceImports", "run_quality"]

_DAY_US = 86_400_000_000
_UTC = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class SourceImports:
    """What the imports of one source brought, all of them that count.

    Parameters
    ----------
    files, rows, duplicates : int
        `duplicates` are rows that had come before.
    incomplete : int
        Imports of which rows may have gone with another one.
    last : datetime or None
        When the last one was made, UTC.
    rejected : mapping of str to int
        Rows that could not be read, by reason.
    """

    files: int = 0
    rows: int = 0
    duplicates: int = 0
    incomplete: int = 0
    last: datetime | None = None
    rejected: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the journey log does not know: imports by source, and events whose clock was put right.

    Parameters
    ----------
    imports : mapping of str to SourceImports
    corrected : mapping of str to int, or None
        Events by source; None: not known.
    built_duplicates : int
        Events that came several times and count once.
    most_events : int
        Persons with more events are heavy.
    """

    imports: Mapping[str, SourceImports] = field(default_factory=dict)
    corrected: Mapping[str, int] | None = None
    built_duplicates: int = 0
    most_events: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySpec:
    """The state of the data.

    Parameters
    ----------
    scope : Scope
        Period and as-of time; all events without one. It has no conditions: what is the matter with data shows on
        all of them.
    """

    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        if self.scope.where.strip() or self.scope.persons.strip() or self.scope.by:
            raise SpecError(
                "The quality of the data is that of all events.", hint="Leave out conditions, personas and break-downs."
            )


def run_quality(
    spec: QualitySpec,
    log: JourneyLog,
    basis: Basis | None = None,
    ledger: Ledger | None = None,
    *,
    threads: int | None = None,
) -> Result:
    """Look at the quality of the data.

    Parameters
    ----------
    spec : QualitySpec
    log : JourneyLog
    basis : Basis, optional
    ledger : Ledger, optional
        Without one nothing is known of imports.
    threads : int, optional

    Returns
    -------
    Result
        Tables ``sources``, ``findings``, ``rejected`` (source, reason, rows) and ``bots`` (two rows: as
        asked, and with robots in; events, persons, sessions, orders, value).
    """
    basis, ledger = basis or Basis(), ledger or Ledger()
    scope = plan_scope(spec.scope, log, basis)
    end = spec.scope.end_us()
    future_end = scope.end_us if spec.scope.as_of else (np.iinfo(np.int64).max if end is None else end)
    names = {*column_values(log, "source", with_nobody=True), *ledger.imports}
    plan = QualityPlan(scope, tuple(sorted(names)), int(future_end))
    counted, nobody = count_quality(plan, log, basis, threads=threads)
    sources = _sources(plan, counted, nobody, ledger, basis)
    rejected = _rejected(ledger)
    totals = _totals(counted, nobody, sources, basis) | {
        "journey_timeout_days": basis.journey_timeout_us / _DAY_US,
        "built_duplicates": ledger.built_duplicates,
        "most_events": ledger.most_events,
        "heavy_persons": counted.heavy,
        "loose_refunds": counted.refunds + nobody.refunds,
        "loose_refund_value": amount(counted.refunded + nobody.refunded, basis.currency),
    }
    missing = (*counted.orders.missing, *nobody.orders.missing)
    faults = find_faults(sources.to_pylist(), rejected.to_pylist(), totals, missing)
    tables = {
        "sources": sources,
        "findings": pa.Table.from_pylist(faults, schema=FINDING_SCHEMA),
        "rejected": rejected,
        "bots": _bots(counted, nobody, plan, basis),
    }
    return Result(tables, spec, log.data_version, scope.as_of_us, totals, missing_rate_warnings(missing, basis))


def _with(cells: I64, bit: int) -> I64:
    """Events of each source whose cell has the bit."""
    found: I64 = cells[:, (np.arange(N_CELLS) & bit) != 0].sum(axis=1)
    return found


def _stageless(cells: I64) -> I64:
    """Inbound events that are in and have no stage."""
    found: I64 = cells[:, NO_STAGE | INBOUND]
    return found


def _sources(
    plan: QualityPlan, counted: QualityCounts, nobody: QualityCounts, ledger: Ledger, basis: Basis
) -> pa.Table:
    both = counted.merge(nobody)
    imports = [ledger.imports.get(name, SourceImports()) for name in plan.sources]
    events, orders = both.cells.sum(axis=1), both.orders.orders
    newest = _times(both.newest)
    corrected = [None if ledger.corrected is None else ledger.corrected.get(name, 0) for name in plan.sources]
    return pa.table(
        {
            "source": pa.array(plan.sources, pa.string()),
            "events": events,
            "share": _share(events, np.full(len(events), events.sum())),
            "first_event": pa.array(_times(both.first), _UTC),
            "newest_event": pa.array(newest, _UTC),
            "days_since": pa.array([_days(time, plan.scope.as_of_us) for time in newest], pa.float64()),
            "last_import": pa.array([one.last for one in imports], _UTC),
            "files": [one.files for one in imports],
            "rows": [one.rows for one in imports],
            "rejected": [sum(one.rejected.values()) for one in imports],
            "duplicates": [one.duplicates for one in imports],
            "incomplete": [one.incomplete for one in imports],
            "bots": _with(both.cells, FLAG_BOT),
            "bot_share": _share(_with(both.cells, FLAG_BOT), events),
            "heavy": _with(both.cells, FLAG_HEAVY),
            "future": _with(both.cells, FLAG_FUTURE),
            "corrected": pa.array(corrected, pa.int64()),
            "order_copies": _with(both.cells, FLAG_SAME_ORDER),
            "stageless": _stageless(counted.cells),
            "unidentified": nobody.cells.sum(axis=1),
            "unidentified_share": _share(nobody.cells.sum(axis=1), events),
            "orders": orders,
            "unvalued_orders": both.orders.unvalued,
            "unidentified_orders": nobody.orders.orders,
            "unidentified_value": amounts_column(nobody.orders.value, basis.currency),
        }
    )


def _times(time_us: I64) -> list[datetime | None]:
    """As times; None where there is no event."""
    known = [abs(time) < np.iinfo(np.int64).max for time in time_us.tolist()]
    return [
        datetime.fromtimestamp(time // 1_000_000, UTC).replace(microsecond=time % 1_000_000) if is_known else None
        for time, is_known in zip(time_us.tolist(), known, strict=True)
    ]


def _days(newest: datetime | None, as_of_us: int) -> float | None:
    return None if newest is None else (as_of_us - round(newest.timestamp() * 1e6)) / _DAY_US


def _share(part: I64, whole: I64) -> pa.Array:
    return pa.array(part / np.maximum(whole, 1), pa.float64(), mask=whole == 0)


def _rejected(ledger: Ledger) -> pa.Table:
    rows = [
        {"source": name, "reason": reason, "rows": count}
        for name, one in sorted(ledger.imports.items())
        for reason, count in sorted(one.rejected.items(), key=lambda item: (-item[1], item[0]))
    ]
    schema = pa.schema([("source", pa.string()), ("reason", pa.string()), ("rows", pa.int64())])
    return pa.Table.from_pylist(rows, schema=schema)


def _totals(counted: QualityCounts, nobody: QualityCounts, sources: pa.Table, basis: Basis) -> dict[str, Any]:
    events = int(counted.cells.sum() + nobody.cells.sum())
    plain = counted.plain
    return {
        "currency": basis.currency,
        "events": events,
        "unidentified_events": int(nobody.cells.sum()),
        "bot_events": sum(sources.column("bots").to_pylist()),
        "persons": plain.persons,
        "identified_persons": plain.identified,
        "orders": plain.orders,
        "value": amount(plain.value, basis.currency),
        "unidentified_orders": nobody.plain.orders,
        "unidentified_value": amount(nobody.plain.value, basis.currency),
    }


def _bots(counted: QualityCounts, nobody: QualityCounts, plan: QualityPlan, basis: Basis) -> pa.Table:
    """What robots would do to the figures; the unidentified are in, as events, orders and value."""
    cells, bits = counted.cells + nobody.cells, np.arange(N_CELLS) & 15
    outs = plan.scope.out_flags, plan.with_bots.out_flags
    ends = counted.plain.merge(nobody.plain), counted.with_bots.merge(nobody.with_bots)
    return pa.table(
        {
            "bots": pa.array(("as asked", "in"), pa.string()),
            "events": [int(cells[:, (bits & out) == 0].sum()) for out in outs],
            **{name: [getattr(end, name) for end in ends] for name in ("persons", "sessions", "orders")},
            "value": amounts_column([end.value for end in ends], basis.currency),
        }
    )
