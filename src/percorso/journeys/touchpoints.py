"""What one event is on a journey, as far as it can be said from the event alone.

The build asks once for each distinct combination of the values that matter, and resolves with its kernel
what needs the person: see :mod:`percorso.journeys.signals`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from percorso.journeys.event_rules import EVENT_RULES, KIND_DEFAULTS, ORDER_TOUCHPOINTS, EventRule, KindDefault
from percorso.journeys.pages import Page, page_of, page_touchpoint
from percorso.journeys.signals import (
    AWARE,
    CANCEL,
    CARE,
    CONVERT,
    DELIVERED,
    ORDER,
    REFUND,
    RETURN,
    SIGNAL_NONE,
)
from percorso.settings import Settings

__all__ = ["BOOKKEEPING", "EventClass", "classify_event", "page_of"]

DIRECTIONS = ("inbound", "outbound")

#: Codes that say what becomes of an order; they keep their meaning when the brand acts.
_OF_AN_ORDER = frozenset((CARE, CANCEL, REFUND, RETURN, DELIVERED))
#: Messages about a person or an account: bookkeeping, nobody acted.
BOOKKEEPING = frozenset(("identify", "group", "alias"))
_PAGE_TYPES = frozenset(("page", "screen"))
_PAGE_EVENTS = frozenset(("Page Viewed", "Screen Viewed"))
#: Places where a contact is one by itself even when the shop's or the CRM's server reports it.
_CONTACT_PLACES = frozenset(("store", "phone", "chat", "mail", "marketplace", "social"))


@dataclass(frozen=True, slots=True)
class EventClass:
    """What one event is on a journey.

    Parameters
    ----------
    signal : int
        One of the codes of :mod:`percorso.journeys.signals`.
    direction : str
        "inbound": the customer acted; "outbound": the brand did.
    place : str
        One of the places of definitions, section 2; "" where nothing says.
    touchpoint : str
    contact : str
        "session": an inbound event of site or app, it makes sessions. "single": a contact by itself. "server":
        it belongs to the journey, but neither is a contact nor opens or extends one.
    action : bool
        Whether the customer did something: False for what tools send on their own, which must not make a
        session engaged.
    """

    signal: int
    direction: str
    place: str
    touchpoint: str
    contact: str
    action: bool = True


def classify_event(
    name: str,
    type: str,  # noqa: A002 (the event's own word for it)
    source_kind: str,
    place: str,
    direction: str,
    page_path: str,
    title: str,
    *,
    settings: Settings,
    source: str = "",
) -> EventClass:
    """Classify one distinct event.

    Parameters
    ----------
    name : str
        Canonical name.
    type : str
        track, page, screen, identify, group or alias.
    source_kind : str
        One of SOURCE_KINDS.
    place, direction : str
        As the sender says, "" where it does not.
    page_path : str
        Cleaned path (:func:`page_of`).
    title : str
        Of the page, for pages and screens.
    settings : Settings
        Own places and path rules.
    source : str, optional
        Name of the source, for places by source.

    Examples
    --------
    >>> classify_event("Order Completed", "track", "pos", "", "", "", "", settings=Settings()).touchpoint
    'store purchase'
    """
    kind = KIND_DEFAULTS.get(source_kind, KIND_DEFAULTS["other"])
    if type in BOOKKEEPING:
        return EventClass(SIGNAL_NONE, "outbound", place or kind.place, type, "server", action=False)
    rule = _rule(name, type, source_kind, page_path, title, settings)
    if rule.signal == ORDER and type in _PAGE_TYPES:
        rule = replace(rule, signal=CONVERT)  # a thank-you page: the order itself is another event
    acted = _said_direction(direction) or rule.direction or kind.direction
    where = _place(rule, kind, acted, place, name=name, settings=settings, source=source)
    signal = rule.signal if acted == "inbound" or rule.signal in _OF_AN_ORDER else SIGNAL_NONE
    touchpoint = rule.touchpoint
    if rule.signal == ORDER:
        signal = ORDER  # an order is an order, whoever typed it in
        touchpoint = ORDER_TOUCHPOINTS.get(where, touchpoint)
    return EventClass(
        signal,
        acted,
        where,
        settings.paths.events.get(name, touchpoint),
        rule.contact or _contact(kind, acted, where),
        rule.action,
    )


def _rule(name: str, type: str, source_kind: str, path: str, title: str, settings: Settings) -> EventRule:  # noqa: A002
    if type in _PAGE_TYPES or name in _PAGE_EVENTS:
        return _page_rule(
            name, "screen" if type == "screen" or name == "Screen Viewed" else "page", path, title, settings
        )
    rule = EVENT_RULES.get(name)
    if rule is not None:
        return rule
    # Nobody knows the event. It is its own touchpoint; a carrier's news are about an order.
    return EventRule(name or "event", CARE if source_kind == "delivery" else AWARE)


def _page_rule(name: str, type: str, path: str, title: str, settings: Settings) -> EventRule:  # noqa: A002
    """A page: by its path, else by its name, else by the beginning of its path, else by its title."""
    said = "" if name in _PAGE_EVENTS else name
    found = page_touchpoint(path, settings.paths.rules) if path else Page("")
    if not found.touchpoint and said:
        if said in EVENT_RULES:
            return EVENT_RULES[said]
        found = page_touchpoint("/" + said.lower().replace(" ", "-"), settings.paths.rules)
    if found.touchpoint:
        return EventRule(found.touchpoint, found.signal)
    return EventRule(said or _beginning(path) or title or type, AWARE)


def _beginning(path: str) -> str:
    """The first segment of a path, with ``/*`` where more follows."""
    parts = path.split("/")
    if len(parts) < 2 or not parts[1]:
        return ""
    return f"/{parts[1]}/*" if len(parts) > 2 else f"/{parts[1]}"


def _said_direction(direction: str) -> str:
    text = direction.strip().lower()
    return text if text in DIRECTIONS else ""


def _place(
    rule: EventRule, kind: KindDefault, direction: str, said: str, *, name: str, settings: Settings, source: str
) -> str:
    """What the sender says, else the workspace by event and by source, else the event's own, else the kind's."""
    own = settings.places.by_event.get(name) or settings.places.by_source.get(source)
    kinds = kind.place if direction == "inbound" or kind.placed else ""
    known = kinds or rule.elsewhere if kind.placed else rule.elsewhere or kinds
    return said or own or rule.place or known


def _contact(kind: KindDefault, direction: str, place: str) -> str:
    if direction == "outbound":
        return kind.outbound_contact
    if kind.contact == "server" and place in _CONTACT_PLACES:
        return "single"
    return kind.contact
