"""zmconfigctl: trials that end by themselves, rendering without a running system, the guide's
verbs and the old listener's requests; and what becomes of a service that does not stay up."""
import re
import time

import pytest

from lab.lab import wait_for

SERVICE = "zimbra-configd.service"
CTL = "/opt/zimbra/bin/zmconfigctl"
CONTROL = "/run/zimbra/configd/control"


@pytest.fixture(scope="module")
def host(mail):
    return mail


def ctl(host, *argv, **kw):
    return host.run(CTL, *argv, **kw)


def size_limit(host):
    return int(host.run("postconf", "-h", "message_size_limit"))


def set_size(host, n):
    host.zmprov("mcf", "zimbraMtaMaxMessageSize", str(n))
    wait_for(lambda: size_limit(host) == n, 10, f"message_size_limit {n}", 0.05)


def ask(host, line, user="root"):
    """One line to the control socket, as an old script would."""
    script = ("use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die; "
              "print $s \"$ARGV[1]\\n\"; print scalar <$s>;")
    return host.run("perl", "-e", script, CONTROL, line, user=user).strip()


def test_the_old_requests(host):
    assert ask(host, "STATUS") == "SUCCESS ACTIVE"
    assert ask(host, "STATUS", "zimbra") == "SUCCESS ACTIVE"
    assert ask(host, "REWRITE mta proxy", "zimbra") == "SUCCESS REWRITES COMPLETE"
    assert ask(host, "REWRITE") == "ERROR NO SERVICES LISTED"
    assert ask(host, "SHUTDOWN") == "ERROR UNKNOWN COMMAND"
    assert ask(host, "STATUS", "zmroute") == "ERROR ONLY ROOT AND ZIMBRA MAY ASK"
    host.run("/opt/zimbra/libexec/configrewrite", "sasl", "webxml", "antispam", user="zimbra")
    assert host.try_run("/opt/zimbra/libexec/configrewrite").returncode == 64


def test_the_guides_verbs(host):
    for name in (CTL, "/opt/zimbra/bin/zmconfigdctl"):
        pid = host.pid(SERVICE)
        host.run(name, "restart")
        assert host.pid(SERVICE) not in (0, pid)
        host.run(name, "stop")
        assert host.state(SERVICE) == "inactive"
        assert host.try_run(name, "status").returncode == 69
        host.run(name, "start")
        assert "zmconfigd is running." in host.run(name, "status")
        host.run(name, "kill")
        assert host.state(SERVICE) == "inactive"
        host.run(name, "start")


def test_a_confirmed_trial_stays(host):
    set_size(host, 24000000)
    assert "on trial" in ctl(host, "commit-confirm", "1")
    assert "on trial" in ctl(host, "status")
    assert host.try_run(CTL, "commit-confirm").returncode == 1      # one at a time
    set_size(host, 24000001)
    ctl(host, "confirm")
    assert "on trial" not in ctl(host, "status")
    assert host.try_run(CTL, "confirm").returncode == 1
    assert size_limit(host) == 24000001


def test_a_trial_ends_by_itself_also_after_a_reboot(host):
    set_size(host, 24000002)
    begin = time.monotonic()
    ctl(host, "commit-confirm", "1")
    set_size(host, 24000003)
    host.run("kill", "-9", str(host.pid(SERVICE)))
    wait_for(lambda: host.state(SERVICE) == "active" and host.try_run(CTL, "status").returncode == 0, 20, "zmconfigd again")
    assert size_limit(host) == 24000003
    host.stop()
    host.boot()
    wait_for(lambda: size_limit(host) == 24000002, 120, "the way back", 0.2)
    print(f"back {time.monotonic() - begin:.0f} s after commit-confirm 1, with a kill and a reboot in between")
    wait_for(lambda: "held by rollback" in ctl(host, "status"), 10, "the hold")
    assert "were not confirmed: postfix to" in host.journal("-u", SERVICE)
    host.zmprov("mcf", "zimbraMtaMaxMessageSize", "24000004")
    ctl(host, "resume")
    assert size_limit(host) == 24000004


def test_services_start_from_the_last_good_generation_without_a_directory(host):
    host.run("systemctl", "mask", "zimbra-ldap.service")
    host.stop()
    host.boot()
    try:
        for unit in ("zimbra-postfix.service", "zimbra-nginx.service", "zimbra-memcached.service", SERVICE):
            wait_for(lambda: host.state(unit) == "active", 60, unit, 0.2)
        assert size_limit(host) == 24000004
        assert "not followed" in ctl(host, "status")
    finally:
        host.run("systemctl", "unmask", "zimbra-ldap.service")
        host.run("systemctl", "start", "zimbra-ldap.service")
    wait_for(lambda: "directory    followed" in ctl(host, "status"), 20, "following")
    set_size(host, 24000004)


def test_dry_run_names_what_would_be_done(host):
    out = ctl(host, "dry-run", "--set", "zimbraMtaMaxMessageSize=25000000", "--set", "zimbraMemcachedBindPort=11212")
    assert "postfix: would reload zimbra-postfix.service" in out
    assert "memcached: would restart zimbra-memcached.service" in out
    assert size_limit(host) == 24000004


def test_render_without_a_running_system(host):
    assert "message_size_limit = 24000004" in ctl(host, "render", "mta", user="zimbra")
    assert "==> memcached/memcached.conf <==" in ctl(host, "render", "memcached", "--server", host.name)
    r = host.try_run(CTL, "render", "memcached", "--server", "nobody.example.test")
    assert r.returncode != 0 and "nobody.example.test" in r.stderr
    host.run("systemctl", "stop", SERVICE, "zimbra-ldap.service")
    try:
        r = host.try_run(CTL, "render", "mta", "--set", "zimbraMtaMaxMessageSize=26000000")
        assert r.returncode == 0 and "message_size_limit = 26000000" in r.stdout and "last run" in r.stderr
        r = host.try_run(CTL, "render", "memcached", "--set", "zimbraMemcachedBindPort=11213", user="zimbra")
        assert r.returncode == 0 and "PORT=11213" in r.stdout and "built-in defaults" in r.stderr
        assert host.try_run(CTL, "render", "nonsense").returncode != 0
    finally:
        host.run("systemctl", "start", "zimbra-ldap.service", SERVICE)


def test_a_service_that_does_not_stay_up_gets_its_old_files_back(host):
    """It comes up, is confirmed, and dies two seconds later, again and again."""
    wait_for(lambda: " followed" in ctl(host, "status"), 20, "following")
    template = host.read("/opt/zimbra/lib/templates/memcached/memcached.conf.in")
    host.write("/etc/systemd/system/zimbra-memcached.service.d/dies.conf",
               "[Service]\nExecStart=\nExecStart=/bin/sh -c 'if [ \"$MEMORY_MB\" = 65 ]; then (sleep 2; kill $$$$) & fi; "
               "exec /usr/bin/memcached -U 0 -l ${LISTEN} -p ${PORT} -m ${MEMORY_MB} -c ${CONNECTIONS}'\nRestart=always\n")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "restart", "zimbra-memcached.service")
    live = host.run("readlink", "/opt/zimbra/conf/memcached")
    host.write("/opt/zimbra/conf/override/memcached/memcached.conf.in", template.replace("MEMORY_MB=64", "MEMORY_MB=65"))
    wait_for(lambda: "is in force" in host.journal("-u", SERVICE, "--grep", "memcached: generation", "-n", "1"), 10, "the new one in force")
    wait_for(lambda: "does not stay up" in host.journal("-u", SERVICE, "-n", "20"), 30, "the way back")
    assert host.run("readlink", "/opt/zimbra/conf/memcached") == live
    wait_for(lambda: host.state("zimbra-memcached.service") == "active", 10, "memcached")
    text = ctl(host, "status")
    assert re.search(r"memcached .*failed: zimbra-memcached.service does not stay up: \d restarts", text), text
    pid = host.pid("zimbra-memcached.service")
    host.zmprov("mcf", "zimbraMtaMaxMessageSize", "24000005")           # another change does not try it again
    wait_for(lambda: size_limit(host) == 24000005, 10, "the other change")
    time.sleep(3)
    assert host.pid("zimbra-memcached.service") == pid
    host.run("rm", "/opt/zimbra/conf/override/memcached/memcached.conf.in")
    wait_for(lambda: "does not stay up" not in ctl(host, "status"), 10, "the failure forgotten")


def test_a_full_disk_changes_nothing_and_passes(host):
    """conf on a small disk of its own, which fills up."""
    host.sh(f"systemctl stop {SERVICE}; mount -t tmpfs -o size=64m none /mnt; cp -a /opt/zimbra/conf/. /mnt/; "
            f"mount --bind /mnt /opt/zimbra/conf; systemctl start {SERVICE}")
    set_size(host, 27000000)
    live = host.run("readlink", "/opt/zimbra/conf/postfix")
    host.sh("cat /dev/zero > /opt/zimbra/conf/filler 2>/dev/null || true")
    host.zmprov("mcf", "zimbraMtaMaxMessageSize", "27000001")
    wait_for(lambda: "cannot be written" in host.journal("-u", SERVICE, "-n", "20"), 15, "the alert")
    assert host.run("readlink", "/opt/zimbra/conf/postfix") == live and size_limit(host) == 27000000
    assert "ALERT=config-unwritable" in host.journal("-u", SERVICE, "-o", "export", "-n", "40")
    assert host.state("zimbra-postfix.service") == "active"
    host.run("rm", "/opt/zimbra/conf/filler")
    wait_for(lambda: size_limit(host) == 27000001, 20, "the change, without being asked again")
