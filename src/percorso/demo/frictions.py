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
    "DELIVERY_FAILED",
    "FRICTIONS",
    "GIVE_UP",
    "LATE",
    "NOT_COLLECTED",
    "NOT_IN_STOCK",
    "REPEATED_LOGIN",
    "SIGN_IN_FAILED",
    "SLOW_GUITARS",
    "TROUBLES",
    "Ledger",
    "Loss",
    "Try",
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

#: Everyday trouble, as every shop has it; it costs no order of the story.
#: Share of sign-ins that begin with a wrong password, and of these the share with a second one.
SIGN_IN_FAILED = 0.06
WRONG_AGAIN = 0.25
#: Share of parcels for which the carrier comes in vain the day before, where there is a working day between.
DELIVERY_FAILED = 0.05
#: Share of pick-ups that nobody comes for in as many days.
NOT_COLLECTED = 0.015
COLLECT_WITHIN = 10

#: What is tried -> what happens where it fails.
TROUBLES = {
    "sign-in": "a wrong password",
    "delivery": "the carrier came in vain",
    "pick-up": "nobody came for the order",
}

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


@dataclass(frozen=True, slots=True)
class Try:
    """Something that was tried, one of `TROUBLES`; `time` in local milliseconds."""

    what: str
    time: int
    failed: bool


@dataclass(slots=True)
class Ledger:
    """What was lost, how often each friction could have struck and did, and what was tried."""

    losses: list[Loss] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)
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

    def attempt(self, what: str, time: int, *, failed: bool) -> None:
        """Something is tried."""
        self.tries.append(Try(what, time, failed))
