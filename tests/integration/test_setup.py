"""zmsetup: answers are checked first, a run that was cut short goes on, a second run changes nothing."""
import re
import time
import xml.etree.ElementTree

import pytest

from lab import appliance
from lab.lab import wait_for

ZMSETUP = "/opt/zimbra/libexec/zmsetup"
ANSWERS = "/root/answers"
CA = "/opt/zimbra/ssl/zimbra/ca/ca.pem"
CERT = "/opt/zimbra/ssl/zimbra/server/server.crt"
SERVICES = "ldap"


def give(host, services=SERVICES, **changes):
    text = appliance.ANSWERS.format(name=host.name, services=services, directory="")
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    host.write(ANSWERS, text, 0o600)


def zmsetup(host, *more):
    return host.try_run(ZMSETUP, "--answers", ANSWERS, *more, timeout=300)


def search(host, base, scope="sub", what="(objectClass=*)", *attrs):
    return host.run("ldapsearch", "-LLL", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///", "-o", "ldif-wrap=no",
                    "-b", base, "-s", scope, what, *attrs)


def localconfig(host):
    return {k.get("name"): k.findtext("value") for k in
            xml.etree.ElementTree.fromstring(host.read("/opt/zimbra/conf/localconfig.xml"))}


def whole_state(host):
    """What a run that does nothing must leave as it is."""
    entries = search(host, "", "sub", "(objectClass=*)", "entryCSN", "entryUUID")
    files = host.sh("cd /opt/zimbra; find ssl conf data/setup.state data/ldap/config -type f | sort | xargs sha256sum")
    return entries, files


def assert_set_up(host):
    """One of everything, and it fits together."""
    config = search(host, "cn=config,cn=zimbra", "base")
    assert "zimbraDefaultDomainName: example.test\n" in config
    for prefix, attr in (("spam", "zimbraSpamIsSpamAccount"), ("ham", "zimbraSpamIsNotSpamAccount"),
                         ("virus-quarantine", "zimbraAmavisQuarantineAccount")):
        address = re.search(rf"^{attr}: ({prefix}\.[0-9a-f]{{10}}@example\.test)$", config, re.MULTILINE)[1]
        found = search(host, "ou=people,dc=example,dc=test", "sub", f"(uid={prefix}.*)", "mail")
        assert found.count("dn: ") == 1 and f"mail: {address}\n" in found
    assert search(host, "cn=servers,cn=zimbra", "one", "(objectClass=*)", "1.1").count("dn: ") == 1
    admin = search(host, "uid=admin,ou=people,dc=example,dc=test", "base")
    for alias in ("postmaster@example.test", "root@example.test"):
        assert f"zimbraMailAlias: {alias}\n" in admin and f"mail: {alias}\n" in admin
    lc = localconfig(host)
    assert lc["av_notify_user"] == "admin@example.test" and lc["av_notify_domain"] == "example.test"
    tls = {"LDAPTLS_CACERT": CA}
    url = f"ldap://{host.name}"
    for dn, password in (("uid=admin,ou=people,dc=example,dc=test", appliance.PASSWORD),
                         ("uid=zimbra,cn=admins,cn=zimbra", lc["zimbra_ldap_password"]),
                         ("uid=zmpostfix,cn=appaccts,cn=zimbra", lc["ldap_postfix_password"]),
                         ("cn=config", lc["ldap_root_password"])):
        host.run("ldapwhoami", "-x", "-ZZ", "-H", url, "-D", dn, "-w", password, env=tls)
    assert host.read("/opt/zimbra/conf/enabled-services").count("\nldap\n") == 1


@pytest.fixture(scope="module")
def fresh(lab):
    h = lab.boot("fresh.example.test", 33)
    yield h
    lab.forget(h)


# ---- before anything changes ----------------------------------------------------

BAD = {
    "unknown key": (("name = fresh", "nmae = fresh"), "[host] nmae: unknown key; allowed: name, address, services"),
    "unknown section": (("[time]", "[tiem]"), "[tiem]: unknown section"),
    "host without domain": (("fresh.example.test", "fresh"), '[host] name = "fresh" is not valid; allowed: a full host name'),
    "unknown service": (("services = ldap", "services = ldap,mail"), '"mail" is none of them'),
    "no directory": (("services = ldap", "services = mta"), "the first host must have ldap"),
    "other domain": (("admin@example.test", "admin@other.test"), "[admin] address"),
    "short password": (("Correct-horse-7", "abc"), "[admin] password: the value is not valid; allowed: 6 to 64"),
    "no such zone": (("Europe/Berlin", "Europe/Atlantis"), '[time] zone = "Europe/Atlantis"'),
    "missing": (("address = admin@example.test\n", ""), "[admin] address: missing"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("check", [["--check"], []], ids=["check", "run"])
def test_bad_answers_are_refused_before_anything_changes(fresh, case, check):
    change, said = BAD[case]
    give(fresh, change=change)
    r = zmsetup(fresh, *check)
    assert r.returncode == 3 and said in r.stderr, r.stderr
    assert "abc" not in r.stderr
    for path in ("/opt/zimbra/conf/localconfig.xml", "/opt/zimbra/data/setup.state", CA):
        assert fresh.try_run("test", "-e", path).returncode == 1


def test_check_changes_nothing(fresh):
    give(fresh)
    assert zmsetup(fresh, "--check").returncode == 0
    assert fresh.try_run("test", "-e", "/opt/zimbra/data/setup.state").returncode == 1


def test_usage(fresh):
    assert fresh.try_run(ZMSETUP).returncode == 2
    assert fresh.try_run(ZMSETUP, "--answers", ANSWERS, "more").returncode == 2
    assert "--answers" in fresh.run(ZMSETUP, "--help")
    assert fresh.try_run(ZMSETUP, "--answers", "/nowhere").returncode == 3


# ---- one host ---------------------------------------------------------------------

def test_sets_up_with_progress_and_does_nothing_the_second_time(fresh):
    give(fresh)
    first = zmsetup(fresh)
    assert first.returncode == 0, first.stdout + first.stderr
    lines = [line for line in first.stdout.splitlines() if line.startswith("[")]
    total = len(lines)
    assert total >= 14
    for n, line in enumerate(lines, 1):
        assert re.fullmatch(rf"\[ ?{n}/{total}\] .* \.\.\. .*done( before)?", line), line
    assert_set_up(fresh)
    before = whole_state(fresh)
    second = zmsetup(fresh)
    assert second.returncode == 0 and "nothing to do" in second.stdout
    assert whole_state(fresh) == before


def test_other_answers_are_refused_once_set_up(fresh):
    before = whole_state(fresh)
    give(fresh, change=("Europe/Berlin", "UTC"))
    r = zmsetup(fresh)
    assert r.returncode == 4 and "zmprov" in r.stderr
    assert whole_state(fresh) == before


def test_files_have_their_modes(fresh):
    modes = {
        "/opt/zimbra/conf/localconfig.xml": "640 zimbra zimbra", CA: "644 root root",
        "/opt/zimbra/ssl/zimbra/ca/ca.key": "600 root root", CERT: "644 root root",
        "/opt/zimbra/ssl/zimbra/server/server.key": "640 root zmtls",
        "/opt/zimbra/data/setup.state": "600 root root",
    }
    for path, mode in modes.items():
        assert fresh.run("stat", "-c", "%a %U %G", path).strip() == mode, path
    assert fresh.run("readlink", "/etc/localtime").strip() == "/usr/share/zoneinfo/Europe/Berlin"


def test_certificate_holds_for_the_host(fresh):
    assert "OK" in fresh.run("openssl", "verify", "-CAfile", CA, "-verify_hostname", fresh.name, CERT)


def test_secrets_are_random(fresh):
    secrets = [v for k, v in localconfig(fresh).items() if k.endswith("password")]
    assert len(secrets) == 9 and len(set(secrets)) == 9
    assert all(re.fullmatch(r"[A-Za-z0-9]{32}", s) for s in secrets)


def test_host_relays_for_itself_alone(fresh):
    entry = search(fresh, f"cn={fresh.name},cn=servers,cn=zimbra", "base")
    assert f"zimbraMtaMyNetworks: 127.0.0.0/8 [::1]/128 {fresh.address}/32\n" in entry
    assert "zimbraServiceEnabled: ldap\n" in entry and "zimbraServiceInstalled: ldap\n" in entry


def test_what_runs_comes_back_after_a_reboot(fresh, lab):
    fresh.stop()
    fresh.boot()
    wait_for(lambda: fresh.state("zimbra-ldap") == "active", 30, "directory after a reboot")
    assert_set_up(fresh)


# ---- cut short -----------------------------------------------------------------------

def begin(host, run):
    """Starts a set-up in the background; its output grows in /root/progress."""
    host.run("rm", "-f", "/root/progress")
    host.run("systemd-run", "-q", f"--unit=setup-{run}", "-p", "StandardOutput=file:/root/progress",
             "-p", "StandardError=inherit", ZMSETUP, "--answers", ANSWERS)


def progress(host):
    return host.try_run("cat", "/root/progress").stdout


def test_goes_on_after_kill_in_each_step(lab):
    host = lab.boot("killed.example.test", 34)
    try:
        give(host)
        total, n = 1, 1
        while n <= total and "nothing to do" not in progress(host):
            begin(host, n)
            text = wait_for(lambda: re.search(rf"^\[ ?{n}/(\d+)\]|nothing to do", progress(host), re.MULTILINE) or
                            host.state(f"setup-{n}") == "failed", 60, f"step {n}", interval=0.002)
            assert text is not True, progress(host)
            host.try_run("systemctl", "kill", "-s", "KILL", f"setup-{n}")
            wait_for(lambda: host.state(f"setup-{n}") not in ("active", "deactivating"), 20, "its end")
            total = int(text[1] or 0)
            n += 1
        r = zmsetup(host)
        assert r.returncode == 0, r.stdout + r.stderr
        assert_set_up(host)
    finally:
        lab.forget(host)


@pytest.mark.parametrize("step", ["secrets", "directory", "domain", "system-accounts"])
def test_goes_on_after_the_power_failed(lab, step):
    """The plug is pulled as soon as STEP is recorded, and in the midst of the next one."""
    host = lab.host("plug.example.test", 35)
    host.boot()
    try:
        give(host)
        begin(host, 1)
        state = host.upper / "opt/zimbra/data/setup.state"
        wait_for(lambda: state.exists() and f"{step};" in state.read_text(), 60, step, interval=0.002)
        time.sleep(0.01)
        host.kill()
        host.boot()
        r = zmsetup(host)
        assert r.returncode == 0, r.stdout + r.stderr
        assert "done before" in r.stdout
        assert_set_up(host)
    finally:
        lab.forget(host)


def test_corrected_answers_go_on(lab):
    host = lab.boot("wrong.example.test", 36)
    try:
        # The directory cannot be made: its place is a file.
        host.run("touch", "/opt/zimbra/data/ldap")
        give(host)
        r = zmsetup(host)
        assert r.returncode == 1 and "/opt/zimbra/data/ldap" in r.stderr and "run the same command again" in r.stderr
        host.run("rm", "/opt/zimbra/data/ldap")
        give(host, change=("Europe/Berlin", "UTC"))
        r = zmsetup(host)
        assert r.returncode == 0, r.stdout + r.stderr
        assert_set_up(host)
        assert host.run("readlink", "/etc/localtime").strip().endswith("/UTC")
    finally:
        lab.forget(host)


def test_a_database_without_its_configuration_is_not_overwritten(lab):
    host = lab.boot("kept.example.test", 37)
    try:
        give(host)
        host.sh("mkdir -p /opt/zimbra/data/ldap/mdb/db; echo precious > /opt/zimbra/data/ldap/mdb/db/data.mdb")
        r = zmsetup(host)
        assert r.returncode == 1 and "holds a database" in r.stderr
        assert host.read("/opt/zimbra/data/ldap/mdb/db/data.mdb") == "precious\n"
    finally:
        lab.forget(host)


# ---- a host that joins -----------------------------------------------------------------

def test_joining_host_shares_the_directory(pair):
    front, back = pair
    assert front.read(CA) == back.read(CA)
    assert "OK" in back.run("openssl", "verify", "-CAfile", CA, "-verify_hostname", back.name, CERT)
    assert back.try_run("test", "-e", "/opt/zimbra/ssl/zimbra/ca/ca.key").returncode == 1
    ours, theirs = localconfig(back), localconfig(front)
    assert ours["zimbra_ldap_password"] == theirs["zimbra_ldap_password"]
    assert ours["ldap_url"] == f"ldap://{front.name}" and ours.get("ldap_is_master", "false") == "false"
    assert "ldap_root_password" not in ours
    servers = search(front, "cn=servers,cn=zimbra", "one", "(objectClass=*)", "cn")
    assert f"cn: {front.name}\n" in servers and f"cn: {back.name}\n" in servers


def test_accounts_made_before_have_the_joining_host_as_mail_host(pair):
    front, back = pair
    admin = search(front, "dc=example,dc=test", "sub", "(uid=admin)")
    assert f"zimbraMailHost: {back.name}\n" in admin
    assert f"zimbraMailTransport: lmtp:{back.name}:7025\n" in admin
