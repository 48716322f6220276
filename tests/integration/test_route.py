"""The proxy's login: nginx asks zmrouted, zmrouted asks zmauthd, and what nginx hands to
the mail host is a ticket. nginx and slapd are real; the mail host is scripted here and
redeems its tickets at a zmauthd of its own (second instance, other server name)."""
import base64
import contextlib
import socket
import threading
import time

import pytest

from lab.authhost import DENIED, KEYS, OK, AuthClient, AuthHost, account_id
from lab.lab import GATEWAY, wait_for

PASSWORD = 'Bl%ue "lant\\ern 42'      # what nginx escapes, and what IMAP quotes
BACK = "mailhost.example.test"
NGINX = """\
daemon off; worker_processes 1; error_log stderr info;
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
events { worker_connections 100; }
mail {
  auth_http 127.0.0.1:7072/; auth_http_timeout 15s; proxy_pass_error_message on;
  imap_auth plain login; pop3_auth plain;
  server { listen 143; protocol imap; proxy on; }
  server { listen 110; protocol pop3; proxy on; }
}
"""
ROUTE = "[route]\nport=7072\nmemcached=127.0.0.1:11211\ncache_ttl=1h\nauth_wait=1s\n"
MEMCACHED = "LISTEN=127.0.0.1\nPORT=11211\nMEMORY_MB=16\nCONNECTIONS=100\n"


class MailHost:
    """What stands at 7143 and 7110 of the mail host: takes a login and remembers it."""

    def __init__(self):
        self.logins = []
        self.listeners = []
        for port, speak in ((7143, self._imap), (7110, self._pop3)):
            listener = socket.create_server((GATEWAY, port))
            self.listeners.append(listener)
            threading.Thread(target=self._serve, args=(listener, speak), daemon=True).start()

    def _serve(self, listener, speak):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb", 0) as f:
                speak(f)
                connection.settimeout(20)
                with contextlib.suppress(OSError):
                    connection.recv(100)

    def _imap(self, f):
        f.write(b"* OK ready\r\n")
        tag, verb, literal = f.readline().split()
        assert verb == b"LOGIN"
        f.write(b"+ go\r\n")
        user = f.readline().split()[0]
        f.write(b"+ go\r\n")
        self.logins.append(("imap", user.decode(), f.readline().strip().decode()))
        f.write(tag + b" OK done\r\n")

    def _pop3(self, f):
        f.write(b"+OK ready\r\n")
        user = f.readline()[5:].strip()
        f.write(b"+OK\r\n")
        self.logins.append(("pop3", user.decode(), f.readline()[5:].strip().decode()))
        f.write(b"+OK in\r\n")

    def close(self):
        for listener in self.listeners:
            listener.close()


@pytest.fixture(scope="module")
def proxy(lab):
    lab.dns.add(BACK, "A", GATEWAY)
    auth = AuthHost(lab, 52)
    host = auth.host
    auth.ldif(f"dn: cn={BACK},cn=servers,cn=zimbra\nobjectClass: zimbraServer\ncn: {BACK}\n"
              f"zimbraId: 50000000-0000-4000-8000-000000000002\nzimbraServiceHostname: {BACK}\n")
    auth.add_account("anna", PASSWORD, "zimbraMailAlias: ann@example.test")
    auth.modify("anna", "replace: zimbraMailHost", f"zimbraMailHost: {BACK}")
    host.write("/opt/zimbra/conf/back.xml", host.read("/opt/zimbra/conf/localconfig.xml").replace(
        f"<value>{KEYS['zimbra_server_hostname']}</value>", f"<value>{BACK}</value>"))
    host.run("systemd-run", "-q", "--unit=auth-back", "-E", "MAILSTEAD_LOCALCONFIG=/opt/zimbra/conf/back.xml",
             "/opt/zimbra/libexec/zmauthd", "--socket", "/run/back.sock", "--sasl-socket", "/run/back-sasl")
    for path, text in (("nginx/nginx.conf", NGINX), ("route/route.conf", ROUTE), ("memcached/memcached.conf", MEMCACHED)):
        host.write("/opt/zimbra/conf/" + path, text)
    host.run("systemctl", "start", "zimbra-memcached", "zimbra-route", "zimbra-nginx")
    wait_for(lambda: all(f":{p} " in host.run("ss", "-ltn") for p in (143, 110, 7072, 11211)), 15, "listeners")
    auth.mail = MailHost()
    yield auth
    auth.mail.close()
    lab.forget(host)


def talk(proxy, port, *lines):
    """The last answer to LINES."""
    with socket.create_connection((proxy.host.address, port), 30) as s:
        answer = s.recv(4000)
        for line in lines:
            s.sendall(line + b"\r\n")
            answer = s.recv(4000)
        return answer


def b64(*parts):
    return base64.b64encode("\0".join(parts).encode())


QUOTED = b'"' + PASSWORD.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
WAYS = {
    "IMAP LOGIN": (143, b"a LOGIN anna@example.test " + QUOTED),
    "IMAP LOGIN by literals": (143, b"a LOGIN {3}", b"ann {%d}" % len(PASSWORD), PASSWORD.encode()),
    "IMAP AUTHENTICATE PLAIN": (143, b"a AUTHENTICATE PLAIN", b64("", "ann@example.test", PASSWORD)),
    "IMAP AUTHENTICATE LOGIN": (143, b"a AUTHENTICATE LOGIN", b64("anna"), b64(PASSWORD)),
    "POP3 USER and PASS": (110, b"USER anna", b"PASS " + PASSWORD.encode()),
    "POP3 AUTH PLAIN": (110, b"AUTH PLAIN", b64("", "anna@example.test", PASSWORD)),
}


@pytest.mark.parametrize("way", WAYS)
def test_ticket_reaches_the_mail_host_and_opens_it_once(proxy, way):
    proxy.mail.logins.clear()
    assert talk(proxy, *WAYS[way]).split()[-2 if way.startswith("POP3") else -2] in (b"OK", b"+OK")
    (protocol, user, ticket), = proxy.mail.logins
    assert user == "anna@example.test"
    assert ticket.startswith("zt1.") and len(ticket) <= 200
    with contextlib.closing(AuthClient(proxy.path("/run/back.sock"))) as back, contextlib.closing(proxy.auth()) as front:
        assert front.login(user, ticket, protocol)[0] == DENIED        # it is the mail host's ticket
        status, answer = back.login(user, ticket, protocol)
        assert (status, answer["account_id"]) == (OK, account_id("anna"))
        assert back.login(user, ticket, protocol)[0] == DENIED


@pytest.mark.parametrize("way,answer", [
    ((143, b"a LOGIN anna wrong"), b"a NO [AUTHENTICATIONFAILED]"), ((143, b"a LOGIN nobody wrong"), b"a NO [AUTHENTICATIONFAILED]"),
    ((110, b"USER anna", b"PASS wrong"), b"-ERR [AUTH]"),
])
def test_refusal(proxy, way, answer):
    assert talk(proxy, *way).startswith(answer)


def test_route_is_cached_and_cannot_be_forged(proxy):
    def memcached(*lines):
        script = "exec 3<>/dev/tcp/127.0.0.1/11211; printf '%s\\r\\n' \"$@\" quit >&3; cat <&3"
        return proxy.host.run("bash", "-c", script, "bash", *lines)

    key = "route:proto=imap;user=anna@example.test"
    memcached("delete " + key)
    assert b"OK" in talk(proxy, *WAYS["IMAP LOGIN"])
    value = memcached("get " + key).splitlines()[1]
    assert value.startswith(f"{GATEWAY}:7143 {BACK} ")
    forged = value.replace(GATEWAY, "10.77.0.99")
    memcached(f"set {key} 0 3600 {len(forged)}", forged)
    assert b"OK" in talk(proxy, *WAYS["IMAP LOGIN"])
    assert memcached("get " + key).splitlines()[1] == value
    proxy.host.run("systemctl", "stop", "zimbra-memcached")
    try:
        assert b"OK" in talk(proxy, *WAYS["IMAP LOGIN"])
    finally:
        proxy.host.run("systemctl", "start", "zimbra-memcached")


def test_zmauthd_away_is_temporary(proxy):
    proxy.host.run("systemctl", "stop", "zimbra-auth")
    try:
        assert talk(proxy, *WAYS["IMAP LOGIN"]).startswith(b"a NO [UNAVAILABLE]")
        assert talk(proxy, *WAYS["POP3 AUTH PLAIN"]).startswith(b"-ERR [SYS/TEMP]")
    finally:
        proxy.host.run("systemctl", "start", "zimbra-auth")
    assert b"OK" in talk(proxy, *WAYS["IMAP LOGIN"])


def test_lookup_listens_on_loopback_and_answers_strangers_politely(proxy):
    assert "127.0.0.1:7072" in proxy.host.run("ss", "-ltnH")
    with pytest.raises(OSError):
        socket.create_connection((proxy.host.address, 7072), 5)

    def http(request):
        return proxy.host.run("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/7072; printf \"$1\" >&3; cat <&3", "bash",
                              request + "Connection: close\\r\\n\\r\\n")
    assert http("GET / HTTP/1.1\\r\\nHost: x\\r\\n").startswith("HTTP/1.1 400")
    assert http("POST / HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 0\\r\\n").startswith("HTTP/1.1 405")
    refused = http("GET / HTTP/1.1\\r\\nHost: x\\r\\nAuth-Method: apop\\r\\nAuth-Protocol: imap\\r\\nAuth-User: anna\\r\\n")
    assert "Auth-Status: [AUTHENTICATIONFAILED]" in refused and "Auth-Server" not in refused


def test_unit_sees_no_secret(proxy):
    pid = proxy.host.pid("zimbra-route.service")
    for hidden in ("/opt/zimbra/conf/localconfig.xml", "/opt/zimbra/ssl/zimbra/ca", "/opt/zimbra/data/ldap"):
        r = proxy.host.try_run("nsenter", "-t", pid, "-m", "--", "setpriv", "--reuid=906", "--regid=906", "--clear-groups",
                               "cat", hidden)
        assert r.returncode != 0 and "Permission denied" in r.stderr
    assert proxy.host.read("/opt/zimbra/conf/route/route.conf") == ROUTE


def test_many_logins_at_once(proxy):
    results = []
    threads = [threading.Thread(target=lambda: results.append(talk(proxy, *WAYS["IMAP LOGIN"]))) for _ in range(30)]
    start = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sum(b"OK" in r for r in results) == 30
    assert time.monotonic() - start < 20
