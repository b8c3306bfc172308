"""Who decides, where nobody says it."""

from __future__ import annotations

import getpass

__all__ = ["system_user"]


def system_user() -> str:
    """Name of the user who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container that runs as a number without a name
        return "unknown"
