#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An OCSP client that asks what it should not, with nothing of ours in it.

ocsp.py never-good HOST:PORT REQUEST COUNT   COUNT random serials of the CA that REQUEST names: each must be unknown
ocsp.py wrong-issuer HOST:PORT REQUEST       each octet of the two issuer hashes wrong: each must be unauthorized
ocsp.py nonces HOST:PORT REQUEST             nonces of 0 to 129 octets; prints "LENGTH STATUS same|other|none" for each
ocsp.py malformed HOST:PORT REQUEST          each bit of it turned, each prefix of it, and garbage: none may be good
ocsp.py status HOST:PORT REQUEST             prints what the answer says; exit status 0 whatever it is

REQUEST: a file with an OCSPRequest (DER) for one certificate, without a nonce, as openssl ocsp -reqout -no_nonce writes it.
"""
import http.client
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor

STATUSES = {0: "successful", 1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized"}
CERT_STATUSES = {0x80: "good", 0xA1: "revoked", 0x82: "unknown"}
NONCE_OID = bytes.fromhex("06092b0601050507300102")
CONNECTIONS = 8


def element(tag, content):
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def elements(content):
    """(tag, content, whole) of each element."""
    at = 0
    while at < len(content):
        start, tag, length, at = at, content[at], content[at + 1], at + 2
        if length & 0x80:
            octets = length & 0x7F
            length, at = int.from_bytes(content[at:at + octets], "big"), at + octets
        yield tag, content[at:at + length], content[start:at + length]
        at += length


def inside(der, *path):
    for index in path:
        der = list(elements(der))[index][1]
    return der


def cert_id_of(request):
    """algorithm (whole), name hash, key hash, serial of OCSPRequest.tbsRequest.requestList[0].reqCert"""
    fields = list(elements(inside(request, 0, 0, 0, 0, 0)))
    return fields[0][2], fields[1][1], fields[2][1], fields[3][1]


def request_of(algorithm, name_hash, key_hash, serial, nonce=None):
    cert_id = element(0x30, algorithm + element(0x04, name_hash) + element(0x04, key_hash) + element(0x02, serial))
    tbs = element(0x30, element(0x30, cert_id))
    if nonce is not None:
        extension = element(0x30, NONCE_OID + element(0x04, element(0x04, nonce)))
        tbs += element(0xA2, element(0x30, extension))
    return element(0x30, element(0x30, tbs))


def check_time(text):
    assert len(text) == 15 and text.endswith(b"Z"), f"a time with fractions or an offset: {text}"


def read_answer(der):
    """(responseStatus, certStatus or None, nonce or None)"""
    fields = list(elements(inside(der, 0)))
    status = STATUSES[fields[0][1][0]]
    if status != "successful":
        assert len(fields) == 1, "an error with a body"
        return status, None, None
    data = list(elements(inside(fields[1][1], 0, 1, 0, 0)))
    check_time(data[1][1])
    single = list(elements(list(elements(data[2][1]))[0][1]))
    check_time(single[2][1])
    check_time(inside(single[3][2], 0, 0))
    nonce = None
    if len(data) > 3:
        nonce = inside(inside(data[3][2], 0, 0, 0, 1), 0)
    return status, CERT_STATUSES[single[1][0]], nonce


class Responder:
    def __init__(self, place):
        self.connection = http.client.HTTPConnection(place, timeout=30)

    def ask(self, request):
        self.connection.request("POST", "/ocsp", request, {"Content-Type": "application/ocsp-request"})
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200 and answer.getheader("Content-Type") == "application/ocsp-response", answer.status
        return read_answer(body)


def ask_all(place, requests):
    """The answers, asked for over several connections, in order."""
    def part(first):
        responder = Responder(place)
        return [(at, responder.ask(requests[at])) for at in range(first, len(requests), CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = dict(pair for done in pool.map(part, range(CONNECTIONS)) for pair in done)
    return [answers[at] for at in range(len(requests))]


def never_good(place, request, count):
    algorithm, name_hash, key_hash, real = cert_id_of(request)
    serials = []
    for at in range(int(count)):
        # Half of them are near a real one: it begins with the time.
        serial = bytearray(real if at % 2 else os.urandom(random.randint(1, 20)))
        serial[-8:] = os.urandom(len(serial[-8:]))
        serials.append(bytes([serial[0] & 0x7F | 0x01]) + bytes(serial[1:]))
    answers = ask_all(place, [request_of(algorithm, name_hash, key_hash, serial) for serial in serials])
    assert all(answer == ("successful", "unknown", None) for answer in answers), set(answers)
    print(f"{len(answers)} unknown")


def wrong_issuer(place, request):
    algorithm, name_hash, key_hash, serial = cert_id_of(request)
    wrong = []
    for at in range(len(name_hash)):
        flip = bytes(at) + b"\x01" + bytes(len(name_hash) - at - 1)
        other = lambda octets: bytes(a ^ b for a, b in zip(octets, flip))
        wrong += [request_of(algorithm, other(name_hash), key_hash, serial), request_of(algorithm, name_hash, other(key_hash), serial)]
    wrong += [request_of(algorithm, key_hash, name_hash, serial), request_of(algorithm, b"", b"", serial),
              request_of(algorithm, name_hash[:-1], key_hash[:-1], serial)]
    answers = ask_all(place, wrong)
    assert all(answer == ("unauthorized", None, None) for answer in answers), set(answers)
    print(f"{len(answers)} unauthorized")


def nonces(place, request):
    responder = Responder(place)
    for length in range(130):
        nonce = os.urandom(length)
        status, _, back = responder.ask(request_of(*cert_id_of(request), nonce))
        print(length, status, "none" if back is None else "same" if back == nonce else "other")


def malformed(place, request):
    turned = [bytes(octet ^ (1 << bit if at == where else 0) for where, octet in enumerate(request))
              for at in range(len(request)) for bit in range(8)]
    broken = turned + [request[:length] for length in range(len(request))] + [request + b"\0", request + request]
    broken += [os.urandom(random.randint(1, 200)) for _ in range(200)]
    answers = ask_all(place, broken)
    assert all(answer[1] in (None, "unknown") for answer in answers), set(answers)
    assert ("malformedRequest", None, None) in answers
    assert "internalError" not in {answer[0] for answer in answers}
    print(f"{len(answers)} not good")


def main(command, place, path, *more):
    with open(path, "rb") as file:
        request = file.read()
    if command == "status":
        print(*[word for word in Responder(place).ask(request)[:2] if word])
        return
    {"never-good": never_good, "wrong-issuer": wrong_issuer, "nonces": nonces, "malformed": malformed}[command](place, request, *more)


main(*sys.argv[1:])
