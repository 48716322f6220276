"""SQLite with synchronous=OFF under power cuts (design §6).

The writer commits numbered transactions and checkpoints now and then. At each cut the
database must be whole, hold exactly what one of its transactions left, and none older
than the last that a finished checkpoint covered. The store's way to checkpoint
(checkpoint.c) stands that; SQLite's own must be caught. docs/decisions/sqlite-without-sync.md has the result.
"""
import contextlib
import ctypes
import hashlib
import os
import random
import sqlite3

import pytest

from disk import LoopMount, PowerCuts, RecordedDisk, Recording, cut_points, libc

TRANSACTIONS, CUTS = 600, 60


def digest(rows: dict[int, bytes]) -> str:
    total = hashlib.sha256()
    for key in sorted(rows):
        total.update(b"%d=" % key + rows[key])
    return total.hexdigest()


def syncfs(folder) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    assert libc.syncfs(ctypes.c_int(fd)) == 0
    os.close(fd)


class Writer:
    """One mailbox database: rows replaced at random, the last transaction's number beside them."""

    auto_checkpoint = 0

    def __init__(self, disk: RecordedDisk):
        self.disk = disk
        self.rows: dict[int, bytes] = {}
        self.states = {0: digest({})}            # transaction -> digest of the rows
        self.db = sqlite3.connect(disk.mount.point / "m.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=OFF", f"wal_autocheckpoint={self.auto_checkpoint}"):
            self.db.execute("PRAGMA " + pragma)
        self.db.execute("CREATE TABLE row(id INTEGER PRIMARY KEY, body BLOB)")
        self.db.execute("CREATE TABLE meta(applied INTEGER)")
        self.db.execute("INSERT INTO meta VALUES (0)")

    def transaction(self, number: int, rng: random.Random) -> None:
        self.db.execute("BEGIN")
        for _ in range(rng.randrange(1, 6)):
            key, body = rng.randrange(300), rng.randbytes(rng.randrange(20, 2500))
            self.rows[key] = body
            self.db.execute("INSERT OR REPLACE INTO row VALUES (?, ?)", (key, body))
        self.db.execute("UPDATE meta SET applied = ?", (number,))
        self.db.execute("COMMIT")
        self.states[number] = digest(self.rows)

    def sync(self) -> None:
        syncfs(self.disk.mount.point)

    def checkpoint(self) -> None:
        self.sync()
        self.db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        self.sync()
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.sync()

    def run(self) -> None:
        rng = random.Random(5)
        self.checkpoint()
        self.disk.mark("0 ")
        for number in range(1, TRANSACTIONS + 1):
            self.transaction(number, rng)
            if number % 40 == 0:
                self.checkpoint()
                self.disk.mark(f"{number} ")
        self.db.close()


class SqlitesOwn(Writer):
    auto_checkpoint = 60

    def checkpoint(self) -> None:
        self.sync()


def fault(path, states: dict[int, str], covered: int) -> str | None:
    try:
        with contextlib.closing(sqlite3.connect(path)) as db:
            whole = db.execute("PRAGMA integrity_check").fetchone()[0]
            applied = db.execute("SELECT applied FROM meta").fetchone()[0]
            rows = dict(db.execute("SELECT id, body FROM row"))
    except sqlite3.DatabaseError as error:
        return f"damaged: {error}"
    if whole != "ok":
        return f"damaged: {whole}"
    if applied < covered:
        return f"transaction {applied} where {covered} was made durable"
    return None if states.get(applied) == digest(rows) else f"rows are not those of transaction {applied}"


def faults(recorder, folder, kind: type[Writer]) -> list[str]:
    folder.mkdir()
    disk = RecordedDisk(recorder, folder, 64)
    writer = kind(disk)
    writer.run()
    disk.close()
    recording = Recording(disk.journal)
    cuts, found = PowerCuts(recording, disk.base, folder), []
    for cut in cut_points(recording, CUTS, random.Random(9)):
        mount = LoopMount(cuts.image(cut, random.Random(cut)), folder / "after")
        covered = int("".join(recording.marks_before(cut)).split()[-1]) if recording.marks_before(cut) else 0
        found.append(fault(mount.point / "m.db", writer.states, covered))
        mount.close()
    return [f for f in found if f]


@pytest.fixture(scope="module")
def recorder(release):
    return release / "faults/blockrec"


def test_reset_behind_a_second_sync_is_enough(recorder, work):
    assert faults(recorder, work / "ours", Writer) == []


def test_sqlites_own_checkpoints_are_not(recorder, work):
    assert faults(recorder, work / "theirs", SqlitesOwn) != []
