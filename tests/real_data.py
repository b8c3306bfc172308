"""Workspaces of the real data sets, each made once for all tests by the very commands of its how-to page."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from percorso.cli.main import run
from percorso.services.workspace import SECRET_FILE, Workspace, open_workspace

__all__ = ["BLOCK", "PAGES", "Real", "RealSet", "commands_of", "make_set", "output_of", "page_of"]

_ROOT = Path(__file__).resolve().parents[1]
_HOW_TO = _ROOT / "docs" / "how-to"

#: The groups of persons behind jackknife intervals follow from the workspace's key, which is drawn at random.
_KEY = bytes(range(32))

#: Folder of the data set -> its page in docs/how-to. A folder of examples/ has the data set's name too.
PAGES = {
    "cdnow": "cdnow.md",
    "channelattribution_pathdata": "channelattribution-pathdata.md",
    "completejourney": "complete-journey.md",
    "olist_classified_reviews": "olist.md",
    "receipt": "receipt.md",
    "retentioneering_ecom": "retentioneering-ecom.md",
    "retentioneering_simple_shop": "retentioneering-simple-shop.md",
    "uci_online_retail_II_2009_2010": "online-retail.md",
}

#: Commands, and what they print where the page says it.
BLOCK = re.compile(r"^```sh\n(?P<commands>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
_SETTINGS = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class RealSet:
    """A data set that has been imported and built.

    Parameters
    ----------
    workspace : Workspace
        Not to be changed: other tests read it as well.
    reports : list of dict
        What each import said of its file, in the order of the page: rows, events, rejected, ...
    """

    workspace: Workspace
    reports: list[dict[str, Any]]


def page_of(name: str) -> str:
    """The text of the how-to page of a data set."""
    return (_HOW_TO / PAGES[name]).read_text(encoding="utf-8")


def commands_of(text: str) -> list[list[str]]:
    """The arguments of each command of a block, without the program's name; segments may span lines in quotes."""
    commands: list[list[str]] = []
    for word in _words(text):
        if word == "percorso":
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def _words(text: str) -> Iterator[str]:
    yield from shlex.split(text.replace("\\\n", " "), comments=True)


def output_of(folder: Path, arguments: list[str]) -> str:
    """What a command prints when it is run in a folder."""
    raw = io.BytesIO()
    told = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)  # JSON is written as bytes
    with contextlib.chdir(folder), contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = run(arguments)
    text = raw.getvalue().decode()
    assert code == 0, text
    return text


def make_set(name: str, raw: Path, folder: Path) -> RealSet:
    """The workspace of a data set; another process that makes it at the same time is waited for.

    Parameters
    ----------
    name : str
        Of the folder of the data set.
    raw : Path
        Its files, which the page's commands find in the folder where they run.
    folder : Path
        Where sets are made, one folder each.
    """
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    done = place / "reports.json"
    with open(folder / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            reports = _made(page_of(name), raw, place)
            done.write_text(json.dumps(reports), encoding="utf-8")
    (workspace,) = (path.parent for path in place.glob("*/percorso.toml"))
    return RealSet(open_workspace(workspace), json.loads(done.read_text(encoding="utf-8")))


def _made(page: str, raw: Path, place: Path) -> list[dict[str, Any]]:
    for file in raw.iterdir():
        (place / file.name).symlink_to(file)
    (place / "examples").symlink_to(_ROOT / "examples")
    block = BLOCK.search(page)
    assert block is not None
    reports: list[dict[str, Any]] = []
    for command in commands_of(block["commands"]):
        if "import" in command:
            reports += json.loads(output_of(place, [*command, "--json"]))["files"]
        else:
            output_of(place, command)
            for key in place.glob(f"*/{SECRET_FILE}"):
                key.write_bytes(_KEY)
    (settings,) = place.glob("*/percorso.toml")
    change = _SETTINGS.search(page)
    if change is not None:
        _change(settings, change[1])
    output_of(place, ["-w", settings.parent.name, "build"])
    return reports


def _change(settings: Path, lines: str) -> None:
    """Put the lines ``key = value`` of a page in the place of those that the new workspace has."""
    text = settings.read_text(encoding="utf-8")
    for line in lines.splitlines():
        if " = " in line:
            key = line.split(" = ")[0]
            (before,) = re.findall(rf"^{re.escape(key)} = .*$", text, flags=re.MULTILINE)
            text = text.replace(before, line)
    settings.write_text(text, encoding="utf-8")


#: How tests ask for a set: ``real("receipt")``.
Real = Callable[[str], RealSet]
