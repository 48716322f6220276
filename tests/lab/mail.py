"""Mail in and out as a client does it: SMTP in, IMAPS and POP3S out, and a sink for
what leaves the system. Clients are Python's own, not ours."""
import asyncio
import email.utils
import imaplib
import itertools
import poplib
import smtplib
import socket
import ssl
import threading

from .lab import wait_for

_serial = itertools.count(1)


def tls():
    """TLS without verification: the lab's certificates come from each host's own CA."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def message(sender, recipient, subject=None, body="Hello.\r\n", **headers):
    """A complete CRLF message with an own Message-ID; (bytes, subject)."""
    subject = subject or f"lab message {next(_serial)}"
    lines = [f"From: {sender}", f"To: {recipient}", f"Subject: {subject}",
             f"Date: {email.utils.formatdate()}", f"Message-ID: <{next(_serial)}.{id(headers)}@lab.test>"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode(), subject


def send(host, sender, recipients, data, port=25, helo="client.outside.test"):
    """Hands DATA to HOST's port 25 as an outside host; {recipient: (code, text)} of those refused."""
    if isinstance(recipients, str):
        recipients = [recipients]
    with smtplib.SMTP(host.address, port, local_hostname=helo, timeout=60) as smtp:
        return smtp.sendmail(sender, recipients, data)


def imap(host, user, password, port=993):
    client = imaplib.IMAP4_SSL(host.address, port, ssl_context=tls(), timeout=60)
    client.login(user, password)
    return client


def pop3(host, user, password, port=995):
    client = poplib.POP3_SSL(host.address, port, context=tls(), timeout=60)
    client.user(user)
    client.pass_(password)
    return client


def find(host, user, password, subject, folder="INBOX"):
    """The messages (bytes) in FOLDER whose Subject is SUBJECT."""
    client = imap(host, user, password)
    try:
        status, _ = client.select(f'"{folder}"', readonly=True)
        assert status == "OK", folder
        _, (numbers,) = client.search(None, "HEADER", "Subject", f'"{subject}"')
        out = []
        for number in numbers.split():
            _, data = client.fetch(number, "(BODY.PEEK[])")
            out.append(data[0][1])
        return out
    finally:
        client.logout()


def arrived(host, user, password, subject, folder="INBOX", timeout=60):
    """Waits for the one message SUBJECT in FOLDER and returns it."""
    found = wait_for(lambda: find(host, user, password, subject, folder), timeout, f"{subject!r} in {folder} of {user}",
                     interval=0.5)
    assert len(found) == 1, f"{len(found)} copies of {subject!r}"
    return found[0]


class Sink(threading.Thread):
    """An SMTP server at the lab's own address that takes everything: the outside world.
    `messages` holds (sender, [recipients], bytes)."""

    def __init__(self, address, port=25):
        super().__init__(daemon=True, name="sink")
        self.address, self.port, self.messages = address, port, []
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()

    def run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            asyncio.start_server(self._session, self.address, self.port, family=socket.AF_INET))
        self.ready.set()
        try:
            self.loop.run_forever()
        finally:
            server.close()

    def begin(self):
        self.start()
        self.ready.wait(10)
        return self

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.join(10)

    async def _session(self, reader, writer):
        sender, recipients = None, []
        writer.write(b"220 outside.test ESMTP\r\n")
        while line := await reader.readline():
            verb = line.strip().upper()
            if verb.startswith(b"MAIL FROM:"):
                sender, recipients = line[10:].split(b">")[0].strip().lstrip(b"<").decode(), []
                reply = b"250 ok"
            elif verb.startswith(b"RCPT TO:"):
                recipients.append(line[8:].split(b">")[0].strip().lstrip(b"<").decode())
                reply = b"250 ok"
            elif verb == b"DATA":
                writer.write(b"354 go\r\n")
                data = []
                while (line := await reader.readline()) not in (b".\r\n", b""):
                    data.append(line[1:] if line.startswith(b"..") else line)
                self.messages.append((sender, recipients, b"".join(data)))
                reply = b"250 taken"
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                reply = b"250 outside.test" if verb.startswith((b"EHLO", b"HELO")) else b"250 ok"
            writer.write(reply + b"\r\n")
            await writer.drain()
        writer.close()
