"""The stories that are always told, through import and build: which contacts, stages and outcomes they give.

A contact is told as (day and month, place, channel, direction). Nothing else may be there: the lists are complete.
"""

from __future__ import annotations

from typing import Any

import pytest

from percorso.facade import Percorso

CONTACTS = """
select contact_no, min(time) as begun, arg_min(place, time) as place, arg_min(channel, time) as channel,
  arg_min(direction, time) as direction
from events where person = '{person}' and contact_no is not null and event <> 'Identified'
group by contact_no order by begun
"""


def person_of(shop: Percorso, name: str) -> str:
    query = f"select person from persons where list_contains(email, '{name}@posta.example')"
    (row,) = shop.sql(query, personal=True).to_pylist()
    return str(row["person"])


def contacts(shop: Percorso, person: str) -> list[tuple[str, str | None, str, str]]:
    rows = shop.sql(CONTACTS.format(person=person)).to_pylist()
    return [(f"{row['begun']:%d %b}", row["place"], row["channel"], row["direction"]) for row in rows]


def stages(shop: Percorso, person: str) -> list[str]:
    """The stages one after the other, each once where it stays."""
    rows = shop.sql(
        f"select stage from events where person = '{person}' and stage is not null order by time"
    ).to_pylist()
    found: list[str] = []
    for row in rows:
        if not found or found[-1] != row["stage"]:
            found.append(row["stage"])
    return found


def journeys(shop: Percorso, person: str) -> list[tuple[Any, ...]]:
    query = f"select kind, outcome, stage_reached from journeys where person = '{person}' order by start_time"
    return [tuple(row.values()) for row in shop.sql(query).to_pylist()]


def orders(shop: Percorso, person: str) -> list[dict[str, Any]]:
    return shop.sql(f"select * from orders where person = '{person}'").to_pylist()  # type: ignore[no-any-return]


def test_the_guitar_buyer_who_is_lost(shop: Percorso) -> None:
    """Our half: slow pages, a card that fails twice, and silence. That another shop won her, we cannot see."""
    bianca = person_of(shop, "bianca.chitarra")
    assert contacts(shop, bianca) == [
        ("06 May", "site", "Paid Social", "inbound"),
        ("08 May", "site", "Organic Video", "inbound"),
        ("11 May", "site", "Paid Shopping", "inbound"),
        ("13 May", "site", "Paid Search", "inbound"),
    ]
    assert stages(shop, bianca) == ["consideration", "conversion"]
    assert journeys(shop, bianca) == [("purchase", "abandoned", "conversion")]
    assert orders(shop, bianca) == []
    last = shop.sql(f"select event from events where person = '{bianca}' order by time desc limit 1").to_pylist()
    assert last == [{"event": "Payment Failed"}]
    slow = shop.sql(
        f"select min(prop_load_ms::int) as least from events where person = '{bianca}' and event = 'Product Viewed'"
        " and product = 'CH-AC-10'"
    ).to_pylist()
    assert slow == [{"least": 7400}]


def test_the_guitar_buyer_who_is_won(shop: Percorso) -> None:
    """In three days instead of seven, with a note: he answers, reviews and recommends."""
    dario = person_of(shop, "dario.chitarra")
    assert contacts(shop, dario)[:4] == [
        ("03 Mar", "site", "Paid Social", "inbound"),
        ("05 Mar", "site", "Organic Video", "inbound"),
        ("08 Mar", "site", "Paid Shopping", "inbound"),
        ("10 Mar", "site", "Paid Search", "inbound"),
    ]
    after = contacts(shop, dario)[4:]
    assert [(place, channel, direction) for _, place, channel, direction in after] == [
        ("delivery", "Delivery", "outbound"),  # shipped
        ("delivery", "Delivery", "outbound"),  # delivered
        ("site", "Survey", "outbound"),
        ("site", "Survey", "inbound"),
        ("site", "Reviews", "inbound"),
        (None, "Word of Mouth", "inbound"),  # recommends
        (None, "Word of Mouth", "inbound"),  # and the friend buys
    ]
    assert stages(shop, dario) == ["consideration", "conversion", "retention", "advocacy"]
    assert journeys(shop, dario) == [("purchase", "converted", "conversion"), ("order", "kept", "advocacy")]
    (order,) = orders(shop, dario)
    assert (order["is_late"], order["is_advocated"], order["status"]) == (False, True, "live")
    assert (order["delivered_time"] - order["time"]).days == 2  # ordered in the evening, there on the third day
    assert (order["promised_time"] - order["delivered_time"]).days >= 4


def commute(*days: str) -> list[tuple[str, str, str, str]]:
    monday, tuesday, thursday = days
    return [
        (monday, "site", "Paid Social", "inbound"),
        (tuesday, "site", "Paid Social", "inbound"),  # retargeting
        (thursday, "email", "Email", "outbound"),  # opened at home: seen, not acted
        (thursday, "site", "Paid Search", "inbound"),  # the brand, and the video
    ]


def test_the_commuter_whose_call_joins_by_e_mail(shop: Percorso) -> None:
    giulia = person_of(shop, "giulia.pendolare")
    assert contacts(shop, giulia) == [
        *commute("03 Feb", "04 Feb", "06 Feb"),
        ("07 Feb", "phone", "Call Centre", "inbound"),  # the call
        ("07 Feb", "phone", "Call Centre", "inbound"),  # the order, written down by the order desk
        ("08 Feb", "delivery", "Delivery", "outbound"),
        ("12 Feb", "delivery", "Delivery", "outbound"),
    ]
    assert stages(shop, giulia) == ["awareness", "consideration", "conversion", "retention"]
    assert journeys(shop, giulia) == [("purchase", "converted", "conversion"), ("order", "kept", "retention")]
    (order,) = orders(shop, giulia)
    assert (order["place"], float(order["value"])) == ("phone", 249.0)
    assert placed_by(shop, giulia, "Call Started") == "strong"


def test_the_commuter_whose_call_joins_by_the_code_read_aloud(shop: Percorso) -> None:
    """Call and order carry the session's code and nothing else; they share it, and so are one contact."""
    marco = person_of(shop, "marco.pendolare")
    assert contacts(shop, marco) == [
        *commute("13 Jan", "14 Jan", "16 Jan"),
        ("17 Jan", "phone", "Call Centre", "inbound"),
        ("18 Jan", "delivery", "Delivery", "outbound"),
        ("20 Jan", "site", "Direct", "inbound"),  # where is my order
        ("22 Jan", "delivery", "Delivery", "outbound"),
    ]
    assert stages(shop, marco) == ["awareness", "consideration", "conversion", "retention"]
    assert journeys(shop, marco) == [("purchase", "converted", "conversion"), ("order", "kept", "retention")]
    assert [float(order["value"]) for order in orders(shop, marco)] == [249.0]
    assert placed_by(shop, marco, "Call Started") == "reference"
    assert placed_by(shop, marco, "Order Completed") == "reference"
    assert placed_by(shop, marco, "Order Delivered") == "reference"


def placed_by(shop: Percorso, person: str, event: str) -> str:
    query = f"select placed_by from events where person = '{person}' and event = '{event}'"
    (row,) = shop.sql(query).to_pylist()
    return str(row["placed_by"])


@pytest.mark.parametrize("name", ["bianca.chitarra", "dario.chitarra", "giulia.pendolare", "marco.pendolare"])
def test_the_customer_command_shows_them(shop: Percorso, name: str) -> None:
    assert shop.customer(f"{name}@posta.example").history.events
