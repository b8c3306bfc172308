"""Plain twin of percorso.kernels.orders."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Row:
    time: int
    source: int
    sequence: int
    message_id: bytes
    refs: tuple[int, ...] = (-1,)  # one for each reference column
    is_order: bool = True
    keep: bool = True
    trust: int = 0
    has_strong: bool = False
    has_weak: bool = False


def total_order(row: Row) -> tuple[int, int, int, bytes]:
    return row.time, row.source, row.sequence, row.message_id


def order_copies(rows: list[Row]) -> list[bool]:
    """Copies of orders; the reference is each row's first."""
    orders = [row for row in rows if row.keep and row.is_order and row.refs[0] >= 0]
    return [row in orders and row is not counting_order(orders, row.refs[0]) for row in rows]


def counting_order(orders: list[Row], ref: int) -> Row:
    return min((row for row in orders if row.refs[0] == ref), key=lambda row: (row.trust, total_order(row)))


def reference_owner(rows: list[Row], ref: int) -> Row | None:
    carriers = sorted((row for row in rows if row.keep and ref in row.refs), key=total_order)
    strong = [row for row in carriers if row.has_strong]
    weak = [row for row in carriers if row.has_weak]
    return next(iter([*strong, *weak]), None)
