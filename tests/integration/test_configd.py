"""zmconfigd on a whole host: a change in the directory becomes running configuration,
a bad one does not, and nothing is lost when slapd or zmconfigd dies."""
import os
import random
import re
import smtplib
import socket
import subprocess
import time

import pytest

from lab.lab import wait_for

SERVICE = "zimbra-configd.service"
ZMCONFIGCTL = "/opt/zimbra/bin/zmconfigctl"


@pytest.fixture(scope="module")
def host(mail):
    mail.run("systemctl", "reset-failed")
    return mail


def zmconfigctl(host, *argv, **kw):
    return host.run(ZMCONFIGCTL, *argv, **kw)


def generation(host, folder="postfix"):
    return int(host.run("readlink", f"/opt/zimbra/conf/{folder}").strip().rsplit("/", 1)[1])


def size_limit(host):
    return int(host.run("postconf", "-h", "message_size_limit"))


def offered_size(host):
    with smtplib.SMTP(host.address, 25, timeout=10) as s:
        s.ehlo("client.example.test")
        return int(s.esmtp_features["size"])


def set_size(host, n):
    host.zmprov("mcf", "zimbraMtaMaxMessageSize", str(n))


def journal_since(host, cursor):
    return host.journal("-u", SERVICE, f"--after-cursor={cursor}")


def cursor(host):
    """Taken with the same filter as journal_since(): --after-cursor skips one matching entry."""
    return re.search(r"-- cursor: (\S+)", host.run("journalctl", "-u", SERVICE, "-n1", "--show-cursor", "-q")).group(1)


def kill(host, unit):
    """kill -9, then waits for the new process."""
    pid = host.pid(unit)
    assert pid > 0
    host.run("kill", "-9", str(pid))
    wait_for(lambda: host.pid(unit) not in (0, pid) and host.state(unit) == "active", 30, f"{unit} again", 0.1)


def master_pid(host):
    return host.pid("zimbra-postfix.service")


def test_a_change_reaches_the_running_postfix_without_restart(host):
    pid = master_pid(host)
    set_size(host, 20480000)
    start = time.monotonic()
    wait_for(lambda: size_limit(host) == 20480000 and offered_size(host) == 20480000, 5, "message_size_limit", 0.05)
    print(f"attribute change to running Postfix: {time.monotonic() - start:.2f} s")
    assert master_pid(host) == pid


def test_no_lone_change_is_left_behind(host):
    for n in (11000001, 11000002, 11000003):
        set_size(host, n)
        wait_for(lambda: size_limit(host) == n, 5, f"size {n}", 0.05)
        time.sleep(random.uniform(0.5, 1.5))


def test_untouched_services_keep_their_generation(host):
    before = {f: generation(host, f) for f in ("nginx", "memcached", "mailboxd")}
    set_size(host, 11100000)
    wait_for(lambda: size_limit(host) == 11100000, 5, "size", 0.05)
    assert {f: generation(host, f) for f in before} == before


def test_a_burst_becomes_few_generations(host):
    before = generation(host)
    host.write("/tmp/burst", "".join(f"mcf zimbraMtaMaxMessageSize {12000000 + i}\n" for i in range(40)))
    host.zmprov("-f", "/tmp/burst")
    wait_for(lambda: size_limit(host) == 12000039, 8, "the last of the burst", 0.1)
    assert generation(host) - before <= 10


def test_a_server_value_wins_over_the_global_one(host):
    def relay():
        return host.run("postconf", "-h", "relayhost").strip()
    host.zmprov("mcf", "zimbraMtaRelayHost", "[global.example.test]:25")
    wait_for(lambda: relay() == "[global.example.test]:25", 5, "the global value", 0.05)
    host.zmprov("ms", host.name, "zimbraMtaRelayHost", "[own.example.test]:25")
    wait_for(lambda: relay() == "[own.example.test]:25", 5, "the server's value", 0.05)
    host.zmprov("ms", host.name, "zimbraMtaRelayHost", "")
    wait_for(lambda: relay() == "[global.example.test]:25", 5, "the global value again", 0.05)
    host.zmprov("mcf", "zimbraMtaRelayHost", "")
    wait_for(lambda: relay() == "", 5, "no relay", 0.05)


def test_localconfig_is_followed(host):
    host.run("/opt/zimbra/bin/zmlocalconfig", "-e", "postfix_bounce_queue_lifetime=3d", user="zimbra")
    wait_for(lambda: host.run("postconf", "-h", "bounce_queue_lifetime").strip() == "3d", 5, "localconfig", 0.05)


def test_a_value_that_breaks_nginx_is_refused(host):
    """The schema lets any text pass as a cipher list; nginx does not."""
    live, pid = generation(host, "nginx"), host.pid("zimbra-nginx.service")
    old = host.zmprov("gcf", "zimbraReverseProxySSLCiphers").split(": ", 1)[1].strip()
    mark = cursor(host)
    host.zmprov("mcf", "zimbraReverseProxySSLCiphers", "NO-SUCH-CIPHER")
    wait_for(lambda: "refused" in journal_since(host, mark), 10, "the refusal")
    text = journal_since(host, mark)
    assert "zimbraReverseProxySSLCiphers" in text and "NO-SUCH-CIPHER" in text and f"generation {live} stays" in text
    assert (generation(host, "nginx"), host.pid("zimbra-nginx.service")) == (live, pid)
    assert host.state("zimbra-nginx.service") == "active"
    assert "refused" in zmconfigctl(host, "status")

    set_size(host, 14000000)                    # others are not held up
    wait_for(lambda: size_limit(host) == 14000000, 5, "Postfix beside a refused nginx", 0.05)
    host.zmprov("mcf", "zimbraReverseProxySSLCiphers", old)
    wait_for(lambda: "refused" not in zmconfigctl(host, "status"), 10, "the refusal forgotten")


@pytest.mark.parametrize("value", ["x; load_module evil.so", "x {", 'x" y', "a\\b"])
def test_a_value_cannot_inject(host, value):
    old = host.zmprov("gcf", "zimbraReverseProxySSLCiphers").split(": ", 1)[1].strip()
    mark, live = cursor(host), generation(host, "nginx")
    host.zmprov("mcf", "zimbraReverseProxySSLCiphers", value)
    wait_for(lambda: "refused" in journal_since(host, mark), 10, "the refusal")
    assert generation(host, "nginx") == live
    host.zmprov("mcf", "zimbraReverseProxySSLCiphers", old)
    wait_for(lambda: "refused" not in zmconfigctl(host, "status"), 10, "the refusal forgotten")


def test_an_unknown_restriction_is_refused(host):
    """postfix check accepts it; every RCPT would get 451."""
    mark, live = cursor(host), generation(host)
    host.zmprov("mcf", "+zimbraMtaRestriction", "permit_bogus")
    wait_for(lambda: "refused" in journal_since(host, mark), 10, "the refusal")
    assert "permit_bogus" in journal_since(host, mark)
    assert generation(host) == live
    host.zmprov("mcf", "-zimbraMtaRestriction", "permit_bogus")
    wait_for(lambda: "refused" not in zmconfigctl(host, "status"), 10, "the refusal forgotten")


def test_changes_after_a_restart_of_slapd_are_seen(host):
    host.run("systemctl", "restart", "zimbra-ldap.service")
    set_size(host, 15000000)
    wait_for(lambda: size_limit(host) == 15000000, 10, "a change right after slapd's restart", 0.1)
    kill(host, "zimbra-ldap.service")
    wait_for(lambda: host.try_run("/opt/zimbra/bin/zmprov", "gcf", "zimbraMtaMaxMessageSize", user="zimbra").returncode == 0,
             30, "slapd again")
    set_size(host, 15000001)
    wait_for(lambda: size_limit(host) == 15000001, 20, "a change after slapd was killed", 0.1)


def test_the_last_good_one_serves_while_slapd_is_away(host):
    host.run("systemctl", "stop", "zimbra-ldap.service")
    try:
        host.run("systemctl", "restart", SERVICE, timeout=60)
        assert host.state(SERVICE) == "active"
        assert "not followed" in zmconfigctl(host, "status")
        assert host.state("zimbra-postfix.service") == "active" and size_limit(host) == 15000001
    finally:
        host.run("systemctl", "start", "zimbra-ldap.service")
    set_size(host, 15000002)
    wait_for(lambda: size_limit(host) == 15000002, 20, "a change after slapd came back", 0.1)


def test_changes_made_while_zmconfigd_was_down_are_loaded(host):
    host.run("systemctl", "stop", SERVICE)
    set_size(host, 16000000)
    assert size_limit(host) == 15000002
    pid = master_pid(host)
    host.run("systemctl", "start", SERVICE)
    wait_for(lambda: offered_size(host) == 16000000, 10, "the change in the running Postfix")
    assert master_pid(host) == pid


def test_kill_at_random_moments_leaves_whole_files(host):
    """A change, then kill -9 at a random moment of its way."""
    for i in range(12):
        n = 17000000 + i
        set_size(host, n)
        time.sleep(random.uniform(0, 0.8))
        pid = host.pid(SERVICE)
        assert pid > 0
        host.run("kill", "-9", str(pid))
        assert host.run("postconf", "-h", "queue_directory").strip() == "/var/spool/postfix"
        assert size_limit(host) in (n, n - 1, 16000000)
        wait_for(lambda: host.pid(SERVICE) not in (0, pid) and host.state(SERVICE) == "active", 30, "zmconfigd again", 0.1)
        wait_for(lambda: size_limit(host) == n, 15, f"size {n}", 0.1)
    host.run("systemctl", "reset-failed", SERVICE)
    assert host.try_run("test", "-e", "/opt/zimbra/conf/configd.d/intent").returncode != 0 or \
        wait_for(lambda: host.try_run("test", "-e", "/opt/zimbra/conf/configd.d/intent").returncode != 0, 10, "no intent left")


def test_a_service_that_does_not_come_up_gets_the_old_one_back(host):
    """The override passes validation and makes Postfix answer nobody."""
    live = generation(host)
    template = host.read("/opt/zimbra/lib/templates/postfix/master.cf.in")
    broken = re.sub(r"(?m)^smtp(\s+inet\s)", r"2525\1", template)
    assert broken != template
    mark = cursor(host)
    host.write("/opt/zimbra/conf/override/postfix/master.cf.in", broken)
    wait_for(lambda: re.search(r"did not come up, generation \d+ is back|refused", journal_since(host, mark)), 60, "the way back")
    text = journal_since(host, mark)
    assert f"generation {live} is back" in text, text
    assert generation(host) == live
    assert "from /opt/zimbra/conf/override/postfix/master.cf.in" in zmconfigctl(host, "status")
    wait_for(lambda: offered_size(host) > 0, 10, "Postfix on the old generation")
    host.run("rm", "/opt/zimbra/conf/override/postfix/master.cf.in")
    wait_for(lambda: "failed" not in zmconfigctl(host, "status"), 10, "the failure forgotten")


def test_history_diff_rollback_and_resume(host):
    set_size(host, 18000000)
    wait_for(lambda: size_limit(host) == 18000000, 5, "size", 0.05)
    first = generation(host)
    set_size(host, 18000001)
    wait_for(lambda: generation(host) != first, 5, "a new generation", 0.05)
    second = generation(host)
    wait_for(lambda: f"{second}  " in zmconfigctl(host, "history"), 5, "history")
    assert "VAR:zimbraMtaMaxMessageSize" in zmconfigctl(host, "history")
    diff = zmconfigctl(host, "diff", first, second)
    assert "-message_size_limit = 18000000" in diff and "+message_size_limit = 18000001" in diff

    zmconfigctl(host, "rollback", first)
    assert size_limit(host) == 18000000
    set_size(host, 18000002)
    time.sleep(1.5)
    assert size_limit(host) == 18000000, "held"
    assert "held by rollback" in zmconfigctl(host, "status")
    zmconfigctl(host, "resume")
    assert size_limit(host) == 18000002


def test_dry_run_and_render(host):
    out = zmconfigctl(host, "dry-run", "--set", "zimbraMtaMaxMessageSize=19000000")
    assert "postfix: would reload zimbra-postfix.service" in out and "+message_size_limit = 19000000" in out
    assert zmconfigctl(host, "dry-run") == ""
    assert "message_size_limit = 19000000" in zmconfigctl(host, "render", "mta", "--set", "zimbraMtaMaxMessageSize=19000000", user="zimbra")
    assert size_limit(host) == 18000002


def test_control_socket_serves_administrators_only(host):
    r = host.try_run(ZMCONFIGCTL, "status", user="zmroute")
    assert r.returncode != 0 and "ONLY ROOT AND ZIMBRA" in r.stderr
    assert "zmconfigd is running" in host.run("/opt/zimbra/bin/zmconfigdctl", "status", user="zimbra")
    assert host.try_run(ZMCONFIGCTL, "rewrite", "nonsense").returncode == 1
    host.run(ZMCONFIGCTL, "rewrite", "mta", "proxy")


class Notices:
    """A subscriber of zmconfigd's change notices, from outside the host."""

    def __init__(self, host):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        fd = os.open(f"/proc/{host.leader}/root/run/zimbra/configd", os.O_PATH)
        self.socket.connect(f"/proc/self/fd/{fd}/changes")
        os.close(fd)
        self.socket.settimeout(5)

    def wait_for(self, text):
        while text not in (notice := self.socket.recv(4096).decode()):
            pass
        return notice


def test_change_notices_reach_subscribers(host):
    notices = Notices(host)
    host.zmprov("ca", "notice@example.test", "Correct-horse-7")
    assert re.match(r"\d{14}\.\d{6}Z#\S+ uid=notice,ou=people,dc=example,dc=test$", notices.wait_for("uid=notice,"))
    host.zmprov("da", "notice@example.test")
    notices.wait_for("uid=notice,")


def test_every_lone_change_is_told_at_once(host):
    """slapd sends two messages a change; a loop that reads one a wake-up is always one behind."""
    host.zmprov("ca", "lone@example.test", "Correct-horse-7")
    dn = host.run("/opt/zimbra/bin/zmlocalconfig", "-s", "-m", "nokey", "zimbra_ldap_userdn", user="zimbra").strip()
    password = host.run("/opt/zimbra/bin/zmlocalconfig", "-s", "-m", "nokey", "zimbra_ldap_password", user="zimbra").strip()
    notices, delays = Notices(host), []
    p = subprocess.Popen(["nsenter", "-t", str(host.leader), "-a", "--", "env",
                          "LDAPTLS_CACERT=/opt/zimbra/ssl/zimbra/ca/ca.pem", "ldapmodify", "-x", "-ZZ",
                          "-H", f"ldap://{host.name}", "-D", dn, "-w", password],
                         stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    for i in range(200):
        p.stdin.write("dn: uid=lone,ou=people,dc=example,dc=test\nchangetype: modify\n"
                      f"replace: description\ndescription: {i}\n\n")
        start = time.monotonic()
        p.stdin.flush()
        notices.wait_for("uid=lone,")
        delays.append(time.monotonic() - start)
        time.sleep(random.choice((0, 0, 0.01, 0.1)))
    p.stdin.close()
    assert p.wait(10) == 0
    delays.sort()
    print(f"modify to notice: p50 {delays[100] * 1000:.1f} ms, p99 {delays[198] * 1000:.1f} ms, max {delays[199] * 1000:.1f} ms")
    assert delays[-1] < 1
    host.zmprov("da", "lone@example.test")


def test_rendered_secrets_are_not_world_readable(host):
    out = host.sh("find -L /opt/zimbra/conf/postfix /opt/zimbra/conf/amavis -type f -perm -o=r "
                  "-exec grep -lE 'bind_pw|bind_password|password *=>' {} + || true")
    assert out.strip() == ""
    assert host.run("stat", "-L", "-c", "%a %U:%G", "/opt/zimbra/conf/postfix/ldap-vmm.cf").strip() == "640 root:postfix"


def test_footprint(host):
    pid = host.pid(SERVICE)
    rss = int(re.search(r"VmRSS:\s+(\d+)", host.read(f"/proc/{pid}/status")).group(1))
    def ticks():
        fields = host.read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])
    before = ticks()
    time.sleep(10)
    print(f"zmconfigd: {rss} kB resident, {ticks() - before} ticks of CPU in 10 s at rest")
    assert rss < 24 * 1024
    assert ticks() - before <= 2
