"""Where compiled kernels are kept between runs.

``$PERCORSO_KERNELS`` (set by an environment that brings them along), else ``$PERCORSO_CACHE``, else the user's cache
folder, else a private folder under the system's temporary one, with a warning. So Percorso starts fast from a
read-only install, and starts at all without a home.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["cache_folder", "cached_kernels", "source_fingerprint"]

_logger = logging.getLogger("percorso.kernels")
_IMPORTED_KERNELS = re.compile(r"^\s*(?:from|import)\s+percorso\.kernels\.(\w+)", re.MULTILINE)


@functools.cache
def cache_folder() -> Path:
    """The folder compiled kernels are cached in; exists and is writable.

    Returns
    -------
    Path
        ``kernels`` in ``$PERCORSO_KERNELS``, in ``$PERCORSO_CACHE``, or in the first fallback that can be written.
    """
    wanted = [Path(given) for name in ("PERCORSO_KERNELS", "PERCORSO_CACHE") if (given := os.environ.get(name))]
    home = user_cache_folder()
    if home is not None:
        wanted.append(home)
    for folder in wanted:
        kernels = folder / "kernels"
        if _is_writable(kernels):
            return kernels
    folder = _private_temporary_folder()
    _logger.warning("No cache folder can be written; compiled kernels go to %s. PERCORSO_CACHE names one.", folder)
    return folder


def cached_kernels() -> Iterator[tuple[str, Path]]:
    """Every file of compiled kernels of this version: (path below :func:`cache_folder`, where it lies)."""
    for source in sorted(Path(__file__).parent.glob("*.py")):
        for path in sorted((cache_folder() / source_fingerprint(source) / source.parent.name).glob("*.nb[ic]")):
            yield path.relative_to(cache_folder()).as_posix(), path


def source_fingerprint(file: Path) -> str:
    """A hash of a kernel file and of every kernel file it imports, directly or not.

    numba looks at the kernel's own file alone, and would go on calling the old code of a callee in
    another file.
    """
    seen: set[Path] = set()
    _collect(file.resolve(), seen)
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(seen):
        digest.update(_content_hash(path))
    return digest.hexdigest()


def _collect(file: Path, seen: set[Path]) -> None:
    if file in seen or not file.is_file():
        return
    seen.add(file)
    for name in _imports(file):
        _collect(Path(__file__).resolve().parent / f"{name}.py", seen)


@functools.cache
def _imports(file: Path) -> tuple[str, ...]:
    return tuple(_IMPORTED_KERNELS.findall(file.read_text(encoding="utf-8")))


@functools.cache
def _content_hash(file: Path) -> bytes:
    return hashlib.blake2b(file.read_bytes(), digest_size=16).digest()


def user_cache_folder() -> Path | None:
    """Percorso's folder among the user's caches, which need not exist yet; None where there is no home."""
    given = os.environ.get("XDG_CACHE_HOME")
    if given:
        return Path(given) / "percorso"
    try:
        home = Path.home()
    except RuntimeError:  # no HOME, and a user id without an entry
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "percorso"


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _private_temporary_folder() -> Path:
    """One folder a user, so that the next run finds it; never one that others could have put there.

    The cache holds pickles: loading one that somebody else wrote would run their code.
    """
    folder = Path(tempfile.gettempdir()) / f"percorso-cache-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        info = folder.lstat()
    except OSError:
        return Path(tempfile.mkdtemp(prefix="percorso-cache-"))
    mine = stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid() and not info.st_mode & 0o077
    return folder if mine and _is_writable(folder) else Path(tempfile.mkdtemp(prefix="percorso-cache-"))
