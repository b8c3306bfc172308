"""The truth behind the files: who is who, what each friction cost, what each channel brought."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from percorso.demo.days import FIRST_DAY, Period
from percorso.demo.frictions import DELIGHT, FRICTIONS, REPEATED_LOGIN, TROUBLES, Loss
from percorso.demo.orders import COMES_BACK, REFERRALS, REVIEWS
from percorso.demo.origins import EFFECTS
from percorso.demo.people import Customer
from percorso.demo.personas import PERSONAS
from percorso.demo.scene import Scene

__all__ = ["BlockTruth", "block_truth", "write_truth"]


@dataclass(frozen=True, slots=True)
class BlockTruth:
    """What a block knows of itself; `persons` and `visits` as they go into the file.

    `tries` counts by what was tried and whether it failed, in the period.
    """

    persons: list[dict[str, Any]]
    visits: dict[str, int]
    losses: list[Loss]
    tries: Counter[tuple[str, bool]]
    cases: dict[tuple[str, str], list[int]]
    sales: list[tuple[int, int, str, str]]
    takings: list[tuple[int, int, bool, str]]
    sessions: int
    caused: dict[str, list[int]]


def block_truth(scene: Scene, people: Sequence[Customer]) -> BlockTruth:
    """Collect it."""
    return BlockTruth(
        persons=[_person(person) for person in people],
        visits=scene.visits,
        losses=[loss for loss in scene.ledger.losses if loss.time < scene.period.end],
        tries=Counter((one.what, one.failed) for one in scene.ledger.tries if 0 <= one.time < scene.period.end),
        cases=scene.ledger.cases,
        sales=[sale for sale in scene.sales if sale[0] < scene.period.end],
        takings=[taking for taking in scene.takings if taking[0] < scene.period.end],
        sessions=scene.count("visit"),
        caused=scene.caused,
    )


def _person(person: Customer) -> dict[str, Any]:
    found: dict[str, Any] = {
        "person": person.number,
        "persona": person.persona.name,
        "email": person.email,
        "phone": person.telephone,
        "anonymous_ids": sorted({device.anonymous_id for device in person.devices}),
        "orders": person.orders,
    }
    if person.account:
        found["user_id"] = person.account
    if person.card:
        found["loyalty_id"] = person.card
    if person.shares_phone:
        found["shared_anonymous_ids"] = [person.mobile.anonymous_id]
    return found


def write_truth(path: Path, blocks: Sequence[BlockTruth], period: Period, scale: float) -> Path:
    """Write truth.json."""
    losses = sorted((loss for block in blocks for loss in block.losses), key=lambda loss: (loss.time, loss.customer))
    content = {
        "shop": "Legnocorda",
        "first_day": FIRST_DAY.isoformat(),
        "months": period.months,
        "scale_ratio": round(scale, 6),
        "totals": _totals(blocks, period),
        "frictions": _frictions(blocks, losses, period, scale),
        "everyday_trouble": _troubles(blocks),
        "channel_effects": _channel_effects(blocks),
        "delight": {
            "what": "parcels that come early with a note by hand",
            "share_of_parcels": DELIGHT,
            "reviews": REVIEWS,
            "referrals": REFERRALS,
            "buys_again_because_of_it": COMES_BACK,
        },
        "decoy": {
            "what": "asked to sign in again; harmless",
            "share_of_visits_with_sign_in": REPEATED_LOGIN,
        },
        "personas": {persona.name: persona.share for persona in PERSONAS},
        "lost_orders": [
            {
                "friction": loss.friction,
                "time": period.utc(loss.time),
                "value": loss.cents / 100,
                "person": loss.customer,
            }
            for loss in losses
        ],
        "persons": [person for block in blocks for person in block.persons],
        "visits_on_shared_devices": {key: value for block in blocks for key, value in block.visits.items()},
    }
    path.write_bytes(msgspec.json.encode(content) + b"\n")
    return path


def _totals(blocks: Sequence[BlockTruth], period: Period) -> dict[str, Any]:
    sales = [sale for block in blocks for sale in block.sales]
    takings = [taking for block in blocks for taking in block.takings]
    online = [cents for _, cents, place, _ in sales if place in ("site", "app")]
    by_persona: Counter[str] = Counter()
    for _, cents, _, persona in sales:
        by_persona[persona] += cents
    for _, cents, _, persona in takings:
        by_persona[persona or "nobody known"] += cents
    sessions = sum(block.sessions for block in blocks)
    return {
        "sessions": sessions,
        "online_orders": len(online),
        "online_value": sum(online) / 100,
        "assisted_orders": len(sales) - len(online),
        "receipts": len(takings),
        "receipts_value": sum(cents for _, cents, _, _ in takings) / 100,
        "receipts_with_card": sum(card for _, _, card, _ in takings),
        "value_by_persona": {name: cents / 100 for name, cents in sorted(by_persona.items())},
    }


def _troubles(blocks: Sequence[BlockTruth]) -> dict[str, Any]:
    """What was tried in the period, and how often in vain."""
    tried = sum((block.tries for block in blocks), Counter[tuple[str, bool]]())
    return {
        name: {"what": what, "tried": tried[name, False] + tried[name, True], "failed": tried[name, True]}
        for name, what in TROUBLES.items()
    }


def _channel_effects(blocks: Sequence[BlockTruth]) -> dict[str, Any]:
    """Orders that would not be without a visit that an ad or a mail brought, by what brought it."""
    found = {name: [0, 0] for name in (*EFFECTS, "")}
    for block in blocks:
        for name, (orders, cents) in block.caused.items():
            found[name][0] += orders
            found[name][1] += cents
    return {
        name or "nothing": {"share_of_purchases": EFFECTS.get(name), "orders": orders, "value": cents / 100}
        for name, (orders, cents) in found.items()
    }


def _frictions(blocks: Sequence[BlockTruth], losses: Sequence[Loss], period: Period, scale: float) -> dict[str, Any]:
    cases: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for block in blocks:
        for key, (count, wrong) in block.cases.items():
            cases[key][0] += count
            cases[key][1] += wrong
    found: dict[str, Any] = {}
    for name, told in FRICTIONS.items():
        by_month: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for loss in losses:
            if loss.friction == name:
                month = by_month[period.month_key(loss.time)]
                month[0] += 1
                month[1] += loss.cents
        found[name] = {
            "told_euro_a_month": told * scale,
            "rates": {
                side: {"cases": count, "wrong": wrong}
                for (friction, side), (count, wrong) in sorted(cases.items())
                if friction == name
            },
            "lost_by_month": {
                month: {"orders": orders, "value": cents / 100} for month, (orders, cents) in sorted(by_month.items())
            },
        }
    return found
