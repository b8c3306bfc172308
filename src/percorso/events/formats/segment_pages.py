"""Page columns of Segment's and RudderStack's messages: URL, title, referrer."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.formats.json_values import text_column
from percorso.events.formats.segment_context import ContextBlock
from percorso.events.formats.segment_messages import Message

__all__ = ["page_columns"]


def page_columns(messages: Sequence[Message], contexts: ContextBlock) -> dict[str, pa.Array]:
    """url, title and referrer: the context's page, else the page message's own properties."""
    pages = contexts.objects("page")
    columns: dict[str, pa.Array] = {}
    for name in ("url", "title", "referrer"):
        column = text_column([page.get(name) for page in pages] if pages is not None else [None] * len(messages))
        if column.null_count:
            column = pc.coalesce(column, text_column([_own(message, name) for message in messages]))
        columns[name] = column
    referrers = contexts.objects("referrer")
    if referrers is not None:
        columns["referrer"] = pc.coalesce(columns["referrer"], text_column([entry.get("url") for entry in referrers]))
    return columns


def _own(message: Message, name: str) -> object:
    """What a page or screen says of itself; a screen's name is its title."""
    if message.type not in ("page", "screen"):
        return None
    value = message.properties.get(name) if message.properties else None
    return message.name if value is None and name == "title" and message.type == "screen" else value
