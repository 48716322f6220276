"""zmprov and zmlocalconfig on a booted host. What a command did is read back with ldapsearch,
not with zmprov."""
import base64
import json
import re

import pytest

BASE = "ou=people,dc=example,dc=test"


@pytest.fixture(scope="module")
def prov(mail):
    return Prov(mail)


class Prov:
    def __init__(self, host):
        self.host = host
        secret = host.run("/opt/zimbra/bin/zmlocalconfig", "-s", "-m", "nokey", "zimbra_ldap_password").strip()
        self.bind = ["-x", "-H", "ldapi:///", "-D", "uid=zimbra,cn=admins,cn=zimbra", "-w", secret]

    def __call__(self, *argv, **kw):
        return self.host.zmprov(*argv, **kw)

    def fails(self, *argv, **kw):
        """The error's name and text; exit status is 2 and nothing on stdout."""
        r = self.host.try_run("/opt/zimbra/bin/zmprov", *argv, user="zimbra", **kw)
        assert r.returncode == 2, (argv, r.stdout, r.stderr)
        m = re.fullmatch(r"ERROR: (\S+) \((.*)\)\n", r.stderr, re.S)
        assert m, r.stderr
        return m.groups()

    def search(self, filter, base="", scope="sub"):
        """{dn: {attr: [values]}} by ldapsearch."""
        out = self.host.run("ldapsearch", *self.bind, "-LLL", "-o", "ldif-wrap=no", "-b", base, "-s", scope, filter)
        entries = {}
        for block in out.strip().split("\n\n"):
            entry = {}
            for line in filter_lines(block):
                name, value = line.split(":", 1)
                value = base64.b64decode(value[2:]).decode(errors="replace") if value.startswith(": ") else value.strip()
                entry.setdefault(name, []).append(value)
            if entry:
                entries[entry.pop("dn")[0]] = entry
        return entries

    def one(self, filter, base=""):
        found = self.search(filter, base)
        assert len(found) == 1, (filter, list(found))
        return next(iter(found.values()))

    def account(self, name):
        return self.one(f"(&(objectClass=zimbraAccount)(zimbraMailDeliveryAddress={name}))")

    def login(self, dn, password):
        return self.host.try_run("ldapwhoami", "-x", "-H", "ldapi:///", "-D", dn, "-w", password).returncode == 0


def filter_lines(block):
    return [line for line in block.splitlines() if line and not line.startswith("#")]


def pairs(out):
    return [tuple(line.split(": ", 1)) for line in out.splitlines() if ": " in line]


# ---- accounts ----

def test_create_account(prov):
    ident = prov("createAccount", "Joe@Example.Test", "test123", "displayName", "Joe Doe", "zimbraPrefSaveToSent", "false").strip()
    e = prov.account("joe@example.test")
    assert e["zimbraId"] == [ident] and re.fullmatch(r"[0-9a-f-]{36}", ident)
    assert e["mail"] == ["joe@example.test"] and e["uid"] == ["joe"]
    assert e["displayName"] == e["cn"] == e["sn"] == ["Joe Doe"]
    assert e["zimbraPrefSaveToSent"] == ["FALSE"]
    assert e["zimbraAccountStatus"] == ["active"] and e["zimbraMailStatus"] == ["enabled"]
    assert e["zimbraMailHost"] == ["mail.example.test"]
    assert e["zimbraMailTransport"] == ["lmtp:mail.example.test:7025"]
    assert re.fullmatch(r"\d{14}Z", e["zimbraCreateTimestamp"][0])
    assert {"inetOrgPerson", "zimbraAccount", "amavisAccount"} <= set(e["objectClass"])
    assert e["userPassword"][0].startswith("{") and "test123" not in e["userPassword"][0]
    assert prov.login(f"uid=joe,{BASE}", "test123")


def test_create_account_is_refused(prov):
    prov("ca", "once@example.test", "test123")
    assert prov.fails("ca", "ONCE@example.test", "test123")[0] == "account.ACCOUNT_EXISTS"
    assert prov.fails("ca", "x@nowhere.test", "test123") == ("account.NO_SUCH_DOMAIN", "no such domain: nowhere.test")
    assert prov.fails("ca", "weak@example.test", "abc")[0] == "account.INVALID_PASSWORD"
    assert prov.fails("ca", "a b@example.test", "test123")[0] == "service.INVALID_REQUEST"
    assert prov.fails("ca", "v@example.test", "test123", "zimbraPrefSaveToSent", "maybe")[0] == "account.INVALID_ATTR_VALUE"
    assert prov.fails("ca", "v@example.test", "test123", "zimbraNoSuch", "1")[0] == "account.INVALID_ATTR_NAME"
    assert prov.fails("ca", "v@example.test", "test123", "displayName")[0] == "service.INVALID_REQUEST"
    assert prov.search(f"(|(uid=weak)(uid=v))", BASE) == {}


def test_account_without_password(prov):
    prov("ca", "nopass@example.test", "")
    assert "userPassword" not in prov.account("nopass@example.test")


def test_set_password(prov):
    prov("ca", "pw@example.test", "test123")
    dn = f"uid=pw,{BASE}"
    prov("sp", "pw@example.test", "Pässwört 1")
    assert not prov.login(dn, "test123") and prov.login(dn, "Pässwört 1")
    prov("setPassword", "pw@example.test", "-", input="from stdin 2\n")
    assert prov.login(dn, "from stdin 2")
    prov.host.write("/tmp/pw", "from-file-3\n", 0o644)
    prov("sp", "pw@example.test", "@/tmp/pw")
    assert prov.login(dn, "from-file-3")
    assert "zimbraPasswordModifiedTime" in prov.account("pw@example.test")
    assert prov.fails("sp", "pw@example.test", "")[0] == "account.INVALID_PASSWORD"
    assert prov.fails("cps", "pw@example.test", "abc")[0] == "account.INVALID_PASSWORD"
    assert "passed" in prov("cps", "pw@example.test", "abcdefgh")


def test_modify_account(prov):
    prov("ca", "mod@example.test", "test123", "telephoneNumber", "1", "telephoneNumber", "2")
    prov("ma", "mod@example.test", "+telephoneNumber", "3", "-telephoneNumber", "1", "zimbraPrefSaveToSent", "TRUE",
         "zimbraMailQuota", "100M", "description", "a: b\\c #d")
    e = prov.account("mod@example.test")
    assert sorted(e["telephoneNumber"]) == ["2", "3"]
    assert e["zimbraMailQuota"] == [str(100 * 1024 * 1024)] and e["description"] == ["a: b\\c #d"]
    prov("ma", "mod@example.test", "+telephoneNumber", "3", "-telephoneNumber", "1")      # twice is no error
    prov("ma", "mod@example.test", "telephoneNumber", "", "zimbraMailQuota", "")
    e = prov.account("mod@example.test")
    assert "telephoneNumber" not in e and "zimbraMailQuota" not in e
    before = prov.account("mod@example.test")
    for words in (["zimbraMailQuota", "much"], ["zimbraId", "1"], ["mail", "x@example.test"], ["zimbraMtaMaxMessageSize", "1"],
                  ["zimbraAccountStatus", "lockout"], ["zimbraAccountStatus", "asleep"], ["zimbraMailHost", "no.such.host"],
                  ["zimbraCOSId", "nothing"], ["userPassword", "plain"], ["displayName", "x", "zimbraNoSuch", "1"]):
        prov.fails("ma", "mod@example.test", *words)
    assert prov.account("mod@example.test") == before


def test_status_decides_mail(prov):
    prov("ca", "status@example.test", "test123")
    for status, mail in (("closed", "disabled"), ("active", "enabled"), ("pending", "disabled"), ("locked", "enabled"),
                         ("maintenance", "enabled")):
        prov("ma", "status@example.test", "zimbraAccountStatus", status)
        assert prov.account("status@example.test")["zimbraMailStatus"] == [mail], status


def test_get_account(prov):
    prov("ca", "get@example.test", "test123", "displayName", "Getter")
    out = prov("ga", "get@example.test")
    assert out.startswith("# name get@example.test\n") and out.endswith("\n\n")
    names = [name for name, _ in pairs(out)]
    assert names == sorted(names) and ("displayName", "Getter") in pairs(out)
    assert ("zimbraPasswordMinLength", "6") in pairs(out), "inherited of the COS"
    assert ("userPassword", "VALUE-BLOCKED") in pairs(out)
    assert "zimbraPasswordMinLength" not in prov("ga", "-e", "get@example.test")
    ident = prov.account("get@example.test")["zimbraId"][0]
    assert prov("GA", ident, "DISPLAYNAME", "mail") == "# name get@example.test\ndisplayName: Getter\nmail: get@example.test\n\n"
    assert prov("getaccount", "get", "uid") == "# name get@example.test\nuid: get\n\n", "default domain"
    assert prov.fails("ga", "no@example.test") == ("account.NO_SUCH_ACCOUNT", "no such account: no@example.test")
    assert prov("ga", "get@example.test", "mail=get@example.test", "mail=x") == "# name get@example.test\nmail: get@example.test\n\n"


def test_list_accounts(prov):
    prov("cd", "lists.test")
    for name in ("b", "a"):
        prov("ca", f"{name}@lists.test", "test123")
    assert sorted(prov("-l", "gaa", "lists.test").split()) == ["a@lists.test", "b@lists.test"]
    everybody = prov("gaa").split()
    assert "a@lists.test" in everybody and "admin@example.test" in everybody and "zimbra" not in everybody
    verbose = prov("gaa", "-v", "lists.test")
    assert verbose.count("# name ") == 2 and "zimbraMailDeliveryAddress: a@lists.test" in verbose
    assert "admin@example.test" in prov("gaaa").split() and "a@lists.test" not in prov("gaaa")
    assert prov("gaa", "-s", "no.such.host") == ""


def test_account_aliases(prov):
    prov("ca", "al@example.test", "test123")
    prov("aaa", "al@example.test", "ally@example.test")
    e = prov.account("al@example.test")
    alias = prov.one("(&(objectClass=zimbraAlias)(uid=ally))", BASE)
    assert e["zimbraMailAlias"] == ["ally@example.test"] and sorted(e["mail"]) == ["al@example.test", "ally@example.test"]
    assert alias["zimbraAliasTargetId"] == e["zimbraId"]
    assert prov("ga", "ally@example.test", "uid") == "# name al@example.test\nuid: al\n\n"
    assert prov.fails("aaa", "al@example.test", "ALLY@example.test")[0] == "account.ACCOUNT_EXISTS"
    assert prov.fails("ca", "ally@example.test", "test123")[0] == "account.ACCOUNT_EXISTS"
    assert prov.fails("aaa", "al@example.test", "x@nowhere.test")[0] == "account.NO_SUCH_DOMAIN"
    prov("raa", "al@example.test", "ally@example.test")
    assert "zimbraMailAlias" not in prov.account("al@example.test")
    assert prov.search("(uid=ally)", BASE) == {}
    assert prov.fails("raa", "al@example.test", "ally@example.test")[0] == "account.NO_SUCH_ALIAS"


def test_rename_account(prov):
    prov("cd", "other.test")
    prov("ca", "old@example.test", "test123")
    prov("cdl", "renamed@example.test")
    prov("adlm", "renamed@example.test", "old@example.test")
    prov("aaa", "old@example.test", "oldie@example.test")
    ident = prov.account("old@example.test")["zimbraId"]
    prov("ra", "old@example.test", "new@other.test")
    found = prov.search("(zimbraMailDeliveryAddress=new@other.test)")
    assert list(found) == ["uid=new,ou=people,dc=other,dc=test"]
    e = found["uid=new,ou=people,dc=other,dc=test"]
    assert e["zimbraId"] == ident and sorted(e["mail"]) == ["new@other.test", "oldie@example.test"] and e["uid"] == ["new"]
    assert prov.one("(uid=renamed)", BASE)["zimbraMailForwardingAddress"] == ["new@other.test"]
    assert prov.login("uid=new,ou=people,dc=other,dc=test", "test123")
    assert prov.fails("ra", "new@other.test", "admin@example.test")[0] == "account.ACCOUNT_EXISTS"


def test_delete_account(prov):
    prov("ca", "gone@example.test", "test123")
    prov("aaa", "gone@example.test", "goner@example.test")
    prov("cdl", "goners@example.test")
    prov("adlm", "goners@example.test", "gone@example.test", "goner@example.test", "stays@outside.test")
    prov("da", "gone@example.test")
    assert prov.search("(|(uid=gone)(uid=goner))", BASE) == {}
    assert prov.one("(uid=goners)", BASE)["zimbraMailForwardingAddress"] == ["stays@outside.test"]
    assert prov.fails("da", "gone@example.test")[0] == "account.NO_SUCH_ACCOUNT"
    prov("ca", "goner@example.test", "test123")


# ---- domains ----

def test_domain(prov):
    ident = prov("cd", "Sub.Corp.Test", "zimbraAuthMech", "zimbra").strip()
    e = prov.search("(zimbraDomainName=sub.corp.test)")["dc=sub,dc=corp,dc=test"]
    assert e["zimbraId"] == [ident] and e["zimbraDomainType"] == ["local"] and e["zimbraAuthMech"] == ["zimbra"]
    assert e["zimbraDomainStatus"] == ["active"] and e["zimbraMailStatus"] == ["enabled"]
    assert {"ou=people,dc=sub,dc=corp,dc=test", "cn=groups,dc=sub,dc=corp,dc=test"} <= set(
        prov.search("(objectClass=organizationalRole)", "dc=sub,dc=corp,dc=test"))
    assert prov.fails("cd", "sub.corp.test") == ("account.DOMAIN_EXISTS", "domain already exists: sub.corp.test")
    prov("cd", "corp.test")                       # the parent was made with the first
    prov("md", "corp.test", "zimbraGalMaxResults", "500", "+zimbraVirtualHostname", "web.corp.test")
    assert prov.one("(zimbraDomainName=corp.test)")["zimbraGalMaxResults"] == ["500"]
    assert ("zimbraGalMaxResults", "500") in pairs(prov("gd", "corp.test"))
    assert ("zimbraGalMaxResults", "100") in pairs(prov("gd", "sub.corp.test")), "inherited of the global config"
    assert "zimbraGalMaxResults" not in prov("gd", "-e", "sub.corp.test")
    assert prov("gdi", "virtualHostname", "web.corp.test", "zimbraDomainName") == "# name corp.test\nzimbraDomainName: corp.test\n\n"
    assert {"corp.test", "sub.corp.test", "example.test"} <= set(prov("gad").split())
    prov("dd", "corp.test")                       # its subdomain keeps it as a plain parent
    assert prov.search("(zimbraDomainName=corp.test)") == {}
    assert "zimbraId" not in prov.search("(objectClass=*)", "dc=corp,dc=test", "base")["dc=corp,dc=test"]
    prov("dd", "sub.corp.test")
    assert prov.search("(dc=corp)") == {}


def test_domain_with_objects_stays(prov):
    prov("cd", "full.test")
    prov("ca", "x@full.test", "test123")
    assert prov.fails("dd", "full.test")[0] == "account.DOMAIN_NOT_EMPTY"
    prov("da", "x@full.test")
    prov("dd", "full.test")
    assert prov.fails("gd", "full.test") == ("account.NO_SUCH_DOMAIN", "no such domain: full.test")


def test_alias_domain(prov):
    prov("cd", "target.test")
    prov("ca", "u@target.test", "test123")
    prov("cad", "alias.test", "target.test")
    e = prov.one("(zimbraDomainName=alias.test)")
    assert e["zimbraDomainType"] == ["alias"]
    assert e["zimbraDomainAliasTargetId"] == prov.one("(zimbraDomainName=target.test)")["zimbraId"]
    assert e["zimbraMailCatchAllAddress"] == ["@alias.test"] and e["zimbraMailCatchAllForwardingAddress"] == ["@target.test"]
    assert prov("ga", "u@alias.test", "uid") == "# name u@target.test\nuid: u\n\n"
    assert prov.fails("ca", "v@alias.test", "test123")[0] == "service.INVALID_REQUEST"
    prov("da", "u@target.test")
    assert prov.fails("dd", "target.test")[0] == "account.DOMAIN_NOT_EMPTY"
    prov("dd", "alias.test")
    prov("dd", "target.test")


def test_suspended_domain_is_closed_to_changes(prov):
    prov("cd", "susp.test")
    prov("ca", "u@susp.test", "test123")
    prov("md", "susp.test", "zimbraDomainStatus", "suspended")
    for words in (["ca", "v@susp.test", "test123"], ["ma", "u@susp.test", "displayName", "x"], ["da", "u@susp.test"],
                  ["aaa", "u@susp.test", "w@susp.test"], ["cdl", "l@susp.test"]):
        assert prov.fails(*words)[0] == "service.PERM_DENIED", words
    prov("md", "susp.test", "zimbraDomainStatus", "active")
    prov("da", "u@susp.test")


def test_count(prov):
    prov("cd", "count.test")
    prov("cc", "counted")
    for i in range(3):
        prov("ca", f"c{i}@count.test", "test123")
    prov("sac", "c0@count.test", "counted")
    out = prov("cta", "count.test").splitlines()[2:]
    assert {line.split()[0]: line.split()[2] for line in out} == {"default": "2", "counted": "1"}
    assert prov("cto", "account", "-d", "count.test") == "3\n"
    assert prov("cto", "alias", "-d", "count.test") == "0\n"
    assert int(prov("countObjects", "domain")) == len(prov("gad").split())


# ---- classes of service ----

def test_cos(prov):
    ident = prov("cc", "Executive", "zimbraAttachmentsBlocked", "FALSE", "zimbraAuthTokenLifetime", "60m", "zimbraMailQuota", "100M").strip()
    e = prov.search("(zimbraId=%s)" % ident)["cn=executive,cn=cos,cn=zimbra"]
    default = prov.one("(cn=default)", "cn=cos,cn=zimbra")
    assert e["zimbraMailQuota"] == ["104857600"] and e["zimbraAuthTokenLifetime"] == ["60m"]
    assert e["zimbraPasswordMinLength"] == default["zimbraPasswordMinLength"], "the rest is the default COS's"
    assert prov.fails("cc", "executive")[0] == "account.COS_EXISTS"
    prov("ca", "boss@example.test", "test123", "zimbraCOSId", ident)
    prov("mc", "executive", "zimbraMailQuota", "5k")
    assert ("zimbraMailQuota", "5120") in pairs(prov("ga", "boss@example.test"))
    prov("rc", "executive", "Business")
    prov("cpc", "business", "copied")
    copied = prov.one("(cn=copied)", "cn=cos,cn=zimbra")
    assert copied["zimbraMailQuota"] == ["5120"] and copied["zimbraId"] != [ident]
    assert {"default", "business", "copied"} <= set(prov("gac").split())
    prov("sac", "boss@example.test", "copied")
    assert prov.account("boss@example.test")["zimbraCOSId"] == copied["zimbraId"]
    prov("dc", "business")
    assert prov.fails("gc", "business")[0] == "account.NO_SUCH_COS"
    prov.fails("dc", "default")


# ---- servers and global config ----

def test_server(prov):
    ident = prov("cs", "second.example.test", "zimbraServiceEnabled", "mailbox", "zimbraServiceEnabled", "memcached",
                 "zimbraReverseProxyLookupTarget", "TRUE").strip()
    e = prov.search("(zimbraId=%s)" % ident)["cn=second.example.test,cn=servers,cn=zimbra"]
    assert e["zimbraServiceHostname"] == ["second.example.test"] and sorted(e["zimbraServiceEnabled"]) == ["mailbox", "memcached"]
    assert ("zimbraLmtpBindPort", "7025") in pairs(prov("gs", "second.example.test")), "inherited of the global config"
    prov("ms", "second.example.test", "zimbraLmtpBindPort", "7026", "+zimbraServiceEnabled", "stats")
    kind, text = prov.fails("ms", "second.example.test", "zimbraServiceEnabled", "ldap")
    assert "-r/--replace" in text
    assert len(prov.one("(zimbraId=%s)" % ident)["zimbraServiceEnabled"]) == 3
    prov("-r", "ms", "second.example.test", "zimbraServiceEnabled", "mailbox")
    assert prov.one("(zimbraId=%s)" % ident)["zimbraServiceEnabled"] == ["mailbox"]
    assert prov("gs", "second.example.test", "zimbraServiceEnabled=mailbox", "zimbraServiceEnabled=ldap") == \
        "# name second.example.test\nzimbraServiceEnabled: mailbox\n\n"
    assert "second.example.test" in prov("gas").split() and "second.example.test" in prov("gas", "mailbox").split()
    assert "second.example.test:7072" in prov("garpu") and "server second.example.test:" in prov("garpb")
    assert "second.example.test" not in prov("gamcs") and prov("gamau").endswith("\n")
    prov("ca", "far@example.test", "test123", "zimbraMailHost", "second.example.test")
    assert prov.account("far@example.test")["zimbraMailTransport"] == ["lmtp:second.example.test:7026"]
    assert "1 accounts" in prov.fails("ds", "second.example.test")[1]
    prov("ma", "far@example.test", "zimbraMailHost", "mail.example.test")
    assert prov.account("far@example.test")["zimbraMailTransport"] == ["lmtp:mail.example.test:7025"]
    prov("ds", "second.example.test")
    assert prov.fails("gs", "second.example.test")[0] == "account.NO_SUCH_SERVER"


def test_pool_of_servers(prov):
    ident = prov("cs", "pool.example.test", "zimbraServiceEnabled", "mailbox").strip()
    prov("cc", "pooled", "zimbraMailHostPool", ident)
    cos = prov.one("(cn=pooled)", "cn=cos,cn=zimbra")["zimbraId"][0]
    prov("ca", "swimmer@example.test", "test123", "zimbraCOSId", cos)
    assert prov.account("swimmer@example.test")["zimbraMailHost"] == ["pool.example.test"]
    prov("da", "swimmer@example.test")
    prov("ds", "pool.example.test")
    assert "zimbraMailHostPool" not in prov.one("(cn=pooled)", "cn=cos,cn=zimbra")


def test_config(prov):
    prov("mcf", "zimbraSpamWhitelistHeader", "X-Whitelist-Flag", "+zimbraMtaRestriction", "check_policy_service unix:private/policy")
    e = prov.search("(objectClass=zimbraGlobalConfig)")["cn=config,cn=zimbra"]
    assert e["zimbraSpamWhitelistHeader"] == ["X-Whitelist-Flag"]
    assert "check_policy_service unix:private/policy" in e["zimbraMtaRestriction"]
    before = [v for v in e["zimbraMtaRestriction"] if not v.startswith("check_policy")]
    prov("mcf", "-zimbraMtaRestriction", "check_policy_service unix:private/policy", "zimbraSpamWhitelistHeader", "")
    assert prov.one("(objectClass=zimbraGlobalConfig)")["zimbraMtaRestriction"] == before
    prov("mcf", "zimbraMtaRestriction", "reject_invalid_helo_hostname", "zimbraMtaRestriction", "reject_non_fqdn_sender")
    assert sorted(prov("gcf", "zimbraMtaRestriction").splitlines()) == [
        "zimbraMtaRestriction: reject_invalid_helo_hostname", "zimbraMtaRestriction: reject_non_fqdn_sender"]
    for value in before:
        prov("mcf", "+zimbraMtaRestriction", value)
    everything = prov("gacf")
    assert "zimbraMtaMaxMessageSize: " in everything and not everything.startswith("#")
    assert "VALUE-BLOCKED" in everything or "zimbraAuthTokenKey" not in everything
    assert prov.fails("mcf", "zimbraMtaMaxMessageSize", "x")[0] == "account.INVALID_ATTR_VALUE"


# ---- lists ----

def test_list(prov):
    prov("ca", "m1@example.test", "test123")
    prov("aaa", "m1@example.test", "m1a@example.test")
    ident = prov("cdl", "Crew@example.test").strip()
    e = prov.search("(zimbraId=%s)" % ident)[f"uid=crew,{BASE}"]
    assert {"zimbraDistributionList", "zimbraMailRecipient"} <= set(e["objectClass"])
    assert e["mail"] == e["zimbraMailAlias"] == ["crew@example.test"] and e["zimbraMailStatus"] == ["enabled"]
    prov("adlm", "crew@example.test", "m1@example.test", "X@Outside.test")
    assert prov.one("(uid=crew)", BASE)["zimbraMailForwardingAddress"] == ["m1@example.test", "x@outside.test"]
    out = prov("gdl", "crew@example.test")
    assert out.startswith("# distributionList crew@example.test memberCount=2\n")
    assert out.endswith("\nmembers\nm1@example.test\nx@outside.test\n")
    assert prov.fails("cdl", "m1@example.test")[0] == "account.ACCOUNT_EXISTS"
    assert prov.fails("ca", "crew@example.test", "test123")[0] == "account.DISTRIBUTION_LIST_EXISTS"
    prov("mdl", "crew@example.test", "displayName", "The crew")
    assert prov.one("(uid=crew)", BASE)["displayName"] == ["The crew"]
    prov("rdlm", "crew@example.test", "x@outside.test")
    assert prov.fails("rdlm", "crew@example.test", "x@outside.test")[0] == "account.NO_SUCH_MEMBER"
    assert "crew@example.test" in prov("gadl", "example.test").split()


def test_nested_lists(prov):
    prov("ca", "deep@example.test", "test123")
    for name in ("outer", "middle", "inner"):
        prov("cdl", f"{name}@example.test")
    prov("adlm", "outer@example.test", "middle@example.test")
    prov("adlm", "middle@example.test", "inner@example.test")
    prov("adlm", "inner@example.test", "deep@example.test")
    assert prov("gam", "deep@example.test").splitlines() == [
        "inner@example.test", "middle@example.test (via inner@example.test)", "outer@example.test (via middle@example.test)"]
    assert prov("gdlm", "inner@example.test").splitlines() == ["middle@example.test", "outer@example.test (via middle@example.test)"]
    prov("adla", "outer@example.test", "outermost@example.test")
    for member in ("outer@example.test", "middle@example.test", "outermost@example.test", "inner@example.test"):
        assert "a member of itself" in prov.fails("adlm", "inner@example.test", member)[1]
    assert prov.one("(uid=inner)", BASE)["zimbraMailForwardingAddress"] == ["deep@example.test"]


def test_list_aliases_rename_delete(prov):
    prov("cdl", "was@example.test")
    prov("cdl", "holder@example.test")
    prov("adlm", "holder@example.test", "was@example.test")
    prov("adla", "was@example.test", "aka@example.test")
    assert sorted(prov.one("(&(objectClass=zimbraDistributionList)(uid=was))", BASE)["zimbraMailAlias"]) == [
        "aka@example.test", "was@example.test"]
    prov("rdl", "was@example.test", "is@example.test")
    e = prov.one("(&(objectClass=zimbraDistributionList)(uid=is))", BASE)
    assert sorted(e["zimbraMailAlias"]) == sorted(e["mail"]) == ["aka@example.test", "is@example.test"]
    assert prov.one("(uid=holder)", BASE)["zimbraMailForwardingAddress"] == ["is@example.test"]
    prov("rdla", "is@example.test", "aka@example.test")
    assert prov.search("(uid=aka)", BASE) == {}
    prov("adla", "is@example.test", "aka@example.test")
    prov("ddl", "is@example.test")
    assert prov.search("(|(uid=is)(uid=aka))", BASE) == {}
    assert "zimbraMailForwardingAddress" not in prov.one("(uid=holder)", BASE)


def test_rights(prov):
    prov("ca", "granted@example.test", "test123")
    prov("cdl", "guarded@example.test")
    ids = {n: prov.one(f)["zimbraId"][0] for n, f in (
        ("usr", "(&(uid=granted)(objectClass=zimbraAccount))"), ("dom", "(zimbraDomainName=example.test)"), ("grp", "(uid=guarded)"))}
    grants = [(["usr", "granted@example.test"], f"{ids['usr']} usr"), (["grp", "guarded@example.test"], f"{ids['grp']} grp"),
              (["dom", "example.test"], f"{ids['dom']} dom"), (["all"], "00000000-0000-0000-0000-000000000000 all"),
              (["pub"], "99999999-9999-9999-9999-999999999999 pub"), (["gst", "someone@foo.test", ""], "someone@foo.test gst")]
    for words, stored in grants:
        prov("grr", "dl", "guarded@example.test", *words, "sendToDistList")
        assert f"{stored} sendToDistList" in prov.one("(uid=guarded)", BASE)["zimbraACE"]
    assert prov("gg", "-t", "dl", "guarded@example.test").count("sendToDistList") == len(grants)
    for words, _ in grants:
        prov("rvr", "dl", "guarded@example.test", *words, "sendToDistList")
    assert "zimbraACE" not in prov.one("(uid=guarded)", BASE)
    prov("grr", "domain", "example.test", "usr", "granted@example.test", "viewDistList")
    assert prov.one("(zimbraDomainName=example.test)")["zimbraACE"] == [f"{ids['usr']} usr viewDistList"]
    prov("rvr", "domain", "example.test", "usr", "granted@example.test", "viewDistList")
    prov.fails("rvr", "dl", "guarded@example.test", "all", "sendToDistList")
    prov.fails("grr", "dl", "guarded@example.test", "usr", "granted@example.test", "noSuchRight")
    prov.fails("grr", "dl", "guarded@example.test", "usr", "granted@example.test")


# ---- search, help, describe ----

def test_search_accounts(prov):
    prov("cd", "search.test")
    for name, given in (("a", "Zoe"), ("b", "Yan"), ("c", "Xia")):
        prov("ca", f"{name}@search.test", "test123", "givenName", given)
    search = ["sa", "objectClass=zimbraAccount", "domain", "search.test"]
    assert prov(*search).split() == ["a@search.test", "b@search.test", "c@search.test"]
    assert prov(*search, "sortBy", "givenName", "limit", "2").split() == ["c@search.test", "b@search.test"]
    assert prov(*search, "sortAscending", "0", "offset", "1").split() == ["b@search.test", "a@search.test"]
    assert prov("sa", "(&(givenName=yan)(uid=b))").split() == ["b@search.test"]
    assert prov("sa", "-v", "givenName=Zoe").startswith("# name a@search.test\n")
    assert prov.fails("sa", "(uid=a")[0] == "ldap.INVALID_SEARCH_FILTER"
    prov.fails("sa", "uid=a", "limit", "x")


def test_describe_and_help(prov):
    out = prov("desc", "-a", "zimbraMtaMaxMessageSize")
    assert re.search(r"requiresRestart : mta\n", out) and re.search(r"type : long\n", out)
    assert "zimbraLmtpBindPort" in prov("describe", "server").split() and "zimbraMailQuota" not in prov("desc", "server").split()
    assert "createAccount(ca) {name@domain}" in prov("help", "account") and "help domain" in prov("help")
    assert "-f/--file" in prov("--help")
    assert "usage: createAccount(ca)" in prov.fails("ca")[1]
    assert prov.fails("nothing")[0] == "service.INVALID_REQUEST"


# ---- ways of giving commands ----

def test_file(prov):
    prov.host.write("/tmp/commands", "# people\n\nca f1@example.test 'pass word 1' displayName \"Say \\\"hi\\\"\"\n"
                    "ca f1@example.test test123\nma f1@example.test description back\\ slash givenName ''\n")
    r = prov.host.try_run("/opt/zimbra/bin/zmprov", "-f", "/tmp/commands", user="zimbra")
    assert r.returncode == 2 and r.stderr.count("ERROR: ") == 1 and "ACCOUNT_EXISTS" in r.stderr
    e = prov.account("f1@example.test")
    assert e["displayName"] == ['Say "hi"'] and e["description"] == ["back slash"]
    assert prov.login(f"uid=f1,{BASE}", "pass word 1")
    assert prov("-f", "-", input="ga f1@example.test uid\n") == "# name f1@example.test\nuid: f1\n\n"


def test_prompt(prov):
    r = prov.host.try_run("/opt/zimbra/bin/zmprov", user="zimbra", input="ga admin@example.test uid\nGAA nowhere.test\nexit\nga admin\n")
    assert r.returncode == 2 and "account.NO_SUCH_DOMAIN" in r.stderr
    assert r.stdout == "prov> # name admin@example.test\nuid: admin\n\nprov> prov> "
    typed = prov.host.run("script", "-qec", "/opt/zimbra/bin/zmprov", "/dev/null", user="zimbra", input="ga admin@example.test uid\nquit\n")
    assert "prov> " in typed and "uid: admin" in typed


def test_as_an_administrator(prov):
    prov("ca", "chief@example.test", "chief-pw-1", "zimbraIsAdminAccount", "TRUE")
    prov("ca", "nochief@example.test", "test123")
    prov("-a", "chief@example.test", "-p", "chief-pw-1", "ma", "nochief@example.test", "description", "by chief")
    assert prov.account("nochief@example.test")["description"] == ["by chief"]
    for name, word in (("chief@example.test", "wrong"), ("nochief@example.test", "test123")):
        assert prov.fails("-a", name, "-p", word, "gad")[0] == "service.PERM_DENIED"


def test_only_for_root_and_zimbra(prov):
    r = prov.host.try_run("/opt/zimbra/bin/zmprov", "gad", user="nobody")
    assert r.returncode == 2 and "run zmprov as zimbra or root" in r.stderr
    assert prov.host.run("/opt/zimbra/bin/zmprov", "gad") == prov("gad")


def test_audit(prov):
    prov("ca", "audited@example.test", "Secret-word-77", "description", "line\nbreak")
    prov("sp", "audited@example.test", "Secret-word-78")
    prov("ma", "audited@example.test", "userPassword", "{SSHA}abcdefabcdef", "displayName", "Seen")
    prov("md", "example.test", "zimbraGalLdapBindPassword", "Secret-word-79")
    records = [json.loads(line) for line in prov.host.run("journalctl", "-o", "json", "--no-pager", "AUDIT=change").splitlines()]
    mine = [r for r in records if r["OBJECT"] == "audited@example.test"]
    assert [r["CMD"] for r in mine] == ["CreateAccount", "SetPassword", "ModifyAccount"]
    assert all(r["BY"] == "zimbra" and r["OBJECT_ID"] == prov.account("audited@example.test")["zimbraId"][0] for r in mine)
    assert "displayName=Seen" in mine[2]["ATTRS"] and "userPassword=********" in mine[2]["ATTRS"]
    assert "line\\x0abreak" in mine[0]["MESSAGE"]
    everything = prov.host.run("journalctl", "-o", "json", "--no-pager", "_COMM=zmprov")
    assert "Seen" in everything
    for secret in ("Secret-word-77", "Secret-word-78", "Secret-word-79", "{SSHA}abcdefabcdef"):
        assert secret not in everything
    prov("md", "example.test", "zimbraGalLdapBindPassword", "")


def test_directory_away(prov):
    prov.host.run("systemctl", "stop", "zimbra-ldap.service")
    try:
        assert prov.fails("gad")[0] == "ldap.CONNECTION_FAILED"
    finally:
        prov.host.run("systemctl", "start", "zimbra-ldap.service")
    assert "example.test" in prov("gad").split()


def test_connection_lost_between_two_commands(prov):
    out = prov.host.sh("(echo gcf zimbraDefaultDomainName; sleep 0.5; systemctl restart zimbra-ldap.service; echo gac)"
                       " | /opt/zimbra/bin/zmprov -f -")
    assert out.splitlines()[0] == "zimbraDefaultDomainName: example.test" and "default" in out.splitlines()


# ---- localconfig ----

def lc(host, *argv, **kw):
    return host.run("/opt/zimbra/bin/zmlocalconfig", *argv, user="zimbra", **kw)


def test_localconfig(mail):
    path = lc(mail, "-p").strip()
    assert path == "/opt/zimbra/conf/localconfig.xml"
    assert lc(mail, "-m", "nokey", "zimbra_server_hostname") == mail.run("/opt/zimbra/bin/zmhostname") == "mail.example.test\n"
    lc(mail, "-e", "zimbra_mtareport_max_senders=7", "bounce_queue_lifetime=3d")
    mail.run("/opt/zimbra/bin/zmlocalconfig", "-e", "zimbra_mtareport_max_recipients=8")        # root keeps the owner
    assert mail.run("stat", "-c", "%U:%G %a", path) == "zimbra:zimbra 640\n"
    assert lc(mail, "zimbra_mtareport_max_senders", "postfix_bounce_queue_lifetime") == \
        "zimbra_mtareport_max_senders = 7\npostfix_bounce_queue_lifetime = 3d\n"
    lc(mail, "-u", "zimbra_mtareport_max_senders")
    assert lc(mail, "zimbra_mtareport_max_senders") == "zimbra_mtareport_max_senders = \n"
    lc(mail, "-e", "zimbra_mtareport_max_senders=25", "zimbra_mtareport_max_recipients=25", "postfix_bounce_queue_lifetime=5d")
    assert "max_senders" not in mail.read(path) and "bounce" not in mail.read(path)


def test_localconfig_secrets(mail):
    assert lc(mail, "zimbra_ldap_password") == "zimbra_ldap_password = **********\n"
    assert mail.read("/opt/zimbra/conf/localconfig.xml").count("**********") == 0
    r = mail.try_run("/opt/zimbra/bin/zmlocalconfig", "-e", "zimbra_ldap_password=x", user="zimbra")
    assert r.returncode == 1 and "-f" in r.stderr
    r = mail.try_run("/opt/zimbra/bin/zmlocalconfig", "-s", "zimbra_ldap_password", user="nobody")
    assert r.returncode == 1 and r.stdout == ""


def test_localconfig_refuses_attributes(mail):
    r = mail.try_run("/opt/zimbra/bin/zmlocalconfig", "-e", "zimbraLmtpPermanentFailureWhenOverQuota=TRUE", user="zimbra")
    assert r.returncode == 1 and "zmprov modifyConfig zimbraLmtpPermanentFailureWhenOverQuota 'TRUE'" in r.stderr
    assert "zimbraLmtp" not in mail.read("/opt/zimbra/conf/localconfig.xml")


def test_localconfig_for_scripts(mail):
    out = lc(mail, "-s", "-x", "-m", "shell")
    value = mail.run("sh", "-ec", out + '\nprintf %s "$zimbra_ldap_userdn"')
    assert value == "uid=zimbra,cn=admins,cn=zimbra"
    assert "zimbra_log_directory='/opt/zimbra/log';" in out
