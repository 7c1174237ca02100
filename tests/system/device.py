#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""device.py FOLDER URL CA COMMAND…: a device, as docs/device-protocol.md has it. What it holds is in FOLDER: key.pem and device.pem, and
next.key.pem and next.pem between a renewal and the check-in that uses it.

  enrol TOKEN JSON   makes a key, and sends what the device says of itself; $KEY is what openssl genpkey is asked for
  checkin [JSON]     with the certificate
  renew              a new key and certificate, used from then on
  post PATH JSON     as it is; with the certificate where there is one

Prints "STATUS BODY". $CERT names another certificate and key than the device's own; "none" for none. $TLS is 1.2 or 1.3."""
import base64
import http.client
import json
import os
import pathlib
import ssl
import subprocess
import sys
import urllib.parse

FOLDER = pathlib.Path(sys.argv[1])
URL = urllib.parse.urlsplit(sys.argv[2])
CA = sys.argv[3]


def openssl(*args):
    return subprocess.run(["openssl", *args], check=True, capture_output=True).stdout


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


command, *arguments = sys.argv[4:]
status, text = {"enrol": enrol, "checkin": checkin, "renew": renew, "post": post}[command](*arguments)
print(status, text.strip())
