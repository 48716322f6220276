"""The lab: named hosts booted from the installed tree on a bridge.

A Lab lives in a network namespace of its own, so that any number of labs on one
machine use the same addresses. Each host is an overlay of three layers (Debian
root, installed tree, optionally a saved state such as a finished set-up) booted
by systemd-nspawn; it is thrown away when it stops. The calling process sits in
the lab's namespace at 10.77.0.1 and is its DNS server.
"""
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from . import dns

TOP = pathlib.Path(__file__).resolve().parents[2]
CLONE_NEWNET = 0x40000000
NETWORK = "10.77.0"
GATEWAY = NETWORK + ".1"


class CommandFailed(AssertionError):
    def __init__(self, host, argv, result):
        super().__init__(
            f"{host}: {argv!r} exit {result.returncode}\n--- stdout\n{result.stdout}\n--- stderr\n{result.stderr}")
        self.result = result


def _run(*argv, **kw):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **kw)


def wait_for(condition, timeout=30.0, what="condition", interval=0.1):
    """Polls until condition() is true and returns its value; AssertionError names WHAT."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {timeout} s")
        time.sleep(interval)


class Host:
    def __init__(self, lab, name, address, layers):
        self.lab, self.name, self.address = lab, name, address
        self.short = name.split(".")[0]
        self.folder = lab.folder / self.short
        self.layers = layers
        self.upper = self.folder / "upper"
        self.root = self.folder / "root"
        self.nspawn = None
        self.leader = None

    # -- life cycle ------------------------------------------------------
    def boot(self, timeout=90):
        for d in (self.upper, self.folder / "work", self.root):
            d.mkdir(parents=True, exist_ok=True)
        lower = ":".join(str(layer) for layer in self.layers)
        _run("mount", "-t", "overlay", "overlay", "-o",
             f"lowerdir={lower},upperdir={self.upper},workdir={self.folder}/work", str(self.root))
        self._write_identity()
        # A host that was killed leaves its end of the cable for a moment.
        subprocess.run(["ip", "link", "del", f"vb-{self.short}"], capture_output=True)
        env = dict(os.environ, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1")
        console = open(self.folder / "console", "wb")
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "-q", "-D", str(self.root), "-b", "--register=no", "--keep-unit",
             f"--machine={self.short}", "--network-bridge=lab", "--resolv-conf=off",
             "--console=read-only", "--kill-signal=SIGRTMIN+4"],
            stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, env=env)
        self.leader = wait_for(self._find_leader, timeout, f"{self.name} leader")
        wait_for(self._is_up, timeout, f"{self.name} systemd")
        return self

    def _write_identity(self):
        etc = self.root / "etc"
        (etc / "hostname").write_text(self.name + "\n")
        (etc / "hosts").write_text("127.0.0.1 localhost\n" + "".join(
            f"{h.address} {h.name} {h.short}\n" for h in self.lab.known_hosts(self)))
        (etc / "resolv.conf").unlink(missing_ok=True)
        (etc / "resolv.conf").write_text(f"nameserver {GATEWAY}\noptions timeout:1 attempts:1\n")
        network = etc / "systemd/network"
        network.mkdir(parents=True, exist_ok=True)
        (network / "10-host0.network").write_text(
            f"[Match]\nName=host0\n[Network]\nAddress={self.address}/24\nGateway={GATEWAY}\n")

    def _find_leader(self):
        if self.nspawn.poll() is not None:
            raise AssertionError(f"{self.name} did not boot:\n" + (self.folder / "console").read_text(errors="replace"))
        try:
            children = pathlib.Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split()
            for child in children:      # the one that is process 1 inside; others come and go
                status = pathlib.Path(f"/proc/{child}/status").read_text()
                ids = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
                if len(ids) > 1 and ids[-1] == "1":
                    return int(child)
        except (FileNotFoundError, ProcessLookupError):
            pass
        return None

    def _is_up(self):
        r = self.try_run("systemctl", "is-system-running")
        return r.stdout.strip() in ("running", "degraded") and self.try_run(
            "ip", "-4", "-o", "addr", "show", "dev", "host0").stdout.find(self.address) >= 0

    def stop(self, timeout=60):
        """Orderly shutdown; the host's state stays in its upper folder until the lab ends."""
        if self.nspawn and self.nspawn.poll() is None:
            os.kill(self.leader, signal.SIGRTMIN + 4)
            try:
                self.nspawn.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
        self._umount()

    def kill(self):
        """The power plug: everything dies at once."""
        if self.nspawn and self.nspawn.poll() is None:
            os.kill(self.leader, signal.SIGKILL)
            self.nspawn.wait(30)
        self._umount()

    def _umount(self):
        self.leader = None
        if self.root.is_mount():
            wait_for(lambda: subprocess.run(["umount", str(self.root)], capture_output=True).returncode == 0,
                     10, f"umount of {self.root}")

    # -- commands ---------------------------------------------------------
    def try_run(self, *argv, user=None, input=None, timeout=120, env=None):
        prefix = ["nsenter", "-t", str(self.leader), "-a", "--"]
        if user:
            prefix += ["runuser", "-u", user, "--"]
        e = {"PATH": "/opt/zimbra/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root", "TERM": "dumb"}
        e.update(env or {})
        return subprocess.run(prefix + [str(a) for a in argv], capture_output=True, text=True, input=input,
                              stdin=None if input is not None else subprocess.DEVNULL,
                              timeout=timeout, env=e, errors="replace")

    def run(self, *argv, **kw):
        r = self.try_run(*argv, **kw)
        if r.returncode != 0:
            raise CommandFailed(self.name, argv, r)
        return r.stdout

    def sh(self, script, **kw):
        return self.run("sh", "-ec", script, **kw)

    def zmprov(self, *argv, **kw):
        return self.run("/opt/zimbra/bin/zmprov", *argv, user="zimbra", **kw)

    def state(self, unit):
        return self.try_run("systemctl", "is-active", unit).stdout.strip()

    def pid(self, unit):
        return int(self.run("systemctl", "show", "-P", "MainPID", unit))

    def journal(self, *args):
        return self.try_run("journalctl", "--no-pager", "-o", "short-precise", *args).stdout

    def read(self, path):
        return self.run("cat", path)

    def write(self, path, text, mode=0o644):
        """Writes a file inside the running host."""
        self.run("sh", "-ec", f'mkdir -p "$(dirname "$1")"; cat > "$1"; chmod {mode:o} "$1"', "sh", path, input=text)

    def collect(self, folder):
        """What an engineer asks for after a failure."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if self.leader:
            (folder / f"{self.short}.journal").write_text(self.journal())
            (folder / f"{self.short}.units").write_text(
                self.try_run("systemctl", "list-units", "--all", "zimbra*").stdout)
        console = self.folder / "console"
        if console.exists():
            shutil.copy(console, folder / f"{self.short}.console")


class Lab:
    def __init__(self, tree=None, cache=None, folder=None):
        self.tree = pathlib.Path(tree or TOP / "build/tree")
        cache = cache or os.environ.get("CACHE") or TOP / "build/cache"
        self.base = pathlib.Path(
            _run(str(TOP / "tests/lab/base-root"), env=dict(os.environ, CACHE=str(cache))).stdout.strip())
        if not (self.tree / "opt/zimbra/bin").is_dir():
            raise RuntimeError(f"{self.tree} has no installed tree: run `make tree`")
        self._owned = folder is None
        parent = TOP / "build/lab"
        parent.mkdir(parents=True, exist_ok=True)
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="lab-", dir=parent))
        self.hosts = []
        self.states = {}
        self._enter_namespace()
        self.dns = dns.Server(GATEWAY)
        self.dns.start()

    @staticmethod
    def _enter_namespace():
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", "lab", "type", "bridge")
        _run("ip", "addr", "add", f"{GATEWAY}/24", "dev", "lab")
        _run("ip", "link", "set", "lab", "up")

    def known_hosts(self, newcomer):
        others = {h.name: h for h in self.hosts}
        others[newcomer.name] = newcomer
        return others.values()

    def host(self, name, number, state=None):
        """A host NAME (full name) at 10.77.0.NUMBER, not booted yet; STATE: a layer saved by save()."""
        layers = ([self.states[state]] if state else []) + [self.tree, self.base]
        h = Host(self, name, f"{NETWORK}.{number}", layers)
        if h.folder.exists():
            n = sum(1 for other in self.hosts if other.short == h.short)
            h.folder = self.folder / f"{h.short}-{n}"
            h.upper, h.root = h.folder / "upper", h.folder / "root"
        self.hosts.append(h)
        self.dns.add(name, "A", h.address)
        return h

    def boot(self, name, number, state=None):
        return self.host(name, number, state).boot()

    def save(self, host, state):
        """Stops HOST in order and keeps what it wrote as a layer for others."""
        host.stop()
        self.hosts.remove(host)
        kept = self.folder / "states" / state
        kept.parent.mkdir(exist_ok=True)
        for volatile in ("tmp", "run"):
            shutil.rmtree(host.upper / volatile, ignore_errors=True)
        host.upper.rename(kept)
        shutil.rmtree(host.folder, ignore_errors=True)
        self.states[state] = kept

    def forget(self, host):
        host.kill()
        if host in self.hosts:
            self.hosts.remove(host)
        if not any(h.name == host.name for h in self.hosts):
            self.dns.remove(host.name)
        shutil.rmtree(host.folder, ignore_errors=True)

    def close(self):
        for h in list(self.hosts):
            h.kill()
        self.dns.stop()
        if self._owned:
            shutil.rmtree(self.folder, ignore_errors=True)
