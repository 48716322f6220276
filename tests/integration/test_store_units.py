"""The store's units in a booted host: what each process cannot do (design §6), and that
sessions and mail survive the restart of a part."""
import imaplib
import re

import pytest

from lab.lab import wait_for
from lab.mail import imap

PASSWORD = "Grey-willow-54"
UNITS = ("zimbra-mailbox-login@1.service", "zimbra-mailbox-intake@1.service", "zimbra-mailbox-shard@0.service")


@pytest.fixture(scope="module")
def host(mail):
    mail.zmprov("ca", "uma@example.test", PASSWORD)
    return mail


def as_unit(host, unit, user, *argv):
    """ARGV in the unit's view of the file system, as its user."""
    return host.try_run("nsenter", "-t", str(host.pid(unit)), "-m", "--", "runuser", "-u", user, "--", *argv)


@pytest.mark.parametrize("unit,user,path", [
    (UNITS[0], "zmlogin", "/opt/zimbra/store/"), (UNITS[0], "zmlogin", "/opt/zimbra/db/"), (UNITS[0], "zmlogin", "/opt/zimbra/redolog/"),
    (UNITS[0], "zmlogin", "/opt/zimbra/conf/localconfig.xml"), (UNITS[2], "zmstore", "/opt/zimbra/conf/localconfig.xml"),
    (UNITS[2], "zmstore", "/opt/zimbra/ssl/zimbra/server/server.key"), (UNITS[2], "zmstore", "/opt/zimbra/data/ldap/"),
])
def test_forbidden_files(host, unit, user, path):
    assert as_unit(host, unit, user, "ls" if path.endswith("/") else "cat", path).returncode != 0


def test_login_reads_its_key_and_writes_nothing(host):
    assert as_unit(host, UNITS[0], "zmlogin", "head", "-c1", "/opt/zimbra/ssl/zimbra/server/server.key").returncode == 0
    for place in ("/opt/zimbra/conf/x", "/opt/zimbra/log/x", "/run/zimbra/store/x", "/etc/x"):
        assert as_unit(host, UNITS[0], "zmlogin", "touch", place).returncode != 0, place


@pytest.mark.parametrize("unit", UNITS[1:])
def test_no_network(host, unit):
    links = host.run("nsenter", "-t", str(host.pid(unit)), "-n", "--", "ip", "-o", "link").strip().splitlines()
    assert len(links) == 1 and " lo:" in links[0], links


@pytest.mark.parametrize("unit", UNITS)
def test_exposure(host, unit):
    said = host.try_run("systemd-analyze", "security", "--no-pager", unit).stdout
    score = float(re.search(r"Overall exposure level for .*?: ([0-9.]+)", said).group(1))
    assert score <= 2.0, said


CALLER = ("socket(my $s, AF_UNIX, SOCK_SEQPACKET, 0) or die; connect($s, pack_sockaddr_un($ARGV[0])) or die; "
          "my $n = sysread($s, my $bytes, 10); print defined $n ? $n : 0")


@pytest.mark.parametrize("name", ["shard-0", "intake"])
def test_strangers_are_hung_up_on(host, name):
    """The sockets are open to everybody's connect(); the kernel tells who calls."""
    said = host.run("runuser", "-u", "nobody", "--", "perl", "-MSocket", "-e", CALLER, f"/run/zimbra/store/{name}", timeout=20)
    assert said == "0"


@pytest.mark.parametrize("unit", UNITS)
def test_a_killed_part_comes_back(host, unit):
    before = host.pid(unit)
    host.run("kill", "-KILL", str(before))
    wait_for(lambda: host.pid(unit) not in (0, before), 30, f"{unit} again")

    def readable():
        try:
            client = imap(host, "uma@example.test", PASSWORD)
            try:
                return client.select()[0] == "OK"
            finally:
                client.logout()
        except (imaplib.IMAP4.error, OSError):
            return False
    wait_for(readable, 30, "a login", interval=0.5)
