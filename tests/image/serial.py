"""The first serial line of the machine under test, as a person at its terminal."""
import re
import socket
import time

ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78cM])")


class Serial:
    def __init__(self, guest):
        self.guest = guest
        self.text = ""          # what came since the last thing that was seen
        self.line = socket.socket(socket.AF_UNIX)
        self.line.connect(str(guest.folder / "serial"))
        self.line.settimeout(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.line.close()

    def see(self, wanted, timeout=120):
        """Reads on until WANTED (a regular expression); its match. Seen text is not looked at again."""
        end = time.monotonic() + timeout
        while not (found := re.search(wanted, self.text)):
            assert self.guest.machine.alive(), self.guest.machine.last_words()
            assert time.monotonic() < end, f"{wanted!r} did not come within {timeout} s: {self.text[-2000:]}"
            try:
                self.text = ESCAPE.sub("", (self.text + self.line.recv(65536).decode(errors="replace")).replace("\r", ""))
            except TimeoutError:
                pass
        self.text = self.text[found.end():]
        return found

    def answer(self, prompt, text, timeout=120):
        self.see(prompt, timeout)
        time.sleep(0.3)         # a program that turns the echo off throws away what waits
        self.line.sendall(text.encode() + b"\r")

    def log_in(self, password):
        """As root; the new shell's prompt stands there. A prompt from before is asked for anew."""
        self.line.sendall(b"\r")
        self.answer("login: ", "root", 300)
        self.answer("Password: ", password)
        self.see(r"root@[^\n]*# ")
