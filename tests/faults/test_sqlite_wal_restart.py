"""Why a WAL is cut to nothing, and that flushed, before it is written again.

After a checkpoint SQLite starts its WAL over in the same blocks. With synchronous=OFF
nothing orders those writes: of the new WAL the later blocks may reach the disk and the
first ones not. What is left is then the beginning of the old WAL, valid frame by frame,
and SQLite replays it: old pages over a newer database. Here every such mixture is made
on purpose, block by block. With the WAL cut to length 0 and flushed in between, what is
missing reads as zeros, and all mixtures are whole.
"""
import contextlib
import random
import shutil
import sqlite3

import pytest

BLOCK = 4096


def rows_of(db: sqlite3.Connection) -> dict[int, bytes]:
    return dict(db.execute("SELECT id, body FROM row"))


def write(db: sqlite3.Connection, rng: random.Random, first: int, count: int) -> None:
    for number in range(first, first + count):
        db.execute("BEGIN")
        for _ in range(3):
            db.execute("INSERT OR REPLACE INTO row VALUES (?, ?)", (rng.randrange(60), rng.randbytes(900)))
        db.execute("UPDATE meta SET applied = ?", (number,))
        db.execute("COMMIT")


class Cut:
    """The files at the checkpoint, the WAL afterwards, and the rows of each state."""

    def __init__(self, folder, truncate: bool):
        self.path, rng = folder / "m.db", random.Random(3)
        db = sqlite3.connect(self.path, isolation_level=None)
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=OFF", "wal_autocheckpoint=0"):
            db.execute("PRAGMA " + pragma)
        db.execute("CREATE TABLE row(id INTEGER PRIMARY KEY, body BLOB)")
        db.execute("CREATE TABLE meta(applied INTEGER)")
        db.execute("INSERT INTO meta VALUES (0)")
        write(db, rng, 1, 30)
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        if truncate:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        wal = folder / "m.db-wal"
        self.base, self.old = self.path.read_bytes(), wal.read_bytes()
        self.rows = {30: rows_of(db)}
        for number in range(31, 37):
            write(db, rng, number, 1)
            self.rows[number] = rows_of(db)
        self.new = wal.read_bytes()
        db.close()

    def mixtures(self):
        """Blocks below K are the old WAL's (or zeros), those from K on the new one's."""
        size = max(len(self.old), len(self.new))
        old = self.old.ljust(size, b"\0")
        new = self.new + old[len(self.new):]
        for k in range(len(self.new) // BLOCK + 2):
            yield old[:k * BLOCK] + new[k * BLOCK:]


def fault(folder, base: bytes, wal: bytes, rows: dict[int, dict[int, bytes]]) -> str | None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "m.db").write_bytes(base)
    (folder / "m.db-wal").write_bytes(wal)
    try:
        with contextlib.closing(sqlite3.connect(folder / "m.db")) as db:
            if (whole := db.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                return whole
            applied = next((row[0] for row in db.execute("SELECT applied FROM meta")), None)
            return None if rows.get(applied) == rows_of(db) else f"rows are not those of transaction {applied}"
    except sqlite3.DatabaseError as error:
        return str(error)


@pytest.mark.parametrize("truncate", [True, False])
def test_restarted_wal(tmp_path, truncate):
    cut = Cut(tmp_path, truncate)
    found = [f for wal in cut.mixtures() if (f := fault(tmp_path / "after", cut.base, wal, cut.rows))]
    if truncate:
        assert found == []
    else:
        assert found, "a WAL written over was expected to show the damage that cutting it prevents"
