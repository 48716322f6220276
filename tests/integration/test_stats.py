"""Statistics (Guide ch. 12, app. A): one sample reaches CSV, RRD, OpenMetrics and the sample
file with the same numbers; the store's pages; zmstatctl; zmstat-chart in a browser."""
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from lab import appliance
from lab.lab import wait_for
from lab.mail import arrived, message, send

ADMIN, PASSWORD = appliance.ADMIN, appliance.PASSWORD
CSV = "/opt/zimbra/zmstat"
RRDS = "/opt/zimbra/logger/db/data/rrds"
SAMPLE = "/run/zimbra/stats/sample"
INTERVAL = 2


@pytest.fixture(scope="module")
def stats(mail):
    """The host, sampling every two seconds from empty files on."""
    wait_for(lambda: mail.state("zimbra-stats.service") == "active", 30, "zmstatd")
    mail.run("/opt/zimbra/bin/zmlocalconfig", "-e", f"zmstat_interval={INTERVAL}", "zmstat_disk_interval=4", user="zimbra")
    wait_for(lambda: re.search(r"stats: generation \d+ is in force \(LOCAL", mail.journal("-b", "-u", "zimbra-configd.service")), 60, "stats.conf")
    assert "interval=2\n" in mail.read("/opt/zimbra/conf/stats/stats.conf")
    mail.run("/opt/zimbra/bin/zmstatctl", "stop")
    mail.sh(f"rm -f {RRDS}/*; rm -rf {CSV}/*")
    mail.run("/opt/zimbra/bin/zmstatctl", "start")
    wait_for(lambda: "vm.csv" in mail.run("ls", CSV) and len(mail.read(CSV + "/vm.csv").splitlines()) > 3, 30, "samples")
    return mail


def scrape(host):
    """The body of GET /metrics as bash itself fetches it."""
    out = host.run("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9105; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3")
    head, body = out.replace("\r\n", "\n").split("\n\n", 1)
    assert " 200 " in head.splitlines()[0]
    assert "application/openmetrics-text; version=1.0.0; charset=utf-8" in head
    return body


def openmetrics(text):
    """A strict reader of OpenMetrics 1.0 of what we use: {(sample name, labels): value}."""
    assert text.endswith("# EOF\n") and text.count("# EOF") == 1
    name_re = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
    label_re = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
    sample_re = re.compile(rf"({name_re})(\{{(?:{label_re}(?:,{label_re})*)?\}})? (-?[0-9.]+(?:e[+-]?[0-9]+)?)")
    families, family, kind, stage, values = set(), None, None, None, {}
    for line in text[:-len("# EOF\n")].splitlines():
        assert line and line == line.strip()
        if line.startswith("# "):
            _, word, name, rest = line.split(" ", 3)
            assert word in ("TYPE", "UNIT", "HELP") and re.fullmatch(name_re, name)
            if word == "TYPE":
                assert name not in families and rest in ("gauge", "counter")
                families.add(name)
                family, kind, stage = name, rest, "TYPE"
            elif word == "UNIT":
                assert name == family and stage == "TYPE" and name.endswith("_" + rest)
                stage = "UNIT"
            else:
                assert name == family and stage in ("TYPE", "UNIT")
                assert not re.search(r'(?<!\\)"', rest)
                stage = "HELP"
            continue
        m = sample_re.fullmatch(line)
        assert m, line
        assert stage == "HELP" and m[1] == family + ("_total" if kind == "counter" else "")
        key = (m[1], m[2] or "")
        assert key not in values, key
        values[key] = float(m[3])
        assert kind == "gauge" or values[key] >= 0
    return values


def sample(host):
    """(timestamp, {column: value}) of the sample file."""
    lines = host.read(SAMPLE).splitlines()
    assert lines[0].startswith("timestamp ")
    return int(lines[0].split()[1]), {k: float(v) for k, v in (line.rsplit(" ", 1) for line in lines[1:])}


def csv_row(host, name, when):
    """The row of time WHEN as {column: value}, by the header above it."""
    stamp = host.run("date", "-d", f"@{when}", "+%m/%d/%Y %H:%M:%S").strip()
    header, found = None, None
    for line in host.read(f"{CSV}/{name}.csv").splitlines():
        fields = line.split(",")
        if fields[0] == "timestamp":
            header = fields
        elif fields[0] == stamp:
            found = dict(zip(header, fields))
            assert len(header) == len(fields)
    return found


def rrd_values(host, name, when, start=None):
    out = host.run("rrdtool", "fetch", f"{RRDS}/{name}.rrd", "AVERAGE", "-s", str(when - INTERVAL), "-e", str(when))
    lines = out.splitlines()
    row = next(line for line in lines if line.startswith(f"{when}:"))
    return dict(zip(lines[0].split(), map(float, row.split()[1:])))


def test_one_sample_is_the_same_everywhere(stats):
    for _ in range(10):            # until all four were read between two samples
        when, file = sample(stats)
        metrics = openmetrics(scrape(stats))
        row, rrd = csv_row(stats, "vm", when), rrd_values(stats, "vm", when)
        cpu, cpu_rrd = csv_row(stats, "cpu", when), rrd_values(stats, "cpu-cpu0", when)
        if sample(stats)[0] == when and row:
            break
    for csv_name, metric in (("MemFree", "mailstead_vm_mem_free_kilobytes"), ("loadavg", "mailstead_vm_loadavg"),
                             ("us", "mailstead_vm_user_percent"), ("cs", "mailstead_vm_context_switches_per_second")):
        value = file[f"vm:{csv_name}"]
        assert float(row[csv_name]) == value
        assert metrics[(metric, "")] == value
        assert rrd[csv_name] == pytest.approx(value, rel=1e-9)
    value = file["cpu:cpu0:idle"]
    assert float(cpu["cpu0:idle"]) == value == metrics[("mailstead_cpu_idle_percent", '{cpu="cpu0"}')]
    assert cpu_rrd["idle"] == pytest.approx(value, rel=1e-9)


def test_every_file_of_the_guide_that_has_a_subject(stats):
    names = set(stats.run("ls", CSV).split())
    assert {"cpu.csv", "vm.csv", "io.csv", "io-x.csv", "df.csv", "fd.csv", "proc.csv", "mtaqueue.csv", "mailboxd.csv", "auth.csv"} <= names
    header = stats.read(CSV + "/proc.csv").splitlines()[0]
    assert header.startswith("timestamp,mailbox,mailbox-total-cpu,mailbox-utime,mailbox-stime,mailbox-totalMB,mailbox-rssMB")
    assert stats.read(CSV + "/df.csv").startswith("timestamp,path,disk,disk_use,disk_space,disk_pct_used\n")
    _, file = sample(stats)
    assert file["proc:mailbox-process-count"] >= 3 and file["proc:ldap-rssMB"] > 1
    assert file["fd:mailboxd_fd_count"] > 10


def test_a_delivery_and_its_reading_are_counted(stats):
    _, before = sample(stats)
    data, subject = message("a@outside.test", ADMIN)
    send(stats, "a@outside.test", ADMIN, data)
    arrived(stats, ADMIN, PASSWORD, subject)

    def counted():
        _, now = sample(stats)
        grown = {k: now.get(k, 0) - before.get(k, 0) for k in (
            "mailboxd:lmtp_rcvd_msgs", "mailboxd:lmtp_dlvd_msgs", "mailboxd:mbox_add_msg_count", "mailboxd:imap_count",
            "mailboxd:logins", "auth:logins_ok", "mailboxd:redo_flushes", "imap:FETCH:exec_count")}
        return grown if all(v >= 1 for v in grown.values()) else None
    grown = wait_for(counted, 30, "counters")
    assert grown["mailboxd:lmtp_rcvd_msgs"] == grown["mailboxd:lmtp_dlvd_msgs"] == 1
    rows = [line.split(",") for line in stats.read(CSV + "/mailboxd.csv").splitlines()]
    column = rows[0].index("lmtp_dlvd_msgs")
    assert sum(float(r[column]) for r in rows if r[column] not in ("", "lmtp_dlvd_msgs")) >= 1


def test_a_restarted_store_does_not_turn_totals_back(stats):
    _, before = sample(stats)
    old = stats.pid("zimbra-mailbox-intake@1.service")
    stats.run("kill", "-9", str(old))
    wait_for(lambda: stats.state("zimbra-mailbox-intake@1.service") == "active" and stats.pid("zimbra-mailbox-intake@1.service") != old, 30, "intake")
    data, subject = message("a@outside.test", ADMIN)
    send(stats, "a@outside.test", ADMIN, data)
    arrived(stats, ADMIN, PASSWORD, subject)
    total = "mailboxd:lmtp_rcvd_msgs"
    wait_for(lambda: sample(stats)[1].get(total) == before[total] + 1, 30, "one more message")


def test_the_queue_is_counted_without_rights(stats):
    stats.run("postconf", "-c", "/opt/zimbra/conf/postfix", "-h", "queue_directory")
    stats.sh("d=/var/spool/postfix/hold; head -c 5000 /dev/zero > $d/F00D; chown postfix $d/F00D")
    wait_for(lambda: sample(stats)[1]["mtaqueue:hold_messages"] == 1, 30, "message on hold")
    assert sample(stats)[1]["mtaqueue:hold_bytes"] == 5000
    stats.run("rm", "/var/spool/postfix/hold/F00D")
    wait_for(lambda: sample(stats)[1]["mtaqueue:hold_messages"] == 0, 30, "no message on hold")
    status = stats.read(f"/proc/{stats.pid('zimbra-stats.service')}/status")
    assert re.search(r"^CapEff:\t0+$", status, re.M) and re.search(r"^CapBnd:\t0+$", status, re.M)


def test_numbers_of_others_are_adopted(stats):
    folder = "/run/zimbra/stats/import"
    stats.run("sh", "-c", f"printf 'backup:runs 5\\nbackup:bytes 100\\nbackup:age 7.5 gauge\\n' > {folder}/.backup && mv {folder}/.backup {folder}/backup", user="zmlogger")
    stats.run("sh", "-c", f"printf 'x:y\\n' > {folder}/bad; ln -s /etc/passwd {folder}/passwd", user="zmlogger")
    wait_for(lambda: sample(stats)[1].get("backup:runs") == 5, 30, "import")
    metrics = openmetrics(scrape(stats))
    assert metrics[("mailstead_backup_bytes_total", "")] == 100 and metrics[("mailstead_backup_age", "")] == 7.5
    stats.run("rm", f"{folder}/bad", f"{folder}/passwd", f"{folder}/backup")
    assert not any(k.startswith(("bad:", "passwd:")) for k in sample(stats)[1])
    assert stats.try_run("sh", "-c", f"echo > {folder}/mine", user="zmmilter").returncode != 0


def test_a_hostile_page_does_no_harm(stats):
    folder = "/run/zimbra/stats/pages"
    stats.run("sh", "-c", f"cd {folder}; head -c 3000 /dev/urandom > junk; head -c 70 zmmailboxd-intake > zmmailboxd-intake-9; mkfifo pipe; "
                          "truncate -s 1G large; ln -s /proc/kcore kcore; printf MSTDSTAT > short", user="zmstore")
    pid, (when, _) = stats.pid("zimbra-stats.service"), sample(stats)
    wait_for(lambda: sample(stats)[0] > when + INTERVAL, 30, "two more samples")
    assert stats.pid("zimbra-stats.service") == pid
    stats.run("sh", "-c", f"cd {folder}; rm junk zmmailboxd-intake-9 pipe large kcore short")


def test_zmstatctl(stats):
    ctl = "/opt/zimbra/bin/zmstatctl"
    assert "rotate" in stats.run(ctl, "--help")
    assert "is running" in stats.run(ctl, "status", user="zimbra")
    stats.run(ctl, "rotate", user="zimbra")
    day = stats.run("date", "+%Y-%m-%d").strip()
    wait_for(lambda: "cpu.csv.gz" in stats.try_run("ls", f"{CSV}/{day}").stdout, 10, "archive")
    text = stats.run("zcat", f"{CSV}/{day}/cpu.csv.gz")
    assert text.startswith("timestamp,cpu0:user,")
    wait_for(lambda: stats.try_run("head", "-1", f"{CSV}/cpu.csv").stdout.startswith("timestamp,"), 10, "a new file")
    stats.run(ctl, "stop", user="zimbra")
    assert stats.try_run(ctl, "status").returncode == 1
    stats.run(ctl, "start", user="zimbra")


def test_http_of_the_endpoint(stats):
    ask = "exec 3<>/dev/tcp/127.0.0.1/9105; printf '%s' \"$1\" >&3; head -1 <&3"
    for request, code in (("GET /other HTTP/1.0\r\n\r\n", "404"), ("POST /metrics HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", "405"),
                          ("HEAD /metrics HTTP/1.0\r\n\r\n", "200"), ("nonsense\r\n\r\n", "")):
        assert code in stats.try_run("bash", "-c", ask, "sh", request).stdout
    listen = stats.run("ss", "-ltn")
    assert "127.0.0.1:9105" in listen and "0.0.0.0:9105" not in listen and "*:9105" not in listen


@pytest.mark.parametrize("unit", ["zimbra-stats.service", "zimbra-stats-queue.service"])
def test_units_are_closed(stats, unit):
    out = stats.try_run("systemd-analyze", "security", "--no-pager", "--threshold=15", unit)
    assert out.returncode == 0, out.stdout[-500:]


# ---- charts ----

CHECK = """
<script>window.addEventListener('load', () => {
  const bad = [];
  for (const i of document.images) if (!i.complete || i.naturalWidth === 0) bad.push('image ' + i.src);
  for (const e of document.querySelectorAll('h1,h2,p,figcaption,nav a,td,th'))
    if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline') bad.push('text ' + e.textContent);
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) bad.push('page is wider than the window');
  document.body.setAttribute('data-verdict', bad.length ? bad.join('; ') : 'good ' + document.images.length);
});</script></body>"""


def browse(folder, width=1280):
    """What headless Chromium says of the page in FOLDER."""
    page = folder / "index.html"
    checked = folder / "checked.html"
    checked.write_text(page.read_text().replace("</body>", CHECK))
    out = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900", "--virtual-time-budget=8000",
                          "--allow-file-access-from-files", "--dump-dom", f"file://{checked}"], capture_output=True, text=True, timeout=120)
    return re.search(r'data-verdict="([^"]*)"', out.stdout)[1]


def chart(host, *args):
    """Draws on the host, as zimbra; the page's folder as it is seen from here."""
    host.sh("rm -rf /tmp/page")
    host.run("/opt/zimbra/bin/zmstat-chart", "-d", "/tmp/page", *args, user="zimbra")
    out = pathlib.Path(host.lab.folder) / f"page-{time.monotonic_ns()}"
    shutil.copytree(host.root / "tmp/page" if (host.root / "tmp/page").exists() else _from_host(host, out), out, dirs_exist_ok=True)
    return out


def _from_host(host, out):
    """/tmp of a host may be a file system of its own."""
    raw = pathlib.Path(str(out) + "-raw")
    raw.mkdir(parents=True)
    tar = subprocess.run(["nsenter", "-t", str(host.leader), "-a", "--", "tar", "-C", "/tmp/page", "-cf", "-", "."], capture_output=True, check=True)
    subprocess.run(["tar", "-C", str(raw), "-xf", "-"], input=tar.stdout, check=True)
    return raw


def test_charts_show_in_a_browser(stats):
    day = stats.run("date", "+%Y-%m-%d").strip()
    page = chart(stats, "-s", CSV, "-s", f"{CSV}/{day}", "--title", "A <title> & more")
    html = (page / "index.html").read_text()
    assert "<h1>A &lt;title&gt; &amp; more</h1>" in html and "Summary" in html
    pictures = list(page.glob("*.svg"))
    assert len(pictures) >= 20 and html.count("<img ") == len(pictures)
    assert browse(page) == f"good {len(pictures)}"
    assert browse(page, width=500) == f"good {len(pictures)}"
    rows = (page / "summary.csv").read_text().splitlines()
    assert rows[0] == "chart,plot,last,average,max" and any(r.startswith("cpu,programs,") for r in rows)


def test_charts_of_rrd_files_and_png(stats):
    page = chart(stats, "-s", RRDS, "--period", "48h", "--format", "png", "--no-summary")
    html = (page / "index.html").read_text()
    assert "Summary" not in html and not (page / "summary.csv").exists()
    assert browse(page) == f"good {len(list(page.glob('*.png')))}"


def test_chart_options_of_the_guide(stats):
    stamp = stats.run("date", "-d", "-5 seconds", "+%m/%d/%Y %H:%M:%S").strip()
    page = chart(stats, "-s", CSV, "--start-at", stamp, "--aggregate-start-at", stamp, "--aggregate-end-at", "01/01/2100 00:00:00")
    assert "<h1>zmstat</h1>" in (page / "index.html").read_text()
    tool = "/opt/zimbra/bin/zmstat-chart"
    for args, word in ((["-d", "/tmp/x"], "--srcdir"), (["-s", CSV], "--destdir"), (["-s", CSV, "-d", "/tmp/x", "--start-at", "now"], "MM/dd/yyyy"),
                       (["-s", "/nowhere", "-d", "/tmp/x"], "/nowhere"), (["-s", "/etc/ssl", "-d", "/tmp/x"], "no *.csv"),
                       (["-s", CSV, "-d", "/tmp/x", "-c", "/etc/passwd"], "/etc/passwd")):
        r = stats.try_run(tool, *args)
        assert r.returncode != 0 and word in r.stderr, (args, r.stderr)


def test_chart_config_follows_the_services(stats):
    tool = "/opt/zimbra/bin/zmstat-chart-config"
    template = stats.read("/opt/zimbra/lib/zmstat-chart.xml").replace('service="logger"', 'service="elsewhere"')
    stats.write("/tmp/template.xml", template)
    assert "elsewhere" not in stats.run(tool, "-t", "/tmp/template.xml", "-o", "-", user="zimbra")
    assert stats.try_run(tool, "-t", "/etc/passwd").returncode == 65
    stats.run(tool, user="zimbra")
    text = stats.read("/opt/zimbra/conf/zmstat-chart.xml")
    assert "How many clients are connected?" in text and text.count("<chart ") >= 20
    page = chart(stats, "-s", CSV)
    assert (page / "sessions.svg").exists()
    stats.run("rm", "/opt/zimbra/conf/zmstat-chart.xml")


def test_the_manual_has_every_column(stats):
    text = stats.run("/opt/zimbra/libexec/zmstatd", "--describe")
    manual = (pathlib.Path(__file__).resolve().parents[2] / "docs/admin/statistics.md").read_text()
    assert manual.endswith(text), "docs/admin/statistics.md: put the output of zmstatd --describe at its end"
    for page in ("zmstatd", "zmstatqueue", "zmstatctl", "zmstat-chart", "zmstat-chart-config"):
        assert stats.sh(f"ls /usr/share/man/man[18]/{page}.[18]").strip()
