"""Declarations of schema/ for tests, and a valid value of each attribute."""
import itertools
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "schema"
COUNTER = itertools.count(1)

FIXED = {
    "integer": "1", "long": "1", "port": "25", "boolean": "TRUE", "duration": "1h", "gentime": "20130301120000Z",
    "phone": "+49 30 1234", "email": "a@example.test", "emailp": "A <a@example.test>",
    "cs-emailp": "a@example.test, b@example.test", "regex": "@example.test", "ostring": "octets",
    "binary": "octets",
}
STANDARD = {
    "c": "DE", "co": "Germany", "preferredDeliveryMethod": "any", "telexNumber": "1$DE$x",
    "facsimileTelephoneNumber": "+49 30 1", "teletexTerminalIdentifier": "1", "internationaliSDNNumber": "1",
    "x121Address": "1", "destinationIndicator": "DE", "memberURL": "ldap:///??sub?(cn=nobody)",
    "registeredAddress": "a$b", "postalAddress": "a$b", "userPassword": "{SSHA}abc", "mail": "a@example.test",
}


def rows(name):
    lines = (FOLDER / name).read_text(encoding="utf-8").rstrip("\n").split("\n")
    head = lines[0].split("\t")
    return [dict(zip(head, line.split("\t"))) for line in lines[1:]]


ATTRIBUTES = {r["name"]: r for r in rows("attributes.tsv")}
CLASSES = {r["name"]: r for r in rows("objectclasses.tsv")}


def oid(attribute):
    number = attribute["oid"]
    return number if "." in number or not number else "1.3.6.1.4.1.19348.2.1." + number


def attributes_of(place):
    """(required, optional) names of the class that PLACE stands for."""
    return tuple([n for n, a in ATTRIBUTES.items() if place in a[column].split(",")]
                 for column in ("required", "optional"))


def sample(name, attribute, text):
    if name in STANDARD:
        return STANDARD[name]
    kind = attribute["type"]
    if kind == "enum":
        return attribute["range"].split(",")[0]
    if kind == "id" or name == "DKIMSelector":
        return f"unique-{next(COUNTER)}"
    return FIXED.get(kind, text)
