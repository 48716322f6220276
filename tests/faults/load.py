"""A burst of LMTP deliveries that remembers what was acknowledged.

Every message is unique. `Delivery.stored` is the hash of what must lie in the store:
the text as sent behind the Return-Path field that intake puts before it.
"""
import hashlib
import random
import socket
import threading
from dataclasses import dataclass, field
from typing import Callable

SENDER = "sender@fault.test"
TRACE = f"Return-Path: <{SENDER}>\r\n".encode()


@dataclass
class Delivery:
    """One message to one recipient: the unit that gets a 250."""
    key: int                  # unique in a test
    connection: int           # deliveries of one connection to one account have rising keys
    recipient: str
    stored: str               # sha256
    size: int


@dataclass
class Burst:
    sent: list[Delivery] = field(default_factory=list)
    acknowledged: list[Delivery] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def make_message(rng: random.Random, number: int) -> bytes:
    kind = rng.random()
    size = rng.randrange(200, 900) if kind < 0.2 else rng.randrange(1000, 9000) if kind < 0.85 else \
        rng.randrange(31_000, 34_000) if kind < 0.92 else rng.randrange(40_000, 130_000)
    lines = [f"From: <{SENDER}>", "To: recipients:;", f"Subject: fault test {number}",
             f"Message-ID: <{number}@fault.test>", ""]
    length = sum(len(line) + 2 for line in lines)
    while length < size:
        line = rng.randbytes(36).hex()
        line = "." + line if rng.random() < 0.05 else line
        lines.append(line)
        length += len(line) + 2
    return "\r\n".join(lines + [""]).encode()


class Lmtp:
    """Just enough of a client; any surprise is an OSError."""

    def __init__(self, address: tuple[str, int]):
        self.sock = socket.create_connection(address, timeout=20)
        self.file = self.sock.makefile("rb")
        self.expect(220)
        self.say(b"LHLO client\r\n")
        self.expect(250)

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reply(self) -> int:
        while True:
            line = self.file.readline()
            if len(line) < 4:
                raise ConnectionError("connection lost")
            if line[3:4] != b"-":
                return int(line[:3])

    def expect(self, code: int) -> None:
        got = self.reply()
        if got != code:
            raise ConnectionError(f"{got} instead of {code}")

    def deliver(self, recipients: list[str], text: bytes, acknowledged: Callable[[str], None]) -> None:
        """Calls ACKNOWLEDGED for each recipient as soon as its 250 is read."""
        self.say(f"MAIL FROM:<{SENDER}>\r\n".encode())
        self.expect(250)
        taken = []
        for recipient in recipients:
            self.say(f"RCPT TO:<{recipient}>\r\n".encode())
            if self.reply() == 250:
                taken.append(recipient)
        if not taken:
            self.say(b"RSET\r\n")
            self.expect(250)
            return
        self.say(b"DATA\r\n")
        self.expect(354)
        self.say(text.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        for recipient in taken:
            if self.reply() == 250:
                acknowledged(recipient)

    def close(self) -> None:
        self.sock.close()


def _worker(address, burst: Burst, connection: int, rng: random.Random, accounts: list[str], first_key: int,
            count: int, pause: float, on_ack, stop: threading.Event) -> None:
    client, key = None, first_key
    for _ in range(count):
        if stop.wait(pause):
            break
        text = make_message(rng, key)
        stored = hashlib.sha256(TRACE + text).hexdigest()
        recipients = rng.sample(accounts, 3 if rng.random() < 0.2 else 1)
        pending = {}
        for recipient in recipients:
            pending[recipient] = Delivery(key, connection, recipient, stored, len(TRACE + text))
            key += 1
        with burst.lock:
            burst.sent.extend(pending.values())

        def acknowledge(recipient: str) -> None:
            if on_ack:
                on_ack(pending[recipient])
            with burst.lock:
                burst.acknowledged.append(pending[recipient])
        try:
            client = client or Lmtp(address)
            client.deliver(recipients, text, acknowledge)
        except OSError:
            if client:
                client.close()
            client = None
            stop.wait(0.02)
    if client:
        client.close()


def run_burst(address: tuple[str, int], seed: int, accounts: list[str], connections: int, messages: int,
              pause: float = 0.0, on_ack=None, during=None) -> Burst:
    """MESSAGES a connection, PAUSE seconds apart; DURING (called once, in this thread) may break things."""
    burst, stop = Burst(), threading.Event()
    threads = []
    for i in range(connections):
        rng = random.Random(seed * 1000 + i)
        first_key = (seed * 100 + i) * 100_000
        threads.append(threading.Thread(target=_worker, args=(address, burst, seed * 100 + i, rng, accounts,
                                                              first_key, messages, pause, on_ack, stop)))
    for thread in threads:
        thread.start()
    if during:
        during(burst)
        stop.set()
    for thread in threads:
        thread.join()
    return burst
