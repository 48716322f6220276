"""The manual and the programs say the same: every program has a manual page, --help and an
answer to wrong options; what docs/admin shows exists; pages and tables are clean."""
import functools
import importlib.machinery
import importlib.util
import os
import re
import shlex
import subprocess

import pytest

from lab.lab import TOP

ADMIN = sorted((TOP / "docs/admin").glob("*.md"))
MAN = TOP / "docs/man"
TREE = TOP / "build/tree"
PROGRAMS = ("opt/zimbra/bin", "opt/zimbra/libexec")
# Called by its other names only; without one of them it says so and ends with 2.
NAMELESS = {"zmctl"}


def is_ours(path):
    """No link to one of Debian's programs, which has its own page."""
    return not path.is_dir() and not (path.is_symlink() and os.readlink(path).startswith("/usr/"))


def programs():
    """Names of everything installed in bin and libexec, with the folder."""
    found = {p.name: "/" + folder for folder in PROGRAMS for p in (TREE / folder).iterdir() if is_ours(p)}
    assert found, "build/tree is empty: make tree"
    return found


def named_in_man_pages():
    """Every name in a NAME section, and every installed page."""
    names = {p.name.rsplit(".", 1)[0] for p in (TREE / "usr/share/man").glob("man*/*")}
    for page in MAN.iterdir():
        text = page.read_text().replace("\\-", "-")
        section = re.search(r"^\.SH NAME\n(.*?)(?=^\.SH )", text, re.M | re.S)
        if section:
            names.update(re.findall(r"[\w@-]+", section.group(1).split(" - ")[0]))
    return names


@functools.lru_cache(None)
def manual(name):
    """Text of all manual pages that name NAME, with plain hyphens."""
    out = ""
    for page in MAN.iterdir():
        text = page.read_text().replace("\\-", "-")
        if re.search(r"(?<![\w-])%s(?![\w-])" % re.escape(name), text.split(".SH SYNOPSIS")[0]):
            out += re.sub(r'\\f.|"', "", text)
    return out


@pytest.fixture(scope="module")
def helps(bare):
    """name -> (exit status, output of --help, of a wrong option: exit status, standard error)."""
    out = {}
    for name, folder in programs().items():
        good = bare.try_run(f"{folder}/{name}", "--help", timeout=20)
        wrong = bare.try_run(f"{folder}/{name}", "--no-such-option", timeout=20)
        out[name] = (good.returncode, good.stdout, wrong.returncode, wrong.stderr)
    return out


def test_every_program_has_a_manual_page():
    missing = sorted(set(programs()) - named_in_man_pages())
    assert not missing, f"no manual page names {missing}"


def test_every_manual_page_is_installed():
    installed = {p.name for p in (TREE / "usr/share/man").glob("man*/*")}
    assert {p.name for p in MAN.iterdir()} <= installed


def test_help_ends_well_and_shows_usage(helps):
    bad = {n: h[:2] for n, h in helps.items() if n not in NAMELESS
           and (h[0] != 0 or not re.search(r"^\s*(?:[Uu]sage:.*|(?:\S*/)?%s\b.*)$" % re.escape(n), h[1], re.M))}
    assert not bad


def test_wrong_options_are_refused_with_a_message(helps):
    bad = {n: h[2:] for n, h in helps.items() if h[2] == 0 or not h[3].strip()}
    assert not bad


# -- what the administrator's manual shows ---------------------------------

def commands_of(page):
    """(line number, words) of each zm… command in fenced blocks. Where a block has prompts,
    lines without one are output."""
    fence, lines, number = False, [], 0
    blocks = []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.lstrip().startswith("```"):
            if fence:
                blocks.append(lines)
            fence, lines = not fence, []
        elif fence:
            lines.append((number, line))
    for block in blocks:
        prompts = any(re.match(r"\s*[#$] (zm\w+|ldap) ", line + " ") for _, line in block)
        for number, line in block:
            m = re.match(r"\s*[#$] (.*)" if prompts else r"\s*(.*)", line)
            for command in split(m.group(1)) if m else ():
                yield number, command


def split(line):
    """The zm… commands of a shell line (pipes and lists taken apart)."""
    line = line.split("   #")[0].replace("\\|", "\0")
    for part in re.split(r"\s(?:\||&&|;)\s", " " + line):
        part = part.replace("\0", "\\|").strip().rstrip("\\")
        if not re.match(r"(?:/opt/zimbra/\w+/)?(?:zm\w+|ldap)(?:\s|$)", part):
            continue
        try:
            yield shlex.split(part)
        except ValueError:
            yield part.split()


def inline(page):
    """(line number, text) of each `code` of a page outside fenced blocks."""
    fence = False
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.lstrip().startswith("```"):
            fence = not fence
        elif not fence and not line.startswith("    "):
            for code in re.findall(r"`([^`]+)`", line):
                yield number, code


@functools.lru_cache(None)
def schema():
    names = set()
    for table in ("attributes.tsv", "aliases.tsv"):
        names.update(line.split("\t")[0] for line in (TOP / "schema" / table).read_text().splitlines()[1:])
    return names


@functools.lru_cache(None)
def local_keys():
    return set(re.findall(r'^    \{ "(\w+)"', (TOP / "lib/localconfig/keys.c").read_text(), re.M))


@functools.lru_cache(None)
def other_words():
    """Words with underscores that something else of the tree gives a meaning to."""
    words = set()
    for pattern in ("templates/**/*", "agents/**/*.c", "configd/*.c", "units/**/*", "lib/**/*.c"):
        for path in TOP.glob(pattern):
            if path.is_file():
                words.update(re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", path.read_text(errors="replace")))
    return words


def users():
    """name -> number, as strings."""
    return dict(re.findall(r"^[ug] (\S+)\s+(\d+)", (TOP / "units/sysusers/mailstead.conf").read_text(), re.M))


@functools.lru_cache(None)
def named_elsewhere():
    """Users, folders of /opt/zimbra and programs of the guide's crontabs, some of which do not exist yet."""
    words = set(re.findall(r"/opt/zimbra/(\w+)\s", (TOP / "units/tmpfiles/mailstead.conf").read_text()))
    words.update(users())
    for crontab in TOP.glob("crontabs/crontab*"):
        words.update(re.findall(r"/(zm[a-z-]+)", crontab.read_text()))
    return words


@pytest.fixture(scope="module")
def zmprov_commands(bare):
    """name and short name -> help line."""
    out = {}
    for line in bare.run("/opt/zimbra/bin/zmprov", "help", "commands").splitlines():
        m = re.match(r"\s*(\w+)\(([\w?]+)\)(.*)", line)
        if m:
            out[m.group(1).lower()] = out[m.group(2).lower()] = m.group(3)
    assert len(out) > 50
    return out


def check_zmprov(words, commands):
    while words and words[0].startswith("-"):
        words = words[2 if words[0] in ("-f", "-a", "-p", "-P", "-s") else 1:]
    if not words:
        return None
    if words[0].lower() not in commands:
        return f"zmprov has no command {words[0]}"
    usage = commands[words[0].lower()]
    for w in words[1:]:
        name = w.lstrip("+-")
        if re.match(r"[+-]?zimbra[A-Z]\w*$", w) and name not in schema():
            return f"no attribute {name}"
        if re.match(r"-\w{1,2}$", w) and f" {w}" not in usage.replace("[", " "):
            return f"{words[0]} has no option {w}"
    return None


def check_options(name, words, help_text):
    known = help_text + manual(name)
    for w in words:
        option = w.split("=")[0]
        if re.match(r"--\w", option) and not re.search(re.escape(option) + r"(?![\w-])", known):
            return f"{name} has no option {option}"
        if re.match(r"-\w$", option) and not re.search(r"(?<![\w-])-\w*%s" % option[1], known):
            return f"{name} has no option {option}"
    return None


def check_words(name, words, known):
    """The first word of commands that take one: a verb their help or manual knows."""
    verbs = [w for w in words if not w.startswith("-")]
    if verbs and (name.endswith("ctl") or name in ("zmcontrol", "zmalert")):
        if not re.search(r"\b%s\b" % re.escape(verbs[0]), known):
            return f"{name} has no verb {verbs[0]}"
    return None


def check_command(words, helps, commands):
    name = words[0].rsplit("/", 1)[-1]
    if name not in helps:
        return f"there is no program {name}"
    if name == "zmprov":
        return check_zmprov(words[1:], commands)
    known = helps[name][1] + manual(name)
    if name == "zmlocalconfig":
        for w in words[1:]:
            key = w.split("=")[0]
            if not w.startswith("-") and key not in local_keys() and key not in schema():
                return f"no localconfig key {key}"
    return check_options(name, words[1:], helps[name][1]) or check_words(name, words[1:], known)


@pytest.mark.parametrize("page", ADMIN, ids=lambda p: p.stem)
def test_commands_shown_exist(page, helps, zmprov_commands):
    problems = []
    shown = list(commands_of(page))
    for number, code in inline(page):
        if "…" not in code:
            shown += [(number, words) for words in split(code) if len(words) > 1]
    for number, words in shown:
        problem = check_command(words, helps, zmprov_commands)
        if problem:
            problems.append(f"{page.name}:{number}: {problem}: {' '.join(words)}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("page", ADMIN, ids=lambda p: p.stem)
def test_names_shown_exist(page):
    problems = []
    for number, code in inline(page):
        if re.fullmatch(r"[+-]?zimbra[A-Z]\w*", code):
            if code.lstrip("+-") not in schema():
                problems.append(f"{page.name}:{number}: no attribute {code}")
        elif re.fullmatch(r"[a-z]+(?:_[a-z0-9]+)+", code) and page.stem != "statistics":   # columns: test_stats.py
            if code not in local_keys() | other_words():
                problems.append(f"{page.name}:{number}: nothing reads {code}")
        elif re.fullmatch(r"zm[a-z-]+", code) and page.stem != "departures":
            if code not in programs() and code not in named_in_man_pages() and code not in named_elsewhere():
                problems.append(f"{page.name}:{number}: there is no program {code}")
    assert not problems, "\n".join(problems)


def anchors(page):
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


@pytest.mark.parametrize("page", [*ADMIN, *sorted((TOP / "docs/decisions").glob("*.md")), TOP / "README.md",
                                  TOP / "docs/architecture.md"], ids=lambda p: p.stem)
def test_links_resolve(page):
    problems = []
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        if not goal.exists():
            problems.append(f"{page.name}: {target} leads nowhere")
        elif anchor and goal.suffix == ".md" and anchor not in anchors(goal):
            problems.append(f"{page.name}: {target}: no such heading")
    assert not problems, "\n".join(problems)


def test_every_page_is_in_the_index():
    index = (TOP / "docs/admin/README.md").read_text()
    missing = [p.name for p in ADMIN if p.name != "README.md" and f"({p.name})" not in index]
    assert not missing


def test_overview_names_every_service_and_user():
    text = (TOP / "docs/admin/overview.md").read_text()
    services = re.findall(r'\.name = "(\w+)", \.unit = "([^"]+)"', (TOP / "lib/service/table.c").read_text())
    assert services
    # The milter is a part of mta as well and has no row of its own.
    missing = [name for name, unit in services if name != "milter" and f"| {name} | `{unit}` |" not in text]
    missing += [u for u, number in users().items() if u != "postdrop" and not re.search(rf"{u}`? \(?{number}", text)]
    assert not missing


def test_table_of_alerts_is_the_catalogue(bare):
    loader = importlib.machinery.SourceFileLoader("alerts_table", str(TOP / "docs/alerts-table"))
    spec = importlib.util.spec_from_loader("alerts_table", loader)
    alerts_table = importlib.util.module_from_spec(spec)
    loader.exec_module(alerts_table)
    source = (TOP / "lib/alert/catalogue.c").read_text()
    assert alerts_table.table(source) in (TOP / "docs/admin/alerts.md").read_text(), "run docs/alerts-table"
    printed = [re.split(r"\s{2,}", line, 2) for line in bare.run("/opt/zimbra/bin/zmalert", "catalogue").splitlines()]
    assert [(p[0], p[2]) for p in printed] == [(r[0], r[2]) for r in alerts_table.rows(source)]


# -- manual pages -------------------------------------------------------------

@pytest.mark.parametrize("page", sorted(MAN.iterdir()), ids=lambda p: p.name)
def test_manual_page_is_clean(page):
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(page)], capture_output=True, text=True)
    # Pages have no date: they belong to the tree, which has one.
    complaints = [c for c in lint.stdout.splitlines() if "missing date" not in c]
    groff = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8", str(page)], capture_output=True, text=True)
    complaints += groff.stderr.splitlines()
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("page", sorted(MAN.iterdir()), ids=lambda p: p.name)
def test_manual_page_has_its_sections(page):
    text = page.read_text()
    heads = re.findall(r"^\.SH (.*)$", text, re.M)
    assert heads[:1] == ["NAME"] and "DESCRIPTION" in heads
    for name, section in re.findall(r"^\.BR ([\w\\-]+) \((\d)\)", text, re.M):
        name = name.replace("\\-", "-")
        if name.startswith("zm"):
            assert (MAN / f"{name}.{section}").exists() or any(
                p.name == f"{name}.{section}" for p in (TREE / "usr/share/man").glob("man*/*")), f"{name}({section})"
