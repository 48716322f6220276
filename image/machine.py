"""A QEMU machine with the appliance's disk, user-mode networking and forwarded ports;
used by `make run`, `make measure` and the image tests."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

# what is forwarded: guest port -> (name, transport); the host's port is the guest's + first_port
PORTS = {25: ("SMTP", "tcp"), 587: ("submission", "tcp"), 465: ("SMTPS", "tcp"), 143: ("IMAP", "tcp"),
         993: ("IMAPS", "tcp"), 110: ("POP3", "tcp"), 995: ("POP3S", "tcp"), 443: ("HTTPS", "tcp"),
         161: ("SNMP", "udp")}
SSH = 22
QEMU = "qemu-system-x86_64"
UEFI = "/usr/share/OVMF/OVMF_CODE.fd"
CREDENTIAL_SSH = "ssh.authorized_keys.root"

# A boot sector: ends the machine through isa-debug-exit with status (0x2a << 1) | 1.
PROBE = (b"\xb8\x2a\x00\xe7\xf4\xf4" + bytes(504) + b"\x55\xaa")
PROBE_STATUS = 0x55


class MachineError(Exception):
    """What is wrong and what to do, for the person at the keyboard."""


def have_kvm():
    """KVM counts only where a guest really runs: /dev/kvm may be there and fail."""
    if not os.path.exists("/dev/kvm"):
        return False
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(PROBE)
        disk.flush()
        try:
            probe = subprocess.run(
                [QEMU, "-M", "pc", "-accel", "kvm", "-cpu", "host", "-m", "32", "-display", "none", "-nodefaults",
                 "-drive", f"file={disk.name},format=raw,if=ide,readonly=off,snapshot=on",
                 "-device", "isa-debug-exit,iobase=0xf4,iosize=4"], capture_output=True, timeout=15)
        except subprocess.TimeoutExpired:
            return False
    return probe.returncode == PROBE_STATUS


def missing_tool():
    """The name of a program this needs and does not find, with its package; or None."""
    for program, package in ((QEMU, "qemu-system-x86"), ("qemu-img", "qemu-utils")):
        if not shutil.which(program):
            return f"{program} is not installed: apt-get install {package}"
    return None


def press_power(folder):
    """The power button of the machine in FOLDER: its system shuts down in order."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(pathlib.Path(folder) / "monitor"))
        s.settimeout(10)
        reply = b""
        while b"(qemu)" not in reply:
            reply += s.recv(4096)
        s.sendall(b"system_powerdown\n")
        reply = b""
        while b"(qemu)" not in reply:       # the command counts once the prompt is back
            reply += s.recv(4096)


def running_in(folder):
    """The process id of the machine that runs in FOLDER, or 0."""
    try:
        pid = int((pathlib.Path(folder) / "pid").read_text())
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return 0
    return pid if QEMU in command else 0


def who_has(port, transport):
    """'name (process)' of what listens on PORT, as far as ss tells."""
    listing = subprocess.run(["ss", "-Hlnp", "-u" if transport == "udp" else "-t", f"sport = :{port}"],
                             capture_output=True, text=True)
    name, _, rest = listing.stdout.partition('users:(("')[2].partition('",pid=')
    return f"{name}, process {rest.split(',')[0]}" if rest else "another program"


class Machine:
    """`disk` is the machine's own and holds everything it keeps; `format` raw or qcow2."""

    def __init__(self, folder, disk=None, format="qcow2", first_port=20000, firmware="bios", memory=2560, ssh=False,
                 shell=False):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.disk = pathlib.Path(disk or self.folder / f"disk.{format}")
        self.format, self.first_port, self.firmware, self.memory = format, first_port, firmware, memory
        self.console = self.folder / "console.log"
        self.ports = PORTS | ({SSH: ("SSH", "tcp")} if ssh else {})
        self.shell = shell          # a second serial port at FOLDER/shell
        self.process = None

    def port(self, guest):
        return self.first_port + guest

    def new_disk(self, image, size="12G"):
        """A disk of its own from IMAGE (of the machine's format): a later image leaves it alone."""
        partial = self.disk.with_suffix(".new")
        subprocess.run(["cp", "--sparse=always", str(image), str(partial)], check=True)
        subprocess.run(["qemu-img", "resize", "-q", "-f", self.format, str(partial), size], check=True)
        partial.rename(self.disk)

    def check_ports(self):
        for guest, (name, transport) in self.ports.items():
            port = self.port(guest)
            with socket.socket(type=socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM) as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind(("127.0.0.1", port))
                except OSError:
                    raise MachineError(f"port {port}/{transport}, wanted for {name}, is taken by {who_has(port, transport)}; "
                                       f"end that, or choose others: make run PORT={self.first_port + 2000}") from None

    def _network(self):
        forwards = "".join(f",hostfwd={transport}:127.0.0.1:{self.port(p)}-:{p}"
                           for p, (_, transport) in self.ports.items())
        return ["-netdev", f"user,id=n0,hostname=mail{forwards}", "-device", "virtio-net-pci,netdev=n0"]

    def _private(self, name, content):
        path = self.folder / name
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)
        return path

    def _answers_disk(self, text):
        """A disk that holds the file's text, padded to whole sectors."""
        content = text.encode()
        path = self._private("answers", content + bytes(-len(content) % 4096))
        return ["-drive", f"file={path},if=none,id=answers,format=raw,readonly=on",
                "-device", "virtio-blk-pci,drive=answers,serial=mailstead-answers"]

    def start(self, answers=None, fw_cfg=None, smbios=None):
        """ANSWERS: text for the answers disk. FW_CFG: credentials, name -> text. SMBIOS: strings of type 11."""
        self.check_ports()
        self.console.unlink(missing_ok=True)    # nobody takes an earlier boot's words for this one's
        argv = [QEMU, "-M", "q35", "-smp", "2", "-m", str(self.memory), "-display", "none", "-nodefaults",
                *(["-accel", "kvm", "-cpu", "host"] if have_kvm() else ["-accel", "tcg,thread=multi", "-cpu", "max"]),
                "-drive", f"file={self.disk},if=none,id=disk,format={self.format},cache=writeback,discard=unmap",
                "-device", "virtio-blk-pci,drive=disk,bootindex=1", *self._network(), "-device", "virtio-rng-pci",
                "-chardev", f"socket,id=console,path={self.folder}/serial,server=on,wait=off,logfile={self.console}",
                "-serial", "chardev:console", "-monitor", f"unix:{self.folder}/monitor,server=on,wait=off"]
        if self.shell:      # a machine under test ends with its test
            argv = ["setpriv", "--pdeathsig", "KILL", *argv]
            argv += ["-serial", f"unix:{self.folder}/shell,server=on,wait=off"]
        if self.firmware == "uefi":
            argv += ["-drive", f"if=pflash,format=raw,readonly=on,file={UEFI}"]
        if answers:
            argv += self._answers_disk(answers)
        for name, text in (fw_cfg or {}).items():
            path = self._private(f"credential-{name}", text.encode())
            argv += ["-fw_cfg", f"name=opt/io.systemd.credentials/{name},file={path}"]
        if smbios:
            argv += ["-smbios", "type=11," + ",".join(f"value={s}" for s in smbios)]
        with open(self.folder / "qemu.log", "wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        (self.folder / "pid").write_text(str(self.process.pid))

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def last_words(self):
        """What QEMU itself said, for when it ended unasked."""
        words = (self.folder / "qemu.log").read_text(errors="replace").strip()
        return f"QEMU ended with status {self.process.poll()}: {words or 'without a word'}"

    def power_down(self, timeout=180):
        """The power button; the plug when it does not help."""
        press_power(self.folder)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def kill(self):
        if self.alive():
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
