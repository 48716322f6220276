"""The fault tests need no container: the store's processes run on a test's folders."""
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import disk  # noqa: E402
import store  # noqa: E402


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
