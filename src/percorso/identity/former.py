"""Whom a `previous_id` means: an account that is taken over, or the browser or device before a login."""

from __future__ import annotations

from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier

__all__ = ["FORMER_KINDS", "former_identifiers"]

#: Types that a `previous_id` may be of. The graph knows it as a user id alone.
FORMER_KINDS = ("user_id", "anonymous_id", "device_id")


def former_identifiers(previous_id: str, space: str, rules: IdentifierRules) -> frozenset[Identifier]:
    """Everything that a `previous_id` on a row of an id space can be; nothing where it points at nobody."""
    normal = {kind: rules.normalise(kind, previous_id) for kind in FORMER_KINDS}
    return frozenset(Identifier(kind, space, value) for kind, value in normal.items() if value is not None)
