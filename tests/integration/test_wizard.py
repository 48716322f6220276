"""zmsetup's two interactive front ends, key by key: pages (newt) and plain lines."""
import time

import pytest

from lab import appliance
from lab.lab import wait_for
from lab.mail import find, message, send
from lab.terminal import Terminal

ZMSETUP = "/opt/zimbra/libexec/zmsetup"
KEPT = "/opt/zimbra/data/setup.answers"
STATE = "/opt/zimbra/data/setup.state"
PASSWORD = "Correct-horse-7"


@pytest.fixture
def host(lab):
    h = lab.boot("wizard.example.test", 31)
    yield h
    lab.forget(h)


@pytest.fixture
def sit(host):
    """Sits down at a terminal of the host."""
    opened = []

    def sit_down(*argv, **kw):
        opened.append(Terminal(host, ZMSETUP, *argv, **kw))
        return opened[-1]
    yield sit_down
    for t in opened:
        t.close()


def kept(host):
    r = host.try_run("cat", KEPT)
    return r.stdout if r.returncode == 0 else None


def nothing_was_set_up(host):
    assert host.try_run("test", "-e", STATE).returncode != 0
    assert not host.try_run("ss", "-Hltn").stdout.strip()


def answer_pages(t, password=PASSWORD):
    """From the first page to the services, without mistakes."""
    t.see("1 of 6: Host", "wizard.example.test")
    t.press("Enter")
    t.see("2 of 6: Domain", "example.test")
    t.press("Enter")
    t.see("3 of 6: Administrator", "admin@example.test")
    t.press("Enter")
    t.type(password)
    t.press("Enter")
    t.type(password)
    t.press("Enter")
    t.see("4 of 6: Console")
    t.press("Enter", "Enter")
    t.see("5 of 6: Time zone", "UTC")
    t.press("Enter")
    t.see("6 of 6: Services")


def answer_lines(t, services="ldap"):
    t.see("Host name [wizard.example.test]:")
    t.press("Enter")
    t.see("Mail domain [example.test]:")
    t.press("Enter")
    t.see("Address [admin@example.test]:")
    t.press("Enter")
    t.see("Password [not shown]:")
    t.answer(PASSWORD)
    t.see("Password, again:")
    t.answer(PASSWORD)
    t.see("Password of root [the administrator's]:")
    t.press("Enter")
    t.see("Time zone [UTC]:")
    t.answer("Europe/Berlin")
    t.see("Services [")
    t.answer(services)
    t.see("Number, or apply:")


@pytest.mark.parametrize("term", ["linux", "vt100"])
def test_pages_refuse_with_a_reason_and_keep_what_is_good(host, sit, term):
    t = sit(term=term)
    t.see("Mailstead set-up", "1 of 6: Host", "wizard.example.test")
    t.answer("nodots")
    t.see("Host name nodots", "Wanted: a full host name, as in mail.example.com")
    t.answer("wizard.example.test")
    t.see("2 of 6: Domain")
    t.answer("exa mple")
    t.see("Wanted: a domain, as in example.com")
    t.press("Escape")
    t.see("1 of 6: Host", "wizard.example.test")
    t.press("Enter")
    t.see("2 of 6: Domain")
    t.answer("example.test")
    t.see("3 of 6: Administrator")
    t.answer("admin@elsewhere.test")
    t.see("Wanted: an address in [domain] name, example.test")
    t.answer("admin@example.test")
    t.type("short")
    t.press("Enter", "Enter")
    t.see("Wanted: 6 to 64 characters")
    t.press("C-u")
    t.type(PASSWORD)
    t.press("Enter", "C-u")
    t.type("another-one")
    t.press("Enter")
    t.see("The two are not the same.")
    assert PASSWORD not in t.screen() and "another" not in t.screen()
    t.press("C-c")
    assert t.exit_status() == 1
    nothing_was_set_up(host)
    answers = kept(host)
    assert "name=wizard.example.test" in answers and "address=admin@example.test" in answers and "password" not in answers
    assert host.run("stat", "-c", "%a %U", KEPT).strip() == "600 root"


def test_pages_to_the_end_with_mail(host, sit, lab):
    lab.dns.add("example.test", "MX", "10 wizard.example.test")
    t = sit()
    answer_pages(t)
    t.press("Enter")
    review = t.see("Review", "Host name wizard.example.test", "Password (given)", "Password of root (the administrator's)")
    assert "Time zone UTC" in review and PASSWORD not in review
    t.press("Tab", "Tab")               # over Change to the list
    for _ in range(5):
        t.press("Down")
    t.press("Enter")
    t.see("5 of 6: Time zone")
    t.type("E")
    t.press("Enter")
    t.see("Review", "Time zone Europe/")
    t.press("Enter")
    t.see("Setting up", "[ 3/16] Settings and secrets of this host ... done", timeout=60)
    t.see("wizard.example.test is set up.", timeout=300)
    t.press("Enter")
    assert t.exit_status() == 0
    assert kept(host) is None
    assert host.run("readlink", "/etc/localtime").strip().startswith("/usr/share/zoneinfo/Europe/")
    appliance.wait_healthy(host)
    data, subject = message("friend@outside.test", "admin@example.test")
    assert not send(host, "friend@outside.test", "admin@example.test", data)
    wait_for(lambda: find(host, "admin@example.test", PASSWORD, subject), 60, "mail")
    again = sit()
    again.see("this host is set up already")
    assert again.exit_status() == 4


def inside_80_by_24(t):
    lines = t.screen().split("\n")
    frame = [n for n, line in enumerate(lines) if "┌" in line or "└" in line]
    assert len(frame) == 2 and frame[1] < 23, t.screen()
    for line in lines[frame[0] + 1:frame[1]]:
        assert line.strip().startswith("│") and line.strip().endswith("│"), t.screen()
    assert "Ctrl-C: leave" in t.screen()


def test_every_page_fits(host, sit):
    t = sit()
    for page in ("1 of 6: Host", "2 of 6: Domain", "3 of 6: Administrator", "4 of 6: Console", "5 of 6: Time zone",
                 "6 of 6: Services", "Review"):
        t.see(page)
        if "Host" in page:
            t.answer("a-host-with-a-very-long-name-indeed.department.of.a.large.organisation.example.test")
            t.see("2 of 6")
            t.press("Escape")
            t.see(page)
        inside_80_by_24(t)
        if "Administrator" in page:
            t.press("Enter")
            t.type(PASSWORD)
            t.press("Enter")
            t.type(PASSWORD)
        if "Console" in page:
            t.press("Enter")
        t.press("Enter")


def test_a_screen_too_small_is_asked_in_lines(host, sit):
    t = sit(width=79, height=24)
    t.see("Host name [wizard.example.test]:")


def test_lines_to_the_end(host, sit):
    t = sit(term="dumb")
    t.see("Host name [wizard.example.test]:")
    t.answer("?")
    t.see("The full name of this host")
    t.answer("no dots")
    t.see("Wanted: a full host name, as in mail.example.com")
    t.press("Enter")
    t.see("Mail domain [example.test]:")
    t.answer("<")
    t.see("1 of 6: Host Host name")
    t.press("Enter", "Enter")
    t.see("Address [admin@example.test]:")
    t.answer("admin@elsewhere.test")
    t.see("Wanted: an address in [domain] name, example.test")
    t.press("Enter")
    t.answer("short")
    t.see("Wanted: 6 to 64 characters")
    t.answer(PASSWORD)
    t.answer("another-one")
    t.see("The two are not the same.")
    t.answer(PASSWORD)
    t.answer(PASSWORD)
    t.press("Enter")
    t.answer("Mars/Base")
    t.see("Wanted: a zone of")
    t.answer("Europe/Berlin")
    t.see("Services [")
    t.answer("mta,nonsense")
    t.see('"nonsense" is none of them')
    t.answer("mta")
    t.see("the first host must have ldap")
    t.answer("ldap")
    t.see("5 Time zone Europe/Berlin", "6 Services ldap", "Number, or apply:")
    t.answer("99")
    t.see("Wanted: a number from 1 to 6, apply, or quit")
    t.answer("5")
    t.see("Time zone [Europe/Berlin]:")
    t.answer("Europe/Paris")
    t.see("5 Time zone Europe/Paris")
    assert PASSWORD not in t.screen() and "\x1b" not in t.screen(escapes=True)
    t.answer("apply")
    t.see("wizard.example.test is set up.", timeout=120)
    t.press("Enter")
    assert t.exit_status() == 0 and kept(host) is None
    assert "Paris" in host.run("readlink", "/etc/localtime")


def test_domain_changed_at_the_review_asks_for_the_address_again(host, sit):
    t = sit("--plain")
    answer_lines(t)
    t.answer("2")
    t.see("Mail domain [example.test]:")
    t.answer("another.test")
    t.see("Number, or apply:", "Mail domain another.test")
    t.answer("apply")
    t.see("Not yet", "an address in [domain] name, another.test", "(Enter):")
    t.press("Enter")
    t.see("Address [admin@example.test]:")
    nothing_was_set_up(host)


@pytest.mark.parametrize("kind", ["closed", "killed"])
def test_answers_outlive_the_window(host, sit, kind):
    t = sit()
    t.see("1 of 6")
    t.press("Enter")
    t.see("2 of 6")
    t.press("Enter")
    t.see("3 of 6")
    if kind == "closed":
        t.close()
    else:
        host.run("pkill", "-KILL", "-x", "zmsetup")
    wait_for(lambda: host.try_run("pgrep", "-x", "zmsetup").returncode != 0, 20, "zmsetup to end")
    nothing_was_set_up(host)
    answers = kept(host)
    assert "name=wizard.example.test" in answers and "name=example.test" in answers
    again = sit(term="dumb")
    again.see("Host name [wizard.example.test]:")
    again.answer("quit")
    assert again.exit_status() == 1


def test_window_closed_while_applying_finishes_all_the_same(host, sit):
    t = sit("--plain")
    answer_lines(t)
    t.answer("apply")
    t.see("Settings and secrets of this host", timeout=60)
    t.close()
    wait_for(lambda: "complete=true" in host.try_run("cat", STATE).stdout, 120, "set-up to be complete", interval=0.5)


@pytest.mark.parametrize("step", ["Settings and secrets", "Certificate of this host", "Directory", "Entry of this host",
                                  "Administrator's account", "Starting services"])
def test_killed_while_applying_goes_on(host, sit, step):
    t = sit("--plain")
    answer_lines(t)
    t.answer("apply")
    end = time.monotonic() + 120
    while step not in " ".join(t.screen().split()) and time.monotonic() < end:
        pass
    host.run("pkill", "-KILL", "-x", "zmsetup")
    assert kept(host)
    again = sit()
    again.see("Interrupted set-up", "Set-up of wizard.example.test was interrupted after")
    again.press("Enter")
    again.see("wizard.example.test is set up.", timeout=120)
    again.press("Enter")
    assert again.exit_status() == 0 and kept(host) is None


def test_failed_step_says_why_and_goes_on(host, sit):
    host.run("systemctl", "mask", "--runtime", "zimbra-ldap.service")
    t = sit()
    answer_pages(t)
    t.press("Enter")
    t.see("Review")
    t.press("Enter")
    t.see("Set-up stopped", "zimbra-ldap.service", "Try again", "Review the answers", timeout=120)
    host.run("systemctl", "unmask", "--runtime", "zimbra-ldap.service")
    t.press("Enter")
    t.see("wizard.example.test is set up.", timeout=300)


def test_one_at_a_time(host, sit):
    first = sit()
    first.see("1 of 6")
    second = sit(term="dumb")
    second.see("another set-up is running (process")
    assert second.exit_status() == 1


def test_not_at_a_terminal(host):
    r = host.try_run(ZMSETUP)
    assert r.returncode == 2 and "--answers FILE" in r.stderr
    r = host.try_run(ZMSETUP, "--plain", input="")
    assert r.returncode == 1
    nothing_was_set_up(host)
