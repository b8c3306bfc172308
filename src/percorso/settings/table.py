"""Every setting, once: where it stands in `percorso.toml`, its kind, its default, what it does.

:mod:`percorso.settings.file` validates with this table, :mod:`percorso.settings.writer` writes the
commented file and ``docs/reference/settings.md`` from it.
"""

from __future__ import annotations

from percorso.settings.engine_sections import ENGINE
from percorso.settings.identity_sections import BOTS, IDENTITY
from percorso.settings.journey_sections import CHANNELS, JOURNEYS, PATHS, SESSIONS, STAGES
from percorso.settings.kpi_sections import SERVICE, TARGETS
from percorso.settings.map_sections import MAP
from percorso.settings.sections import Section
from percorso.settings.storage_sections import STORAGE
from percorso.settings.values import Settings
from percorso.settings.workspace_sections import ALIASES, BUILD, IMPORT, PLACES, RATES, WORKSPACE

__all__ = ["ROOT", "SECTIONS"]

#: The file, from top to bottom.
SECTIONS: tuple[Section, ...] = (
    WORKSPACE,
    RATES,
    SESSIONS,
    STAGES,
    CHANNELS,
    PLACES,
    IDENTITY,
    JOURNEYS,
    PATHS,
    BOTS,
    IMPORT,
    BUILD,
    ENGINE,
    STORAGE,
    MAP,
    TARGETS,
    SERVICE,
    ALIASES,
)

#: The whole file is a table without a name.
ROOT = Section("", "table", "", "", Settings, parts=SECTIONS)
