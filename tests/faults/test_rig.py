"""The rig itself, with a writer of files in place of the store: one that syncs file and
folder loses nothing at any cut, one that does not is caught.
"""
import os
import random

import pytest

from disk import LoopMount, PowerCuts, RecordedDisk, Recording, cut_points

FILES = 150


def write_files(disk: RecordedDisk, sync: bool) -> None:
    folder = os.open(disk.mount.point, os.O_RDONLY | os.O_DIRECTORY)
    for i in range(FILES):
        with open(disk.mount.point / f"f{i}", "wb") as file:
            file.write(content(i))
            file.flush()
            if sync:
                os.fsync(file.fileno())
        if sync:
            os.fsync(folder)
        elif i % 50 == 49:
            os.sync()                        # as the kernel would do some day
        disk.mark(f"{i} ")
    os.close(folder)


def content(i: int) -> bytes:
    return random.Random(i).randbytes(3000 + i * 50)


def missing_at_cuts(recorder, folder, sync: bool) -> int:
    folder.mkdir()
    disk = RecordedDisk(recorder, folder, 64)
    write_files(disk, sync)
    disk.close()
    recording = Recording(disk.journal)
    cuts, missing = PowerCuts(recording, disk.base, folder), 0
    for cut in cut_points(recording, 25, random.Random(3)):
        mount = LoopMount(cuts.image(cut, random.Random(cut)), folder / "after")
        for i in (int(i) for marks in recording.marks_before(cut) for i in marks.split()):
            path = mount.point / f"f{i}"
            missing += not path.exists() or path.read_bytes() != content(i)
        mount.close()
    return missing


@pytest.fixture(scope="module")
def recorder(release):
    return release / "faults/blockrec"


def test_synced_files_survive(recorder, work):
    assert missing_at_cuts(recorder, work / "sync", sync=True) == 0


def test_unsynced_files_are_lost(recorder, work):
    assert missing_at_cuts(recorder, work / "nosync", sync=False) > 0
