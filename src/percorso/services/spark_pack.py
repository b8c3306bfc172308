"""An archive of the running environment for Spark's workers, which have neither Percorso nor its packages.

Unpacked anywhere it is::

    bin/python         starts the machine's Python of the same version with what is below, and with nothing else
    lib/               Percorso and the packages it needs, in the versions that are installed here
    cache/kernels/     compiled kernels: a worker with another kind of processor compiles its own
    environment.json   what this is

Equal environments make equal bytes.
"""

from __future__ import annotations

import gzip
import importlib
import io
import json
import os
import pkgutil
import sysconfig
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import percorso
import percorso.kernels
from percorso.errors import FileError
from percorso.kernels.cache import cached_kernels
from percorso.language.said import said
from percorso.services.installed import Installed, files_of, installed_with, python_version

__all__ = ["EFFORT", "ENDINGS", "Entry", "Packed", "pack_environment", "write_archive"]

#: How the archive's name may end. Spark unpacks other archives, too, but makes no program of what is one (SPARK-38632).
ENDINGS = (".tar.gz", ".tgz")

#: Of gzip. Most of it are libraries of machine code: more effort takes twice the time and saves a tenth.
EFFORT = 1

#: What tasks may need beside; Spark itself is there already.
_EXTRAS = ("objects",)

#: Of all files in the archive, so that equal contents are equal bytes: 1980-01-01.
_TIME_S = 315532800

#: Found out by the launcher as it is here; `-S` and `-s` keep the worker's own packages away from ours.
_LAUNCHER = """\
#!/bin/sh
# Python with Percorso and the packages it needs, wherever this folder lies. Made by `percorso spark pack`.
home=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 1
fits='import sys, sysconfig
sys.exit("%d.%d" % sys.version_info[:2] + " " + sysconfig.get_platform() != "{version} {platform}")'
for python in "$PERCORSO_PYTHON" python{version} python3 /usr/bin/python{version} /usr/local/bin/python{version}; do
  if [ -n "$python" ] && "$python" -I -S -c "$fits" >/dev/null 2>&1; then
    PYTHONPATH="$home/lib${{PYTHONPATH:+:$PYTHONPATH}}"
    PERCORSO_KERNELS="$home/cache"
    export PYTHONPATH PERCORSO_KERNELS
    exec "$python" -s -S "$@"
  fi
done
echo "Percorso's environment needs Python {version} on {platform}, and this machine has none on its PATH." >&2
echo "Install it there, or name it in PERCORSO_PYTHON." >&2
exit 1
"""


@dataclass(frozen=True, slots=True)
class Packed:
    """What was packed.

    Parameters
    ----------
    file : str
    size_bytes : int
    seconds : float
    python, platform : str
        What workers must have: "3.11" and, say, "linux-x86_64".
    packages : dict of str to str
        Versions by name.
    kernels : int
        Files of compiled kernels.
    """

    file: str
    size_bytes: int
    seconds: float
    python: str
    platform: str
    packages: dict[str, str]
    kernels: int

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive: bytes, or where they lie."""

    name: str
    content: bytes | Path
    is_program: bool = False


def pack_environment(file: Path, *, effort: int = EFFORT) -> Packed:
    """Write the archive. Nothing is fetched: what is installed here is what is packed.

    Parameters
    ----------
    file : Path
        Ends in one of ENDINGS.
    effort : int
        Of gzip, 0 to 9.

    Raises
    ------
    FileError
        Another ending, or it cannot be written.
    OperationError
        A package is missing, or is installed so that its files are not known.
    """
    if not file.name.endswith(ENDINGS):
        raise FileError(said("errors.archive_ending", file=str(file), endings=", ".join(ENDINGS)))
    started = time.monotonic()
    packages = installed_with("percorso", *_EXTRAS)
    kernels = list(_kernels())
    try:
        with _replacing(file) as stream:
            write_archive([*_about(packages), *_libraries(packages), *kernels], stream, effort)
    except OSError as error:
        raise FileError(said("errors.not_written", file=str(file), reason=str(error.strerror))) from error
    return Packed(
        file=str(file),
        size_bytes=file.stat().st_size,
        seconds=time.monotonic() - started,
        python=python_version(),
        platform=sysconfig.get_platform(),
        packages={one.name: one.version for one in packages},
        kernels=len(kernels),
    )


def _about(packages: list[Installed]) -> Iterator[Entry]:
    version, platform = python_version(), sysconfig.get_platform()
    yield Entry("bin/python", _LAUNCHER.format(version=version, platform=platform).encode(), is_program=True)
    about = {
        "percorso": percorso.__version__,
        "python": version,
        "platform": platform,
        "packages": {one.name: one.version for one in packages},
    }
    yield Entry("environment.json", (json.dumps(about, indent=2, sort_keys=True) + "\n").encode())


def _libraries(packages: list[Installed]) -> Iterator[Entry]:
    for one in packages:
        for name, path in files_of(one):
            yield Entry(f"lib/{name}", path)


def _kernels() -> Iterator[Entry]:
    """Every kernel, compiled: a worker would compile for a minute before its first answer."""
    for module in pkgutil.iter_modules(percorso.kernels.__path__):
        importlib.import_module(f"percorso.kernels.{module.name}")
    for name, path in cached_kernels():
        yield Entry(f"cache/kernels/{name}", _placeless(path.read_bytes()))


def _placeless(content: bytes) -> bytes:
    """Without the folders of this machine, which stand in comments of compiled code; their lengths stand there, too."""
    package = Path(percorso.__path__[0]).parent
    for folder in {str(package), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        known = folder.encode()
        content = content.replace(known, b"/".ljust(len(known), b"_"))
    return content


def write_archive(entries: list[Entry], stream: IO[bytes], effort: int) -> None:
    """A tar of the entries, in the order of their names, packed with gzip."""
    with (
        gzip.GzipFile("", "wb", effort, stream, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for entry in sorted(entries, key=lambda entry: entry.name):
            info = tarfile.TarInfo(entry.name)
            info.mtime, info.mode = _TIME_S, 0o755 if entry.is_program else 0o644
            if isinstance(entry.content, bytes):
                info.size = len(entry.content)
                tar.addfile(info, io.BytesIO(entry.content))
                continue
            with open(entry.content, "rb") as source:
                info.size = os.fstat(source.fileno()).st_size
                tar.addfile(info, source)


@contextmanager
def _replacing(file: Path) -> Iterator[IO[bytes]]:
    """The file once it is whole: a worker must not get half of one."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with open(beside, "wb") as stream:
            yield stream
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
