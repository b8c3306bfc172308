"""What goes wrong at Legnocorda, how often, and the record of what it costs: the truth to be found again.

Each friction has two rates: where it bites, and elsewhere. An order counts as lost to a friction if it would have been
made (and kept) at the lower rate; that is decided where it happens, and written down with its time and value.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "BULKY_EXIT",
    "CARD_FAILURE",
    "CART_LOST",
    "DELIGHT",
    "FRICTIONS",
    "GIVE_UP",
    "LATE",
    "NOT_IN_STOCK",
    "REPEATED_LOGIN",
    "SLOW_GUITARS",
    "Ledger",
    "Loss",
]

#: Share of last steps of the checkout that are left: bulky goods, whose delivery cost shows only there, and others.
BULKY_EXIT = (0.44, 0.27)
#: Share of buying visits to a guitar on a phone that end at the slow page, in May and June; nobody's otherwise.
SLOW_GUITARS = 0.12
SLOW_MONTHS = (5, 6)
#: Share of carts that are gone when their owner goes from app to site or back.
CART_LOST = 0.30
#: Share of card payments that fail: Android, and others.
CARD_FAILURE = (0.14, 0.03)
#: Share of promised pick-ups that are not in stock: orders of the app, which knows last night's stock, and of the site.
NOT_IN_STOCK = (0.09, 0.02)
#: Share of parcels that come after the promised day: South and islands in November and December, and others.
LATE = (0.21, 0.06)
LATE_MONTHS = (11, 12)
#: Harmless: share of visits with a sign-in in which it is asked for again.
REPEATED_LOGIN = 0.22
#: Share of parcels that come early with a note by hand.
DELIGHT = 0.07

#: Of those to whom it happens, the share that gives up for good.
GIVE_UP = {"cart-lost": 0.23, "card-failure": 0.265, "late": 0.15, "not-in-stock": 1.0}

#: Friction -> euro a month at 38,000 customers that the story tells.
FRICTIONS = {
    "bulky-delivery-cost": 21_000,
    "slow-guitar-pages": 19_000,
    "cart-lost": 5_200,
    "card-failure": 4_600,
    "not-in-stock": 3_700,
    "late-delivery": 3_600,
}


@dataclass(frozen=True, slots=True)
class Loss:
    """An order that a friction has cost; `customer` is the number of a true person, `time` local milliseconds."""

    friction: str
    time: int
    cents: int
    customer: int


@dataclass(slots=True)
class Ledger:
    """What was lost, and how often each friction could have struck and did, by "hit" and "base" side."""

    losses: list[Loss] = field(default_factory=list)
    #: (friction, "hit" or "base") -> [cases, of these gone wrong]
    cases: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def lose(self, friction: str, time: int, cents: int, customer: int) -> None:
        """An order is lost."""
        self.losses.append(Loss(friction, time, cents, customer))

    def count(self, friction: str, *, hit: bool, wrong: bool) -> None:
        """A case in which the friction could strike."""
        counted = self.cases.setdefault((friction, "hit" if hit else "base"), [0, 0])
        counted[0] += 1
        counted[1] += wrong
