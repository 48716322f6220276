"""The image's consoles, what of them a booted host shows: root's password by set-up, the
status line, the units. tests/image has the rest, on the image itself."""
import pathlib
import re

import pytest

from lab import appliance
from lab.lab import wait_for
from lab.terminal import Terminal

IMAGE = pathlib.Path(__file__).resolve().parents[2] / "image"
ISSUE = "/run/issue.d/mailstead.issue"
CONSOLE_PASSWORD = "At-the-console-3"
ZMSETUP = "/opt/zimbra/libexec/zmsetup"


def become_image(host):
    """What zmsetup looks for, and the programs and units that only the image has."""
    host.run("mkdir", "-p", "/usr/lib/mailstead", "/state/host/etc")
    host.write("/usr/lib/mailstead/image", "")
    for name, program in (("facts", "zmhostfacts"), ("console", "zmgetty"), ("first-boot", "zmfirstboot")):
        host.write(f"/opt/zimbra/libexec/{program}", (IMAGE / name).read_text(), 0o755)
    for unit in (IMAGE / "units").glob("mailstead-[cf]*"):
        host.write(f"/etc/systemd/system/{unit.name}", unit.read_text())
    host.run("systemctl", "daemon-reload")


def give(host, more=""):
    text = appliance.ANSWERS.format(name=host.name, services="ldap", directory="") + more
    host.write("/root/answers", text, 0o600)


def root_entry(host, path="/etc/shadow"):
    return next(line for line in host.read(path).splitlines() if line.startswith("root:")).split(":")


def log_in(host, password):
    """What the screen shows after root and PASSWORD were typed at login(1)."""
    t = Terminal(host, "setsid", "-c", "/bin/login")
    try:
        t.see("login:")
        t.answer("root")
        t.see("Password:")
        t.type(password)
        t.press("Enter")
        return wait_for(lambda: re.search(r"root@\S+#|Login incorrect", t.screen()), 30, "an answer of login(1)")[0]
    finally:
        t.close()


@pytest.fixture(scope="module")
def console(lab):
    host = lab.boot("console.example.test", 34)
    host.run("passwd", "-q", "-l", "root")
    become_image(host)
    give(host, f"\n[console]\npassword = {CONSOLE_PASSWORD}\n")
    host.run(ZMSETUP, "--answers", "/root/answers", timeout=300)
    host.run("/opt/zimbra/libexec/zmfirstboot", "--finish")
    yield host
    lab.forget(host)


def test_a_host_that_is_no_image_keeps_the_password_of_root(mail):
    assert mail.try_run("grep", "-c", "console", "/opt/zimbra/data/setup.state").stdout.strip() == "0"


def test_set_up_gives_root_the_password_of_the_console(console):
    entry = root_entry(console)
    assert entry[1].startswith("$y$") and int(entry[2]) > 20000
    assert console.run("stat", "-c", "%a %U:%G", "/etc/shadow").strip() == "640 root:shadow"
    assert log_in(console, CONSOLE_PASSWORD).startswith("root@")


def test_another_password_does_not_open_the_console(console):
    assert log_in(console, appliance.PASSWORD) == "Login incorrect"


def test_facts_are_kept_within_set_up(console):
    assert root_entry(console, "/state/host/etc/shadow") == root_entry(console)
    assert console.read("/state/host/etc/hostname") == "console.example.test\n"


def test_console_password_is_in_no_log_and_no_answer(console):
    assert CONSOLE_PASSWORD not in console.journal() + console.read("/opt/zimbra/data/setup.state")
    assert root_entry(console)[1] not in console.journal()


def test_set_up_without_console_password_takes_the_administrators(console):
    """Cut off at its end and with the facts lost: every step that a reboot undoes is done again."""
    give(console)
    console.run("rm", "/opt/zimbra/data/setup.state")
    console.run("usermod", "-p", "!", "root")
    console.run(ZMSETUP, "--answers", "/root/answers", timeout=300)
    assert log_in(console, appliance.PASSWORD).startswith("root@")


def test_end_of_set_up_is_made_good_by_the_next_boot(console):
    """A complete set-up without its mark, as a power cut may leave it."""
    console.run("rm", "-f", "/opt/zimbra/data/.set-up")
    console.run("/opt/zimbra/libexec/zmfirstboot")
    console.run("test", "-e", "/opt/zimbra/data/.set-up")


def test_status_line_follows_the_services(console):
    wait_for(lambda: console.state("mailstead-console.service") == "active", 30, "zmconsole")

    def line(wanted):
        return wait_for(lambda: re.search(wanted, console.try_run("cat", ISSUE).stdout), 60, wanted)
    line(r"(?s)\AMailstead  console\.example\.test  [0-9.]+.*\nAll \d+ services run\.\n\n\Z")
    console.run("systemctl", "stop", "zimbra-ldap")
    line(r"services run; not running: .*ldap")
    console.run("systemctl", "start", "zimbra-ldap")
    line(r"All \d+ services run\.")
    shown = console.run("/opt/zimbra/libexec/zmconsole", "--once")
    assert shown == console.read(ISSUE)


def test_changed_password_of_root_is_kept_for_the_next_boot(console):
    console.run("systemctl", "start", "mailstead-facts.path")
    console.run("chpasswd", input="root:changed-by-root-5\n")
    wait_for(lambda: root_entry(console, "/state/host/etc/shadow") == root_entry(console), 30, "the kept shadow")


def test_units_of_the_consoles_are_sound(console):
    said = console.try_run("systemd-analyze", "verify", "--man=no", "mailstead-console.service", "mailstead-facts.path",
                           "mailstead-facts.service")
    assert said.returncode == 0 and said.stderr == "", said
    score = console.run("systemd-analyze", "security", "--no-pager", "mailstead-console").strip().splitlines()[-1]
    assert float(re.search(r": ([0-9.]+)", score)[1]) <= 1.5, score


def test_console_before_set_up_offers_set_up_and_then_the_login(console):
    """zmgetty at a terminal, with a host that is not marked: questions, never a shell; with the mark: agetty."""
    console.run("rm", "/opt/zimbra/data/.set-up")
    t = Terminal(console, "script", "-qc", "/opt/zimbra/libexec/zmgetty - linux", "/dev/null")
    try:
        t.see("this host is not set up yet", "Press Enter to set it up")
        t.press("C-c", "C-z", "C-d")
        assert "Press Enter" in t.screen() and not t.ended()
        console.run("touch", "/opt/zimbra/data/.set-up")
        t.see("login:")
    finally:
        t.close()
