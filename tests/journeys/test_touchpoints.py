"""What one event is on a journey: signal, direction, place, touchpoint, contact."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from percorso.events.aliases import CANONICAL_EVENTS
from percorso.events.event import EVENT_TYPES, SOURCE_KINDS
from percorso.journeys import signals
from percorso.journeys.event_rules import EVENT_RULES, KIND_DEFAULTS, ORDER_TOUCHPOINTS
from percorso.journeys.names import PLACE_NAMES_EN, TOUCHPOINT_NAMES_IT
from percorso.journeys.pages import PAGE_RULES
from percorso.journeys.signals import CONDITIONS
from percorso.journeys.touchpoints import EventClass, classify_event
from percorso.settings import PLACES, PathRule, PathSettings, PlaceSettings, Settings
from tests.docs_tables import code_spans, table

SETTINGS = Settings()


def event(
    name: str,
    kind: str,
    *,
    place: str = "",
    direction: str = "",
    settings: Settings = SETTINGS,
    source: str = "",
    event_type: str = "track",
) -> EventClass:
    return classify_event(name, event_type, kind, place, direction, "", "", settings=settings, source=source)


def page(
    path: str, *, name: str = "", title: str = "", event_type: str = "page", settings: Settings = SETTINGS
) -> EventClass:
    kind = "app" if event_type == "screen" else "web"
    return classify_event(name, event_type, kind, "", "", path, title, settings=settings)


#: The table of definitions, section 3: what each event can be at most, on site or till.
SIGNALS_OF_THE_DEFINITIONS = {
    "consider": (
        "Product Clicked",
        "Products Searched",
        "Product List Filtered",
        "Review Read",
        "Guide Read",
        "Video Started",
        "Product Added to Wishlist",
        "Newsletter Subscribed",
        "Signed Up",
        "Content Downloaded",
        "Store Locator Viewed",
        "Availability Checked",
        "Appointment Booked",
        "Product Viewed",
        "Product List Viewed",
    ),
    "convert": (
        "Product Added",
        "Cart Viewed",
        "Checkout Started",
        "Checkout Step Viewed",
        "Checkout Step Completed",
        "Payment Info Entered",
        "Payment Failed",
        "Coupon Applied",
        "Order Completed",
    ),
    "care": (
        "Order Confirmed",
        "Order Prepared",
        "Order Shipped",
        "Order Delivered",
        "Order Collected",
        "Order Returned",
        "Order Refunded",
        "Question Asked",
        "Complaint Submitted",
        "Product Registered",
        "Repair Booked",
        "Repair Completed",
        "Subscription Renewed",
        "Points Earned",
        "Points Redeemed",
        "Loyalty Joined",
    ),
    "advocate": (
        "Product Reviewed",
        "Referral Sent",
        "Referral Converted",
        "Product Shared",
        "Content Published",
    ),
    "aware": ("Page Viewed", "Application Opened", "Signed In", "Signed Out", "Store Visited", "Promotion Viewed"),
}


@pytest.mark.parametrize(
    ("signal", "name"), [(signal, name) for signal, names in SIGNALS_OF_THE_DEFINITIONS.items() for name in names]
)
def test_signals_of_the_definitions(signal: str, name: str) -> None:
    assert CONDITIONS[event(name, "web").signal].signal == signal


@pytest.mark.parametrize("name", ["Product Viewed", "Product List Viewed"])
def test_a_landing_alone_is_no_more_than_aware(name: str) -> None:
    assert event(name, "web").signal == signals.CONSIDER_IF_ENGAGED


def test_calls_and_chats_are_care_with_an_order_and_presale_without() -> None:
    for name in ("Call Started", "Chat Started", "Ticket Opened", "Question Asked", "Complaint Submitted"):
        assert event(name, "support").signal == signals.CARE_IF_ORDER


def test_codes_of_what_becomes_of_an_order() -> None:
    codes = {name: event(name, "server").signal for name in EVENT_RULES}
    assert codes["Order Completed"] == signals.ORDER
    assert codes["Order Cancelled"] == signals.CANCEL
    assert codes["Order Refunded"] == signals.REFUND
    assert codes["Order Returned"] == signals.RETURN
    assert codes["Order Delivered"] == codes["Order Collected"] == signals.DELIVERED


@pytest.mark.parametrize(
    ("name", "kind", "place", "expected"),
    [
        ("Order Completed", "web", "", EventClass(signals.ORDER, "inbound", "site", "order", "session")),
        ("Order Completed", "app", "", EventClass(signals.ORDER, "inbound", "app", "order", "session")),
        ("Order Completed", "pos", "", EventClass(signals.ORDER, "inbound", "store", "store purchase", "single")),
        ("Order Completed", "server", "", EventClass(signals.ORDER, "inbound", "site", "order", "server")),
        (
            "Order Completed",
            "server",
            "store",
            EventClass(signals.ORDER, "inbound", "store", "store purchase", "single"),
        ),
        ("Order Completed", "support", "", EventClass(signals.ORDER, "inbound", "phone", "phone order", "single")),
        ("Order Completed", "crm", "", EventClass(signals.ORDER, "inbound", "", "order", "server")),
        ("Order Shipped", "server", "", EventClass(signals.CARE, "outbound", "", "shipping", "server", False)),
        (
            "Order Delivered",
            "delivery",
            "",
            EventClass(signals.DELIVERED, "outbound", "delivery", "delivery", "single", False),
        ),
        ("Order Collected", "pos", "", EventClass(signals.DELIVERED, "inbound", "store", "pick-up", "single")),
        ("Order Returned", "pos", "", EventClass(signals.RETURN, "inbound", "store", "return", "single")),
        ("Email Sent", "email", "", EventClass(signals.SIGNAL_NONE, "outbound", "email", "e-mail", "single", False)),
        ("Email Sent", "server", "", EventClass(signals.SIGNAL_NONE, "outbound", "email", "e-mail", "single", False)),
        (
            "Email Opened",
            "email",
            "",
            EventClass(signals.SIGNAL_NONE, "outbound", "email", "e-mail opened", "server", False),
        ),
        ("Email Link Clicked", "email", "", EventClass(signals.AWARE, "inbound", "email", "e-mail click", "server")),
        ("Ad Shown", "ads", "", EventClass(signals.SIGNAL_NONE, "outbound", "", "ad", "single", False)),
        ("Call Started", "support", "", EventClass(signals.CARE_IF_ORDER, "inbound", "phone", "call", "single")),
        ("Call Started", "crm", "", EventClass(signals.CARE_IF_ORDER, "inbound", "phone", "call", "single")),
        ("Chat Started", "web", "", EventClass(signals.CARE_IF_ORDER, "inbound", "chat", "chat", "single")),
        ("Ticket Opened", "support", "", EventClass(signals.CARE_IF_ORDER, "inbound", "email", "ticket", "single")),
        ("Ticket Opened", "web", "", EventClass(signals.CARE_IF_ORDER, "inbound", "site", "ticket", "session")),
        ("Survey Answered", "survey", "", EventClass(signals.AWARE, "inbound", "site", "survey", "single")),
        ("Product Reviewed", "review", "", EventClass(signals.ADVOCATE_IF_GOOD, "inbound", "site", "review", "single")),
        ("Session Started", "web", "", EventClass(signals.AWARE, "inbound", "site", "session start", "session", False)),
        ("Tavolo prenotato", "web", "", EventClass(signals.AWARE, "inbound", "site", "Tavolo prenotato", "session")),
        (
            "Parcel at hub",
            "delivery",
            "",
            EventClass(signals.CARE, "outbound", "delivery", "Parcel at hub", "server"),
        ),
        ("Anything", "email", "", EventClass(signals.SIGNAL_NONE, "outbound", "email", "Anything", "single")),
        ("Anything", "other", "", EventClass(signals.AWARE, "inbound", "", "Anything", "single")),
    ],
)
def test_kinds_of_events(name: str, kind: str, place: str, expected: EventClass) -> None:
    assert event(name, kind, place=place) == expected


@pytest.mark.parametrize("event_type", ["identify", "group", "alias"])
@pytest.mark.parametrize("kind", SOURCE_KINDS)
def test_bookkeeping_is_nobodys_act(event_type: str, kind: str) -> None:
    found = event("", kind, event_type=event_type)
    assert (found.signal, found.direction, found.contact, found.action) == (0, "outbound", "server", False)


def test_the_senders_direction_counts() -> None:
    called = event("Call Started", "support", direction="Outbound")
    assert (called.signal, called.direction, called.contact) == (signals.SIGNAL_NONE, "outbound", "single")
    assert event("Call Started", "support", direction="sideways").direction == "inbound"
    assert event("Order Refunded", "web", direction="inbound").signal == signals.REFUND


def test_an_order_stays_an_order_whoever_enters_it() -> None:
    assert event("Order Completed", "crm", direction="outbound").signal == signals.ORDER


def test_places_of_the_workspace() -> None:
    settings = replace(
        SETTINGS, places=PlaceSettings(by_source={"till-2": "marketplace"}, by_event={"Call Started": "chat"})
    )
    assert event("Order Completed", "pos", settings=settings, source="till-2").place == "marketplace"
    assert event("Order Completed", "pos", settings=settings, source="till-1").place == "store"
    assert event("Order Completed", "pos", settings=settings, source="till-2", place="store").place == "store"
    assert event("Call Started", "pos", settings=settings, source="till-2").place == "chat"


def test_a_workspaces_place_decides_the_touchpoint_of_an_order() -> None:
    settings = replace(SETTINGS, places=PlaceSettings(by_source={"shop": "marketplace"}))
    assert event("Order Completed", "web", settings=settings, source="shop").touchpoint == "marketplace order"


def test_touchpoints_of_the_workspace_by_event() -> None:
    settings = replace(SETTINGS, paths=PathSettings(events={"Product Viewed": "shelf", "Own event": "own"}))
    assert event("Product Viewed", "web", settings=settings).touchpoint == "shelf"
    assert event("Product Viewed", "web", settings=settings).signal == signals.CONSIDER_IF_ENGAGED
    assert event("Own event", "web", settings=settings).touchpoint == "own"


@pytest.mark.parametrize(
    ("path", "touchpoint", "signal"),
    [
        ("/", "home page", signals.AWARE),
        ("/it", "home page", signals.AWARE),
        ("/en-gb", "home page", signals.AWARE),
        ("/products/red-chair", "product page", signals.CONSIDER_IF_ENGAGED),
        ("/it/prodotti/sedie/sedia-rossa-*", "product page", signals.CONSIDER_IF_ENGAGED),
        ("/collections/all/products/red-chair", "product page", signals.CONSIDER_IF_ENGAGED),
        ("/dp/*", "product page", signals.CONSIDER_IF_ENGAGED),
        ("/prodotti", "product list", signals.CONSIDER_IF_ENGAGED),
        ("/collections/sale", "product list", signals.CONSIDER_IF_ENGAGED),
        ("/categoria/sedie", "product list", signals.CONSIDER_IF_ENGAGED),
        ("/search", "search", signals.CONSIDER),
        ("/it/ricerca", "search", signals.CONSIDER),
        ("/cart", "cart", signals.CONVERT_IF_CART),
        ("/it/carrello", "cart", signals.CONVERT_IF_CART),
        ("/checkout", "checkout", signals.CONVERT),
        ("/checkouts/*/shipping", "checkout", signals.CONVERT),
        ("/checkout/payment", "payment", signals.CONVERT),
        ("/checkout/onepage/success", "order confirmation", signals.CARE_IF_ORDER),
        ("/it/ordine", "checkout", signals.CONVERT),
        ("/collections/bag", "product list", signals.CONSIDER_IF_ENGAGED),
        ("/products/bag", "product page", signals.CONSIDER_IF_ENGAGED),
        ("/grazie", "order confirmation", signals.CARE_IF_ORDER),
        ("/account/orders/*", "order status", signals.CARE_IF_ORDER),
        ("/ordini/*", "order status", signals.CARE_IF_ORDER),
        ("/account", "account", signals.AWARE),
        ("/blog/come-scegliere", "blog and guides", signals.CONSIDER_IF_ENGAGED),
        ("/negozi/milano", "store locator", signals.CONSIDER_IF_ENGAGED),
        ("/wishlist", "wish list", signals.CONSIDER_IF_ENGAGED),
        ("/contatti", "contact page", signals.AWARE),
        ("/privacy-policy", "legal page", signals.AWARE),
        ("/chitarre/ch-cl-*", "/chitarre/*", signals.AWARE),
        ("/lookbook", "/lookbook", signals.AWARE),
    ],
)
def test_pages_by_path(path: str, touchpoint: str, signal: int) -> None:
    found = page(path, title="A title")
    assert (found.touchpoint, found.signal, found.contact) == (touchpoint, signal, "session")


def test_pages_without_a_telling_path() -> None:
    assert page("/x/y", name="Lookbook").touchpoint == "Lookbook"
    assert page("", name="Lookbook", title="Spring").touchpoint == "Lookbook"
    assert page("", title="Spring").touchpoint == "Spring"
    assert page("").touchpoint == "page"
    assert page("", event_type="screen").touchpoint == "screen"
    assert page("", name="Page Viewed", title="Spring").touchpoint == "Spring"
    assert page("", name="Cart", event_type="screen").touchpoint == "cart"
    assert page("", name="Product Detail", event_type="screen").touchpoint == "product page"
    assert page("/x", name="Products Searched").signal == signals.CONSIDER


def test_a_page_view_sent_as_an_event_is_a_page() -> None:
    found = classify_event("Page Viewed", "track", "web", "", "", "/cart", "", settings=SETTINGS)
    assert found.touchpoint == "cart"


def test_path_rules_of_the_workspace_go_first_and_bring_known_signals() -> None:
    rules = (PathRule("^/chitarre/[^/]+$", "product page"), PathRule("^/CART", "basket corner"))
    settings = replace(SETTINGS, paths=PathSettings(rules=rules))
    assert page("/chitarre/ch-cl-*", settings=settings).signal == signals.CONSIDER_IF_ENGAGED
    assert page("/chitarre/ch-cl-*", settings=settings).touchpoint == "product page"
    found = page("/cart", settings=settings)
    assert (found.touchpoint, found.signal) == ("basket corner", signals.AWARE)


def test_every_canonical_event_has_a_rule_and_every_kind_a_default() -> None:
    assert set(EVENT_RULES) == set(CANONICAL_EVENTS)
    assert set(KIND_DEFAULTS) == set(SOURCE_KINDS)


@pytest.mark.parametrize("kind", SOURCE_KINDS)
@pytest.mark.parametrize("direction", ["", "inbound", "outbound"])
def test_whatever_comes_is_well_formed(kind: str, direction: str) -> None:
    for name, event_type in product([*EVENT_RULES, "Unknown"], EVENT_TYPES):
        found = event(name, kind, direction=direction, event_type=event_type)
        assert found.direction in ("inbound", "outbound")
        assert found.place in ("", *PLACES)
        assert found.contact in ("session", "single", "server")
        assert found.touchpoint
        assert found.signal in CONDITIONS
        if found.contact == "session":
            assert kind in ("web", "app")
            assert found.direction == "inbound"
        if found.direction == "outbound":
            assert CONDITIONS[found.signal].signal in ("", "care") or found.signal == signals.ORDER


def test_docs_list_every_event() -> None:
    documented = [
        (code_spans(name)[0], touchpoint, code_spans(signal)[0] if "`" in signal else "", *rest)
        for name, touchpoint, signal, *rest in table("reference/touchpoints.md", "Events")
    ]
    ours = [
        (
            name,
            rule.touchpoint,
            CONDITIONS[rule.signal].name,
            rule.direction or "by kind",
            PLACE_NAMES_EN.get(rule.place)
            or (f"{PLACE_NAMES_EN[rule.elsewhere]} (by kind)" if rule.elsewhere else "by kind"),
            rule.contact or "by kind",
            "yes" if rule.action else "no",
        )
        for name, rule in EVENT_RULES.items()
    ]
    assert documented == ours


def test_docs_list_the_kinds() -> None:
    documented = [
        (code_spans(kind)[0], *rest) for kind, *rest in table("reference/touchpoints.md", "By kind of source")
    ]
    ours = [
        (
            kind,
            PLACE_NAMES_EN.get(d.place, "—"),
            d.direction,
            d.contact,
            d.outbound_contact,
            "no" if d.placed else "yes",
        )
        for kind, d in KIND_DEFAULTS.items()
    ]
    assert documented == ours


def test_docs_list_the_page_rules() -> None:
    documented = [
        (touchpoint, code_spans(signal)[0], code_spans(pattern)[0])
        for touchpoint, signal, pattern in table("reference/touchpoints.md", "Pages")
    ]
    assert documented == [(rule.touchpoint, CONDITIONS[rule.signal].name, rule.pattern) for rule in PAGE_RULES]


def test_docs_list_the_orders_touchpoints() -> None:
    ours = [(PLACE_NAMES_EN[place], name) for place, name in ORDER_TOUCHPOINTS.items()]
    assert table("reference/touchpoints.md", "Orders") == ours


def test_docs_list_the_codes_of_signals() -> None:
    documented = [
        (code_spans(name)[0], int(number), signal, condition, otherwise)
        for name, number, signal, condition, otherwise in table("concepts/signals.md", "The codes")
    ]
    assert documented == [
        (c.name, code, c.signal or "none", c.condition or "always", c.otherwise or "—")
        for code, c in CONDITIONS.items()
    ]
    assert all(getattr(signals, c.name) == code for code, c in CONDITIONS.items())
    assert all(name in TOUCHPOINT_NAMES_IT for name in ORDER_TOUCHPOINTS.values())
