"""Event names: what senders say, and what it is here."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.events.aliases import ALIASES, CANONICAL_EVENTS, KIND_ALIASES, canonical_name
from percorso.events.event import SOURCE_KINDS
from tests.docs_tables import code_spans, table

#: Names of Segment's e-commerce spec, version 2 (reference: Segment, "V2 Ecommerce Events").
SEGMENT_V2 = (
    "Products Searched",
    "Product List Viewed",
    "Product List Filtered",
    "Promotion Viewed",
    "Promotion Clicked",
    "Product Clicked",
    "Product Viewed",
    "Product Added",
    "Product Removed",
    "Cart Viewed",
    "Checkout Started",
    "Checkout Step Viewed",
    "Checkout Step Completed",
    "Payment Info Entered",
    "Order Completed",
    "Order Updated",
    "Order Cancelled",
    "Order Refunded",
    "Coupon Entered",
    "Coupon Applied",
    "Coupon Removed",
    "Coupon Denied",
    "Product Added to Wishlist",
    "Product Removed from Wishlist",
    "Wishlist Product Added to Cart",
    "Product Shared",
    "Cart Shared",
    "Product Reviewed",
)

SAID = {
    # Segment, version 1
    "Viewed Product": "Product Viewed",
    "Viewed Product Category": "Product List Viewed",
    "Added Product": "Product Added",
    "Removed Product": "Product Removed",
    "Completed Order": "Order Completed",
    "Started Order": "Checkout Started",
    # Google Analytics 4
    "page_view": "Page Viewed",
    "screen_view": "Screen Viewed",
    "view_item": "Product Viewed",
    "view_item_list": "Product List Viewed",
    "select_item": "Product Clicked",
    "view_promotion": "Promotion Viewed",
    "select_promotion": "Promotion Clicked",
    "add_to_cart": "Product Added",
    "remove_from_cart": "Product Removed",
    "view_cart": "Cart Viewed",
    "begin_checkout": "Checkout Started",
    "add_shipping_info": "Shipping Info Entered",
    "add_payment_info": "Payment Info Entered",
    "purchase": "Order Completed",
    "in_app_purchase": "Order Completed",
    "refund": "Order Refunded",
    "add_to_wishlist": "Product Added to Wishlist",
    "search": "Products Searched",
    "view_search_results": "Products Searched",
    "login": "Signed In",
    "sign_up": "Signed Up",
    "share": "Product Shared",
    "generate_lead": "Lead Submitted",
    "session_start": "Session Started",
    "first_visit": "First Visit",
    "user_engagement": "User Engaged",
    "scroll": "Page Scrolled",
    "file_download": "Content Downloaded",
    "video_start": "Video Started",
    "first_open": "Application Installed",
    # Shopify
    "checkout_completed": "Order Completed",
    "product_added_to_cart": "Product Added",
    "collection_viewed": "Product List Viewed",
    "search_submitted": "Products Searched",
    "orders/create": "Order Completed",
    "refunds/create": "Order Refunded",
    # named in the definitions
    "Review Submitted": "Product Reviewed",
    "Store Purchase": "Order Completed",
    "Purchase": "Order Completed",
    "order_placed": "Order Completed",
    # tills
    "Scontrino": "Order Completed",
    "Reso": "Order Returned",
    "Storno": "Order Cancelled",
    "Cambio merce": "Order Exchanged",
}


@pytest.mark.parametrize("name", SEGMENT_V2)
def test_names_of_the_spec_are_canonical(name: str) -> None:
    assert name in CANONICAL_EVENTS
    assert canonical_name(name, {}) == name


@pytest.mark.parametrize(("said", "name"), SAID.items())
def test_what_senders_say(said: str, name: str) -> None:
    assert canonical_name(said, {}) == name


@pytest.mark.parametrize(
    "said", ["Catalogo aperto", "catalog", "cart", "main", "T02 Check confirmation of receipt", ""]
)
def test_unknown_names_stay(said: str) -> None:
    assert canonical_name(said, {}) == said


def test_own_aliases_go_first() -> None:
    own = {"purchase": "Quote Requested", "Acquisto speciale": "Order Completed"}
    assert canonical_name("purchase", own) == "Quote Requested"
    assert canonical_name("Purchase", own) == "Order Completed"  # own aliases match exactly
    assert canonical_name("Acquisto speciale", own) == "Order Completed"


def test_short_names_need_their_kind() -> None:
    assert canonical_name("delivered", {}) == "delivered"
    assert canonical_name("delivered", {}, source_kind="email") == "Email Delivered"
    assert canonical_name("delivered", {}, source_kind="delivery") == "Order Delivered"
    assert canonical_name("view_item", {}, source_kind="email") == "Product Viewed"


@settings(deadline=None)
@given(st.sampled_from([*CANONICAL_EVENTS, *ALIASES]), st.sampled_from(["_", "-", " ", "", "  "]), st.booleans())
def test_case_and_separators_do_not_matter(said: str, separator: str, upper: bool) -> None:
    written = separator.join(said.split())
    assert canonical_name(written.upper() if upper else written, {}) == canonical_name(said, {})


def test_every_alias_leads_to_one_canonical_name() -> None:
    meant: dict[str, set[str]] = defaultdict(set)
    for said, name in [*ALIASES.items(), *((name, name) for name in CANONICAL_EVENTS)]:
        meant["".join(c for c in said.casefold() if c.isalnum())].add(name)
    assert set(ALIASES.values()) <= set(CANONICAL_EVENTS)
    assert not {said: names for said, names in meant.items() if len(names) > 1}
    assert set(KIND_ALIASES) <= set(SOURCE_KINDS)
    assert {name for names in KIND_ALIASES.values() for name in names.values()} <= set(CANONICAL_EVENTS)


def test_docs_list_every_name_and_alias() -> None:
    documented = {
        code_spans(name)[0]: (meaning, tuple(code_spans(said)))
        for name, meaning, said in table("reference/event-names.md", "Names and aliases")
    }
    ours = {
        name: (meaning, tuple(said for said, canonical in ALIASES.items() if canonical == name))
        for name, meaning in CANONICAL_EVENTS.items()
    }
    assert documented == ours


def test_docs_list_the_short_names_of_kinds() -> None:
    documented = {
        (kind, said, code_spans(name)[0])
        for kind, texts, name in table("reference/event-names.md", "Short names by kind of source")
        for said in code_spans(texts)
    }
    assert documented == {(k, said, name) for k, names in KIND_ALIASES.items() for said, name in names.items()}
