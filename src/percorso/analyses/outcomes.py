"""How journeys ended, as of a time: derived when asked, never stored (definitions, section 4)."""

from __future__ import annotations

import numpy as np

from percorso.kernels.arrays import U8, Bools
from percorso.kernels.outcomes import outcomes_at
from percorso.store.journey_log import Bucket, Table

__all__ = [
    "ABANDONED",
    "ALL_OUTCOMES",
    "CONVERTED",
    "NOT_PURCHASE",
    "OPEN",
    "OUTCOMES",
    "journey_outcomes",
    "journeys_of_kind",
    "old_journeys",
    "purchase_outcomes",
]

#: Outcomes of purchase journeys, by code; an order journey has none of them.
OUTCOMES = ("open", "converted", "abandoned")
OPEN, CONVERTED, ABANDONED, NOT_PURCHASE = 0, 1, 2, 3

#: Outcomes of purchase and order journeys, by code.
ALL_OUTCOMES = (*OUTCOMES, "kept", "returned", "cancelled")


def journeys_of_kind(bucket: Bucket, kind: str) -> Bools:
    """Which journeys of the bucket are of `kind` ("purchase" or "order"), bool of shape (n_journeys,)."""
    journeys = bucket.table("journeys")
    of_code = np.array([name == kind for name in journeys.dictionary("kind")], dtype=np.bool_)
    codes = journeys.values("kind")
    return of_code.take(codes) if len(of_code) else np.zeros(0, np.bool_)


def purchase_outcomes(bucket: Bucket, as_of_us: int) -> U8:
    """Outcome of every journey of the bucket, uint8 of shape (n_journeys,).

    Converted if its goal was reached at or before the as-of time; else abandoned if its last intent plus its time-out
    is at or before it; else open. NOT_PURCHASE for order journeys.
    """
    journeys = bucket.table("journeys")
    return outcomes_at(
        journeys_of_kind(bucket, "purchase"),
        journeys.values("goal_time"),
        journeys.values("intent"),
        journeys.values("timeout"),
        as_of_us,
    )


def old_journeys(bucket: Bucket, as_of_us: int) -> Bools:
    """Which journeys opened so long ago that they could have been watched for their whole time-out.

    The time-out is the journey's own: that of its category, else the shop's.

    Returns
    -------
    bool, shape (n_journeys,)
    """
    journeys = bucket.table("journeys")
    return np.asarray(journeys.values("start") + journeys.values("timeout") <= as_of_us)


def journey_outcomes(bucket: Bucket, as_of_us: int) -> U8:
    """Outcome of every journey of the bucket, order journeys included, uint8 of shape (n_journeys,): ALL_OUTCOMES.

    An order journey is returned if its order was returned, or wholly refunded after it was delivered or bought in a
    store; cancelled if it was cancelled, or wholly refunded before; else kept. What happened after the as-of time has
    not happened.
    """
    outcome = purchase_outcomes(bucket, as_of_us)
    outcome[outcome == NOT_PURCHASE] = ALL_OUTCOMES.index("kept")
    of_order = bucket.table("journeys").values("order")
    of_order = np.where(journeys_of_kind(bucket, "order"), of_order, -1)
    known = np.flatnonzero(of_order >= 0)
    if not len(known):
        return outcome
    orders, row = bucket.table("orders"), of_order[known]
    status = np.array(orders.dictionary("status"))[orders.values("status")[row]]
    ended, delivered = orders.values("ended")[row], orders.values("delivered")[row]
    brought_back = orders.values("returned")[row]
    over = (ended != -1) & (ended <= as_of_us)
    in_hand = ((delivered != -1) & (delivered <= ended)) | _in_store(orders)[row]
    returned = ((brought_back != -1) & (brought_back <= as_of_us)) | (over & (status == "refunded") & in_hand)
    outcome[known[over]] = ALL_OUTCOMES.index("cancelled")
    outcome[known[returned]] = ALL_OUTCOMES.index("returned")
    return outcome


def _in_store(orders: Table) -> Bools:
    """Orders that were handed over when they were made, bool of shape (n_orders,)."""
    stores = np.array([place == "store" for place in orders.dictionary("place")], dtype=np.bool_)
    return stores[orders.values("place")] if len(orders) else np.zeros(0, np.bool_)
