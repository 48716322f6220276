"""The store's processes alone on loopback: login, intake and a shard in a folder of
their own, with an authenticator that knows a few users. For protocol tests that
need no booted host; what depends on the directory is tested in one.
"""
import contextlib
import imaplib
import os
import pathlib
import poplib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
LIBEXEC = pathlib.Path(os.environ.get("MAILSTEAD_LIBEXEC", TOP / "build/tree/opt/zimbra/libexec"))
PASSWORD = "correct horse"

OP_LOGIN, OP_RESOLVE = 1, 3
OK, DENIED, TEMPFAIL, NO_SUCH = range(4)
F_USER, F_PASSWORD, F_ADDRESS, F_ACCOUNT_ID, F_NAME, F_STATUS, F_HOST, F_QUOTA, F_REASON = 1, 2, 4, 7, 8, 9, 10, 12, 13


class Authenticator(threading.Thread):
    """Speaks lib/auth/wire.h. Every local part is a user with PASSWORD; "nobody" is none,
    "away" answers as with the directory down, "far" lives on another host."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(path)
        self.listener.listen()
        self.quota = {}

    def run(self):
        while True:
            with contextlib.suppress(OSError):
                peer, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        while request := peer.recv(8192):
            fields, pos = {}, 13
            while pos < len(request):
                size = int.from_bytes(request[pos + 1:pos + 3], "big")
                fields[request[pos]] = request[pos + 3:pos + 3 + size].decode()
                pos += 4 + size
            status, answer = self.decide(request[3], fields)
            body = b"".join(bytes([tag]) + len(v).to_bytes(2, "big") + v + b"\0" for tag, v in
                            ((t, x.encode()) for t, x in sorted(answer.items())))
            peer.send(request[:12] + bytes([status]) + body)

    def decide(self, op, fields):
        name = fields.get(F_USER if op == OP_LOGIN else F_ADDRESS, "").lower()
        user = name.split("@")[0]
        if user == "away":
            return TEMPFAIL, {F_REASON: "directory is away"}
        if user == "nobody":
            return (DENIED if op == OP_LOGIN else NO_SUCH), {F_REASON: "no such account"}
        if op == OP_LOGIN and fields.get(F_PASSWORD) != PASSWORD:
            return DENIED, {F_REASON: "wrong password"}
        return OK, {F_ACCOUNT_ID: f"id-{user}", F_NAME: f"{user}@example.test", F_STATUS: "active",
                    F_HOST: "elsewhere.example.test" if user == "far" else "mail.example.test",
                    F_QUOTA: str(self.quota.get(user, 0))}


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Mailstore:
    def __init__(self, **login):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mailstore-"))
        self.lmtp, self.imap, self.imaps, self.pop3, self.pop3s = free_ports(5)
        for name in ("store", "db", "redolog"):
            (self.folder / name).mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                        self.folder / "key", "-out", self.folder / "crt", "-subj", "/CN=localhost", "-days", "2"],
                       check=True, capture_output=True)
        self.auth = Authenticator(str(self.folder / "auth"))
        self.auth.start()
        self.config = self.folder / "mailboxd.conf"
        settings = {"cleartext_login": "TRUE", "failure_delay_ms": "50", "bind_address": "127.0.0.1", "trusted_proxies": "192.0.2.1", **login}
        self.config.write_text(f"""[mailboxd]
hostname = mail.example.test
shards = 1
socket_dir = {self.folder}
[login]
lmtp_port = {self.lmtp}
imap_port = {self.imap}
imaps_port = {self.imaps}
pop3_port = {self.pop3}
pop3s_port = {self.pop3s}
certificate = {self.folder}/crt
key = {self.folder}/key
auth_socket = {self.folder}/auth
""" + "".join(f"{k} = {v}\n" for k, v in settings.items()) + f"""[intake]
auth_socket = {self.folder}/auth
[shard]
store_dir = {self.folder}/store
db_dir = {self.folder}/db
redolog_dir = {self.folder}/redolog
[imap]
max_append_bytes = 30000000
""")
        self.processes = {}
        for name in ("shard", "intake", "login"):
            self.start(name)
        self.wait()

    def start(self, name):
        argv = [LIBEXEC / f"zmmailboxd-{name}", "--config", str(self.config)] + (["0"] if name == "shard" else [])
        log = open(self.folder / f"{name}.log", "ab")
        self.processes[name] = subprocess.Popen(argv, stderr=log, stdout=log, stdin=subprocess.DEVNULL)

    def stop(self, name, kill=False):
        p = self.processes.pop(name)
        p.kill() if kill else p.terminate()
        return p.wait(30)

    def ready(self):
        if not (self.folder / "shard-0").exists() or not (self.folder / "intake").exists():
            return False
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.pop3s)).close()
            return True
        return False

    def wait(self):
        end = time.monotonic() + 20
        while not self.ready():
            if time.monotonic() > end or any(p.poll() is not None for p in self.processes.values()):
                raise AssertionError("the store did not come up:\n" + self.logs())
            time.sleep(0.02)

    def logs(self):
        return "".join(f"--- {f.name}\n{f.read_text(errors='replace')}" for f in sorted(self.folder.glob("*.log")))

    def close(self):
        codes = {name: self.stop(name) for name in list(self.processes)}
        logs = self.logs()
        shutil.rmtree(self.folder)
        assert not any(codes.values()) and "ERROR: " not in logs, f"{codes}\n{logs}"

    # -- clients ---------------------------------------------------------
    def tls(self):
        context = ssl.create_default_context(cafile=str(self.folder / "crt"))
        context.check_hostname = False
        return context

    def imap_client(self, user, secure=False):
        c = imaplib.IMAP4_SSL("127.0.0.1", self.imaps, ssl_context=self.tls()) if secure else imaplib.IMAP4("127.0.0.1", self.imap)
        c.login(f"{user}@example.test", PASSWORD)
        return c

    def pop3_client(self, user, secure=False):
        c = poplib.POP3_SSL("127.0.0.1", self.pop3s, context=self.tls()) if secure else poplib.POP3("127.0.0.1", self.pop3)
        c.user(f"{user}@example.test")
        c.pass_(PASSWORD)
        return c

    def raw(self, port):
        return Raw(port)


class Raw:
    """A socket spoken to in bytes."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.file = self.sock.makefile("rb")

    def send(self, data):
        self.sock.sendall(data)

    def line(self):
        return self.file.readline()

    def until(self, start):
        """Lines up to the first that begins with START."""
        lines = []
        while True:
            line = self.line()
            if not line:
                raise AssertionError(f"connection closed after {lines!r}")
            lines.append(line)
            if line.startswith(start):
                return lines

    def command(self, text):
        """Sends a tagged command; the lines of its answer."""
        self.send(b"t " + text + b"\r\n")
        return self.until(b"t ")

    def login(self, user):
        self.line()
        assert b"OK" in self.command(b'LOGIN "%s@example.test" "%s"' % (user.encode(), PASSWORD.encode()))[-1]
        return self

    def close(self):
        self.file.close()
        self.sock.close()
