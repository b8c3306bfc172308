"""What earlier imports mean for a file: nothing to do, a conflict, or what must be taken back.

An import is told by the content of its file and the name of its source. --replace takes back the earlier
import of that content and source, or the one of the only other source it came in as; never more than one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from percorso.errors import ImportConflict
from percorso.language.said import said
from percorso.services.import_plan import FilePlan
from percorso.store.lake import ImportRecord

__all__ = ["Course", "course_of", "sharing_rows"]


@dataclass(frozen=True, slots=True)
class Course:
    """How to go about an import.

    Parameters
    ----------
    unchanged : ImportRecord, optional
        It was made before; there is nothing to do.
    taken_back : ImportRecord, optional
        The earlier import that goes.
    superseding : bool
        Rows of other imports of the source with the same message ids go, too; rows that are there already
        are not looked for.
    """

    unchanged: ImportRecord | None = None
    taken_back: ImportRecord | None = None
    superseding: bool = False


def course_of(plan: FilePlan, earlier: Sequence[ImportRecord], *, replace: bool, again: bool) -> Course:
    """What to do with a file whose content the imports `earlier` brought.

    Parameters
    ----------
    plan : FilePlan
    earlier : sequence of ImportRecord
        At most one a source.
    replace : bool
        Take back what an earlier import brought.
    again : bool
        Other sources may have the content, too.

    Raises
    ------
    ImportConflict
        It came in through another mapping or as another source, and nobody said what to do about that.
    """
    own = next((record for record in earlier if record.source == plan.source.name), None)
    if own is None:
        others = [] if again else [record for record in earlier if record.rows]
        if others and (not replace or len(others) > 1):
            raise _other_source(plan, others, replace=replace)
        return Course(taken_back=others[0] if others else None, superseding=replace)
    if replace:
        return Course(taken_back=own, superseding=True)
    if own.mapping_hash != plan.fingerprint:
        raise _other_mapping(plan, own)
    # What is missing of an incomplete one is told by bringing it anew, all but what other imports have.
    return Course(taken_back=own) if own.incomplete else Course(unchanged=own)


def sharing_rows(
    records: Sequence[ImportRecord], sources: frozenset[str], gone: ImportRecord, live_rows: Mapping[int, int]
) -> list[ImportRecord]:
    """Imports of these sources that may have left rows to the import that goes.

    An import leaves rows to others where they had them before (its duplicates) and where they took them over
    (it has less rows in the lake than it brought).
    """
    return [
        record
        for record in records
        if record.source in sources
        and record.batch != gone.batch
        and (record.duplicates or live_rows.get(record.batch, 0) < record.events)
    ]


def _other_mapping(plan: FilePlan, own: ImportRecord) -> ImportConflict:
    return ImportConflict(
        said("errors.conflict_way", file=plan.file.path.name, day=own.imported_at.date()),
        hint=said("errors.conflict_way_hint"),
        fields={"file": plan.file.path.name, "source": own.source, "batch": own.batch},
    )


def _other_source(plan: FilePlan, others: Sequence[ImportRecord], *, replace: bool) -> ImportConflict:
    names = [record.source for record in others]
    file, source = plan.file.path.name, plan.source.name
    listed = ", ".join(repr(name) for name in names)
    if replace:
        told = said("errors.conflict_several", file=file, sources=listed)
        hint = said("errors.conflict_several_hint", source=repr(source))
    else:
        told = said("errors.conflict_as", file=file, sources=listed, source=repr(source))
        hint = said("errors.conflict_as_hint")
    return ImportConflict(told, hint=hint, fields={"file": file, "source": source, "sources": names})
