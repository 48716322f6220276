"""kill -9 of zmconfigd at 200 random moments of a change that touches several files of
two services (design §13). Whatever the moment, each service is wholly on one generation,
and the next start finishes or undoes the rest."""
import os
import pathlib
import random
import re
import signal
import smtplib
import subprocess
import time

import pytest

from lab.changes import Writer
from lab.lab import wait_for

SERVICE = "zimbra-configd.service"
KILLS = 200
FOLDERS = {"postfix": ("main.cf", "master.cf", "header_checks"), "nginx": ("nginx.conf",)}
MARK = "\n# pair %%zimbraMtaMaxMessageSize%%\n"


@pytest.fixture(scope="module")
def host(mail):
    """One attribute is in every file looked at."""
    for folder, files in FOLDERS.items():
        for f in files:
            mail.write(f"/opt/zimbra/conf/override/{folder}/{f}.in", mail.read(f"/opt/zimbra/lib/templates/{folder}/{f}.in") + MARK)
    wait_for(lambda: all(len(values(mail, f)) == 1 for f in FOLDERS), 20, "the marks")
    mail.run("systemctl", "stop", SERVICE)
    return mail


def values(host, folder):
    """What the live files of FOLDER say, which must be one thing."""
    out = host.run("sh", "-ec", f"cd -P /opt/zimbra/conf/{folder}; for f in {' '.join(FOLDERS[folder])}; do tail -n 1 $f; done")
    lines = out.splitlines()
    assert len(lines) == len(FOLDERS[folder]), f"{folder}: {out}"
    return {int(re.fullmatch(r"# pair (\d+)", line).group(1)) if line.startswith("# pair") else None for line in lines}


def start(host):
    """The running command; nsenter(1) is its parent."""
    return subprocess.Popen(["nsenter", "-t", str(host.leader), "-a", "--", "/opt/zimbra/libexec/zmconfigd", "--once"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_at(p, seconds):
    """True when it was still running."""
    children = pathlib.Path(f"/proc/{p.pid}/task/{p.pid}/children")
    pid = wait_for(lambda: children.read_text().split() or p.poll() is not None, 10, "zmconfigd", 0.001)
    time.sleep(seconds)
    try:
        os.kill(int(pid[0]), signal.SIGKILL)
        alive = True
    except (ProcessLookupError, TypeError):
        alive = False
    p.wait()
    return alive


def finish(host, n):
    """A whole run: everything is on N, also what runs, and nothing is under way."""
    assert start(host).wait(60) == 0
    assert {f: values(host, f) for f in FOLDERS} == {f: {n} for f in FOLDERS}
    assert host.try_run("test", "-e", "/opt/zimbra/conf/configd.d/intent").returncode != 0
    with smtplib.SMTP(host.address, 25, timeout=10) as s:
        s.ehlo("client.example.test")
        assert int(s.esmtp_features["size"]) == n


def test_kill_at_200_random_moments(host):
    writer, rng, base = Writer(host), random.Random(20260101), 30_000_000
    known, turned, killed, rounds = set(), 0, 0, 0

    def configure(n):
        known.add(n)
        writer.configure("zimbraMtaMaxMessageSize", n)

    def timed_finish(n):
        configure(n)
        begin = time.monotonic()
        finish(host, n)
        return time.monotonic() - begin

    timed_finish(base)
    whole = timed_finish(base + 1)
    while killed < KILLS:
        rounds += 1
        n = base + 10 * rounds
        configure(n)
        alive = kill_at(start(host), rng.uniform(0, whole))
        killed += alive
        for f in FOLDERS:
            found = values(host, f)
            assert len(found) == 1, f"kill {killed}: {f} is torn: {found}"
            assert found <= known, f"kill {killed}: {f} has {found}"
            turned += alive and found == {n}
        if not alive or rounds % 20 == 0:
            whole = min(whole, timed_finish(n + 1))
        assert rounds < 3 * KILLS
    timed_finish(base + 1_000_000)
    print(f"a whole run takes {whole:.2f} s; {killed} kills in {rounds} rounds; {turned} of {2 * killed} folders had turned")
    assert 0 < turned < 2 * killed
    writer.close()
    # the daemon itself finds everything in order
    host.run("systemctl", "start", SERVICE)
    assert "failed" not in host.run("/opt/zimbra/bin/zmconfigctl", "status")
