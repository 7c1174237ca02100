#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""matrix.py RUN_DIR: on each socket of a running site, every verb that any role has, and every name that a client could give itself.

Prints "SERVER CLIENT reached N of M" for each socket; exit status 1 when a verb is reached that is not meant for the client, or not reached
that is, or when another name is believed. What reaches a verb has an empty record with it: most are refused for that, which is as good."""
import pathlib
import socket
import sys

CLI = {
    "ca": "request_list request_show request_export request_submit request_approve request_deny request_resubmit refusal_list cert_list cert_show "
          "cert_export cert_revoke cert_release template_list template_show template_new template_set template_publish "
          "template_unpublish template_delete site_export site_apply crl_publish crl_show crl_export password_new status signer_status "
          "ca_flags right_list right_grant right_revoke right_deny authority_list authority_show authority_add authority_set "
          "authority_remove audit_list",
    "scep": "status reload ra_show ra_renew tls_show tls_renew",
    "va": "status reload",
    "mdm": "status reload api tls_show tls_renew",
}
MEANT = {
    **{(server, "cli"): verbs.split() for server, verbs in CLI.items()},
    ("ca", "scep"): "request poll get_cert get_crl issue status_get challenge_claim challenge_close tls_renew".split(),
    ("ca", "mdm"): ["tls_renew"],  # it has no other right yet: an administrator gives it some
    ("ca", "va"): "ca_get status_get status_changes crl_get issue".split(),
}
# Of authorities, which have no socket on a site without a management service.
AUTHORITY = "crp_get authority_successor authorisation_end outbox_lease outbox_done authority_revoke".split()
VERBS = sorted({verb for verbs in MEANT.values() for verb in verbs} | {*AUTHORITY, "seal", "hello", "sign", "ok", "error", "statu", "statuses"})
NAMES = ["cli", "scep", "va", "ca", "signer", "mdm", "connector", "agent", "root", "*", "", "cli ", "CLI", "cli scep", "role/scep"]


def tlv(tag, content):
    size = len(content)
    head = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + head + content


def frame(number, verb, body):
    inner = tlv(0x30, tlv(2, b"\1") + tlv(2, bytes([number])) + tlv(0x0C, verb.encode()) + body)
    return len(inner).to_bytes(4, "big") + inner


def connect(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    connection.connect(str(path))
    return connection


def hello(name):
    return frame(1, "hello", tlv(0x30, tlv(2, b"\1") * 2 + tlv(0x0C, name.encode())))


def answer(connection):
    """The next frame, whole; empty when there is none any more."""
    data = b""
    while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
        try:
            more = connection.recv(4 if len(data) < 4 else 4 + int.from_bytes(data[:4], "big") - len(data))
        except ConnectionResetError:
            return b""
        if not more:
            return b""
        data += more
    return data


def refused(data):
    return tlv(0x0C, b"error") in data[:40] and tlv(0x0C, b"ERR_NOT_AUTHORISED") in data


def reached(path, client, verb):
    with connect(path) as connection:
        connection.sendall(hello(client))
        if tlv(0x0C, b"hello") not in answer(connection)[:40]:
            return False
        connection.sendall(frame(2, verb, tlv(0x30, b"")))
        data = answer(connection)
        return bool(data) and not refused(data)


def believed(path, name):
    with connect(path) as connection:
        connection.sendall(hello(name) + frame(2, "status", tlv(0x30, b"")))
        data = answer(connection)
        return bool(data) and not refused(data) or bool(answer(connection))


def check(path, server, client):
    meant = MEANT.get((server, client), [])
    took = [verb for verb in VERBS if reached(path, client, verb)]
    wrongs = [f"{verb} is {'' if verb in took else 'not '}reached" for verb in VERBS if (verb in took) != (verb in meant)]
    wrongs += [f'"{name}" is believed' for name in NAMES if name != client and believed(path, name)]
    print(server, client, "reached", len(took), "of", len(VERBS), *wrongs)
    return wrongs


def main(run_dir):
    wrongs = []
    for path in sorted(pathlib.Path(run_dir).glob("*/socket")):
        wrongs += check(path, *path.parent.name.split("-", 1))
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
