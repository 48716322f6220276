"""A host with nothing but the directory and zmauthd, set up by hand: the
authentication room's own tests need no more, and fail for no other room's reasons.
"""
import base64
import os
import socket
import struct

from .lab import wait_for

DOMAIN = "example.test"
NAME = "auth." + DOMAIN
KEYS = {
    "zimbra_server_hostname": NAME, "ldap_url": f"ldap://{NAME}:389", "ldap_master_url": f"ldap://{NAME}:389",
    "ldap_starttls_supported": "1", "zimbra_ldap_userdn": "uid=zimbra,cn=admins,cn=zimbra",
    "zimbra_ldap_password": "zimbra-secret", "ldap_root_password": "root-secret",
    "ldap_postfix_password": "postfix-secret", "ldap_amavis_password": "amavis-secret",
    "ldap_nginx_password": "nginx-secret", "ldap_replication_password": "replica-secret",
    "ldap_bes_searcher_password": "bes-secret",
}
DOMAIN_DN = "dc=example,dc=test"
DOMAIN_ID = "d0000000-0000-4000-8000-000000000001"


def account_id(name):
    return "a0000000-0000-4000-8000-" + name.encode().hex()[:12].rjust(12, "0")


class AuthHost:
    """The host and what its tests do with it."""

    def __init__(self, lab, number=51):
        self.lab = lab
        self.host = lab.boot(NAME, number)
        self._certificates()
        self.host.write("/opt/zimbra/conf/localconfig.xml", '<?xml version="1.0" encoding="UTF-8"?>\n<localconfig>\n' + "".join(
            f'  <key name="{k}">\n    <value>{v}</value>\n  </key>\n' for k, v in KEYS.items()) + "</localconfig>\n", 0o640)
        self.host.sh("chown zimbra:zimbra /opt/zimbra/conf/localconfig.xml && /opt/zimbra/libexec/zmldapinit")
        self.host.run("systemctl", "start", "zimbra-ldap.service")
        self._tree()
        self.host.run("systemctl", "start", "zimbra-auth.service")

    def _certificates(self):
        self.host.sh(f"""
            mkdir -p /opt/zimbra/ssl/zimbra/ca /opt/zimbra/ssl/zimbra/server && cd /opt/zimbra/ssl/zimbra
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=labca \
              -keyout ca/ca.key -out ca/ca.pem
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={NAME} \
              -keyout server/server.key -out /tmp/server.csr
            printf 'subjectAltName=DNS:{NAME}\\n' > /tmp/ext
            openssl x509 -req -in /tmp/server.csr -CA ca/ca.pem -CAkey ca/ca.key -CAcreateserial -days 30 \
              -extfile /tmp/ext -out server/server.crt
            chgrp zmtls server/server.key && chmod 640 server/server.key""")

    def ldif(self, text, add=True):
        """Changes the directory as its root."""
        tool = ["ldapmodify", "-a"] if add else ["ldapmodify"]
        return self.host.run(*tool, "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///", input=text)

    def modify(self, name, *changes):
        """modify("anna", "replace: zimbraAccountStatus", "zimbraAccountStatus: locked")"""
        dn = name if "=" in name else f"uid={name},ou=people,{DOMAIN_DN}"
        self.ldif(f"dn: {dn}\nchangetype: modify\n" + "\n".join(changes) + "\n", add=False)

    def attribute(self, name, attr):
        out = self.host.run("ldapsearch", "-Q", "-LLL", "-Y", "EXTERNAL", "-H", "ldapi:///", "-o", "ldif-wrap=no",
                            "-s", "base", "-b", f"uid={name},ou=people,{DOMAIN_DN}", attr)
        return [line.split(": ", 1)[1] for line in out.splitlines() if line.startswith(attr + ": ")]

    def _tree(self):
        self.ldif(f"""\
dn: dc=test
objectClass: dcObject
objectClass: organization
o: test
dc: test

dn: {DOMAIN_DN}
objectClass: dcObject
objectClass: organization
objectClass: zimbraDomain
o: example
dc: example
zimbraId: {DOMAIN_ID}
zimbraDomainName: {DOMAIN}
zimbraDomainType: local
zimbraMailStatus: enabled

dn: ou=people,{DOMAIN_DN}
objectClass: organizationalRole
ou: people
cn: people

dn: cn={NAME},cn=servers,cn=zimbra
objectClass: zimbraServer
cn: {NAME}
zimbraId: 50000000-0000-4000-8000-000000000001
zimbraServiceHostname: {NAME}
""")
        self.modify("cn=config,cn=zimbra", "replace: zimbraDefaultDomainName", f"zimbraDefaultDomainName: {DOMAIN}")

    def add_account(self, name, password, *lines):
        hashed = self.host.run("slappasswd", "-h", "{SSHA}", "-s", password).strip()
        alias = [line.split(": ")[1] for line in lines if line.startswith("zimbraMailAlias: ")]
        self.ldif("\n".join([
            f"dn: uid={name},ou=people,{DOMAIN_DN}", "objectClass: inetOrgPerson", "objectClass: zimbraAccount",
            f"uid: {name}", f"cn: {name}", f"sn: {name}", f"mail: {name}@{DOMAIN}", f"zimbraMailDeliveryAddress: {name}@{DOMAIN}",
            f"zimbraId: {account_id(name)}", "zimbraAccountStatus: active", "zimbraMailStatus: enabled",
            f"zimbraMailHost: {NAME}", f"zimbraMailTransport: lmtp:{NAME}:7025", f"userPassword: {hashed}",
            *lines, *(f"mail: {a}" for a in alias)]) + "\n")

    def add_list(self, name, *lines):
        self.ldif("\n".join([
            f"dn: uid={name},ou=people,{DOMAIN_DN}", "objectClass: zimbraDistributionList", "objectClass: zimbraMailRecipient",
            f"uid: {name}", f"mail: {name}@{DOMAIN}", f"zimbraId: {account_id(name)}", f"zimbraMailAlias: {name}@{DOMAIN}",
            "zimbraMailStatus: enabled", *lines]) + "\n")

    # -- clients of the sockets, from outside the host -----------------------
    def path(self, inside):
        return f"/proc/{self.host.leader}/root{inside}"

    def auth(self):
        return AuthClient(self.path("/run/zimbra/auth/auth.sock"))

    def sasl(self):
        return SaslClient(self.path("/run/zimbra/auth/sasl"))

    def audit(self, name):
        """Audit records of logins as NAME: [(result, reason)]."""
        import json
        lines = self.host.run("journalctl", "-u", "zimbra-auth", "-o", "json", f"LOGIN={name}").splitlines()
        return [(r["RESULT"], r["REASON"], r["CLIENT_IP"], r["PROTOCOL"]) for r in map(json.loads, lines)]

    def flush(self):
        """Answers out of a cache would be a minute old: start zmauthd anew."""
        self.host.sh("systemctl reset-failed zimbra-auth.service; systemctl restart zimbra-auth.service")


LOGIN, TICKET, RESOLVE, MAY_SEND = 1, 2, 3, 4
OK, DENIED, TEMPFAIL, NO_SUCH = 0, 1, 2, 3
FIELDS = ["protocol", "user", "password", "client_ip", "address", "sender", "logged_in", "account_id", "name",
          "account_status", "mail_host", "mail_transport", "quota", "reason", "ticket", "imap_port", "pop3_port",
          "list", "route_key"]


class AuthClient:
    """lib/auth/wire.h once more, written from its description."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(40)
        self.socket.connect(path)
        self.last = 0

    def close(self):
        self.socket.close()

    def send(self, op, **fields):
        self.last += 1
        body = b"".join(bytes([FIELDS.index(k)]) + struct.pack(">H", len(v.encode())) + v.encode() + b"\0"
                        for k, v in fields.items())
        self.socket.send(b"ZA\x01" + bytes([op]) + struct.pack(">QB", self.last, 255) + body)
        return self.last

    def receive(self):
        """(id, status, fields)"""
        b = self.socket.recv(10000)
        if not b:
            raise EOFError("zmauthd closed the connection")
        number, status = struct.unpack(">QB", b[4:13])
        fields, at = {}, 13
        while at < len(b):
            tag, length = b[at], struct.unpack(">H", b[at + 1:at + 3])[0]
            fields[FIELDS[tag]] = b[at + 3:at + 3 + length].decode()
            at += 4 + length
        return number, status, fields

    def ask(self, op, **fields):
        number = self.send(op, **fields)
        got, status, answer = self.receive()
        assert got == number
        return status, answer

    def login(self, user, password, protocol="imap", op=LOGIN, client_ip="192.0.2.7"):
        return self.ask(op, protocol=protocol, user=user, password=password, client_ip=client_ip)

    def resolve(self, address):
        return self.ask(RESOLVE, address=address)

    def may_send(self, address, sender, logged_in=False):
        return self.ask(MAY_SEND, address=address, sender=sender, **({"logged_in": "1"} if logged_in else {}))


def b64(*parts):
    return base64.b64encode("\0".join(parts).encode()).decode()


class SaslClient:
    """Dovecot's protocol as Postfix's smtpd speaks it."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(40)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        self.last = 0
        self.handshake = []
        self.say(f"VERSION\t1\t0\nCPID\t{os.getpid()}")
        while not self.handshake or self.handshake[-1] != "DONE":
            self.handshake.append(self.line())

    def say(self, text):
        self.socket.sendall(text.encode() + b"\n")

    def line(self):
        text = self.file.readline().decode()
        if not text:
            raise EOFError("zmauthd closed the connection")
        return text.rstrip("\n")

    def auth(self, mech, response=None):
        self.last += 1
        self.say(f"AUTH\t{self.last}\t{mech}\tservice=smtp\tnologin\tlip=10.0.0.1\trip=192.0.2.8\tsecured"
                 + (f"\tresp={response}" if response is not None else ""))
        return self.line()

    def cont(self, response):
        self.say(f"CONT\t{self.last}\t{response}")
        return self.line()


def wait_port(host, port):
    wait_for(lambda: f":{port} " in host.run("ss", "-ltn"), 10, f"port {port}")
