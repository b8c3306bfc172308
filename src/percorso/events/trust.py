"""Whom to believe: kinds of source differ in how far their word goes.

A till and a shop system have seen the money; a page or an app runs on the visitor's device and says what
was on the screen there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["ORDER_TRUST", "is_client", "order_trust"]

#: Whose record of an order counts, the lowest first: the till, the shop system and its servers, the site, the app.
ORDER_TRUST: Mapping[str, int] = MappingProxyType({"pos": 1, "server": 2, "web": 3, "app": 4})

_ANY_OTHER = 5
_CLIENTS = frozenset(("web", "app"))


def order_trust(source_kind: str) -> int:
    """Rank of a kind of source (of SOURCE_KINDS) as a witness of orders, 1 to 5; lower is believed first.

    Examples
    --------
    >>> order_trust("pos") < order_trust("web") < order_trust("crm")
    True
    """
    return ORDER_TRUST.get(source_kind, _ANY_OTHER)


def is_client(source_kind: str) -> bool:
    """Whether the source runs on the visitor's own device, where anybody can make it say anything.

    Examples
    --------
    >>> is_client("web"), is_client("server")
    (True, False)
    """
    return source_kind in _CLIENTS
