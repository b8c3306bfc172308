"""Event columns from the `context` object of Segment's and RudderStack's messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from percorso.events.formats.json_values import as_text, object_column, text_column

__all__ = ["ContextBlock", "context_block", "context_columns", "context_left_over"]

Context = Mapping[str, Any]

#: Never stored: machine addresses, the sending library, handles for advertising and push.
DROPPED = frozenset({"ip", "library", "active", "direct", "channel"})
_READ = frozenset(
    {"page", "userAgent", "locale", "timezone", "traits", "externalIds", "sessionId", "session_id", "consent"}
)
_NESTED_READ: dict[str, frozenset[str]] = {
    "device": frozenset({"id", "type", "token", "advertisingId", "adTrackingEnabled"}),
    "os": frozenset({"name"}),
    "app": frozenset({"name"}),
    "campaign": frozenset({"source", "medium", "name", "term", "content"}),
    "location": frozenset({"country"}),
    "referrer": frozenset({"url"}),
}
#: Object of the context -> event column -> its member.
_MEMBERS = {
    "os": {"os": "name"},
    "app": {"app": "name"},
    "location": {"country": "country"},
    "device": {"device_id": "id"},
    "campaign": {
        "utm_source": "source",
        "utm_medium": "medium",
        "utm_campaign": "name",
        "utm_term": "term",
        "utm_content": "content",
    },
}
_HANDHELD = ("ios", "android")


@dataclass(frozen=True, slots=True)
class _Shape:
    """Of a context's keys those that no column reads, and those whose objects are read in part."""

    keys: tuple[str, ...]
    left: tuple[str, ...]
    nested: tuple[str, ...]


@lru_cache(maxsize=20_000)
def _shape_of(keys: tuple[str, ...]) -> _Shape:
    left = tuple(key for key in keys if key not in _READ and key not in DROPPED and key not in _NESTED_READ)
    return _Shape(keys, left, tuple(key for key in keys if key in _NESTED_READ))


@dataclass(frozen=True, slots=True)
class ContextBlock:
    """The contexts of a block of messages, and the keys that occur in any of them."""

    contexts: Sequence[Context]
    present: frozenset[str]
    shapes: Sequence[_Shape]

    def values(self, key: str) -> list[Any] | None:
        """What each context holds under `key`; None when none holds anything."""
        return [context.get(key) for context in self.contexts] if key in self.present else None

    def objects(self, key: str) -> list[Mapping[str, Any]] | None:
        """The object each context holds under `key`, empty where it holds none; None when none does."""
        if key not in self.present:
            return None
        found = [context.get(key) for context in self.contexts]
        return [value if isinstance(value, dict) else {} for value in found]


def context_block(contexts: Sequence[Context]) -> ContextBlock:
    """Look over the contexts of a block once."""
    shapes = [_shape_of(tuple(context)) for context in contexts]
    distinct = {id(shape): shape for shape in shapes}.values()
    return ContextBlock(contexts, frozenset(key for shape in distinct for key in shape.keys), shapes)


def context_columns(block: ContextBlock) -> dict[str, pa.Array]:
    """Columns that contexts fill by themselves: user agent, locale, device, campaign, country, consent, session."""
    columns: dict[str, pa.Array] = {}
    for name, key in (("user_agent", "userAgent"), ("locale", "locale"), ("timezone", "timezone")):
        values = block.values(key)
        if values is not None:
            columns[name] = text_column(values)
    for outer, members in _MEMBERS.items():
        nested = block.objects(outer)
        if nested is not None:
            columns |= {name: text_column([entry.get(key) for entry in nested]) for name, key in members.items()}
    devices = block.objects("device")
    if devices is not None:
        columns["device"] = text_column([_device_kind(entry) for entry in devices])
    consents = block.objects("consent")
    if consents is not None:
        columns["consent"] = object_column(consents)
    if not block.present.isdisjoint(("sessionId", "session_id")):
        columns["session_id"] = text_column([_session(context) for context in block.contexts])
    return columns


def _session(context: Context) -> object:
    session = context.get("sessionId")
    return context.get("session_id") if session is None else session


def _device_kind(device: Mapping[str, Any]) -> str | None:
    """desktop, mobile, tablet, ...: the mobile libraries say the system ("ios") where the kind should be."""
    kind = (as_text(device.get("type")) or "").lower()
    if kind in _HANDHELD:
        named = f"{device.get('model')} {device.get('name')}".lower()
        return "tablet" if "ipad" in named or "tablet" in named else "mobile"
    return kind or None


def context_left_over(context: Context, shape: _Shape) -> dict[str, Any] | None:
    """What no column holds of a context, without what is never stored; None when nothing is left."""
    if not shape.left and not shape.nested:
        return None
    rest = {key: context[key] for key in shape.left}
    for key in shape.nested:
        value = context[key]
        if not isinstance(value, dict):
            continue
        inner = {name: entry for name, entry in value.items() if name not in _NESTED_READ[key]}
        if inner:
            rest[key] = inner
    return rest or None
