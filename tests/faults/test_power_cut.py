"""Power cuts in a burst of deliveries, replayed from recorded block writes (design
§13): fifty images, each with all that was flushed before the cut and a random, partly
torn rest. Each must mount, recover, and hold whatever got its 250 before the cut.

The same with a build whose fdatasync does nothing must be caught losing mail; without
that the fifty would prove nothing.
"""
import random
import shutil
from dataclasses import dataclass

import pytest

from disk import LoopMount, PowerCuts, RecordedDisk, Recording, cut_points
from load import Delivery, run_burst
from store import ACCOUNTS, Store, compare, databases_whole, storecheck

POINTS = 50
DISK_MB = 1024


@dataclass
class Recorded:
    recording: Recording
    cuts: PowerCuts
    points: list[int]
    deliveries: dict[int, Delivery]


def record(programs, release, folder, seed: int) -> Recorded:
    """A burst on the recorded disk, with a crash of a shard in its middle so that the
    cuts fall into recovery as well."""
    folder.mkdir()
    disk = RecordedDisk(release / "faults/blockrec", folder, DISK_MB)
    data = disk.mount.point
    store = Store(programs, data, folder / "run")
    try:
        store.start_all()
        deliveries: dict[int, Delivery] = {}
        for part in range(2):
            burst = run_burst(store.address, seed + part, ACCOUNTS, connections=4, messages=250, pause=0.006,
                              on_ack=lambda d: disk.mark(f"{d.key} "))
            deliveries |= {d.key: d for d in burst.sent}
            assert len(burst.acknowledged) == len(burst.sent), store.logs()
            if part == 0:                        # checkpoints come every second: cuts fall into them as well
                store.kill("shard-0")
                store.start("shard-0")
    finally:
        store.close()
        shutil.copy(disk.journal, folder / "journal.cut")     # what follows is not the test's
        disk.close()
    recording = Recording(folder / "journal.cut")
    return Recorded(recording, PowerCuts(recording, disk.base, folder), cut_points(recording, POINTS, random.Random(seed)), deliveries)


def faults_at(recorded: Recorded, programs, folder, cut: int) -> list[str]:
    image = recorded.cuts.image(cut, random.Random(cut))
    acknowledged = [recorded.deliveries[int(key)] for marks in recorded.recording.marks_before(cut) for key in marks.split()]
    try:
        mount = LoopMount(image, folder / "after")
    except RuntimeError as error:
        return [f"the file system does not mount: {error}"]
    try:
        messages, faults = storecheck(programs, mount.point)
        return faults + compare(messages, list(recorded.deliveries.values()), acknowledged) + databases_whole(mount.point)
    finally:
        mount.close()


@pytest.fixture(scope="module")
def recorded(release, work):
    r = record(release, release, work / "sync", seed=1)
    assert r.recording.count(b"F") > 50, "the loop device passes no flushes: nothing is proved"
    return r


@pytest.mark.parametrize("point", range(POINTS))
def test_nothing_acknowledged_is_lost(recorded, release, work, point):
    cut = recorded.points[point]
    faults = faults_at(recorded, release, work / "sync", cut)
    assert not faults, f"cut at event {cut} of {len(recorded.recording.events)}:\n" + "\n".join(faults[:20])


def test_a_build_that_does_not_sync_is_caught(nosync, release, work):
    r = record(nosync, release, work / "nosync", seed=1)
    for cut in r.points:
        if any(f.startswith("lost: ") for f in faults_at(r, release, work / "nosync", cut)):
            return
    pytest.fail(f"no message was lost at {POINTS} cut points without fdatasync: the rig does not see flushes")
