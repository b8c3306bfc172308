"""A visit to site, app or shop tablet, written as Segment messages while it goes on.

A message is a line of JSON made of ready pieces, since there are millions of them. Texts that go in are our own and
hold nothing that JSON would have to escape; what people type is escaped by :func:`text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from percorso.demo.catalogue import SITE, Product
from percorso.demo.origins import ORIGINS, Origin

if TYPE_CHECKING:
    from percorso.demo.people import Device
    from percorso.demo.scene import Scene

__all__ = ["Visit", "page", "product_list", "text"]

_LIBRARY = '"library":{"name":"analytics.js","version":"2.11.0"}'
_APP_LIBRARY = '"library":{"name":"analytics-kotlin","version":"1.16.0"},"app":{"name":"Legnocorda","version":"4.2"}'
#: Share of visits whose messages were kept on the device, out of reach, and how long at most.
LATE = 0.004
LATE_BY = 40 * 3_600_000

_DIRECT = ORIGINS["direct"]
_encode = msgspec.json.Encoder().encode


def text(value: str) -> str:
    """A JSON text, quotes included."""
    return _encode(value).decode()


def page(path: str, title: str) -> str:
    """The part of a message that says which page it is about."""
    return f'"title":"{title}","url":"{SITE}{path}"'


def product_list(lines: Sequence[tuple[Product, int]]) -> str:
    """The property `products`."""
    return ",".join(f'{{{product.json},"quantity":{quantity}}}' for product, quantity in lines)


class Visit:
    """A visit that is going on.

    Parameters
    ----------
    scene : Scene
        Takes the messages.
    device : Device
    start : int
        Local milliseconds of the first message.
    origin : Origin
        What brought it.
    user : str
        Account that is signed in from the start, "" for none.

    Attributes
    ----------
    time : int
        Of the next message; :meth:`wait` moves it.
    """

    __slots__ = (
        "_delay",
        "_landing",
        "_page",
        "_prefix",
        "_rows",
        "_scene",
        "_step",
        "device",
        "origin",
        "time",
        "user",
    )

    def __init__(self, scene: Scene, device: Device, start: int, origin: Origin = _DIRECT, user: str = "") -> None:
        self._scene = scene
        self._rows = scene.rows[device.source]
        self._prefix = scene.visit_id()
        self._step = 0
        self._page = page("/", "Legnocorda")
        self._landing = True
        self._delay = int(LATE_BY * scene.rng.random()) if scene.rng.random() < LATE else 0
        self.device = device
        self.origin = origin
        self.time = start
        self.user = user
        if device.holder >= 0:
            scene.visits[self._prefix] = device.holder
        if origin.ad:
            scene.ad_clicks[start // 86_400_000, origin.ad] += 1

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.time += int(seconds * 1000)

    def page(self, where: str, properties: str = "") -> None:
        """A page of the site, or a screen of the app, is seen; `where` as made by :func:`page`."""
        self._page = where
        self._write('"type":"screen"' if self.device.source == "app" else '"type":"page"', properties)

    def track(self, name: str, properties: str = "", where: str = "") -> None:
        """Something is done, on the page seen last or on `where`."""
        if where:
            self._page = where
        self._write(f'"type":"track","event":"{name}"', properties)

    def identify(self, traits: str) -> None:
        """The tracker learns who this is; `traits` as JSON without braces."""
        self._write(f'"type":"identify","traits":{{{traits}}}', "")

    def _write(self, kind: str, properties: str) -> None:
        device, t, step = self.device, self.time, self._step
        self._step = step + 1
        if self._delay or device.clock_error:
            arrival = t + self._delay + 1_200
            own, received = self._scene.period.utc(t + device.clock_error), self._scene.period.utc(arrival)
            sent = self._scene.period.utc(arrival - 1_200 + device.clock_error)
        else:
            arrival = t + 1_000
            own, received = self._scene.period.utc_twice(t)
            sent = own
        who = f'"userId":"{self.user}",' if self.user else ""
        if device.source == "app":
            where = ""
            properties = f'"place":"app",{properties}' if properties else '"place":"app"'
        elif self._landing:
            origin = self.origin
            where = f'"page":{{{self._page[:-1]}{origin.query}","referrer":"{origin.referrer}"}},{origin.campaign}'
            self._landing = False
        else:
            where = f'"page":{{{self._page}}},'
        self._rows.append(
            (
                arrival,
                f'{{{kind},"messageId":"{self._prefix}{step:02x}","anonymousId":"{device.anonymous_id}",{who}'
                f'"timestamp":"{own}","sentAt":"{sent}","receivedAt":"{received}",'
                f'"properties":{{{properties}}},"context":{{{where}{device.context}}}}}\n',
            )
        )
        self.time = t + 300


def device_context(kind: str, agent: str) -> str:
    """What every message of a device carries: user agent, language, time zone, library."""
    if kind == "app":
        return (
            f'"userAgent":"{agent}","locale":"it-IT","timezone":"Europe/Rome",{_APP_LIBRARY},'
            f'"device":{{"type":"{"ios" if "iOS" in agent else "android"}"}},'
            f'"os":{{"name":"{"iOS" if "iOS" in agent else "Android"}"}}'
        )
    return f'"userAgent":"{agent}","locale":"it-IT","timezone":"Europe/Rome",{_LIBRARY}'
