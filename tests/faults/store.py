"""The store's processes on folders of a test, without a container, and the check of
what they left behind.
"""
import contextlib
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import time
from collections import Counter
from dataclasses import dataclass

import zmauthd
from load import Delivery

TOP = pathlib.Path(__file__).resolve().parents[2]
SHARDS = 2
ACCOUNTS = [f"user{i}@fault.test" for i in range(8)]
INBOX = 2


def build(variant: str) -> pathlib.Path:
    """The store's programs and the tests' own, of VARIANT."""
    folder = TOP / "build" / variant
    programs = ["libexec/zmmailboxd-login", "libexec/zmmailboxd-intake", "libexec/zmmailboxd-shard",
                "faults/storecheck", "faults/blockrec"]
    subprocess.run(["make", "--no-print-directory", "-j2", f"VARIANT={variant}",
                    *(f"build/{variant}/{p}" for p in programs)], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    return folder


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@dataclass
class Message:
    """A line of storecheck."""
    account: str
    folder: int
    uid: int
    size: int
    modseq: int
    stored: str
    summary_size: int


class Store:
    """Data below DATA, sockets and logs below RUNTIME."""

    def __init__(self, programs: pathlib.Path, data: pathlib.Path, runtime: pathlib.Path):
        self.programs, self.data, self.runtime = programs, data, runtime
        self.processes: dict[str, subprocess.Popen] = {}
        for folder in ("store", "redolog", "db"):
            (data / folder).mkdir(exist_ok=True)
        (runtime / "sockets").mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.config = runtime / "mailboxd.conf"
        self.config.write_text(f"""[mailboxd]
hostname={zmauthd.HOST}
shards={SHARDS}
socket_dir={runtime}/sockets
[login]
auth_socket={runtime}/auth.sock
bind_address=127.0.0.1
lmtp_port={self.port}
imap_port=0
imaps_port=0
pop3_port=0
pop3s_port=0
[intake]
auth_socket={runtime}/auth.sock
[shard]
store_dir={data}/store
redolog_dir={data}/redolog
db_dir={data}/db
checkpoint_mib=1
checkpoint_seconds=1
wal_bytes=20000
""")
        self.auth = zmauthd.FakeZmauthd(str(runtime / "auth.sock"))

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    # ---- processes ----

    def start(self, name: str) -> None:
        """login, intake, shard-0, shard-1 …; returns when it says it is ready."""
        program, _, number = name.partition("-")
        notify = self.runtime / f"notify-{name}"
        notify.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(notify))
            ready.settimeout(0.5)
            command = [str(self.programs / f"libexec/zmmailboxd-{program}"), "--config", str(self.config)]
            if number:
                command.append(number)
            log = open(self.runtime / f"{name}.log", "ab")
            environment = {k: v for k, v in os.environ.items() if k not in ("JOURNAL_STREAM", "INVOCATION_ID")}
            environment["NOTIFY_SOCKET"] = str(notify)
            process = subprocess.Popen(command, stderr=log, stdout=log, env=environment)
            log.close()
            self.processes[name] = process
            self._wait_ready(name, process, ready)

    def _wait_ready(self, name: str, process: subprocess.Popen, ready: socket.socket) -> None:
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if b"READY=1" in ready.recv(4096):
                    return
            except TimeoutError:
                pass
        raise RuntimeError(f"{name} does not come up ({process.poll()})\n{self.logs()}")

    def start_all(self) -> None:
        for name in [f"shard-{i}" for i in range(SHARDS)] + ["intake", "login"]:
            if name not in self.processes:
                self.start(name)

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        process = self.processes.pop(name)
        process.send_signal(how)
        process.wait(30)

    def kill_all(self, how: signal.Signals = signal.SIGKILL) -> None:
        for name in list(self.processes):
            self.kill(name, how)

    def close(self) -> None:
        self.kill_all()
        self.auth.close()

    def logs(self) -> str:
        return "".join(f"== {p.name}\n" + "".join(p.read_text(errors="replace").splitlines(True)[-15:])
                       for p in sorted(self.runtime.glob("*.log")))


# ---- what is in a store ----

def storecheck(programs: pathlib.Path, data: pathlib.Path, abandon: bool = False) -> tuple[list[Message], list[str]]:
    """Recovers every shard and lists its messages. Second: what is wrong by itself."""
    ids = {zmauthd.account_id(a): a for a in ACCOUNTS}
    messages, faults = [], []
    for number in range(SHARDS):
        command = [str(programs / "faults/storecheck"), "--store-dir", f"{data}/store", "--redolog-dir", f"{data}/redolog",
                   "--db-dir", f"{data}/db", "--number", str(number), "--count", str(SHARDS)]
        done = subprocess.run(command + ["--abandon"] * abandon + list(ids), capture_output=True, text=True,
                              timeout=60, check=False)
        faults += [line for line in done.stderr.splitlines() if line.startswith("storecheck: ") and "warning" not in line]
        if done.returncode != 0:
            faults.append(f"shard {number} ended with {done.returncode}: {done.stderr[-500:]}")
        for line in done.stdout.splitlines():
            account, folder, uid, size, modseq, stored, summary_size = line.split()
            messages.append(Message(ids[account], int(folder), int(uid), int(size), int(modseq), stored, int(summary_size)))
    return messages, faults


def databases_whole(data: pathlib.Path) -> list[str]:
    faults = []
    for path in sorted((data / "db").rglob("*.db")):
        try:
            with contextlib.closing(sqlite3.connect(path)) as db:
                result = db.execute("PRAGMA integrity_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            result = str(error)
        if result != "ok":
            faults.append(f"{path.name}: {result}")
    return faults


def compare(messages: list[Message], sent: list[Delivery], acknowledged: list[Delivery]) -> list[str]:
    """What is missing, doubled, changed or out of order."""
    faults = []
    present = Counter((m.account, m.stored) for m in messages)
    known = {(d.recipient, d.stored): d for d in sent}
    for d in acknowledged:
        if present[(d.recipient, d.stored)] == 0:
            faults.append(f"lost: message {d.key} for {d.recipient} got its 250")
    for m in messages:
        key = (m.account, m.stored)
        if key not in known:
            faults.append(f"half or foreign: {m.account} uid {m.uid} in {m.folder}, {m.size} bytes")
        elif present[key] > 1:
            faults.append(f"doubled: message {known[key].key} for {m.account}")
        elif m.folder != INBOX or m.size != known[key].size or m.summary_size != m.size:
            faults.append(f"wrong: message {known[key].key} for {m.account}: {m}")
    return faults + unordered(messages, known)


def unordered(messages: list[Message], known: dict) -> list[str]:
    """One connection sends one after the other: its uids rise, and modseqs with them."""
    faults, last = [], {}
    for m in sorted(messages, key=lambda m: (m.account, m.folder, m.uid)):
        d = known.get((m.account, m.stored))
        if not d:
            continue
        before = last.get((m.account, d.connection))
        if before and (before[0] > d.key or before[1] >= m.modseq):
            faults.append(f"order: {m.account} uid {m.uid} holds message {d.key} behind {before[0]}")
        last[(m.account, d.connection)] = (d.key, m.modseq)
    return faults
