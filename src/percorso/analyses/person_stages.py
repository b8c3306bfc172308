"""The stage of each person now: that of the latest inbound event in an open journey (definitions, section 5).

The order that opens an order journey is its first event. The same for one person at a time, and the outside oracle of
this module: :mod:`percorso.analyses.customer`.
"""

from __future__ import annotations

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.outcomes import OPEN, journeys_of_kind, purchase_outcomes
from percorso.journeys.event_rules import EVENT_RULES
from percorso.journeys.signals import CANCEL, CARE, CARE_IF_ORDER, DELIVERED, REFUND, RETURN
from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.person_stages import last_care, last_inbound
from percorso.store.journey_log import Bucket

__all__ = ["stage_codes"]

#: Events that keep an order's journey open, and signals that do.
_CARE = frozenset(
    name
    for name, rule in EVENT_RULES.items()
    if rule.signal in (CARE, CARE_IF_ORDER, CANCEL, REFUND, RETURN, DELIVERED)
)
_CARE_SIGNALS = ("care", "advocate")


def stage_codes(bucket: Bucket, keep: U8, basis: Basis, as_of_us: int, names: tuple[str, ...]) -> I32:
    """Position in `names` of each person's stage now, int32 of shape (n_persons,); -1: no journey is open.

    Parameters
    ----------
    bucket : Bucket
    keep : uint8, shape (n_events,) or (0,)
        Events that are in, none after the as-of time; of no elements: all.
    basis : Basis
        How long orders stay open, and the stage that an order opens.
    as_of_us : int
    names : tuple of str
        Stages; one that is not among them is -1 too.
    """
    events, journeys = bucket.events, bucket.table("journeys")
    position = {name: at for at, name in enumerate(names)}
    of_code = np.array([position.get(name, -1) for name in events.dictionary("stage")], np.int32)
    stage = np.full(bucket.n_persons, -1, np.int32)
    latest = np.full(bucket.n_persons, -1, np.int64)
    is_open = _open_journeys(bucket, keep, basis, as_of_us)
    is_inbound = np.array([name == "inbound" for name in events.dictionary("direction")], np.bool_)
    last_inbound(
        events.values("journey"),
        is_open,
        journeys.values("person"),
        events.values("direction"),
        is_inbound,
        keep,
        latest,
    )
    seen = latest >= 0
    stage[seen] = of_code[events.values("stage")[latest[seen]]]
    after_order = position.get(basis.stages.stages[basis.stages.after_order].key, -1)
    buyer, event = _opening_orders(bucket, is_open, keep, as_of_us)
    newer = event > latest[buyer]
    stage[buyer[newer]] = after_order
    return stage


def _open_journeys(bucket: Bucket, keep: U8, basis: Basis, as_of_us: int) -> Bools:
    """Journeys that are open at the as-of time, bool of shape (n_journeys,)."""
    journeys, events = bucket.table("journeys"), bucket.events
    start = journeys.values("start")
    of_order = journeys_of_kind(bucket, "order")
    closes = np.where(of_order, start, np.iinfo(np.int64).min)
    names, signals = events.dictionary("event"), events.dictionary("signal")
    by_name = np.array([name in _CARE for name in names], np.bool_)
    by_signal = np.array([name in _CARE_SIGNALS for name in signals], np.bool_)
    last_care(
        events.values("journey"),
        of_order,
        events.values("event"),
        by_name,
        events.values("signal"),
        by_signal,
        keep,
        events.values("time"),
        closes,
    )
    stays = of_order & (closes + np.where(of_order, basis.order_open_us, 0) >= as_of_us)
    begun: Bools = start <= as_of_us
    is_open: Bools = begun & (stays | (purchase_outcomes(bucket, as_of_us) == OPEN))
    return is_open


def _opening_orders(bucket: Bucket, is_open: Bools, keep: U8, as_of_us: int) -> tuple[I32, I64]:
    """Persons and events of the orders that opened order journeys that are open, one a person: the latest."""
    journeys, orders = bucket.table("journeys"), bucket.table("orders")
    row = np.flatnonzero(is_open & journeys_of_kind(bucket, "order") & (journeys.values("order") >= 0))
    order = journeys.values("order")[row]
    if not len(order):
        return np.empty(0, np.int32), np.empty(0, np.int64)
    made = orders.values("time")[order] <= as_of_us
    person, event = journeys.values("person")[row][made], orders.values("event")[order][made].astype(np.int64)
    inside = keep[event] != 0 if len(keep) else np.ones(len(event), np.bool_)
    latest = np.full(bucket.n_persons, -1, np.int64)
    np.maximum.at(latest, person[inside], event[inside])
    buyer = np.flatnonzero(latest >= 0).astype(np.int32)
    return buyer, latest[buyer]
