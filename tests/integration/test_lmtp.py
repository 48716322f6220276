"""LMTP into the store (RFC 2033), past Postfix: who is let in with which reply, what is
stored, and that a store that is down costs a retry and nothing else."""
import pytest

from lab.lab import wait_for
from lab.mail import arrived, find, message

PASSWORD = "Green-harbour-31"
SENDER = "out@outside.test"
INJECT = "/opt/zimbra/bin/zmlmtpinject"


@pytest.fixture(scope="module")
def people(mail):
    for name in ("lena", "luis", "lora"):
        mail.zmprov("ca", f"{name}@example.test", PASSWORD)
    return mail


def inject(host, recipients, text, *options):
    """zmlmtpinject inside the host (login lets only this host's MTA at port 7025)."""
    host.write("/tmp/message", text.decode())
    arguments = [a for r in recipients for a in ("-r", f"{r}@example.test")]
    return host.try_run(INJECT, "-s", SENDER, *arguments, *options, "/tmp/message")


def test_text_is_stored_as_sent_behind_a_return_path(people):
    text, subject = message(SENDER, "lena@example.test", body="one\r\n..two dots\r\n.\r\nlast\r\n" * 3000)
    assert inject(people, ["lena"], text).returncode == 0
    stored = arrived(people, "lena@example.test", PASSWORD, subject)
    assert stored == f"Return-Path: <{SENDER}>\r\n".encode() + text


def test_capabilities(people):
    text, _ = message(SENDER, "lena@example.test")
    said = inject(people, ["lena"], text, "-T").stdout
    for capability in ("PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "SIZE"):
        assert capability in said
    assert "S: 354 " in said and "S: 250 2.0.0 <lena@example.test> stored" in said


def test_one_reply_for_each_recipient(people):
    text, subject = message(SENDER, "lena@example.test")
    done = inject(people, ["lena", "nobody", "luis"], text)
    assert done.returncode == 1
    assert "2 recipients accepted, 1 refused" in done.stdout
    assert "550 5.1.1 <nobody@example.test>" in done.stderr
    for reader in ("lena", "luis"):
        arrived(people, f"{reader}@example.test", PASSWORD, subject)


@pytest.mark.parametrize("status,reply", [
    ("locked", None), ("maintenance", "450 4.2.1"), ("pending", "550 5.2.1"), ("closed", "550 5.2.1"), ("active", None),
])
def test_account_status(people, status, reply):
    people.zmprov("ma", "lora@example.test", "zimbraAccountStatus", status)
    text, _ = message(SENDER, "lora@example.test")

    def answered():
        done = inject(people, ["lora"], text)
        return done.returncode == 0 if reply is None else f"{reply} <lora@example.test>" in done.stderr
    wait_for(answered, 15, f"the reply for a {status} account", interval=0.5)   # zmauthd's cache follows LDAP


def test_full_mailbox(people):
    people.zmprov("ma", "lora@example.test", "zimbraMailQuota", "20000")
    text, subject = message(SENDER, "lora@example.test", body="z" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 400)

    def refused():
        return "452 4.2.2 <lora@example.test>" in inject(people, ["lora"], text).stderr
    wait_for(refused, 15, "the refusal of a full mailbox", interval=0.5)
    before = len(find(people, "lora@example.test", PASSWORD, subject))
    assert not inject(people, ["lora"], text).returncode == 0
    assert len(find(people, "lora@example.test", PASSWORD, subject)) == before
    people.zmprov("ma", "lora@example.test", "zimbraMailQuota", "0")


@pytest.mark.parametrize("flag,folder", [("YES", "Junk"), ("NO", "INBOX")])
def test_spam_flag_decides_the_folder(people, flag, folder):
    text, subject = message(SENDER, "lena@example.test", X_Spam_Flag=flag)
    assert inject(people, ["lena"], text).returncode == 0
    arrived(people, "lena@example.test", PASSWORD, subject, folder)


@pytest.mark.parametrize("unit", ["zimbra-mailbox-shard@0.service", "zimbra-auth.service"])
def test_what_is_down_is_a_temporary_error(people, unit):
    text, subject = message(SENDER, "luis@example.test")
    people.run("systemctl", "stop", unit)
    try:
        assert "451 4.3.0 <luis@example.test>" in inject(people, ["luis"], text).stderr
    finally:
        people.run("systemctl", "start", unit)
    wait_for(lambda: inject(people, ["luis"], text).returncode == 0, 20, f"delivery after {unit} came back", interval=0.5)
    assert find(people, "luis@example.test", PASSWORD, subject)


def test_intake_reaches_no_mail_file(people):
    """The process that reads hostile text: no network, no store (design §6)."""
    pid = people.pid("zimbra-mailbox-intake@1.service")
    for path in ("/opt/zimbra/store", "/opt/zimbra/db", "/opt/zimbra/redolog", "/opt/zimbra/conf/localconfig.xml"):
        looked = people.try_run("nsenter", "-t", str(pid), "-m", "--", "runuser", "-u", "zmintake", "--", "ls", path + "/")
        assert looked.returncode != 0, path
    links = people.run("nsenter", "-t", str(pid), "-n", "--", "ip", "-o", "link").strip().splitlines()
    assert len(links) == 1 and " lo:" in links[0], links
