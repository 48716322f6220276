"""A DNS server for the lab: answers what tests put in, NXDOMAIN for the rest."""
import socket
import struct
import threading

TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
NXDOMAIN, NOERROR = 3, 0


def _name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.rstrip(".").split(".") if label) + b"\0"


def _rdata(rtype, value):
    if rtype == "A":
        return socket.inet_aton(value)
    if rtype == "MX":
        preference, host = value.split()
        return struct.pack("!H", int(preference)) + _name(host)
    if rtype == "TXT":
        return bytes([len(value)]) + value.encode()
    return _name(value)


class Server(threading.Thread):
    def __init__(self, address):
        super().__init__(daemon=True, name="lab-dns")
        self.records = {}
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 53))
        self.running = True

    def add(self, name, rtype, value):
        self.records.setdefault(name.lower().rstrip("."), []).append((rtype, value))
        if rtype == "A":
            self.add(".".join(reversed(value.split("."))) + ".in-addr.arpa", "PTR", name)

    def remove(self, name):
        self.records.pop(name.lower().rstrip("."), None)

    def run(self):
        while self.running:
            try:
                packet, peer = self.sock.recvfrom(2048)
                if self.running and len(packet) > 12:
                    self.sock.sendto(self.answer(packet), peer)
            except OSError:
                return

    def answer(self, packet):
        ident, flags = struct.unpack("!HH", packet[:4])
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
            at += 1 + packet[at]
        question = packet[12:at + 5]
        wanted = struct.unpack("!H", packet[at + 1:at + 3])[0]
        found = self.records.get(".".join(labels).lower())
        body = b""
        count = 0
        for rtype, value in found or []:
            if TYPES[rtype] == wanted:
                data = _rdata(rtype, value)
                body += b"\xc0\x0c" + struct.pack("!HHIH", wanted, 1, 5, len(data)) + data
                count += 1
        code = NOERROR if found else NXDOMAIN
        return struct.pack("!HHHHHH", ident, 0x8480 | (flags & 0x0100) | code, 1, count, 0, 0) + question + body

    def stop(self):
        self.running = False
        self.sock.close()
