"""Expected value of a customer in 12 months, plainly: lists and loops. Twin of percorso.analyses.kpi_expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

DAYS = 365


def expected_value(customers: Mapping[str, Sequence[tuple[int, int]]], today: int) -> Fraction | None:
    """Σ V(d) / R(d), of each customer's orders as (day, worth); None where too few have been watched for so long."""
    if not customers:
        return None
    watched = {name: today - min(day for day, _ in orders) for name, orders in customers.items()}
    n_old = sum(days >= DAYS for days in watched.values())
    if n_old < (30 if len(customers) >= 30 else 1):
        return None
    total = Fraction(0)
    for day in range(DAYS + 1):
        worth = sum(
            value
            for orders in customers.values()
            for at, value in orders
            if at - min(first for first, _ in orders) == day
        )
        total += Fraction(worth, sum(days >= day for days in watched.values()))
    return total


def jackknife(customers: Mapping[str, Sequence[tuple[int, int]]], group: Mapping[str, int], today: int) -> list[float]:
    """The same without each group of persons that has customers, where it can be told."""
    found = []
    for one in sorted({group[name] for name in customers}):
        rest = {name: orders for name, orders in customers.items() if group[name] != one}
        if any(today - min(day for day, _ in orders) >= DAYS for orders in rest.values()):
            total = expected_value(rest, today)
            found.append(float(total) if total is not None else float("nan"))
    return found
