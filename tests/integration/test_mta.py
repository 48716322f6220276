"""The MTA from outside: who may send to whom, what the content filter does, and the
commands that drive the services."""
import base64
import email.message
import re
import smtplib
import socket
import ssl

import pytest

from lab.lab import GATEWAY, wait_for
from lab.mail import Sink, arrived, find, message, send, tls

PASSWORD = "Green-harbour-17"
ADMIN, ADMIN_PASSWORD = "admin@example.test", "Correct-horse-7"
SENDER = "out@outside.test"
SCORES = ("6.5", "6.7", "9.9", "10.1", "14.9", "15.1", "17.9", "18.1")
EICAR = base64.b64decode("WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=")


@pytest.fixture(scope="module")
def site(mail):
    for name in ("fred", "gina", "quarantine"):
        mail.zmprov("ca", f"{name}@example.test", PASSWORD)
    mail.zmprov("aaa", "fred@example.test", "freddy@example.test")
    mail.zmprov("cdl", "crew@example.test")
    mail.zmprov("adlm", "crew@example.test", "fred@example.test", "gina@example.test")
    mail.zmprov("cad", "alias.test", "example.test")
    return mail


@pytest.fixture(scope="module")
def outside(lab):
    """The world outside: takes mail for outside.test and victim.test."""
    for domain in ("outside.test", "victim.test"):
        lab.dns.add(domain, "MX", "10 mx.outside.test")
    lab.dns.add("mx.outside.test", "A", GATEWAY)
    sink = Sink(GATEWAY).begin()
    yield sink
    sink.stop()


# -- recipients ------------------------------------------------------------

@pytest.mark.parametrize("recipient,reader", [
    ("fred@example.test", "fred"),
    ("FRED@EXAMPLE.TEST", "fred"),
    ("freddy@example.test", "fred"),
    ("crew@example.test", "gina"),
    ("fred@alias.test", "fred"),
    ("crew@alias.test", "gina"),
])
def test_known_recipient_gets_it(site, recipient, reader):
    sent, subject = message(SENDER, recipient)
    assert send(site, SENDER, recipient, sent) == {}
    arrived(site, f"{reader}@example.test", PASSWORD, subject)


@pytest.mark.parametrize("recipient", [
    "nobody@example.test", "fredd@example.test", "nobody@alias.test", "nobody@mail.example.test", "@example.test",
])
def test_unknown_recipient_is_refused_at_rcpt(site, recipient):
    with smtplib.SMTP(site.address, 25, local_hostname="client.outside.test", timeout=30) as smtp:
        smtp.ehlo()
        assert smtp.mail(SENDER)[0] == 250
        code, text = smtp.docmd("RCPT", f"TO:<{recipient}>")
        assert 500 <= code < 600, text


def test_client_must_greet_with_a_full_name(site):
    with smtplib.SMTP(site.address, 25, local_hostname="shortname", timeout=30) as smtp:
        smtp.ehlo()
        smtp.mail(SENDER)
        assert smtp.rcpt("fred@example.test")[0] == 504


def test_too_large_a_message_is_refused_by_its_size(site):
    with smtplib.SMTP(site.address, 25, local_hostname="client.outside.test", timeout=30) as smtp:
        smtp.ehlo()
        limit = int(smtp.esmtp_features["size"])
        assert limit == int(site.zmprov("gacf", "zimbraMtaMaxMessageSize").split()[-1])
        assert smtp.docmd("MAIL", f"FROM:<{SENDER}> SIZE={limit + 1}")[0] == 552


def test_message_size_reaches_the_running_server_within_five_seconds(site):
    def size():
        with smtplib.SMTP(site.address, 25, local_hostname="client.outside.test", timeout=30) as smtp:
            smtp.ehlo()
            return int(smtp.esmtp_features["size"])
    before, pid = size(), site.pid("zimbra-postfix.service")
    try:
        site.zmprov("mcf", "zimbraMtaMaxMessageSize", "20480000")
        wait_for(lambda: size() == 20480000, 5, "new size limit")
        assert site.pid("zimbra-postfix.service") == pid, "Postfix was restarted"
    finally:
        site.zmprov("mcf", "zimbraMtaMaxMessageSize", str(before))
        wait_for(lambda: size() == before, 10, "old size limit")


# -- relay -----------------------------------------------------------------

TRICKS = {
    "plain": (SENDER, "<victim@victim.test>"),
    "null sender": ("", "<victim@victim.test>"),
    "local sender": ("fred@example.test", "<victim@victim.test>"),
    "host as sender": ("fred@mail.example.test", "<victim@victim.test>"),
    "address literal as sender": ("fred@[10.77.0.10]", "<victim@victim.test>"),
    "percent": (SENDER, "<victim%victim.test@example.test>"),
    "percent, host": (SENDER, "<victim%victim.test@mail.example.test>"),
    "percent, literal": (SENDER, "<victim%victim.test@[10.77.0.10]>"),
    "quoted address": (SENDER, '<"victim@victim.test">'),
    "quoted address, domain": (SENDER, '<"victim@victim.test"@example.test>'),
    "quoted percent": (SENDER, '<"victim%victim.test"@example.test>'),
    "double at": (SENDER, "<victim@victim.test@example.test>"),
    "double at, literal": (SENDER, "<victim@victim.test@[10.77.0.10]>"),
    "source route": (SENDER, "<@example.test:victim@victim.test>"),
    "source route, literal": (SENDER, "<@[10.77.0.10]:victim@victim.test>"),
    "bang path": (SENDER, "<victim.test!victim>"),
    "bang path, domain": (SENDER, "<victim.test!victim@example.test>"),
    "no brackets": (SENDER, "victim@victim.test"),
    "alias domain": (SENDER, "<victim%victim.test@alias.test>"),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_relay_trick_is_refused(site, outside, trick):
    sender, recipient = TRICKS[trick]
    with smtplib.SMTP(site.address, 25, local_hostname="client.outside.test", timeout=30) as smtp:
        smtp.ehlo()
        code, text = smtp.docmd("MAIL", f"FROM:<{sender}>")
        if code == 250:
            code, text = smtp.docmd("RCPT", f"TO:{recipient}")
        assert 500 <= code < 600, (trick, code, text)
    assert not any("victim" in r for _, rcpts, _ in outside.messages for r in rcpts)


# -- submission ------------------------------------------------------------

def submission(host, port):
    if port == 465:
        smtp = smtplib.SMTP_SSL(host.address, 465, local_hostname="laptop", context=tls(), timeout=30)
    else:
        smtp = smtplib.SMTP(host.address, port, local_hostname="laptop", timeout=30)
        smtp.starttls(context=tls())
    smtp.ehlo()
    return smtp


@pytest.mark.parametrize("port", [465, 587])
def test_submission_with_tls_and_password(site, outside, port):
    sent, subject = message("fred@example.test", "someone@outside.test")
    with submission(site, port) as smtp:
        smtp.login("fred@example.test", PASSWORD)
        assert smtp.sendmail("fred@example.test", ["someone@outside.test"], sent) == {}
    got = wait_for(lambda: [m for m in outside.messages if subject.encode() in m[2]], 30, "message outside")
    assert got[0][0] == "fred@example.test" and got[0][1] == ["someone@outside.test"]


@pytest.mark.parametrize("port", [465, 587])
def test_submission_needs_a_password(site, port):
    for recipient in ("someone@outside.test", "fred@example.test"):
        with submission(site, port) as smtp:
            smtp.mail("fred@example.test")
            assert 500 <= smtp.rcpt(recipient)[0] < 600
    with submission(site, port) as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("fred@example.test", "wrong")


@pytest.mark.parametrize("port", [25, 587])
def test_no_password_without_tls(site, port):
    with smtplib.SMTP(site.address, port, local_hostname="client.outside.test", timeout=30) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("auth")
        token = base64.b64encode(f"\0fred@example.test\0{PASSWORD}".encode()).decode()
        assert smtp.docmd("AUTH", "PLAIN " + token)[0] >= 500


def test_submission_needs_tls(site):
    with smtplib.SMTP(site.address, 587, local_hostname="laptop", timeout=30) as smtp:
        smtp.ehlo()
        assert smtp.docmd("MAIL", "FROM:<fred@example.test>")[0] == 530


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("port", [25, 465, 587])
def test_old_tls_is_refused(site, port):
    context = tls()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.maximum_version = context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((OSError, smtplib.SMTPException)):
        if port == 465:
            smtplib.SMTP_SSL(site.address, port, context=context, timeout=30)
        else:
            smtplib.SMTP(site.address, port, timeout=30).starttls(context=context)


# -- content filter --------------------------------------------------------

def rule(number, score):
    """A SpamAssassin rule that gives a message SCORE and lets no other rule have a say."""
    name = f"LAB_{number}"
    return (f"header {name} Subject =~ /score {re.escape(score)} /\nscore {name} {score}\n"
            f"priority {name} -2000\nshortcircuit {name} on\n")


@pytest.fixture(scope="module")
def filtered(site):
    site.write("/opt/zimbra/conf/override/amavis/local.cf", "".join(rule(i, s) for i, s in enumerate(SCORES)))
    site.run("/opt/zimbra/bin/zmamavisdctl", "restart")
    return site


def scored(host, scores):
    """Sends a message a score, and one more at the end whose arrival says that all were judged."""
    subjects = {}
    for score in scores:
        sent, subjects[score] = message(SENDER, "fred@example.test", subject=f"score {score} {socket.gethostname()}-{id(scores)}")
        assert send(host, SENDER, "fred@example.test", sent) == {}
    wait_for(lambda: host.run("postqueue", "-p").startswith("Mail queue is empty"), 60, "empty queue")
    return subjects


def where(host, subject):
    return [f for f in ("INBOX", "Junk") if find(host, "fred@example.test", PASSWORD, subject, f)]


def check_scores(host, outside, inbox, junk, discarded):
    subjects = scored(host, inbox + junk + discarded)
    for score in inbox:
        assert where(host, subjects[score]) == ["INBOX"], score
    for score in junk:
        assert where(host, subjects[score]) == ["Junk"], score
    for score in discarded:
        assert where(host, subjects[score]) == [], score
    assert not any(SENDER in rcpts for _, rcpts, _ in outside.messages), "a bounce went out"


def test_scores_decide(filtered, outside):
    check_scores(filtered, outside, ("6.5",), ("6.7", "14.9"), ("15.1",))


def test_limits_follow_the_percentages(filtered, outside):
    before = filtered.pid("zimbra-amavis.service")
    filtered.zmprov("mcf", "zimbraSpamTagPercent", "50", "zimbraSpamKillPercent", "90")
    try:
        wait_for(lambda: filtered.pid("zimbra-amavis.service") not in (0, before) and
                 filtered.state("zimbra-amavis.service") == "active", 30, "amavisd on new limits")
        check_scores(filtered, outside, ("9.9",), ("10.1", "17.9"), ("18.1",))
    finally:
        filtered.zmprov("mcf", "zimbraSpamTagPercent", "33", "zimbraSpamKillPercent", "75")


def infected(subject):
    m = email.message.EmailMessage()
    m["From"], m["To"], m["Subject"] = SENDER, "fred@example.test", subject
    m["Message-ID"], m["Date"] = f"<{subject.replace(' ', '.')}@lab.test>", "Tue, 24 Nov 2026 13:48:46 +0000"
    m.set_content("See the attachment.\n")
    m.add_attachment(EICAR, maintype="application", subtype="octet-stream", filename="test.bin")
    return m.as_bytes().replace(b"\n", b"\r\n")


def test_virus_goes_to_quarantine_and_both_are_told(site, outside):
    before = site.zmprov("gacf", "zimbraAmavisQuarantineAccount").split()
    if before[-1:] != ["quarantine@example.test"]:
        site.zmprov("mcf", "zimbraAmavisQuarantineAccount", "quarantine@example.test")
        wait_for(lambda: re.search(r"amavis: generation \d+ is in force .*zimbraAmavisQuarantineAccount",
                                   site.journal("-u", "zimbra-configd.service")), 60, "amavisd on the new account")
    sent = infected("infected message")
    assert send(site, SENDER, "fred@example.test", sent) == {}
    kept = arrived(site, "quarantine@example.test", PASSWORD, "infected message")
    assert kept.endswith(sent), "the infected message is not in quarantine byte for byte"
    for user, password in (("fred@example.test", PASSWORD), (ADMIN, ADMIN_PASSWORD)):
        notice = arrived(site, user, password, "Eicar-Test-Signature")
        assert EICAR not in notice
    assert find(site, "fred@example.test", PASSWORD, "infected message") == []
    assert not any(SENDER in rcpts for _, rcpts, _ in outside.messages), "the sender was told"


# -- commands --------------------------------------------------------------

def services(host, **kw):
    r = host.try_run("/opt/zimbra/bin/zmcontrol", "status", **kw)
    lines = r.stdout.splitlines()
    assert lines[0] == f"Host {host.name}"
    return r.returncode, {line[1:21].strip(): line[21:].strip() for line in lines[1:] if not line.startswith("\t\t")}, r.stdout


def test_zmcontrol_status_shows_every_service(site):
    code, states, text = services(site, user="zimbra")
    assert code == 0, text
    assert set(states) == {"ldap", "zmconfigd", "alerts", "mailbox", "memcached", "proxy", "antispam", "antivirus", "mta", "logger", "stats", "snmp"}
    assert set(states.values()) == {"Running"}
    assert re.search(r"^\tmta {17} {4}Running$", text, re.M)


def test_zmcontrol_tells_what_is_down(site):
    site.run("systemctl", "stop", "zimbra-postfix.service")
    try:
        code, states, text = services(site, user="zimbra")
        assert code == 1 and states["mta"] == "Stopped" and states["antispam"] == "Running"
        assert "\t\tzimbra-postfix.service is not running" in text
    finally:
        site.run("/opt/zimbra/bin/zmmtactl", "start", user="zimbra")
    assert services(site)[0] == 0


def active_services(host):
    """Jobs go on while services are stopped, as cron's do; what tells of their failures, too."""
    lines = host.run("systemctl", "list-units", "--state=active,activating,deactivating", "--plain", "--no-legend", "zimbra*")
    units = [line.split()[0] for line in lines.splitlines()]
    return [u for u in units if not u.startswith(("zimbra-schedule", "zimbra-job-", "zimbra-alert@"))]


def test_zmcontrol_stop_and_start_as_zimbra(site):
    out = site.run("/opt/zimbra/bin/zmcontrol", "stop", user="zimbra", timeout=300)
    assert re.search(r"^\tStopping mta\.\.\.Done\.$", out, re.M), out
    assert active_services(site) == []
    out = site.run("/opt/zimbra/bin/zmcontrol", "start", user="zimbra", timeout=300)
    assert re.search(r"^\tStarting ldap\.\.\.Done\.$", out, re.M), out
    assert services(site)[0] == 0
    sent, subject = message(SENDER, "gina@example.test")
    assert send(site, SENDER, "gina@example.test", sent) == {}
    arrived(site, "gina@example.test", PASSWORD, subject)


def test_systemctl_stops_and_starts_everything_as_well(site):
    site.run("systemctl", "stop", "zimbra.target")
    wait_for(lambda: not active_services(site), 60, "end of every unit")
    site.run("systemctl", "start", "zimbra.target")
    wait_for(lambda: services(site)[0] == 0, 60, "every service")


def test_other_users_may_look_but_not_touch(site):
    assert services(site, user="zmroute")[0] == 0
    r = site.try_run("/opt/zimbra/bin/zmmtactl", "stop", user="zmauth")
    assert r.returncode == 1 and "run this as root or zimbra" in r.stderr
    r = site.try_run("systemctl", "stop", "dbus.service", user="zimbra")
    assert r.returncode != 0


# -- sandboxes -------------------------------------------------------------

@pytest.mark.parametrize("unit", ["zimbra-postfix", "zimbra-amavis", "zimbra-clamd", "zimbra-freshclam", "zimbra-nginx",
                                  "zimbra-memcached"])
def test_unit_cannot_reach_what_it_does_not_need(site, unit):
    """Seen from inside the running unit's own mount namespace, as its own user."""
    pid = site.pid(f"{unit}.service")
    for path in ("/opt/zimbra/store", "/opt/zimbra/db", "/opt/zimbra/conf/localconfig.xml", "/opt/zimbra/data/ldap/config"):
        r = site.try_run("nsenter", "-t", pid, "-m", "--", "stat", "-c", "%a", path)
        assert r.returncode != 0 or r.stdout.strip() == "0", (unit, path, r.stdout)
    r = site.try_run("nsenter", "-t", pid, "-m", "--", "touch", "/usr/touched")
    assert r.returncode != 0
