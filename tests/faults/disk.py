"""The disk that loses power: an ext4 file system on a loop device over blockrec, its
journal of writes and flushes, and images of what a power cut may have left.
"""
import ctypes
import mmap
import os
import pathlib
import random
import shutil
import struct
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

SECTOR = 512
SUPERBLOCK_END = 2048
RECORD = struct.Struct("<c7xQQ")
SYNC_FILE_RANGE_WRITE = 2
libc = ctypes.CDLL(None, use_errno=True)


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def make_image(path: pathlib.Path, megabytes: int) -> None:
    with open(path, "wb") as image:
        image.truncate(megabytes << 20)
    # nothing is left to the kernel's lazy initialisation: its writes are not the test's
    run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(path))


def copy_sparse(source: pathlib.Path, target: pathlib.Path) -> None:
    run("cp", "--sparse=always", str(source), str(target))


class LoopMount:
    """IMAGE (a file) mounted at POINT."""

    def __init__(self, image: pathlib.Path, point: pathlib.Path):
        self.point = point
        point.mkdir(exist_ok=True)
        self.device = run("losetup", "--show", "-f", str(image))
        try:
            run("mount", "-o", "noatime,commit=1", self.device, str(point))
        except RuntimeError:
            run("losetup", "-d", self.device)
            raise

    def close(self) -> None:
        for _ in range(50):
            if subprocess.run(["umount", str(self.point)], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)
        else:
            run("umount", "-l", str(self.point))
        run("losetup", "-d", self.device)


class Agitator(threading.Thread):
    """Starts write-back of random files, without a flush: the kernel does so whenever it
    likes, and a store must stand whatever order that gives."""

    def __init__(self, folder: pathlib.Path):
        super().__init__(daemon=True)
        self.folder, self.stopped = folder, threading.Event()
        self.start()

    def run(self) -> None:
        rng = random.Random(11)
        while not self.stopped.wait(0.01):
            files = [path for path in self.folder.rglob("*") if path.is_file()]
            for path in rng.sample(files, min(len(files), 10)):
                try:
                    fd = os.open(path, os.O_RDWR)
                except OSError:
                    continue
                libc.sync_file_range(fd, ctypes.c_int64(0), ctypes.c_int64(0), SYNC_FILE_RANGE_WRITE)
                os.close(fd)

    def stop(self) -> None:
        self.stopped.set()
        self.join()


class RecordedDisk:
    """An empty file system whose block writes and flushes are recorded."""

    def __init__(self, program: pathlib.Path, folder: pathlib.Path, megabytes: int):
        self.folder = folder
        self.base, self.journal = folder / "base.img", folder / "journal"
        live, fuse = folder / "live.img", folder / "fuse"
        fuse.mkdir()
        make_image(self.base, megabytes)
        copy_sparse(self.base, live)
        self.fuse = fuse
        self.recorder = subprocess.Popen([str(program), str(live), str(self.journal), str(fuse)])
        deadline = time.monotonic() + 10
        while not (fuse / "disk").exists():
            if time.monotonic() > deadline or self.recorder.poll() is not None:
                raise RuntimeError("blockrec does not serve its disk")
            time.sleep(0.01)
        self.mark_fd = os.open(fuse / "mark", os.O_WRONLY)
        self.mount = LoopMount(fuse / "disk", folder / "mnt")
        self.agitator = Agitator(self.mount.point)

    def mark(self, text: str) -> None:
        """Notes TEXT in the journal: all writes recorded before it happened before."""
        os.write(self.mark_fd, text.encode())

    def close(self) -> None:
        self.agitator.stop()
        os.close(self.mark_fd)
        self.mount.close()
        run("fusermount3", "-u", str(self.fuse))
        self.recorder.wait(10)


@dataclass
class Event:
    type: bytes              # W write, F flush, M mark
    offset: int              # of a write: in the disk
    start: int               # of the bytes: in the journal
    length: int


class Recording:
    """A journal, read."""

    def __init__(self, path: pathlib.Path):
        with open(path, "rb") as file:
            self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.events: list[Event] = []
        at = 0
        while at + RECORD.size <= len(self.bytes):
            kind, offset, length = RECORD.unpack_from(self.bytes, at)
            at += RECORD.size
            if at + length > len(self.bytes):
                break
            self.events.append(Event(kind, offset, at, length))
            at += length

    def marks_before(self, cut: int) -> list[str]:
        return [self.bytes[e.start:e.start + e.length].decode() for e in self.events[:cut] if e.type == b"M"]

    def count(self, kind: bytes) -> int:
        return sum(e.type == kind for e in self.events)

    def write(self, fd: int, event: Event, start: int = 0, length: int | None = None) -> None:
        length = event.length - start if length is None else length
        os.pwrite(fd, self.bytes[event.start + start:event.start + start + length], event.offset + start)


def cut_points(recording: Recording, n: int, rng: random.Random) -> list[int]:
    """N places behind the first mark: any event, and the moments just before and
    just after a flush, where most can be lost or must all be there."""
    first = next(i for i, e in enumerate(recording.events) if e.type == b"M")
    last = len(recording.events)
    flushes = [i for i, e in enumerate(recording.events) if e.type == b"F" and i > first]
    points = {last}
    while len(points) < min(n, last - first):
        near = rng.choice(flushes) + rng.choice((0, 1)) if flushes and rng.random() < 0.5 else rng.randrange(first, last)
        points.add(max(near, first))
    return sorted(points)


class PowerCuts:
    """Images for rising cut points of one recording. The durable part (all writes
    before the last flush) is kept and rolled forward."""

    def __init__(self, recording: Recording, base: pathlib.Path, folder: pathlib.Path):
        self.recording, self.folder = recording, folder
        self.durable, self.done = folder / "durable.img", 0
        copy_sparse(base, self.durable)

    def image(self, cut: int, rng: random.Random) -> pathlib.Path:
        events = self.recording.events
        flush = max((i for i in range(cut) if events[i].type == b"F"), default=self.done)
        with open(self.durable, "r+b") as file:
            for event in events[self.done:flush]:
                if event.type == b"W":
                    self.recording.write(file.fileno(), event)
        self.done = max(self.done, flush)
        image = self.folder / "cut.img"
        copy_sparse(self.durable, image)
        with open(image, "r+b") as file:
            self._unflushed(file.fileno(), [e for e in events[self.done:cut] if e.type == b"W"], rng)
        return image

    def _unflushed(self, fd: int, writes: list[Event], rng: random.Random) -> None:
        """A random subset reached the disk, some of it torn between sectors; only the two of
        ext4's superblock stay together: torn, its checksum is wrong and nothing mounts it, which
        says nothing of who keeps his data in the file system."""
        share = rng.choice((0.0, 0.2, 0.5, 0.8, 1.0))
        for event in writes:
            if rng.random() >= share:
                continue
            if rng.random() >= 0.3:
                self.recording.write(fd, event)
                continue
            kept = False
            for sector in range(0, event.length, SECTOR):
                if event.offset + sector != SUPERBLOCK_END - SECTOR:
                    kept = rng.random() < 0.5
                if kept:
                    self.recording.write(fd, event, sector, min(SECTOR, event.length - sector))


def work_folder(name: str) -> pathlib.Path:
    """Images live in memory where there is room: many small flushes are made."""
    root = "/dev/shm" if shutil.disk_usage("/dev/shm").free > 4 << 30 else "/tmp"
    return pathlib.Path(tempfile.mkdtemp(prefix=f"power-{name}-", dir=root))
