"""Identifiers and traits of Segment's and RudderStack's messages.

As Segment does, e-mail and phone are taken from traits, context.traits and external ids, not from
`properties`: there they may be somebody else's (an invited friend's, a gift's).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from percorso.events.formats.json_values import as_text, object_column, text_column
from percorso.events.formats.property_keys import DROPPED_KEYS
from percorso.events.formats.segment_context import ContextBlock
from percorso.events.formats.segment_messages import Message

__all__ = ["identity_columns"]

_TRAIT_KEYS: dict[str, tuple[str, ...]] = {
    "email": ("email",),
    "phone": ("phone",),
    "loyalty_id": ("loyalty_id", "loyaltyId"),
    "card_token": ("card_token", "cardToken"),
}
_IN_COLUMNS = frozenset(key for keys in _TRAIT_KEYS.values() for key in keys) | DROPPED_KEYS
#: Types of external ids that are event columns; any other is an own type.
_EXTERNAL_COLUMNS = frozenset({"user_id", "anonymous_id", "email", "phone", "loyalty_id", "card_token"})


def identity_columns(
    messages: Sequence[Message], contexts: ContextBlock, own_types: Sequence[str]
) -> dict[str, pa.Array]:
    """Identifier, alias and traits columns.

    Parameters
    ----------
    messages : sequence of Message, shape (rows,)
    contexts : ContextBlock
    own_types : sequence of str
        The workspace's own identifier types, looked for among the traits too.
    """
    rows = len(messages)
    found: dict[str, list[object]] = {
        "user_id": [message.user_id for message in messages],
        "anonymous_id": [message.anonymous_id for message in messages],
    }
    traits: list[dict[str, Any] | None] = [None] * rows
    others: list[dict[str, str] | None] = [None] * rows
    for row in _telling(messages, contexts):
        message, context = messages[row], contexts.contexts[row]
        told = _traits(message, context)
        ids = _ids(told, context.get("externalIds"), own_types)
        others[row] = {kind: value for kind, value in ids.items() if kind not in _EXTERNAL_COLUMNS} or None
        for name in _EXTERNAL_COLUMNS.intersection(ids):
            column = found.setdefault(name, [None] * rows)
            column[row] = ids[name] if column[row] in (None, "") else column[row]
        if message.type in ("identify", "group"):
            traits[row] = {key: value for key, value in told.items() if key not in _IN_COLUMNS}
    columns = {name: text_column(values) for name, values in found.items()}
    columns["previous_id"] = text_column([message.previous_id for message in messages])
    columns["traits"] = object_column(traits)
    columns["other_ids"] = object_column(others)
    return columns


def _telling(messages: Sequence[Message], contexts: ContextBlock) -> list[int]:
    """The messages that say more of the person than user and anonymous id: few."""
    if contexts.present.isdisjoint(("traits", "externalIds")):
        return [row for row, message in enumerate(messages) if message.traits]
    return [
        row
        for row, (message, context) in enumerate(zip(messages, contexts.contexts, strict=True))
        if message.traits or "traits" in context or "externalIds" in context
    ]


def _traits(message: Message, context: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message's traits over those of its context, where RudderStack's SDKs put them."""
    outer = context.get("traits")
    return {**(outer if isinstance(outer, dict) else {}), **(message.traits or {})}


def _ids(traits: Mapping[str, Any], external: object, own_types: Sequence[str]) -> dict[str, str]:
    ids: dict[str, str] = {}
    for entry in external if isinstance(external, list) else ():
        if isinstance(entry, dict):
            kind, value = as_text(entry.get("type")), as_text(entry.get("id"))
            if kind and value:
                ids[kind] = value
    for name, keys in (*_TRAIT_KEYS.items(), *((kind, (kind,)) for kind in own_types)):
        value = next((text for key in keys if (text := as_text(traits.get(key)))), None)
        if value:
            ids[name] = value
    return ids
