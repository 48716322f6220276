"""The schedule (Guide appendix C): crontabs become timers and services, jobs do what they
are for, failures are told."""
import datetime
import json
import random
import re
import time

import pytest

from crontimes import next_times
from lab import appliance
from lab.lab import wait_for
from lab.mail import arrived

GENERATOR = "/usr/lib/systemd/system-generators/zimbra-generator"
CRONTAB = "/opt/zimbra/bin/crontab"
SITE = "/opt/zimbra/conf/override/crontabs"
HOST = "mail.example.test"
START, END = "# ZIMBRASTART", "# ZIMBRAEND"


def timers(host):
    out = host.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "--type=timer", "zimbra-job-*")
    return {line.split()[0].removesuffix(".timer") for line in out.splitlines()}


def start(host, job):
    """Runs JOB now. Some kernels take a moment to give a container's group back that was just
    removed (status 219, CGROUP): that is not the job's fault."""
    for _ in range(5):
        r = host.try_run("systemctl", "start", f"{job}.service")
        if r.returncode == 0 or host.run("systemctl", "show", "-P", "ExecMainStatus", f"{job}.service").strip() != "219":
            break
        time.sleep(0.5)
    return r


def records(host, alert, unit):
    out = host.try_run("journalctl", "-o", "json", f"ALERT={alert}", f"ALERT_UNIT={unit}").stdout
    return [json.loads(line) for line in out.splitlines()]


def crontab(host, *args, **kw):
    return host.try_run(CRONTAB, *args, user="zimbra", **kw)


def site(host, text):
    """Replaces the site's part; what follows has to be waited for."""
    r = crontab(host, "-", input=text)
    assert r.returncode == 0, r.stderr


def follows(condition):
    return wait_for(condition, 20, "the schedule to follow")


def settle(host):
    """The first reload of a host is followed."""
    wait_for(lambda: host.state("zimbra-schedule.target") == "active" and timers(host), 20, "schedule")


# -- syntax ------------------------------------------------------------------
ENTRIES = ["* * * * *", "*/2 * * * *", "30 2 * * *", "00,10,20,30,40,50 * * * *", "15 5,20 * * *", "0 1 * * 6", "0 1 * * 0-5",
           "0 23 * * 7", "0 0 13 * 5", "0 0 1,15 * mon", "0 0 */2 * 1", "0 0 13 * */2", "5-59/10 8-18/5 * * *", "0 0 29 2 *",
           "0 12 31 * *", "59 23 31 12 *", "0 0 1 jan,JUL *", "7 7 7 7 7", "*/40 */7 * * *", "0-20/10 3 */10 2-11/3 *",
           "1-5,7,10-11 4 * * mon-fri", "0 22 1-7 * sat", "0 0 * 2 sun"]


def random_entry(r):
    def field(low, high):
        kind = r.randrange(5)
        if kind < 2:
            return "*" if kind == 0 else f"*/{r.randint(1, high)}"
        items = []
        for _ in range(r.randint(1, 3)):
            a = r.randint(low, high)
            b = r.randint(a, high)
            items.append(r.choice([str(a), f"{a}-{b}", f"{a}-{b}/{r.randint(1, 7)}"]))
        return ",".join(items)
    # Days up to 28 and any month: every entry has times.
    return " ".join([field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7)])


def test_times_are_those_of_cron(bare):
    r = random.Random(4711)
    entries = ENTRIES + [random_entry(r) for _ in range(60)]
    text = "".join(f"{e} command\n" for e in entries)
    out = bare.run(CRONTAB, "-T", "-", input=text)
    blocks = re.split(r"^\d+: ", out, flags=re.M)[1:]
    assert len(blocks) == len(entries)
    base = datetime.datetime(2027, 1, 30, 11, 58, 30)
    for entry, block in zip(entries, blocks):
        got = set()
        for calendar in re.findall(r"OnCalendar=(.*)", block):
            said = bare.run("systemd-analyze", "calendar", "--iterations=25", f"--base-time={base} UTC", calendar, env={"TZ": "UTC"})
            got |= set(re.findall(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", said))
        want = [t.strftime("%Y-%m-%d %H:%M:%S") for t in next_times(entry, base + datetime.timedelta(seconds=30), 25)]
        assert sorted(got)[:25] == want, (entry, block)


def test_check_names_line_field_and_remedy(bare):
    r = bare.try_run(CRONTAB, "-T", "-", input="0 0 * * * fine\n0 24 * * * late\n")
    assert r.returncode == 1 and "-:2: hour" in r.stderr and "0-23" in r.stderr
    assert "OnCalendar=*-*-* 00:00:00" in r.stdout


# -- generator -----------------------------------------------------------------
def generate(host, enabled, own=None, **files):
    host.sh("rm -rf /root/gen; mkdir -p /root/gen/out /root/gen/site; chmod 755 /root")
    host.write("/root/gen/enabled", enabled)
    for name, text in files.items():
        host.write(f"/root/gen/site/{name}", text)
    host.run(GENERATOR, "/root/gen/out", "/root/gen/early", "/root/gen/late", env={
        "MAILSTEAD_ENABLED_SERVICES": "/root/gen/enabled", "MAILSTEAD_SITE_CRONTABS": "/root/gen/site",
        **({"MAILSTEAD_CRONTABS": own} if own else {})})
    return set(host.sh("cd /root/gen/out && ls *.timer 2>/dev/null || true").split())


def test_each_entry_of_an_enabled_service_is_a_timer(bare):
    everywhere = {f"zimbra-job-{n}.timer" for n in ("log-pruning", "log-pruning-2", "zmcleantmp", "zmstatuslog", "zmcheckexpiredcerts")}
    mta = {"zimbra-job-zmqueuelog.timer"}
    amavis = {f"zimbra-job-{n}.timer" for n in ("sa-learn", "amavis-clean-up-amavisd-tmp", "amavis-clean-up-the-quarantine-dir")}
    assert generate(bare, "ldap\n") == everywhere
    assert generate(bare, "mta\n") == everywhere | mta
    assert generate(bare, "mta\nantivirus\n") == everywhere | mta | amavis
    wants = bare.read("/root/gen/out/zimbra-schedule.target.d/jobs.conf")
    assert {line[6:] for line in wants.splitlines()[1:]} == everywhere | mta | amavis
    verify = bare.try_run("sh", "-c", "cd /root/gen/out && systemd-analyze verify --man=no ./*.timer ./*.service")
    assert "zimbra-job" not in verify.stderr, verify.stderr


def test_bad_lines_do_not_stop_the_others(bare):
    out = generate(bare, "ldap\n", site="61 * * * * bad\n0 4 * * * echo good\n\x01\n@sometimes x\n" + "x" * 9000 + "\n")
    assert any("site-echo" in name for name in out) and len(out) == 6
    log = bare.journal("-t", "zimbra-generator")
    assert "/root/gen/site/site:1: minute" in log and "@sometimes" in log


def test_generator_is_quick(bare):
    site_entries = "".join(f"{n % 60} {n % 24} * * * echo {n}\n" for n in range(50))
    generate(bare, "ldap\nmta\nmailbox\n", site=site_entries)
    ms = float(bare.sh(f"""
        export MAILSTEAD_ENABLED_SERVICES=/root/gen/enabled MAILSTEAD_SITE_CRONTABS=/root/gen/site
        a=$(date +%s%N); for i in 1 2 3 4 5 6 7 8 9 10; do {GENERATOR} /root/gen/out /root/gen/e /root/gen/l; done
        b=$(date +%s%N); echo $(( (b - a) / 10000 ))""")) / 1000
    print(f"generator with 60 jobs: {ms:.1f} ms")
    assert ms < 60      # 20 ms on an idle machine


def test_a_command_cannot_leave_its_line(bare):
    generate(bare, "ldap\n", site="X=a\" User=root\n0 0 * * * echo \"x\" \\n User=root %n $HOME\n")
    unit = bare.sh("cd /root/gen/out && cat zimbra-job-site-*.service")
    assert re.findall(r"^User=.*", unit, re.M) == ["User=zimbra"]


def test_a_link_shows_nothing_to_zimbra(bare):
    out = generate(bare, "ldap\n", site="@reboot echo up\n")
    assert len(out) == 5
    assert bare.sh("cd /root/gen/out/multi-user.target.wants && cat *").count("echo up") == 1
    bare.sh("chmod 755 /root /root/gen /root/gen/site; ln -s /etc/shadow /root/gen/site/link; mkfifo /root/gen/site/pipe")
    bare.run(GENERATOR, "/root/gen/out", "/root/gen/early", "/root/gen/late", timeout=10, env={
        "MAILSTEAD_ENABLED_SERVICES": "/root/gen/enabled", "MAILSTEAD_SITE_CRONTABS": "/root/gen/site"})
    log = wait_for(lambda: "site/pipe" in bare.journal("-t", "zimbra-generator") and bare.journal("-t", "zimbra-generator"), 10, "log")
    assert "site/link: cannot be read: Permission denied" in log and "site/pipe: is no regular file" in log


# -- a host that is set up -------------------------------------------------------
def test_timers_of_a_host(mail):
    settle(mail)
    have = timers(mail)
    assert {"zimbra-job-log-pruning", "zimbra-job-zmstatuslog", "zimbra-job-zmqueuelog", "zimbra-job-sa-learn",
            "zimbra-job-amavis-clean-up-amavisd-tmp", "zimbra-job-zmcheckexpiredcerts"} <= have
    assert not any("zmbackup" in t or "zmtrainsa" in t for t in have)
    shown = mail.run("systemctl", "show", "-p", "TimersCalendar,Persistent,AccuracyUSec,RandomizedDelayUSec", "zimbra-job-sa-learn.timer")
    assert "OnCalendar=*-*-* 23:20:00" in shown and "Persistent=yes" in shown and "AccuracyUSec=1s" in shown
    assert "RandomizedDelayUSec=0" in shown


def test_crontab_prints_the_guides_block(mail):
    lines = mail.run(CRONTAB, "-l", user="zimbra").splitlines()
    assert lines[0].startswith(START + " -- DO NOT EDIT") and any(line.startswith(END) for line in lines)
    for line in [r"30 2 * * * find /opt/zimbra/log/ -type f -name \*.log\* -mtime +8 -exec rm {} \; > /dev/null 2>&1",
                 "*/2 * * * * /opt/zimbra/libexec/zmstatuslog", "0 1 * * 6 /opt/zimbra/bin/zmbackup -f -a all",
                 "0 23 * * 7 /opt/zimbra/libexec/zmdbintegrityreport -m",
                 "0,10,20,30,40,50 * * * * /opt/zimbra/libexec/zmqueuelog",
                 "45 23 * * * /opt/zimbra/bin/zmtrainsa --cleanup >> /opt/zimbra/log/spamtrain.log 2>&1",
                 "0 1 * * * find /opt/zimbra/data/amavisd/quarantine -type f -mtime +7 -exec rm -f {} \\; > /dev/null 2>&1"]:
        assert line in lines
    at = lines.index("0 1 * * 0-5 /opt/zimbra/bin/zmbackup -i")
    assert lines[at - 1] == "# (does not run: /opt/zimbra/bin/zmbackup is not part of this release)"


def test_crontab_refuses(mail):
    for args, word in ((["-r"], "cannot go"), (["-u", "root", "-l"], "only zimbra"), (["-i"], "no meaning"), ([], "usage"),
                       (["-x"], "usage"), (["-l", "-e"], "usage"), (["-T"], "usage"), (["/no/such/file"], "/no/such/file")):
        r = crontab(mail, *args)
        assert r.returncode in (1, 2) and word in r.stderr, (args, r.stderr)
    assert "usage" in mail.run(CRONTAB, "--help")
    r = mail.try_run(CRONTAB, "-l", user="zmstat")
    assert r.returncode == 2 and "zimbra" in r.stderr
    assert mail.run("sh", "-lc", "command -v crontab", user="zimbra").strip() == CRONTAB


def test_edit_validates(mail):
    mail.write("/tmp/bad-editor", "#!/bin/sh\necho '0 25 * * * echo never' > \"$1\"\n", 0o755)
    mail.write("/tmp/good-editor", "#!/bin/sh\necho '# Greeting\n0 5 * * * echo good-morning' > \"$1\"\n", 0o755)
    r = crontab(mail, "-e", env={"EDITOR": "/tmp/bad-editor"}, input="n\n")
    assert r.returncode == 1 and "site:1: hour" in r.stderr and "retry the same edit" in r.stdout
    assert mail.try_run("test", "-e", SITE + "/site").returncode != 0
    r = crontab(mail, "-e", env={"EDITOR": "/tmp/good-editor"})
    assert r.returncode == 0, r.stderr
    assert crontab(mail, "-l").stdout.endswith("# Greeting\n0 5 * * * echo good-morning\n")
    wait_for(lambda: any("site-greeting" in t for t in timers(mail)), 20, "timer of the new entry")
    r = crontab(mail, "-e", env={"EDITOR": "true"})
    assert r.returncode == 0 and "No changes" in r.stdout
    # What -l prints can be given back; the system's block cannot be changed.
    listed = crontab(mail, "-l").stdout
    assert crontab(mail, "-", input=listed + "1 1 * * * echo more\n").returncode == 0
    assert mail.read(SITE + "/site").count("echo") == 2
    r = crontab(mail, "-", input=listed.replace("30 2 * * * find", "31 2 * * * find"))
    assert r.returncode == 1 and "@never" in r.stderr
    site(mail, "")
    follows(lambda: not any("site" in t for t in timers(mail)))


def test_the_site_moves_and_stops_jobs_of_the_system(mail):
    site(mail, "12 3 * * * /opt/zimbra/libexec/zmcleantmp\n@never /opt/zimbra/libexec/zmqueuelog\n")
    follows(lambda: "*-*-* 03:12:00" in mail.run("systemctl", "show", "-p", "TimersCalendar", "zimbra-job-zmcleantmp.timer"))
    follows(lambda: "zimbra-job-zmqueuelog" not in timers(mail))
    assert "# (runs at 12 3 * * * on this site, see below)\n40 2 * * * /opt/zimbra/libexec/zmcleantmp" in crontab(mail, "-l").stdout
    site(mail, "")
    follows(lambda: "zimbra-job-zmqueuelog" in timers(mail))
    follows(lambda: "*-*-* 02:40:00" in mail.run("systemctl", "show", "-p", "TimersCalendar", "zimbra-job-zmcleantmp.timer"))


def test_further_files_of_the_site_count(mail):
    mail.write(SITE + "/extra", "# Extra\nWHO=zimbra\n0 6 * * * test $(id -un) = \"$WHO\" && cat > /tmp/extra%in%put\n")
    name = wait_for(lambda: next((t for t in timers(mail) if "site-extra" in t), None), 20, "timer")
    assert start(mail, name).returncode == 0
    assert mail.read("/tmp/extra") == "in\nput\n"
    mail.run("rm", SITE + "/extra")
    wait_for(lambda: name not in timers(mail), 20, "end of the timer")


def test_missed_job_runs_once(mail):
    mail.write(SITE + "/daily", "# Persist\n0 6 * * * date >> /tmp/persist\n")
    name = wait_for(lambda: next((t for t in timers(mail) if "site-persist" in t), None), 20, "timer")
    assert mail.try_run("test", "-e", "/tmp/persist").returncode != 0
    mail.sh(f"systemctl stop {name}.timer; touch -d '3 days ago' /var/lib/systemd/timers/stamp-{name}.timer")
    mail.run("systemctl", "start", "zimbra-schedule.target")
    wait_for(lambda: mail.try_run("test", "-s", "/tmp/persist").returncode == 0, 20, "the missed run")
    time.sleep(2)
    assert len(mail.read("/tmp/persist").splitlines()) == 1
    mail.run("rm", SITE + "/daily")
    wait_for(lambda: name not in timers(mail), 20, "end of the timer")


def test_failed_job_is_an_alert_with_its_output(mail):
    site(mail, "# Fails\n0 6 * * * test ! -e /tmp/fail || { echo the disk is sad; exit 4; }\n")
    name = follows(lambda: next((t for t in timers(mail) if "site-fails" in t), None))
    unit = f"{name}.service"
    mail.run("touch", "/tmp/fail")
    assert start(mail, name).returncode != 0
    row = wait_for(lambda: records(mail, "job-failed", unit), 20, "alert")[0]
    assert "status 4" in row["MESSAGE"] and row["ALERT_OUTPUT"] == "the disk is sad\n"
    mail.run("rm", "/tmp/fail")
    assert start(mail, name).returncode == 0
    wait_for(lambda: records(mail, "job-ok", unit), 20, "all-clear")
    assert start(mail, name).returncode == 0
    time.sleep(1)
    assert len(records(mail, "job-ok", unit)) == 1
    listed = [line for line in mail.run("/opt/zimbra/bin/zmalert", "list").splitlines() if unit in line]
    assert len(listed) == 2 and "job-failed" in listed[0] and "job-ok" in listed[1]
    site(mail, "")


# -- the jobs ---------------------------------------------------------------------
def old(host, path, days, owner="zimbra"):
    host.sh(f"mkdir -p $(dirname {path}); echo x > {path}; chown {owner} {path}; touch -d '{days} days ago' {path}")


def there(host, path):
    return host.try_run("test", "-e", path).returncode == 0


def test_log_pruning(mail):
    log = "/opt/zimbra/log/"
    old(mail, log + "mailbox.log.2026-01-01", 10)
    old(mail, log + "mailbox.log.2026-01-02", 7)
    old(mail, log + "zmmailboxd.out.202601010101", 10)
    old(mail, log + "other.txt", 10)
    old(mail, log + "stacktrace.1", 10)
    for job in ("log-pruning", "log-pruning-2", "store-log-pruning", "store-log-pruning-2"):
        assert start(mail, f"zimbra-job-{job}").returncode == 0
    left = mail.run("ls", log)
    assert "other.txt" in left and "2026-01-02" in left
    assert not any(name in left for name in ("2026-01-01", "zmmailboxd.out", "stacktrace"))


def test_amavis_and_quarantine_are_cleaned(mail):
    data = "/opt/zimbra/data/amavisd/"
    mail.sh(f"mkdir -p {data}tmp/amavis-old/parts {data}tmp/amavis-new; chown -R amavis:amavis {data}tmp/amavis-*; "
            f"touch -d '3 days ago' {data}tmp/amavis-old")
    old(mail, data + "quarantine/virus-old", 9, "amavis")
    old(mail, data + "quarantine/virus-new", 6, "amavis")
    assert start(mail, "zimbra-job-amavis-clean-up-amavisd-tmp").returncode == 0
    assert start(mail, "zimbra-job-amavis-clean-up-the-quarantine-dir").returncode == 0
    assert not there(mail, data + "tmp/amavis-old") and there(mail, data + "tmp/amavis-new")
    assert not there(mail, data + "quarantine/virus-old") and there(mail, data + "quarantine/virus-new")


def test_temporary_files_are_cleaned(mail):
    old(mail, "/opt/zimbra/data/tmp/old", 9)
    old(mail, "/opt/zimbra/data/tmp/new", 1)
    assert start(mail, "zimbra-job-zmcleantmp").returncode == 0
    assert not there(mail, "/opt/zimbra/data/tmp/old") and there(mail, "/opt/zimbra/data/tmp/new")


def log_lines(host, what):
    return [line for line in host.journal("-t", "zimbramon", "-o", "cat").splitlines() if what in line]


def test_status_is_logged(mail):
    assert start(mail, "zimbra-job-zmstatuslog").returncode == 0
    line = wait_for(lambda: next((x for x in log_lines(mail, " mta: ")), None), 10, "record")
    assert re.fullmatch(rf"\d+:info: \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d, STATUS: {HOST}: mta: Running", line)
    try:
        mail.run("/opt/zimbra/bin/zmmemcachedctl", "stop")
        assert start(mail, "zimbra-job-zmstatuslog").returncode == 0
        wait_for(lambda: any("memcached: Stopped" in x for x in log_lines(mail, "memcached")), 10, "record")
    finally:
        mail.run("/opt/zimbra/bin/zmmemcachedctl", "start")
    changes = [x.split()[-2:] for x in mail.run("/opt/zimbra/libexec/zmstatuslog", "--changes=1").splitlines()]
    assert ["memcached", "Running"] in changes and ["memcached", "Stopped"] in changes
    facility = mail.run("journalctl", "-t", "zimbramon", "-o", "json", "-n", "1")
    assert json.loads(facility)["SYSLOG_FACILITY"] == "17"


def test_queue_is_logged(mail):
    assert start(mail, "zimbra-job-zmqueuelog").returncode == 0
    line = wait_for(lambda: next((x for x in log_lines(mail, "QUEUE: ")), None), 10, "record")
    assert re.search(r", QUEUE: \d+ \d+$", line)


def test_bayes_database_is_expired(mail):
    learn = ("/usr/bin/sa-learn -p /opt/zimbra/conf/salocal.cf --dbpath /opt/zimbra/data/amavisd/.spamassassin "
             "--siteconfigpath /opt/zimbra/conf/amavis/spamassassin ")
    def magic():
        said = mail.run("runuser", "-u", "amavis", "--", "sh", "-c", learn + "--dump magic")
        return {line.split("non-token data: ")[1]: int(line.split()[2]) for line in said.splitlines() if "non-token data: " in line}

    mail.write("/tmp/spam", "From: a@b.c\nSubject: buy lottery winners\n\ncheap pills and lottery prizes for you\n")
    mail.sh("rm -f /opt/zimbra/data/amavisd/.spamassassin/bayes_*")
    mail.run("runuser", "-u", "amavis", "--", "sh", "-c", learn + "--spam /tmp/spam")
    assert magic()["nspam"] == 1 and magic()["last expiry atime"] == 0
    r = start(mail, "zimbra-job-sa-learn")
    assert r.returncode == 0, mail.journal("-u", "zimbra-job-sa-learn.service")
    assert magic()["nspam"] == 1 and magic()["last expiry atime"] > 0
    # What amavisd reads is what the job expires.
    assert there(mail, "/opt/zimbra/data/amavisd/.spamassassin/bayes_toks")


def test_daily_report_is_mailed(mail):
    # At 23:30 of the three times that the guide names.
    assert "*-*-* 23:30:00" in mail.run("systemctl", "show", "-p", "TimersCalendar", "zimbra-job-zmdailyreport.timer")
    r = start(mail, "zimbra-job-zmdailyreport")
    assert r.returncode == 0, mail.journal("-u", "zimbra-job-zmdailyreport.service")
    arrived(mail, appliance.ADMIN, appliance.PASSWORD, "Daily mail report", timeout=60)


def test_certificates_are_checked(mail):
    command = "/opt/zimbra/libexec/zmcheckexpiredcerts"
    cert = "/opt/zimbra/ssl/zimbra/server/server.crt"
    assert mail.run(command, "-days", "30").count("expires on") == 2
    assert mail.try_run(command, "-days", "x").returncode == 2
    keep = mail.read(cert)
    try:
        mail.sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 12 -subj /CN=short "
                f"-keyout /tmp/short.key -out /tmp/short.pem; cat /tmp/short.pem > {cert}")
        assert mail.try_run(command).returncode == 1
        assert start(mail, "zimbra-job-zmcheckexpiredcerts").returncode == 0
        row = wait_for(lambda: mail.try_run("journalctl", "-o", "json", "ALERT=certificate-expiring").stdout, 10, "alert")
        assert json.loads(row.splitlines()[0])["ALERT_DAYS"] == "12"
    finally:
        mail.write(cert, keep)
    mail.run("systemctl", "reload", "zimbra-alerts.service")


def test_jobs_follow_the_enabled_services(mail):
    assert "zimbra-job-sa-learn" in timers(mail)
    mail.zmprov("ms", HOST, "-zimbraServiceEnabled", "antispam", "-zimbraServiceEnabled", "antivirus")
    wait_for(lambda: "zimbra-job-sa-learn" not in timers(mail), 60, "end of the timer")
    assert "zimbra-job-zmqueuelog" in timers(mail)
    assert "sa-learn" not in mail.run(CRONTAB, "-l", user="zimbra")
    mail.zmprov("ms", HOST, "+zimbraServiceEnabled", "antispam", "+zimbraServiceEnabled", "antivirus")
    wait_for(lambda: "zimbra-job-sa-learn" in timers(mail), 60, "timer again")
    wait_for(lambda: mail.state("zimbra-job-sa-learn.timer") == "active", 20, "timer runs")


def test_no_job_failed_meanwhile(mail):
    failed = mail.run("systemctl", "list-units", "--plain", "--no-legend", "--state=failed", "zimbra-job-*")
    assert failed.strip() == ""
