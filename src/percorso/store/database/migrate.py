"""Bring a database to the newest revision with Alembic.

A new migration is a file in ``migrations/versions``, named for its number and what it makes, and its number in
:mod:`percorso.store.database.revisions`. Files once released are not changed.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

__all__ = ["known_revisions", "migrate"]


def migrate(connection: Connection) -> None:
    """Run the migrations that are missing, inside the transaction of `connection`: all of them or none."""
    config = _config()
    config.attributes["connection"] = connection  # for migrations/env.py
    command.upgrade(config, "head")


def known_revisions() -> tuple[str, ...]:
    """Revisions of the files in ``migrations/versions``, oldest first."""
    revisions = ScriptDirectory.from_config(_config()).walk_revisions()
    return tuple(script.revision for script in revisions)[::-1]


def _config() -> Config:
    config = Config()
    folder = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))  # % begins a variable there
    return config
