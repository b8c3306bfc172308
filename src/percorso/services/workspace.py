"""Make and open a workspace: one folder with one brand's settings, events and journey log."""

from __future__ import annotations

import errno
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from percorso.errors import Corrupt, WorkspaceError
from percorso.language.said import said
from percorso.settings import EngineSettings, Settings, default_toml, load_settings
from percorso.store.database import DATABASE_FILE
from percorso.store.files import AnyPath
from percorso.store.objects import ObjectPath, ObjectStore

__all__ = ["Workspace", "default_folder", "init_workspace", "open_workspace"]

SETTINGS_FILE = "percorso.toml"
SECRET_FILE = "secret.key"
SECRET_BYTES = 32

#: Folders of personal data; nobody but the owner of the key could make use of them with Percorso.
_PERSONAL = ("lake", "log", "tmp")


@dataclass(frozen=True, slots=True)
class Workspace:
    """An opened workspace.

    Parameters
    ----------
    folder : Path
        Absolute path of the workspace.
    settings : Settings
        What its `percorso.toml` says.
    secret : bytes, length 32
        Key of all hashes of identifiers; never shown.
    """

    folder: Path
    settings: Settings
    secret: bytes = field(repr=False)
    #: Chosen for this process by `percorso.services.engine.choose_engine`; None: as environment and settings say.
    engine: EngineSettings | None = None

    @property
    def lake(self) -> AnyPath:
        """Delta tables: events, rejected rows, ad spend, imports."""
        return self._stored(self.settings.storage.lake or "lake")

    @property
    def log(self) -> AnyPath:
        """The journey log."""
        return self._stored(self.settings.storage.log or "log")

    @property
    def database(self) -> Path:
        """The application database; a file that is made by the first decision."""
        return self.folder / DATABASE_FILE

    @property
    def erasures(self) -> Path:
        """Erasures under way, and a record of those that are done; a folder that is made by the first one."""
        return self.folder / "erasures"

    @property
    def state(self) -> Path:
        """What the last build learned of the rows; derived, and personal data like the lake."""
        return self.folder / "state"

    @property
    def tmp(self) -> Path:
        """Scratch of builds and imports; may be emptied while nothing runs."""
        return self.folder / "tmp"

    @property
    def memory_bytes(self) -> int:
        """What joins and sorts may use: the setting, else half of the machine."""
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return self.settings.build.memory_limit_bytes or machine // 2

    @property
    def mappings(self) -> Path:
        """Mapping files kept by `percorso import --save-mapping`."""
        return self.folder / "mappings"

    def _stored(self, where: str) -> AnyPath:
        """A folder, seen from the workspace, or an address in an object store."""
        storage = self.settings.storage
        scheme, found, rest = where.partition("://")
        if not found:
            return self.folder / where
        bucket, _, key = rest.partition("/")
        cache = str(self.folder / storage.cache) if storage.cache else ""
        store = ObjectStore(
            f"{scheme}://{bucket}", storage.endpoint, storage.region, storage.allow_http, cache, storage.cache_bytes
        )
        return ObjectPath(store, key)


def default_folder() -> Path:
    """The workspace where none is named: $PERCORSO_HOME, else ./percorso-data."""
    return Path(os.environ.get("PERCORSO_HOME") or "percorso-data")


def init_workspace(
    folder: Path,
    *,
    currency: str = "EUR",
    timezone: str = "Europe/Rome",
    language: str = "it",
    country: str = "IT",
    stage_model: str = "retail",
) -> Workspace:
    """Make a workspace: folders, a commented `percorso.toml`, a secret key.

    The settings file comes last: what an interrupted run leaves is no workspace, and can be made one.

    Raises
    ------
    WorkspaceError
        There is a workspace already, or the folder cannot be made.
    SettingsError
        One of the values is not allowed.
    """
    text = default_toml(
        currency=currency, timezone=timezone, language=language, country=country, stage_model=stage_model
    )
    folder = folder.absolute()
    if (folder / SETTINGS_FILE).exists():
        raise _already(folder)
    try:
        for name in ("mappings", *_PERSONAL):
            (folder / name).mkdir(mode=0o700 if name in _PERSONAL else 0o777, parents=True, exist_ok=True)
        _make_secret(folder / SECRET_FILE)
        _write_new(folder / SETTINGS_FILE, text.encode(), mode=0o644)
    except FileExistsError as error:
        raise _already(folder) from error
    except OSError as error:
        raise WorkspaceError(
            said("errors.workspace_not_made", folder=str(folder), reason=str(error.strerror)),
            hint=said("errors.workspace_not_made_hint"),
        ) from error
    return open_workspace(folder)


def open_workspace(folder: Path) -> Workspace:
    """The workspace in `folder`.

    Raises
    ------
    WorkspaceError
        There is none.
    SettingsError
        Its `percorso.toml` holds a wrong value.
    Corrupt
        Its secret key is missing or damaged.
    """
    folder = folder.absolute()
    try:
        text = (folder / SETTINGS_FILE).read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise WorkspaceError(
            said("errors.no_workspace", folder=str(folder)),
            hint=said("errors.no_workspace_hint", folder=str(folder)),
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = str(error.strerror) if isinstance(error, OSError) else said("errors.no_utf_text")
        raise WorkspaceError(said("errors.not_read", file=str(folder / SETTINGS_FILE), reason=reason)) from error
    settings = load_settings(text, where=SETTINGS_FILE)
    return Workspace(folder=folder, settings=settings, secret=_read_secret(folder / SECRET_FILE))


def _already(folder: Path) -> WorkspaceError:
    error = WorkspaceError(
        said("errors.workspace_already", folder=str(folder)),
        hint=said("errors.workspace_already_hint", file=str(folder / SETTINGS_FILE)),
    )
    error.status = 409
    return error


def _make_secret(path: Path) -> None:
    """A new key, unless an interrupted run (or a backup) left one."""
    if not path.exists():
        _write_new(path, secrets.token_bytes(SECRET_BYTES), mode=0o600)


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that must not exist yet; it appears whole, with these permissions from its first byte on."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(partial, path)  # unlike rename, refuses an existing file: of two runs at once one wins
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK) or path.exists():
            raise
        partial.rename(path)  # a file system without hard links
    finally:
        partial.unlink(missing_ok=True)


def _read_secret(path: Path) -> bytes:
    hint = "Restore secret.key from the workspace's backup: without it people get other ids than before."
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise Corrupt(f"The workspace's {SECRET_FILE} cannot be read: {error.strerror}.", hint=hint) from error
    if len(secret) != SECRET_BYTES:
        raise Corrupt(f"The workspace's {SECRET_FILE} does not hold {SECRET_BYTES} bytes.", hint=hint)
    return secret
