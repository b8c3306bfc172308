"""Segment's and RudderStack's messages as they stand in a file, and how a line becomes messages.

Only what decides whether a message can be used is typed: a wrong type there refuses the message, any
other odd value is left empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

__all__ = ["Message", "decode_line"]

Scalar = str | int | float | bool | None

_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


# gc=False: messages are trees, so the collector need not look at them (it took a third of the time).
class Message(msgspec.Struct, rename="camel", gc=False):
    """One message. Members not named here (integrations, version, writeKey, request_ip, ...) are not read."""

    type: str | None = None
    event: Scalar = None
    name: Scalar = None
    category: Scalar = None
    message_id: Scalar = None
    anonymous_id: Scalar = None
    user_id: Scalar = None
    previous_id: Scalar = None
    group_id: Scalar = None
    timestamp: Scalar = None
    original_timestamp: Scalar = None
    sent_at: Scalar = None
    received_at: Scalar = None
    sequence: int | None = None
    context: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None


class _Line(Message, rename="camel", gc=False):
    batch: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_decode_line = msgspec.json.Decoder(_Line).decode
_decode_message = msgspec.json.Decoder(Message).decode
_decode_batch = msgspec.json.Decoder(list[msgspec.Raw]).decode


def decode_line(text: bytes) -> list[Message | msgspec.MsgspecError]:
    """The messages of one line: one, or those of a `{"batch": [...]}`, each decoded or refused by itself.

    Raises
    ------
    msgspec.MsgspecError, UnicodeDecodeError, RecursionError
        The line is no message at all.
    """
    try:
        line = _decode_line(text)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        mended = _LONE_SURROGATE.sub(rb"\\ufffd", text)  # half an emoji, cut by a sender's length limit
        if mended == text:
            raise
        line = _decode_line(mended)
    if line.batch is msgspec.UNSET:
        return [line]
    return [_member(line, raw) for raw in _decode_batch(line.batch)]


def _member(line: _Line, raw: msgspec.Raw) -> Message | msgspec.MsgspecError:
    """A message of a batch, with the batch's own context and times where it has none."""
    try:
        message = _decode_message(raw)
    except msgspec.MsgspecError as error:
        return error
    message.context = _merged(line.context, message.context)
    message.sent_at = message.sent_at if message.sent_at is not None else line.sent_at
    message.received_at = message.received_at if message.received_at is not None else line.received_at
    return message


def _merged(outer: Mapping[str, Any] | None, inner: dict[str, Any] | None) -> dict[str, Any] | None:
    return {**outer, **(inner or {})} if outer else inner
