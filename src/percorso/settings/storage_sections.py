"""The section of `percorso.toml` on where lake and log stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from percorso.settings import kinds
from percorso.settings.kinds import Kind, WrongValueError
from percorso.settings.sections import Key, Problem, Section
from percorso.settings.values import StorageSettings

__all__ = ["OBJECT_SCHEMES", "STORAGE"]

#: What begins an address in an object store. The first two are tested; see docs/how-to/object-storage.md.
OBJECT_SCHEMES = ("s3", "s3a", "abfs", "abfss", "az", "gs")

_FROM_ENVIRONMENT = (
    "Credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...), never from this file."
)
#: The container of Azure's addresses stands where others have a user: abfss://container@account.dfs.core.windows.net
_CONTAINER = ("abfs", "abfss", "az")


def _text(value: object, allowed: str) -> str:
    # What is wrong is never repeated: it may hold a credential.
    if not isinstance(value, str):
        raise WrongValueError("this is not a text.", f"Allowed: {allowed}.")
    return value.strip()


def _refuse_credentials(text: str, *, container: bool) -> None:
    parts = urlsplit(text)
    user, colon, _ = parts.netloc.rpartition("@")[0].partition(":")
    if colon or (user and not container) or parts.query or parts.fragment:
        raise WrongValueError("an address must hold no credentials, signatures or options.", _FROM_ENVIRONMENT)


def _place(value: object) -> str:
    text = _text(value, 'a folder, or an address such as "s3://bucket/shop"')
    scheme, found, rest = text.partition("://")
    if not found:
        begun = re.match(r"([a-z0-9]+)(?::/|//)", text)
        if begun and begun[1] in OBJECT_SCHEMES:
            raise WrongValueError("this is no address, and a strange folder.", f"Did you mean '{begun[1]}://'?")
        return text
    if scheme not in OBJECT_SCHEMES:
        raise WrongValueError("this is no address of an object store.", f"Allowed: {', '.join(OBJECT_SCHEMES)}.")
    _refuse_credentials(text, container=scheme in _CONTAINER)
    if "/" not in rest.rstrip("/") or rest.startswith("/") or "//" in rest or ".." in rest.split("/"):
        raise WrongValueError("this address names no bucket and prefix.", 'Allowed: such as "s3://bucket/shop/lake".')
    return text.rstrip("/")


def _endpoint(value: object) -> str:
    allowed = 'an address such as "https://minio.example:9000", or nothing'
    text = _text(value, allowed).rstrip("/")
    if text:
        _refuse_credentials(text, container=False)
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path:
            raise WrongValueError("this is no address of a server.", f"Allowed: {allowed}.")
    return text


def _region(value: object) -> str:
    text = _text(value, 'a name such as "eu-south-1", or nothing')
    if not re.fullmatch(r"[a-zA-Z0-9-]{0,40}", text):
        raise WrongValueError("this is no region.", 'Allowed: a name such as "eu-south-1", or nothing.')
    return text


def _folder(value: object) -> str:
    return _text(value, 'a folder, such as "/var/cache/percorso", or nothing')


def _check(values: Mapping[str, Any]) -> Problem | None:
    if values.get("endpoint", "").startswith("http://") and not values.get("allow_http", False):
        return Problem(
            ("endpoint",), "is not encrypted.", "Use https, or set allow_http = true for a network of yours."
        )
    lake, log = (values.get(name, "").rstrip("/") for name in ("lake", "log"))
    if lake and log and (f"{lake}/".startswith(f"{log}/") or f"{log}/".startswith(f"{lake}/")):
        return Problem(("log",), "lies in the lake, or the lake in it.", "Give each a prefix or folder of its own.")
    return None


_PLACE = Kind(
    _place,
    'a folder, an address such as "s3://bucket/shop/lake", or nothing',
    'una cartella, un indirizzo come "s3://bucket/negozio/lake", o niente',
)

STORAGE = Section(
    "storage",
    "table",
    "Where lake and log stand: in folders, or in an object store, whose credentials come from the environment, never "
    "from this file.",
    "Dove stanno lake e registro: in cartelle, o in uno storage a oggetti, le cui credenziali vengono dall'ambiente, "
    "mai da questo file.",
    StorageSettings,
    (
        Key("lake", _PLACE, "The lake; nothing: in the workspace.", "Il lake; niente: nello spazio di lavoro."),
        Key(
            "log",
            _PLACE,
            "The journey log; nothing: in the workspace.",
            "Il registro dei percorsi; niente: nello spazio di lavoro.",
        ),
        Key(
            "endpoint",
            Kind(_endpoint, "an https address, or nothing", "un indirizzo https, o niente"),
            "The server of a store that speaks S3's protocol; nothing: the cloud that the address belongs to.",
            "Il server di uno storage che parla il protocollo S3; niente: il cloud a cui appartiene l'indirizzo.",
        ),
        Key(
            "region",
            Kind(_region, "a region's name, or nothing", "il nome di una regione, o niente"),
            "The region of the bucket; nothing: as the environment says.",
            "La regione del bucket; niente: come dice l'ambiente.",
        ),
        Key(
            "allow_http",
            kinds.YES_NO,
            "May the endpoint be reached without encryption?",
            "Se il server può essere raggiunto senza cifratura.",
        ),
        Key(
            "cache",
            Kind(_folder, "a folder, or nothing", "una cartella, o niente"),
            "Where copies of remote files are kept on each machine; nothing: the user's cache folder.",
            "Dove si tengono su ogni macchina le copie dei file remoti; niente: la cartella di cache dell'utente.",
        ),
        Key(
            "cache_limit",
            kinds.SIZE,
            "What the copies may take; least recently used ones go first.",
            "Quanto possono occupare le copie; vanno via prima quelle non usate da più tempo.",
            "cache_bytes",
        ),
    ),
    check=_check,
    unknown=_FROM_ENVIRONMENT,
)
