"""Erase a person: out of the lake, the database and the journey log, for good.

What is taken away is first written down in a job without personal values (:mod:`percorso.services.erasure_job`). From
then on the erasure will be done, whatever happens: the next import, build, question or erasure finishes what was begun.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

import pyarrow as pa

from percorso.errors import NothingImported, UserError
from percorso.events.event import EVENT_SCHEMA
from percorso.identity.mentions import Mentions
from percorso.identity.placement import person_id
from percorso.identity.suppression import cut_text, message_text, rejected_text
from percorso.language.said import said
from percorso.services.author import system_user
from percorso.services.build import build_log, fresh_log, settle_erasures
from percorso.services.erasure_cuts import cuts_of
from percorso.services.erasure_job import ErasureJob, has_jobs, suppress, write_job
from percorso.services.erasure_plan import Plan, plan_erasure, report_of
from percorso.services.erasure_report import ErasedIdentifier, ErasureReport
from percorso.services.reasons import OF_ERASURE, checked_reason
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog, open_log
from percorso.store.lake import Lake
from percorso.store.lake_erase import LakeErasure, RejectedRow, rejected_row
from percorso.store.row_keys import keys_from_binary

__all__ = ["ErasedIdentifier", "ErasureReport", "check_reason", "erase_person", "preview_erasure"]

_WAIT_S = 600.0


def preview_erasure(workspace: Workspace, text: str, *, kind: str = "", space: str = "") -> ErasureReport:
    """What erasing a person would take away; parameters and errors as of :func:`erase_person`."""
    log = None
    try:
        log = fresh_log(workspace)
    except NothingImported:  # or everything was rejected
        if not len(Lake(workspace.lake).rejected()):
            raise
    return report_of(plan_erasure(workspace, log, text, kind, space), done=False)


def check_reason(reason: str) -> None:
    """Refuse an erasure without a reason, or with one that names somebody; to be asked before anybody confirms one."""
    checked_reason(reason, OF_ERASURE)


def erase_person(
    workspace: Workspace, text: str, *, kind: str = "", space: str = "", author: str = "", reason: str
) -> ErasureReport:
    """Erase everything that is held on a person, and see to it that no import brings it back.

    Parameters
    ----------
    workspace : Workspace
    text : str
        As of :func:`percorso.services.customer.find_customers`. Where no event is known by it, what is erased is the
        identifier itself, out of rejected rows, texts of others and decisions; and it stays out from then on.
    kind, space : str
        Only this type of identifier, only identifiers of this id space.
    author, reason : str
        Who erases (default: the user of this machine), and why; kept, so they must not name the person.

    Raises
    ------
    NotFound
        It means nobody, and stands nowhere.
    SpecError
        It means several persons; `fields` list them. Or no event is known by it, and what it is must be told: `fields`
        list types and spaces. Nothing was erased.
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
        with Lake(workspace.lake).erasing(EVENT_SCHEMA, timeout_s=_WAIT_S) as lake:
            if has_jobs(workspace):
                continue
            plan = plan_erasure(workspace, _built(workspace), text, kind, space)
            _check_words(plan.mentions, author, reason)
            job = _job(workspace, plan, author, reason)
            lake.check_held()  # it took a while
            write_job(workspace, job)
            suppress(workspace, job)
            return report_of(plan, done=True)


def _built(workspace: Workspace) -> JourneyLog | None:
    """The log, up to date; None where there are no events."""
    try:
        build_log(workspace)  # and wait for it: a question would be content with the log before
    except NothingImported:
        return None
    return open_log(workspace.log)


def _check_words(mentions: Mentions, *texts: str) -> None:
    if any(mentions.note_spans(text) for text in texts):
        raise UserError(
            said("errors.reason_names"),
            hint=said("errors.reason_names_hint"),
        )


def _job(workspace: Workspace, plan: Plan, author: str, reason: str) -> ErasureJob:
    now = datetime.now(UTC)
    own = plan.own
    cuts, kept = cuts_of(plan.elsewhere.rows, own, plan.rules, plan.mentions)
    texts = [message_text(source, message) for source, message in _messages(plan.held.rows)]
    # Of the others' rows, those that lose an identifier's cell come in again without it; of those that name the person
    # in the middle of a text no hash can tell where, so that the lake keeps the only copy.
    texts += [
        (cut_text if (source, message) in kept else message_text)(source, message)
        for source, message in _messages(plan.elsewhere.rows)
    ]
    texts += [rejected_text(raw) for raw in plan.rejected.rows.column("raw").to_pylist() if raw is not None]
    report = report_of(plan, done=True)
    return ErasureJob(
        id=f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
        erased_us=int(now.timestamp() * 1_000_000),
        identifiers=tuple(sorted(person_id(workspace.secret, one.text()) for one in own)),
        rows=tuple(sorted({person_id(workspace.secret, text) for text in texts})),
        lake=LakeErasure(
            keys_from_binary(plan.held.rows.column("row_key")),
            tuple(cuts),
            frozenset(_rejected(plan.rejected.rows)),
            plan.named,
        ),
        record={
            "erased_at": now.isoformat(timespec="seconds"),
            "author": author,
            "reason": reason,
            "person": report.person or None,
            **{name: getattr(report, name) for name in ("events", "orders", "rejected", "elsewhere")},
        },
        reworded=plan.reworded,
    )


def _messages(rows: pa.Table) -> Iterable[tuple[str, str]]:
    return zip(*(rows.column(name).to_pylist() for name in ("source", "message_id")), strict=True)


def _rejected(rows: pa.Table) -> Iterable[RejectedRow]:
    columns = (rows.column(name).to_pylist() for name in ("batch", "file", "line"))
    return (rejected_row(*place) for place in zip(*columns, strict=True))
