"""A small zmauthd for the fault tests: answers resolve requests for userN@fault.test.

Speaks the protocol of lib/auth/wire.h; every such address is an active account of
this host without quota, its id made from its name.
"""
import os
import socket
import struct
import threading
import uuid

OP_RESOLVE = 3
STATUS_OK, STATUS_NO_SUCH = 0, 3
FIELD_ADDRESS, FIELD_ACCOUNT_ID, FIELD_NAME, FIELD_STATUS, FIELD_HOST, FIELD_QUOTA = 4, 7, 8, 9, 10, 12
HOST = "store.fault.test"


def account_id(address: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, address))


def _fields(data: bytes) -> dict[int, str]:
    found, at = {}, 0
    while at < len(data):
        tag, length = data[at], int.from_bytes(data[at + 1:at + 3], "big")
        found[tag] = data[at + 3:at + 3 + length].decode()
        at += 3 + length + 1
    return found


def _field(tag: int, value: str) -> bytes:
    raw = value.encode()
    return bytes([tag]) + len(raw).to_bytes(2, "big") + raw + b"\0"


def _reply(request: bytes) -> bytes:
    _, version, op, request_id, _ = struct.unpack(">2sBBQB", request[:13])
    address = _fields(request[13:]).get(FIELD_ADDRESS, "").lower()
    known = op == OP_RESOLVE and address.startswith("user") and address.endswith("@fault.test")
    head = struct.pack(">2sBBQB", b"ZA", version, op, request_id, STATUS_OK if known else STATUS_NO_SUCH)
    if not known:
        return head
    values = {FIELD_ACCOUNT_ID: account_id(address), FIELD_NAME: address, FIELD_STATUS: "active",
              FIELD_HOST: HOST, FIELD_QUOTA: "0"}
    return head + b"".join(_field(tag, value) for tag, value in values.items())


class FakeZmauthd:
    """Listens on PATH until closed; one thread a connection."""

    def __init__(self, path: str):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    @staticmethod
    def _serve(peer: socket.socket) -> None:
        with peer:
            while True:
                try:
                    request = peer.recv(8192)
                    if not request:
                        return
                    peer.send(_reply(request))
                except OSError:
                    return

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
