"""Services on a host that is not set up: the generator's links, the commands' words, the
rights of the login zimbra."""
import pytest

GENERATOR = "/usr/lib/systemd/system-generators/zimbra-generator"


def test_host_without_setup_boots_into_an_empty_target(bare):
    assert bare.state("zimbra.target") == "active"
    units = bare.run("systemctl", "list-units", "--state=active", "--plain", "--no-legend", "zimbra-*.service")
    assert units.strip() == ""
    r = bare.try_run("/opt/zimbra/bin/zmcontrol", "status")
    assert r.returncode == 3 and "not set up" in r.stderr


def generate(host, enabled, mailboxd=None):
    host.write("/root/gen/enabled", enabled)
    host.sh("rm -rf /root/gen/out /root/gen/mailboxd.conf; mkdir -p /root/gen/out")
    if mailboxd:
        host.write("/root/gen/mailboxd.conf", mailboxd)
    host.run(GENERATOR, "/root/gen/out", "/root/gen/early", "/root/gen/late", env={
        "MAILSTEAD_ENABLED_SERVICES": "/root/gen/enabled", "MAILSTEAD_MAILBOXD_CONF": "/root/gen/mailboxd.conf"})
    return set(host.sh("cd /root/gen/out && find . -type l").split())


def test_generator_links_enabled_services(bare):
    wants = "./zimbra.target.wants/"
    always = {wants + "zimbra-configd.service", wants + "zimbra-alerts.service"}
    assert generate(bare, "ldap\nmta\n") == always | {wants + "zimbra-ldap.service", wants + "zimbra-mta.target"}
    assert generate(bare, "# nothing\nfuture-service\n") == always
    assert set(bare.sh("readlink /root/gen/out/zimbra.target.wants/*").split()) == {
        "/usr/lib/systemd/system/zimbra-configd.service", "/usr/lib/systemd/system/zimbra-alerts.service"}


def test_generator_links_further_shards(bare):
    links = generate(bare, "mailbox\n", "[mailboxd]\nshards=3\n")
    assert {f"./zimbra-mailbox.target.wants/zimbra-mailbox-shard@{i}.service" for i in (1, 2)} <= links
    assert len([link for link in links if "shard@" in link]) == 2


@pytest.mark.parametrize("argv", [[], ["--wrong"], ["status", "more"], ["nonsense"]])
def test_zmcontrol_explains_itself(bare, argv):
    r = bare.try_run("/opt/zimbra/bin/zmcontrol", *argv)
    assert r.returncode == 2 and "status" in r.stderr


def test_version_and_help(bare):
    assert bare.run("/opt/zimbra/bin/zmcontrol", "-v").startswith("Release ")
    assert "startup" in bare.run("/opt/zimbra/bin/zmcontrol", "-h")
    assert "reload" in bare.run("/opt/zimbra/bin/zmproxyctl", "--help")


def test_zimbra_drives_own_units_only(bare):
    bare.run("/opt/zimbra/bin/zmcontrol", "-h", user="zimbra")
    r = bare.try_run("/opt/zimbra/bin/zmclamdctl", "stop", user="zimbra")
    assert r.returncode == 0, r.stderr
    for unit in ("dbus.service", "systemd-journald.service", "zimbra-x.mount"):
        assert bare.try_run("systemctl", "--no-ask-password", "stop", unit, user="zimbra").returncode != 0
    r = bare.try_run("/opt/zimbra/bin/zmclamdctl", "start", user="zmmilter")
    assert r.returncode == 1 and "run this as root or zimbra" in r.stderr


def test_test_signatures_give_way_to_real_ones(bare):
    script = "/opt/zimbra/libexec/zmclamdsignatures"
    bare.sh(f"rm -rf /root/db; {script} /root/db; test -s /root/db/mailstead-test.ndb")
    bare.sh(f"touch /root/db/main.cvd; {script} /root/db; test ! -e /root/db/mailstead-test.ndb")


def test_ready_waits_for_a_listener(bare):
    assert bare.try_run("/opt/zimbra/libexec/zmready", "--timeout", "1", "7998").returncode == 1
    assert bare.try_run("/opt/zimbra/libexec/zmready", "0").returncode == 2
    bare.run("systemd-run", "-q", "--on-active=1s", "--timer-property=AccuracySec=100ms",
             "--unit=late", "systemd-socket-activate", "-l", "7999", "cat")
    bare.run("/opt/zimbra/libexec/zmready", "--timeout", "60", "7999")
