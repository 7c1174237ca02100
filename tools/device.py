#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""device.py FOLDER URL CA COMMAND…: a device, as docs/device-protocol.md has it. What it holds is in FOLDER: key.pem and device.pem, and
next.key.pem and next.pem between a renewal and the check-in that uses it.

  enrol TOKEN JSON   makes a key, and sends what the device says of itself; $KEY is what openssl genpkey is asked for
  checkin [JSON]     with the certificate
  obey               checks in, does what it is told, and reports what it has: what a real device does all day
  renew              a new key and certificate, used from then on
  post PATH JSON     as it is; with the certificate where there is one

Prints "STATUS BODY". $CERT names another certificate and key than the device's own; "none" for none. $TLS is 1.2 or 1.3.
What it got is in FOLDER/installed: PROFILE.pem, and for a certificate of its own PROFILE.key.pem."""
import base64
import hashlib
import http.client
import json
import os
import pathlib
import ssl
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True  # not into a source tree that is somebody else's
import scep
from scep import openssl

if len(sys.argv) < 5:
    sys.exit(__doc__)
FOLDER = pathlib.Path(sys.argv[1])
URL = urllib.parse.urlsplit(sys.argv[2])
CA = sys.argv[3]


def csr(key):
    kind = os.environ.get("KEY", "EC -pkeyopt ec_paramgen_curve:P-256").split()
    FOLDER.mkdir(exist_ok=True)
    openssl("genpkey", "-algorithm", *kind, "-out", key)
    return base64.b64encode(openssl("req", "-new", "-key", key, "-subj", "/CN=device", "-outform", "DER")).decode()


def context():
    made = ssl.create_default_context(cafile=CA)
    version = os.environ.get("TLS")
    if version:
        made.minimum_version = made.maximum_version = ssl.TLSVersion[f"TLSv{version.replace('.', '_')}"]
    own = FOLDER / "device.pem"
    cert = os.environ.get("CERT", own if own.exists() else "none")
    if str(cert) != "none":
        made.load_cert_chain(cert, FOLDER / "key.pem" if cert == own else None)
    return made


def post(path, body):
    connection = http.client.HTTPSConnection(URL.hostname, URL.port, context=context(), timeout=60)
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def keep(answer, cert):
    pem = [ssl.DER_cert_to_PEM_cert(base64.b64decode(der)) for der in [answer["certificate"], *answer["chain"]]]
    cert.write_text("".join(pem))


def enrol(token, device):
    body = {"token": token, "csr": csr(FOLDER / "key.pem"), "device": json.loads(device)}
    os.environ.setdefault("CERT", "none")
    status, text = post("/device/v1/enrol", json.dumps(body))
    if status == 201:
        keep(json.loads(text), FOLDER / "device.pem")
    return status, text


def renew():
    status, text = post("/device/v1/renew", json.dumps({"csr": csr(FOLDER / "next.key.pem")}))
    if status == 201:
        keep(json.loads(text), FOLDER / "next.pem")
        (FOLDER / "next.key.pem").rename(FOLDER / "key.pem")
        (FOLDER / "next.pem").rename(FOLDER / "device.pem")
    return status, text


def checkin(report="{}"):
    return post("/device/v1/checkin", report)


# --- what it is told to do ---

def installed(profile, ending=".pem"):
    return FOLDER / "installed" / (profile + ending)


def digests(path):
    """SHA-256 of the certificate, and of its key."""
    pem = path.read_text()
    first = ssl.PEM_cert_to_DER_cert(pem[:pem.index("-----END") + 26])
    return hashlib.sha256(first).hexdigest(), hashlib.sha256(scep.spki_of(pem)).hexdigest()


def report():
    held = []
    for path in sorted(FOLDER.glob("installed/*.pem")):
        if path.name.endswith(".key.pem"):
            continue
        thumbprint, key = digests(path)
        own = installed(path.stem, ".key.pem").exists()
        held.append({"thumbprint": thumbprint, "key": key, "profile": path.stem if own else None})
    return held


def request(item, key, challenge):
    """For exactly what the item says, names octet by octet."""
    san = item["subject_alternative_names_der"]
    return scep.request(key, challenge, base64.b64decode(item["subject_der"]), item["key_usage"], san and base64.b64decode(san),
                        item["extended_key_usage"])


def later(path, body):
    """503 and 429 mean: later."""
    for _ in range(30):
        status, text = post(path, json.dumps(body))
        if status not in (429, 503):
            break
        time.sleep(1)
    if status != 200:
        raise OSError(f"{path}: {status} {text.strip()}")
    return json.loads(text)


def challenge_for(item, key):
    if not item["names_key"]:
        return item["challenge"]
    named = hashlib.sha256(scep.spki(key)).hexdigest()
    return later("/device/v1/challenge", {"profile": item["profile"], "key": named})["challenge"]


def get_certificate(item):
    root, key = installed(item["root"]["profile"]), FOLDER / "next.scep.key.pem"
    if digests(root)[0] != item["root"]["sha256"]:
        raise OSError("the root certificate is not the one that the item names")
    openssl("genrsa", "-traditional", "-out", key, item["key"]["bits"])
    csr = request(item, key, challenge_for(item, key))
    (FOLDER / "next.scep.pem").write_text("".join(scep.enrol(item["scep_server_urls"][0], key, csr, root)))
    installed(item["profile"], ".order").write_text(item["id"])
    key.rename(installed(item["profile"], ".key.pem"))
    (FOLDER / "next.scep.pem").rename(installed(item["profile"]))


def has_followed(item):
    """An item is told again until the service knows that it is done."""
    order = installed(item["profile"], ".order")
    return installed(item["profile"]).exists() and order.exists() and order.read_text() == item["id"]


def do(item):
    own, key = installed(item["profile"]), installed(item["profile"], ".key.pem")
    if item["action"] == "install" and item["type"] == "trusted-certificate":
        own.write_text(ssl.DER_cert_to_PEM_cert(base64.b64decode(item["certificate"])))
    elif item["action"] == "install" and not has_followed(item):
        get_certificate(item)
    elif item["action"] == "remove" and (item["type"] == "trusted-certificate" or own.exists() and digests(own)[0] in item["thumbprints"]):
        own.unlink(missing_ok=True)
        key.unlink(missing_ok=True)


def done(item):
    try:
        do(item)
        return {"id": item["id"], "state": "done"}
    except scep.Refused as refused:
        return {"id": item["id"], "state": "failed", "code": "SCEP", "detail": f"failInfo {refused}"}
    except (OSError, KeyError) as error:
        return {"id": item["id"], "state": "failed", "code": "DEVICE", "detail": str(error)[:200]}


def obey():
    (FOLDER / "installed").mkdir(exist_ok=True)
    told = later("/device/v1/checkin", {"installed": report()})
    results = [done(item) for item in told.get("do", [])]
    failed = [result for result in results if result["state"] == "failed"]
    answer = post("/device/v1/checkin", json.dumps({"installed": report(), "results": results}))
    return (0, json.dumps(failed)) if failed else answer


command, *arguments = sys.argv[4:]
status, text = {"enrol": enrol, "checkin": checkin, "renew": renew, "post": post, "obey": obey}[command](*arguments)
print(status, text.strip())
if command == "obey" and status != 200:
    sys.exit(1)
