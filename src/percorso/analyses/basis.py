"""What a question takes from the workspace beside the journey log: currency, rates, names of stages.

These are settings of asking, not of building: changing a rate needs no new log.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from percorso.language.words import Words
from percorso.money import RateTable
from percorso.settings import Settings
from percorso.settings.stages import StageModel

__all__ = ["Basis", "basis_of"]


@dataclass(frozen=True, slots=True)
class Basis:
    """What a question takes from the workspace.

    Parameters
    ----------
    currency : str
        ISO 4217 code in which values are shown and added up.
    rates : RateTable
        Rates into it.
    timezone : str
        IANA name; rates are those of its days, whatever zone the question is asked in.
    stages : StageModel
        The stages, in order.
    session_timeout_us, journey_timeout_us : int
        As the settings have them, µs.
    order_open_us : int
        How long an order's journey stays open after it, its delivery or the last care on it, µs.
    tax : {"unknown", "included", "excluded"}
        Whether amounts hold tax: a label of values, nothing is converted.
    """

    currency: str = "EUR"
    rates: RateTable = field(default_factory=lambda: RateTable({}))
    timezone: str = "UTC"
    stages: StageModel = field(default_factory=StageModel)
    session_timeout_us: int = 30 * 60_000_000
    journey_timeout_us: int = 30 * 86_400_000_000
    order_open_us: int = 30 * 86_400_000_000
    tax: str = "unknown"

    def words(self, language: str) -> Words:
        """What a page says in a language: with the workspace's own names of stages, and names for all codes."""
        return Words(language, self.stages.names(language), is_for_page=True)


def basis_of(settings: Settings) -> Basis:
    """What a workspace's settings say."""
    return Basis(
        currency=settings.workspace.currency,
        rates=RateTable.of(settings.rates),
        timezone=settings.workspace.timezone,
        stages=settings.stages,
        session_timeout_us=settings.sessions.timeout_us,
        journey_timeout_us=settings.journeys.timeout_us,
        order_open_us=settings.journeys.order_open_us,
        tax=settings.workspace.tax,
    )
