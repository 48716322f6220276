"""The logger: log files, counts, traces and the daily report of real mail (Guide ch. 12)."""
import datetime
import imaplib
import re
import smtplib
import threading
import time

import pytest

from lab import appliance
from lab.lab import wait_for
from lab.mail import arrived, find, imap, message, send

ADMIN, PASSWORD = appliance.ADMIN, appliance.PASSWORD
PEOPLE = [f"{name}@example.test" for name in ("ann", "ben", "cem")]
OUTSIDE = "out@outside.test"
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*\r\n"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
UNIT = "zimbra-logger.service"
ZIMBRA_LOG, LOGS = "/var/log/zimbra.log", "/opt/zimbra/log"
REPORT, TRACE = "/opt/zimbra/libexec/zmdailyreport", "/opt/zimbra/libexec/zmmsgtrace"


@pytest.fixture(scope="module")
def logged(mail):
    for person in PEOPLE:
        mail.zmprov("ca", person, PASSWORD)
    wait_for(lambda: mail.state(UNIT) == "active", 30, "zmloggerd")
    settle(mail)
    return mail


@pytest.fixture(scope="module")
def mixed(logged):
    """One of each: a virus, spam, a message in a mailbox, a bounce, a refused recipient, a wrong password."""
    for body in (EICAR, GTUBE, "Hello.\r\n"):
        send(logged, OUTSIDE, PEOPLE[0], message(OUTSIDE, PEOPLE[0], body=body)[0])
    logged.sh(f"printf 'Subject: far\\n\\nx\\n' | sendmail -f {PEOPLE[0]} y@nowhere.invalid")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(logged, OUTSIDE, "nobody@example.test", b"Subject: x\r\n\r\nx\r\n")
    with pytest.raises(imaplib.IMAP4.error):
        imap(logged, PEOPLE[1], "wrong")
    logged.zmprov("ma", PEOPLE[1], "displayName", "Ben")
    settle(logged)
    return logged


def counts(host):
    text = host.try_run("cat", "/run/zimbra/stats/import/mta").stdout
    return {m[1]: int(m[2]) for m in re.finditer(r"^mta:(\w+) (\d+)$", text, re.M)}


def settle(host):
    """The totals once the queue is empty and they have stopped moving."""
    wait_for(lambda: "Mail queue is empty" in host.run("postqueue", "-p"), 60, "empty queue", interval=0.5)
    last, since = counts(host), time.monotonic()

    def steady():
        nonlocal last, since
        now = counts(host)
        if now != last or not now:
            last, since = now, time.monotonic()
        return time.monotonic() - since > 3.5   # published every two seconds
    wait_for(steady, 60, "steady counts", interval=0.5)
    return last


def added(host, before, **expected):
    """Waits until the counts have grown by EXPECTED; returns all differences."""
    def difference():
        now = counts(host)
        return {name: now[name] - before[name] for name in now}
    wait_for(lambda: all(difference().get(k, 0) >= v for k, v in expected.items()), 60, f"{expected}", interval=0.5)
    settle(host)
    found = difference()
    assert {k: found[k] for k in expected} == expected, found
    return found


def test_one_message_to_three_people_counts_six_and_one(logged):
    before = settle(logged)
    data, subject = message(OUTSIDE, "people")
    send(logged, OUTSIDE, PEOPLE, data)
    for person in PEOPLE:
        arrived(logged, person, PASSWORD, subject)
    found = added(logged, before, messages=6, scanned=1, received=1, delivered=3, spam=0, virus=0, bounced=0, deferred=0)
    assert found["bytes"] > 6 * len(data)


def test_a_virus_counts_once(logged):
    before = settle(logged)
    data, _ = message(OUTSIDE, "people", body=EICAR)
    send(logged, OUTSIDE, PEOPLE, data)
    added(logged, before, virus=1, scanned=1, spam=0, received=1)


def test_spam_counts_once(logged):
    before = settle(logged)
    data, _ = message(OUTSIDE, "people", body=GTUBE)
    send(logged, OUTSIDE, PEOPLE, data)
    added(logged, before, spam=1, scanned=1, virus=0, received=1)


def test_a_refused_recipient(logged):
    before = settle(logged)
    data, _ = message(OUTSIDE, "nobody")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(logged, OUTSIDE, "nobody@example.test", data)
    added(logged, before, rejected=1, received=0, messages=0)


def test_bounce(logged):
    before = settle(logged)
    logged.sh(f"printf 'Subject: far\\n\\nx\\n' | sendmail -f {PEOPLE[0]} x@nowhere.invalid")
    found = added(logged, before, bounced=1, received=1)
    assert found["delivered"] == 1          # the notice to the sender


def test_deferred_is_counted_at_its_first_delay(logged):
    before = settle(logged)
    logged.sh(f"printf 'Subject: late\\nMessage-ID: <late@lab.test>\\n\\nx\\n' | sendmail -f {PEOPLE[0]} x@[10.77.0.199]")
    wait_for(lambda: counts(logged)["deferred"] == before["deferred"] + 1, 60, "deferral", interval=0.5)
    logged.run("postqueue", "-f")
    wait_for(lambda: len(re.findall(r"status=deferred", logged.run("grep", "199", ZIMBRA_LOG))) >= 2, 60, "second try",
             interval=0.5)
    time.sleep(4)
    assert counts(logged)["deferred"] == before["deferred"] + 1
    logged.sh("postsuper -d ALL deferred")
    settle(logged)


def test_hostile_names_count_as_what_they_are(logged):
    before = settle(logged)
    data, subject = message(OUTSIDE, PEOPLE[0])
    data = re.sub(rb"Message-ID: .*", b"Message-ID: <status=bounced (x), relay=none, to=<a@b>@lab>", data)
    send(logged, OUTSIDE, PEOPLE[0], data)
    arrived(logged, PEOPLE[0], PASSWORD, subject)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(logged, OUTSIDE, PEOPLE[0], data, helo="x, relay=none, status=sent (250 ok)")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(logged, OUTSIDE, '"a>, relay=x, delay=1, dsn=2.0.0, status=sent ("@example.test', data)
    added(logged, before, messages=2, received=1, delivered=1, bounced=0, rejected=2)
    # Somebody on the host who speaks in Postfix's name.
    before = settle(logged)
    logged.sh("""for n in 1 2 3; do logger -t postfix/qmgr -p mail.info "ABCDEF$n: from=<x@y>, size=5, nrcpt=100 (queue active)"; done""",
              user="zimbra")
    added(logged, before, messages=0, received=0)


def test_the_guides_log_files(mixed):
    logged = mixed
    read = lambda path: logged.run("cat", path, user="zimbra")  # noqa: E731
    wait_for(lambda: "name=ben@example.test; displayName=Ben" in read(f"{LOGS}/audit.log"), 20, "change in audit.log")
    audit = read(f"{LOGS}/audit.log")
    assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} WARN  \[zmauthd-\d+\] \[name=ben@example.test;ip=\S+;\] security - "
                     r"cmd=Auth; account=ben@example.test; .*error=authentication failed", audit, re.M), audit
    assert re.search(r"INFO  \[zmmailboxd-shard-\d+\] \[name=ann@example.test;ip=\S+;msgid=<.*>;\] lmtp - stored message for ann@",
                     read(f"{LOGS}/mailbox.log"))
    assert "Eicar-Test-Signature.UNOFFICIAL FOUND" in read(f"{LOGS}/clamd.log")
    assert "ClamAV update process started" in read(f"{LOGS}/freshclam.log")
    assert "start worker process" in read(f"{LOGS}/nginx.log")
    text = read(ZIMBRA_LOG)
    for ident in ("postfix/qmgr", "amavis", "clamd", "zmconfigd", "slapd", "zmauthd"):
        assert re.search(rf"^[A-Z][a-z][a-z] [ \d]\d \d\d:\d\d:\d\d mail\.example\.test {ident}\[\d+\]: ", text, re.M), ident
    assert "stored message for" not in text
    logged.sh("logger -p local1.info 'STATUS: x'; logger -p local0.info 'from local0'")
    wait_for(lambda: "STATUS: x" in logged.try_run("cat", "/var/log/zimbra-stats.log").stdout, 20, "zimbra-stats.log")
    wait_for(lambda: "from local0" in read(ZIMBRA_LOG), 20, "local0")
    assert "STATUS: x" not in read(ZIMBRA_LOG)
    for path in (ZIMBRA_LOG, f"{LOGS}/audit.log", f"{LOGS}/mailbox.log"):
        assert logged.run("stat", "-L", "-c", "%a %G", path).strip() == "640 zmlogger"


def test_mailbox_records_go_to_syslog_when_asked(logged):
    logged.zmprov("mcf", "zimbraLogToSyslog", "TRUE")
    try:
        wait_for(lambda: "log_to_syslog=TRUE" in logged.read("/opt/zimbra/conf/logger/logger.conf"), 30, "rendered")
        time.sleep(2)
        data, subject = message(OUTSIDE, PEOPLE[0])
        send(logged, OUTSIDE, PEOPLE[0], data)
        arrived(logged, PEOPLE[0], PASSWORD, subject)
        wait_for(lambda: "stored message for ann@" in logged.read(ZIMBRA_LOG), 20, "store's record in zimbra.log")
    finally:
        logged.zmprov("mcf", "zimbraLogToSyslog", "FALSE")


def test_trace_of_a_message(logged):
    data, subject = message(OUTSIDE, "people")
    message_id = re.search(rb"Message-ID: <(.*)>", data)[1].decode()
    send(logged, OUTSIDE, PEOPLE[:2], data)
    arrived(logged, PEOPLE[0], PASSWORD, subject)
    settle(logged)
    text = logged.run(TRACE, "-i", re.escape(message_id), user="zimbra")
    assert "1 messages found" in text and f"Message ID '<{message_id}>'" in text and "out@outside.test -->" in text
    assert "filter: passed CLEAN" in text and "stored for ann@example.test in Inbox" in text
    assert re.search(r"--> mail.example.test\[10.77.0.10\]:7025 for ben@example.test status sent", text)
    assert logged.try_run(TRACE, "-i", message_id, "-s", "nobody", user="zimbra").returncode == 1
    today = datetime.date.today().strftime("%Y%m")
    assert "messages found" in logged.run(TRACE, "-r", "^CEM@", "-t", f"{today},{today}", user="zimbra")
    wrong = logged.try_run(TRACE, "-i", "(", user="zimbra")
    assert wrong.returncode == 64 and "zmmsgtrace:" in wrong.stderr


def numbers(text):
    return {m[2]: int(m[1]) for m in re.finditer(r"^ +(\d+)[ km]  ([a-z].*)$", text.split("Per-hour")[0], re.M)}


def test_daily_report_covers_each_event_once(mixed):
    logged, totals = mixed, settle(mixed)
    printed = logged.run(REPORT, user="zimbra")
    for name in ("virus", "spam", "bounced", "rejected", "received", "delivered", "deferred"):
        assert numbers(printed)[name] == totals[name], name
    assert totals["virus"] >= 1 and totals["spam"] >= 1
    assert "User unknown in virtual mailbox table" in printed and "nowhere.invalid" in printed
    assert "Eicar-Test-Signature" in printed
    assert re.search(r"^ +\d+   ben@example.test from .* \(imap\)$", printed, re.M), printed
    logged.run(REPORT, "-m", user="zimbra")
    day = datetime.datetime.strptime(logged.run("date", "+%Y-%m-%d").strip(), "%Y-%m-%d").date()
    mailed = arrived(logged, ADMIN, PASSWORD, f"Daily mail report for {day}").decode()
    section = lambda t: t.replace("\r\n", "\n").split("Grand totals")[1].split("Per-hour")[0]  # noqa: E731
    assert section(mailed) == section(printed)
    for heading in ("Senders by message count", "Recipients by message size", "Message deferral detail", "Message bounce detail"):
        assert heading in mailed
    settle(logged)
    # What is left for the next report is the first one's own delivery.
    rest = numbers(logged.run(REPORT, user="zimbra"))
    assert rest["received"] == 1 and rest["delivered"] == 1 and rest["virus"] == 0
    assert numbers(logged.run(REPORT, "--day", "today", user="zimbra"))["virus"] == totals["virus"]
    assert numbers(logged.run(REPORT, "--day", "2001-01-01", user="zimbra"))["received"] == 0


def test_a_report_that_could_not_be_mailed_comes_later(logged):
    reports = lambda: len(find(logged, ADMIN, PASSWORD, "Daily mail report for"))  # noqa: E731
    before = reports()
    logged.run("/opt/zimbra/bin/zmmtactl", "stop")
    r = logged.try_run(REPORT, "-m", user="zimbra")
    logged.run("/opt/zimbra/bin/zmmtactl", "start")
    assert r.returncode == 75 and "cannot be mailed" in r.stderr
    logged.run(REPORT, "-m", user="zimbra")
    settle(logged)
    assert reports() == before + 2
    rest = numbers(logged.run(REPORT, user="zimbra"))
    assert rest["received"] == 2


def stream(host, n, failures, pause=0.0):
    def one(i):
        try:
            data, _ = message(OUTSIDE, PEOPLE[i % 3], subject=f"stream {i}")
            send(host, OUTSIDE, PEOPLE[i % 3], data)
        except Exception as e:  # noqa: BLE001
            failures.append(e)
    for i in range(n):
        one(i)
        time.sleep(pause)


def test_killed_amid_a_stream_of_mail(logged):
    before, failures = settle(logged), []
    lines = logged.run("wc", "-l", ZIMBRA_LOG)
    sender = threading.Thread(target=stream, args=(logged, 60, failures, 0.25))
    sender.start()
    kills = 0
    while sender.is_alive():
        if logged.try_run("systemctl", "kill", "--kill-whom=main", "-s", "KILL", UNIT).returncode == 0:
            kills += 1
        time.sleep(1.5)
    sender.join()
    assert not failures and kills >= 2
    wait_for(lambda: logged.state(UNIT) == "active", 30, "zmloggerd")
    added(logged, before, messages=120, received=60, delivered=60, scanned=60)
    # The files have every record once, too.
    text = logged.read(ZIMBRA_LOG)
    sent = re.findall(r"^.*postfix/lmtp.*status=sent.*$", text, re.M)
    assert len(sent) == len(set(sent)) and len(text.splitlines()) > int(lines.split()[0])
    journal = logged.try_run("journalctl", "-o", "cat", "-u", "zimbra-postfix.service").stdout
    assert len(sent) == len(re.findall(r": to=<.*relay=.*:7025.*status=sent", journal))


def test_journald_restarts_and_rotates(logged):
    before = settle(logged)
    for i, command in enumerate((["systemctl", "restart", "systemd-journald.service"], ["journalctl", "--rotate"])):
        data, subject = message(OUTSIDE, PEOPLE[0])
        logged.run(*command)
        send(logged, OUTSIDE, PEOPLE[0], data)
        arrived(logged, PEOPLE[0], PASSWORD, subject)
    added(logged, before, messages=4, received=2, delivered=2)


def test_entry_read_last_is_gone(logged):
    before = settle(logged)
    logged.run("systemctl", "stop", UNIT)
    data, subject = message(OUTSIDE, PEOPLE[0])
    logged.run("journalctl", "--rotate")
    logged.run("journalctl", "--vacuum-size=1")
    send(logged, OUTSIDE, PEOPLE[0], data)
    arrived(logged, PEOPLE[0], PASSWORD, subject)
    logged.run("systemctl", "start", UNIT)
    added(logged, before, messages=2, received=1, delivered=1)
    assert "no longer has the entry that was read last" in logged.journal("-u", UNIT)


def test_full_disk_stops_the_files_and_nothing_else(logged):
    folder = "/var/log/zimbra"
    before = settle(logged)
    logged.run("systemctl", "stop", UNIT)
    logged.sh(f"mount -t tmpfs -o size=64k,mode=2750,uid=909,gid=909 tiny {folder}")
    try:
        logged.sh(f"head -c 60000 /dev/zero > {folder}/fill || true")
        logged.run("systemctl", "start", UNIT)
        stream(logged, 8, failures := [])
        assert not failures
        wait_for(lambda: counts(logged)["delivered"] >= before["delivered"] + 8, 60, "counts")
        wait_for(lambda: "ALERT_FILE=/var/log/zimbra/zimbra.log" in logged.run("journalctl", "-o", "export", "ALERT=log-stopped"), 30,
                 "alert")
        assert logged.state(UNIT) == "active"
        logged.sh(f"rm {folder}/fill")
        logged.sh("logger -p local0.info 'after the flood'")
        wait_for(lambda: "after the flood" in logged.read(ZIMBRA_LOG), 30, "it goes on")
        assert re.search(r"^zmloggerd: \d+ lines are missing here \(No space left on device\); the journal has them$",
                         logged.read(ZIMBRA_LOG), re.M)
        wait_for(lambda: "ALERT_FILE" in logged.run("journalctl", "-o", "export", "ALERT=log-resumed"), 30, "all clear")
    finally:
        logged.run("systemctl", "stop", UNIT)
        logged.run("umount", folder)
        logged.run("systemctl", "start", UNIT)


def test_database_on_a_full_disk_catches_up(logged):
    folder = "/opt/zimbra/logger/mail"
    before = settle(logged)
    logged.run("systemctl", "stop", UNIT)
    logged.sh(f"cp -a {folder} /root/mail && mount -t tmpfs -o size=8m,mode=2770,uid=909,gid=909 tiny {folder} && "
              f"cp -a /root/mail/. {folder}/")
    try:
        logged.run("systemctl", "start", UNIT)
        settle(logged)
        logged.sh(f"head -c 9000000 /dev/zero > {folder}/fill || true")
        stream(logged, 6, failures := [])
        assert not failures
        wait_for(lambda: f"ALERT_FILE={folder}/mail.sqlite" in logged.run("journalctl", "-o", "export", "ALERT=log-stopped"), 40, "alert",
                 interval=0.5)
        assert logged.state(UNIT) == "active"
        logged.sh(f"rm {folder}/fill")
        wait_for(lambda: counts(logged)["delivered"] >= before["delivered"] + 6, 60, "counts")
        settle(logged)
        totals = numbers(logged.run(REPORT, "--day", "today", user="zimbra"))
        assert totals["received"] == counts(logged)["received"]
        sent = re.findall(r"^.*postfix/lmtp.*status=sent.*$", logged.read(ZIMBRA_LOG), re.M)
        assert len(sent) == len(set(sent))
    finally:
        logged.run("systemctl", "stop", UNIT)
        logged.sh(f"cp -a {folder}/. /root/mail/ && umount {folder} && cp -a /root/mail/. {folder}/")
        logged.run("systemctl", "start", UNIT)
