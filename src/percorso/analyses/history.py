"""What is known of one person at a time, as frozen values.

Amounts are minor units of their currency. Sessions, journeys and orders count from 1 within the person; None is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from percorso.settings import DAY_US
from percorso.time import day_of

__all__ = [
    "AMBASSADOR_US",
    "RELATIONSHIPS",
    "History",
    "HistoryEvent",
    "HistoryJourney",
    "HistoryOrder",
    "relationship_of",
]

RELATIONSHIPS = ("prospect", "new", "repeat", "ambassador")

#: An advocate signal makes an ambassador for this long: 12 months.
AMBASSADOR_US = 365 * DAY_US

_NOT_LIVE = ("cancelled", "refunded")


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One event. `marks` are of bot, heavy, future, same_order, order, goal; `placed_by` is the rule of identity."""

    time_us: int
    event: str
    touchpoint: str
    place: str
    channel: str
    direction: str
    signal: str
    stage: str
    source: str
    page: str
    product: str
    category: str
    campaign: str
    device: str
    value: int | None
    currency: str
    score: float | None
    session: int | None
    journey: int | None
    order: int | None
    placed_by: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HistoryJourney:
    """One journey, counted up to the as-of time; `value` is that of its goal, once reached."""

    number: int
    kind: str
    start_us: int
    end_us: int
    outcome: str
    is_open: bool
    stage: str
    events: int
    contacts: int
    sessions: int
    channels: tuple[str, ...]
    places: tuple[str, ...]
    value: int | None
    currency: str
    order: int | None


@dataclass(frozen=True, slots=True)
class HistoryOrder:
    """One order; `refunded` is what was given back while it was live.

    It is late if it was delivered after the promised day, contacted if the customer turned to service about it, and
    advocated if the customer spoke well of it.
    """

    number: int
    time_us: int
    place: str
    channel: str
    status: str
    value: int | None
    refunded: int
    currency: str
    delivered_us: int | None
    promised_us: int | None = None
    contacted_us: int | None = None
    is_late: bool = False
    is_advocated: bool = False

    @property
    def flags(self) -> tuple[str, ...]:
        """Of late, contacted, advocated (definitions, section 4)."""
        told = {"late": self.is_late, "contacted": self.contacted_us is not None, "advocated": self.is_advocated}
        return tuple(name for name, holds in told.items() if holds)

    @property
    def is_live(self) -> bool:
        """Neither cancelled nor wholly refunded."""
        return self.status not in _NOT_LIVE

    @property
    def net(self) -> int:
        """What remains of the value."""
        return max((self.value or 0) - self.refunded, 0) if self.is_live else 0


@dataclass(frozen=True, slots=True)
class History:
    """A person's history; `stage` is that of now, "" where no journey is open."""

    person: str
    kind: str
    relationship: str
    stage: str
    as_of_us: int
    sessions: int
    events: tuple[HistoryEvent, ...]
    journeys: tuple[HistoryJourney, ...]
    orders: tuple[HistoryOrder, ...]


def relationship_of(
    orders: Sequence[HistoryOrder],
    advocated_us: Iterable[int],
    *,
    as_of_us: int,
    timezone: str,
    limits_days: tuple[int, int] | None = None,
) -> str:
    """Prospect, new (an order), repeat (orders on two days), ambassador; with limits also at_risk and lost.

    Orders that are not live any more make nobody a customer. An ambassador is a customer with an advocate signal in
    the 365 days up to the as-of time. At risk, and lost, is who has not ordered for more days than the limits, which
    come from the time between everybody's orders (:mod:`percorso.analyses.relationship`).
    """
    days = {day_of(order.time_us, timezone) for order in orders if order.is_live}
    if not days:
        return "prospect"
    since = day_of(as_of_us, timezone) - max(days)
    if limits_days is not None and since > limits_days[0]:
        return "lost" if since > limits_days[1] else "at_risk"
    if any(as_of_us - AMBASSADOR_US < time <= as_of_us for time in advocated_us):
        return "ambassador"
    return "repeat" if len(days) > 1 else "new"
