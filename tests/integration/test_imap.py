"""IMAP4rev1 (RFC 3501, RFC 9051) as the store speaks it: login and shard on loopback."""
import base64
import imaplib
import re
import socket
import ssl
import time

import pytest

from mailstore import PASSWORD, Mailstore, Raw

SMALL = b"From: Anna <anna@example.test>\r\nTo: bert@example.test\r\nSubject: small\r\nMessage-ID: <1@example.test>\r\n\r\nHello\r\n"
PARTS = (b"From: a@example.test\r\nSubject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
         b"--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b\r\nContent-Type: application/octet-stream\r\n"
         b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n")
LARGE = b"Subject: large\r\n\r\n" + b"0123456789abcde\r\n" * 20000


@pytest.fixture(scope="module")
def store():
    s = Mailstore()
    yield s
    s.close()


@pytest.fixture
def raw(store):
    """Logged-in raw connections, one mailbox a test unless named; closed at the end."""
    opened = []

    def connect(user):
        opened.append(store.raw(store.imap).login(user))
        return opened[-1]
    yield connect
    for r in opened:
        r.close()


def append(r, message, mailbox=b"INBOX", flags=b""):
    r.send(b"t APPEND %s %s{%d+}\r\n%s\r\n" % (mailbox, flags, len(message), message))
    last = r.until(b"t ")[-1]
    assert last.startswith(b"t OK [APPENDUID "), last
    return int(last.split()[4].rstrip(b"]"))


def fetched(lines):
    """Untagged FETCH lines."""
    return [x for x in lines if re.match(rb"\* \d+ FETCH ", x)]


# ---- before login ----

def test_greeting_has_capabilities(store):
    """RFC 9051 §7.1 CAPABILITY code; SASL-IR RFC 4959."""
    r = store.raw(store.imap)
    greeting = r.line()
    assert greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 ")
    assert b" STARTTLS" in greeting and b" AUTH=PLAIN" in greeting and b" SASL-IR" in greeting
    assert r.command(b"NOOP")[-1].startswith(b"t OK")
    assert r.command(b'ID ("name" "x" "version" NIL)')[-2].startswith(b"* ID (")
    assert r.command(b"SELECT INBOX")[-1].startswith(b"t BAD")
    r.send(b"t LOGOUT\r\n")
    assert r.until(b"t OK")[0].startswith(b"* BYE")
    assert r.line() == b""
    r.close()


@pytest.mark.parametrize("user,password,code", [
    ("anna@example.test", "wrong", b"[AUTHENTICATIONFAILED]"),
    ("nobody@example.test", PASSWORD, b"[AUTHENTICATIONFAILED]"),
    ("away@example.test", PASSWORD, b"[UNAVAILABLE]"),
    ("far@example.test", PASSWORD, b"[UNAVAILABLE] Your mailbox is on elsewhere.example.test"),
])
def test_refused_logins(store, user, password, code):
    """RFC 5530 §3: wrong and unknown look alike, temporary trouble does not."""
    r = store.raw(store.imap)
    r.line()
    assert code in r.command(f'LOGIN {user} "{password}"'.encode())[-1]
    assert r.command(b"NOOP")[-1].startswith(b"t OK")     # the connection stays
    r.close()


def test_too_many_failures_end_the_connection(store):
    r = store.raw(store.imap)
    r.line()
    for _ in range(5):
        assert b"t NO" in r.command(b"LOGIN anna@example.test wrong")[-1]
    assert r.line().startswith(b"* BYE") and r.line() == b""
    r.close()


@pytest.mark.parametrize("initial", [True, False])
def test_authenticate_plain(store, initial):
    """RFC 9051 §6.2.2, RFC 4616, RFC 4959."""
    r = store.raw(store.imap)
    r.line()
    response = base64.b64encode(f"\0anna@example.test\0{PASSWORD}".encode())
    if initial:
        r.send(b"t AUTHENTICATE PLAIN " + response + b"\r\n")
    else:
        r.send(b"t AUTHENTICATE PLAIN\r\n")
        assert r.line() == b"+ \r\n"
        r.send(response + b"\r\n")
    assert r.until(b"t ")[-1].startswith(b"t OK [CAPABILITY ")
    r.close()


@pytest.mark.parametrize("response", [b"*", b"!!!", base64.b64encode(b"no nul"), base64.b64encode(b"a\0b"), b"="])
def test_authenticate_refuses(store, response):
    r = store.raw(store.imap)
    r.line()
    r.send(b"t AUTHENTICATE PLAIN\r\n")
    r.line()
    r.send(response + b"\r\n")
    assert r.until(b"t ")[-1].startswith(b"t BAD")
    r.close()


def test_acting_for_another_is_refused(store):
    r = store.raw(store.imap)
    r.line()
    other = base64.b64encode(f"bert@example.test\0anna@example.test\0{PASSWORD}".encode())
    r.send(b"t AUTHENTICATE PLAIN " + other + b"\r\n")
    assert b"OK" not in r.until(b"t ")[-1]
    r.close()


def test_login_by_literals_as_nginx_does(store):
    """nginx's mail proxy sends both arguments as synchronising literals."""
    r = store.raw(store.imap)
    r.line()
    user = b"anna@example.test"
    r.send(b"1 LOGIN {%d}\r\n" % len(user))
    assert r.line().startswith(b"+ ")
    r.send(user + b" {%d}\r\n" % len(PASSWORD))
    assert r.line().startswith(b"+ ")
    r.send(PASSWORD.encode() + b"\r\n")
    assert r.line().startswith(b"1 OK ")
    r.close()


def test_commands_sent_along_with_the_login_are_run(store):
    r = store.raw(store.imap)
    r.send(b'a LOGIN anna@example.test "%s"\r\nb NOOP\r\nc LOGOUT\r\n' % PASSWORD.encode())
    lines = r.until(b"c OK")
    assert [x[:4] for x in lines[1:]] == [b"a OK", b"b OK", b"* BY", b"c OK"]
    r.close()


def starttls(store):
    r = store.raw(store.imap)
    r.line()
    return r


def test_starttls_forgets_what_came_in_plain_text(store):
    """RFC 9051 §11.1: injected commands must not run inside TLS."""
    r = starttls(store)
    r.send(b"a STARTTLS\r\nb LOGOUT\r\n")
    assert r.line().startswith(b"a OK")
    r.sock = store.tls().wrap_socket(r.sock)
    r.file = r.sock.makefile("rb")
    r.send(b"c CAPABILITY\r\n")
    lines = r.until(b"c OK")
    assert len(lines) == 2 and b"STARTTLS" not in lines[0]
    r.send(b"d STARTTLS\r\n")
    assert r.line().startswith(b"d BAD")
    r.close()


def test_tls_versions(store):
    old = store.tls()
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", store.imaps)) as s, pytest.raises((ssl.SSLError, ConnectionError)):
        old.wrap_socket(s)


def test_session_under_tls(store):
    """The relay carries large answers both ways."""
    c = store.imap_client("tls", secure=True)
    assert c.append("INBOX", None, None, LARGE)[0] == "OK"
    c.select()
    assert c.fetch("1", "(BODY.PEEK[])")[1][0][1] == LARGE
    c.logout()


def test_lines_without_end(store):
    r = store.raw(store.imap)
    r.line()
    r.send(b"a LOGIN " + b"x" * 100000 + b"\r\nb NOOP\r\n")
    assert b"BAD" in r.line()
    assert r.line().startswith(b"b OK")
    r.send(b"a LOGIN {999999}\r\n")
    assert b"BAD" in r.line()
    r.close()


# ---- access policy ----

def test_password_needs_privacy():
    store = Mailstore(cleartext_login="FALSE")
    try:
        r = store.raw(store.imap)
        assert b"LOGINDISABLED" in r.line()
        answer = r.command(b'LOGIN anna@example.test "%s"' % PASSWORD.encode())[-1]
        assert b"NO [PRIVACYREQUIRED]" in answer
        r.close()
        store.imap_client("anna", secure=True).logout()
    finally:
        store.close()


def test_proxy_header_from_trusted_peers_only(store):
    """The address a trusted proxy names is the client's; anyone else's header is a command."""
    trusting = Mailstore(cleartext_login="FALSE", trusted_proxies="127.0.0.1", max_per_address="2")
    try:
        opened = []
        for _ in range(2):
            r = trusting.raw(trusting.imap)
            r.send(b"PROXY TCP4 198.51.100.7 198.51.100.8 1234 143\r\n")
            assert b"AUTH=PLAIN" in r.line()          # a proxied login may be in plain text
            opened.append(r)
        third = trusting.raw(trusting.imap)
        third.send(b"PROXY TCP4 198.51.100.7 198.51.100.8 1234 143\r\n")
        assert third.line().startswith(b"* BYE")      # the limit counts clients, not the proxy
        other = trusting.raw(trusting.imap)
        other.send(b"PROXY TCP4 198.51.100.9 198.51.100.8 1234 143\r\n")
        assert other.line().startswith(b"* OK")
        opened[0].login_line = opened[0].command(b'LOGIN anna@example.test "%s"' % PASSWORD.encode())
        assert opened[0].login_line[-1].startswith(b"t OK")
        silent = trusting.raw(trusting.imap)          # a trusted peer without a header is greeted too
        assert b"LOGINDISABLED" in silent.line()
        broken = trusting.raw(trusting.imap)
        broken.send(b"PROXY TCP4 nonsense\r\n")
        assert broken.line() == b""
        # implicit TLS behind a version 2 header
        s = socket.create_connection(("127.0.0.1", trusting.imaps))
        s.sendall(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([198, 51, 100, 10, 198, 51, 100, 8, 4, 210, 3, 225]))
        tls = trusting.tls().wrap_socket(s)
        assert tls.recv(4) == b"* OK"
        for x in opened + [third, other, silent, broken, tls]:
            x.close()
        assert "198.51.100.7" in trusting.logs()
    finally:
        trusting.close()
    r = store.raw(store.imap)
    r.line()
    r.send(b"PROXY TCP4 198.51.100.7 198.51.100.8 1234 143\r\n")
    assert b"BAD" in r.line()
    r.close()


def test_shard_that_is_away_is_a_temporary_failure():
    store = Mailstore()
    try:
        assert store.stop("shard") == 0
        r = store.raw(store.imap)
        r.line()
        assert b"t NO [UNAVAILABLE]" in r.command(b'LOGIN anna@example.test "%s"' % PASSWORD.encode())[-1]
        store.start("shard")
        store.wait()
        assert b"t OK" in r.command(b'LOGIN anna@example.test "%s"' % PASSWORD.encode())[-1]
        r.close()
    finally:
        store.close()


# ---- mailboxes ----

def listed(lines):
    return {x.rstrip(b"\r\n").rsplit(b'"/" ', 1)[1].strip(b'"').decode(): x.split(b"(", 1)[1].split(b")", 1)[0].decode().split()
            for x in lines if x.startswith((b"* LIST ", b"* LSUB "))}


def test_new_mailbox_has_its_folders(raw):
    """RFC 6154: special uses; RFC 9051 §6.3.9 LIST, RFC 3501 §6.3.9 LSUB."""
    r = raw("folders")
    folders = listed(r.command(b'LIST "" *'))
    assert set(folders) == {"INBOX", "Sent", "Drafts", "Trash", "Junk"}
    for use in ("Sent", "Drafts", "Trash", "Junk"):
        assert f"\\{use}" in folders[use] and "\\HasNoChildren" in folders[use]
    assert set(listed(r.command(b'LSUB "" *'))) == set(folders)
    assert r.command(b'LIST "" ""')[0] == b'* LIST (\\Noselect) "/" ""\r\n'
    assert r.command(b"NAMESPACE")[0] == b'* NAMESPACE (("" "/")) NIL NIL\r\n'


def test_create_rename_delete(raw):
    """RFC 9051 §6.3.4-6.3.6"""
    r = raw("create")
    assert b"t OK" in r.command(b"CREATE a/b/c")[-1]
    assert listed(r.command(b'LIST "" a*')).keys() == {"a", "a/b", "a/b/c"}
    assert b"[ALREADYEXISTS]" in r.command(b"CREATE a/b/c")[-1]
    assert b"t NO" in r.command(b"CREATE inbox")[-1]
    assert b"t OK" in r.command(b"CREATE with/")[-1]             # hierarchy to come
    assert b"t OK" in r.command(b"RENAME a/b z")[-1]
    assert listed(r.command(b'LIST "" *')).keys() >= {"z", "z/c"}
    assert b"[NONEXISTENT]" in r.command(b"DELETE a/b")[-1]
    assert b"t OK" in r.command(b"DELETE z/c")[-1]
    assert b"t NO" in r.command(b"DELETE INBOX")[-1]
    assert b"t NO" in r.command(b"SELECT z/c")[-1]


def test_rename_inbox_moves_its_messages(raw):
    """RFC 9051 §6.3.6: INBOX stays, empty."""
    r = raw("rename-inbox")
    append(r, SMALL)
    assert b"t OK" in r.command(b"RENAME INBOX old")[-1]
    assert b"(MESSAGES 0)" in r.command(b"STATUS INBOX (MESSAGES)")[0]
    assert b"(MESSAGES 1)" in r.command(b"STATUS old (MESSAGES)")[0]


@pytest.mark.parametrize("pattern,names", [
    (b"%", {"INBOX", "Sent", "Drafts", "Trash", "Junk", "x", "Entw&APw-rfe"}), (b"x/%", {"x/y", "x/yy"}), (b"*y*", {"x/y", "x/yy", "x/y/z"}),
    (b"x/*z", {"x/y/z"}), (b"%/%", {"x/y", "x/yy"}), (b"inbox", {"INBOX"}), (b"Entw&APw-rfe", {"Entw&APw-rfe"}), (b"no", set()), (b"*/z", {"x/y/z"}),
])
def test_list_patterns(raw, pattern, names):
    """RFC 9051 §6.3.9: '%' does not cross the separator."""
    r = raw("patterns")
    for name in (b"x/y/z", b"x/yy", b"Entw&APw-rfe"):
        r.command(b"CREATE " + name)
    assert set(listed(r.command(b'LIST "" ' + pattern))) == names
    assert set(listed(r.command(b'LIST "x/" "%"'))) == {"x/y", "x/yy"}


def test_names_are_modified_utf7(raw):
    """RFC 3501 §5.1.3; a name in another form than the canonical is no name."""
    r = raw("utf7")
    assert b"t OK" in r.command(b"CREATE &U,BTFw-")[-1]
    assert "&U,BTFw-" in listed(r.command(b'LIST "" *'))
    assert b"t OK" in r.command(b"SELECT &U,BTFw-")[-1]
    for bad in (b"&AGE-", b"&", b'"a\xff"', b"&2D0-"):
        assert b"t OK" not in r.command(b"CREATE " + bad)[-1]


def test_subscriptions(raw):
    """RFC 3501 §6.3.9: '%' names the parent of a subscribed child; RFC 5258 forms."""
    r = raw("subscribe")
    r.command(b"CREATE p/q")
    for name in (b"Sent", b"Trash", b"Junk", b"Drafts", b"INBOX"):
        assert b"t OK" in r.command(b"UNSUBSCRIBE " + name)[-1]
    r.command(b"UNSUBSCRIBE p")
    r.command(b"SUBSCRIBE p/q")
    assert set(listed(r.command(b'LSUB "" "*"'))) == {"p/q"}
    assert listed(r.command(b'LSUB "" "%"')) == {"p": ["\\Noselect"]}
    assert "\\Subscribed" in listed(r.command(b'LIST (SUBSCRIBED) "" "*"'))["p/q"]
    assert b'("CHILDINFO" ("SUBSCRIBED"))' in r.command(b'LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"')[0]
    assert b"t BAD" in r.command(b'LIST (RECURSIVEMATCH) "" "%"')[-1]
    assert set(listed(r.command(b'LIST (SPECIAL-USE) "" "*"'))) == {"Sent", "Trash", "Junk", "Drafts"}
    assert set(listed(r.command(b'LIST "" (p p/%)'))) == {"p", "p/q"}


def test_list_status(raw):
    """RFC 5819"""
    r = raw("list-status")
    append(r, SMALL, b"Sent")
    lines = r.command(b'LIST "" Sent RETURN (STATUS (MESSAGES UNSEEN) SPECIAL-USE)')
    assert lines[1] == b'* STATUS "Sent" (MESSAGES 1 UNSEEN 1)\r\n'


def test_status(raw):
    """RFC 9051 §6.3.11"""
    r = raw("status")
    append(r, SMALL)
    append(r, SMALL, flags=b"(\\Seen) ")
    line = r.command(b"STATUS inbox (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)")[0]
    assert re.fullmatch(rb'\* STATUS "INBOX" \(MESSAGES 2 RECENT 2 UIDNEXT 3 UIDVALIDITY \d+ UNSEEN 1\)\r\n', line)
    assert b"[NONEXISTENT]" in r.command(b"STATUS none (MESSAGES)")[-1]
    for bad in (b"STATUS INBOX", b"STATUS INBOX ()", b"STATUS INBOX (FOO)", b"STATUS INBOX (MESSAGES"):
        assert b"t BAD" in r.command(bad)[-1]


# ---- selecting ----

def test_select_answers(raw):
    """RFC 3501 §6.3.1"""
    r = raw("select")
    append(r, SMALL, flags=b"(\\Seen) ")
    append(r, SMALL, flags=b"(key1) ")
    text = b"".join(r.command(b"SELECT inbox"))
    for part in (b"* 2 EXISTS\r\n", b"* 2 RECENT\r\n", b"[UNSEEN 2]", b"[UIDNEXT 3]", b"[UIDVALIDITY ", b"* FLAGS (", b" key1)",
                 b"[PERMANENTFLAGS (", b"\\*)]", b"t OK [READ-WRITE]"):
        assert part in text, part
    other = raw("select")
    text = b"".join(other.command(b"EXAMINE INBOX"))
    assert b"* 0 RECENT" in text and b"t OK [READ-ONLY]" in text
    assert b"t NO [READ-ONLY]" in other.command(b"STORE 1 +FLAGS (\\Deleted)")[-1]
    assert b"t NO [READ-ONLY]" in other.command(b"EXPUNGE")[-1]
    assert b"FLAGS (key1)" in other.command(b"FETCH 2 (BODY[] FLAGS)")[-2]      # EXAMINE sets no \Seen
    # a failed SELECT leaves nothing selected (RFC 9051 §6.3.2)
    assert b"t NO" in r.command(b"SELECT none")[-1]
    assert b"t BAD" in r.command(b"FETCH 1 FLAGS")[-1]


def test_close_expunges_silently_and_unselect_does_not(raw):
    """RFC 9051 §6.4.1, §6.4.2"""
    r = raw("close")
    for _ in range(2):
        append(r, SMALL, flags=b"(\\Deleted) ")
    r.command(b"SELECT INBOX")
    assert b"t OK" in r.command(b"UNSELECT")[-1]
    assert b"* 2 EXISTS" in b"".join(r.command(b"SELECT INBOX"))
    lines = r.command(b"CLOSE")
    assert len(lines) == 1 and lines[0].startswith(b"t OK")
    assert b"* 0 EXISTS" in b"".join(r.command(b"SELECT INBOX"))


# ---- APPEND ----

@pytest.mark.parametrize("message", [
    SMALL, PARTS, LARGE, b"x", b"\r\n", b"no header at all\r\n", b"Subject: bare\nlf\n\nlines\n.\n", b"Subject: 8bit\r\n\r\n\xff\xfe\x80\r\n",
    b"Subject: cr\r\n\r\na\rb\r\r\n", b"S: " + b"h" * 40000 + b"\r\n\r\nx", b"Subject: inline\r\n\r\n" + b"y" * (32768 - 19), b"Subject: spool\r\n\r\n" + b"y" * (32769 - 18),
], ids=["small", "parts", "large", "one byte", "empty line", "no header", "bare lf", "8bit", "bare cr", "long header", "32 KiB", "32 KiB and 1"])
def test_messages_come_back_byte_for_byte(raw, message):
    """RFC 9051 §6.3.12: literal bytes are exact."""
    r = raw("append")
    r.command(b"SELECT Drafts")
    uid = append(r, message, b"Drafts")
    r.send(b"t UID FETCH %d (BODY.PEEK[] RFC822.SIZE)\r\n" % uid)
    line = r.line()
    while b" FETCH " not in line:
        line = r.line()
    size = int(re.search(rb"BODY\[\] \{(\d+)\}", line).group(1))
    assert r.file.read(size) == message
    assert b"RFC822.SIZE %d" % len(message) in r.line()
    assert r.line().startswith(b"t OK")


def test_append_with_flags_and_date(raw):
    r = raw("append-date")
    r.send(b'a APPEND Sent (\\Seen $Forwarded own) "17-Jul-1996 02:44:25 -0700" {%d}\r\n' % len(SMALL))
    assert r.line().startswith(b"+ ")
    r.send(SMALL + b"\r\n")
    assert r.until(b"a ")[-1].startswith(b"a OK [APPENDUID ")
    r.command(b"EXAMINE Sent")
    line = r.command(b"FETCH 1 (INTERNALDATE FLAGS)")[0]
    assert b'INTERNALDATE "17-Jul-1996 09:44:25 +0000"' in line and b"FLAGS (\\Seen $Forwarded own" in line


@pytest.mark.parametrize("command,code", [
    (b"APPEND none {5}", b"t NO [TRYCREATE]"), (b"APPEND INBOX {0}", b"t NO"), (b"APPEND INBOX {40000000}", b"t NO [TOOBIG]"),
    (b'APPEND INBOX "text"', b"t BAD"), (b"APPEND INBOX", b"t BAD"), (b"APPEND INBOX (\\Nonsense) {5}", b"t NO"),
])
def test_append_is_refused_before_the_literal(raw, command, code):
    r = raw("append-refused")
    assert r.command(command)[-1].startswith(code)
    assert r.command(b"NOOP")[-1].startswith(b"t OK")


def test_refused_literal_plus_is_skipped(raw):
    """RFC 7888 §4: the client has sent it anyway."""
    r = raw("append-refused")
    r.send(b"a APPEND none {%d+}\r\n%s\r\nb NOOP\r\n" % (len(LARGE), LARGE))
    lines = r.until(b"b ")
    assert lines[0].startswith(b"a NO [TRYCREATE]") and lines[1].startswith(b"b OK")


def test_nul_bytes_are_refused(raw):
    """RFC 9051 §4.3: a literal holds no NUL."""
    r = raw("append-refused")
    r.send(b"a APPEND INBOX {7+}\r\na: b\0\r\n\r\n")
    assert b"a NO" in r.until(b"a ")[-1]


def test_over_quota(store, raw):
    store.auth.quota["full"] = 2000
    r = raw("full")
    for _ in range(20):
        r.send(b"t APPEND INBOX {%d+}\r\n%s\r\n" % (len(SMALL), SMALL))
        last = r.until(b"t ")[-1]
        if b"NO" in last:
            break
    assert last.startswith(b"t NO [OVERQUOTA]")


def test_intake_that_is_away_is_a_temporary_failure():
    store = Mailstore()
    try:
        r = store.raw(store.imap).login("anna")
        append(r, SMALL)
        store.stop("intake")
        r.send(b"t APPEND INBOX {%d+}\r\n%s\r\n" % (len(SMALL), SMALL))
        assert b"t NO [UNAVAILABLE]" in r.until(b"t ")[-1]
        store.start("intake")
        store.wait()
        append(r, SMALL)
        r.close()
    finally:
        store.close()


# ---- FETCH ----

def test_fetch_sets_seen_and_says_so(raw):
    """RFC 9051 §6.4.5: BODY[] sets \\Seen, BODY.PEEK[] does not; another session hears of it."""
    r = raw("seen")
    append(r, SMALL)
    r.command(b"SELECT INBOX")
    other = raw("seen")
    other.command(b"SELECT INBOX")
    assert b"\\Seen" not in b"".join(r.command(b"FETCH 1 (BODY.PEEK[TEXT] FLAGS)"))
    assert b"\\Seen" in b"".join(r.command(b"FETCH 1 BODY[TEXT]"))
    assert fetched(r.command(b"NOOP")) == []                     # told once
    assert b"FLAGS (\\Seen" in fetched(other.command(b"NOOP"))[0]


def test_fetch_items(raw):
    """RFC 9051 §7.5.2"""
    r = raw("items")
    append(r, PARTS)
    r.command(b"SELECT INBOX")
    text = b"".join(r.command(b"FETCH 1 (ENVELOPE BODY BODYSTRUCTURE UID)"))
    assert b'BODY (("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3 0)("APPLICATION" "OCTET-STREAM" NIL NIL NIL "base64" 4) "MIXED")' in text
    assert b'BODYSTRUCTURE (("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3 0 NIL NIL NIL NIL)' in text and b'"MIXED" ("boundary" "b") NIL NIL NIL)' in text
    assert b'ENVELOPE (NIL "parts" ((NIL NIL "a" "example.test"))' in text and b"UID 1)" in text
    for section, content in ((b"1", b"one"), (b"2", b"AAAA"), (b"TEXT", PARTS.split(b"\r\n\r\n", 1)[1]), (b"HEADER", PARTS.split(b"--b", 1)[0]),
                             (b"HEADER.FIELDS (subject)", b"Subject: parts\r\n\r\n"), (b"1.MIME", b"Content-Type: text/plain\r\n\r\n")):
        text = b"".join(r.command(b"FETCH 1 BODY.PEEK[%s]" % section))
        assert b"BODY[%s] {%d}\r\n%s" % (section, len(content), content) in text
    assert b"BODY[3] NIL" in r.command(b"FETCH 1 BODY.PEEK[3]")[0]
    assert b"BODY[]<5>" in r.command(b"FETCH 1 BODY.PEEK[]<5.10>")[0]
    assert b"BODY[]<100000> {0}" in r.command(b"FETCH 1 BODY.PEEK[]<100000.10>")[0]
    assert b"RFC822.HEADER {" in r.command(b"FETCH 1 RFC822.HEADER")[0]


def test_fetch_partial_of_a_large_message(raw):
    r = raw("partial")
    append(r, LARGE)
    r.command(b"SELECT INBOX")
    for start, count in ((0, 10), (16380, 10), (100000, 70000), (len(LARGE) - 5, 100)):
        r.send(b"t FETCH 1 BODY.PEEK[]<%d.%d>\r\n" % (start, count))
        size = int(re.search(rb"\{(\d+)\}", r.line()).group(1))
        assert r.file.read(size) == LARGE[start:start + count]
        r.until(b"t OK")


@pytest.mark.parametrize("bad", [b"FETCH", b"FETCH 1", b"FETCH 1 ", b"FETCH 1 FOO", b"FETCH 1 (FLAGS", b"FETCH 1 BODY[", b"FETCH 0 FLAGS",
                                 b"FETCH 2 FLAGS", b"FETCH 1:x FLAGS", b"UID FETCH FLAGS", b"STORE 1 FLAGS", b"STORE 1 FOO (\\Seen)",
                                 b"STORE 1 FLAGS (\\Foo)", b"COPY 1", b"UID NOOP", b"SEARCH", b"SEARCH FOO", b"NOOP x", b"FOO", b"UID", b"EXPUNGE 1"])
def test_malformed_commands(raw, bad):
    """RFC 9051 §7.1.3; and the session goes on."""
    r = raw("malformed")
    r.command(b"SELECT INBOX")
    if b"* 0" in r.command(b"NOOP")[0] or b"MESSAGES 0" in r.command(b"STATUS INBOX (MESSAGES)")[0]:
        append(r, SMALL)
    assert r.command(bad)[-1].startswith(b"t BAD"), bad
    assert r.command(b"NOOP")[-1].startswith(b"t OK")


def test_uid_sets_pass_over_what_is_not_there(raw):
    """RFC 9051 §6.4.9: a non-existent UID is no error; '*' is the last message even below the range's start."""
    r = raw("uid-sets")
    for _ in range(3):
        append(r, SMALL)
    r.command(b"SELECT INBOX")
    assert len(fetched(r.command(b"UID FETCH 2,77 FLAGS"))) == 1
    assert b"UID 3" in fetched(r.command(b"UID FETCH 100:* FLAGS"))[0]
    assert fetched(r.command(b"UID FETCH 100 FLAGS")) == []
    assert len(fetched(r.command(b"FETCH *:1 UID"))) == 3


# ---- flags ----

def test_store(raw):
    """RFC 9051 §6.4.6"""
    r = raw("store")
    for _ in range(3):
        append(r, SMALL)
    r.command(b"SELECT INBOX")
    lines = r.command(b"STORE 1:2 +FLAGS (\\Flagged own)")
    assert any(x.startswith(b"* FLAGS (") and b" own" in x for x in lines)       # a new keyword is announced
    assert [x for x in fetched(lines) if b"\\Flagged own" in x] == fetched(lines) and len(fetched(lines)) == 2
    assert fetched(r.command(b"STORE 2 -FLAGS.SILENT (\\Flagged)")) == []
    assert b"FLAGS (own" in r.command(b"FETCH 2 FLAGS")[0]
    assert b"FLAGS (\\Answered" in fetched(r.command(b"UID STORE 3 FLAGS \\Answered"))[0]
    assert b"UID 3" in fetched(r.command(b"UID STORE 3 FLAGS ()"))[0]
    assert r.command(b"SEARCH KEYWORD own")[0] == b"* SEARCH 1 2\r\n"


def test_keywords_have_a_limit(raw):
    r = raw("keywords")
    append(r, SMALL)
    r.command(b"SELECT INBOX")
    for i in range(64):
        assert b"t OK" in r.command(b"STORE 1 +FLAGS.SILENT (k%d)" % i)[-1]
    assert b"t NO [LIMIT]" in r.command(b"STORE 1 +FLAGS (one-more)")[-1]
    assert b"k0" in r.command(b"FETCH 1 FLAGS")[0] and b"k63" in r.command(b"FETCH 1 FLAGS")[0]


# ---- EXPUNGE, COPY, MOVE ----

def test_expunge_renumbers(raw):
    """RFC 9051 §7.5.1, and UID EXPUNGE of RFC 4315 §2.1."""
    r = raw("expunge")
    for _ in range(6):
        append(r, SMALL)
    r.command(b"SELECT INBOX")
    r.command(b"STORE 2,3,5 +FLAGS.SILENT (\\Deleted)")
    lines = r.command(b"UID EXPUNGE 3:4")
    assert lines[0] == b"* 3 EXPUNGE\r\n" and len(lines) == 2
    numbers = list(range(1, 6))
    for line in r.command(b"EXPUNGE")[:-1]:
        numbers.pop(int(line.split()[1]) - 1)
    assert numbers == [1, 3, 5]
    assert r.command(b"UID SEARCH ALL")[0] == b"* SEARCH 1 4 6\r\n"


def test_copy_and_move(raw):
    """RFC 4315 §3 COPYUID; RFC 6851"""
    r = raw("copy")
    for i in range(3):
        append(r, SMALL, flags=b"(\\Flagged) " if i == 1 else b"")
    r.command(b"SELECT INBOX")
    assert re.match(rb"t OK \[COPYUID \d+ 1:2 1:2\]", r.command(b"COPY 1:2 Sent")[-1])
    assert b"t NO [TRYCREATE]" in r.command(b"COPY 1 none")[-1]
    lines = r.command(b"UID MOVE 2:3 Sent")
    assert re.match(rb"\* OK \[COPYUID \d+ 2:3 3:4\]", lines[0])
    assert sorted(lines[1:3]) == [b"* 2 EXPUNGE\r\n", b"* 3 EXPUNGE\r\n"]
    r.command(b"SELECT Sent")
    assert [b"\\Flagged" in x for x in fetched(r.command(b"FETCH 1:* FLAGS"))] == [False, True, True, False]
    assert fetched(r.command(b"UID FETCH 3 BODY.PEEK[]"))
    # to the folder itself
    assert b"COPYUID" in r.command(b"COPY 1 Sent")[-1]
    assert b"* 5 EXISTS" in b"".join(r.command(b"SELECT Sent"))


# ---- several sessions ----

def test_changes_of_another_session(raw):
    """RFC 9051 §7.5.1: no EXPUNGE during FETCH, STORE, SEARCH; numbers hold until then."""
    a, b = raw("two"), raw("two")
    for _ in range(4):
        append(a, SMALL)
    a.command(b"SELECT INBOX")
    b.command(b"SELECT INBOX")
    b.command(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
    b.command(b"EXPUNGE")
    append(b, SMALL)
    for command in (b"FETCH 1,3 UID", b"STORE 4 +FLAGS (\\Answered)", b"SEARCH ALL"):
        lines = a.command(command)
        assert not any(b"EXPUNGE" in x or b"EXISTS" in x for x in lines), command
    assert b"UID 4" in a.command(b"FETCH 4 UID")[0]
    assert b"[EXPUNGEISSUED]" in a.command(b"FETCH 2 BODY.PEEK[]")[-1]     # RFC 5530, RFC 2180 §4.1.2
    lines = a.command(b"NOOP")
    assert lines[0] == b"* 2 EXPUNGE\r\n" and b"* 4 EXISTS\r\n" in lines
    assert b"UID 5" in a.command(b"FETCH 4 UID")[0]
    # UID forms may tell it (RFC 9051 §7.5.1)
    b.command(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    b.command(b"EXPUNGE")
    assert b"* 1 EXPUNGE\r\n" in a.command(b"UID FETCH 3 FLAGS")


def test_silent_store_still_tells_what_others_did(raw):
    a, b = raw("silent"), raw("silent")
    append(a, SMALL)
    a.command(b"SELECT INBOX")
    b.command(b"SELECT INBOX")
    b.command(b"STORE 1 +FLAGS (\\Answered)")
    lines = fetched(a.command(b"STORE 1 +FLAGS.SILENT (\\Flagged)"))
    assert lines == [] or b"\\Answered" in lines[0]
    assert b"\\Answered \\Flagged" in a.command(b"FETCH 1 FLAGS")[0]


def test_idle(raw):
    """RFC 2177"""
    a, b = raw("idle"), raw("idle")
    append(b, SMALL)
    a.command(b"SELECT INBOX")
    a.send(b"i IDLE\r\n")
    assert a.line().startswith(b"+ ")
    append(b, SMALL)
    assert a.line() == b"* 2 EXISTS\r\n"
    a.line()                                                   # RECENT
    b.command(b"SELECT INBOX")
    b.command(b"STORE 1 +FLAGS (\\Flagged)")
    assert b"* 1 FETCH " in a.line()
    b.command(b"STORE 2 +FLAGS (\\Deleted)")
    a.line()
    b.command(b"EXPUNGE")
    assert a.line() == b"* 2 EXPUNGE\r\n"
    a.send(b"DONE\r\nn NOOP\r\n")
    assert a.line().startswith(b"i OK") and a.line().startswith(b"n OK")
    a.send(b"i IDLE\r\n")
    a.line()
    a.send(b"nonsense\r\n")
    assert a.line().startswith(b"i BAD")


def test_recent_belongs_to_one_session(raw):
    """RFC 3501 §2.3.2"""
    a, b = raw("recent"), raw("recent")
    append(b, SMALL)
    b.command(b"EXAMINE INBOX")                                # looks without claiming
    assert b"* 1 RECENT\r\n" in a.command(b"SELECT INBOX")
    assert b"\\Recent" in a.command(b"FETCH 1 FLAGS")[0]
    assert b"* 0 RECENT\r\n" in b.command(b"SELECT INBOX")
    append(b, SMALL)
    assert b"* 1 RECENT\r\n" in b.command(b"NOOP") or b"\\Recent" in b.command(b"FETCH 2 FLAGS")[0]


def test_deleted_folder_ends_the_session_in_it(raw):
    a, b = raw("gone"), raw("gone")
    a.command(b"CREATE f")
    a.command(b"SELECT f")
    b.command(b"DELETE f")
    a.send(b"t NOOP\r\n")
    assert any(x.startswith(b"* BYE") for x in iter(a.line, b""))


# ---- SEARCH ----

def test_search(raw):
    """RFC 9051 §6.4.4; text is decoded (see the unit tests for each key)."""
    r = raw("search")
    append(r, SMALL, flags=b"(\\Seen) ")
    append(r, "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSch=C3=B6n\r\n".encode())
    append(r, LARGE)
    r.command(b"SELECT INBOX")
    for keys, numbers in ((b"ALL", b" 1 2 3"), (b"UNSEEN", b" 2 3"), (b"SUBJECT small", b" 1"), (b"TEXT hello", b" 1"), (b"LARGER 1000", b" 3"),
                          (b"NOT TEXT hello", b" 2 3"), (b"OR SUBJECT small SUBJECT large", b" 1 3"), (b"2:* BODY abcde", b" 3"), (b"BODY none", b""),
                          ("SUBJECT {6+}\r\ngrü".encode() + "ß".encode(), b" 2"), ('CHARSET UTF-8 BODY "schön"'.encode(), b" 2"),
                          (b"HEADER Message-ID example", b" 1"), (b"SINCE 1-Jan-2000", b" 1 2 3"), (b"UID 2:3", b" 2 3")):
        assert r.command(b"SEARCH " + keys)[0] == b"* SEARCH%s\r\n" % numbers, keys
    assert b"t NO [BADCHARSET" in r.command(b"SEARCH CHARSET KOI8-R ALL")[-1]


# ---- limits and load ----

def test_command_limits(raw):
    r = raw("limits")
    r.send(b"a SEARCH " + b"x" * 200000 + b"\r\nb NOOP\r\n")
    assert r.line().startswith(b"a BAD") and r.line().startswith(b"b OK")
    assert b"t BAD [TOOBIG]" in r.command(b"SELECT {100000}")[-1]
    r.send(b"nonsense\r\n" * 30)       # at once: the server hangs up before the last
    assert any(x.startswith(b"* BYE") for x in iter(r.line, b""))


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def test_output_waits_for_the_client(store, raw):
    """A client that does not read costs its own session buffers, not the mailbox's size."""
    r = raw("slow")
    message = b"Subject: much\r\n\r\n" + b"0123456789abcde\r\n" * 60000          # 1 MB
    for _ in range(40):
        append(r, message)
    r.command(b"SELECT INBOX")
    time.sleep(1)
    before = rss_kib(store.processes["shard"].pid)
    r.send(b"t FETCH 1:* BODY.PEEK[]\r\n")
    time.sleep(2)
    assert rss_kib(store.processes["shard"].pid) - before < 20000         # of 40 MB; sanitizers keep freed memory for a while
    other = raw("quick")                                                         # the shard serves on
    assert b"t OK" in other.command(b"SELECT INBOX")[-1]
    got = 0
    while True:
        line = r.line()
        if line.startswith(b"t "):
            break
        if b" FETCH " in line:
            assert r.file.read(len(message)) == message
            got += 1
    assert got == 40


def test_many_sessions(store):
    clients = [Raw(store.imap).login(f"many{i % 10}") for i in range(80)]
    for c in clients:
        c.send(b"t SELECT INBOX\r\nu NOOP\r\n")
    for c in clients:
        assert c.until(b"u ")[-1].startswith(b"u OK")
        c.close()


def test_large_folder(raw):
    """Flags of thousands of messages, in one answer."""
    r = raw("thousands")
    for _ in range(50):
        r.send(b"".join(b"t APPEND INBOX {%d+}\r\n%s\r\n" % (len(SMALL), SMALL) for _ in range(40)))
        for _ in range(40):
            assert b"OK" in r.until(b"t ")[-1]
    assert b"* 2000 EXISTS\r\n" in r.command(b"SELECT INBOX")
    assert len(fetched(r.command(b"FETCH 1:* (UID FLAGS)"))) == 2000
    assert len(r.command(b"STORE 1:* +FLAGS.SILENT (\\Seen)")) == 1
    assert r.command(b"SEARCH UNSEEN")[0] == b"* SEARCH\r\n"
    assert len(r.command(b"UID MOVE 1:1000 Trash")) >= 1001
    assert b"(MESSAGES 1000)" in r.command(b"STATUS Trash (MESSAGES)")[0]


def test_imaplib_round(store):
    """A client that is not ours, whole round."""
    c = store.imap_client("round")
    assert c.append("INBOX", "(\\Flagged)", imaplib.Time2Internaldate(time.time()), SMALL)[0] == "OK"
    assert c.select()[1] == [b"1"]
    assert c.uid("FETCH", "1", "(RFC822)")[1][0][1] == SMALL
    assert c.search(None, "FLAGGED")[1] == [b"1"]
    assert c.store("1", "+FLAGS", "\\Deleted")[0] == "OK"
    assert c.expunge()[1] == [b"1"]
    assert c.close()[0] == "OK"
    assert c.logout()[0] == "BYE"
