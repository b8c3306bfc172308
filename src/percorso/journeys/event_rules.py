"""What each canonical event is on a journey: touchpoint, signal, direction, place, contact.

One table, read by :mod:`percorso.journeys.touchpoints`; docs/reference/touchpoints.md shows it, and a test
keeps page and table equal. The reasons stand in docs/concepts/signals.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from percorso.journeys.signals import (
    ADVOCATE,
    ADVOCATE_IF_GOOD,
    AWARE,
    CANCEL,
    CARE,
    CARE_IF_ORDER,
    CONSIDER,
    CONSIDER_IF_ENGAGED,
    CONVERT,
    CONVERT_IF_CART,
    DELIVERED,
    ORDER,
    REFUND,
    RETURN,
    SIGNAL_NONE,
    SIGNED_OUT,
)

__all__ = ["EVENT_RULES", "KIND_DEFAULTS", "ORDER_TOUCHPOINTS", "EventRule", "KindDefault"]


@dataclass(frozen=True, slots=True)
class EventRule:
    """One canonical event. An empty text leaves the matter to the source kind.

    `place` goes before the kind's own place; `elsewhere` is for kinds whose events happen elsewhere (support,
    server, crm, other).
    `action` is False for what happens without the customer doing anything.
    """

    touchpoint: str
    signal: int
    direction: str = ""
    place: str = ""
    elsewhere: str = ""
    contact: str = ""
    action: bool = True


@dataclass(frozen=True, slots=True)
class KindDefault:
    """What holds for the events of a source kind where neither event nor table says otherwise."""

    place: str
    direction: str
    contact: str  # of inbound events; outbound ones that are messages are "single"
    outbound_contact: str = "single"
    placed: bool = True  # False: the events happen elsewhere, `place` is where inbound ones do for lack of better


KIND_DEFAULTS: dict[str, KindDefault] = {
    "web": KindDefault("site", "inbound", "session"),
    "app": KindDefault("app", "inbound", "session"),
    "pos": KindDefault("store", "inbound", "single", "server"),
    "server": KindDefault("site", "inbound", "server", "server", placed=False),
    "email": KindDefault("email", "outbound", "server"),
    "sms": KindDefault("sms", "outbound", "server"),
    "support": KindDefault("phone", "inbound", "single", placed=False),
    "survey": KindDefault("site", "inbound", "single"),
    "review": KindDefault("site", "inbound", "single"),
    "crm": KindDefault("", "inbound", "server", "server", placed=False),
    "ads": KindDefault("", "outbound", "server"),
    "delivery": KindDefault("delivery", "outbound", "single", "server"),
    "other": KindDefault("", "inbound", "single", placed=False),
}

#: The touchpoint of an order by its place; "order" elsewhere.
ORDER_TOUCHPOINTS: dict[str, str] = {
    "store": "store purchase",
    "phone": "phone order",
    "chat": "chat order",
    "social": "social order",
    "marketplace": "marketplace order",
}


def _brand(touchpoint: str, signal: int = SIGNAL_NONE, *, place: str = "", contact: str = "") -> EventRule:
    """Something the brand does."""
    return EventRule(touchpoint, signal, "outbound", place, contact=contact, action=False)


def _message(touchpoint: str, place: str) -> EventRule:
    """A message to the customer: a contact by itself."""
    return _brand(touchpoint, place=place, contact="single")


def _later(touchpoint: str, place: str) -> EventRule:
    """What becomes of a message; the message was the contact."""
    return _brand(touchpoint, place=place, contact="server")


def _click(touchpoint: str, place: str) -> EventRule:
    """The customer follows a message: the session that begins with it is the contact."""
    return EventRule(touchpoint, AWARE, "inbound", place, contact="server")


def _talk(touchpoint: str, place: str, signal: int = CARE_IF_ORDER) -> EventRule:
    """The customer speaks with us: a contact by itself, wherever it is reported from."""
    return EventRule(touchpoint, signal, "inbound", place, contact="single")


def _mark(touchpoint: str) -> EventRule:
    """A tool's own mark, inside a session: the customer did nothing."""
    return EventRule(touchpoint, AWARE, action=False)


EVENT_RULES: dict[str, EventRule] = {
    # Pages and content
    "Page Viewed": EventRule("page", AWARE),
    "Screen Viewed": EventRule("screen", AWARE),
    "Products Searched": EventRule("search", CONSIDER),
    "Product List Viewed": EventRule("product list", CONSIDER_IF_ENGAGED),
    "Product List Filtered": EventRule("product list", CONSIDER),
    "Product Clicked": EventRule("product list", CONSIDER),
    "Product Viewed": EventRule("product page", CONSIDER_IF_ENGAGED),
    "Product Scanned": EventRule("product scan", CONSIDER, elsewhere="store"),
    "Products Compared": EventRule("product comparison", CONSIDER),
    "Promotion Viewed": EventRule("promotion", AWARE, action=False),
    "Promotion Clicked": EventRule("promotion", AWARE),
    "Review Read": EventRule("reviews", CONSIDER),
    "Guide Read": EventRule("blog and guides", CONSIDER),
    "Content Downloaded": EventRule("download", CONSIDER),
    "Video Started": EventRule("video", CONSIDER),
    "Video Progressed": EventRule("video", CONSIDER, action=False),
    "Video Completed": EventRule("video", CONSIDER, action=False),
    "Product Added to Wishlist": EventRule("wish list", CONSIDER),
    "Product Removed from Wishlist": EventRule("wish list", AWARE),
    "Wishlist Viewed": EventRule("wish list", CONSIDER_IF_ENGAGED),
    "Newsletter Subscribed": EventRule("newsletter sign-up", CONSIDER),
    "Store Locator Viewed": EventRule("store locator", CONSIDER),
    "Availability Checked": EventRule("availability check", CONSIDER),
    "Back in Stock Requested": EventRule("availability check", CONSIDER),
    "Appointment Booked": EventRule("appointment", CONSIDER),
    "Appointment Kept": EventRule("appointment", CONSIDER, place="store", contact="single"),
    "Appointment Cancelled": EventRule("appointment", AWARE),
    "Quote Requested": EventRule("quote", CONSIDER),
    "Lead Submitted": EventRule("contact form", CONSIDER),
    "Outbound Link Clicked": EventRule("link to another site", AWARE),
    "Form Started": EventRule("form", AWARE),
    "Form Submitted": EventRule("form", AWARE),
    # Cart and checkout
    "Product Added": EventRule("cart", CONVERT),
    "Product Removed": EventRule("cart", AWARE),
    "Cart Viewed": EventRule("cart", CONVERT_IF_CART),
    "Cart Updated": EventRule("cart", CONVERT_IF_CART),
    "Cart Shared": EventRule("sharing", CONSIDER),
    "Wishlist Product Added to Cart": EventRule("cart", CONVERT),
    "Checkout Started": EventRule("checkout", CONVERT),
    "Checkout Step Viewed": EventRule("checkout", CONVERT),
    "Checkout Step Completed": EventRule("checkout", CONVERT),
    "Shipping Info Entered": EventRule("checkout", CONVERT),
    "Payment Info Entered": EventRule("payment", CONVERT),
    "Payment Failed": EventRule("payment", CONVERT),
    "Coupon Entered": EventRule("coupon", CONVERT),
    "Coupon Applied": EventRule("coupon", CONVERT),
    "Coupon Denied": EventRule("coupon", CONVERT),
    "Coupon Removed": EventRule("coupon", AWARE),
    "Coupon Redeemed": EventRule("coupon", CONVERT),
    # Orders
    "Order Completed": EventRule("order", ORDER, "inbound"),
    "Order Updated": EventRule("order status", CARE),
    "Order Confirmed": _brand("order confirmation", CARE, contact="server"),
    "Order Prepared": _brand("order preparation", CARE, contact="server"),
    "Order Ready": _brand("order preparation", CARE, contact="server"),
    "Order Shipped": _brand("shipping", CARE, contact="server"),
    "Order Delivered": _brand("delivery", DELIVERED, place="delivery", contact="single"),
    "Delivery Failed": _brand("delivery", CARE, place="delivery", contact="single"),
    "Order Collected": EventRule("pick-up", DELIVERED, "inbound", "store", contact="single"),
    "Order Not Collected": _brand("pick-up", CARE, contact="server"),
    "Order Status Viewed": EventRule("order status", CARE_IF_ORDER),
    "Order Cancelled": EventRule("cancellation", CANCEL, "inbound"),
    "Order Refunded": _brand("refund", REFUND, contact="server"),
    "Return Requested": EventRule("return", CARE, "inbound"),
    "Order Returned": EventRule("return", RETURN, "inbound"),
    "Order Exchanged": EventRule("exchange", CARE, "inbound"),
    "Price Matched": EventRule("price match", CARE, "inbound"),
    # Service
    "Call Started": _talk("call", "phone"),
    "Call Ended": EventRule("call", CARE_IF_ORDER, "inbound", "phone", contact="single", action=False),
    "Callback Requested": EventRule("callback request", CARE_IF_ORDER),
    "Contact Repeated": EventRule("repeated contact", CARE_IF_ORDER),
    "Chat Started": _talk("chat", "chat"),
    "Chat Ended": EventRule("chat", CARE_IF_ORDER, "inbound", "chat", contact="single", action=False),
    "Message Sent": _talk("chat", "chat"),
    "Message Received": _message("chat", "chat"),
    "Ticket Opened": EventRule("ticket", CARE_IF_ORDER, "inbound", elsewhere="email"),
    "Ticket Reopened": EventRule("ticket", CARE_IF_ORDER, "inbound", elsewhere="email"),
    "Ticket Resolved": _brand("ticket", CARE, contact="server"),
    "Complaint Submitted": EventRule("complaint", CARE_IF_ORDER, "inbound"),
    "Question Asked": EventRule("question", CARE_IF_ORDER, "inbound"),
    "Help Viewed": EventRule("help", AWARE),
    # Store
    "Store Visited": EventRule("store visit", AWARE, "inbound", "store", contact="single"),
    "Fitting Room Used": EventRule("fitting room", CONSIDER, "inbound", "store", contact="single"),
    "Kiosk Searched": EventRule("kiosk", CONSIDER, "inbound", "store"),
    "Event Attended": EventRule("event", AWARE, "inbound", elsewhere="store", contact="single"),
    # Loyalty and after-sales
    "Loyalty Joined": EventRule("loyalty programme", CARE),
    "Points Earned": _brand("loyalty programme", CARE, contact="server"),
    "Points Redeemed": EventRule("loyalty programme", CARE),
    "Points Expired": _brand("loyalty programme", CARE, contact="server"),
    "Tier Changed": _brand("loyalty programme", CARE, contact="server"),
    "Reward Redeemed": EventRule("loyalty programme", CARE),
    "Product Registered": EventRule("product registration", CARE),
    "Repair Booked": EventRule("repair", CARE),
    "Repair Completed": _brand("repair", CARE, contact="server"),
    "Subscription Started": EventRule("subscription", CONVERT),
    "Subscription Renewed": EventRule("subscription", CARE, action=False),
    "Subscription Cancelled": EventRule("subscription", CARE),
    # Advocacy and feedback
    "Product Reviewed": EventRule("review", ADVOCATE_IF_GOOD, "inbound"),
    "Referral Sent": EventRule("recommendation", ADVOCATE, "inbound"),
    "Referral Converted": EventRule("recommendation", ADVOCATE, "inbound", contact="server", action=False),
    "Product Shared": EventRule("sharing", ADVOCATE, "inbound"),
    "Content Published": EventRule("customer's content", ADVOCATE, "inbound", elsewhere="social"),
    "Comment Posted": EventRule("social comment", AWARE, "inbound", "social", contact="single"),
    "Source Declared": EventRule("declared source", AWARE, contact="server"),
    "Survey Sent": _brand("survey", contact="single"),
    "Survey Shown": _brand("survey", contact="server"),
    "Survey Answered": EventRule("survey", AWARE, "inbound"),
    "Survey Dismissed": EventRule("survey", AWARE, "inbound", contact="server"),
    # Messages and ads
    "Email Sent": _message("e-mail", "email"),
    "Email Delivered": _later("e-mail", "email"),
    "Email Opened": _later("e-mail opened", "email"),
    "Email Link Clicked": _click("e-mail click", "email"),
    "Email Bounced": _later("e-mail bounced", "email"),
    "Email Marked as Spam": _click("unsubscription", "email"),
    "Unsubscribed": EventRule("unsubscription", AWARE, "inbound", elsewhere="email", contact="server"),
    # A banner asks for it on the first page: it is no second action.
    "Consent Given": EventRule("consent", AWARE, "inbound", action=False),
    "Consent Withdrawn": EventRule("consent", AWARE, "inbound", action=False),
    "Consent Updated": EventRule("consent", AWARE, "inbound", action=False),
    "SMS Sent": _message("text message", "sms"),
    "SMS Delivered": _later("text message", "sms"),
    "SMS Link Clicked": _click("text message click", "sms"),
    "SMS Replied": _talk("text message reply", "sms", AWARE),
    "Push Notification Received": _message("push notification", "push"),
    "Push Notification Tapped": _click("push notification tap", "push"),
    "Push Notification Bounced": _later("push notification", "push"),
    "Mail Dropped": _message("letter or catalogue", "mail"),
    "Ad Shown": _message("ad", ""),
    "Ad Clicked": _click("ad click", ""),
    "Post Shown": _message("social post", "social"),
    "Post Clicked": EventRule("social post click", AWARE, "inbound", "social", contact="single"),
    # Account and app
    "Signed Up": EventRule("sign-up", CONSIDER),
    "Signed In": EventRule("log-in", AWARE),
    "Signed Out": EventRule("log-out", SIGNED_OUT),
    "Sign In Failed": EventRule("log-in", AWARE),
    "Account Deleted": EventRule("account", AWARE),
    "Application Installed": EventRule("app", AWARE),
    "Application Opened": EventRule("app", AWARE),
    "Application Backgrounded": _mark("app"),
    "Application Foregrounded": EventRule("app", AWARE),
    "Application Updated": _mark("app"),
    "Application Crashed": _mark("error"),
    "Application Uninstalled": EventRule("app", AWARE, contact="server"),
    "Install Attributed": EventRule("app", AWARE, contact="server", action=False),
    "Deep Link Opened": _mark("app"),
    # Sent by tools on their own
    "Session Started": _mark("session start"),
    "First Visit": _mark("session start"),
    "User Engaged": _mark("time on page"),
    "Heartbeat": _mark("time on page"),
    "Page Scrolled": _mark("scrolling"),
    "Experiment Viewed": _mark("experiment"),
    "Error Shown": _mark("error"),
}
