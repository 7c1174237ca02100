#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scep.py URL KEY CSR CA OUT: a SCEP client (RFC 8894) of Python and openssl alone. CSR is PKCS#10 in DER with the challenge in it, KEY its
RSA key, CA the roots that service and certificate must come from; the certificate and its chain go to OUT.

Prints SUCCESS, or "FAILURE N" with the number of failInfo. tools/device.py uses it as a module."""
import hashlib
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.request

SEQUENCE, SET, BOOLEAN, INTEGER, BITS, OCTETS, OID, PRINTABLE = 0x30, 0x31, 1, 2, 3, 4, 6, 0x13
DATA, SIGNED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
SHA256, RSA = "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.1"
SHA256_RSA, SHA256_ECDSA = "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2"
MESSAGE_TYPE, PKI_STATUS, FAIL_INFO, SENDER_NONCE, RECIPIENT_NONCE, TRANSACTION = (f"2.16.840.1.113733.1.9.{n}" for n in range(2, 8))


class Refused(Exception):
    """The service's own no, with failInfo."""


def openssl(*args, data=None):
    done = subprocess.run(["openssl", *map(str, args)], input=data, capture_output=True)
    if done.returncode:
        raise OSError(f"openssl {args[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


# --- DER ---

def der(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x80 | len(octets)]) + octets) + content


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = b""
    for arc in [first * 40 + second, *rest]:
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        out += bytes(reversed(septets))
    return der(OID, out)


def parts(content):
    """The elements of a constructed element's content: tag, content and the whole of each."""
    out, at = [], 0
    while at < len(content):
        start, tag, size = at, content[at], content[at + 1]
        at += 2
        if size >= 128:
            count = size & 0x7F
            size, at = int.from_bytes(content[at:at + count], "big"), at + count
        out.append((tag, content[at:at + size], content[start:at + size]))
        at += size
    return out


def attribute(name, value):
    return der(SEQUENCE, oid(name), der(SET, value))


def set_of(elements):
    return b"".join(sorted(elements))


def spki(key):
    return openssl("pkey", "-in", key, "-pubout", "-outform", "DER")


def signed(key, data):
    """AlgorithmIdentifier, and the signature with SHA-256."""
    algorithm = der(SEQUENCE, oid(SHA256_RSA), b"\5\0") if oid(RSA) in spki(key) else der(SEQUENCE, oid(SHA256_ECDSA))
    return algorithm, openssl("dgst", "-sha256", "-sign", key, data=data)


# --- the request ---

USAGE_BITS = {"digitalSignature": 0x80, "nonRepudiation": 0x40, "keyEncipherment": 0x20}


def extension(name, value, critical=False):
    return der(SEQUENCE, oid(name), der(BOOLEAN, b"\xff") if critical else b"", der(OCTETS, value))


def key_usage(names):
    bits = sum(USAGE_BITS[name] for name in names)
    unused = (bits & -bits).bit_length() - 1
    return extension("2.5.29.15", der(BITS, bytes([unused, bits])), critical=True)


def request(key, challenge, subject, usage, san=None, purposes=()):
    """PKCS#10 for exactly this: subject and san are DER, usage has names, purposes OIDs."""
    wanted = key_usage(usage)
    if san:
        wanted += extension("2.5.29.17", san)
    if purposes:
        wanted += extension("2.5.29.37", der(SEQUENCE, *map(oid, purposes)))
    attributes = set_of([
        attribute("1.2.840.113549.1.9.7", der(PRINTABLE, challenge.encode())),
        attribute("1.2.840.113549.1.9.14", der(SEQUENCE, wanted)),
    ])
    info = der(SEQUENCE, der(INTEGER, b"\0"), subject, spki(key), der(0xA0, attributes))
    algorithm, signature = signed(key, info)
    return der(SEQUENCE, info, algorithm, der(BITS, b"\0", signature))


# --- messages ---

def message(envelope, signer, key, transaction, nonce):
    """pkiMessage of type PKCSReq: what is enveloped, signed by the key of the request (3.2)."""
    (_, _, serial), _, (_, _, issuer), *_ = (part for part in parts(parts(parts(signer)[0][1])[0][1]) if part[0] != 0xA0)
    sha256 = der(SEQUENCE, oid(SHA256))
    attributes = set_of([
        attribute(CONTENT_TYPE, oid(DATA)),
        attribute(MESSAGE_DIGEST, der(OCTETS, hashlib.sha256(envelope).digest())),
        attribute(MESSAGE_TYPE, der(PRINTABLE, b"19")),
        attribute(TRANSACTION, der(PRINTABLE, transaction)),
        attribute(SENDER_NONCE, der(OCTETS, nonce)),
    ])
    algorithm, signature = signed(key, der(SET, attributes))
    info = der(SEQUENCE, der(INTEGER, b"\1"), der(SEQUENCE, issuer, serial), sha256, der(0xA0, attributes),
               algorithm, der(OCTETS, signature))
    content = der(SEQUENCE, oid(DATA), der(0xA0, der(OCTETS, envelope)))
    data = der(SEQUENCE, der(INTEGER, b"\1"), der(SET, sha256), content, der(0xA0, signer), der(SET, info))
    return der(SEQUENCE, oid(SIGNED_DATA), der(0xA0, data))


def attributes_of(answer):
    """The signed attributes of the one signer, by OID."""
    data = parts(parts(parts(parts(answer)[0][1])[1][1])[0][1])
    info = parts(parts(data[-1][1])[0][1])
    attributes = next(content for tag, content, _ in info if tag == 0xA0)
    pairs = (parts(content) for _, content, _ in parts(attributes))
    return {name[2]: parts(values[1])[0][1] for name, values in pairs}


def http(url, trust, body=None):
    request = urllib.request.Request(url, body, {"Content-Type": "application/x-pki-message"} if body else {})
    context = ssl.create_default_context(cafile=str(trust)) if url.startswith("https:") else None
    with urllib.request.urlopen(request, context=context, timeout=60) as answer:
        return answer.read()


def certificates(degenerate):
    text = openssl("pkcs7", "-inform", "DER", "-print_certs", data=degenerate).decode()
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.S)


def certificates_of_service(url, trust, folder):
    """Of GetCACert, as far as it comes from a root that is trusted: encryption.pem, the one whose key usage says so, and chain.pem, the
    authorities with that root, since openssl cms builds chains of those alone."""
    listed = certificates(http(url + "?operation=GetCACert&message=ca", trust))
    (folder / "all.pem").write_text("".join(listed))
    chain = [pathlib.Path(trust).read_text()]
    for pem in listed:
        (folder / "one.pem").write_text(pem)
        openssl("verify", "-CAfile", trust, "-untrusted", folder / "all.pem", folder / "one.pem")
        says = openssl("x509", "-noout", "-ext", "keyUsage,basicConstraints", "-in", folder / "one.pem").decode()
        if "CA:TRUE" in says:
            chain.append(pem)
        elif "Key Encipherment" in says:
            (folder / "encryption.pem").write_text(pem)
    (folder / "chain.pem").write_text("".join(chain))


def opened(answer, nonce, folder, key):
    """What a CertRep has, once it is known whose it is and that it answers this request."""
    attributes = attributes_of(answer)
    if attributes[oid(PKI_STATUS)] == b"2":  # has no content that could be verified; whoever forges a no could as well say nothing
        raise Refused(attributes[oid(FAIL_INFO)].decode())
    envelope = openssl("cms", "-verify", "-binary", "-inform", "DER", "-CAfile", folder / "chain.pem",
                       "-purpose", "any", data=answer)
    if attributes[oid(RECIPIENT_NONCE)] != nonce:
        raise OSError("the answer is to another request: its recipientNonce is not ours")
    if attributes[oid(PKI_STATUS)] != b"0":
        raise OSError(f"pkiStatus {attributes[oid(PKI_STATUS)].decode()}: the request waits for somebody")
    return certificates(openssl("cms", "-decrypt", "-binary", "-inform", "DER", "-recip", folder / "self.pem", "-inkey", key,
                                data=envelope))


def spki_of(pem):
    return openssl("pkey", "-pubin", "-outform", "DER", data=openssl("x509", "-noout", "-pubkey", data=pem.encode()))


def enrol(url, key, csr, trust):
    """The certificate for that request, and behind it what else came, in PEM."""
    with tempfile.TemporaryDirectory() as name:
        folder, nonce = pathlib.Path(name), os.urandom(16)
        # What a device that has no certificate yet signs with: its key, under the name that it asks for (2.3).
        signer = openssl("x509", "-req", "-inform", "DER", "-signkey", key, "-days", "1", data=csr)
        (folder / "self.pem").write_bytes(signer)
        certificates_of_service(url, trust, folder)
        envelope = openssl("cms", "-encrypt", "-binary", "-aes-128-cbc", "-outform", "DER", folder / "encryption.pem", data=csr)
        transaction = hashlib.sha256(spki(key)).hexdigest().encode()
        body = message(envelope, ssl.PEM_cert_to_DER_cert(signer.decode()), key, transaction, nonce)
        came = opened(http(url + "?operation=PKIOperation", trust, body), nonce, folder, key)
        own = next(pem for pem in came if spki_of(pem) == spki(key))
        (folder / "own.pem").write_text(own)
        openssl("verify", "-CAfile", folder / "chain.pem", folder / "own.pem")
        return [own, *(pem for pem in came if pem != own)]


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    try:
        found = enrol(sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]).read_bytes(), sys.argv[4])
    except Refused as refused:
        sys.exit(print(f"FAILURE {refused}") or 1)
    pathlib.Path(sys.argv[5]).write_text("".join(found))
    print("SUCCESS")
