"""The fault tests need no container: the store's processes run on a test's folders. The
session has a mount namespace of its own, so that no other process keeps a test's disk busy."""
import ctypes
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import disk  # noqa: E402
import store  # noqa: E402


CLONE_NEWNS = 0x00020000


@pytest.fixture(scope="session", autouse=True)
def _own_mounts():
    if disk.libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNS): the fault tests must run as root")
    disk.run("mount", "--make-rprivate", "/")


@pytest.fixture(scope="session")
def release() -> pathlib.Path:
    return store.build("release")


@pytest.fixture(scope="session")
def nosync() -> pathlib.Path:
    return store.build("nosync")


@pytest.fixture(scope="module")
def work(request):
    folder = disk.work_folder(request.module.__name__)
    yield folder
    if "MAILSTEAD_KEEP" not in os.environ:
        shutil.rmtree(folder, ignore_errors=True)
