"""What an event means on a journey, once its surroundings are known (docs/concepts/signals.md)."""

from __future__ import annotations

from percorso.kernels.compile import kernel

__all__ = [
    "ADVOCATE",
    "AWARE",
    "CARE",
    "CONSIDER",
    "CONVERT",
    "Q_ADVOCATE",
    "Q_ADVOCATE_IF_GOOD",
    "Q_CANCEL",
    "Q_CARE",
    "Q_CARE_IF_ORDER",
    "Q_CONSIDER",
    "Q_CONSIDER_IF_ENGAGED",
    "Q_CONVERT",
    "Q_CONVERT_IF_CART",
    "Q_DELIVERED",
    "Q_ORDER",
    "Q_REFUND",
    "Q_RETURN",
    "is_about_an_order",
    "resolve_signal",
]

# Resolved signals, as the log stores them; 0 is none.
AWARE, CONSIDER, CONVERT, CARE, ADVOCATE = 1, 2, 3, 4, 5

# What an event qualifies for before its surroundings are known (percorso.journeys.signals).
Q_CONSIDER = 2
Q_CONSIDER_IF_ENGAGED = 3
Q_CONVERT = 4
Q_CONVERT_IF_CART = 5
Q_ORDER = 6
Q_CARE = 7
Q_ADVOCATE = 8
Q_ADVOCATE_IF_GOOD = 9
Q_CARE_IF_ORDER = 10
Q_CANCEL = 11
Q_REFUND = 12
Q_RETURN = 13
Q_DELIVERED = 14

_GOOD_SCORE = 4.0  # of 5


@kernel()
def is_about_an_order(q: int) -> bool:
    """True for what happens to an order, whoever acts."""
    return bool(
        q == Q_CARE or q == Q_CANCEL or q == Q_REFUND or q == Q_RETURN or q == Q_DELIVERED or q == Q_CARE_IF_ORDER
    )


@kernel()
def resolve_signal(q: int, engaged: bool, has_cart: bool, score: float, has_live: bool, on_order: bool) -> int:
    """Signal of an inbound event.

    Parameters
    ----------
    q : int
        What it qualifies for by itself.
    engaged, has_cart : bool
        It stands in an engaged session; it carries items or a value.
    score : float
        Of a review, of 5; NaN none.
    has_live : bool
        The person has a live order.
    on_order : bool
        The event names an order of the person, or one is still running.
    """
    if q == Q_CONSIDER:
        return CONSIDER
    if q == Q_CONSIDER_IF_ENGAGED:
        return CONSIDER if engaged else AWARE
    if q == Q_CONVERT or q == Q_ORDER:
        return CONVERT
    if q == Q_CONVERT_IF_CART:
        return CONVERT if has_cart else AWARE
    if q == Q_ADVOCATE:
        return ADVOCATE if has_live else CONSIDER
    if q == Q_ADVOCATE_IF_GOOD:
        if not has_live:
            return CONSIDER
        return ADVOCATE if score >= _GOOD_SCORE else CARE
    if q == Q_CARE_IF_ORDER:
        return CARE if on_order else CONSIDER
    return CARE if is_about_an_order(q) else AWARE
