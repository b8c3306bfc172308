"""Page columns of Segment's and RudderStack's messages: URL, title, referrer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from percorso.events.formats.json_values import text_column
from percorso.events.formats.segment_context import ContextBlock
from percorso.events.formats.segment_messages import Message

__all__ = ["page_columns"]


def page_columns(messages: Sequence[Message], contexts: ContextBlock) -> dict[str, pa.Array]:
    """url, title and referrer: the context's page, else the page message's own properties."""
    pages = contexts.objects("page") or [{}] * len(messages)
    referrers = contexts.objects("referrer") or [{}] * len(messages)
    own: list[Mapping[str, Any]] = [
        (message.properties or {}) if message.type in ("page", "screen") else {} for message in messages
    ]
    url = [page.get("url") or p.get("url") for page, p in zip(pages, own, strict=True)]
    title = [
        page.get("title") or p.get("title") or (m.name if m.type == "screen" else None)
        for page, p, m in zip(pages, own, messages, strict=True)
    ]
    referrer = [
        page.get("referrer") or p.get("referrer") or outer.get("url")
        for page, p, outer in zip(pages, own, referrers, strict=True)
    ]
    return {"url": text_column(url), "title": text_column(title), "referrer": text_column(referrer)}
