"""Where a block of customers plays: random numbers, days, the rows written so far, and running numbers."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from percorso.demo.days import Period
from percorso.demo.files import FILES
from percorso.demo.frictions import Ledger

if TYPE_CHECKING:
    from percorso.demo.people import Customer

__all__ = ["Rows", "Scene"]

#: What is written to a file: (local milliseconds, text with line end).
Rows = list[tuple[int, str]]


@dataclass(slots=True)
class Scene:
    """What belongs to one block; nothing of it depends on other blocks.

    Parameters
    ----------
    rng : random.Random
        Seeded with seed and block.
    period : Period
    block : int
        Its number, part of all numbers that it gives out.
    luck : random.Random
        Seeded like `rng`. Everyday trouble is drawn from it, so that the story stays as it is with or without it.
    """

    rng: random.Random
    period: Period
    block: int
    luck: random.Random
    rows: dict[str, Rows] = field(default_factory=lambda: {name: [] for name in FILES})
    ledger: Ledger = field(default_factory=Ledger)
    ad_clicks: Counter[tuple[int, str]] = field(default_factory=Counter)
    #: Who was asked how they heard of the shop, and when.
    asked_how: list[tuple[int, Customer]] = field(default_factory=list)
    #: Orders: (time, cents, place, persona), and receipts: (time, cents, card shown, persona or "").
    sales: list[tuple[int, int, str, str]] = field(default_factory=list)
    takings: list[tuple[int, int, bool, str]] = field(default_factory=list)
    #: Effect, or "" for none -> [orders, cents]: what orders on the way of which it stood would not be without it.
    caused: dict[str, list[int]] = field(default_factory=dict)
    #: Message ids begin so -> the customer, for visits on devices that are not one person's.
    visits: dict[str, int] = field(default_factory=dict)
    _numbers: Counter[str] = field(default_factory=Counter)

    def number(self, kind: str) -> int:
        """The next running number of a kind."""
        self._numbers[kind] += 1
        return self._numbers[kind]

    def visit_id(self) -> str:
        """What the message ids of the next visit begin with."""
        return f"ajs-{self.block:04x}-{self.number('visit'):05x}-"

    def reference(self, kind: str, letters: str) -> str:
        """A number that is unique in the whole shop: `letters`, block, running number."""
        return f"{letters}{self.block:03d}{self.number(kind):05d}"

    def count(self, kind: str) -> int:
        """How many numbers of a kind were given out."""
        return self._numbers[kind]
