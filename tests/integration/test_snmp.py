"""SNMP: each table against what systemctl, df, openssl and postqueue say, each named alert
as v2c trap, v2c inform and v3 notification at a real snmptrapd (Guide ch. 12)."""
import concurrent.futures
import glob
import imaplib
import json
import os
import pathlib
import re
import time

import pytest

from lab import appliance
from lab.lab import wait_for
from lab.mail import imap

HOST = "mail.example.test"
SERVER_CERT = "/opt/zimbra/ssl/zimbra/server/server.crt"
CA_CERT = "/opt/zimbra/ssl/zimbra/ca/ca.pem"
MIBS = "/opt/zimbra/share/snmp/mibs:/root/base-mibs"
RECEIVERS = {"trap": 1162, "inform": 1163, "v3": 1164}
RUNNING, STARTING, STOPPED, FAILED = 1, 2, 3, 4


class Manager:
    """An SNMP manager on the host: net-snmp's commands as the v3 user."""

    def __init__(self, host):
        self.host = host
        self.auth, self.priv = self.secret("auth"), self.secret("priv")

    def secret(self, kind):
        return self.host.run("/opt/zimbra/bin/zmlocalconfig", "-s", "-m", "nokey", f"snmp_v3_{kind}_password").strip()

    def ask(self, command, *oids, auth=None, options=("-r1", "-t2")):
        return self.host.try_run(command, "-v3", "-u", "zimbra", "-l", "authPriv", "-a", "SHA-256", "-A", auth or self.auth,
                                 "-x", "AES", "-X", self.priv, *options, "-M", MIBS, "-m", "MAILSTEAD-MIB:SNMPv2-MIB", "-OQeUX", "localhost", *oids)

    def get(self, oid):
        """A name's index is written as zmServiceState.'mta': IMPLIED."""
        return self.ask("snmpget", "MAILSTEAD-MIB::" + oid).stdout.strip().split(" = ", 1)[-1].strip('"')

    def table(self, name):
        """{index: {column: value}} of a walk."""
        rows = {}
        for line in self.ask("snmpbulkwalk", "MAILSTEAD-MIB::" + name).stdout.splitlines():
            m = re.match(r"[\w-]+::(\w+)\[(.+?)\] = (.*)$", line)
            if m:
                rows.setdefault(m[2], {})[m[1]] = m[3].strip('"')
        return rows


def give_base_modules(host):
    """What a manager has and Debian does not: SNMPv2-SMI and its like."""
    for module in ("SNMPv2-SMI", "SNMPv2-TC", "SNMPv2-CONF", "SNMPv2-MIB", "SNMP-FRAMEWORK-MIB"):
        source = pathlib.Path(glob.glob(f"/usr/lib/erlang/lib/snmp-*/mibs/{module}.mib")[0])
        host.write(f"/root/base-mibs/{module}.txt", source.read_text(errors="replace"))


@pytest.fixture(scope="module")
def watched(mail):
    give_base_modules(mail)
    wait_for(lambda: mail.state("zimbra-snmpagent.service") == "active", 30, "zmsnmpagent")
    wait_for(lambda: appliance.healthy(mail), 60, "health")
    return mail


@pytest.fixture(scope="module")
def manager(watched):
    m = Manager(watched)
    wait_for(lambda: m.get("zmHostName.0") == HOST, 30, "subagent")
    return m


# ---- who may ask ----

def test_v3_user_reads_and_nobody_else(watched, manager):
    assert HOST in manager.ask("snmpget", ".1.3.6.1.2.1.1.5.0").stdout
    wrong = manager.ask("snmpget", ".1.3.6.1.2.1.1.5.0", auth="not-the-password", options=("-r0", "-t1"))
    assert wrong.returncode != 0 and "Authentication failure" in wrong.stderr
    for community in ("public", "private", "zimbra"):
        r = watched.try_run("snmpget", "-v2c", "-c", community, "-r0", "-t1", "localhost", ".1.3.6.1.2.1.1.5.0")
        assert r.returncode != 0 and "Timeout" in r.stderr
    plain = watched.try_run("snmpget", "-v3", "-u", "zimbra", "-l", "noAuthNoPriv", "-r0", "-t1", "localhost", ".1.3.6.1.2.1.1.5.0")
    assert plain.returncode != 0


def test_view_is_limited(manager):
    for hidden in (".1.3.6.1.2.1.25.4", ".1.3.6.1.2.1.25.6", ".1.3.6.1.2.1.4", ".1.3.6.1.4.1.2021", ".1.3.6.1.6.3.15"):
        out = manager.ask("snmpwalk", hidden).stdout
        assert "No Such Object" in out or "No more variables" in out, out
    assert manager.ask("snmpwalk", ".1.3.6.1.2.1.25.1").stdout.count("\n") >= 3


def test_secrets_are_in_no_argument_and_no_open_file(watched, manager):
    arguments = watched.sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert manager.auth not in arguments and manager.priv not in arguments
    assert watched.run("stat", "-c", "%a %U:%G", "/opt/zimbra/conf/snmp/snmpd.conf").strip() == "640 root:Debian-snmp"
    assert watched.try_run("cat", "/opt/zimbra/conf/snmp/snmpd.conf", user="zmsnmp").returncode != 0


def test_community_only_when_set(watched, manager):
    ask = ("snmpget", "-v2c", "-c", "readers", "-r0", "-t1", "localhost", ".1.3.6.1.2.1.1.5.0")
    set_keys(watched, "snmp_community=readers")
    wait_for(lambda: watched.try_run(*ask).returncode == 0, 30, "community")
    masked = watched.run("/opt/zimbra/bin/zmlocalconfig", "snmp_community")
    assert "readers" not in masked
    set_keys(watched, "snmp_community=")
    wait_for(lambda: watched.try_run(*ask).returncode != 0, 30, "no community")


def test_changed_password_holds(watched, manager):
    old = manager.auth
    set_keys(watched, "snmp_v3_auth_password=Another-password-9")
    wait_for(lambda: manager.ask("snmpget", ".1.3.6.1.2.1.1.5.0", auth="Another-password-9").returncode == 0, 30, "new password")
    assert manager.ask("snmpget", ".1.3.6.1.2.1.1.5.0", auth=old, options=("-r0", "-t1")).returncode != 0
    set_keys(watched, f"snmp_v3_auth_password={old}")
    wait_for(lambda: manager.get("zmHostName.0") == HOST, 30, "old password")


def test_engine_counts_its_boots(watched, manager):
    boots = lambda: int(manager.ask("snmpget", ".1.3.6.1.6.3.10.2.1.2.0").stdout.split("=")[-1])  # noqa: E731
    before = boots()
    restart_snmpd(watched)
    assert wait_for(boots, 10, "snmpd") == before + 1
    wait_for(lambda: manager.get("zmHostName.0") == HOST, 10, "subagent")


@pytest.mark.parametrize("unit,most", [("zimbra-snmpd.service", 1.5), ("zimbra-snmpagent.service", 1.0)])
def test_exposure(watched, unit, most):
    said = watched.try_run("systemd-analyze", "security", "--no-pager", unit).stdout
    assert float(re.search(r"Overall exposure level for .*?: ([0-9.]+)", said).group(1)) <= most


# ---- tables ----

def test_services_are_those_of_systemd(watched, manager):
    enabled = set(watched.run("/opt/zimbra/bin/zmcontrol", "status").split()[2::2])
    names = lambda: set(manager.table("zmServiceTable"))  # noqa: E731
    assert names() == enabled, names()
    wait_for(lambda: all(r["zmServiceState"] == str(RUNNING) for r in manager.table("zmServiceTable").values()), 30, "all running")
    entered = watched.run("date", "-u", "-d", watched.run("systemctl", "show", "-P", "ActiveEnterTimestamp",
                                                         "zimbra-memcached.service").strip(), "+%Y-%-m-%-d,%-H:%-M:%-S").strip()
    assert manager.get("zmServiceSince.'memcached'").startswith(entered)

    watched.run("systemctl", "stop", "zimbra-memcached.service")
    state = lambda: manager.get("zmServiceState.'memcached'")  # noqa: E731
    wait_for(lambda: state() == str(STOPPED), 20, "stopped")
    watched.run("systemctl", "start", "zimbra-memcached.service")
    wait_for(lambda: state() == str(RUNNING), 20, "running again")
    watched.run("kill", "-9", watched.pid("zimbra-memcached.service"))
    restarts = lambda: watched.run("systemctl", "show", "-P", "NRestarts", "zimbra-memcached.service").strip()  # noqa: E731
    wait_for(lambda: restarts() == "1", 20, "restart")
    wait_for(lambda: manager.get("zmServiceRestarts.'memcached'") == "1", 20, "restart counted")


def test_queues_are_those_of_postqueue(watched, manager, lab):
    lab.dns.add("away.test", "MX", "10 gone.away.test")
    lab.dns.add("gone.away.test", "A", "10.77.0.199")
    for n in range(3):
        watched.sh(f"printf 'Subject: w{n}\\n\\n%1000s\\n' x | sendmail -f admin@example.test u@away.test")
    queue = lambda: [json.loads(line) for line in watched.run("postqueue", "-j").splitlines()]  # noqa: E731
    wait_for(lambda: [m["queue_name"] for m in queue()] == ["deferred"] * 3, 120, "three deferred")
    held = queue()[0]["queue_id"]
    watched.run("postsuper", "-h", held)
    deferred = wait_for(lambda: manager.table("zmQueueTable").get("hold", {}).get("zmQueueMessages") == "1"
                        and manager.table("zmQueueTable"), 30, "a message on hold")["deferred"]
    mine = [m for m in queue() if m["queue_name"] == "deferred"]
    assert deferred["zmQueueMessages"] == "2"
    assert int(deferred["zmQueueVolume"].split()[0]) == -(-sum(m["message_size"] for m in mine) // 1024)
    oldest = time.time() - min(m["arrival_time"] for m in mine)
    assert abs(int(deferred["zmQueueOldestAge"].split()[0]) - oldest) < 15
    # MTA-MIB: one application, a group for each queue (mtaStoredMessages, mtaGroupStoredMessages, mtaGroupName)
    column = lambda oid: re.findall(r"= (.*)", manager.ask("snmpwalk", ".1.3.6.1.2.1.28." + oid).stdout)  # noqa: E731
    assert column("1.1.2") == ["3"]
    assert dict(zip(column("2.1.25"), column("2.1.4"))) == {
        '"maildrop"': "0", '"hold"': "1", '"incoming"': "0", '"active"': "0", '"deferred"': "2"}
    watched.run("postsuper", "-d", "ALL")
    wait_for(lambda: manager.get("zmQueueMessages.'deferred'") == "0", 60, "empty queue")


def test_volumes_are_those_of_df(watched, manager):
    volume = "/opt/zimbra/data/snmp-test"
    watched.sh(f"mkdir -p {volume} && mount -t tmpfs -o size=20M tiny {volume} && head -c 15000000 /dev/zero > {volume}/fill")
    try:
        volumes = lambda: {r["zmDiskPath"]: r for r in manager.table("zmDiskTable").values()}  # noqa: E731
        rows = wait_for(lambda: volume in volumes() and volumes(), 20, "volume")
        assert set(rows) == {"/", volume}
        for path, row in rows.items():
            percent = int(watched.run("df", "--output=pcent", path).split()[-1].strip("%"))
            assert abs(int(row["zmDiskUsedPercent"].split()[0]) - percent) <= 1
        assert rows[volume]["zmDiskDevice"] == "tiny" and rows[volume]["zmDiskSize"].split()[0] == "20"
        assert rows[volume]["zmDiskState"] == "1"
        watched.sh(f"head -c 3500000 /dev/zero >> {volume}/fill")
        wait_for(lambda: volumes()[volume]["zmDiskState"] == "2", 20, "warning")
    finally:
        watched.run("umount", volume)


def test_certificates_are_those_of_openssl(watched, manager):
    rows = manager.table("zmCertTable")
    for index, path in (("1", SERVER_CERT), ("2", CA_CERT)):
        said = watched.run("openssl", "x509", "-in", path, "-noout", "-enddate", "-subject", "-nameopt", "RFC2253")
        end, subject = re.match(r"notAfter=(.*)\nsubject=(.*)\n", said).groups()
        row = rows[index]
        assert row["zmCertFile"] == path and row["zmCertSubject"] == subject and row["zmCertState"] == "1"
        seconds = int(watched.run("date", "-d", end, "+%s"))
        assert abs(int(row["zmCertDaysLeft"].split()[0]) - (seconds - time.time()) / 86400) <= 1
        assert row["zmCertNotAfter"].startswith(watched.run("date", "-u", "-d", end, "+%Y-%-m-%-d,%-H:%-M:%-S").strip())


def test_numbers_are_those_of_the_sample(watched, manager):
    """Without zmstatd and zmloggerd there are none, and no instance."""
    sample = "/run/zimbra/stats/sample"
    if watched.try_run("test", "-e", sample).returncode != 0:
        assert "No Such Instance" in manager.get("zmTrafficSpam.0")
        watched.sh("mkdir -p /run/zimbra/stats && printf 'timestamp 1700000000\\nmta:spam 5000000000\\nmta:received 7\\n"
                   "mailboxd:imap_conn 3\\n' > /run/zimbra/stats/sample")
    values = dict(line.rsplit(" ", 1) for line in watched.read(sample).splitlines() if " " in line)

    def same(name, key):
        values.update(line.rsplit(" ", 1) for line in watched.read(sample).splitlines() if " " in line)
        return key not in values or manager.get(name).split()[0] == str(round(float(values[key])))

    for name, key in (("zmTrafficSpam.0", "mta:spam"), ("zmTrafficReceived.0", "mta:received"), ("zmStoreImapSessions.0", "mailboxd:imap_conn")):
        wait_for(lambda: same(name, key), 60, name)


def test_walk_in_any_way_gives_the_same(watched, manager):
    one = manager.ask("snmpwalk", "MAILSTEAD-MIB::zmMIB").stdout.splitlines()
    many = manager.ask("snmpbulkwalk", "MAILSTEAD-MIB::zmMIB").stdout.splitlines()
    names = lambda lines: [line.split(" = ")[0] for line in lines]  # noqa: E731
    assert len(one) > 60 and set(names(one)) ^ set(names(many)) <= {n for n in names(one + many) if "zmAlert" in n}
    begun = time.monotonic()
    manager.ask("snmpbulkwalk", "MAILSTEAD-MIB::zmMIB")
    print(f"walk of {len(many)} instances: {time.monotonic() - begun:.3f} s with the command's own start")
    for wrong in ("zmHostName.1", "zmServiceState.'nosuch'", "zmDiskPath.9999"):
        assert "No Such Instance" in manager.get(wrong)


# ---- notifications ----

def set_keys(host, *pairs):
    host.run("/opt/zimbra/bin/zmlocalconfig", "-e", *pairs)


def restart_snmpd(host):
    host.run("systemctl", "reset-failed", "zimbra-snmpd.service")
    host.run("systemctl", "restart", "zimbra-snmpd.service")


def start_receiver(host, kind, port, manager, engine):
    user = f"createUser -e {engine} zimbra SHA-256 {manager.auth} AES {manager.priv}\nauthUser log zimbra priv\n"
    host.write(f"/root/trapd-{kind}.conf", user if kind == "v3" else "authCommunity log zimbra\n", 0o600)
    host.run("systemd-run", "-q", f"--unit=lab-trapd-{kind}", f"--setenv=SNMP_PERSISTENT_DIR=/root/trapd-{kind}.d",
             "snmptrapd", "-f", "-Lf", f"/root/trapd-{kind}.log", "-C", "-c", f"/root/trapd-{kind}.conf", "-M", MIBS,
             "-m", "MAILSTEAD-MIB:SNMPv2-MIB", "-OQe", "-F", "BEGIN%V|#|%vEND\n", f"udp:127.0.0.1:{port}")


@pytest.fixture(scope="module")
def receivers(watched, manager):
    """The rendered receiver is the v2c trap's; the other two are lines of this site."""
    engine = re.search(r"oldEngineID (0x\S+)", watched.read("/opt/zimbra/data/snmpd/snmpd.conf"))[1]
    for kind, port in RECEIVERS.items():
        start_receiver(watched, kind, port, manager, engine)
    watched.write("/opt/zimbra/conf/override/snmp/receivers.conf",
                  f"informsink 127.0.0.1:{RECEIVERS['inform']} zimbra\n"
                  f"trapsess -v 3 -u zimbra -l authPriv -a SHA-256 -A {manager.auth} -x AES -X {manager.priv} 127.0.0.1:{RECEIVERS['v3']}\n", 0o640)
    watched.run("chgrp", "Debian-snmp", "/opt/zimbra/conf/override/snmp/receivers.conf")
    set_keys(watched, f"snmp_trap_host=127.0.0.1:{RECEIVERS['trap']}")
    wait_for(lambda: "trap2sink 127.0.0.1" in watched.read("/opt/zimbra/conf/snmp/snmpd.conf"), 30, "rendered receiver")
    wait_for(lambda: appliance.healthy(watched) and manager.get("zmHostName.0") == HOST, 60, "snmpd again")
    return watched


def received(host, kind):
    """[(notification, {object: value})] as decoded by name through our module."""
    text = host.try_run("cat", f"/root/trapd-{kind}.log").stdout
    found = []
    for entry in re.findall(r"BEGIN(.*?)END\n", text, re.S):
        values = {}
        for varbind in entry.split("|#|"):
            name, _, value = varbind.strip().partition(" = ")
            values[re.sub(r"^.*::|[.\[].*$", "", name)] = value.strip('"')
        found.append((values.pop("snmpTrapOID", "").split("::")[-1], values))
    return found


def notified(host, trap, timeout=90, **expected):
    """The one notification TRAP whose objects are EXPECTED, at each receiver."""
    for kind in RECEIVERS:
        def there(kind=kind):
            return [v for t, v in received(host, kind) if t == trap and all(v.get("zmAlert" + k) == str(e) for k, e in expected.items())]
        rows = wait_for(there, timeout, f"{trap} {expected} by {kind}: {received(host, kind)[-3:]}", interval=0.5)
        assert len(rows) == 1, (kind, rows)
        assert rows[0]["zmAlertHost"] == HOST and rows[0]["zmAlertSubject"] and rows[0]["zmAlertTime"].startswith("20")
    return rows[0]


def test_service_stopped_and_started(receivers):
    receivers.run("/opt/zimbra/bin/zmmemcachedctl", "stop")
    notified(receivers, "zmServiceStatusTrap", Service="memcached", ServiceState=STOPPED, Severity=4,
             Subject=f"Service memcached stopped on {HOST}")
    receivers.run("/opt/zimbra/bin/zmmemcachedctl", "start")
    notified(receivers, "zmServiceStatusTrap", Service="memcached", ServiceState=RUNNING)


def test_disk_fills_and_empties(receivers, manager):
    volume = "/opt/zimbra/data/alerts-test"
    receivers.sh(f"mkdir -p {volume} && mount -t tmpfs -o size=10M tiny {volume}")
    try:
        for add, name, level in ((8900000, "disk-warning", 1), (1300000, "disk-critical", 2)):
            receivers.sh(f"head -c {add} /dev/zero >> {volume}/fill")
            receivers.run("systemctl", "reload", "zimbra-alerts.service")
            row = notified(receivers, "zmDiskTrap", Name=name, Volume=volume, Device="tiny", Level=level)
            percent = int(row["zmAlertPercent"].split()[0])
            assert percent >= (85 if level == 1 else 95) and row["zmAlertSubject"] == f"Disk {volume} at {percent}% on {HOST}"
        receivers.sh(f"rm {volume}/fill")
        receivers.run("systemctl", "reload", "zimbra-alerts.service")
        notified(receivers, "zmDiskTrap", Name="disk-ok", Volume=volume, Level=0)
    finally:
        receivers.run("umount", volume)
    # The same objects stay to be read.
    rows = [r for r in manager.table("zmAlertTable").values() if r.get("zmAlertVolume") == volume]
    assert [r["zmAlertName"] for r in rows] == ["disk-warning", "disk-critical", "disk-ok"]


def test_certificate_about_to_expire(receivers, manager):
    old = receivers.read(SERVER_CERT)
    receivers.sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 5 -subj /CN=short "
                 "-keyout /tmp/short.key -out /tmp/short.pem")
    receivers.write(SERVER_CERT, receivers.read("/tmp/short.pem"))
    receivers.run("systemctl", "reload", "zimbra-alerts.service")
    row = notified(receivers, "zmCertificateTrap", Name="certificate-expiring", File=SERVER_CERT)
    assert row["zmAlertDays"].split()[0] == "5" and row["zmAlertSubject"] == "ZCS: SSL Certificates approaching expiration!"
    wait_for(lambda: manager.table("zmCertTable")["1"]["zmCertState"] == "2", 30, "certificate's state")
    receivers.write(SERVER_CERT, old)
    receivers.run("systemctl", "reload", "zimbra-alerts.service")
    notified(receivers, "zmCertificateTrap", Name="certificate-ok", File=SERVER_CERT, Level=0)


def test_authentication_failures(receivers):
    receivers.run("/opt/zimbra/bin/zmprov", "ca", "victim@example.test", "Blue-lantern-42", user="zimbra")

    def wrong_password(n):
        with pytest.raises(imaplib.IMAP4.error):
            imap(receivers, "victim@example.test", f"wrong-{n}")

    with concurrent.futures.ThreadPoolExecutor(12) as attackers:
        list(attackers.map(wrong_password, range(12)))
    row = notified(receivers, "zmAuthFailuresTrap", Name="abuse-ip-account", Account="victim@example.test", Level=1)
    assert row["zmAlertCount"] == "10" and row["zmAlertWindow"].split()[0] == "60" and row["zmAlertClient"] == "10.77.0.1"


def test_second_store_on_the_same_data(receivers):
    owner = receivers.pid("zimbra-mailbox-shard@0.service")
    assert receivers.try_run("/opt/zimbra/libexec/zmmailboxd-shard", "0").returncode == os.EX_UNAVAILABLE
    row = notified(receivers, "zmStoreTrap", Name="store-duplicate", Shard="0", OwnerPid=owner)
    assert row["zmAlertSubject"] == "ZCS: Duplicate mysqld processes detected!" and int(row["zmAlertDuplicatePid"]) > 1


@pytest.mark.parametrize("alert,trap,fields,expected", [
    ("config-refused", "zmConfigTrap", ["MESSAGE=postfix: x refused"], {"Message": "postfix: x refused"}),
    ("job-failed", "zmJobTrap", ["UNIT=a.service", "RESULT=exit-code", "OUTPUT=two\nlines"], {"Unit": "a.service", "Result": "exit-code"}),
    ("queue-age", "zmQueueTrap", ["QUEUE=deferred", "AGE=2 h", "COUNT=9"], {"Queue": "deferred", "Age": "2 h", "Count": 9}),
    ("database-integrity", "zmDatabaseTrap", ["COMMAND=check", "OUTPUT=bad page"], {"Command": "check", "Output": "bad page", "Error": ""}),
    ("alert-test", "zmAlertTrap", ["MESSAGE=hello"], {"Message": "hello"}),
])
def test_every_other_notification(receivers, alert, trap, fields, expected):
    receivers.run("/opt/zimbra/bin/zmalert", "raise", alert, *fields)
    notified(receivers, trap, Name=alert, **expected)


def test_kinds_of_the_rendered_receiver(receivers, manager):
    conf = lambda: receivers.read("/opt/zimbra/conf/snmp/snmpd.conf")  # noqa: E731
    for kind, line in (("inform", "informsink 127.0.0.1:1162 zimbra"), ("v3", "trapsess -v 3 -u zimbra -l authPriv"), ("trap", "trap2sink")):
        set_keys(receivers, f"snmp_trap_kind={kind}")
        wait_for(lambda: line in conf(), 30, kind)
    wait_for(lambda: appliance.healthy(receivers) and manager.get("zmHostName.0") == HOST, 60, "snmpd again")


def test_what_is_raised_while_snmpd_is_down_comes_once(receivers, manager):
    receivers.run("systemctl", "stop", "zimbra-snmpd.service")
    for n in range(120):
        receivers.run("/opt/zimbra/bin/zmalert", "raise", "database-integrity-not-run", f"COMMAND=waits-{n}", "ERROR=e")
    receivers.run("systemctl", "restart", "zimbra-snmpagent.service")     # what waits outlives the agent too
    receivers.run("systemctl", "reset-failed", "zimbra-snmpd.service")
    receivers.run("systemctl", "start", "zimbra-snmpd.service")
    commands = lambda kind: [v["zmAlertCommand"] for t, v in received(receivers, kind) if t == "zmDatabaseTrap"  # noqa: E731
                             and v["zmAlertCommand"].startswith("waits-")]
    for kind in RECEIVERS:
        wait_for(lambda: len(commands(kind)) >= 120, 60, kind)
        assert commands(kind) == [f"waits-{n}" for n in range(120)]
    receivers.run("systemctl", "restart", "zimbra-snmpagent.service")
    receivers.run("systemctl", "restart", "zimbra-alerts.service")
    receivers.run("/opt/zimbra/bin/zmalert", "raise", "alert-test", "MESSAGE=after the restart")
    notified(receivers, "zmAlertTrap", Message="after the restart")
    assert len(commands("trap")) == 120
    wait_for(lambda: manager.get("zmHostAlertsWaiting.0") == "0", 30, "empty outbox")


def test_no_notification_when_switched_off(receivers, manager):
    set_keys(receivers, "snmp_notify=no")
    wait_for(lambda: "notify=no" in receivers.read("/opt/zimbra/conf/snmp/snmpagent.conf"), 30, "rendered settings")
    wait_for(lambda: appliance.healthy(receivers) and manager.get("zmHostName.0") == HOST, 60, "snmpd again")
    assert "trap2sink" not in receivers.read("/opt/zimbra/conf/snmp/snmpd.conf")
    receivers.run("/opt/zimbra/bin/zmalert", "raise", "alert-test", "MESSAGE=quiet")
    wait_for(lambda: any(r.get("zmAlertMessage") == "quiet" for r in manager.table("zmAlertTable").values()), 30, "row")
    set_keys(receivers, "snmp_notify=yes")
    wait_for(lambda: "trap2sink" in receivers.read("/opt/zimbra/conf/snmp/snmpd.conf"), 30, "rendered settings")
    wait_for(lambda: appliance.healthy(receivers) and manager.get("zmHostName.0") == HOST, 60, "snmpd again")
    receivers.run("/opt/zimbra/bin/zmalert", "raise", "alert-test", "MESSAGE=loud")
    notified(receivers, "zmAlertTrap", Message="loud")
    assert not [v for k in RECEIVERS for _, v in received(receivers, k) if v.get("zmAlertMessage") == "quiet"]


def test_back_within_two_seconds_fifty_times(watched, manager):
    """From snmpd's READY on; the agent is not restarted with it."""
    agent = watched.pid("zimbra-snmpagent.service")
    took = []
    for n in range(50):
        if n % 2:
            restart_snmpd(watched)
        else:
            watched.run("systemctl", "reset-failed", "zimbra-snmpd.service")
            watched.run("kill", "-9", watched.pid("zimbra-snmpd.service"))
            wait_for(lambda: watched.state("zimbra-snmpd.service") != "active", 5, "snmpd killed", interval=0.01)
            wait_for(lambda: watched.state("zimbra-snmpd.service") == "active", 10, "snmpd again", interval=0.01)
        begun = time.monotonic()
        wait_for(lambda: manager.ask("snmpget", "MAILSTEAD-MIB::zmHostName.0", options=("-r0", "-t1")).stdout.strip().endswith(HOST),
                 10, "subagent", interval=0.02)
        took.append(time.monotonic() - begun)
    print(f"back after {min(took):.2f} to {max(took):.2f} s")
    assert max(took) <= 2.0, took
    assert watched.pid("zimbra-snmpagent.service") == agent
