#!/usr/bin/python3
"""Figures of the configuration engine on one set-up host: how long a change takes to be
heard of and to be served, what a burst costs, what zmconfigd needs at rest. Prints, judges
nothing. configd.py [CHANGES]: how many of each (200)."""
import pathlib
import re
import smtplib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import appliance  # noqa: E402
from lab.changes import Notices, Writer  # noqa: E402
from lab.lab import Lab, wait_for  # noqa: E402

SERVICE = "zimbra-configd.service"
BURST = 1000


def quantiles(name, seconds):
    s = sorted(seconds)
    at = [s[min(len(s) - 1, int(len(s) * q))] * 1000 for q in (0.5, 0.95, 0.99)]
    print(f"{name}: p50 {at[0]:.1f} ms, p95 {at[1]:.1f} ms, p99 {at[2]:.1f} ms, max {s[-1] * 1000:.1f} ms ({len(s)} changes)", flush=True)


def postfix_offers(host):
    with smtplib.SMTP(host.address, 25, timeout=10) as s:
        s.ehlo("bench.example.test")
        return int(s.esmtp_features["size"])


def nginx_offers_top(host):
    with socket.create_connection((host.address, 110), 10) as s:
        f = s.makefile("rwb", 0)
        f.readline()
        f.write(b"CAPA\r\n")
        lines = []
        while (line := f.readline().strip()) not in (b".", b""):
            lines.append(line)
        return b"TOP" in lines


def until(condition, start):
    while not condition():
        if time.monotonic() > start + 60:
            raise AssertionError("a change was not served within a minute")
        time.sleep(0.005)
    return time.monotonic() - start


def notified(host, writer, n):
    notices, late = Notices(host), []
    for i in range(n):
        seen = len(notices.seen)
        sent, _ = writer.modify("uid=bench,ou=people,dc=example,dc=test", "description", i)
        while not any(dn.startswith("uid=bench,") for _, dn in notices.seen[seen:]):
            time.sleep(0.0002)
        late.append(next(t for t, dn in notices.seen[seen:] if dn.startswith("uid=bench,")) - sent)
        time.sleep(0.02)
    quantiles("LDAP modify -> notified", late)


def served_by_nginx(host, writer, n):
    took = []
    for i in range(n):
        top = i % 2 == 0
        sent, _ = writer.configure("zimbraReverseProxyPop3EnabledCapability", "TOP" if top else "UIDL")
        took.append(until(lambda: nginx_offers_top(host) == top, sent))
    quantiles("LDAP modify -> nginx serves it", took)


def served_by_postfix(host, writer, n):
    took = []
    for i in range(n):
        sent, _ = writer.configure("zimbraMtaMaxMessageSize", 31_000_000 + i)
        took.append(until(lambda: postfix_offers(host) == 31_000_000 + i, sent))
    quantiles("LDAP modify -> Postfix serves it, live probe included", took)


def burst(host, writer):
    def applied():
        return host.journal("-u", SERVICE, "--grep", "postfix: generation .* is in force").count("is in force")
    before, start = applied(), time.monotonic()
    for i in range(BURST):
        writer.configure("zimbraMtaMaxMessageSize", 32_000_000 + i)
    written = time.monotonic() - start
    whole = until(lambda: postfix_offers(host) == 32_000_000 + BURST - 1, start)
    time.sleep(2)
    print(f"burst of {BURST}: written in {written:.2f} s, served {whole - written:.2f} s after the last, {applied() - before} reloads of Postfix", flush=True)


def at_rest(host, seconds=60):
    pid = host.pid(SERVICE)

    def ticks():
        fields = host.read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def switches():
        return sum(int(n) for n in re.findall(r"voluntary_ctxt_switches:\s+(\d+)", host.sh(f"cat /proc/{pid}/task/*/status")))
    time.sleep(20)                     # the watch over the last change ends
    before, woken = ticks(), switches()
    time.sleep(seconds)
    rss = int(re.search(r"VmRSS:\s+(\d+)", host.read(f"/proc/{pid}/status")).group(1))
    anonymous = int(re.search(r"RssAnon:\s+(\d+)", host.read(f"/proc/{pid}/status")).group(1))
    print(f"at rest: {rss} kB resident ({anonymous} kB of its own), {(ticks() - before) / seconds:.2f} % CPU, {switches() - woken} wake-ups in {seconds} s", flush=True)


def cold_render(host):
    facts = host.sh("grep -v ^SERVICE /opt/zimbra/conf/configd.d/values")     # without services: every folder
    host.write("/tmp/bench-values", facts)
    times = []
    for _ in range(10):
        out = host.sh("rm -rf /tmp/bench; s=$(date +%s%N); /opt/zimbra/libexec/zmconfigd --render-only /tmp/bench --facts /tmp/bench-values; "
                      "e=$(date +%s%N); echo $((e - s)); find /tmp/bench -type f | wc -l")
        ns, files = out.split()[-2:]
        times.append(int(ns) / 1e9)
    quantiles(f"cold render of all {files} files, process start included", times)


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    lab = Lab()
    try:
        host = appliance.one_host(lab)
        host.zmprov("ca", "bench@example.test", appliance.PASSWORD)
        wait_for(lambda: nginx_offers_top(host) is not None, 30, "nginx")
        writer = Writer(host)
        notified(host, writer, n)
        served_by_nginx(host, writer, n)
        served_by_postfix(host, writer, n)
        burst(host, writer)
        cold_render(host)
        at_rest(host)
        writer.close()
    finally:
        lab.close()


main()
