"""A block of customers from the first day to the last, with its share of everybody else."""

from __future__ import annotations

import random
from dataclasses import dataclass

from percorso.demo.crowd import comment, crawl, pass_by, pay_cash, share_tablet
from percorso.demo.days import Period
from percorso.demo.life import live
from percorso.demo.people import FAMILIES, Customer, make_customer, make_family
from percorso.demo.scene import Rows, Scene
from percorso.demo.service import tell_source
from percorso.demo.stories import tell_stories

__all__ = [
    "BLOCK_CUSTOMERS",
    "FULL_CUSTOMERS",
    "MONTHLY_SESSIONS",
    "BlockPlan",
    "nobodys_receipts",
    "people_of",
    "play",
]

FULL_CUSTOMERS = 38_000
MONTHLY_SESSIONS = 220_000  # at the full number of customers
CARD_SHARE = 0.62  # of the receipts
BLOCK_CUSTOMERS = 250
REPEATED_LINES = 0.004

_TOLD_APART = ("web", "app", "tablet")


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """Which block: `first` is the number of its first customer."""

    seed: int
    block: int
    first: int
    customers: int
    months: int


def play(plan: BlockPlan) -> tuple[Scene, list[Customer]]:
    """Play a block. Equal plans give equal rows, whatever else is played."""
    period = Period(plan.months)
    name = f"legnocorda:{plan.seed}:{plan.block}"
    scene = Scene(random.Random(name), period, plan.block, random.Random(f"{name}:trouble"))
    people = people_of(scene, plan)
    for person in people:
        live(scene, person)
    for t, person in scene.asked_how:
        tell_source(scene, person, t)
    size = plan.customers / FULL_CUSTOMERS
    share_tablet(scene, people, round(size * 2_500 * plan.months))
    pass_by(scene, max(round(MONTHLY_SESSIONS * plan.months * size) - scene.count("visit"), 0))
    crawl(scene, max(round(size * 300 * plan.months), 1))
    pay_cash(scene, nobodys_receipts(scene))
    comment(scene, round(size * 4_000 * plan.months))
    if plan.block == 0:
        people += tell_stories(scene)
        _break_lines(scene)
    _repeat_lines(scene)
    return scene, people


def people_of(scene: Scene, plan: BlockPlan) -> list[Customer]:
    """The block's customers; some of them families."""
    people = [make_customer(scene.rng, plan.first + n, scene.period.end) for n in range(plan.customers)]
    for one, other in zip(people[::2], people[1::2], strict=False):
        if scene.rng.random() < FAMILIES or (plan.block == 0 and one is people[0]):
            make_family(scene.rng, one, other)
    return people


def nobodys_receipts(scene: Scene) -> int:
    """As many as make the share of receipts with a card what it is."""
    shown = sum(card for _, _, card, _ in scene.takings)
    return max(round(shown * (1 - CARD_SHARE) / CARD_SHARE) - (len(scene.takings) - shown), 0)


def _repeat_lines(scene: Scene) -> None:
    """Trackers send some messages twice."""
    for name in _TOLD_APART:
        rows: Rows = scene.rows[name]
        for _ in range(round(len(rows) * REPEATED_LINES)):
            t, line = rows[int(scene.rng.random() * len(rows))]
            rows.append((t + 2_000, line))


def _break_lines(scene: Scene) -> None:
    """A line cut short by a full disk, a time that is none, and a till that prints nonsense."""
    web = scene.rows["web"]
    t, line = web[len(web) // 2]
    web.append((t + 1, line[: len(line) // 2] + "\n"))
    web.append((t + 2, '{"type":"page","messageId":"ajs-senza-data","anonymousId":"x","timestamp":"ieri"}\n'))
    head = "Bari;1;31/09/2024;10:00;999;VENDITA;PL-MX-12;Plettri misti, 12 pezzi;Accessori;1;"
    scene.rows["till"].append((86_400_000, f"{head}6,90;6,90;;\r\n"))
    scene.rows["till"].append((86_400_001, f"{head.replace('31/09', '02/09')}6,90;ERR#;;\r\n"))
