"""Files in an object store: S3 and what speaks its protocol, Azure, Google.

An :class:`ObjectPath` stands where a `pathlib.Path` stands: folders are prefixes of keys. Neither it nor anything that
is made of it holds credentials: each process takes them from its own environment when it first reaches the store.
"""

from __future__ import annotations

import functools
import importlib
import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from percorso.errors import StorageFailed
from percorso.language.said import said

__all__ = ["ChangedError", "ObjectPath", "ObjectReader", "ObjectStore", "StoredObject", "object_errors"]

_SCHEMES_S3 = ("s3", "s3a")
#: What an answer of the store says of an error, and nothing else of it: S3 repeats what was signed, with the key's id.
_LIBRARIES = ("obstore", "_obstore", "deltalake", "_internal")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_NO_ANSWER = re.compile("error sending request|connect|timed out|dns", re.IGNORECASE)
_OF_STORES = ("AWS_", "AZURE_", "GOOGLE_")
_REFUSED = ("PermissionDeniedError", "UnauthenticatedError")
_REFUSED_CODES = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")


class ChangedError(Exception):
    """An object is not in the version upon which it was to be written; caught by the store's callers."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectStore:
    """How a bucket is reached, without credentials.

    Parameters
    ----------
    root : str
        Scheme and bucket: ``s3://bucket``.
    endpoint : str
        Address of the server; "" for that of the scheme's own cloud.
    region : str
        "" as the environment says.
    allow_http : bool
        May the endpoint be reached without TLS?
    cache : str
        Folder of local copies; "" for the user's cache folder.
    cache_bytes : int
        What the copies may take together.
    """

    root: str
    endpoint: str = ""
    region: str = ""
    allow_http: bool = False
    cache: str = ""
    cache_bytes: int = 20_000_000_000

    def table_options(self) -> dict[str, str]:
        """As deltalake takes them, which adds credentials from the environment."""
        if not self.root.startswith(_SCHEMES_S3):
            return {}
        found = {
            # Commits are safe because an object that is there already is not overwritten; no lock table is needed.
            "aws_conditional_put": "etag",
            "aws_endpoint": self.endpoint,
            "aws_region": self.region or ("us-east-1" if self.endpoint else ""),
            "aws_allow_http": "true" if self.allow_http else "",
            "max_retries": str(_RETRIES),
            "retry_timeout": f"{_RETRY_S}s",
        }
        return {name: value for name, value in found.items() if value}

    def config(self) -> dict[str, str]:
        """As obstore takes it, beside the environment's credentials."""
        return {name: value for name, value in (("endpoint", self.endpoint), ("region", self._region())) if value}

    def _region(self) -> str:
        return self.region or ("us-east-1" if self.endpoint and "AWS_REGION" not in os.environ else "")


@dataclass(frozen=True, slots=True, order=True)
class ObjectPath:
    """A file or folder in an object store, with what of `pathlib.Path` the store needs."""

    store: ObjectStore
    key: str

    def __str__(self) -> str:
        return f"{self.store.root}/{self.key}" if self.key else self.store.root

    def __truediv__(self, name: str) -> ObjectPath:
        return ObjectPath(self.store, f"{self.key}/{name}" if self.key else name)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.key.split("/"))

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def stem(self) -> str:
        return self.name.rpartition(".")[0] or self.name

    @property
    def parent(self) -> ObjectPath:
        return ObjectPath(self.store, self.key.rpartition("/")[0])

    def relative_to(self, folder: ObjectPath) -> str:
        """The path from a folder on; ValueError where it is not in it."""
        if self.store != folder.store or not self.key.startswith(f"{folder.key}/"):
            raise ValueError(f"{self} is not in {folder}")
        return self.key[len(folder.key) + 1 :]

    def absolute(self) -> ObjectPath:
        return self

    def read_bytes(self) -> bytes:
        """The whole object; FileNotFoundError where there is none."""
        return self.read_version()[0]

    def read_version(self) -> tuple[bytes, str]:
        """The whole object, and which version of it this is."""
        with object_errors(self):
            found = _library().get(self._client(), self.key)
            return bytes(found.bytes()), _version(found.meta)

    def write_bytes(self, content: bytes, *, over: str | None = None) -> str:
        """Write the object whole, and return its version.

        Parameters
        ----------
        content : bytes
        over : str, optional
            The version that it must have; "": there must be none. None: whatever it has.

        Raises
        ------
        ChangedError
            It has another one.
        """
        mode: Any = "overwrite"
        if over is not None:
            mode = dict(zip(("e_tag", "version"), over.split("\n"), strict=True)) if over else "create"
            mode = {name: value for name, value in mode.items() if value} if over else mode
        try:
            with object_errors(self):
                return _version(_library().put(self._client(), self.key, content, mode=mode, use_multipart=False))
        except ChangedError:
            # An answer that was lost on its way is asked for again, and then it is our own writing that is there.
            with suppress(FileNotFoundError):
                found, version = self.read_version()
                if found == content:
                    return version
            raise

    def upload(self, file: Path) -> None:
        """Put a finished file there; it appears whole or not at all, however large."""
        with object_errors(self):
            _library().put(self._client(), self.key, file)

    def download(self) -> Iterator[bytes]:
        """The object in pieces."""
        with object_errors(self):
            yield from map(bytes, _library().get(self._client(), self.key).stream(min_chunk_size=1 << 22))

    def size(self) -> int:
        """Bytes of the object; FileNotFoundError where there is none."""
        with object_errors(self):
            return int(_library().head(self._client(), self.key)["size"])

    def read_range(self, start: int, end: int) -> bytes:
        """Some bytes of the object."""
        with object_errors(self):
            return bytes(_library().get_range(self._client(), self.key, start=start, end=end))

    def listed(self) -> Iterator[StoredObject]:
        """What stands beneath the folder, at any depth, in the order of names."""
        with object_errors(self):
            # The slash: a prefix of texts would also find the folder's neighbours.
            for batch in _library().list(self._client(), f"{self.key}/" if self.key else None):
                for found in batch:
                    changed_ns = int(found["last_modified"].timestamp() * 1e6) * 1_000
                    yield StoredObject(ObjectPath(self.store, found["path"]), int(found["size"]), changed_ns)

    def changed_ns(self) -> int:
        """When it was written, by the clock of the store."""
        with object_errors(self):
            return int(_library().head(self._client(), self.key)["last_modified"].timestamp() * 1e9)

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete the object; a store does not tell whether there was one."""
        delete_objects([self])

    def _client(self) -> Any:
        return _client(self.store, os.getpid(), _environment())


class ObjectReader(io.RawIOBase):
    """An object as a file of which only those bytes are fetched that somebody reads."""

    def __init__(self, path: ObjectPath) -> None:
        super().__init__()
        self._path, self._size, self._at = path, path.size(), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        found = self._path.read_range(self._at, end) if end > self._at else b""
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing shows it."""

    path: ObjectPath
    size: int
    changed_ns: int


def delete_objects(paths: Sequence[ObjectPath]) -> None:
    """Delete objects of one store; those that are not there are passed over."""
    if paths:
        with object_errors(paths[0]):
            _library().delete(paths[0]._client(), [path.key for path in paths])


_RETRIES = 3
_RETRY_S = 20


def _library() -> Any:
    try:
        return importlib.import_module("obstore")
    except ImportError as error:
        raise StorageFailed(said("errors.storage_library"), hint=said("errors.storage_library_hint")) from error


def _environment() -> int:
    """A number that changes with the credentials, so that who corrects them in a session need not begin a new one."""
    return hash(tuple(sorted(pair for pair in os.environ.items() if pair[0].startswith(_OF_STORES))))


@functools.lru_cache(maxsize=32)
def _client(store: ObjectStore, pid: int, environment: int) -> Any:
    """The library's connection: of this process alone, for it has threads, and of the environment as it is now."""
    _library()
    from_url = importlib.import_module("obstore.store").from_url
    s3 = store.root.startswith(_SCHEMES_S3)
    return from_url(
        store.root,
        **(store.config() if s3 else {}),
        client_options={"allow_http": store.allow_http, "connect_timeout": "10s", "timeout": "300s"},
        retry_config={
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=_RETRY_S),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=2),
                "base": 2,
            },
        },
    )


@contextmanager
def object_errors(path: ObjectPath) -> Iterator[None]:
    """Turn what libraries raise into one clear error; FileNotFoundError stays one.

    The library's own text goes no further: a store's refusal may repeat parts of the request.
    """
    try:
        yield
    except (StorageFailed, ChangedError):
        raise
    except Exception as error:
        if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _LIBRARIES:
            raise _told(path, error) from None
        raise


def _told(path: ObjectPath, error: Exception) -> Exception:
    kind, text = type(error).__name__, str(error)
    code = next(iter(_CODE.findall(text)), "")
    status = next(iter(_STATUS.findall(text)), "")
    bucket = path.store.root
    if code == "NoSuchBucket":
        return StorageFailed(said("errors.storage_bucket", bucket=bucket), hint=said("errors.storage_bucket_hint"))
    if kind in ("AlreadyExistsError", "PreconditionError"):
        return ChangedError(path.name)
    if kind in _REFUSED or code in _REFUSED_CODES or status in ("401", "403"):
        return StorageFailed(
            said("errors.storage_refused", bucket=bucket, reason=code or status or "403"),
            hint=said("errors.storage_refused_hint"),
        )
    if isinstance(error, FileNotFoundError) or (kind == "TableNotFoundError"):
        return FileNotFoundError(2, "No such object", str(path))
    reason = code or (f"HTTP {status}" if status else "no answer" if _NO_ANSWER.search(text) else kind)
    where = path.store.endpoint or bucket
    return StorageFailed(
        said("errors.storage_failed", where=where, reason=reason), hint=said("errors.storage_failed_hint")
    )


def _version(meta: Any) -> str:
    return f"{meta.get('e_tag') or ''}\n{meta.get('version') or ''}"
