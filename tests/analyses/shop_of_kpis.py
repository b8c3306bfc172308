"""A shop of 28 persons for tests of KPIs: every kind of source, few enough events to count by hand.

Times are UTC; the shop's days are those of Rome (UTC+1, from 31 March 2024 on UTC+2). Most happens in March 2024; a
little before and after, so that there are customers to come back, and to lose. The newest event is Zoe's, of 30 June.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

from tests.lake_builder import event

__all__ = ["COSTS", "PERSONS", "SPEND", "shop_of_kpis"]

Row = dict[str, Any]

#: Source -> its kind.
KINDS = {
    "web": "web",
    "app": "app",
    "till": "pos",
    "desk": "support",
    "mailer": "email",
    "texter": "sms",
    "social": "ads",
    "panel": "survey",
    "stars": "review",
    "courier": "delivery",
    "office": "crm",
}

#: The regulars' gaps between purchases, days: 200 in all.
GAPS = (20, 20, 20, 20, 20, 40, 60)

#: When each regular bought last.
LAST_OF_REGULARS = (
    *("2023-12-30", "2023-12-31", "2024-01-30", "2024-01-31", "2024-02-19", "2024-02-20"),
    *("2023-10-15", "2023-10-16", "2023-10-17", "2023-10-18", "2023-10-19", "2023-10-20"),
)

STORY = (
    *("anna", "bruno", "carla", "dario", "elena", "fabio", "gina", "hugo", "ines", "marta", "nino", "olga"),
    *("paola", "sara", "tina", "zoe"),
)
PERSONS = (*STORY, *(f"regular-{n}" for n in range(1, 13)))

#: What a unit costs the shop, cents; of a drum nobody knows.
COSTS = {"guitar": 18_000, "tuner": 1_200, "sticks": 800, "strings-set": 2_500}

_CATEGORY = {"guitar": "strings", "strings-set": "strings", "tuner": "tuners", "sticks": "drums", "drum": "drums"}

#: Advertising: 10 February 50.00 for 10,000 impressions; in March 300.00 for 60,000, 100.00 for nobody knows how
#: many, 20.00 for 5,000.
SPEND = pa.table(
    {
        "day": pa.array([date(2024, 2, 10), date(2024, 3, 5), date(2024, 3, 20), date(2024, 3, 31)], pa.date32()),
        "currency": pa.array(["EUR"] * 4),
        "cost": pa.array([5_000, 30_000, 10_000, 2_000], pa.int64()),
        "impressions": pa.array([10_000, 60_000, None, 5_000], pa.int64()),
    }
)


_ON_SCREEN = '{"email":true,"sms":true,"push":true,"phone":false,"whatsapp":true,"mail":false}'
_BY_VOICE = '{"phone":true,"whatsapp":true,"mail":true}'


def shop_of_kpis() -> list[Row]:
    """Every event."""
    return [*_regulars(), *_march(), *_around_march(), *_service(), *_messages(), *_feedback(), *_loyalty()]


def _on(source: str, at: str, name: str, who: str | None = None, **fields: Any) -> Row:
    """An event; words that no column has are its properties, `of` is what it is about."""
    if "of" in fields:
        fields["product_id"] = fields.pop("of")
        fields["category"] = _CATEGORY[fields["product_id"]]
    told = {key: fields.pop(key) for key in tuple(fields) if key in _PROPERTIES}
    properties = {"properties": json.dumps(told, sort_keys=True)} if told else {}
    return event(at, name, source=source, source_kind=KINDS[source], user_id=who, **properties, **fields)


_PROPERTIES = frozenset(
    ("promised", "automatic", "survey_type", "survey_name", "points", "expires", "consents", "reason")
)


def _bought(source: str, at: str, who: str | None, order: str, euros: int, *lines: tuple[str, int], **more: Any) -> Row:
    """An order; lines are products and how many of them, all at one price."""
    if lines:
        price = euros * 100 // sum(quantity for _, quantity in lines)
        more["items"] = [
            {"product_id": product, "category": _CATEGORY[product], "quantity": float(quantity), "price": price}
            for product, quantity in lines
        ]
    return _on(source, at, "Order Completed", who, order_id=order, value=euros * 100, currency="EUR", **more)


def _regulars() -> Iterator[Row]:
    """Twelve card holders; each bought eight times in the store, for 10.00."""
    for number, last in enumerate(LAST_OF_REGULARS, start=1):
        day = datetime.fromisoformat(f"{last}T15:00") - timedelta(days=sum(GAPS))
        for at, gap in enumerate((*GAPS, 0)):
            yield _bought("till", day.isoformat(), f"regular-{number}", f"R{number}-{at}", 10)
            day += timedelta(days=gap)


def _march() -> list[Row]:
    """Who came in March 2024, and what they bought."""
    ad = {"url": "https://shop.example/?gclid=1", "click_id": "gclid"}
    google = {"url": "https://shop.example/", "referrer": "https://www.google.com/"}
    letter = {
        "url": "https://shop.example/?utm_source=news&utm_medium=email",
        "utm_source": "news",
        "utm_medium": "email",
    }
    return [
        # Anna came by an ad, looked again on the app, and bought on the site after a payment that failed.
        _on("web", "2024-03-01T10:00", "Page Viewed", "anna", **ad),
        _on("web", "2024-03-01T10:01", "Product Added to Wishlist", "anna", of="guitar"),
        _on("web", "2024-03-01T10:02", "Product Viewed", "anna", of="guitar"),
        _on("app", "2024-03-04T18:00", "Product Viewed", "anna", of="guitar"),
        _on("web", "2024-03-05T12:00", "Page Viewed", "anna"),
        _on("web", "2024-03-05T12:01", "Product Added", "anna", of="guitar"),
        _on("web", "2024-03-05T12:03", "Checkout Started", "anna", of="guitar"),
        _on("web", "2024-03-05T12:04", "Payment Failed", "anna"),
        _bought("web", "2024-03-05T12:06", "anna", "A1", 300, ("guitar", 1), promised="2024-03-08"),
        _on("courier", "2024-03-09T10:00", "Order Delivered", "anna", order_id="A1"),
        # Bruno looked on the site, called, and bought in the store, with his card, what he had put in the cart.
        _on("web", "2024-03-02T11:00", "Page Viewed", "bruno", **google),
        _on("web", "2024-03-02T11:02", "Video Started", "bruno"),
        _on("web", "2024-03-02T11:03", "Content Downloaded", "bruno"),
        _on("web", "2024-03-02T11:05", "Product Viewed", "bruno", of="tuner"),
        _on("web", "2024-03-02T11:06", "Product Added", "bruno", of="tuner"),
        _on("desk", "2024-03-06T16:00", "Call Started", "bruno"),
        _bought("till", "2024-03-07T17:00", "bruno", "B1", 40, ("tuner", 2), loyalty_id="card-b"),
        # Carla got as far as the payment, and came back twice for a moment.
        _on("web", "2024-03-06T10:00", "Page Viewed", "carla"),
        _on("web", "2024-03-06T10:00:30", "Product Viewed", "carla", of="drum"),
        _on("web", "2024-03-06T10:00:40", "Content Downloaded", "carla"),
        _on("web", "2024-03-06T10:00:50", "Product Added to Wishlist", "carla", of="drum"),
        _on("web", "2024-03-06T10:01", "Product Added", "carla", of="drum"),
        _on("web", "2024-03-06T10:01:30", "Payment Failed", "carla"),
        _on("web", "2024-03-06T10:02", "Checkout Started", "carla", of="drum"),
        _on("web", "2024-03-07T11:00", "Page Viewed", "carla"),
        _on("web", "2024-03-08T11:00", "Page Viewed", "carla"),
        # Dario left a tuner in the cart and bought sticks; in the evening a stool. His parcel came past midnight in
        # Rome.
        _on("web", "2024-03-08T09:00", "Product Viewed", "dario", of="guitar"),
        _on("web", "2024-03-08T09:00:20", "Video Started", "dario"),
        _on("web", "2024-03-08T09:00:40", "Product Added to Wishlist", "dario", of="guitar"),
        _on("web", "2024-03-08T09:01", "Product Added", "dario", of="tuner"),
        _on("web", "2024-03-10T09:00", "Checkout Started", "dario", of="sticks"),
        _bought("web", "2024-03-10T09:05", "dario", "D1", 20, ("sticks", 1), promised="2024-03-14"),
        _bought("web", "2024-03-10T20:00", "dario", "D2", 30, product_id="stool", category="stools"),
        _on("courier", "2024-03-14T23:30", "Order Delivered", "dario", order_id="D1"),
        # Elena, a customer since January, came by the newsletter and ordered by telephone.
        _on("web", "2024-03-13T10:00", "Page Viewed", "elena", **letter),
        _on("desk", "2024-03-14T15:00", "Call Started", "elena", conversation_id="c1"),
        _bought(
            *("desk", "2024-03-14T15:10", "elena", "E2", 120, ("strings-set", 3)),
            place="phone",
            conversation_id="c1",
            promised="2024-03-20",
        ),
        _on("courier", "2024-03-18T10:00", "Order Delivered", "elena", order_id="E2"),
        # Fabio ordered in a chat, and cancelled.
        _on("desk", "2024-03-15T11:00", "Chat Started", "fabio", conversation_id="c2"),
        _on("desk", "2024-03-15T11:05", "Message Sent", "fabio", conversation_id="c2"),
        _on("desk", "2024-03-15T11:20", "Message Received", "fabio", conversation_id="c2"),
        _bought(
            *("desk", "2024-03-15T11:30", "fabio", "F1", 50, ("strings-set", 1)),
            place="chat",
            conversation_id="c2",
        ),
        _on("desk", "2024-03-16T10:00", "Order Cancelled", "fabio", order_id="F1"),
        # Gina did all that one can do without buying; she also asked something (below), and looked in again.
        _on("web", "2024-03-03T10:00", "Page Viewed", "gina"),
        _on("web", "2024-03-03T10:01", "Video Started", "gina"),
        _on("web", "2024-03-03T10:02", "Content Downloaded", "gina"),
        _on("web", "2024-03-03T10:03", "Signed Up", "gina"),
        _on("web", "2024-03-03T10:04", "Newsletter Subscribed", "gina"),
        _on("web", "2024-03-03T10:05", "Product Added to Wishlist", "gina", of="drum"),
        _on("web", "2024-03-18T10:00", "Page Viewed", "gina"),
        # Ines landed and left; Paola opened the app and said what may be sent to her.
        _on("web", "2024-03-09T21:00", "Page Viewed", "ines"),
        _on("app", "2024-03-10T10:00", "Screen Viewed", "paola"),
        _on("app", "2024-03-10T10:02", "Consent Updated", "paola", consent=_ON_SCREEN),
        # Marta scanned a drum in the store, bought it on the site and brought it back.
        _on("till", "2024-03-11T16:00", "Product Scanned", "marta", of="drum"),
        _on("web", "2024-03-13T20:00", "Product Viewed", "marta", of="drum"),
        _on("web", "2024-03-13T20:02", "Video Started", "marta"),
        _on("web", "2024-03-13T20:03", "Signed Up", "marta"),
        _on("web", "2024-03-13T20:05", "Product Added", "marta", of="drum"),
        _bought("web", "2024-03-13T20:10", "marta", "M1", 200, ("drum", 1), promised="2024-03-19"),
        _on("courier", "2024-03-18T10:00", "Order Delivered", "marta", order_id="M1"),
        _on("till", "2024-03-22T10:00", "Order Returned", "marta", order_id="M1"),
        # Nino bought on the app, and got a quarter of the price back.
        _on("app", "2024-03-04T12:00", "Screen Viewed", "nino"),
        _on("app", "2024-03-04T12:01", "Product Viewed", "nino", of="sticks"),
        _on("app", "2024-03-04T12:02", "Product Added to Wishlist", "nino", of="drum"),
        _on("app", "2024-03-04T12:02:30", "Product Added to Wishlist", "nino", of="sticks"),
        _on("app", "2024-03-04T12:03", "Product Added", "nino", of="sticks"),
        _on("app", "2024-03-04T12:04", "Push Notification Received", "nino"),
        _bought("app", "2024-03-04T12:05", "nino", "N1", 100, ("sticks", 5), promised="2024-03-09"),
        _on("courier", "2024-03-08T10:00", "Order Delivered", "nino", order_id="N1"),
        _on("office", "2024-03-13T10:00", "Order Refunded", "nino", order_id="N1", value=2_500, currency="EUR"),
        # A receipt of nobody.
        _bought("till", "2024-03-16T12:00", None, "X1", 25, ("tuner", 1)),
    ]


def _around_march() -> list[Row]:
    """Who bought before, or again; and Zoe, who has not decided."""
    return [
        _bought("web", "2023-06-20T10:00", "tina", "T1", 45),
        _bought("web", "2023-12-01T10:00", "sara", "S1", 70),
        _on("app", "2024-01-10T10:00", "Loyalty Joined", "elena"),
        _bought("web", "2024-01-12T10:00", "elena", "E1", 80),
        _on("courier", "2024-01-15T10:00", "Order Delivered", "elena", order_id="E1"),
        _on("web", "2024-01-16T10:00", "Product Viewed", "olga", of="drum"),
        _bought("web", "2024-02-05T10:00", "olga", "O1", 60, promised="2024-02-07", consent=_BY_VOICE),
        _on("courier", "2024-02-08T10:00", "Order Delivered", "olga", order_id="O1"),
        _bought("till", "2024-02-20T12:00", None, "X0", 15),
        _bought("web", "2024-04-30T10:00", "sara", "S2", 30),
        _bought("web", "2024-05-20T10:00", "anna", "A2", 100, ("strings-set", 2)),
        _bought("web", "2024-06-05T12:00", "bruno", "B2", 60),
        _bought("web", "2024-06-09T09:00", "dario", "D3", 10),
        _on("web", "2024-06-20T10:00", "Page Viewed", "zoe"),
        _on("web", "2024-06-20T10:01", "Product Viewed", "zoe", of="guitar"),
        _on("web", "2024-06-30T10:00", "Page Viewed", "zoe"),
    ]


def _service() -> list[Row]:
    """Questions, complaints and cases."""
    return [
        _on("desk", "2024-02-10T10:00", "Ticket Opened", "olga", order_id="O1", ticket_id="t0"),
        _on("desk", "2024-02-10T11:00", "Ticket Resolved", "olga", order_id="O1", ticket_id="t0"),
        _on("desk", "2024-03-10T10:00", "Ticket Opened", "nino", order_id="N1", ticket_id="t1"),
        _on("desk", "2024-03-10T14:00", "Message Received", "nino", order_id="N1", ticket_id="t1"),
        _on("desk", "2024-03-12T10:00", "Ticket Resolved", "nino", order_id="N1", ticket_id="t1"),
        _on("desk", "2024-03-13T10:00", "Ticket Resolved", "nino", order_id="N1", ticket_id="t1"),
        _on("desk", "2024-03-14T09:00", "Complaint Submitted", "nino", order_id="N1"),
        _on("desk", "2024-03-24T09:00", "Question Asked", "nino", order_id="N1"),
        _on("desk", "2024-03-17T10:00", "Question Asked", "gina", conversation_id="c3"),
        _on("desk", "2024-03-17T10:01", "Message Received", "gina", conversation_id="c3", automatic=True),
        _on("desk", "2024-03-17T11:00", "Message Received", "gina", conversation_id="c3"),
    ]


def _messages() -> list[Row]:
    """What the shop sent, and what people said may be sent to them."""
    return [
        _on("mailer", "2024-02-15T08:00", "Email Sent", "hugo", consent='{"email":true,"sms":true,"mail":false}'),
        _on("mailer", "2024-03-05T08:00", "Email Sent", "hugo"),
        _on("mailer", "2024-03-12T08:00", "Email Sent", "hugo"),
        _on("mailer", "2024-03-12T09:00", "Email Opened", "hugo"),
        _on("texter", "2024-03-19T08:00", "SMS Sent", "hugo", consent='{"sms":false}'),  # his last
        _on("social", "2024-03-08T08:00", "Post Shown", "hugo"),
        _on("social", "2024-03-09T20:00", "Post Shown", "ines"),
        _on("mailer", "2024-03-10T08:00", "Email Sent", "elena"),
        _on("mailer", "2024-03-10T12:00", "Email Sent", "gina"),
    ]


def _feedback() -> list[Row]:
    """Surveys, reviews and recommendations."""
    nps = {"survey_type": "nps", "survey_name": "relation"}
    csat = {"survey_type": "csat", "survey_name": "service"}
    ces = {"survey_type": "ces", "survey_name": "ease"}
    return [
        # Olga's second answer counts.
        _on("panel", "2024-03-02T09:00", "Survey Sent", "olga", **nps),
        _on("panel", "2024-03-03T09:00", "Survey Answered", "olga", order_id="O1", score=9.0, **nps),
        _on("panel", "2024-03-20T09:00", "Survey Answered", "olga", order_id="O1", score=6.0, **nps),
        _on("panel", "2024-03-21T09:00", "Survey Sent", "anna", **nps),
        _on("panel", "2024-03-22T09:00", "Survey Answered", "anna", order_id="A1", score=10.0, **nps),
        _on("panel", "2024-03-20T10:00", "Survey Answered", "bruno", order_id="B1", score=8.0, **nps),
        _on("panel", "2024-03-20T11:00", "Survey Answered", "dario", order_id="D1", score=9.0, **nps),
        _on("panel", "2024-03-23T09:00", "Survey Sent", "gina", **nps),
        _on("panel", "2024-03-20T12:00", "Survey Sent", "nino", **csat),
        _on("panel", "2024-03-21T12:00", "Survey Answered", "nino", order_id="N1", score=4.0, **csat),
        _on("panel", "2024-03-24T12:00", "Survey Answered", "marta", order_id="M1", score=3.0, **csat),
        _on("panel", "2024-03-21T13:00", "Survey Sent", "hugo", **csat),
        # Elena is asked one thing and answers another: no answer to what she was asked.
        _on("panel", "2024-03-19T09:00", "Survey Sent", "elena", **nps),
        _on("panel", "2024-03-20T09:00", "Survey Answered", "elena", order_id="E2", score=4.0, **ces),
        _on("panel", "2024-03-04T09:00", "Survey Answered", "olga", order_id="O1", score=5.0, **ces),
        # Elena was asked in February, and wrote more than 30 days later.
        _on("mailer", "2024-02-20T09:00", "Review Requested", "elena", order_id="E1"),
        _on("stars", "2024-03-26T09:00", "Product Reviewed", "elena", order_id="E2", score=5.0),
        _on("mailer", "2024-03-15T09:00", "Review Requested", "anna", order_id="A1"),
        _on("stars", "2024-03-20T20:00", "Product Reviewed", "anna", order_id="A1", score=5.0),
        _on("mailer", "2024-03-20T09:00", "Review Requested", "marta", order_id="M1"),
        _on("stars", "2024-03-21T20:00", "Product Reviewed", "marta", order_id="M1", score=2.0),
        _on("mailer", "2024-03-20T09:30", "Review Requested", "bruno", order_id="B1"),
        _on("stars", "2024-03-06T20:00", "Product Reviewed", "olga", order_id="O1", score=3.0),
        _on("stars", "2024-03-30T20:00", "Product Reviewed", "dario", order_id="D1", score=4.0),
        _on("web", "2024-03-25T09:00", "Referral Sent", "anna", order_id="A1"),
        _on("office", "2024-03-28T09:00", "Referral Converted", "anna", order_id="A1", value=2_500, currency="EUR"),
        _on("app", "2024-03-26T09:00", "Referral Sent", "nino", order_id="N1"),
    ]


def _loyalty() -> list[Row]:
    """Points."""
    return [
        _on("office", "2024-03-07T17:01", "Points Earned", "bruno", order_id="B1", points=40, expires="2024-05-31"),
        _on("office", "2024-03-14T15:11", "Points Earned", "elena", order_id="E2", points=120, expires="2024-12-31"),
        _on("till", "2024-03-18T12:00", "Points Redeemed", "bruno", points=10.5),
        _on("office", "2024-03-20T12:00", "Points Expired", "elena", points=5),
        _on("office", "2024-05-20T12:00", "Points Earned", "anna", order_id="A2", points=30, expires="2024-08-31"),
    ]
