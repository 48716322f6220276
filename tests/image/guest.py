"""The machine under test: the built image's own disk, plus a root shell on its second
serial port. The shell is systemd's debug shell, asked for on the kernel's command line
in the copy's boot menu: programs, units and state are the shipped ones."""
import base64
import json
import pathlib
import secrets
import socket
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "image"))
from machine import Machine  # noqa: E402

SECTOR = 512
BOOT_LIMIT = 900    # software emulation on a busy host; nothing here measures speed


def partitions(disk):
    table = json.loads(subprocess.run(["sfdisk", "-J", str(disk)], check=True, capture_output=True, text=True).stdout)
    return {p["name"]: p for p in table["partitiontable"]["partitions"]}


def on_esp(disk):
    return f"{disk}@@{partitions(disk)['mailstead-esp']['start'] * SECTOR}"


def boot_menu(disk):
    return subprocess.run(["mtype", "-i", on_esp(disk), "::/grub/grub.cfg"], check=True, capture_output=True, text=True).stdout


def ask_for_shell(disk):
    menu = boot_menu(disk)
    wanted = menu.replace(" quiet", " quiet systemd.debug_shell=ttyS1")
    assert wanted != menu, "no kernel command line found in the boot menu"
    subprocess.run(["mcopy", "-o", "-i", on_esp(disk), "-", "::/grub/grub.cfg"], check=True, input=wanted, text=True)


class Guest:
    def __init__(self, folder, tell):
        self.folder, self.tell = pathlib.Path(folder), tell
        self.machine = self.shell = None

    def boot(self, title, **devices):
        """DEVICES: firmware, and what Machine.start takes. Returns once the shell answers."""
        firmware = devices.pop("firmware", "bios")
        ssh = devices.pop("ssh", False)
        self.machine = Machine(self.folder, format="raw", firmware=firmware, ssh=ssh, shell=True)
        self.tell(f"booting ({firmware.upper()}): {title}")
        self.machine.start(**devices)
        self._reach_shell()

    def _reach_shell(self):
        """Connects before the guest runs and types nothing before its prompt stands there."""
        end = time.monotonic() + BOOT_LIMIT
        while True:
            try:
                self.shell = socket.socket(socket.AF_UNIX)
                self.shell.connect(str(self.folder / "shell"))
                break
            except OSError:
                self.shell.close()
                self._still_there(end)
                time.sleep(0.2)
        self._expect(":/# ", end)
        # No line editor, no echo, no pager. The next line is typed when this one was read: bytes that
        # wait while a terminal changes its mode may be lost.
        greeting, text = b"stty -echo; export SYSTEMD_PAGER= PAGER=cat; echo rea''dy; PS1= exec sh\n", ""
        while "\nready\n" not in text:
            self._still_there(end)
            self.shell.sendall(greeting)
            for _ in range(20):
                text += self._receive(1)
                if "\nready\n" in text:
                    break

    def _expect(self, wanted, end):
        text = ""
        while wanted not in text:
            self._still_there(end)
            text += self._receive(5)

    def _receive(self, timeout):
        """What the shell wrote; nothing when it keeps silent for TIMEOUT seconds."""
        self.shell.settimeout(max(0.1, timeout))
        try:
            return self.shell.recv(65536).decode(errors="replace").replace("\r", "")
        except TimeoutError:
            return ""

    def _still_there(self, end):
        if not self.machine.alive():
            raise AssertionError(self.machine.last_words())
        if time.monotonic() > end:
            raise AssertionError("no shell; the console says:\n" + self.console()[-3000:])

    def console(self):
        return self.machine.console.read_text(errors="replace") if self.machine.console.exists() else ""

    def sh(self, script, timeout=120, check=True):
        """Runs SCRIPT as root inside; its output. An exit status other than 0 is a failure."""
        mark = secrets.token_hex(8)
        coded = base64.b64encode(script.encode()).decode()
        line = f"printf '\\n%s%s\\n' begin {mark}; echo {coded} | base64 -d | sh 2>&1; printf '\\n%s%s %s\\n' end {mark} $?\n"
        assert len(line) < 4000, "a longer line does not fit the terminal's buffer"
        self.shell.sendall(line.encode())
        text, end = "", time.monotonic() + timeout
        while f"\nend{mark} " not in text or not text.split(f"\nend{mark} ")[1].endswith("\n"):
            if time.monotonic() > end:
                raise AssertionError(f"{script!r} did not end within {timeout} s: {text[-500:]}")
            text += self._receive(end - time.monotonic())
        output, rest = text.split(f"\nbegin{mark}\n")[1].split(f"\nend{mark} ")
        if check:
            assert rest.split()[0] == "0", f"{script!r} exit {rest.split()[0]}:\n{output}"
        return output.strip("\n")

    def wait(self, condition, what, timeout=BOOT_LIMIT):
        """Polls until the shell command CONDITION succeeds."""
        end = time.monotonic() + timeout
        while True:
            assert self.machine.alive(), self.machine.last_words()
            if self.sh(f"{condition} >/dev/null 2>&1 && echo yes || echo no", timeout=timeout).strip() == "yes":
                return
            if time.monotonic() > end:
                state = self.sh("systemctl --failed; /opt/zimbra/bin/zmcontrol status; journalctl -n 60", check=False)
                raise AssertionError(f"{what}: not within {timeout} s\n{state}\nconsole:\n{self.console()[-3000:]}")
            time.sleep(2)

    def wait_healthy(self):
        self.wait("systemctl is-active mailstead-healthy", "every service runs")
        self.sh("systemctl is-system-running --wait", timeout=BOOT_LIMIT, check=False)
        self.tell(f"healthy {self.sh('cut -d. -f1 /proc/uptime')} s after power-on")

    def power_button(self):
        self.tell("power button")
        assert self.machine.power_down(BOOT_LIMIT), "the power button did not shut it down"

    def cut(self):
        self.machine.kill()
        self.tell("power cut")
