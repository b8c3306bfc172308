"""The demo: simulate the shop Legnocorda, and take its files in by the way that any user takes."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from percorso.analyses.map import MapSpec
from percorso.analyses.spec import Scope
from percorso.demo.files import FILES, File
from percorso.demo.goals import goals_toml
from percorso.demo.simulate import Simulated, simulate
from percorso.errors import UserError, WorkspaceError, nearest_hint
from percorso.language.said import said
from percorso.reports.spec import ReportSpec
from percorso.services.build import BuildReport, build_log
from percorso.services.import_request import ImportRequest
from percorso.services.imports import FileReport, import_files
from percorso.services.map import ask_map, draw_map
from percorso.services.report import make_report
from percorso.services.segment import define_segment
from percorso.services.workspace import SETTINGS_FILE, Workspace, init_workspace, open_workspace

__all__ = [
    "DEFAULT_CUSTOMERS",
    "DemoReport",
    "DemoRequest",
    "check_customers",
    "define_personas",
    "demo_workspace",
    "make_demo",
    "make_room",
    "take_in",
    "with_settings",
    "write_map",
    "write_report",
]

#: What is simulated, taken in and built in about a minute on two cores.
DEFAULT_CUSTOMERS = 3_000
MOST_CUSTOMERS = 38_000
MOST_MONTHS = 24
LANGUAGES = ("it", "en")

#: Stands in the demo's folder and says that its workspace may be made anew.
MARK = "demo.txt"
REPORT_FILE, MAP_FILE = "report.html", "map.html"
_MARK_TEXT = "Made by `percorso demo`, which makes everything in this folder anew when it runs again.\n"

#: Files that are no events, and the sources they come from; their formats are recognised.
ASIDE = {"costi-pubblicita.csv": "pubblicita", "catalogo.csv": "gestionale", "giacenze.csv": "gestionale"}

#: Called with the phase (simulating, importing, or one of a build's), what is done, and of how much.
Progress = Callable[[str, int, int], None]

#: Personas as a team would define them from what it sees: name and title by language, rule.
PERSONAS = (
    (
        {"it": ("genitore", "Genitore per la scuola"), "en": ("parent", "School parent")},
        "orders <= 2 and orders(category in (Fiati, Tastiere, Archi, Ukulele)) >= 1",
    ),
    (
        {"it": ("principiante", "Principiante"), "en": ("beginner", "Beginner")},
        "kind = identified and first_channel in ('Paid Social', 'Paid Video', 'Organic Video') "
        "and count(category = Chitarre) >= 3",
    ),
    (
        {"it": ("musicista", "Musicista dal vivo"), "en": ("musician", "Gigging musician")},
        "orders(category in (Corde, Ricambi)) >= 3 within 365d",
    ),
    (
        {"it": ("insegnante", "Insegnante e ambasciatore"), "en": ("teacher", "Teacher and ambassador")},
        "orders(category = Libri) >= 2 or count(event = 'Referral Sent') >= 1 or count(event = 'Event Attended') >= 1",
    ),
)

_STEPS = 1000  # a share of the work done, in whole numbers


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """What to make.

    Parameters
    ----------
    folder : Path
        Gets `files/` and `workspace/`.
    customers, seed, months : int
        As of `percorso simulate`.
    language : str
        Of the workspace: it or en.
    """

    folder: Path
    customers: int = DEFAULT_CUSTOMERS
    seed: int = 7
    months: int = 13
    language: str = "it"


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What was made.

    Attributes
    ----------
    workspace : Workspace
    simulated : Simulated
    imported : tuple of FileReport
    built : BuildReport
    report, map : Path
        The pages to look at.
    """

    workspace: Workspace
    simulated: Simulated
    imported: tuple[FileReport, ...]
    built: BuildReport
    report: Path
    map: Path


def check_customers(customers: int, months: int) -> None:
    """Refuse what cannot be simulated.

    Raises
    ------
    UserError
        Fewer than one customer or more than the full shop has; months beyond two years.
    """
    if not 1 <= customers <= MOST_CUSTOMERS:
        raise UserError(
            said("errors.demo_customers", n=customers), hint=said("errors.demo_number", most=str(MOST_CUSTOMERS))
        )
    if not 1 <= months <= MOST_MONTHS:
        raise UserError(said("errors.demo_months", n=months), hint=said("errors.demo_number", most=str(MOST_MONTHS)))


def make_demo(request: DemoRequest, progress: Progress = lambda phase, done, total: None) -> DemoReport:
    """Simulate, make a workspace, import, build, report, map.

    Raises
    ------
    WorkspaceError
        The folder holds a workspace that no demo has made.
    UserError
        See `check_customers`; the language is none of ours.
    """
    check_customers(request.customers, request.months)
    if request.language not in LANGUAGES:
        raise UserError(
            said("errors.no_language", language=request.language), hint=nearest_hint(request.language, LANGUAGES)
        )
    make_room(request.folder)
    files = request.folder / "files"
    simulated = simulate(
        files,
        customers=request.customers,
        seed=request.seed,
        months=request.months,
        progress=lambda done: progress("simulating", int(done * _STEPS), _STEPS),
    )
    workspace = demo_workspace(request.folder / "workspace", files, request.language)
    imported = take_in(workspace, files, progress)
    built = build_log(workspace, progress=progress)
    define_personas(workspace, request.language)
    report, poster = write_report(workspace, request), write_map(workspace, request)
    return DemoReport(workspace, simulated, imported, built, report, poster)


def make_room(folder: Path) -> None:
    """What an earlier demo left in the folder goes, anything else stays.

    Raises
    ------
    WorkspaceError
        The folder cannot be written, or holds files or a workspace that no demo has made.
    """
    made, pages = (folder / "workspace", folder / "files"), (folder / REPORT_FILE, folder / MAP_FILE)
    if any(path.exists() for path in (*made, *pages)) and not (folder / MARK).is_file():
        raise WorkspaceError(
            said("errors.demo_room", folder=str(folder)),
            hint=said("errors.demo_room_hint"),
        )
    for path in made:
        shutil.rmtree(path, ignore_errors=True)
    try:
        for page in pages:
            page.unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text(_MARK_TEXT, encoding="utf-8")
    except OSError as error:
        raise WorkspaceError(
            f"The demo cannot be made in {folder}: {error.strerror}.",
            hint="Name a folder you may write to: percorso demo --folder FOLDER",
        ) from error


def demo_workspace(folder: Path, files: Path, language: str = "it") -> Workspace:
    """A new workspace with the settings that stand beside the files, as the shop's owner would write them."""
    workspace = init_workspace(folder, currency="EUR", timezone="Europe/Rome", language=language, country="IT")
    path = workspace.folder / SETTINGS_FILE
    wanted = (files / "mappings" / SETTINGS_FILE).read_text(encoding="utf-8")
    made = with_settings(path.read_text(encoding="utf-8"), wanted)
    path.write_text(f"{made}\n{goals_toml(language)}", encoding="utf-8")
    return open_workspace(folder)


def with_settings(text: str, wanted: str) -> str:
    """A complete `percorso.toml` with the lines of a shorter one in place of its own, and its rules at the end.

    Examples
    --------
    >>> with_settings("[a]\\nx = 1\\n\\n[b]\\nx = 1\\n", "[b]\\nx = 2\\n[[c]]\\ny = 3\\n")
    '[a]\\nx = 1\\n\\n[b]\\nx = 2\\n\\n[[c]]\\ny = 3\\n'
    """
    head, bracket, rules = wanted.partition("[[")
    for section, values in tomllib.loads(head).items():
        for key in values:
            here, there = _line_of(head, section, key), _line_of(text, section, key)
            text = text[: there.start(1)] + here[1] + text[there.end(1) :]
    return f"{text}\n{bracket}{rules}" if rules else text


def _line_of(text: str, section: str, key: str) -> re.Match[str]:
    """The line that sets a key of a section."""
    found = re.search(rf"^\[{section}\]$(?:\n(?!\[).*)*?\n({key} = .*)$", text, re.MULTILINE)
    if found is None:
        raise WorkspaceError(f"The demo's settings name a key that percorso.toml does not have: {section}.{key}.")
    return found


def take_in(workspace: Workspace, files: Path, progress: Progress) -> tuple[FileReport, ...]:
    """Import all exports, each as a user would: Segment files by source, tables by their mapping."""
    reports: list[FileReport] = []
    requests = [_request(files, key) for key, file in FILES.items() if _has_rows(files, file)]
    requests += [ImportRequest((str(files / name),), source=source) for name, source in ASIDE.items()]
    sizes = [Path(request.files[0]).stat().st_size for request in requests]
    done = 0
    for request, size in zip(requests, sizes, strict=True):

        def tell(path: Path, share: float, rows: int, before: int = done, size: int = size) -> None:
            progress("importing", before + int(share * size), sum(sizes))

        reports += import_files(workspace, request, tell).files
        done += size
    progress("importing", done, done)
    return tuple(reports)


def _has_rows(files: Path, file: File) -> bool:
    """A shop of a few customers may have no app, and an empty file is refused."""
    return (files / file.name).stat().st_size > len(f"{file.header}\r\n".encode(file.encoding))


def _request(files: Path, key: str) -> ImportRequest:
    file = FILES[key]
    if file.mapping:
        return ImportRequest((str(files / file.name),), mapping=files / "mappings" / file.mapping)
    return ImportRequest((str(files / file.name),), "segment", source=file.source)


def define_personas(workspace: Workspace, language: str) -> None:
    """Define the personas of the demo in a built workspace."""
    for names, rule in PERSONAS:
        name, title = names[language]
        define_segment(workspace, name, rule, persona=True, title=title, author="Legnocorda")


def write_report(workspace: Workspace, request: DemoRequest) -> Path:
    """The report that the demo ends with."""
    spec = ReportSpec(scope=_scope(workspace), language=request.language)
    return make_report(workspace, spec).save(request.folder / REPORT_FILE)


def write_map(workspace: Workspace, request: DemoRequest) -> Path:
    """The journey map that the demo ends with."""
    answer = ask_map(workspace, MapSpec(scope=_scope(workspace)), language=request.language)
    path = request.folder / MAP_FILE
    path.write_text(draw_map(workspace, answer, language=request.language).page, encoding="utf-8")
    return path


def _scope(workspace: Workspace) -> Scope:
    return Scope(timezone=workspace.settings.workspace.timezone)
