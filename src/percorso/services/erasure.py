"""Erase a person: out of the lake, the database and the journey log, for good.

What is taken away is first written down in a job without personal values (:mod:`percorso.services.erasure_job`). From
then on the erasure will be done, whatever happens: the next import, build, question or erasure finishes what was begun.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import pyarrow as pa

from percorso.analyses.result import time_text
from percorso.errors import NothingImported, UserError
from percorso.events.event import EVENT_SCHEMA, IDENTIFIER_COLUMNS
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier, identifiers_of
from percorso.identity.masking import mask
from percorso.identity.mentions import Mentions
from percorso.identity.placement import person_id
from percorso.identity.suppression import cut_text, message_text, rejected_text
from percorso.services.author import system_user
from percorso.services.build import build_log, fresh_log, settle_erasures
from percorso.services.customer import CustomerMatch, find_customers
from percorso.services.erasure_job import ErasureJob, has_jobs, suppress, write_job
from percorso.services.person_rows import (
    NAMING_COLUMNS,
    TEXT_COLUMNS,
    PersonRows,
    identifier_rules,
    matching_rejects,
    person_rows,
    rows_elsewhere,
)
from percorso.services.person_where import one_customer, place_of
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog, open_log
from percorso.store.lake import Lake
from percorso.store.lake_erase import Cut, LakeErasure, RejectedRow, rejected_row
from percorso.store.row_keys import keys_from_binary

__all__ = ["ErasedIdentifier", "ErasureReport", "check_reason", "erase_person", "preview_erasure"]

_WAIT_S = 600.0


@dataclass(frozen=True, slots=True)
class ErasedIdentifier:
    """An identifier on the person's events; those that also others have stay with the others."""

    kind: str
    space: str
    shown: str
    events: int
    erased: bool


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What an erasure takes away.

    Parameters
    ----------
    person : str
        Id, 32 hex digits.
    events : int
        Rows of the lake, copies of events included.
    orders : int
    rejected : int
        Rejected rows of imports in which an identifier of the person stands.
    elsewhere : int
        Events of others that lose a mention of the person.
    first_us, last_us : int
        µs UTC.
    identifiers : tuple of ErasedIdentifier
    imports : int
        Imports that the rows came with.
    done : bool
        False: a preview.
    """

    person: str
    events: int
    orders: int
    rejected: int
    elsewhere: int
    first_us: int
    last_us: int
    identifiers: tuple[ErasedIdentifier, ...]
    imports: int
    done: bool

    def as_dict(self) -> dict[str, object]:
        body = asdict(self)
        first, last = body.pop("first_us"), body.pop("last_us")
        return {**body, "first_seen": time_text(first), "last_seen": time_text(last)}


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is found of a person, and where."""

    match: CustomerMatch
    held: PersonRows
    elsewhere: pa.Table
    rejected: pa.Table
    named: frozenset[int]
    mentions: Mentions
    rules: IdentifierRules


def preview_erasure(workspace: Workspace, text: str, *, kind: str = "", space: str = "") -> ErasureReport:
    """What erasing a person would take away; parameters and errors as of :func:`erase_person`."""
    return _report(_plan(workspace, fresh_log(workspace), text, kind, space), done=False)


def check_reason(reason: str) -> None:
    """Refuse an erasure without a reason; to be asked before anybody confirms one."""
    if not reason.strip():
        raise UserError("An erasure needs a reason.", hint="Say why, such as 'request of 3 May'.")


def erase_person(
    workspace: Workspace, text: str, *, kind: str = "", space: str = "", author: str = "", reason: str
) -> ErasureReport:
    """Erase everything that is held on a person, and see to it that no import brings it back.

    Parameters
    ----------
    workspace : Workspace
    text : str
        As of :func:`percorso.services.customer.find_customers`.
    kind, space : str
        Only this type of identifier, only identifiers of this id space.
    author, reason : str
        Who erases (default: the user of this machine), and why; kept, so they must not name the person.

    Raises
    ------
    NotFound
        It means nobody.
    SpecError
        It means several persons; `fields` list them. Nothing was erased.
    UserError
        There is no reason, or author or reason name the person.
    Busy
        Another process was writing all the while. What was begun is finished by the next command.
    """
    check_reason(reason)
    report = _begin(workspace, text, kind, space, author.strip() or system_user(), reason.strip())
    with contextlib.suppress(NothingImported):  # there may have been nobody else
        build_log(workspace)
    return report


def _begin(workspace: Workspace, text: str, kind: str, space: str, author: str, reason: str) -> ErasureReport:
    """Write down what will be erased, while nobody writes; and list it, before anybody does."""
    while True:
        settle_erasures(workspace)
        with Lake(workspace.lake).erasing(EVENT_SCHEMA, timeout_s=_WAIT_S):
            if has_jobs(workspace):
                continue
            build_log(workspace)  # and wait for it: a question would be content with the log before
            log = open_log(workspace.log)
            assert log is not None
            plan = _plan(workspace, log, text, kind, space)
            _check_words(plan.mentions, author, reason)
            job = _job(workspace, plan, author, reason)
            write_job(workspace, job)
            suppress(workspace, job)
            return _report(plan, done=True)


def _check_words(mentions: Mentions, *texts: str) -> None:
    if any(mentions.in_line(text) for text in texts):
        raise UserError(
            "Author or reason names the person, and both are kept.",
            hint="Say why without naming them: --reason 'request of 3 May'.",
        )


def _plan(workspace: Workspace, log: JourneyLog, text: str, kind: str, space: str) -> _Plan:
    match = one_customer(find_customers(workspace, text, kind=kind, space=space, log=log))
    held = person_rows(workspace, log, place_of(log, match.person))
    lake, rules, mentions = Lake(workspace.lake), identifier_rules(workspace), held.mentions()
    named = frozenset(record.batch for record in lake.imports() if _names(mentions, record.file))
    return _Plan(
        match,
        held,
        rows_elsewhere(lake.live_files(), held, rules),
        matching_rejects(workspace, held),
        named,
        mentions,
        rules,
    )


def _names(mentions: Mentions, file: str) -> bool:
    """Does the name of a file name the person?"""
    return any(mentions.in_line(file.rsplit(".", dots)[0]) for dots in range(file.count(".") + 1))


def _report(plan: _Plan, *, done: bool) -> ErasureReport:
    match, held = plan.match, plan.held
    return ErasureReport(
        person=match.person,
        events=len(held.rows),
        orders=match.orders,
        rejected=len(plan.rejected),
        elsewhere=len(plan.elsewhere),
        first_us=match.first_us,
        last_us=match.last_us,
        identifiers=tuple(
            ErasedIdentifier(
                one.identifier.kind,
                one.identifier.space,
                mask(one.identifier.kind, one.identifier.value),
                one.rows,
                one.own,
            )
            for one in held.carried
        ),
        imports=len(set(held.rows.column("batch").to_pylist())),
        done=done,
    )


def _job(workspace: Workspace, plan: _Plan, author: str, reason: str) -> ErasureJob:
    now = datetime.now(UTC)
    own = {one.identifier for one in plan.held.own}
    cuts, kept = _cuts(plan, own)
    texts = [message_text(source, message) for source, message in _messages(plan.held.rows)]
    # Of the others' rows, those that lose an identifier's cell come in again without it; of those that name the person
    # in the middle of a text no hash can tell where, so that the lake keeps the only copy.
    texts += [
        (cut_text if (source, message) in kept else message_text)(source, message)
        for source, message in _messages(plan.elsewhere)
    ]
    texts += [rejected_text(raw) for raw in plan.rejected.column("raw").to_pylist() if raw is not None]
    report = _report(plan, done=True)
    return ErasureJob(
        id=f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
        erased_us=int(now.timestamp() * 1_000_000),
        identifiers=tuple(sorted(person_id(workspace.secret, one.text()) for one in own)),
        rows=tuple(sorted({person_id(workspace.secret, text) for text in texts})),
        lake=LakeErasure(
            keys_from_binary(plan.held.rows.column("row_key")),
            tuple(cuts),
            frozenset(_rejected(plan.rejected)),
            plan.named,
        ),
        record={
            "erased_at": now.isoformat(timespec="seconds"),
            "author": author,
            "reason": reason,
            "person": report.person,
            **{name: getattr(report, name) for name in ("events", "orders", "rejected", "elsewhere")},
        },
    )


def _messages(rows: pa.Table) -> Iterable[tuple[str, str]]:
    return zip(*(rows.column(name).to_pylist() for name in ("source", "message_id")), strict=True)


def _rejected(rows: pa.Table) -> Iterable[RejectedRow]:
    columns = (rows.column(name).to_pylist() for name in ("batch", "file", "line"))
    return (rejected_row(*place) for place in zip(*columns, strict=True))


def _cuts(plan: _Plan, own: set[Identifier]) -> tuple[list[Cut], set[tuple[str, str]]]:
    """What the others' rows lose; and the messages of those of them that lose nothing but cells of identifiers."""
    cuts: list[Cut] = []
    kept: set[tuple[str, str]] = set()
    for row in plan.elsewhere.to_pylist():
        mine = {one.kind for one in identifiers_of(row, plan.rules) if one in own}
        cells = {name for name in IDENTIFIER_COLUMNS if name in mine}
        if mine - cells:
            cells.add("other_ids")  # a JSON object: all of it goes
        before = plan.rules.normalise("user_id", row["previous_id"] or "")
        whole = cells | {"previous_id"} if Identifier("user_id", row["id_space"], before or "") in own else cells
        found = [Cut(row["row_key"], name) for name in sorted(whole)]
        for name in TEXT_COLUMNS:
            if name not in whole and row[name] is not None:
                found += _parts(row["row_key"], name, row[name], plan.mentions)
        cuts += found
        if len(found) == len(cells):
            kept.add((row["source"], row["message_id"]))
    return cuts, kept


def _parts(key: bytes, name: str, text: str, mentions: Mentions) -> list[Cut]:
    """What a text of another's row loses."""
    spans = mentions.spans(text, of_identifier=name in NAMING_COLUMNS)
    if spans and name in IDENTIFIER_COLUMNS:
        return [Cut(key, name)]  # part of an identifier is another one
    return [Cut(key, name, *span) for span in spans]
