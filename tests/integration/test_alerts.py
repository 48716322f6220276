"""Alerts: each named alert, made to happen on a booted host, becomes one journal
record, one packet of the feed and one mail with the guide's subject (Guide ch. 12)."""
import concurrent.futures
import imaplib
import json
import os
import re

import pytest

from lab import appliance
from lab.lab import wait_for
from lab.mail import arrived, find, imap

ADMIN, PASSWORD = appliance.ADMIN, appliance.PASSWORD
HOST = "mail.example.test"
SERVER_CERT = "/opt/zimbra/ssl/zimbra/server/server.crt"


@pytest.fixture(scope="module")
def watched(mail):
    wait_for(lambda: mail.state("zimbra-alerts.service") == "active", 30, "zmalertd")
    return mail


def records(host, alert, **fields):
    """Journal records of ALERT whose ALERT_<FIELD>s are FIELDS."""
    out = host.try_run("journalctl", "-o", "json", f"ALERT={alert}").stdout
    rows = [json.loads(line) for line in out.splitlines()]
    return [r for r in rows if all(r.get(f"ALERT_{k}") == v for k, v in fields.items())]


def told(host, alert, timeout=60, **fields):
    rows = wait_for(lambda: records(host, alert, **fields), timeout, f"journal record {alert}")
    assert len(rows) == 1, rows
    assert len(rows[0]["MESSAGE_ID"]) == 32
    return rows[0]


def mailed(host, subject, timeout=90):
    return arrived(host, ADMIN, PASSWORD, subject, timeout=timeout).decode()


def listed(host, alert):
    return [line for line in host.run("/opt/zimbra/bin/zmalert", "list").splitlines() if f" {alert} " in line]


def test_an_alert_of_a_script_is_mailed_and_fed(watched):
    watched.run("/opt/zimbra/bin/zmalert", "raise", "alert-test", "MESSAGE=from a script")
    assert told(watched, "alert-test")["MESSAGE"].endswith("from a script")
    text = mailed(watched, f"Test alert on {HOST}")
    assert "from a script" in text and "Auto-Submitted: auto-generated" in text
    assert len(listed(watched, "alert-test")) == 1


def test_wrong_use_is_told(watched):
    r = watched.try_run("/opt/zimbra/bin/zmalert", "raise", "no-such-alert")
    assert r.returncode == 2 and "no-such-alert" in r.stderr
    r = watched.try_run("/opt/zimbra/bin/zmalert", "raise", "alert-test", "lower=x")
    assert r.returncode == 2 and "lower" in r.stderr


def test_service_stopped_and_started(watched):
    wait_for(lambda: appliance.healthy(watched), 60, "health")
    # What is not said before a state has held: a restart says nothing.
    watched.run("/opt/zimbra/bin/zmmemcachedctl", "restart")
    watched.run("/opt/zimbra/bin/zmmemcachedctl", "stop")
    told(watched, "service-stopped", SERVICE="memcached")
    assert (f"Service status change: {HOST} memcached changed from running to stopped"
            in mailed(watched, f"Service memcached stopped on {HOST}"))
    watched.run("/opt/zimbra/bin/zmmemcachedctl", "start")
    told(watched, "service-started", SERVICE="memcached")
    assert (f"Service status change: {HOST} memcached changed from stopped to running"
            in mailed(watched, f"Service memcached started on {HOST}"))


def test_mail_waits_while_postfix_is_away(watched):
    watched.run("/opt/zimbra/bin/zmmtactl", "stop")
    told(watched, "service-stopped", SERVICE="mta")
    watched.run("/opt/zimbra/bin/zmmtactl", "start")
    mailed(watched, f"Service mta stopped on {HOST}")
    mailed(watched, f"Service mta started on {HOST}")


def test_disk_fills_and_empties(watched):
    volume = "/opt/zimbra/data/alerts-test"
    watched.sh(f"mkdir -p {volume} && mount -t tmpfs -o size=10M tiny {volume}")
    try:
        check = lambda: watched.run("systemctl", "reload", "zimbra-alerts.service")  # noqa: E731
        watched.sh(f"head -c 8900000 /dev/zero > {volume}/fill")
        check()
        percent = told(watched, "disk-warning", VOLUME=volume)["ALERT_PERCENT"]
        assert (f"Disk warning: {HOST} {volume} on device tiny at {percent}%"
                in mailed(watched, f"Disk {volume} at {percent}% on {HOST}"))
        check()
        watched.sh(f"head -c 1300000 /dev/zero >> {volume}/fill")
        check()
        percent = told(watched, "disk-critical", VOLUME=volume)["ALERT_PERCENT"]
        assert int(percent) >= 95
        mailed(watched, f"Disk {volume} at {percent}% on {HOST}")
        watched.sh(f"rm {volume}/fill")
        check()
        clear = told(watched, "disk-ok", VOLUME=volume)["ALERT_PERCENT"]
        assert "all clear" in mailed(watched, f"Disk {volume} at {clear}% on {HOST}")
        assert len(records(watched, "disk-warning", VOLUME=volume)) == 1
    finally:
        watched.run("umount", volume)


def test_certificate_about_to_expire(watched):
    old = watched.read(SERVER_CERT)
    watched.sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 5 -subj /CN=short "
               "-keyout /tmp/short.key -out /tmp/short.pem")
    # The services keep the one they have loaded.
    watched.write(SERVER_CERT, watched.read("/tmp/short.pem"))
    for _ in range(2):
        watched.run("systemctl", "reload", "zimbra-alerts.service")
    assert told(watched, "certificate-expiring", FILE=SERVER_CERT)["ALERT_STAGE"] == "3"
    assert SERVER_CERT in mailed(watched, "ZCS: SSL Certificates approaching expiration!")
    watched.write(SERVER_CERT, old)
    watched.run("systemctl", "reload", "zimbra-alerts.service")
    told(watched, "certificate-ok", FILE=SERVER_CERT)
    mailed(watched, f"SSL certificate of this host renewed on {HOST}")


def test_authentication_failures(watched, lab):
    watched.run("/opt/zimbra/bin/zmprov", "ca", "victim@example.test", "Blue-lantern-42", user="zimbra")

    def wrong_password(n):
        with pytest.raises(imaplib.IMAP4.error):
            imap(watched, "victim@example.test", f"wrong-{n}")

    # At once: the proxy holds each refusal back for ten seconds.
    with concurrent.futures.ThreadPoolExecutor(12) as attackers:
        list(attackers.map(wrong_password, range(12)))
    row = told(watched, "abuse-ip-account", ACCOUNT="victim@example.test")
    assert row["ALERT_COUNT"] == "10"
    found = wait_for(lambda: find(watched, ADMIN, PASSWORD, "ABUSE:"), 90, "ABUSE mail", interval=0.5)
    assert len(found) == 1 and b"victim@example.test" in found[0]
    told(watched, "abuse-ip-account-over", timeout=120, ACCOUNT="victim@example.test")


def test_second_store_on_the_same_data(watched):
    shard = "/opt/zimbra/libexec/zmmailboxd-shard"
    owner = watched.pid("zimbra-mailbox-shard@0.service")
    for _ in range(2):
        assert watched.try_run(shard, "0").returncode == os.EX_UNAVAILABLE
    rows = wait_for(lambda: records(watched, "store-duplicate"), 20, "journal record")
    assert rows[0]["ALERT_OWNER_PID"] == str(owner)
    text = mailed(watched, "ZCS: Duplicate mysqld processes detected!")
    assert re.search(r"PID:\d+ PPID:\d+ PGRP:\d+", text) and f"CMD: {shard} 0" in text


def test_refused_configuration(watched):
    """zmconfigd's own journal_alert() records become alerts too."""
    watched.sh("logger --journald <<'E'\nMESSAGE=postfix: change of x refused\nALERT=config-refused\nPRIORITY=3\nE")
    assert "postfix: change of x refused" in mailed(watched, f"Configuration change refused on {HOST}")


def test_failed_job(watched):
    watched.write("/run/systemd/system/lab-job.service",
                  "[Unit]\nOnFailure=zimbra-alert@%n.service\n[Service]\nType=oneshot\n"
                  "ExecStart=/bin/sh -c 'echo job says no; exit 3'\n")
    watched.try_run("systemctl", "daemon-reload")
    watched.try_run("systemctl", "start", "lab-job.service")
    told(watched, "job-failed", UNIT="lab-job.service")
    assert "job says no" in mailed(watched, f"Job lab-job.service failed on {HOST}")


def test_nothing_is_told_twice_after_a_restart(watched):
    before = watched.run("/opt/zimbra/bin/zmalert", "list").splitlines()
    watched.run("systemctl", "kill", "--kill-whom=main", "-s", "KILL", "zimbra-alerts.service")
    wait_for(lambda: watched.state("zimbra-alerts.service") == "active", 30, "zmalertd again")
    watched.run("/opt/zimbra/bin/zmalert", "raise", "queue-age", "QUEUE=deferred", "AGE=2 h", "COUNT=1")
    watched.run("/opt/zimbra/bin/zmalert", "raise", "queue-age", "QUEUE=deferred", "AGE=3 h", "COUNT=1")
    mailed(watched, f"Mail queue on {HOST}: a message waits for 2 h")
    after = watched.run("/opt/zimbra/bin/zmalert", "list").splitlines()
    assert len(after) == len(before) + 1 and after[:-1] == before


def test_a_storm_is_one_digest(watched):
    watched.sh("for n in $(seq 150); do /opt/zimbra/bin/zmalert raise database-integrity-not-run COMMAND=c$n ERROR=e; done")
    found = wait_for(lambda: find(watched, ADMIN, PASSWORD, f"alerts on {HOST}"), 120, "digest", interval=1)
    assert found
    assert len(find(watched, ADMIN, PASSWORD, f"Database Integrity check report for {HOST}")) <= 30
