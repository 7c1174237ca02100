#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mutations.py FOLDER URL CA ITEM CHALLENGE LOG DAEMON: requests by SCEP with one challenge, each with one field changed. FOLDER has scep.key, whose
digest the device named, ITEM what it was told (JSON), LOG is what ca says of each request, DAEMON
what scep says of those that it does not pass on. None may get a certificate, and for each the log has to name both values; then the request for exactly the item has to get one. Prints a line of each."""
import base64
import hashlib
import json
import pathlib
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "tools"))
sys.dont_write_bytecode = True
import scep
from scep import SEQUENCE, SET, der, oid, openssl

FOLDER, URL, CA, ITEM, CHALLENGE, LOG, DAEMON = sys.argv[1:]
FOLDER, LOG, DAEMON, ITEM = pathlib.Path(FOLDER), pathlib.Path(LOG), pathlib.Path(DAEMON), json.loads(ITEM)
UTF8, DNS, EMAIL = 0x0C, 0x82, 0x81
CLIENT, SERVER = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"
TYPES = {"CN": "2.5.4.3", "OU": "2.5.4.11", "O": "2.5.4.10", "C": "2.5.4.6"}


def name(*rdns):
    """RDNs of one attribute each, "CN=text"."""
    made = []
    for rdn in rdns:
        kind, _, text = rdn.partition("=")
        tag = scep.PRINTABLE if kind == "C" else UTF8
        made.append(der(SET, der(SEQUENCE, oid(TYPES[kind]), der(tag, text.encode()))))
    return der(SEQUENCE, *made)


def names(*general):
    return der(SEQUENCE, *(der(tag, text.encode()) for tag, text in general))


def key(*options):
    path = FOLDER / "other.key"
    openssl("genpkey", *options, "-out", path)
    return path


def digest(path):
    return hashlib.sha256(scep.spki(path)).hexdigest()


RSA_2048, RSA_3072 = (("-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}") for bits in (2048, 3072))
P256 = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
BOUND = FOLDER / "scep.key"
CN, OU, O = SUBJECT = ["CN=M1", "OU=Sales", "O=Example"]
HOST, SECOND = SAN = [(DNS, "m1.example.org"), (DNS, "second.example.org")]
USAGE = ["digitalSignature", "keyEncipherment"]
EXACT = {"subject": name(*SUBJECT), "san": names(*SAN), "purposes": [CLIENT], "usage": USAGE}

# What the tables here start from is what the device was told.
told = {"subject": ITEM["subject_der"], "san": ITEM["subject_alternative_names_der"]}
if {member: base64.b64encode(EXACT[member]).decode() for member in told} != told or ITEM["names_key"] is not True:
    sys.exit(f"the device was told something else: {ITEM}")

# What is changed, and the value of the request and of the challenge that the log has to name.
MUTATIONS = [
    ("CN", {"subject": name("CN=M2", OU, O)}, "CN=M2", "CN=M1"),
    ("CN's case", {"subject": name("CN=m1", OU, O)}, "CN=m1", "CN=M1"),
    ("OU", {"subject": name(CN, "OU=West", O)}, "OU=West", "OU=Sales"),
    ("O", {"subject": name(CN, OU, "O=Other")}, "O=Other", "O=Example"),
    ("CN removed", {"subject": name(OU, O)}, "CSR <OU=Sales>", "CN=M1"),
    ("OU removed", {"subject": name(CN, O)}, "CSR <O=Example>", "OU=Sales"),
    ("O removed", {"subject": name(CN, OU)}, "CSR <>", "O=Example"),
    ("an RDN more", {"subject": name(CN, OU, O, "C=NL")}, "C=NL", "challenge <>"),
    ("no subject", {"subject": name()}, "Subject Name in CSR is missing", "CN=M1"),
    ("RDNs in another order", {"subject": name(O, OU, CN)}, "CSR <O=Example>", "CN=M1"),
    ("SAN added", {"san": names(HOST, SECOND, (DNS, "third.example.org"))}, "dns:third.example.org", "only challenge <>"),
    ("SAN removed", {"san": names(HOST)}, "only CSR <>", "dns:second.example.org"),
    ("SAN replaced", {"san": names(HOST, (DNS, "other.example.org"))}, "dns:other.example.org", "dns:second.example.org"),
    ("SAN of another kind", {"san": names(HOST, (EMAIL, "second@example.org"))}, "email:second@example.org", "dns:second.example.org"),
    ("no SAN", {"san": None}, "Subject Alternative Name in CSR is missing", "dns:second.example.org"),
    ("EKU replaced", {"purposes": [SERVER]}, SERVER, CLIENT),
    ("EKU added", {"purposes": [CLIENT, SERVER]}, f"only CSR <{SERVER}>", "only challenge <>"),
    ("no EKU", {"purposes": []}, "Enhanced Key Usage in CSR is missing", CLIENT),
    ("usage less", {"usage": ["digitalSignature"]}, "CSR <digitalSignature>", "challenge <digitalSignature,keyEncipherment>"),
    ("usage other", {"usage": ["keyEncipherment"]}, "CSR <keyEncipherment>", "challenge <digitalSignature,keyEncipherment>"),
    ("usage more", {"usage": ["nonRepudiation", *USAGE]}, "nonRepudiation", "challenge <digitalSignature,keyEncipherment>"),
    ("key size", {"key": RSA_3072}, "RSA 3072", "RSA 2048"),
    ("key type", {"key": P256}, "P-256", "RSA"),
    ("another key", {"key": RSA_2048}, "OWN", digest(BOUND)),
]


def asked(changes):
    """What came of it, and the key that it was for."""
    of = key(*changes["key"]) if "key" in changes else BOUND
    try:
        wants = EXACT | changes
        csr = scep.request(of, CHALLENGE, wants["subject"], wants["usage"], wants["san"], wants["purposes"])
        scep.enrol(URL, of, csr, CA)
        return "issued", of
    except scep.Refused as refused:
        return f"refused {refused}", of


failed = 0
for what, changes, got, expected in MUTATIONS:
    # Answers are sealed to RSA keys alone, so that scep says no before there is a challenge to compare with.
    log, refusal = (DAEMON, "refused 0") if changes.get("key") == P256 else (LOG, "refused 2")
    before = log.stat().st_size
    outcome, of = asked(changes)
    said = log.read_bytes()[before:].decode()
    lacks = [value for value in (digest(of) if got == "OWN" else got, expected) if value not in said]
    wrong = outcome != refusal or lacks or (log == LOG and "finished with status False" not in said)
    failed += bool(wrong)
    print(f"{'not ok' if wrong else 'ok'} {what}: {outcome}" + (f"; the log lacks {lacks}:\n{said}" if wrong else ""))
outcome, _ = asked({})
print(f"exactly as told: {outcome}")
sys.exit(1 if failed or outcome != "issued" else None)
