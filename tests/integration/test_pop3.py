"""POP3 (RFC 1939, RFC 2449) as the store speaks it: login and shard on loopback."""
import base64
import poplib

import pytest

from mailstore import PASSWORD, Mailstore

MESSAGES = [
    b"Subject: one\r\n\r\nHello\r\n",
    b"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\nend\r\n",
    b"Subject: large\r\n\r\n" + b"0123456789abcde\r\n" * 20000,
]


@pytest.fixture(scope="module")
def store():
    s = Mailstore()
    yield s
    s.close()


def fill(store, user, messages=MESSAGES):
    c = store.imap_client(user)
    for m in messages:
        assert c.append("INBOX", None, None, m)[0] == "OK"
    c.logout()


def text(lines):
    return b"".join(x + b"\r\n" for x in lines)


def test_before_login(store):
    """RFC 1939 §4, RFC 2449 §5"""
    p = poplib.POP3("127.0.0.1", store.pop3)
    assert set(p.capa()) >= {"USER", "SASL", "STLS", "TOP", "UIDL", "RESP-CODES"}
    for command in ("STAT", "RETR 1", "FOO"):
        with pytest.raises(poplib.error_proto, match="ERR"):
            p._shortcmd(command)
    with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
        p.user("anna@example.test")
        p.pass_("wrong")
    with pytest.raises(poplib.error_proto, match=r"\[SYS/TEMP\]"):
        p.user("away@example.test")
        p.pass_(PASSWORD)
    with pytest.raises(poplib.error_proto, match="elsewhere.example.test"):
        p.user("far@example.test")
        p.pass_(PASSWORD)
    p.quit()


def test_auth_plain(store):
    """RFC 5034"""
    r = store.raw(store.pop3)
    r.line()
    r.send(b"AUTH PLAIN\r\n")
    assert r.line() == b"+ \r\n"
    r.send(base64.b64encode(f"\0anna@example.test\0{PASSWORD}".encode()) + b"\r\n")
    assert r.line().startswith(b"+OK 0 messages")
    r.close()


def test_stls(store):
    """RFC 2595 §4"""
    p = poplib.POP3("127.0.0.1", store.pop3)
    p.stls(store.tls())
    assert "STLS" not in p.capa()
    p.user("anna@example.test")
    assert p.pass_(PASSWORD).startswith(b"+OK")
    p.quit()


@pytest.mark.parametrize("secure", [False, True])
def test_reading(store, secure):
    """RFC 1939 §5, §7: STAT, LIST, UIDL, RETR, TOP; bytes are exact, dots are stuffed."""
    user = f"read-{secure}"
    fill(store, user)
    p = store.pop3_client(user, secure)
    assert p.stat() == (3, sum(map(len, MESSAGES)))
    assert p.list()[1] == [b"%d %d" % (i + 1, len(m)) for i, m in enumerate(MESSAGES)]
    assert p.list(2) == b"+OK 2 %d" % len(MESSAGES[1])
    for i, m in enumerate(MESSAGES):
        assert text(p.retr(i + 1)[1]) == m
    assert text(p.top(2, 2)[1]) == b"Subject: dots\r\n\r\n.\r\n..\r\n"
    assert text(p.top(1, 0)[1]) == b"Subject: one\r\n\r\n"
    assert len(p.top(3, 5)[1]) == 7
    for wrong in ("RETR 4", "RETR 0", "RETR", "RETR x", "TOP 1", "LIST 9", "UIDL 9", "DELE 9", "STAT 1", "RETR 1 2 3"):
        with pytest.raises(poplib.error_proto, match="ERR"):
            p._shortcmd(wrong)
    p.quit()


def test_uids_are_stable(store):
    """RFC 1939 §7 UIDL"""
    fill(store, "uids")
    p = store.pop3_client("uids")
    first = p.uidl()[1]
    assert len({x.split()[1] for x in first}) == 3
    p.dele(1)
    p.quit()
    p = store.pop3_client("uids")
    assert [x.split()[1] for x in p.uidl()[1]] == [x.split()[1] for x in first[1:]]
    assert p.uidl(1).split()[2] == first[1].split()[1]
    p.quit()


def test_deleting(store):
    """RFC 1939 §5 DELE, RSET; §6: only QUIT deletes."""
    fill(store, "delete")
    p = store.pop3_client("delete")
    p.dele(1)
    assert p.stat()[0] == 2 and len(p.list()[1]) == 2
    for again in ("DELE 1", "RETR 1", "LIST 1", "UIDL 1", "TOP 1 0"):
        with pytest.raises(poplib.error_proto, match="No such message"):
            p._shortcmd(again)
    p.rset()
    assert p.stat()[0] == 3
    p.dele(2)
    p.close()                                      # no QUIT
    p = store.pop3_client("delete")
    assert p.stat()[0] == 3
    p.dele(1)
    p.dele(3)
    p.quit()
    p = store.pop3_client("delete")
    assert p.stat() == (1, len(MESSAGES[1]))
    p.quit()


def test_maildrop_is_a_snapshot(store):
    """What another session does is not seen, and cannot be hit by mistake."""
    fill(store, "snapshot")
    p = store.pop3_client("snapshot")
    c = store.imap_client("snapshot")
    c.select()
    c.store("1", "+FLAGS", "\\Deleted")
    c.expunge()
    c.append("INBOX", None, None, MESSAGES[0])
    assert p.stat()[0] == 3
    assert text(p.retr(2)[1]) == MESSAGES[1]
    p.dele(1)
    p.dele(2)
    p.quit()
    c.noop()
    assert c.fetch("1:*", "(UID)")[1] == [b"1 (UID 3)", b"2 (UID 4)"]
    c.logout()


def test_pipelined_session(store):
    """RFC 2449 §6.6"""
    fill(store, "pipeline")
    r = store.raw(store.pop3)
    r.send(b"USER pipeline@example.test\r\nPASS %s\r\nSTAT\r\nRETR 3\r\nNOOP\r\nQUIT\r\n" % PASSWORD.encode())
    data = r.file.read()
    assert data.endswith(b".\r\n+OK\r\n+OK Bye\r\n") and MESSAGES[2] in data
    r.close()


def test_limits(store):
    r = store.raw(store.pop3)
    r.line()
    r.send(b"USER " + b"x" * 5000 + b"\r\n")
    assert r.line().startswith(b"-ERR") and r.line() == b""
    r.close()
    p = store.pop3_client("limits")
    with pytest.raises((poplib.error_proto, ConnectionError)):
        p._shortcmd("NOOP " + "x" * 5000)
        p._shortcmd("NOOP")
    p.close()
