"""Fixtures of the integration and fault tests; see tests/lab."""
import os
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lab.lab import Lab, TOP, wait_for  # noqa: E402
from lab import appliance  # noqa: E402


@pytest.fixture(scope="session")
def lab():
    lab = Lab()
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def bare(lab):
    """A booted host of the installed tree on which nothing was set up."""
    h = lab.boot("bare.example.test", 30)
    yield h
    lab.forget(h)


@pytest.fixture(scope="module")
def mail(lab):
    """mail.example.test: one host with every service, set up and running."""
    h = appliance.one_host(lab)
    yield h
    lab.forget(h)


@pytest.fixture(scope="module")
def pair(lab):
    """(front, back): directory and MTA on one host, mailbox and proxy on the other."""
    hosts = appliance.two_hosts(lab)
    yield hosts
    for h in hosts:
        lab.forget(h)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed and report.when in ("setup", "call"):
        lab_fixture = item.funcargs.get("lab") or item.session.config.stash.get(LAB_KEY, None)
        if lab_fixture:
            folder = TOP / "build/results/journals" / re.sub(r"[^\w.-]", "_", item.nodeid)
            for h in lab_fixture.hosts:
                h.collect(folder)
            report.sections.append(("journals", f"kept in {folder}"))


LAB_KEY = pytest.StashKey()


@pytest.fixture(scope="session", autouse=True)
def _remember_lab(request):
    if any("lab" in getattr(i, "fixturenames", ()) for i in request.session.items):
        request.session.config.stash[LAB_KEY] = request.getfixturevalue("lab")
    yield
