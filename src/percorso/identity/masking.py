"""Identifiers for the eye: enough to recognise one that is known, too little to learn one that is not."""

from __future__ import annotations

__all__ = ["mask"]

_DOTS = "•••"
_ENOUGH = 6  # of a shorter value no more than its last letter is shown,
_LITTLE = 3  # and of a still shorter one nothing


def mask(kind: str, value: str) -> str:
    """An identifier with most of it hidden; how much is hidden does not show.

    Parameters
    ----------
    kind : str
        "email", "phone" or any other type.
    value : str
        In its normal form.

    Examples
    --------
    >>> mask("email", "anna.rossi@example.it"), mask("phone", "+393471234456"), mask("user_id", "user-1042")
    ('a•••@example.it', '+39•••••456', 'u…42')
    """
    if kind == "email":
        name, _, domain = value.rpartition("@")
        return f"{name[:1]}{_DOTS}@{domain}"
    if kind == "phone":
        return f"{value[:3]}•••••{value[-3:]}"
    if len(value) < _ENOUGH:
        return f"…{value[-1:]}" if len(value) >= _LITTLE else "…"
    return f"{value[:1]}…{value[-2:]}"
