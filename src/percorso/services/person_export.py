"""Everything that is held on a person, as one document that can be handed to them (GDPR, articles 15 and 20)."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from percorso.analyses.customer import PersonRow
from percorso.errors import FileError
from percorso.events.event import JSON_COLUMNS
from percorso.identity.lookup import aliases_of
from percorso.language.said import said
from percorso.services.build import build_log
from percorso.services.customer import find_customers, view_customer
from percorso.services.person_elsewhere import matching_rejects
from percorso.services.person_rows import Carried, PersonRows, person_rows
from percorso.services.person_where import one_customer, place_of
from percorso.services.workspace import Workspace
from percorso.store import database
from percorso.store.database import Decision, MaskedIdentifier
from percorso.store.journey_log import open_log
from percorso.store.lake import ImportRecord, Lake
from percorso.time import time_text

__all__ = ["EXPORT_FORMAT", "export_person", "write_export"]

EXPORT_FORMAT = 1

_ABOUT = {
    "en": {
        "title": "What we hold about you",
        "what": "This document holds everything that our customer journey analysis keeps about you (articles 15 and 20"
        " of the General Data Protection Regulation). Programs can read it, too.",
        "parts": {
            "identifiers": "What we know you by: numbers, addresses and devices, and how often and where we saw each.",
            "events": "What we recorded, as it reached us: visits, orders, messages, calls.",
            "rejected_rows": "Lines about you that we received and could not use.",
            "summary": "What we made of it: your visits, journeys and orders, and which kind of customer they suggest.",
            "decisions": "Where one of us decided by hand that two of these names are one person, or are not.",
            "imports": "The files that it came from.",
        },
        "rights": "You may have it corrected or erased, or object to its use. Ask whoever gave you this document.",
    },
    "it": {
        "title": "Che cosa conserviamo su di te",
        "what": "Questo documento contiene tutto ciò che la nostra analisi dei percorsi dei clienti conserva su di te"
        " (articoli 15 e 20 del Regolamento generale sulla protezione dei dati). È leggibile anche da un programma.",
        "parts": {
            "identifiers": "Come ti riconosciamo: numeri, indirizzi, dispositivi; quanto e dove li abbiamo visti.",
            "events": "Che cosa abbiamo registrato, come ci è arrivato: visite, ordini, messaggi, chiamate.",
            "rejected_rows": "Righe che ti riguardano, ricevute e non utilizzabili.",
            "summary": "Che cosa ne abbiamo ricavato: visite, percorsi e ordini, e che tipo di cliente fanno pensare.",
            "decisions": "Dove abbiamo deciso a mano che due di questi nomi sono una persona sola, o non lo sono.",
            "imports": "I file da cui proviene.",
        },
        "rights": "Puoi chiedere di correggerlo o di cancellarlo, o opporti al suo uso. Rivolgiti a chi ti ha dato"
        " questo documento.",
    },
}


def export_person(workspace: Workspace, text: str, *, kind: str = "", space: str = "") -> dict[str, Any]:
    """Everything that is held on a person, ready for JSON; raw values throughout.

    Parameters
    ----------
    workspace : Workspace
    text, kind, space : str
        As of :func:`percorso.services.customer.find_customers`.

    Raises
    ------
    NotFound
        It means nobody.
    SpecError
        It means several persons; `fields` list them.
    """
    build_log(workspace)
    log = open_log(workspace.log)
    assert log is not None
    match = one_customer(find_customers(workspace, text, kind=kind, space=space, log=log))
    where = place_of(log, match.person)
    held = person_rows(workspace, log, where)
    batches = set(held.rows.column("batch").to_pylist())
    lake = Lake(workspace.lake)
    rejected = matching_rejects(lake, lake.live_files(), held.mentions(workspace.settings.workspace.country)).rows
    view = view_customer(workspace, match.person, personal=True, log=log).as_json()
    # The identifiers stand in a list of their own, with all there is to say of them.
    summary = {name: value for name, value in view.items() if name not in ("identifiers", "timeline_total", "format")}
    return {
        "about": _ABOUT["it" if workspace.settings.workspace.language == "it" else "en"],
        "format": EXPORT_FORMAT,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "person": match.person,
        "identifiers": [_identifier(one) for one in held.carried],
        "events": [_row(row) for row in held.rows.sort_by("timestamp").to_pylist()],
        "rejected_rows": [_plain(row) for row in rejected.to_pylist()],
        "summary": {**summary, "sessions": _sessions(where)},
        "decisions": [_decision(one) for one in _decisions(workspace, held)],
        "imports": [_import(one) for one in lake.imports() if one.batch in batches],
    }


def write_export(document: dict[str, Any], path: Path) -> None:
    """Write the document into a new file that its owner alone may read.

    Raises
    ------
    FileError
        There is a file of this name already, or it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise FileError(said("errors.exists", file=str(path)), hint=said("errors.choose_other_name")) from error
    except OSError as error:
        raise FileError(said("errors.not_written", file=str(path), reason=str(error.strerror))) from error
    with open(descriptor, "w", encoding="utf-8") as stream:
        json.dump(document, stream, ensure_ascii=False, indent=1)
        stream.write("\n")


def _identifier(one: Carried) -> dict[str, Any]:
    return {
        "type": one.identifier.kind,
        "space": one.identifier.space or None,
        "value": one.identifier.value,
        "written_as": sorted(one.spellings),
        "yours_alone": one.own,
        "events": one.rows,
        "first_seen": None if one.first_us is None else time_text(one.first_us),
        "last_seen": None if one.last_us is None else time_text(one.last_us),
        "sources": list(one.sources),
    }


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the lake: columns that say something, JSON as JSON."""
    plain = _plain(row)
    for name in JSON_COLUMNS:
        if name in plain:
            plain[name] = msgspec.json.decode(plain[name])
    return plain


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items() if value is not None}


def _value(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _sessions(where: PersonRow) -> list[dict[str, Any]]:
    """The person's sessions, without columns that only Percorso can read."""
    table = where.bucket.table("sessions")
    rows = np.flatnonzero(table.values("person") == where.row)
    found = table.batch.take(pa.array(rows)).to_pylist()
    return [
        {
            **{name: value for name, value in row.items() if value != "" and name not in ("person", "first_event")},
            "start": time_text(row["start"]),
            "end": time_text(row["end"]),
            "engaged": bool(row["engaged"]),
        }
        for row in found
    ]


def _decisions(workspace: Workspace, held: PersonRows) -> list[Decision]:
    """Decisions about one of the person's identifiers."""
    own = {bytes(one) for one in aliases_of([one.identifier for one in held.own], workspace.secret)}
    return [one for one in database.read_decisions(workspace.database) if {one.a.hash, one.b.hash} & own]


def _decision(one: Decision) -> dict[str, Any]:
    return {
        "decision": one.kind,
        "a": _masked(one.a),
        "b": _masked(one.b),
        "decided_at": time_text(one.decided_us),
        "author": one.author,
        "reason": one.reason,
    }


def _masked(one: MaskedIdentifier) -> dict[str, Any]:
    return {"type": one.kind, "space": one.space or None, "value": one.shown}


def _import(one: ImportRecord) -> dict[str, Any]:
    return {"batch": one.batch, "file": one.file, "source": one.source, "imported_at": _value(one.imported_at)}
