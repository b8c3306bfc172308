"""The repository around the code: what no file may hold, and what every page and dependency must have."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import percorso
from percorso.cli.lazy import LazyCommand, load
from percorso.cli.main import COMMANDS
from percorso.events.event import EVENT_SCHEMA, ITEM_TYPE
from tests.docs_tables import code_spans
from tests.docs_tables import table as docs_table

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

#: Hosts of package registries, written so that this file does not hold them.
HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("".join(("python", "hosted")), "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("deb", "debian", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("repo", "maven", "apache", "org"),
        ("anaconda", "org"),
    )
)

#: An absolute path on somebody's machine: a home folder, or a working folder at the root.
MACHINE_PATH = re.compile(r"(?<![\w./:-])/(?:root|home/\w+|Users/\w+|work|tmp/\w+)/[\w.]")

LARGEST_FILE_BYTES = 1_000_000

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_NOT_OURS = {".git", ".venv", ".cache", "build", "dist", "demo-data", "__pycache__", ".hypothesis"}


@cache
def files() -> tuple[Path, ...]:
    """Every file of the repository: tracked, or new and not ignored. Without git, all but known scratch folders."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        every = (path for path in ROOT.rglob("*") if path.is_file())
        return tuple(path for path in every if not _NOT_OURS & set(path.relative_to(ROOT).parts))
    return tuple(path for name in sorted(set(listed.split("\0"))) if name and (path := ROOT / name).is_file())


@cache
def text(path: Path) -> str:
    """The file's text; "" for a binary one."""
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8", "replace")


@cache
def pages() -> tuple[Path, ...]:
    return tuple(path for path in files() if path.suffix == ".md")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_names_a_package_registry() -> None:
    found = [f"{name(path)}: {host}" for path in files() for host in HOSTS if host in text(path).lower()]
    assert not found


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    found = [
        f"{name(path)}:{number}"
        for path in files()
        for number, line in enumerate(text(path).splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert not found


def test_no_file_is_large() -> None:
    large = [f"{name(path)}: {size:,}" for path in files() if (size := path.stat().st_size) > LARGEST_FILE_BYTES]
    assert not large


def test_every_text_ends_in_a_newline() -> None:
    wrong = [name(path) for path in files() if path.suffix in {".py", ".md", ".toml", ".sh"} and unfinished(path)]
    assert not wrong


def unfinished(path: Path) -> bool:
    content = text(path)
    return bool(content) and (not content.endswith("\n") or content.endswith("\n\n"))


# ---------------------------------------------------------------------------------------------- documents


def links(page: Path) -> list[tuple[str, str]]:
    """Relative links of a page as (path, anchor); both may be ""."""
    targets = _LINK.findall(_FENCE.sub("", text(page)))
    relative = [target for target in targets if not re.match(r"[a-z]+:", target)]
    return [(path, anchor) for path, _, anchor in (target.partition("#") for target in relative)]


def target(page: Path, path: str) -> Path:
    return (page.parent / path).resolve() if path else page


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get: lower case, punctuation dropped, blanks to hyphens."""
    headings = re.findall(r"^#+ +(.+?) *$", _FENCE.sub("", text(page)), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def test_links_lead_somewhere() -> None:
    broken = []
    for page in pages():
        for path, anchor in links(page):
            there = target(page, path)
            if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
                broken.append(f"{name(page)}: {path}{'#' if anchor else ''}{anchor}")
    assert not broken


def test_every_page_is_reached_from_the_index() -> None:
    seen: set[Path] = set()
    waiting = [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        waiting.extend(target(page, path) for path, _ in links(page))
    # docs/dev is for those who work on Percorso.
    meant = [page for page in pages() if page.is_relative_to(DOCS) and not page.is_relative_to(DOCS / "dev")]
    lost = [name(page) for page in meant if page not in seen]
    assert not lost


def test_decisions_have_the_parts_of_a_decision() -> None:
    wanted = {"context", "decision", "consequences", "what-would-change-our-mind"}
    records = sorted((DOCS / "adr").glob("*.md"))
    assert [record.name[:4] for record in records] == [f"{number:04d}" for number in range(1, len(records) + 1)]
    assert not [name(record) for record in records if not wanted <= anchors(record)]


def test_the_changelog_tells_of_this_version() -> None:
    assert re.search(rf"^## \[{re.escape(percorso.__version__)}\]", text(ROOT / "CHANGELOG.md"), re.MULTILINE)


# --------------------------------------------------------------------------------------------- dependencies


def project() -> dict[str, object]:
    return tomllib.loads(text(ROOT / "pyproject.toml"))["project"]  # type: ignore[no-any-return]


def locked(lock: str) -> dict[str, set[str]]:
    """Name -> versions (several where platforms differ) of one lock file."""
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([\w.-]+)==([^ ;\\]+)", text(ROOT / "requirements" / lock), re.MULTILINE):
        versions.setdefault(canonicalize_name(package), set()).add(version)
    return versions


LOCKS = ("run", "test", "bench", "lock")


def test_the_version_stands_in_one_place_only() -> None:
    assert project()["version"] == percorso.__version__


def test_every_dependency_has_its_reason_beside_it() -> None:
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", text(ROOT / "pyproject.toml"), re.MULTILINE | re.DOTALL)
    assert listed is not None
    lines = listed[1].splitlines()
    for lock in LOCKS:
        lines += text(ROOT / "requirements" / f"{lock}.in").splitlines()
    wanted = [line for line in lines if line.strip() and not line.lstrip().startswith(("#", "-"))]
    assert not [line for line in wanted if not re.search(r"# .+\(.+\)", line)]


def test_every_dependency_is_locked() -> None:
    dependencies = project()["dependencies"]
    assert isinstance(dependencies, list)
    versions = locked("run.txt")
    for requirement in map(Requirement, dependencies):
        found = versions.get(canonicalize_name(requirement.name), set())
        assert found, f"{requirement.name}: run `make lock`"
        assert all(requirement.specifier.contains(version) for version in found), requirement.name


@pytest.mark.parametrize("lock", [f"{lock}.txt" for lock in LOCKS])
def test_locks_hold_hashes_and_no_address(lock: str) -> None:
    content = text(ROOT / "requirements" / lock)
    assert "://" not in content
    assert "--index-url" not in content
    blocks = re.split(r"^(?=[\w.-]+==)", content, flags=re.MULTILINE)[1:]
    assert blocks
    assert not [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block]


def test_tests_run_on_the_versions_that_are_shipped() -> None:
    run = locked("run.txt")
    for lock in ("test.txt", "bench.txt"):
        different = {package for package, versions in locked(lock).items() if run.get(package, versions) != versions}
        assert not different


# ----------------------------------------------------------------------------------------------- entry points


def test_the_two_commands_exist_and_the_check_run_calls_one() -> None:
    makefile = text(ROOT / "Makefile")
    for command in ("setup", "demo", "test", "bench", "lint", "format", "lock", "clean"):
        assert re.search(rf"^{command}:", makefile, re.MULTILINE), command
    assert "make test" in text(ROOT / ".ci" / "run")


# ------------------------------------------------------------------------------------------------- reference


def options(command: Any) -> set[str]:
    """Long options of a command and of the commands below it, `--help` apart."""
    own = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    below = (options(child) for child in getattr(command, "commands", {}).values())
    return {option for option in own if option.startswith("--") and option != "--help"}.union(*below)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_and_option_has_its_page(command: LazyCommand) -> None:
    page = DOCS / "reference" / f"{command.name}.md"
    assert page.is_file()
    common = (DOCS / "reference" / "conditions.md", DOCS / "reference" / "output.md")
    linked = (target(page, path) for path, _ in links(page) if path.endswith(".md"))
    content = "".join(text(each) for each in (page, *common, *linked))
    assert re.search(rf"percorso (-w \w+ )?{command.name}\b", text(page))
    assert not {option for option in options(load(command)) if not re.search(rf"{option}(?![\w-])", content)}


def test_every_event_column_is_documented() -> None:
    rows = docs_table("reference/event.md", "Columns")
    assert [code_spans(row[0])[0] for row in rows] == EVENT_SCHEMA.names
    assert [row[2] == "yes" for row in rows] == [not column.nullable for column in EVENT_SCHEMA]
    items = docs_table("reference/event.md", "Items")
    assert [code_spans(row[0])[0] for row in items] == [column.name for column in ITEM_TYPE]


def shown_commands() -> list[tuple[str, list[str]]]:
    """Every `percorso ...` command in a shell block of any page, as (page, words)."""
    found = []
    for page in pages():
        for block in re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", text(page), re.MULTILINE | re.DOTALL):
            # Inside quotes a command may go on in the next line.
            block = re.sub(r'"[^"]*"', lambda quoted: quoted[0].replace("\n", " "), block.replace("\\\n", " "))
            lines = (line.removeprefix("$ ") for line in block.splitlines())
            found += [(name(page), shlex.split(line, comments=True)) for line in lines if line.startswith("percorso ")]
    return found


def test_commands_shown_in_the_pages_exist() -> None:
    known = {command.name: options(load(command)) for command in COMMANDS}
    shown = shown_commands()
    assert shown
    for page, words in shown:
        rest = words[1:]
        while rest[0] in ("-w", "--workspace", "--engine", "--master"):
            rest = rest[2:]
        assert rest[0] in known, f"{page}: {' '.join(words)}"
        given = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert not given - known[rest[0]] - {"--help"}, f"{page}: {' '.join(words)}"
