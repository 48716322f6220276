"""One machine goes through its life in the order of the tests: before set-up, set up by
hand on its console; with a new disk set up by answers, rebooted by the other firmware, cut off. Each fixture is one power-on."""
import ctypes
import importlib.util
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
from importlib.machinery import SourceFileLoader

import pytest

from image.guest import TOP, Guest, ask_for_shell
from lab import dns
from lab.lab import CLONE_NEWNET

IMAGE = TOP / "build/mailstead"
PASSWORD = "Correct-horse-7"


def load_run():
    """image/run as a module: its answers and the commands it prints are tested as they are."""
    loader = SourceFileLoader("image_run", str(TOP / "image/run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("image_run", loader))
    loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def run():
    return load_run()


def name_server():
    """The address QEMU passes the guest's DNS questions on to."""
    for line in pathlib.Path("/etc/resolv.conf").read_text().splitlines():
        word = line.split()
        if word[:1] == ["nameserver"] and "." in word[1]:
            return word[1]
    return None


@pytest.fixture(scope="session")
def network():
    """A network namespace of its own: ports never clash, names never leave."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    server = None
    if address := name_server():
        subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], capture_output=True)
        server = dns.Server(address)
        server.add("example.test", "MX", "10 mail.example.test")
        server.start()
    yield
    if server:
        server.stop()


def new_disk(guest):
    """Puts the image as it is shipped in place of the disk of a machine that is off."""
    disk = guest.folder / "disk.raw"
    subprocess.run(["cp", "--sparse=always", f"{IMAGE}.raw", disk], check=True)
    os.truncate(disk, 8 << 30)
    ask_for_shell(disk)


@pytest.fixture(scope="session")
def guest(network):
    begun = time.monotonic()

    def tell(text):
        print(f"\n  image {time.monotonic() - begun:4.0f} s  {text}", flush=True)

    folder = pathlib.Path(tempfile.mkdtemp(prefix="image-test-", dir=TOP / "build"))
    g = Guest(folder, tell)
    new_disk(g)
    yield g
    if g.machine:
        kept = TOP / "build/results/journals/image"
        kept.mkdir(parents=True, exist_ok=True)
        shutil.copy(g.machine.console, kept / "console.log")
        g.machine.kill()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def ssh_key(guest):
    key = guest.folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    return key
