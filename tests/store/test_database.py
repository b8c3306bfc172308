"""The application database: made, migrated, opened by several at once, refused where it is too new."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateTable

from percorso.errors import Busy, Corrupt, FormatTooNew, OperationError
from percorso.store import database
from percorso.store.database import Database, Decision, MaskedIdentifier, Segment, SegmentRule, revisions
from percorso.store.database.migrate import known_revisions

TABLES = (
    database.decisions.identity_decisions,
    database.suppressions.suppressions,
    database.segments.segments,
    database.segments.segment_rules,
)
A = MaskedIdentifier(b"\0" * 15 + b"\1", "email", "", "a•••@example.it")
B = MaskedIdentifier(b"\xff" * 16, "user_id", "shop", "u…42")
LINK = Decision(0, "link", A, B, 1_714_730_000_000_000, "Anna", "asked her")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "percorso.db"


def made(path: Path, *decisions: Decision) -> Path:
    with database.open_database(path) as opened, opened.writing() as connection:
        for decision in decisions:
            database.decisions.add_decision(connection, decision)
    return path


def test_reading_makes_no_file(path: Path) -> None:
    assert database.read_decisions(path) == []
    assert database.read_suppressions(path, "row") == frozenset()
    assert database.read_erased_identifiers(path) == {}
    assert database.read_segments(path) == []
    assert not list(path.parent.iterdir())


def test_the_migrations_make_the_tables_that_the_code_names(path: Path) -> None:
    with database.open_database(path) as opened, opened.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        metadata = TABLES[0].metadata
        assert set(metadata.tables.values()) == set(TABLES)
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == revisions.HEAD
    assert known_revisions() == revisions.REVISIONS


def test_the_tables_are_postgresqls_too() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    ddl = "".join(str(CreateTable(table).compile(dialect=dialect)) for table in TABLES)
    assert "id BIGSERIAL NOT NULL" in ddl
    assert "a_hash BYTEA NOT NULL" in ddl
    assert "erased_us BIGINT NOT NULL" in ddl


def test_only_the_owner_may_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        with database.open_database(path) as opened, opened.writing() as connection:
            database.decisions.add_decision(connection, LINK)
            files = [one for one in path.parent.iterdir() if one.suffix != ".lock"]
            assert {one.name for one in files} == {"percorso.db", "percorso.db-wal", "percorso.db-shm"}
            assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    finally:
        os.umask(before)
    # Nothing is left behind that a backup of the one file would lack.
    assert {one.name for one in path.parent.iterdir()} == {"percorso.db", "percorso.db.lock"}
    database.read_decisions(path)
    assert {one.name for one in path.parent.iterdir()} == {"percorso.db", "percorso.db.lock"}


def test_how_sqlite_is_set(path: Path) -> None:
    with database.open_database(path) as opened, opened.reading() as connection:
        told = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "secure_delete", "synchronous")
        }
    assert told == {"journal_mode": "wal", "foreign_keys": 1, "secure_delete": 1, "synchronous": 2}


def test_decisions_come_back_in_their_order(path: Path) -> None:
    unlink = Decision(0, "unlink", B, A, 5, "Bruno", "twins")  # an earlier time, a later decision
    made(path, LINK, unlink)
    made(path, LINK)
    read = database.read_decisions(path)
    assert [(one.id, one.kind, one.a, one.b) for one in read] == [
        (1, "link", A, B),
        (2, "unlink", B, A),
        (3, "link", A, B),
    ]
    assert (read[1].decided_us, read[1].author, read[1].reason) == (5, "Bruno", "twins")
    with database.open_database(path) as opened, opened.reading() as connection:
        assert database.decisions.all_decisions(connection) == read


def test_ids_are_never_given_twice_and_forgotten_decisions_leave_no_byte(path: Path) -> None:
    made(path, LINK)
    with database.open_database(path) as opened, opened.writing() as connection:
        assert database.decisions.forget_decisions(connection, {A.hash}) == 1
        assert database.decisions.add_decision(connection, LINK).id == 2
        assert database.decisions.forget_decisions(connection, [b"x" * 16, *(bytes([n]) * 16 for n in range(256))]) == 1
        assert database.decisions.forget_decisions(connection, []) == 0
    assert database.read_decisions(path) == []
    assert "u…42".encode() not in path.read_bytes()
    assert b"asked her" not in path.read_bytes()


def test_a_block_that_fails_changes_nothing(path: Path) -> None:
    made(path)
    with database.open_database(path) as opened, pytest.raises(IntegrityError) as told:
        add_then_fail(opened)
    assert "Anna" not in str(told.value)  # errors may be logged
    assert database.read_decisions(path) == []


def add_then_fail(opened: Database) -> None:
    with opened.writing() as connection:
        database.decisions.add_decision(connection, LINK)
        database.decisions.add_decision(connection, replace(LINK, kind="maybe"))  # type: ignore[arg-type]


def test_suppressions_are_added_once_and_read_by_what_they_are(path: Path) -> None:
    with database.open_database(path) as opened:
        with opened.writing() as connection:
            add = database.suppressions.add_suppressions
            assert add(connection, "identifier", [A.hash, B.hash, A.hash], erased_us=10) == 2
            assert add(connection, "row", (bytes([n, 1]) * 8 for n in range(200)), erased_us=10) == 200
            assert add(connection, "row", [], erased_us=10) == 0
        with opened.writing() as connection:
            assert add(connection, "identifier", [A.hash, b"n" * 16], erased_us=20) == 1
            assert add(connection, "identifier", [B.hash], erased_us=5) == 0
        with opened.reading() as connection:
            assert database.suppressions.all_suppressions(connection, "identifier") == {A.hash, B.hash, b"n" * 16}
    assert database.read_suppressions(path, "identifier") == {A.hash, B.hash, b"n" * 16}
    assert len(database.read_suppressions(path, "row")) == 200
    # Erased again: the later time counts.
    assert database.read_erased_identifiers(path) == {A.hash: 20, B.hash: 10, b"n" * 16: 20}


def segment(name: str, *rules: str, kind: str = "persona") -> Segment:
    versions = tuple(SegmentRule(n, rule, 1, "Anna", 10 * n) for n, rule in enumerate(rules, 1))
    return Segment(name, kind, "Comes back", "", (("wants", "no «surprises»"),), "#aabbcc", "Anna", 5, 10, versions)  # type: ignore[arg-type]


def test_segments_keep_their_older_rules(path: Path) -> None:
    with database.open_database(path) as opened:
        for one in (segment("regulars", "orders >= 2"), segment("Browsers", "orders = 0")):
            with opened.writing() as connection:
                database.segments.save_segment(connection, one)
        changed = replace(segment("Regulars", "orders >= 2", "orders >= 3"), changed_us=20, traits=())
        with opened.writing() as connection:
            database.segments.save_segment(connection, changed)
        with opened.reading() as connection:
            found = database.segments.all_segments(connection)
    assert found == [segment("Browsers", "orders = 0"), changed]
    assert found == database.read_segments(path)
    assert changed.rule == "orders >= 3"


def test_a_forgotten_segment_leaves_nothing(path: Path) -> None:
    with database.open_database(path) as opened, opened.writing() as connection:
        database.segments.save_segment(connection, segment("regulars", "orders >= 2", "orders >= 3"))
        assert database.segments.forget_segment(connection, "REGULARS")
        assert not database.segments.forget_segment(connection, "regulars")
    assert database.read_segments(path) == []
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM segment_rules").fetchall() == [(0,)]


def test_a_database_of_the_second_revision_gains_segments(path: Path) -> None:
    made(path, LINK)
    with closing(sqlite3.connect(path)) as connection:
        for table in ("segment_rules", "segments"):
            connection.execute(f"DROP TABLE {table}")
        connection.commit()
    set_revision(path, "0002")
    with database.open_database(path) as opened, opened.writing() as connection:
        database.segments.save_segment(connection, segment("regulars", "orders >= 2"))
    assert [one.name for one in database.read_segments(path)] == ["regulars"]
    assert len(database.read_decisions(path)) == 1


# ------------------------------------------------------------------------------------------------ revisions


def set_revision(path: Path, revision: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.commit()


def test_a_database_of_a_newer_percorso_is_refused(path: Path) -> None:
    made(path, LINK)
    set_revision(path, "9999")
    for read in (database.open_database, database.read_decisions):
        with pytest.raises(FormatTooNew, match="revision 9999") as told:
            read(path)
        assert "newer" in told.value.hint
    set_revision(path, revisions.HEAD)
    assert len(database.read_decisions(path)) == 1


def test_an_older_database_gains_what_is_new(path: Path) -> None:
    made(path, LINK)
    with closing(sqlite3.connect(path)) as connection:
        for table in ("suppressions", "segment_rules", "segments"):
            connection.execute(f"DROP TABLE {table}")
        connection.commit()
    set_revision(path, "0001")
    assert database.read_suppressions(path, "row") == frozenset()
    assert database.read_segments(path) == []
    assert [one.author for one in database.read_decisions(path)] == ["Anna"]


def test_an_interrupted_first_opening_does_no_harm(path: Path) -> None:
    path.touch(0o600)  # made, and not yet migrated
    assert database.read_decisions(path) == []
    assert len(database.read_decisions(made(path, LINK))) == 1


def test_migrations_count_together_or_not_at_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Path(database.__file__).parent / "migrations" / "versions" / "v0002_suppressions.py"
    copied = path.parent / "store" / "database"
    shutil.copytree(script.parents[2], copied)
    broken = copied / "migrations" / "versions" / script.name
    broken.write_text(script.read_text(encoding="utf-8") + "    raise OSError('half way')\n", encoding="utf-8")
    monkeypatch.setattr("percorso.store.database.migrate.__file__", str(copied / "migrate.py"))
    with pytest.raises(OSError, match="half way"):
        database.open_database(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    monkeypatch.undo()
    assert len(database.read_decisions(made(path, LINK))) == 1


# ---------------------------------------------------------------------------------------------- several at once

_OPEN = """
import sys
from pathlib import Path
from percorso.store import database
from percorso.store.database import Decision, MaskedIdentifier
one = MaskedIdentifier(b"1" * 16, "email", "", "a")
sys.stdin.readline()
with database.open_database(Path(sys.argv[1])) as opened:
    for number in range(20):
        with opened.writing() as connection:
            database.decisions.add_decision(connection, Decision(0, "link", one, one, number, sys.argv[2], "r"))
        database.read_decisions(Path(sys.argv[1]))
"""


def test_processes_that_start_at_once_do_not_clash(path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", _OPEN, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen([*command, str(number)], text=True, **pipes) for number in range(3)]  # type: ignore[call-overload]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], told
    read = database.read_decisions(path)
    assert sorted((one.author, one.decided_us) for one in read) == [(str(p), n) for p in range(3) for n in range(20)]


def test_threads_write_one_after_the_other(path: Path) -> None:
    made(path)
    with database.open_database(path) as opened:

        def add_if_few(_: int) -> None:
            with opened.writing() as connection:
                if len(database.decisions.all_decisions(connection)) < 10:
                    database.decisions.add_decision(connection, LINK)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(add_if_few, range(40)))
    assert len(database.read_decisions(path)) == 10


def test_a_reader_waits_for_no_writer_and_a_writer_gives_up(path: Path) -> None:
    made(path, LINK)
    ready, done = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with database.open_database(path) as opened, opened.writing() as connection:
            database.decisions.add_decision(connection, LINK)
            ready.set()
            done.wait(60)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write_slowly)
        assert ready.wait(60)
        try:
            assert len(database.read_decisions(path)) == 1
            with (
                database.open_database(path, timeout_s=0.05) as opened,
                pytest.raises(Busy, match="being written"),
                opened.writing(),
            ):
                pass
        finally:
            done.set()
        writing.result(60)
    assert len(database.read_decisions(path)) == 2


# ------------------------------------------------------------------------------------------------ bad machines


def test_what_is_no_database_is_said_to_be_damaged(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    for read in (database.open_database, database.read_decisions):
        with pytest.raises(Corrupt, match="cannot be read"):
            read(path)


def test_a_database_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "percorso.db").mkdir()
    with pytest.raises((OperationError, OSError)):
        database.open_database(tmp_path / "percorso.db")


def test_a_workspace_that_may_not_be_written_can_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(path, LINK)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    monkeypatch.setattr(os, "access", lambda *_: False)  # for root too
    try:
        assert len(database.read_decisions(path)) == 1
        assert {one.name for one in path.parent.iterdir()} == {"percorso.db", "percorso.db.lock"}
    finally:
        path.parent.chmod(0o700)


def test_questions_load_no_database_library(path: Path) -> None:
    made(path, LINK)
    script = (
        "import sys; from pathlib import Path; from percorso.store import database; "
        f"print(len(database.read_decisions(Path({str(path)!r})))); "
        "print([name for name in ('sqlalchemy', 'alembic') if name in sys.modules]); "
        f"database.open_database(Path({str(path)!r})).close(); "
        "print([name for name in ('sqlalchemy', 'alembic') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == ["1", "[]", "['sqlalchemy']"]


def test_unknown_names_are_told() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tables'"):
        database.tables  # noqa: B018
