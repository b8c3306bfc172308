"""What an import would bring, without bringing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from percorso.events.conversion import Reject
from percorso.events.event import EVENT_SCHEMA
from percorso.events.formats.auto_mapping import Reason
from percorso.events.formats.table_items import ScatteredGroupsError
from percorso.identity.identifiers import IdentifierRules
from percorso.services.import_chunks import converted_chunks
from percorso.services.import_file import prepare_limits
from percorso.services.import_plan import FilePlan
from percorso.services.import_request import ImportRequest, PlannedFile, plan_request
from percorso.services.import_rows import RowFinisher
from percorso.services.workspace import Workspace

__all__ = ["Preview", "preview_files"]

_SHOWN = 10
_HIDDEN_COLUMNS = frozenset({"batch", "row_key"})


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import of a file would bring.

    Parameters
    ----------
    path, format, source : str
    mapping : str
        The mapping as TOML, "" for formats without one.
    reasons : tuple of Reason
        Why the mapping is as it is, if it was proposed.
    rows, duplicates, rejected : int
        Counts of the whole file; duplicates within it alone.
    event_count : int
    events : pyarrow.Table
        The first ten events (or rows beside them), with the columns in which any of them has something.
    rejected_by_reason : dict of str to int
    rejects : tuple of Reject
        The first ten.
    header_line : int
        CSV: the line with the names of the columns; 0: none, or another one in each member of an archive.
    lines_above : tuple of (int, str)
        Number and text of the lines above it, which are left out; of all members.
    """

    path: str
    format: str
    source: str
    mapping: str
    reasons: tuple[Reason, ...]
    rows: int
    event_count: int
    duplicates: int
    rejected: int
    events: pa.Table
    rejected_by_reason: dict[str, int]
    rejects: tuple[Reject, ...]
    header_line: int = 0
    lines_above: tuple[tuple[int, str], ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The preview as JSON."""
        return {
            "path": self.path,
            "format": self.format,
            "source": self.source,
            "header_line": self.header_line,
            "lines_above": [{"line": line, "text": text} for line, text in self.lines_above],
            "rows": self.rows,
            "events": self.event_count,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "mapping": self.mapping,
            "reasons": [asdict(reason) for reason in self.reasons],
            "first_events": self.events.to_pylist(),
            "rejected_by_reason": self.rejected_by_reason,
            "first_rejected": [asdict(reject) for reject in self.rejects],
        }


class _Collector:
    """Counts what comes, and keeps the beginning."""

    def __init__(self) -> None:
        self.rows = 0
        self.events = 0
        self.duplicates = 0
        self.reasons: Counter[str] = Counter()
        self.rejects: list[Reject] = []
        self.first: list[pa.Table] = []

    def add(self, table: pa.Table) -> None:
        missing = _SHOWN - sum(t.num_rows for t in self.first)
        if missing > 0:
            self.first.append(table.slice(0, missing))
        self.events += table.num_rows


def preview_files(
    workspace: Workspace, request: ImportRequest, progress: Callable[[Path, float, int], None] = lambda p, d, r: None
) -> list[Preview]:
    """Read files as an import would. Nothing is written but the mapping, if the request says where.

    Raises
    ------
    UserError
        As `import_files`.
    """
    return [_preview(workspace, planned, progress) for planned in plan_request(workspace, request)]


def _preview(workspace: Workspace, planned: PlannedFile, progress: Callable[[Path, float, int], None]) -> Preview:
    try:
        found = _collect(workspace, planned.plan, progress, sort=False)
    except ScatteredGroupsError:
        found = _collect(workspace, planned.plan, progress, sort=True)
    plan = planned.plan
    header = plan.file.header
    return Preview(
        path=str(plan.file.path),
        format=plan.format,
        source=plan.source.name,
        mapping=planned.toml,
        reasons=planned.proposal.reasons if planned.proposal else (),
        rows=found.rows,
        event_count=found.events,
        duplicates=found.duplicates,
        rejected=sum(found.reasons.values()),
        events=_filled(pa.concat_tables(found.first) if found.first else EVENT_SCHEMA.empty_table()),
        rejected_by_reason=dict(found.reasons.most_common()),
        rejects=tuple(found.rejects),
        header_line=header.line if header else 0,
        lines_above=tuple(line for member in plan.file.members if member.header for line in member.header.above),
    )


def _collect(
    workspace: Workspace, plan: FilePlan, progress: Callable[[Path, float, int], None], *, sort: bool
) -> _Collector:
    rules = IdentifierRules(workspace.settings.identity, workspace.settings.workspace.country)
    finisher = RowFinisher(0, plan.file.expected_rows)
    found = _Collector()
    for chunk in converted_chunks(plan, rules, prepare_limits(workspace), sort=sort):
        found.rows += chunk.rows
        found.reasons.update(reject.reason for reject in chunk.rejected)
        found.rejects += chunk.rejected[: _SHOWN - len(found.rejects)]
        if chunk.side is not None:
            found.add(chunk.side.rows)
        if chunk.events is not None:
            table, copies = finisher.finish(chunk.events)
            found.duplicates += copies
            found.add(table)
        progress(plan.file.path, chunk.position_ratio, found.rows)
    return found


def _filled(events: pa.Table) -> pa.Table:
    """Without the columns that have nothing to show."""
    names = [
        name
        for name in events.column_names
        if name not in _HIDDEN_COLUMNS and events.column(name).null_count < events.num_rows
    ]
    return events.select(names)
