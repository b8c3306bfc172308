"""Import files: each in one commit, none half."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from percorso.errors import PercorsoError, UserError
from percorso.services.build import settle_erasures
from percorso.services.import_file import FileReport, import_file
from percorso.services.import_plan import FilePlan
from percorso.services.import_request import ImportRequest, plan_request
from percorso.services.workspace import Workspace
from percorso.store.lake import Lake

__all__ = ["FileReport", "ImportReport", "ImportRequest", "import_files", "rejected_rows"]

#: Called with the file's path, the share of it that is done, 0 to 1, and its rows so far.
ImportProgress = Callable[[Path, float, int], None]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of every file."""

    files: tuple[FileReport, ...]

    @property
    def events(self) -> int:
        """Events added to the lake."""
        return sum(file.events for file in self.files)

    def as_dict(self) -> dict[str, object]:
        """The report as JSON."""
        return {"files": [asdict(file) for file in self.files], "events": self.events}


def import_files(
    workspace: Workspace, request: ImportRequest, progress: ImportProgress = lambda path, done, rows: None
) -> ImportReport:
    """Import files, each in one commit. All are looked into before the first is imported.

    Parameters
    ----------
    workspace : Workspace
    request : ImportRequest
    progress : callable

    Raises
    ------
    UserError
        A file, the format or the mapping cannot be used. Where that shows only while a file is read, the
        other files are imported still, and stand in the error's field `imported`.
    Busy
        Another process is writing.
    """
    reports: list[FileReport] = []
    failure: PercorsoError | None = None
    for planned in plan_request(workspace, request):
        try:
            reports.append(_import_one(workspace, planned.plan, request, progress))
        except UserError as error:
            failure = failure or error
    if failure is not None:
        failure.fields["imported"] = [asdict(report) for report in reports]
        raise failure
    return ImportReport(tuple(reports))


def _import_one(workspace: Workspace, plan: FilePlan, request: ImportRequest, progress: ImportProgress) -> FileReport:
    path = plan.file.path
    return import_file(
        workspace,
        plan,
        lambda done, rows: progress(path, done, rows),
        replace=request.replace,
        again=request.again,
    )


def rejected_rows(workspace: Workspace, *, file: str = "", reason: str = "") -> pa.Table:
    """Rows that could not be imported: file, line, reason, detail, raw.

    Parameters
    ----------
    workspace : Workspace
    file : str
        Only rows of this file (its name without folders).
    reason : str
        Only rows rejected for this reason (a code of docs/reference/rejected.md).
    """
    settle_erasures(workspace)
    rows = Lake(workspace.lake).rejected().drop_columns(["batch"])
    for name, wanted in (("file", file), ("reason", reason)):
        if wanted:
            rows = rows.filter(pc.equal(rows.column(name), wanted))
    return rows
