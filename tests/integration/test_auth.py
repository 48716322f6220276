"""zmauthd against a real slapd: logins, recipients, tickets, SASL, lockout, outage."""
import contextlib
import time

import pytest

from lab.authhost import DENIED, DOMAIN, DOMAIN_DN, LOGIN, NO_SUCH, OK, TEMPFAIL, TICKET, AuthClient, AuthHost, account_id, b64
from lab.lab import wait_for

PASSWORD = "Blue-lantern-42"


@pytest.fixture(scope="module")
def auth(lab):
    a = AuthHost(lab)
    a.add_account("anna", PASSWORD, f"zimbraMailAlias: ann@{DOMAIN}", "zimbraMailQuota: 1048576")
    a.add_account("bert", PASSWORD)
    yield a
    lab.forget(a.host)


@pytest.fixture
def client(auth):
    with contextlib.closing(auth.auth()) as c:
        yield c


@contextlib.contextmanager
def changed(auth, dn, attr, value):
    auth.modify(dn, f"replace: {attr}", f"{attr}: {value}")
    auth.flush()
    try:
        yield
    finally:
        auth.modify(dn, f"replace: {attr}")
        auth.flush()


@pytest.mark.parametrize("user", ["anna@example.test", "ANNA@Example.Test", "ann@example.test", "anna"])
@pytest.mark.parametrize("protocol", ["imap", "pop3", "smtp"])
def test_right_password(client, user, protocol):
    status, answer = client.login(user, PASSWORD, protocol)
    assert status == OK, answer
    assert answer["name"] == "anna@example.test"
    assert answer["account_id"] == account_id("anna")
    assert answer["mail_host"] == "auth.example.test"
    assert answer["account_status"] == "active"
    assert answer["quota"] == "1048576"


def test_refusals_look_alike_and_take_their_time(client):
    cases = [("anna@example.test", "wrong"), ("anna@example.test", ""), ("anna@example.test", PASSWORD + " "),
             ("nobody@example.test", PASSWORD), ("anna@elsewhere.test", PASSWORD), ("", PASSWORD),
             ("zimbra", "zimbra-secret"), ("anna@example.test)(uid=*", PASSWORD), ("*", PASSWORD),
             ("anna@example.test", "zt1.AAAA")]
    start = time.monotonic()
    waiting = {client.send(LOGIN, protocol="imap", user=u, password=p, client_ip="192.0.2.7") for u, p in cases}
    for _ in cases:
        number, status, answer = client.receive()
        assert time.monotonic() - start >= 1.9
        assert status == DENIED, cases[number - 1]
        assert set(answer) <= {"reason", "name"}
        waiting.remove(number)
    assert not waiting


def test_one_audit_record_a_login_without_the_password(auth, client):
    client.login("bert@example.test", PASSWORD, "pop3", client_ip="198.51.100.9")
    client.login("bert@example.test", "Sesame-open-77", "imap", client_ip="198.51.100.9")
    client.login("nemo@example.test", "Sesame-open-77", "imap", client_ip="198.51.100.9")
    auth.host.run("journalctl", "--sync")
    assert auth.audit("bert@example.test") == [
        ("ok", "", "198.51.100.9", "pop3"), ("denied", "invalid password", "198.51.100.9", "imap")]
    assert auth.audit("nemo@example.test") == [("denied", "no such account", "198.51.100.9", "imap")]
    journal = auth.host.run("journalctl", "-o", "export", "-u", "zimbra-auth")
    assert "Sesame" not in journal and PASSWORD not in journal


# Rows: status of the account; columns: active, locked, maintenance, suspended, closed domain.
EFFECTIVE = {
    "active": ("active", "locked", "maintenance", "maintenance", "closed"),
    "locked": ("locked", "locked", "maintenance", "maintenance", "closed"),
    "maintenance": ("maintenance", "maintenance", "maintenance", "maintenance", "closed"),
    "pending": ("pending", "pending", "maintenance", "maintenance", "closed"),
    "closed": ("closed", "closed", "closed", "closed", "closed"),
}


@pytest.fixture(scope="module")
def one_of_each_status(auth):
    for status in EFFECTIVE:
        auth.add_account(f"is-{status}", PASSWORD)
        auth.modify(f"is-{status}", "replace: zimbraAccountStatus", f"zimbraAccountStatus: {status}")


@pytest.mark.parametrize("column,domain", enumerate(["active", "locked", "maintenance", "suspended", "closed"]))
def test_status_of_account_and_domain(auth, one_of_each_status, column, domain):
    with changed(auth, DOMAIN_DN, "zimbraDomainStatus", domain), contextlib.closing(auth.auth()) as c:
        for status, row in EFFECTIVE.items():
            assert c.resolve(f"is-{status}@example.test")[1]["account_status"] == row[column], status
        asked = {c.send(LOGIN, protocol="pop3", user=f"is-{status}", password=PASSWORD, client_ip=""): status
                 for status in EFFECTIVE}
        for _ in range(len(asked)):
            number, result, _ = c.receive()
            may = (asked[number], domain) == ("active", "active")
            assert result == (OK if may else DENIED), asked[number]


def test_protocol_switch(auth):
    with changed(auth, f"uid=bert,ou=people,{DOMAIN_DN}", "zimbraImapEnabled", "FALSE"), contextlib.closing(auth.auth()) as c:
        assert c.login("bert@example.test", PASSWORD, "imap")[0] == DENIED
        assert c.login("bert@example.test", PASSWORD, "pop3")[0] == OK


def test_other_mechanisms_are_refused_with_a_reason(auth):
    with changed(auth, DOMAIN_DN, "zimbraAuthMech", "ldap"), contextlib.closing(auth.auth()) as c:
        status, answer = c.login("bert@example.test", PASSWORD)
        assert status == DENIED and "zimbraAuthMech ldap" in answer["reason"]


def test_resolve(client):
    for address in ("anna@example.test", "ann@example.test", "Ann@EXAMPLE.test"):
        status, answer = client.resolve(address)
        assert (status, answer["account_id"]) == (OK, account_id("anna"))
    for address in ("nobody@example.test", "anna@elsewhere.test", "anna", "", "a b@example.test"):
        assert client.resolve(address)[0] == NO_SUCH


def test_ticket_works_once_for_its_protocol_and_account(client):
    def ticket(protocol="imap", user="anna@example.test"):
        status, answer = client.login(user, PASSWORD, protocol, op=TICKET)
        assert status == OK, answer
        assert (answer["imap_port"], answer["pop3_port"]) == ("7143", "7110")
        return answer["ticket"]

    t = ticket()
    assert len(t) <= 200
    assert client.login("anna@example.test", t)[0] == OK
    assert client.login("anna@example.test", t)[0] == DENIED            # used before
    assert client.login("anna@example.test", ticket("pop3"))[0] == DENIED
    assert client.login("bert@example.test", ticket())[0] == DENIED
    assert client.login("anna@example.test", ticket("pop3"), "pop3")[0] == OK
    t = ticket()
    assert client.login("anna@example.test", t[:-1] + ("A" if t[-1] != "A" else "B"))[0] == DENIED
    assert client.login("anna@example.test", ticket(), op=TICKET)[0] == DENIED   # no ticket for a ticket


def test_sasl_plain_and_login(auth):
    s = auth.sasl()
    assert "MECH\tPLAIN\tplaintext" in s.handshake and "MECH\tLOGIN\tplaintext" in s.handshake
    assert s.handshake[0].startswith("VERSION\t1\t")
    assert s.auth("PLAIN", b64("", "anna@example.test", PASSWORD)) == "OK\t1\tuser=anna@example.test"
    assert s.auth("PLAIN") == "CONT\t2\t"
    assert s.cont(b64("anna", "anna", PASSWORD)) == "OK\t2\tuser=anna@example.test"
    assert s.auth("LOGIN") == "CONT\t3\tVXNlcm5hbWU6"
    assert s.cont(b64("ann@example.test")) == "CONT\t3\tUGFzc3dvcmQ6"
    assert s.cont(b64(PASSWORD)) == "OK\t3\tuser=anna@example.test"
    assert s.auth("PLAIN", b64("", "anna", "wrong")) == "FAIL\t4"
    assert s.auth("PLAIN", b64("bert", "anna", PASSWORD)) == "FAIL\t5"     # acting as another
    assert s.auth("PLAIN", "!!!") == "FAIL\t6"
    assert s.auth("CRAM-MD5") == "FAIL\t7"
    assert s.auth("PLAIN", b64("", "anna", PASSWORD)).startswith("OK\t8")


def test_sockets_know_who_asks(auth):
    def rights(user, path, kind):
        script = ("use Socket; socket(my $s, AF_UNIX, %s, 0); connect($s, pack_sockaddr_un('%s')) or exit 3;"
                  "send($s, \"ZA\\1\\1\" . (\"\\0\" x 7) . \"\\1\\377\", 0); recv($s, my $b, 9000, 0);"
                  "exit(length($b) ? 0 : 4)") % (kind, path)
        return auth.host.try_run("perl", "-e", script, user=user).returncode

    seqpacket = "SOCK_SEQPACKET"
    assert rights("zmlogin", "/run/zimbra/auth/auth.sock", seqpacket) == 0
    for user in ("nobody", "zmroute", "zmintake", "amavis"):     # may not ask for a login
        assert rights(user, "/run/zimbra/auth/auth.sock", seqpacket) == 4
    assert rights("nobody", "/run/zimbra/auth/sasl", "SOCK_STREAM") == 3
    assert rights("postfix", "/run/zimbra/auth/sasl", "SOCK_STREAM") == 0
    assert auth.host.run("stat", "-c", "%a %U %G", "/run/zimbra/auth/sasl").strip() == "660 zmauth postfix"


def test_garbage_on_the_sockets_only_costs_the_connection(auth):
    c = auth.auth()
    c.socket.send(b"\0" * 5000)
    assert c.socket.recv(100) == b""
    s = auth.sasl()
    s.socket.sendall(b"AUTH\t" + b"x" * 20000)
    with pytest.raises((EOFError, ConnectionResetError)):
        s.line()
    with contextlib.closing(auth.auth()) as c:
        assert c.login("anna@example.test", PASSWORD)[0] == OK


def test_many_questions_at_once(client):
    numbers = {client.send(3, address=f"{n}@example.test") for n in ["anna", "ann", "nobody"] * 100}
    answers = {}
    while len(answers) < len(numbers):
        number, status, _ = client.receive()
        answers[number] = status
    assert set(answers) == numbers
    assert sorted(answers.values()).count(OK) == 200


def test_lockout(auth, client):
    auth.add_account("lena", PASSWORD, "zimbraPasswordLockoutEnabled: TRUE", "zimbraPasswordLockoutMaxFailures: 3",
                     "zimbraPasswordLockoutDuration: 9s")
    for _ in range(2):
        assert client.login("lena@example.test", "wrong")[0] == DENIED
    assert len(auth.attribute("lena", "zimbraPasswordLockoutFailureTime")) == 2
    assert client.login("lena@example.test", PASSWORD)[0] == OK         # clears the counter
    assert auth.attribute("lena", "zimbraPasswordLockoutFailureTime") == []
    for _ in range(3):
        assert client.login("lena@example.test", "wrong")[0] == DENIED
    assert auth.attribute("lena", "zimbraAccountStatus") == ["lockout"]
    auth.flush()
    with contextlib.closing(auth.auth()) as c:
        status, answer = c.login("lena@example.test", PASSWORD)
        assert (status, answer["reason"]) == (DENIED, "account is locked out")
        assert c.resolve("lena@example.test")[1]["account_status"] == "lockout"     # mail is delivered
        wait_for(lambda: c.login("lena@example.test", PASSWORD)[0] == OK, 20, "end of the lockout")
    assert auth.attribute("lena", "zimbraAccountStatus") == ["active"]


def test_directory_away_is_temporary_and_known_recipients_stay_known(auth):
    with contextlib.closing(auth.auth()) as c:
        assert c.resolve("anna@example.test")[0] == OK
        assert c.login("anna@example.test", PASSWORD, "pop3")[0] == OK
        auth.host.run("systemctl", "stop", "zimbra-ldap.service")
        try:
            assert c.resolve("anna@example.test")[0] == OK
            assert c.resolve("bert@example.test")[0] == TEMPFAIL
            assert c.resolve("nobody@example.test")[0] == TEMPFAIL
            assert c.login("bert@example.test", PASSWORD)[0] == TEMPFAIL
            assert c.login("anna@example.test", PASSWORD, "pop3")[0] == OK      # remembered for a minute
            assert c.login("anna@example.test", "wrong", "pop3")[0] == TEMPFAIL
            s = auth.sasl()
            with pytest.raises(EOFError):
                s.auth("PLAIN", b64("", "bert", PASSWORD))
        finally:
            auth.host.run("systemctl", "start", "zimbra-ldap.service")
        assert c.login("bert@example.test", PASSWORD)[0] == OK
        assert c.resolve("nobody@example.test")[0] == NO_SUCH


def test_unit_is_sandboxed_and_watched(auth):
    assert auth.host.run("systemctl", "show", "-P", "WatchdogUSec", "zimbra-auth").strip() == "30s"
    pid = auth.host.pid("zimbra-auth.service")
    assert auth.host.run("ps", "-o", "user=", "-p", str(pid)).strip() == "zmauth"

    def seen(path):
        return auth.host.try_run("nsenter", "-t", pid, "-m", "--", "ls", path).returncode == 0
    assert seen("/opt/zimbra/conf/localconfig.xml")
    for hidden in ("/opt/zimbra/data/ldap", "/opt/zimbra/store/x", "/opt/zimbra/ssl/zimbra/server/server.key"):
        assert not seen(hidden)


# ---- on a host that was set up, with zmconfigd announcing changes -----------

@pytest.fixture(scope="module")
def people(mail):
    mail.zmprov("ca", "nora@example.test", PASSWORD)
    return mail


@contextlib.contextmanager
def asking(host):
    with contextlib.closing(AuthClient(f"/proc/{host.leader}/root/run/zimbra/auth/auth.sock")) as c:
        yield c


def test_changes_end_what_was_remembered(people):
    def proof():
        people.run("journalctl", "--sync")
        return people.run("journalctl", "-u", "zimbra-auth", "-o", "cat", "--output-fields=PROOF", "-n1",
                          "LOGIN=nora@example.test").strip()

    with asking(people) as c:
        assert c.login("nora@example.test", PASSWORD)[0] == OK
        assert c.login("nora@example.test", PASSWORD)[0] == OK
        assert proof() == "cache"
        people.zmprov("sp", "nora@example.test", "Green-lantern-43")
        wait_for(lambda: c.login("nora@example.test", PASSWORD)[0] == DENIED, 3, "end of the old password")
        assert c.login("nora@example.test", "Green-lantern-43")[0] == OK
        assert c.resolve("nora@example.test")[1]["account_status"] == "active"
        people.zmprov("ma", "nora@example.test", "zimbraAccountStatus", "locked")
        wait_for(lambda: c.resolve("nora@example.test")[1]["account_status"] == "locked", 3, "status")
        assert c.login("nora@example.test", "Green-lantern-43")[0] == DENIED
        people.zmprov("ma", "nora@example.test", "zimbraAccountStatus", "active")
        wait_for(lambda: c.login("nora@example.test", "Green-lantern-43")[0] == OK, 5, "login")
        people.zmprov("md", "example.test", "zimbraDomainStatus", "maintenance")
        try:
            wait_for(lambda: c.resolve("nora@example.test")[1]["account_status"] == "maintenance", 3, "status")
        finally:
            people.zmprov("md", "example.test", "zimbraDomainStatus", "active")
        wait_for(lambda: c.resolve("nora@example.test")[1]["account_status"] == "active", 3, "status")
