"""Postfix with zmauthd's SASL socket and zmmilter at RCPT TO: who may send to a list."""
import contextlib
import smtplib

import pytest

from lab.authhost import DENIED, DOMAIN, DOMAIN_DN, DOMAIN_ID, OK, AuthHost, account_id, wait_port
from lab.lab import wait_for

PASSWORD = "Blue-lantern-42"
MAIN = f"""\
compatibility_level = 3.6
meta_directory = /opt/zimbra/lib/postfix
myhostname = auth.{DOMAIN}
mydestination = {DOMAIN}
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
mynetworks = 127.0.0.0/8
local_recipient_maps =
local_transport = discard:
default_transport = discard:
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = /run/zimbra/auth/sasl
smtpd_tls_auth_only = no
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_milters = inet:127.0.0.1:7026
milter_default_action = tempfail
alias_maps =
"""
MASTER = """\
smtp inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
discard unix - - n - - discard
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
"""
MILTER = "[milter]\nlisten=127.0.0.1\nport=7026\n"


@pytest.fixture(scope="module")
def mta(lab):
    a = AuthHost(lab, 53)
    for name in ("anna", "bert", "carl"):
        a.add_account(name, PASSWORD, *([f"zimbraMailAlias: ann@{DOMAIN}"] if name == "anna" else []))
    member = "zimbraMailForwardingAddress: "
    right = "sendToDistList"
    a.add_list("open", member + f"anna@{DOMAIN}")
    a.add_list("staff", member + f"anna@{DOMAIN}", member + "guest@outside.test")
    a.add_list("inner", member + f"bert@{DOMAIN}")
    a.add_list("outer", member + f"inner@{DOMAIN}")
    a.add_list("for-bert", f"zimbraACE: {account_id('bert')} usr {right}", f"zimbraMailAlias: bertonly@{DOMAIN}")
    a.add_list("for-staff", f"zimbraACE: {account_id('staff')} grp {right}")
    a.add_list("for-outer", f"zimbraACE: {account_id('outer')} grp {right}")
    a.add_list("for-domain", f"zimbraACE: {DOMAIN_ID} dom {right}")
    a.add_list("for-all", f"zimbraACE: 00000000-0000-0000-0000-000000000000 all {right}")
    a.add_list("for-pub", f"zimbraACE: 99999999-9999-9999-9999-999999999999 pub {right}")
    a.add_list("for-guest", f"zimbraACE: someone@outside.test gst {right}")
    a.add_list("not-bert", f"zimbraACE: {DOMAIN_ID} dom {right}", f"zimbraACE: {account_id('bert')} usr -{right}")
    a.add_list("view", f"zimbraACE: {account_id('bert')} usr viewDistList")
    for path, text in (("postfix/main.cf", MAIN), ("postfix/master.cf", MASTER), ("milter/milter.conf", MILTER)):
        a.host.write("/opt/zimbra/conf/" + path, text)
    a.host.run("systemctl", "start", "zimbra-milter")
    a.host.run("systemctl", "start", "zimbra-postfix")
    for port in (25, 7026):
        wait_port(a.host, port)
    yield a
    lab.forget(a.host)


@contextlib.contextmanager
def smtp(mta, login=None, password=PASSWORD):
    with smtplib.SMTP(mta.host.address, 25, local_hostname="client.outside.test", timeout=60) as s:
        s.ehlo()
        if login:
            s.login(login, password)
        yield s


def rcpt(mta, sender, recipient, login=None):
    with smtp(mta, login) as s:
        assert s.mail(sender)[0] == 250
        code, text = s.rcpt(recipient)
        return code, text.decode()


A, B, C = (f"{n}@{DOMAIN}" for n in ("anna", "bert", "carl"))


@pytest.mark.parametrize("list_name,sender,allowed", [
    ("open", "stranger@outside.test", True), ("open", "", True), ("view", C, True), ("anna", "stranger@outside.test", True),
    ("for-bert", B, True), ("for-bert", "BERT@Example.Test", True), ("for-bert", A, False), ("for-bert", "", False),
    ("for-bert", "stranger@outside.test", False), ("bertonly", A, False), ("FOR-BERT", A, False),
    ("for-staff", A, True), ("for-staff", f"ann@{DOMAIN}", True), ("for-staff", "guest@outside.test", True), ("for-staff", B, False),
    ("for-outer", B, True), ("for-outer", A, False),
    ("for-domain", C, True), ("for-domain", f"nobody@{DOMAIN}", False), ("for-domain", "x@outside.test", False),
    ("for-all", C, True), ("for-all", "x@outside.test", False),
    ("for-pub", "x@outside.test", True), ("for-pub", "", True),
    ("for-guest", "someone@outside.test", True), ("for-guest", A, False),
    ("not-bert", A, True), ("not-bert", B, False),
])
def test_grants_of_the_list(mta, list_name, sender, allowed):
    code, text = rcpt(mta, sender, f"{list_name}@{DOMAIN}")
    if allowed:
        assert code == 250, text
    else:
        assert code == 571 and text.startswith("5.7.1 "), (code, text)
        real = {"bertonly": "for-bert", "FOR-BERT": "for-bert"}.get(list_name, list_name)
        assert f"<{real}@{DOMAIN}>" in text and f"<{sender}>" in text


def test_authenticated_user_counts_before_the_envelope(mta):
    assert rcpt(mta, A, f"for-bert@{DOMAIN}", login="bert")[0] == 250
    code, text = rcpt(mta, B, f"for-bert@{DOMAIN}", login=A)
    assert code == 571 and f"<{A}>" in text


def test_only_the_refused_recipient_is_refused(mta):
    with smtp(mta) as s:
        s.mail(A)
        assert s.rcpt(f"for-bert@{DOMAIN}")[0] == 571
        assert s.rcpt(f"open@{DOMAIN}")[0] == 250
        assert s.data(b"Subject: x\r\n\r\nx\r\n")[0] == 250
        s.mail(B)
        assert s.rcpt(f"for-bert@{DOMAIN}")[0] == 250


def test_grants_of_the_domain_hold_for_all_its_lists(mta):
    mta.modify(DOMAIN_DN, "replace: zimbraACE", f"zimbraACE: {account_id('carl')} usr sendToDistList")
    mta.flush()
    try:
        assert rcpt(mta, C, f"open@{DOMAIN}")[0] == 250
        assert rcpt(mta, A, f"open@{DOMAIN}")[0] == 571
        assert rcpt(mta, C, f"for-bert@{DOMAIN}")[0] == 250
        assert rcpt(mta, B, f"for-bert@{DOMAIN}")[0] == 250
        assert rcpt(mta, A, f"anna@{DOMAIN}")[0] == 250
    finally:
        mta.modify(DOMAIN_DN, "replace: zimbraACE")
        mta.flush()
    assert rcpt(mta, A, f"open@{DOMAIN}")[0] == 250


def test_sasl_through_postfix(mta):
    with smtp(mta, "ann@example.test") as s:
        assert s.mail(A)[0] == 250
        assert s.rcpt("far@outside.test")[0] == 250
    with pytest.raises(smtplib.SMTPAuthenticationError) as wrong:
        with smtp(mta, "anna", "wrong"):
            pass
    assert wrong.value.smtp_code == 535
    with smtp(mta) as s:
        s.mail(A)
        assert s.rcpt("far@outside.test")[0] == 554


def test_sasl_login_mechanism_through_postfix(mta):
    with smtp(mta) as s:
        s.user, s.password = "anna", PASSWORD
        assert s.auth("LOGIN", s.auth_login)[0] == 235


def test_directory_away_is_temporary(mta):
    mta.host.run("systemctl", "stop", "zimbra-ldap")
    mta.flush()
    try:
        code, text = rcpt(mta, A, f"for-bert@{DOMAIN}")
        assert code == 451 and text.startswith("4.3.0")
        with smtp(mta) as s:
            with pytest.raises(smtplib.SMTPAuthenticationError) as e:
                s.login("anna", PASSWORD)
            assert e.value.smtp_code == 454          # not 535: programs would forget the password
            mta.host.run("systemctl", "start", "zimbra-ldap")
            s.login("anna", PASSWORD)                # the same session may go on
    finally:
        mta.host.run("systemctl", "start", "zimbra-ldap")
    mta.host.run("systemctl", "stop", "zimbra-auth")
    try:
        assert rcpt(mta, B, f"for-bert@{DOMAIN}")[0] == 451
    finally:
        mta.host.run("systemctl", "start", "zimbra-auth")
    assert rcpt(mta, B, f"for-bert@{DOMAIN}")[0] == 250


def test_bad_configuration_names_the_key(mta):
    mta.host.write("/tmp/bad.conf", "[milter]\nport=none\n")
    r = mta.host.try_run("/opt/zimbra/libexec/zmmilter", "--check-config", "--config", "/tmp/bad.conf")
    assert r.returncode == 78 and "[milter] port=none: must be a port number" in r.stderr


def test_milter_cannot_read_the_directorys_password(mta):
    pid = mta.host.pid("zimbra-milter.service")
    assert mta.host.run("ps", "-o", "user=", "-p", str(pid)).strip() == "zmmilter"
    r = mta.host.try_run("nsenter", "-t", pid, "-m", "--", "setpriv", "--reuid=905", "--regid=905", "--init-groups",
                         "cat", "/opt/zimbra/conf/localconfig.xml")
    assert r.returncode != 0 and "Permission denied" in r.stderr
    with contextlib.closing(mta.auth()) as c:
        assert c.may_send(f"for-bert@{DOMAIN}", B)[0] == OK
        assert c.may_send(f"for-bert@{DOMAIN}", A)[0] == DENIED


def test_switch_and_grants_by_zmprov(mail):
    """On a host that was set up: the switch is an attribute, Postfix follows within seconds."""
    for name in ("olga", "paul"):
        mail.zmprov("ca", f"{name}@example.test", PASSWORD)
    mail.zmprov("cdl", "board@example.test")
    mail.zmprov("adlm", "board@example.test", "olga@example.test")

    def answer(sender):
        with smtplib.SMTP(mail.address, 25, local_hostname="client.outside.test", timeout=60) as s:
            s.ehlo()
            s.mail(sender)
            return s.rcpt("board@example.test")[0]

    olga = mail.zmprov("ga", "olga@example.test", "zimbraId").split("zimbraId: ")[1].split()[0]
    mail.zmprov("mdl", "board@example.test", "zimbraACE", f"{olga} usr sendToDistList")
    assert answer("paul@example.test") == 250
    mail.zmprov("mcf", "zimbraMilterServerEnabled", "TRUE")
    try:
        wait_for(lambda: answer("paul@example.test") == 571, 20, "refusal")
        assert answer("olga@example.test") == 250
        mail.zmprov("mdl", "board@example.test", "zimbraACE", "")
        wait_for(lambda: answer("paul@example.test") == 250, 3, "end of the restriction")
    finally:
        mail.zmprov("mcf", "zimbraMilterServerEnabled", "FALSE")
