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

ALL = "ldap,mta,antispam,antivirus,mailbox,memcached,proxy,logger,stats,snmp"


def set_up(host, services, directory=""):
    host.write("/root/answers", ANSWERS.format(name=host.name, services=services, directory=directory), 0o600)
    host.run("/opt/zimbra/libexec/zmsetup", "--answers", "/root/answers", timeout=300)


def healthy(host):
    return host.try_run("/opt/zimbra/bin/zmcontrol", "status").returncode == 0


def wait_healthy(host, timeout=120):
    wait_for(lambda: healthy(host), timeout, f"services of {host.name}", interval=0.5)


def one_host(lab):
    if "one-host" not in lab.states:
        h = lab.boot("mail." + DOMAIN, 10)
        lab.dns.add(DOMAIN, "MX", "10 mail." + DOMAIN)
        set_up(h, ALL)
        wait_healthy(h)
        lab.save(h, "one-host")
    h = lab.boot("mail." + DOMAIN, 10, "one-host")
    wait_healthy(h)
    return h


# What a joining host must be told of the first one: where the directory is, whom to trust,
# and the secrets that both use. The administrator copies the two files over.
JOIN = """\
[directory]
url = ldap://front.example.test
ca = /root/ca.pem
secrets_file = /root/secrets.xml
"""


def two_hosts(lab):
    front = lab.host("front." + DOMAIN, 11)
    back = lab.host("back." + DOMAIN, 12)
    front.boot()
    set_up(front, "ldap,mta,antispam,antivirus")
    back.boot()
    back.write("/root/ca.pem", front.read("/opt/zimbra/ssl/zimbra/ca/ca.pem"))
    back.write("/root/secrets.xml", front.read("/opt/zimbra/conf/localconfig.xml"), 0o600)
    set_up(back, "mailbox,memcached,proxy", JOIN)
    for h in (front, back):
        wait_healthy(h)
    return front, back
