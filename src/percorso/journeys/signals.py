"""What an event can mean on a journey: signal codes, some of which need the journey to be decided.

The five signals are aware, consider, convert, care and advocate (docs/concepts/signals.md). Looking at
one event by itself, :func:`percorso.journeys.touchpoints.classify_event` gives one of the codes below; the
build resolves the conditional ones with what it knows of the person: the session, the cart, the orders.

A *live* order is one that is neither cancelled before delivery nor wholly refunded at that moment. The
build also raises ``aware`` to ``consider`` in the second session of a person without orders.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ADVOCATE",
    "ADVOCATE_IF_GOOD",
    "AWARE",
    "CANCEL",
    "CARE",
    "CARE_IF_ORDER",
    "CONDITIONS",
    "CONSIDER",
    "CONSIDER_IF_ENGAGED",
    "CONVERT",
    "CONVERT_IF_CART",
    "DELIVERED",
    "ORDER",
    "REFUND",
    "RETURN",
    "SIGNAL_NONE",
    "SIGNED_OUT",
    "Condition",
]

SIGNAL_NONE = 0  # the brand acted, or nobody did
AWARE = 1
CONSIDER = 2
CONSIDER_IF_ENGAGED = 3
CONVERT = 4
CONVERT_IF_CART = 5
ORDER = 6
CARE = 7
ADVOCATE = 8
ADVOCATE_IF_GOOD = 9
CARE_IF_ORDER = 10
CANCEL = 11
REFUND = 12
RETURN = 13
DELIVERED = 14
SIGNED_OUT = 15


@dataclass(frozen=True, slots=True)
class Condition:
    """How one code becomes a signal. ``otherwise`` is "" where there is no condition."""

    name: str
    signal: str
    condition: str
    otherwise: str


#: Code -> what it becomes. docs/concepts/signals.md shows this table; a test keeps the two equal.
CONDITIONS: dict[int, Condition] = {
    SIGNAL_NONE: Condition("SIGNAL_NONE", "", "", ""),
    AWARE: Condition("AWARE", "aware", "", ""),
    CONSIDER: Condition("CONSIDER", "consider", "", ""),
    CONSIDER_IF_ENGAGED: Condition(
        "CONSIDER_IF_ENGAGED", "consider", "the event stands in an engaged session", "aware"
    ),
    CONVERT: Condition("CONVERT", "convert", "", ""),
    CONVERT_IF_CART: Condition("CONVERT_IF_CART", "convert", "the event carries items or a value above zero", "aware"),
    ORDER: Condition("ORDER", "convert", "", ""),
    CARE: Condition("CARE", "care", "", ""),
    ADVOCATE: Condition("ADVOCATE", "advocate", "the person has a live order", "consider"),
    ADVOCATE_IF_GOOD: Condition(
        "ADVOCATE_IF_GOOD",
        "advocate",
        "the score is 4 or 5 of 5 and the person has a live order",
        "care with a live order, consider without",
    ),
    CARE_IF_ORDER: Condition(
        "CARE_IF_ORDER", "care", "the event names an order of the person, or an order journey is open", "consider"
    ),
    CANCEL: Condition("CANCEL", "care", "", ""),
    REFUND: Condition("REFUND", "care", "", ""),
    RETURN: Condition("RETURN", "care", "", ""),
    DELIVERED: Condition("DELIVERED", "care", "", ""),
    SIGNED_OUT: Condition("SIGNED_OUT", "aware", "", ""),
}
