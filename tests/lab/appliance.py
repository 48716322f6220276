"""Set-up hosts: what an administrator does with an answer file, once per run.

The first call sets a host up from nothing and saves its state; later ones boot
from the saved layer in a second or two.
"""
from .lab import wait_for

DOMAIN = "example.test"
ADMIN = "admin@example.test"
PASSWORD = "Correct-horse-7"

ANSWERS = """\
[host]
name = {name}
services = {services}

{directory}
[domain]
name = example.test

[admin]
address = admin@example.test
password = Correct-horse-7

[time]
zone = Europe/Berlin
"""

ALL = "ldap,mta,antispam,antivirus,mailbox,memcached,proxy"


def set_up(host, services, directory=""):
    host.write("/root/answers", ANSWERS.format(name=host.name, services=services, directory=directory), 0o600)
    host.run("/opt/zimbra/libexec/zmsetup", "--answers", "/root/answers", timeout=300)


def healthy(host):
    return host.try_run("/opt/zimbra/bin/zmcontrol", "status").returncode == 0


def one_host(lab):
    if "one-host" not in lab.states:
        h = lab.boot("mail." + DOMAIN, 10)
        lab.dns.add(DOMAIN, "MX", "10 mail." + DOMAIN)
        set_up(h, ALL)
        wait_for(lambda: healthy(h), 120, "services after set-up")
        lab.save(h, "one-host")
    h = lab.boot("mail." + DOMAIN, 10, "one-host")
    wait_for(lambda: healthy(h), 120, "services after boot")
    return h
