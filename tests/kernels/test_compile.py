"""Where compiled kernels are kept, and when they are compiled anew."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from numba import types
from numba.core import config

from percorso.kernels import cache
from percorso.kernels.compile import I64_IN, kernel


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    cache.cache_folder.cache_clear()
    yield
    cache.cache_folder.cache_clear()


def test_the_named_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERCORSO_CACHE", str(tmp_path / "mine"))
    assert cache.cache_folder() == tmp_path / "mine" / "kernels"
    assert cache.cache_folder().is_dir()


def test_then_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERCORSO_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / "percorso" / "kernels"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    cache.cache_folder.cache_clear()
    assert cache.cache_folder().parents[2] in (tmp_path, tmp_path / "Library")


def test_without_any_a_private_temporary_one_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("PERCORSO_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nothing")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with caplog.at_level(logging.WARNING):
        folder = cache.cache_folder()
    assert folder == tmp_path / f"percorso-cache-{os.getuid()}"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "PERCORSO_CACHE" in caplog.text
    cache.cache_folder.cache_clear()
    assert cache.cache_folder() == folder


def test_a_temporary_folder_of_somebody_else_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    planted = tmp_path / f"percorso-cache-{os.getuid()}"
    planted.mkdir(mode=0o777)
    planted.chmod(0o777)
    assert cache._private_temporary_folder() != planted
    planted.rmdir()
    (tmp_path / "elsewhere").mkdir()
    planted.symlink_to(tmp_path / "elsewhere")
    assert cache._private_temporary_folder() != planted


def test_a_change_of_a_callee_changes_the_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "cache.py"))
    for name, content in (
        ("a", "from percorso.kernels.b import f"),
        ("b", "from percorso.kernels.c import g"),
        ("c", ""),
    ):
        (tmp_path / f"{name}.py").write_text(content)
    before = [cache.source_fingerprint(tmp_path / f"{name}.py") for name in "abc"]
    (tmp_path / "c.py").write_text("changed")
    cache._content_hash.cache_clear()
    after = [cache.source_fingerprint(tmp_path / f"{name}.py") for name in "abc"]
    assert all(old != new for old, new in zip(before, after, strict=True))
    (tmp_path / "a.py").write_text("from percorso.kernels.b import f  # changed")
    cache._content_hash.cache_clear()
    assert cache.source_fingerprint(tmp_path / "b.py") == after[1]
    assert cache.source_fingerprint(tmp_path / "a.py") != after[0]


def test_kernels_take_arrays_that_cannot_be_written() -> None:
    @kernel(types.int64(I64_IN))
    def total(values: npt.NDArray[np.int64]) -> int:
        found = 0
        for value in values:
            found += value
        return found

    before = config.CACHE_DIR
    numbers = np.arange(5)
    assert total(numbers) == 10
    numbers.flags.writeable = False
    assert total(numbers) == 10
    assert before == config.CACHE_DIR


def test_the_second_process_loads_what_the_first_compiled(tmp_path: Path) -> None:
    (tmp_path / "cached_kernel.py").write_text(
        textwrap.dedent("""
        from numba import types
        from percorso.kernels.compile import kernel

        @kernel(types.int64(types.int64))
        def twice(x):
            return 2 * x

        assert twice(21) == 42
        print(sum(twice.stats.cache_hits.values()))
        """)
    )
    environment = {**os.environ, "PERCORSO_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}
    hits = [
        subprocess.run(
            [sys.executable, "-m", "cached_kernel"], env=environment, capture_output=True, text=True, check=True
        )
        for _ in range(2)
    ]
    assert [run.stdout.strip() for run in hits] == ["0", "1"]
