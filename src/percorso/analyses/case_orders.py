"""Orders and value of the cases that a question about paths sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.orders_in import order_fields, total_orders
from percorso.analyses.paths import PathPlan, cases_of_plan
from percorso.analyses.result import Result
from percorso.kernels.arrays import Bools
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["with_case_orders"]


def with_case_orders(
    answer: Result, plan: PathPlan, log: JourneyLog, basis: Basis, *, threads: int | None = None
) -> Result:
    """The answer, its totals with orders and value: an order is in if its event is in, and in a case."""

    def inside(bucket: Bucket) -> Bools:
        if plan.spec.scope.per == "person":  # every event is in a case
            return np.ones(bucket.n_events, np.bool_)
        in_case: Bools = cases_of_plan(plan, bucket).of_event >= 0
        return in_case

    of_persons, of_nobody = total_orders(plan.scope, log, basis, inside=inside, threads=threads)
    fields, warnings = order_fields(of_persons, of_nobody, basis)
    kept = {name: value for name, value in fields.items() if not name.startswith("unidentified")}
    return replace(answer, totals={**answer.totals, **kept}, warnings=(*answer.warnings, *warnings))
