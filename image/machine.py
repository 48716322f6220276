"""A QEMU machine with the appliance's disk, user-mode networking and forwarded ports;
used by `make run` and by the image tests."""
import os
import pathlib
import signal
import socket
import subprocess

# guest port -> offset from the machine's first host port
PORTS = {25: 25, 587: 87, 465: 65, 993: 93, 995: 95, 143: 43}


def have_kvm():
    """KVM counts only where a virtual machine can really be made."""
    if not os.path.exists("/dev/kvm"):
        return False
    probe = subprocess.run(
        ["timeout", "10", "qemu-system-x86_64", "-M", "q35", "-accel", "kvm", "-cpu", "host", "-display", "none",
         "-nodefaults", "-monitor", "stdio"], input="info status\nquit\n", capture_output=True, text=True)
    return probe.returncode == 0


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


class Machine:
    def __init__(self, disk, folder, first_port=20000, firmware="bios", memory=2560):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.disk, self.first_port = pathlib.Path(disk).resolve(), first_port
        self.firmware, self.memory = firmware, memory
        self.overlay = self.folder / "disk.qcow2"
        self.console = self.folder / "console.log"
        self.process = None

    def port(self, guest):
        return self.first_port + PORTS[guest]

    def new_disk(self, size="12G"):
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(self.disk), "-F", "qcow2",
                        str(self.overlay), size], check=True)

    def start(self, answers=None):
        accel = ["-accel", "kvm", "-cpu", "host"] if have_kvm() else ["-accel", "tcg,thread=multi", "-cpu", "max"]
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{self.port(p)}-:{p}" for p in PORTS)
        argv = ["qemu-system-x86_64", "-M", "q35", *accel, "-smp", "2", "-m", str(self.memory), "-display", "none",
                "-nodefaults", "-drive", f"file={self.overlay},if=none,id=disk,format=qcow2,cache=writeback,discard=unmap",
                "-device", "virtio-blk-pci,drive=disk,bootindex=1",
                "-netdev", f"user,id=n0,hostname=mail{forwards}", "-device", "virtio-net-pci,netdev=n0",
                "-device", "virtio-rng-pci", "-serial", f"file:{self.console}",
                "-monitor", f"unix:{self.folder}/monitor,server=on,wait=off"]
        if self.firmware == "uefi":
            argv += ["-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE.fd"]
        if answers:     # a disk that holds the file's text, padded to whole sectors
            disk = self.folder / "answers"
            disk.touch(mode=0o600)
            disk.write_bytes(answers.encode() + bytes(-len(answers.encode()) % 4096))
            argv += ["-drive", f"file={disk},if=none,id=answers,format=raw,readonly=on",
                     "-device", "virtio-blk-pci,drive=answers,serial=mailstead-answers"]
        with open(self.folder / "qemu.log", "wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        (self.folder / "pid").write_text(str(self.process.pid))

    def alive(self):
        return self.process is not None and self.process.poll() is None

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
