"""The customers: names, addresses, numbers, what they hold in their hands."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from percorso.demo.catalogue import FIRST_NAMES, LAST_NAMES, REGIONS, SOUTH, STORES, USER_AGENTS
from percorso.demo.days import HOUR
from percorso.demo.messages import device_context
from percorso.demo.personas import PERSONAS, Persona

__all__ = ["FAMILIES", "Customer", "Device", "make_customer", "make_device", "make_family"]

_SHARES = [persona.share for persona in PERSONAS]
_APP_AGENTS = {"ios": "Legnocorda/4.2 (iPhone; iOS 18.6)", "android": "Legnocorda/4.2 (Android 15; SM-A556B)"}
_CONTEXTS = {kind: tuple(device_context("web", agent) for agent in agents) for kind, agents in USER_AGENTS.items()} | {
    f"app-{system}": (device_context("app", agent),) for system, agent in _APP_AGENTS.items()
}

WRONG_CLOCKS = 0.02
CLEARED_COOKIES = 0.25
FAMILIES = 0.05  # of the pairs of neighbouring numbers share the browser of a phone
ONE_NUMBER = 0.3  # of these give one telephone number


@dataclass(frozen=True, slots=True)
class Device:
    """A browser or an app in somebody's hand.

    `source` is the file its messages go to, `clock_error` what its own clock is wrong by. Where several people use it,
    `holder` is the number of the customer who has it now; each has a value of their own.
    """

    anonymous_id: str
    context: str
    source: str = "web"
    phone: bool = False
    android: bool = False
    clock_error: int = 0
    holder: int = -1


@dataclass(slots=True)
class Customer:
    """A true person. Empty texts: has none.

    `known` grows as the person becomes known: "account" once it exists, "newsletter" once subscribed.
    """

    number: int
    first_name: str
    last_name: str
    email: str
    telephone: str
    account: str
    card: str
    persona: Persona
    region: str
    store: str
    mobile: Device
    desktop: Device
    app: Device | None
    second_mobile: Device | None = None  # after the cookies were cleared
    cleared_at: int = 0
    newsletter: bool = False
    sms: bool = False
    shares_phone: bool = False  # the browser on it
    known: set[str] = field(default_factory=set)
    orders: list[str] = field(default_factory=list)
    brought_by: list[str] = field(default_factory=list)  # effects of the visits on the way to the purchase at hand

    @property
    def is_southern(self) -> bool:
        return self.region in SOUTH

    def phone(self, t: int) -> Device:
        """The browser on the phone at that time."""
        return self.second_mobile if self.second_mobile is not None and t >= self.cleared_at else self.mobile

    def any_device(self, t: int, rng: random.Random) -> Device:
        """What this person picks up."""
        u = rng.random()
        if self.app is not None and u < 0.45:
            return self.app
        return self.phone(t) if u < 0.8 else self.desktop

    @property
    def devices(self) -> list[Device]:
        every = (self.mobile, self.second_mobile, self.desktop, self.app)
        return [device for device in every if device is not None]


def make_family(rng: random.Random, one: Customer, other: Customer) -> None:
    """Let two customers share a phone, from which both subscribe to the newsletter."""
    other.last_name = one.last_name
    for person in (one, other):
        person.mobile = replace(one.mobile, holder=person.number)
        person.second_mobile = None
        person.shares_phone = person.newsletter = True
        person.known.discard("newsletter")
    if rng.random() < ONE_NUMBER:
        other.telephone = one.telephone


def make_device(rng: random.Random, kind: str, source: str = "web") -> Device:
    """A new browser ("ios", "android", "desktop", "tablet") or app."""
    number = f"{rng.getrandbits(128):032x}"
    anonymous_id = f"{number[:8]}-{number[8:12]}-4{number[13:16]}-a{number[17:20]}-{number[20:]}"
    contexts = _CONTEXTS[f"app-{kind}" if source == "app" else kind]
    clock_error = rng.choice((2 * HOUR, -3 * HOUR)) if rng.random() < WRONG_CLOCKS else 0
    context = contexts[int(rng.random() * len(contexts))]
    return Device(anonymous_id, context, source, kind in ("ios", "android"), kind == "android", clock_error)


def make_customer(rng: random.Random, number: int, end: int) -> Customer:
    """A customer by number; `end` of the period in local milliseconds."""
    persona = rng.choices(PERSONAS, _SHARES)[0]
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    system = "android" if rng.random() < 0.62 else "ios"
    mobile = make_device(rng, system)
    has_app = rng.random() < persona.app
    customer = Customer(
        number=number,
        first_name=first,
        last_name=last,
        email=f"{first}.{last}{number}@posta.example".replace(" ", "").lower(),
        telephone=f"+39315{1_000_000 + number}",
        account=f"u{10_000 + number}" if has_app or rng.random() < persona.account else "",
        card=f"LC{7_000_000 + number * 7}" if rng.random() < persona.card else "",
        persona=persona,
        region=rng.choice(REGIONS),
        store=STORES[int(rng.random() * len(STORES))],
        mobile=mobile,
        desktop=make_device(rng, "desktop"),
        app=make_device(rng, system, "app") if has_app else None,
        newsletter=rng.random() < persona.newsletter,
        sms=rng.random() < 0.3,
    )
    if rng.random() < CLEARED_COOKIES:
        customer.second_mobile, customer.cleared_at = make_device(rng, system), int(rng.random() * end)
    if rng.random() < 0.6:
        customer.known = {"account", "newsletter"}
    return customer
