"""The directory of a set-up host: schema, tree, and who may read what."""
import base64
import itertools
import re
import xml.etree.ElementTree

import pytest

import schema_samples as schema
from lab import appliance
from lab.lab import wait_for

ADMIN = "uid=zimbra,cn=admins,cn=zimbra"
PERSON = "uid=anna,ou=people,dc=example,dc=test"
HIDDEN = "uid=hidden,ou=people,dc=example,dc=test"
PASSWORD = "Blue-lantern-42"
LOCAL = ["-H", "ldapi:///"]


@pytest.fixture(scope="module")
def host(lab):
    h = lab.boot("ldap.example.test", 31)
    appliance.set_up(h, "ldap")
    h.secrets = {k.get("name"): k.findtext("value") for k in
                 xml.etree.ElementTree.fromstring(h.read("/opt/zimbra/conf/localconfig.xml"))}
    root_add(h, PEOPLE)
    h.run("ldappasswd", "-Q", "-Y", "EXTERNAL", *LOCAL, "-s", PASSWORD, PERSON)
    yield h
    lab.forget(h)


PEOPLE = """\
dn: {person}
objectClass: inetOrgPerson
objectClass: zimbraAccount
objectClass: amavisAccount
uid: anna
cn: Anna
sn: Anna
mail: anna@example.test
telephoneNumber: +49 30 1
zimbraId: 11111111-0000-0000-0000-000000000001
zimbraAccountStatus: active
zimbraMailDeliveryAddress: anna@example.test
zimbraMailStatus: enabled
zimbraMailHost: ldap.example.test
zimbraMailTransport: lmtp:ldap.example.test:7025
zimbraAllowFromAddress: other@example.test
zimbraPasswordHistory: {{SSHA}}old
zimbraPrefMailSignature: private
amavisSpamLover: TRUE

dn: {hidden}
objectClass: inetOrgPerson
objectClass: zimbraAccount
uid: hidden
cn: Hidden
sn: Hidden
mail: hidden@example.test
zimbraId: 11111111-0000-0000-0000-000000000002
zimbraAccountStatus: active
zimbraMailDeliveryAddress: hidden@example.test
zimbraHideInGal: TRUE

dn: dc=example,dc=test
changetype: modify
add: objectClass
objectClass: DKIM
-
add: DKIMSelector
DKIMSelector: first
-
add: DKIMKey
DKIMKey: key
-
add: DKIMPublicKey
DKIMPublicKey: public
-
""".format(person=PERSON, hidden=HIDDEN)

IDENTITIES = {
    "anonymous": None,
    "anna": (PERSON, None),
    "zmpostfix": ("uid=zmpostfix,cn=appaccts,cn=zimbra", "ldap_postfix_password"),
    "zmamavis": ("uid=zmamavis,cn=appaccts,cn=zimbra", "ldap_amavis_password"),
    "zmnginx": ("uid=zmnginx,cn=appaccts,cn=zimbra", "ldap_nginx_password"),
    "zmbes-searcher": ("uid=zmbes-searcher,cn=appaccts,cn=zimbra", "ldap_bes_searcher_password"),
    "zmreplica": ("uid=zmreplica,cn=admins,cn=zimbra", "ldap_replication_password"),
    "zimbra": (ADMIN, "zimbra_ldap_password"),
}


def root_add(host, ldif):
    host.run("ldapmodify", "-a", "-Q", "-Y", "EXTERNAL", *LOCAL, input=ldif)


def root_search(host, base, scope="sub", what="(objectClass=*)", *attrs):
    return host.run("ldapsearch", "-LLL", "-Q", "-Y", "EXTERNAL", *LOCAL, "-o", "ldif-wrap=no",
                    "-b", base, "-s", scope, what, *attrs)


def login(host, identity):
    who = IDENTITIES[identity]
    if not who:
        return ["-x", *LOCAL]
    return ["-x", *LOCAL, "-D", who[0], "-w", host.secrets[who[1]] if who[1] else PASSWORD]


def reads(host, identity, dn, attr):
    r = host.try_run("ldapsearch", "-LLL", *login(host, identity), "-b", dn, "-s", "base", "(objectClass=*)", attr)
    return re.search(rf"^{attr}::? ", r.stdout, re.MULTILINE | re.IGNORECASE) is not None


def finds(host, identity, what):
    r = host.try_run("ldapsearch", "-LLL", *login(host, identity), "-b", "", what, "1.1")
    return "dn: " in r.stdout


# ---- schema -------------------------------------------------------------------

def unfolded(text):
    return text.replace("\n ", "")


def test_every_attribute_is_known_as_declared(host):
    defined = {}
    for line in unfolded(root_search(host, "cn=subschema", "base", "(objectClass=*)", "attributeTypes")).splitlines():
        m = re.match(r"attributeTypes: \( (\S+) NAME (?:'(\S+)'|\( (.*?) \))", line)
        if m:
            for name in [m[2]] if m[2] else re.findall(r"'(\S+)'", m[3]):
                defined[name.lower()] = (m[1], "SINGLE-VALUE" in line)
    wrong = []
    for name, declared in schema.ATTRIBUTES.items():
        found = defined.get(name.lower())
        if not found or (schema.oid(declared) and found[0] != schema.oid(declared)):
            wrong.append((name, found))
        elif declared["oid"] and found[1] != (declared["values"] == "single"):
            wrong.append((name, "cardinality"))
    assert not wrong
    assert len(schema.ATTRIBUTES) == 1302


def test_every_class_is_known_as_declared(host):
    text = unfolded(root_search(host, "cn=subschema", "base", "(objectClass=*)", "objectClasses"))
    for name, declared in schema.CLASSES.items():
        assert re.search(rf"\( {re.escape(declared['oid'])} NAME '{name}' SUP {declared['superior']} "
                         rf"{declared['kind'].upper()} ", text), name


BELOW = {"auxiliary": "organizationalRole", "structural": None}
HELPED = {"zimbraAccount": "inetOrgPerson", "zimbraGroup": "groupOfURLs", "zimbraGroupDynamicUnit": "groupOfURLs",
          "zimbraCalendarResource": "inetOrgPerson"}


# mail stands once in the tree; two are other names of an attribute that is there; slapd cannot
# check the last one's syntax and takes no value of it
NOT_STORED = ("mail", "gn", "streetAddress", "teletexTerminalIdentifier")


def attributes_of(declared):
    """(required, optional) attributes of a class and its superior."""
    places = [declared["place"]]
    if declared["superior"] != "top":
        places.append(schema.CLASSES[declared["superior"]]["place"])
    parts = [schema.attributes_of(p) for p in places]
    return tuple(list(itertools.chain(*(part[i] for part in parts))) for i in (0, 1))


def entry_of(name, certificate):
    """An entry of class NAME with every attribute that the class may have."""
    declared = schema.CLASSES[name]
    required, optional = attributes_of(declared)
    helper = HELPED.get(name, BELOW[declared["kind"]])
    values = {}
    if helper:
        values["cn"] = name
    if helper == "inetOrgPerson":
        values["sn"] = name
    for attr in required + optional:
        values.setdefault(attr, name if attr == "cn" else schema.sample(attr, schema.ATTRIBUTES[attr], name))
    for attr in NOT_STORED:
        values.pop(attr, None)
    # named by its cn, else by the first attribute that it must have
    rdn = "cn" if "cn" in values else required[0]
    lines = [f"dn: {rdn}={values[rdn]},cn=samples,cn=zimbra", f"objectClass: {name}"]
    if helper:
        lines.append(f"objectClass: {helper}")
    for attr, value in values.items():
        if schema.ATTRIBUTES[attr]["type"] == "certificate":
            lines.append(f"userCertificate;binary:: {certificate}")
        else:
            lines.append(f"{attr}:: {base64.b64encode(value.encode()).decode()}")
    return "\n".join(lines) + "\n"


def test_an_entry_of_each_class_with_all_its_attributes(host):
    pem = host.read("/opt/zimbra/ssl/zimbra/ca/ca.pem")
    certificate = "".join(pem.strip().splitlines()[1:-1])
    root_add(host, "dn: cn=samples,cn=zimbra\nobjectClass: organizationalRole\ncn: samples\n")
    for name in schema.CLASSES:
        root_add(host, entry_of(name, certificate))
    found = root_search(host, "cn=samples,cn=zimbra", "one", "(objectClass=*)", "1.1")
    assert found.count("dn: ") == len(schema.CLASSES)


def test_a_value_of_the_wrong_syntax_is_refused(host):
    for attr, value in (("zimbraMailQuota", "many"), ("zimbraFeatureMailEnabled", "perhaps")):
        r = host.try_run("ldapmodify", "-Q", "-Y", "EXTERNAL", *LOCAL, input=f"dn: cn=default,cn=cos,cn=zimbra\n"
                         f"changetype: modify\nreplace: {attr}\n{attr}: {value}\n")
        assert r.returncode == 21 and "invalid" in r.stderr.lower(), r.stderr


# ---- tree ---------------------------------------------------------------------

TREE = {
    "cn=zimbra": "organizationalRole",
    "cn=config,cn=zimbra": "zimbraGlobalConfig",
    "cn=globalgrant,cn=zimbra": "zimbraAclTarget",
    "cn=admins,cn=zimbra": "organizationalRole",
    "cn=appaccts,cn=zimbra": "organizationalRole",
    "cn=cos,cn=zimbra": "organizationalRole",
    "cn=default,cn=cos,cn=zimbra": "zimbraCOS",
    "cn=defaultExternal,cn=cos,cn=zimbra": "zimbraCOS",
    "cn=servers,cn=zimbra": "organizationalRole",
    "cn=ldap.example.test,cn=servers,cn=zimbra": "zimbraServer",
    "cn=mime,cn=config,cn=zimbra": "organizationalRole",
    "cn=zimlets,cn=zimbra": "organizationalRole",
    "cn=xmppcomponents,cn=zimbra": "organizationalRole",
    "cn=ucservices,cn=zimbra": "organizationalRole",
    "cn=sharelocators,cn=zimbra": "organizationalRole",
    "cn=groups,cn=zimbra": "organizationalRole",
    "dc=example,dc=test": "zimbraDomain",
    "uid=admin,ou=people,dc=example,dc=test": "zimbraAccount",
    ADMIN: "zimbraAccount",
}
FIXED_IDS = {
    ADMIN: "e0fafd89-1360-11d9-8661-000a95d98ef2",
    "uid=zmreplica,cn=admins,cn=zimbra": "D020C0FE-4F5E-11DC-B033-C3A8E67A905E",
    "uid=zmnginx,cn=appaccts,cn=zimbra": "DA336C18-4F5E-11DC-8514-DCA8E67A905E",
    "uid=zmpostfix,cn=appaccts,cn=zimbra": "a8255e5f-142b-4aa0-8aab-f8591b6455ba",
    "uid=zmamavis,cn=appaccts,cn=zimbra": "12A0779A-88B6-11DC-AA4B-97F9DEB0B34E",
    "uid=zmbes-searcher,cn=appaccts,cn=zimbra": "30C08DC0-DB30-11E0-A9E3-832DA18C185A",
    "cn=default,cn=cos,cn=zimbra": "e00428a1-0c00-11d9-836a-000d93afea2a",
    "cn=defaultExternal,cn=cos,cn=zimbra": "f27456a8-0c00-11d9-280a-286d93afea2g",
}


@pytest.mark.parametrize("dn", TREE)
def test_tree(host, dn):
    assert f"objectClass: {TREE[dn]}\n" in root_search(host, dn, "base")


@pytest.mark.parametrize("dn", FIXED_IDS)
def test_fixed_ids(host, dn):
    assert f"zimbraId: {FIXED_IDS[dn]}\n" in root_search(host, dn, "base")


@pytest.mark.parametrize("dn,column", [
    ("cn=config,cn=zimbra", "global"), ("cn=default,cn=cos,cn=zimbra", "cos"),
    ("cn=defaultExternal,cn=cos,cn=zimbra", "external-cos"),
])
def test_defaults(host, dn, column):
    stored = {line.split(":")[0].lower() for line in root_search(host, dn, "base").splitlines()}
    for name, a in schema.ATTRIBUTES.items():
        if a[column]:
            assert name.lower() in stored, name


def test_defaults_of_the_guide(host):
    assert "zimbraMtaRestriction: reject_non_fqdn_helo_hostname\n" in root_search(host, "cn=config,cn=zimbra", "base")
    assert "zimbraMailSignatureMaxLength: 1024\n" in root_search(host, "cn=default,cn=cos,cn=zimbra", "base")


# ---- access -------------------------------------------------------------------

EVERYBODY = set(IDENTITIES)
MANAGERS = {"zimbra", "zmreplica"}
ROUTING = MANAGERS | {"zmpostfix", "zmamavis", "zmnginx"}
ADDRESS_BOOK = MANAGERS | {"anna", "zmpostfix", "zmbes-searcher"}
CONFIG = "cn=config,cn=zimbra"
DOMAIN = "dc=example,dc=test"

ACCESS = [
    (PERSON, "userPassword", MANAGERS),
    (PERSON, "zimbraPasswordHistory", MANAGERS),
    (PERSON, "zimbraPrefMailSignature", MANAGERS),
    (PERSON, "telephoneNumber", ADDRESS_BOOK),
    (PERSON, "displayName", set()),
    (PERSON, "mail", ADDRESS_BOOK | {"zmamavis"}),
    (PERSON, "uid", ADDRESS_BOOK),
    (PERSON, "zimbraMailTransport", ROUTING),
    (PERSON, "zimbraMailHost", ROUTING),
    (PERSON, "zimbraAllowFromAddress", MANAGERS | {"zmpostfix"}),
    (PERSON, "amavisSpamLover", MANAGERS | {"zmamavis"}),
    (PERSON, "objectClass", EVERYBODY - {"anonymous"}),
    (HIDDEN, "cn", MANAGERS | {"zmpostfix"}),
    (HIDDEN, "mail", MANAGERS | {"zmpostfix", "zmamavis"}),
    (HIDDEN, "zimbraMailDeliveryAddress", ROUTING),
    (DOMAIN, "zimbraDomainName", ROUTING),
    (DOMAIN, "DKIMKey", MANAGERS | {"zmpostfix"}),
    (CONFIG, "zimbraAuthTokenKey", MANAGERS),
    (CONFIG, "zimbraCertAuthorityKeySelfSigned", MANAGERS),
    (CONFIG, "zimbraMtaMaxMessageSize", MANAGERS),
    (CONFIG, "cn", MANAGERS),
    ("cn=ldap.example.test,cn=servers,cn=zimbra", "zimbraServiceHostname", MANAGERS),
    (ADMIN, "userPassword", MANAGERS),
    (ADMIN, "uid", MANAGERS),
    ("cn=config", "cn", set()),
]


@pytest.mark.parametrize("dn,attr,readers", ACCESS, ids=[f"{a}-{d.split(',')[0]}" for d, a, _ in ACCESS])
def test_who_reads(host, dn, attr, readers):
    assert {i for i in IDENTITIES if reads(host, i, dn, attr)} == readers


@pytest.mark.parametrize("identity", sorted(EVERYBODY - {"zimbra"}))
def test_only_the_administrator_writes(host, identity):
    for dn, change in ((PERSON, "replace: cn\ncn: X"), (PERSON, f"replace: userPassword\nuserPassword: {PASSWORD}"),
                       (CONFIG, "replace: description\ndescription: X"),
                       (PERSON, "replace: zimbraIsAdminAccount\nzimbraIsAdminAccount: TRUE")):
        r = host.try_run("ldapmodify", *login(host, identity), input=f"dn: {dn}\nchangetype: modify\n{change}\n")
        assert r.returncode in (50, 8), (dn, change, r.stderr)


def test_the_administrator_writes(host):
    host.run("ldapmodify", *login(host, "zimbra"),
             input=f"dn: {PERSON}\nchangetype: modify\nreplace: displayName\ndisplayName: Anna B\n-\n"
                   "delete: displayName\n")


def test_secrets_cannot_be_probed_by_a_filter(host):
    key = re.search(r"zimbraAuthTokenKey: (\S+)", root_search(host, CONFIG, "base", "(cn=config)", "zimbraAuthTokenKey"))[1]
    assert finds(host, "zimbra", f"(zimbraAuthTokenKey={key})")
    for identity in sorted(EVERYBODY - MANAGERS):
        assert not finds(host, identity, f"(zimbraAuthTokenKey={key})")
        assert not finds(host, identity, "(userPassword=*)")


def test_service_identities_find_what_they_need(host):
    assert finds(host, "zmpostfix", "(&(zimbraMailDeliveryAddress=anna@example.test)(zimbraMailStatus=enabled))")
    assert finds(host, "zmpostfix", "(&(objectClass=zimbraDomain)(zimbraDomainName=example.test))")
    assert finds(host, "zmamavis", "(&(objectClass=amavisAccount)(mail=anna@example.test))")
    assert not finds(host, "anonymous", "(objectClass=*)")


# ---- transport ------------------------------------------------------------------

TLS = {"LDAPTLS_CACERT": "/opt/zimbra/ssl/zimbra/ca/ca.pem"}


def whoami(host, url, *more):
    return host.try_run("ldapwhoami", "-x", "-H", url, "-D", ADMIN, "-w", host.secrets["zimbra_ldap_password"], *more, env=TLS)


def test_passwords_travel_encrypted_only(host):
    name = "ldap.example.test"
    r = whoami(host, f"ldap://{name}")
    assert r.returncode == 13 and "onfidentiality required" in r.stderr
    assert whoami(host, f"ldap://{name}", "-ZZ").returncode == 0
    assert whoami(host, f"ldaps://{name}").returncode == 0
    assert host.try_run("ldapwhoami", "-x", "-ZZ", "-H", f"ldap://{name}", env={"LDAPTLS_CACERT": "/dev/null"}).returncode != 0


def test_root_is_the_root_of_the_directory(host):
    assert host.run("ldapwhoami", "-Q", "-Y", "EXTERNAL", *LOCAL).strip() == "dn:cn=config"
    as_zimbra = host.try_run("ldapwhoami", "-Q", "-Y", "EXTERNAL", *LOCAL, user="zimbra")
    assert "cn=config" not in as_zimbra.stdout


def test_new_passwords_are_argon2(host):
    line = re.search(r"userPassword:: (\S+)", root_search(host, PERSON, "base", "(uid=anna)", "userPassword"))[1]
    assert base64.b64decode(line).startswith(b"{ARGON2}$argon2")
    assert host.run("ldapwhoami", *login(host, "anna")).strip() == f"dn:{PERSON}"
    assert host.try_run("ldapwhoami", "-x", *LOCAL, "-D", PERSON, "-w", "wrong").returncode == 49


# ---- rules and change stream -----------------------------------------------------

def test_addresses_and_ids_stand_once(host):
    for attr, value in (("mail", "anna@example.test"), ("zimbraId", "11111111-0000-0000-0000-000000000001")):
        r = host.try_run("ldapmodify", "-Q", "-Y", "EXTERNAL", *LOCAL,
                         input=f"dn: {HIDDEN}\nchangetype: modify\nreplace: {attr}\n{attr}: {value}\n")
        assert r.returncode == 19, r.stderr


def test_a_dynamic_group_has_its_members(host):
    root_add(host, "dn: cn=team,cn=groups,cn=zimbra\nobjectClass: groupOfURLs\nobjectClass: dgIdentityAux\n"
                   "objectClass: zimbraGroup\ncn: team\nzimbraIsACLGroup: FALSE\nzimbraId: 11111111-0000-0000-0000-000000000003\n"
                   f"dgIdentity: {ADMIN}\n"
                   "memberURL: ldap:///ou=people,dc=example,dc=test??sub?(zimbraMailHost=ldap.example.test)\n")
    found = root_search(host, "cn=team,cn=groups,cn=zimbra", "base", "(objectClass=*)", "member")
    assert f"member: {PERSON}\n" in found


def test_changes_are_streamed(host):
    host.sh("ldapsearch -Q -Y EXTERNAL -H ldapi:/// -b cn=config,cn=zimbra -E sync=rp '(objectClass=*)' description "
            "> /tmp/stream 2>&1 & echo $! > /tmp/stream.pid")
    try:
        wait_for(lambda: "Sync Info" in host.read("/tmp/stream") or "cn=config,cn=zimbra" in host.read("/tmp/stream"),
                 10, "first state of the stream")
        host.run("ldapmodify", *login(host, "zimbra"),
                 input=f"dn: {CONFIG}\nchangetype: modify\nreplace: description\ndescription: seen\n")
        wait_for(lambda: "description: seen" in host.read("/tmp/stream"), 5, "the change")
    finally:
        host.sh("kill $(cat /tmp/stream.pid)")


def test_an_answered_write_survives_kill(host):
    for n in range(5):
        host.run("ldapmodify", *login(host, "zimbra"),
                 input=f"dn: {PERSON}\nchangetype: modify\nreplace: street\nstreet: Street {n}\n")
        host.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", "zimbra-ldap")
        wait_for(lambda: host.try_run("ldapwhoami", "-Q", "-Y", "EXTERNAL", *LOCAL).returncode == 0, 20, "slapd again")
        assert f"street: Street {n}\n" in root_search(host, PERSON, "base", "(uid=anna)", "street")


# ---- the process -------------------------------------------------------------------

def test_slapd_is_confined(host):
    pid = host.pid("zimbra-ldap")
    assert host.run("ps", "-o", "user=", "-p", str(pid)).strip() == "openldap"
    inside = ["nsenter", "-t", str(pid), "-m", "--", "runuser", "-u", "openldap", "--"]
    for path in ("/opt/zimbra/conf/localconfig.xml", "/opt/zimbra/store", "/root"):
        assert host.try_run(*inside, "ls", path).returncode != 0, path
    assert host.try_run(*inside, "touch", "/opt/zimbra/data/x").returncode != 0
    score = host.run("systemd-analyze", "security", "--no-pager", "zimbra-ldap").strip().splitlines()[-1]
    assert float(re.search(r": ([\d.]+)", score)[1]) <= 2.0
