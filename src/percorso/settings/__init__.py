"""The workspace's settings: what `percorso.toml` says, as frozen values with units in their names.

The shipped `percorso.toml` and the page ``docs/reference/settings.md`` are generated from the table that
validates it (:mod:`percorso.settings.table`), so that every key is documented where it stands.
"""

from percorso.settings.codes import COUNTRIES, CURRENCY_EXPONENTS, LANGUAGES, PLACES
from percorso.settings.durations import duration_text, parse_duration_us
from percorso.settings.file import default_toml, load_settings
from percorso.settings.stages import SIGNALS, STAGE_MODELS, Stage, StageModel
from percorso.settings.values import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    BotSettings,
    BuildSettings,
    ChannelRule,
    ChannelSettings,
    EngineSettings,
    Goal,
    IdentitySettings,
    ImportSettings,
    JourneySettings,
    MapGoal,
    MapSettings,
    PathRule,
    PathSettings,
    PlaceSettings,
    Rate,
    ServiceSettings,
    SessionSettings,
    Settings,
    StorageSettings,
    Target,
    WorkspaceSettings,
)

__all__ = [
    "COUNTRIES",
    "CURRENCY_EXPONENTS",
    "DAY_US",
    "HOUR_US",
    "LANGUAGES",
    "MINUTE_US",
    "PLACES",
    "SIGNALS",
    "STAGE_MODELS",
    "BotSettings",
    "BuildSettings",
    "ChannelRule",
    "ChannelSettings",
    "EngineSettings",
    "Goal",
    "IdentitySettings",
    "ImportSettings",
    "JourneySettings",
    "MapGoal",
    "MapSettings",
    "PathRule",
    "PathSettings",
    "PlaceSettings",
    "Rate",
    "ServiceSettings",
    "SessionSettings",
    "Settings",
    "Stage",
    "StageModel",
    "StorageSettings",
    "Target",
    "WorkspaceSettings",
    "default_toml",
    "duration_text",
    "load_settings",
    "parse_duration_us",
]
