"""The built image as a hypervisor sees it. Order matters: each fixture powers the same
machine on once more (conftest.py)."""
import imaplib
import poplib
import smtplib
import socket
import ssl
import subprocess
import time

import pytest

from image.conftest import IMAGE, PASSWORD, new_disk
from image.guest import SECTOR, TOP, boot_menu, partitions
from image.serial import Serial
from lab.mail import message, tls

ADMIN = "admin@example.test"
ANNA = "anna@example.test"
SIZE = 7340032          # of zimbraMtaMaxMessageSize, to be found again
USABLE = 0.94           # of the data partition's bytes the file system has for files


# -- the files ------------------------------------------------------------------------

def slot(*command):
    """unsquashfs over the root slot inside the raw image."""
    start = partitions(f"{IMAGE}.raw")["mailstead-a"]["start"] * SECTOR
    return subprocess.run(["unsquashfs", "-offset", str(start), *command], check=True, capture_output=True, text=True).stdout


def in_slot(path):
    return slot("-cat", f"{IMAGE}.raw", path)


def test_raw_and_qcow2_hold_the_same_disk():
    compared = subprocess.run(["qemu-img", "compare", f"{IMAGE}.raw", f"{IMAGE}.qcow2"], capture_output=True, text=True)
    assert "Images are identical" in compared.stdout, compared


def test_disk_has_two_slots_and_the_data_partition_last():
    names = sorted(partitions(f"{IMAGE}.raw").items(), key=lambda item: item[1]["start"])
    assert [name for name, _ in names] == ["mailstead-bios", "mailstead-esp", "mailstead-a", "mailstead-b", "mailstead-data"]


def test_no_password_opens_the_image():
    usable = [line.split(":")[0] for line in in_slot("etc/shadow").splitlines() if line.split(":")[1][:1] not in ("!", "*")]
    assert usable == []


def test_image_carries_no_secret_and_no_identity():
    listing = slot("-l", f"{IMAGE}.raw").splitlines()
    assert [p for p in listing if "/etc/ssh/ssh_host_" in p or p.endswith(("/authorized_keys", "/server.key", "/ca.key"))] == []
    assert "Private key" not in in_slot("usr/lib/mailstead/sshd_config")
    assert in_slot("etc/machine-id") == ""


def test_boot_menu_asks_for_no_shell():
    menu = boot_menu(f"{IMAGE}.raw")
    assert "linux /slot-a/vmlinuz" in menu
    for word in ("debug", "init=", "single", "emergency", "rescue"):
        assert word not in menu


# -- before set-up ----------------------------------------------------------------------

@pytest.fixture(scope="module")
def bare(guest):
    guest.boot("before set-up, with probes in both credential channels", fw_cfg={"mailstead.probe": "by fw_cfg"},
               smbios=["io.systemd.credential:mailstead.probe2=by SMBIOS"])
    guest.wait("systemctl is-active multi-user.target", "multi-user.target")
    return guest


def test_nothing_listens_before_set_up(bare):
    assert bare.sh("ss -Hltn; ss -Hltn -f vsock; ss -Hlxn | grep '@' || true") == ""
    # A question to a name server has a socket for as long as it takes; a listener stays.
    end = time.monotonic() + 120
    while others := [line for line in bare.sh("ss -Hlunp").splitlines() if not is_address_client(line.split()[3])]:
        assert time.monotonic() < end, others
        time.sleep(1)


def is_address_client(local):
    """A client that asks the network for this host's own address (DHCP)."""
    return "%" in local and local.rsplit(":", 1)[1] in ("68", "546")


def test_forwarded_ports_are_refused_before_set_up(bare):
    for port, (_, transport) in bare.machine.ports.items():
        if transport == "tcp":
            assert answer(bare.machine.port(port)) == b"", port


def answer(port):
    """What the guest says first: QEMU accepts itself and hangs up when the guest refuses."""
    with socket.create_connection(("127.0.0.1", port), 60) as s:
        s.settimeout(60)
        try:
            return s.recv(100)
        except ConnectionResetError:
            return b""


def test_root_is_read_only(bare):
    assert bare.sh("findmnt -no FSTYPE,OPTIONS /").split()[0] == "squashfs"
    for path in ("/x", "/usr/bin/x", "/opt/zimbra/bin/x", "/root/x"):
        assert "Read-only file system" in bare.sh(f"touch {path}", check=False)


def test_credentials_arrive_by_fw_cfg_and_smbios(bare):
    assert bare.sh("cat /run/credentials/@system/mailstead.probe") == "by fw_cfg"
    assert bare.sh("cat /run/credentials/@system/mailstead.probe2") == "by SMBIOS"


def test_nothing_was_set_up(bare):
    assert bare.sh("ls /opt/zimbra/conf /opt/zimbra/data/ldap 2>/dev/null | grep -v override || true").count("localconfig") == 0
    assert bare.sh("systemctl is-active zimbra-ldap zimbra-postfix", check=False).split() == ["inactive", "inactive"]


# -- set up by hand on the console --------------------------------------------------------

CONSOLE_PASSWORD = "At-the-console-3"


def screen(guest):
    """What stands on tty1."""
    return guest.sh("fold -w \"$(stty -F /dev/tty1 size | cut -d' ' -f2)\" /dev/vcs1")


def press_enter_at_screen(guest):
    guest.sh(r"""perl -e 'open my $t, "+<", "/dev/tty1" or die; my $key = "\n"; ioctl $t, 0x5412, $key or die "TIOCSTI: $!"'""")


def on_screen(guest, text, timeout=120):
    end = time.monotonic() + timeout
    while text not in " ".join(screen(guest).split()):
        assert time.monotonic() < end, f"{text!r} is not on tty1:\n{screen(guest)}"
        time.sleep(1)


def test_consoles_offer_set_up_and_no_login(bare):
    on_screen(bare, "this host is not set up yet")
    assert "this host is not set up yet" in bare.console()
    assert "login:" not in bare.console() + screen(bare)
    assert bare.sh("pgrep -x agetty || true") == ""


@pytest.fixture(scope="module")
def by_hand(bare):
    """Set up in plain lines on the serial line, while somebody tries the same at the screen."""
    bare.tell("set up by hand on the serial line")
    with Serial(bare) as line:
        line.line.sendall(b"p\r")
        line.answer(r"Host name[^\n]*: ", "hand.example.test")
        press_enter_at_screen(bare)
        on_screen(bare, "another set-up is running")
        on_screen(bare, "on /dev/ttyS0")
        line.answer(r"Mail domain \[example.test\]: ", "")
        line.answer(r"Address \[admin@example.test\]: ", "")
        line.answer(r"Password \[[^\n]*: ", PASSWORD)
        line.answer(r"Password, again: ", PASSWORD)
        line.answer(r"Password of root \[[^\n]*: ", CONSOLE_PASSWORD)
        line.answer(r"Password of root, again: ", CONSOLE_PASSWORD)
        line.answer(r"Time zone \[[^\n]*: ", "Europe/Berlin")
        line.answer(r"Services \[[^\n]*: ", "ldap")
        line.answer(r"Number, or apply: ", "apply")
        line.answer(r"OK \(Enter\): ", "", 600)
        bare.tell("set up")
        line.see(r"Mailstead  hand\.example\.test  10\.0\.2\.15")
        line.see(r"All \d+ services run\.", 300)
        line.log_in(CONSOLE_PASSWORD)
        line.line.sendall(b"exit\r")
        line.see("login: ")
    return bare


def test_set_up_by_hand_leads_to_status_line_and_login(by_hand):
    on_screen(by_hand, "hand login:")      # the other console goes on by itself
    on_screen(by_hand, "services run.")
    assert by_hand.sh("ls /opt/zimbra/data/.set-up /state/host/etc/shadow").split()[0].endswith(".set-up")


def test_passwords_are_in_no_journal_and_no_issue(by_hand):
    for word in (PASSWORD, CONSOLE_PASSWORD, by_hand.sh("grep ^root: /etc/shadow | cut -d: -f2")):
        assert word not in by_hand.sh("journalctl --no-pager; cat /run/issue.d/*", timeout=300)
        assert word not in by_hand.console()


def test_console_login_outlives_a_reboot(by_hand):
    by_hand.power_button()
    by_hand.boot("set up by hand, again")
    with Serial(by_hand) as line:
        line.log_in(CONSOLE_PASSWORD)
        line.line.sendall(b"hostname -f; readlink /etc/localtime; exit\r")
        line.see(r"\nhand\.example\.test\n[^\n]*Europe/Berlin\n")
        assert "not set up" not in line.see(r"(?s).*login: ")[0]
    by_hand.wait("systemctl is-system-running", "no unit failed", 300)


def test_changed_password_is_kept(by_hand):
    by_hand.sh("echo root:changed-by-root-5 | chpasswd")
    by_hand.wait("cmp /etc/shadow /state/host/etc/shadow", "the changed password is on the data partition", 120)


# -- refused answers in the credential --------------------------------------------------

@pytest.fixture(scope="module")
def refused(bare):
    bare.power_button()
    new_disk(bare)
    bare.boot("with a credential whose answers are not valid", fw_cfg={"mailstead.answers": "[host]\nname = nonsense\n"})
    bare.wait("systemctl is-failed mailstead-setup", "set-up refuses the answers")
    return bare


def test_answers_credential_reaches_set_up_which_says_what_is_wrong(refused):
    said = refused.sh("journalctl -b -u mailstead-setup -o cat")
    assert '[host] name = "nonsense" is not valid' in said
    assert "nothing was changed" in said


def test_refused_answers_leave_nothing_behind(refused):
    assert refused.sh("ls /run/mailstead.answers 2>&1", check=False).endswith("No such file or directory")
    assert refused.sh("ss -Hltn") == ""


# -- set up from the answers disk -------------------------------------------------------

@pytest.fixture(scope="module")
def fresh(refused, run, ssh_key):
    refused.power_button()
    refused.boot("set up from the answers disk", answers=run.ANSWERS.format(password=PASSWORD), ssh=True,
                 fw_cfg={run.CREDENTIAL_SSH: ssh_key.with_suffix(".pub").read_text()})
    refused.wait_healthy()
    return refused


def ssh(guest, key, command):
    return subprocess.run(
        ["ssh", "-i", key, "-p", str(guest.machine.port(22)), "-o", "BatchMode=yes", "-o", "ConnectTimeout=60", "-o",
         f"UserKnownHostsFile={guest.folder}/known_hosts", "-o", "StrictHostKeyChecking=accept-new", "root@127.0.0.1", command],
        capture_output=True, text=True, timeout=300)


def send_in(guest, recipient, subject=None):
    """From outside by port 25; the subject, once the 250 is there."""
    data, subject = message("out@outside.test", recipient, subject=subject)
    with smtplib.SMTP("127.0.0.1", guest.machine.port(25), local_hostname="client.outside.test", timeout=300) as smtp:
        assert smtp.sendmail("out@outside.test", recipient, data) == {}
    return subject


def submit(guest, sender, password, recipient):
    """As a user of the appliance by port 587, which demands TLS and a login."""
    data, subject = message(sender, recipient)
    with smtplib.SMTP("127.0.0.1", guest.machine.port(587), local_hostname="desk.example.test", timeout=300) as smtp:
        smtp.starttls(context=tls())
        smtp.login(sender, password)
        assert smtp.sendmail(sender, recipient, data) == {}
    return subject


def read_imap(guest, user, subject):
    """Waits for the message SUBJECT by IMAPS; its bytes."""
    end = time.monotonic() + 600
    while time.monotonic() < end:
        client = imaplib.IMAP4_SSL("127.0.0.1", guest.machine.port(993), ssl_context=tls(), timeout=300)
        try:
            client.login(user, PASSWORD)
            client.select("INBOX", readonly=True)
            numbers = client.search(None, "HEADER", "Subject", f'"{subject}"')[1][0].split()
            if numbers:
                return client.fetch(numbers[0], "(BODY.PEEK[])")[1][0][1]
        finally:
            client.logout()
        time.sleep(1)
    raise AssertionError(f"{subject!r} did not arrive; queue:\n{guest.sh('postqueue -p; journalctl -n 40', check=False)}")


def read_pop3(guest, user, subject):
    client = poplib.POP3_SSL("127.0.0.1", guest.machine.port(995), context=tls(), timeout=300)
    try:
        client.user(user)
        client.pass_(PASSWORD)
        for number in range(client.stat()[0], 0, -1):
            text = b"\r\n".join(client.retr(number)[1])
            if subject.encode() in text:
                return text
    finally:
        client.quit()
    raise AssertionError(f"{subject!r} is not there by POP3")


def certificate(guest):
    return ssl.get_server_certificate(("127.0.0.1", guest.machine.port(993)), timeout=300)


@pytest.fixture(scope="module")
def kept(fresh, ssh_key):
    """What is put in before the reboot, to be found after it."""
    zmprov = "/opt/zimbra/bin/zmprov"
    fresh.sh(f"{zmprov} ca {ANNA} {PASSWORD} && {zmprov} mcf zimbraMtaMaxMessageSize {SIZE}", timeout=300)
    fresh.wait(f"postconf -c /opt/zimbra/conf/postfix -h message_size_limit | grep -qx {SIZE}", "Postfix has the new limit")
    return {"in": send_in(fresh, ANNA), "submitted": submit(fresh, ADMIN, PASSWORD, ANNA), "certificate": certificate(fresh),
            "facts": fresh.sh("hostname -f; cat /etc/machine-id; readlink /etc/localtime")}


def test_set_up_host_runs_everything(fresh):
    status = fresh.sh("/opt/zimbra/bin/zmcontrol status")
    assert "mail.example.test" in status and "Stopped" not in status
    assert fresh.sh("systemctl is-system-running --wait") == "running"
    assert fresh.sh("ls /sys/firmware/efi 2>&1", check=False).endswith("No such file or directory")


def test_answers_do_not_stay(fresh):
    assert fresh.sh("ls /run/mailstead.answers 2>&1", check=False).endswith("No such file or directory")


def test_data_partition_grew_to_the_disk(fresh):
    disk, data, files = (int(fresh.sh(command)) for command in (
        "blockdev --getsize64 /dev/vda", "blockdev --getsize64 /dev/disk/by-partlabel/mailstead-data",
        "df -B1 --output=size /state | tail -1"))
    before = sum(p["size"] for name, p in partitions(f"{IMAGE}.raw").items() if name != "mailstead-data") * SECTOR
    assert disk == 8 << 30
    assert disk - before - data < 16 << 20
    assert files > USABLE * data


def declared():
    """(kind, name, number) of every row of the two sysusers files."""
    for path in ("units/sysusers/mailstead.conf", "image/sysusers.conf"):
        for line in (TOP / path).read_text().splitlines():
            if line[:2] in ("u ", "g "):
                yield line.split()[0], line.split()[1], line.split()[2]


def test_numeric_ids_are_the_declared_ones(fresh):
    numbers = {base: {line.split(":")[0]: line.split(":")[2] for line in fresh.sh(f"cut -d: -f1-3 /etc/{base}").splitlines()}
               for base in ("passwd", "group")}
    for kind, name, number in declared():
        assert numbers["passwd" if kind == "u" else "group"].get(name) == number, name


def test_state_belongs_to_fixed_ids_only(fresh):
    """100 to 899 and 950 to 999 are what Debian gives out in the order of installation."""
    floating = " -o ".join(f"-{kind} +{low} -{kind} -{high}" for kind in ("uid", "gid") for low, high in ((99, 900), (949, 1000)))
    assert fresh.sh(f"find /state -xdev \\( {floating} \\) -printf '%p %U:%G\\n'", timeout=300) == ""


def test_mail_comes_in_and_out_through_the_scanner(fresh, kept):
    fresh.tell("mail in by SMTP and submission, out by IMAPS and POP3S")
    stored = read_imap(fresh, ANNA, kept["in"])
    assert b"X-Virus-Scanned" in stored and b"amavis" in stored
    assert kept["in"].encode() in read_pop3(fresh, ANNA, kept["in"])
    read_imap(fresh, ANNA, kept["submitted"])


def test_submission_without_login_is_refused(fresh):
    with smtplib.SMTP("127.0.0.1", fresh.machine.port(587), local_hostname="desk.example.test", timeout=300) as smtp:
        smtp.starttls(context=tls())
        with pytest.raises(smtplib.SMTPException):
            smtp.sendmail(ADMIN, ANNA, b"Subject: no\r\n\r\n")


def test_printed_commands_send_and_read(fresh, run):
    """The two lines that `make run` prints, run as a person would."""
    send, read = run.commands(fresh.machine, PASSWORD)
    sent = subprocess.run(send, shell=True, capture_output=True, text=True, timeout=300)
    assert sent.returncode == 0, sent.stderr
    end = time.monotonic() + 600
    while "It works." not in (shown := subprocess.run(read, shell=True, capture_output=True, text=True, timeout=300)).stdout:
        assert time.monotonic() < end, shown
        time.sleep(1)


def test_ssh_takes_the_given_key_only(fresh, ssh_key):
    shown = ssh(fresh, ssh_key, "id -un; hostname -f")
    assert shown.stdout.split() == ["root", "mail.example.test"], shown
    other = fresh.folder / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    refused = ssh(fresh, other, "id")
    assert refused.returncode == 255 and "(publickey)" in refused.stderr, refused


# -- rebooted, by the other firmware ----------------------------------------------------

@pytest.fixture(scope="module")
def rebooted(fresh, kept, run, ssh_key):
    read_imap(fresh, ANNA, kept["in"])
    fresh.power_button()
    fresh.boot("the same disk by the other firmware", firmware="uefi", ssh=True,
               fw_cfg={run.CREDENTIAL_SSH: ssh_key.with_suffix(".pub").read_text()})
    fresh.wait_healthy()
    return fresh


def test_uefi_boots_the_same_appliance(rebooted, kept):
    rebooted.sh("test -d /sys/firmware/efi")
    assert rebooted.sh("hostname -f; cat /etc/machine-id; readlink /etc/localtime") == kept["facts"]
    assert rebooted.sh("systemctl is-system-running --wait") == "running"


def test_mail_accounts_and_certificate_are_still_there(rebooted, kept):
    read_imap(rebooted, ANNA, kept["in"])
    read_imap(rebooted, ANNA, kept["submitted"])
    read_imap(rebooted, ADMIN, "hello")
    assert certificate(rebooted) == kept["certificate"]


def test_configuration_is_still_there(rebooted):
    assert rebooted.sh("/opt/zimbra/bin/zmprov gcf zimbraMtaMaxMessageSize", timeout=300).split()[-1] == str(SIZE)
    with smtplib.SMTP("127.0.0.1", rebooted.machine.port(25), local_hostname="client.outside.test", timeout=300) as smtp:
        smtp.ehlo()
        assert smtp.esmtp_features["size"] == str(SIZE)


def test_journal_spans_the_boots(rebooted):
    assert "Reached target" in rebooted.sh("journalctl --no-pager -b -1 -o cat", timeout=300)
    assert rebooted.sh("journalctl --no-pager -b -1 -o cat -u mailstead-setup | grep -c 'is set up'") == "1"


def test_ssh_host_key_is_still_the_same(rebooted, ssh_key):
    shown = ssh(rebooted, ssh_key, "true")      # a changed key would be refused
    assert shown.returncode == 0, shown


# -- cut off after a 250 ----------------------------------------------------------------

@pytest.fixture(scope="module")
def cut(rebooted):
    """The subject of a message that was acknowledged just before the power went."""
    subject = send_in(rebooted, ANNA, "acknowledged before the cut")
    rebooted.cut()
    rebooted.boot("after a power cut")
    rebooted.wait_healthy()
    return subject


def test_acknowledged_message_outlives_a_power_cut(rebooted, cut, kept):
    read_imap(rebooted, ANNA, cut)
    read_imap(rebooted, ANNA, kept["in"])


def test_ssh_is_off_without_a_key(rebooted, cut):
    assert rebooted.sh("ss -Hltn 'sport = :22'") == ""
    assert rebooted.sh("systemctl is-active mailstead-ssh", check=False) == "inactive"


def test_last_shutdown_is_in_order(rebooted, cut):
    """Every unit stops, every file system is unmounted or read-only at the end."""
    rebooted.power_button()
    assert "Power down" in rebooted.console()
    rebooted.tell("off")
