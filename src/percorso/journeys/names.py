"""Italian names of what the product ships: channels, places, directions, signals, touchpoints.

The log, results and the command line hold the English keys; whoever shows them to people asks here. A
name that the workspace chose itself has no entry and is shown as it is. They stand in
``language/data/names.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping

from percorso.language.words import names_of

__all__ = [
    "CHANNEL_NAMES_IT",
    "DEVICE_NAMES_IT",
    "DIRECTION_NAMES_IT",
    "PLACE_NAMES_EN",
    "PLACE_NAMES_IT",
    "SIGNAL_NAMES_IT",
    "TOUCHPOINT_NAMES_IT",
    "display_name",
]

CHANNEL_NAMES_IT = names_of("channel", "it")
PLACE_NAMES_EN = names_of("place", "en")
PLACE_NAMES_IT = names_of("place", "it")
DIRECTION_NAMES_IT = names_of("direction", "it")
SIGNAL_NAMES_IT = names_of("signal", "it")
DEVICE_NAMES_IT = names_of("device", "it")
TOUCHPOINT_NAMES_IT = names_of("touchpoint", "it")


def display_name(key: str, names: Mapping[str, str]) -> str:
    """The name of a key, the key itself where there is none.

    Examples
    --------
    >>> display_name("cart", TOUCHPOINT_NAMES_IT), display_name("Vetrina", TOUCHPOINT_NAMES_IT)
    ('carrello', 'Vetrina')
    """
    return names.get(key, key)
