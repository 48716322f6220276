"""zmconfigd follows the directory: no change is lost or late, whatever happens to slapd,
its data, or the record of how far zmconfigd has heard (RFC 4533)."""
import random
import threading
import time

import pytest

from lab.changes import Notices, Writer, secret
from lab.lab import wait_for

SERVICE = "zimbra-configd.service"
LDAP = "zimbra-ldap.service"
COOKIE = "/opt/zimbra/conf/configd.d/cookie"
CHANGES, KILLS, ENTRIES = 10_000, 20, 40


@pytest.fixture(scope="module")
def host(mail):
    mail.write("/tmp/accounts", "".join(f"ca follow{i}@example.test Correct-horse-7\n" for i in range(ENTRIES)))
    mail.zmprov("-f", "/tmp/accounts")
    return mail


def size_limit(host):
    return int(host.run("postconf", "-h", "message_size_limit"))


def set_size(host, n):
    host.zmprov("mcf", "zimbraMtaMaxMessageSize", str(n))


def wait_size(host, n, seconds=15):
    wait_for(lambda: size_limit(host) == n, seconds, f"message_size_limit {n}", 0.05)


def answers(host):
    return host.try_run("/opt/zimbra/bin/zmprov", "gcf", "zimbraMtaMaxMessageSize", user="zimbra").returncode == 0


def lateness(changes, notices, backs):
    """Of each change: from the moment it could be known (answered, and slapd up) until a
    notice of its entry, or of a gap. slapd tells of an entry that changed twice in a row once."""
    waiting, late = {}, []
    events = sorted([(sent, 0, (dn, answered)) for dn, sent, answered in changes] + [(t, 1, dn) for t, dn in notices],
                    key=lambda e: e[:2])

    def settle(queue, told):
        for answered in queue:
            known = max([answered] + [back for killed, back in backs if killed <= told and back > answered and killed - 0.5 <= answered])
            late.append(told - known)

    for t, kind, what in events:
        if kind == 0:
            waiting.setdefault(what[0], []).append(what[1])
        elif what == "*":
            for queue in waiting.values():
                settle(queue, t)
            waiting.clear()
        else:
            settle(waiting.pop(what, []), t)
    lost = sum(len(q) for q in waiting.values())
    return late, lost


def test_ten_thousand_changes_while_slapd_is_killed_twenty_times(host):
    notices, writer = Notices(host), Writer(host)
    changes, kills, backs = [], [], []
    kill_at = {CHANGES * (i + 1) // (KILLS + 1) for i in range(KILLS)}

    def kill():
        time.sleep(random.uniform(0, 0.05))
        pid = host.pid(LDAP)
        host.run("kill", "-9", str(pid))
        kills.append(time.monotonic())      # it is dead: what is answered from now on tells that it is back
        host.run("systemctl", "reset-failed", LDAP)

    begin, killer = time.monotonic(), None
    for i in range(CHANGES):
        if i in kill_at:
            killer = threading.Thread(target=kill)
            killer.start()
        dn = f"uid=follow{random.randrange(ENTRIES)},ou=people,dc=example,dc=test"
        sent, answered = writer.modify(dn, "description", i)
        changes.append((dn, sent, answered))
        if len(backs) < len(kills) and sent > kills[-1]:
            backs.append((kills[-1], answered))
        # a stream that is one change behind would be late by the longest of these gaps
        time.sleep(1.5 if i % 1000 == 500 else random.choices((0, random.uniform(0, 0.005), 0.01, 0.2), (60, 30, 9, 1))[0])
    if killer:
        killer.join()
    time.sleep(2)
    writer.close()
    late, lost = lateness(changes, list(notices.seen), backs)
    late.sort()
    print(f"{CHANGES} changes, {len(kills)} kills in {time.monotonic() - begin:.0f} s: {lost} lost, late p50 {late[len(late) // 2] * 1000:.1f} ms, "
          f"p99 {late[len(late) * 99 // 100] * 1000:.1f} ms, max {late[-1] * 1000:.0f} ms; slapd away "
          f"{max(b - k for k, b in backs):.1f} s at most")
    assert len(kills) == KILLS
    assert lost == 0 and len(late) == CHANGES
    assert late[-1] < 1
    set_size(host, 21000001)
    wait_size(host, 21000001)


def test_the_cookie_is_kept_over_restarts(host):
    def context_csn():
        return host.sh("LDAPTLS_CACERT=/opt/zimbra/ssl/zimbra/ca/ca.pem ldapsearch -LLL -x -ZZ -H ldap://%s -D %s -w '%s' -s base -b '' contextCSN"
                       % (host.name, secret(host, "zimbra_ldap_userdn"), secret(host, "zimbra_ldap_password")))
    set_size(host, 21000002)
    wait_size(host, 21000002)
    wait_for(lambda: host.read(COOKIE).split("csn=")[1].strip() in context_csn(), 15, "the cookie on disk")
    host.run("kill", "-9", str(host.pid(SERVICE)))
    set_size(host, 21000003)
    wait_size(host, 21000003)
    wait_for(lambda: "followed" in host.run("/opt/zimbra/bin/zmconfigctl", "status"), 10, "following again")


@pytest.mark.parametrize("cookie", ["rid=001,csn=29990101000000.000000Z#000000#000#000000", "rid=001,csn=rubbish", "\x01\x02",
                                    "rid=001,csn=20200101000000.000000Z#000000#000#000000"])
def test_a_cookie_that_the_server_cannot_use(host, cookie):
    """Of a newer state than the server's, unreadable, or so old that the server sends everything."""
    host.run("systemctl", "stop", SERVICE)
    host.write(COOKIE, cookie, 0o600)
    n = random.randrange(22000000, 23000000)
    host.run("systemctl", "start", SERVICE)
    set_size(host, n)
    wait_size(host, n)
    wait_for(lambda: " followed" in host.run("/opt/zimbra/bin/zmconfigctl", "status"), 10, "following")
    set_size(host, n + 1)
    wait_size(host, n + 1)


DATA = "/opt/zimbra/data/ldap/mdb"


@pytest.mark.parametrize("zmconfigd_runs", [True, False])
def test_slapd_restored_from_an_older_backup(host, zmconfigd_runs):
    set_size(host, 23000001)
    wait_size(host, 23000001)
    host.sh(f"systemctl stop {LDAP}; rm -rf /root/old; cp -a {DATA} /root/old; systemctl start {LDAP}")
    wait_for(lambda: answers(host), 30, "slapd")
    set_size(host, 23000002)
    wait_size(host, 23000002)
    if not zmconfigd_runs:
        host.run("systemctl", "stop", SERVICE)
    host.sh(f"systemctl stop {LDAP}; rm -rf {DATA}; cp -a /root/old {DATA}; systemctl start {LDAP}")
    if not zmconfigd_runs:
        host.run("systemctl", "start", SERVICE)
    wait_size(host, 23000001, 20)
    wait_for(lambda: "went back to an older state" in host.journal("-u", SERVICE, "-n", "100"), 10, "a word about it")
    set_size(host, 23000003)                    # older than what was heard before, and still heard
    wait_size(host, 23000003)
