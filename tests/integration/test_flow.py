"""One message travels the whole way: SMTP, scanning, LMTP, store, IMAPS and POP3S
through the proxy; on one host and on two."""
import pytest

from lab import appliance
from lab.mail import arrived, imap, message, pop3, send

PASSWORD = "Blue-lantern-42"


@pytest.fixture(scope="module")
def people(mail):
    for name in ("anna", "bert", "carl"):
        mail.zmprov("ca", f"{name}@example.test", PASSWORD)
    mail.zmprov("aaa", "anna@example.test", "ann@example.test")
    mail.zmprov("cdl", "team@example.test")
    mail.zmprov("adlm", "team@example.test", "anna@example.test", "bert@example.test")
    return mail


def as_received(stored, sent):
    """The part of STORED from the sent message's first header on (Received and such stand above)."""
    first = sent.split(b"\r\n", 1)[0]
    at = stored.find(first)
    assert at >= 0, "the sent message is not in the stored one"
    return stored[at:]


BODIES = {
    "plain": "Hello.\r\n",
    "dots": ".\r\n..\r\n.leading dot\r\nend\r\n",
    "long lines": ("x" * 900 + "\r\n") * 20,
    "large": ("All work and no play. " * 40 + "\r\n") * 800,
    "empty": "",
}


@pytest.mark.parametrize("body", BODIES)
def test_message_comes_out_byte_for_byte(people, body):
    sent, subject = message("out@outside.test", "anna@example.test", body=BODIES[body])
    assert send(people, "out@outside.test", "anna@example.test", sent) == {}
    stored = arrived(people, "anna@example.test", PASSWORD, subject)
    assert as_received(stored, sent) == sent
    client = pop3(people, "anna@example.test", PASSWORD)
    try:
        count, _ = client.stat()
        over_pop = b"\r\n".join(client.retr(count)[1]) + b"\r\n"
    finally:
        client.quit()
    assert over_pop == stored


@pytest.mark.parametrize("recipient,readers", [
    ("ann@example.test", ["anna"]),
    ("team@example.test", ["anna", "bert"]),
    ("ANNA@Example.Test", ["anna"]),
])
def test_aliases_and_lists_reach_their_people(people, recipient, readers):
    sent, subject = message("out@outside.test", recipient)
    assert send(people, "out@outside.test", recipient, sent) == {}
    for reader in readers:
        assert as_received(arrived(people, f"{reader}@example.test", PASSWORD, subject), sent) == sent


def test_message_for_several_people_is_stored_once(people):
    sent, subject = message("out@outside.test", "team@example.test", body="y" * 500 + "\r\n")
    rcpts = [f"{n}@example.test" for n in ("anna", "bert", "carl")]
    assert send(people, "out@outside.test", rcpts, sent) == {}
    for r in rcpts:
        arrived(people, r, PASSWORD, subject)
    links = people.sh(f"grep -rlF '{subject}' /opt/zimbra/store/0 | xargs stat -c '%i %h' | sort -u").split()
    assert links[1:] == ["3"] and len(links) == 2, links


def test_login_by_wrong_password_is_refused(people):
    with pytest.raises(Exception, match="(?i)auth"):
        imap(people, "anna@example.test", "wrong")


def test_everything_survives_a_reboot(people, lab):
    sent, subject = message("out@outside.test", "carl@example.test")
    send(people, "out@outside.test", "carl@example.test", sent)
    arrived(people, "carl@example.test", PASSWORD, subject)
    people.stop()
    people.boot()
    appliance.wait_healthy(people)
    assert as_received(arrived(people, "carl@example.test", PASSWORD, subject), sent) == sent


def test_two_hosts(pair):
    front, back = pair
    front.zmprov("ca", "dora@example.test", PASSWORD)
    assert back.name in front.zmprov("ga", "dora@example.test", "zimbraMailHost")
    sent, subject = message("out@outside.test", "dora@example.test", body="Over two hosts.\r\n" * 3000)
    assert send(front, "out@outside.test", "dora@example.test", sent) == {}
    assert as_received(arrived(back, "dora@example.test", PASSWORD, subject), sent) == sent
