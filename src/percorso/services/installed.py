"""What is installed beside Percorso: the distributions that it needs, with their very versions and files."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

import percorso
from percorso.errors import OperationError
from percorso.language.said import said

__all__ = ["Installed", "files_of", "installed_with", "python_version"]

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRAS = re.compile(r"\[([^\]]*)\]")

#: What tells of the installation rather than of what is installed: it names folders of this machine.
_OF_THIS_MACHINE = {"RECORD", "direct_url.json", "INSTALLER", "REQUESTED"}


@dataclass(frozen=True, slots=True)
class Installed:
    """One distribution.

    Parameters
    ----------
    name : str
        Normalised: ``crawler-user-agents``.
    version : str
    about : Distribution
    """

    name: str
    version: str
    about: Distribution


def installed_with(name: str, *extras: str) -> list[Installed]:
    """A distribution and everything that it needs, by name; of its extras what is installed.

    Requirements of other platforms and of older Pythons are not installed here, and so are not among them: what works
    here is what is taken, and nothing is resolved anew.

    Raises
    ------
    OperationError
        The distribution itself, or one that is needed whatever the platform, is not installed.
    """
    found: dict[str, Installed] = {}
    asked: set[tuple[str, str]] = set()

    def take(name: str, extras: tuple[str, ...], *, needed: bool) -> None:
        try:
            about = distribution(name)
        except PackageNotFoundError as error:
            if needed:
                raise OperationError(said("errors.package_missing", name=name)) from error
            return
        found.setdefault(name, Installed(name, about.version, about))
        for extra in ("", *extras):
            if (name, extra) in asked:
                continue
            asked.add((name, extra))
            for requirement, marker in _requirements(about, extra):
                title = _NAME.match(requirement)
                chosen = _EXTRAS.search(requirement)
                if title is not None:
                    given = tuple(part.strip() for part in chosen[1].split(",")) if chosen else ()
                    take(_normal(title[0]), given, needed=not marker)

    take(_normal(name), extras, needed=True)
    return [found[name] for name in sorted(found)]


def _requirements(about: Distribution, extra: str) -> Iterator[tuple[str, str]]:
    """Requirements that an extra adds, or ("") that there are without one; each with its marker."""
    for line in about.requires or []:
        requirement, _, marker = line.partition(";")
        named = re.search(r"""extra\s*==\s*["']([^"']+)["']""", marker)
        if (_normal(named[1]) if named else "") == _normal(extra):
            yield requirement, marker


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def files_of(one: Installed) -> Iterator[tuple[str, Path]]:
    """The files that a distribution brings to Python's path: (path below it, where it lies), without byte code.

    Raises
    ------
    OperationError
        Nothing says which files are its own.
    """
    own = one.name == "percorso"
    for file in one.about.files or ():
        path = PurePosixPath(file)
        outside = ".." in path.parts or path.suffix in (".pyc", ".pth")
        is_about = any(part.endswith((".dist-info", ".egg-info")) for part in path.parts[:1])
        if outside or (is_about and path.name in _OF_THIS_MACHINE) or (own and not is_about):
            continue
        yield str(path), Path(str(one.about.locate_file(file)))
    if own:
        yield from _own_files()
    elif not any(PurePosixPath(file).suffix in (".py", ".so", ".pyd") for file in one.about.files or ()):
        raise OperationError(said("errors.package_in_place", name=one.name), hint=said("errors.package_in_place_hint"))


def _own_files() -> Iterator[tuple[str, Path]]:
    """Percorso's own, from where it runs: that may be a working copy, of which its distribution lists no files."""
    package = Path(percorso.__path__[0])
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
            yield path.relative_to(package.parent).as_posix(), path


def python_version() -> str:
    """Major and minor version of this Python: what was compiled for it runs on no other."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
