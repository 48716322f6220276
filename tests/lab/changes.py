"""Writing to a host's directory and hearing of it, fast enough to time: one connection
that modifies over TLS, and a subscriber of zmconfigd's change notices."""
import os
import socket
import subprocess
import threading
import time


def secret(host, key):
    return host.run("/opt/zimbra/bin/zmlocalconfig", "-s", "-m", "nokey", key, user="zimbra").strip()


class Notices(threading.Thread):
    """Every change notice, (time, DN or "*")."""

    def __init__(self, host):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        fd = os.open(f"/proc/{host.leader}/root/run/zimbra/configd", os.O_PATH)
        self.socket.connect(f"/proc/self/fd/{fd}/changes")
        os.close(fd)
        self.seen = []
        self.start()

    def run(self):
        while text := self.socket.recv(4096).decode():
            self.seen.append((time.monotonic(), text if text == "*" else text.split(" ", 1)[1]))


class Writer:
    """Modifies one value at a time; after slapd died, the same one again."""

    def __init__(self, host):
        self.argv = ["nsenter", "-t", str(host.leader), "-a", "--", "env", "LDAPTLS_CACERT=/opt/zimbra/ssl/zimbra/ca/ca.pem",
                     "stdbuf", "-oL", "ldapmodify", "-v", "-x", "-ZZ", "-H", f"ldap://{host.name}",
                     "-D", secret(host, "zimbra_ldap_userdn"), "-w", secret(host, "zimbra_ldap_password")]
        self.process = None

    def connect(self):
        self.process = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, bufsize=1)

    def modify(self, dn, attribute, value):
        """(when it was sent last, when it was answered)"""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if not self.process:
                self.connect()
            sent = time.monotonic()
            try:
                self.process.stdin.write(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n\n")
                self.process.stdin.flush()
                while line := self.process.stdout.readline():
                    if "modify complete" in line:
                        return sent, time.monotonic()
            except BrokenPipeError:
                pass
            self.process.kill()
            self.process.wait()
            self.process = None
            time.sleep(0.02)
        raise AssertionError("slapd did not come back")

    def configure(self, attribute, value):
        """Of the global configuration."""
        return self.modify("cn=config,cn=zimbra", attribute, value)

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
