"""Italian names cover what the product ships."""

from __future__ import annotations

from percorso.events.devices import DEVICE_KINDS
from percorso.journeys.channels import CHANNEL_NAMES
from percorso.journeys.event_rules import EVENT_RULES, ORDER_TOUCHPOINTS
from percorso.journeys.names import (
    CHANNEL_NAMES_IT,
    DEVICE_NAMES_IT,
    DIRECTION_NAMES_IT,
    PLACE_NAMES_EN,
    PLACE_NAMES_IT,
    SIGNAL_NAMES_IT,
    TOUCHPOINT_NAMES_IT,
    display_name,
)
from percorso.journeys.pages import PAGE_RULES
from percorso.journeys.touchpoints import BOOKKEEPING
from percorso.settings import PLACES
from percorso.settings.stages import SIGNALS


def test_channels_places_directions_signals_devices() -> None:
    assert tuple(CHANNEL_NAMES_IT) == CHANNEL_NAMES
    assert tuple(PLACE_NAMES_IT) == tuple(PLACE_NAMES_EN) == PLACES
    assert set(DIRECTION_NAMES_IT) == {"inbound", "outbound", "both"}  # both: of a touchpoint, not of an event
    assert tuple(SIGNAL_NAMES_IT) == SIGNALS
    assert tuple(DEVICE_NAMES_IT) == DEVICE_KINDS


def test_touchpoints() -> None:
    shipped = {rule.touchpoint for rule in EVENT_RULES.values()} | {rule.touchpoint for rule in PAGE_RULES}
    assert set(TOUCHPOINT_NAMES_IT) == shipped | set(ORDER_TOUCHPOINTS.values()) | BOOKKEEPING
    assert len(set(TOUCHPOINT_NAMES_IT.values())) == len(TOUCHPOINT_NAMES_IT)


def test_a_name_of_the_workspaces_own_is_shown_as_it_is() -> None:
    assert display_name("Vetrina", TOUCHPOINT_NAMES_IT) == "Vetrina"
