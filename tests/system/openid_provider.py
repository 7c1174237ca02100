#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""openid_provider.py FOLDER: a small OpenID provider over real TLS, with real signatures (openssl makes them). FOLDER has tls.pem (certificate and key)
and gets port and, for each request, a line in log. FOLDER/how says what it does wrong, FOLDER/claims what it says of whoever comes (JSON)."""
import base64
import hashlib
import http.server
import json
import pathlib
import secrets
import ssl
import subprocess
import sys
import time
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

FOLDER = pathlib.Path(sys.argv[1])
CLIENT, SECRET = "chancery", "client secret: 1/2+3"
codes = {}


def how():
    return (FOLDER / "how").read_text().strip() if (FOLDER / "how").exists() else ""


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


def key(name):
    path = FOLDER / f"{name}.key"
    if not path.exists():
        openssl("genrsa", "-out", str(path), "2048")
    return path


def jwk(name):
    modulus = openssl("rsa", "-in", str(key(name)), "-noout", "-modulus").decode().strip().partition("=")[2]
    return {"kty": "RSA", "kid": name, "use": "sig", "n": b64(bytes.fromhex(modulus)), "e": "AQAB"}


def sign(name, text, pss=False):
    options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if pss else []
    return openssl("dgst", "-sha256", "-sign", str(key(name)), *options, data=text)


def id_token(nonce, issuer):
    now, wrong = int(time.time()), how()
    claims = {"iss": issuer, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": nonce, "sub": "1"}
    claims.update(json.loads((FOLDER / "claims").read_text()))
    claims.update({"wrong-nonce": {"nonce": "x"}, "wrong-audience": {"aud": "x"}, "expired": {"exp": now - 3600, "iat": now - 7200},
                   "wrong-issuer": {"iss": issuer + "/other"}, "early": {"nbf": now + 3600}}.get(wrong, {}))
    signer = "second" if wrong in ("rotated", "unpublished") else "first"
    algorithm = "PS256" if wrong == "pss" else "RS256"
    header = {"alg": "none" if wrong == "none" else "HS256" if wrong == "hs256" else algorithm, "kid": signer, "typ": "JWT"}
    text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}".encode()
    signature = b"" if wrong == "none" else sign("third" if wrong == "forged" else signer, text, algorithm == "PS256")
    if wrong == "hs256":
        import hmac
        signature = hmac.new(json.dumps(jwk("first")).encode(), text, "sha256").digest()
    return text.decode() + "." + b64(signature)


class Provider(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        with open(FOLDER / "log", "a", encoding="utf-8") as log:
            log.write(f"{self.command} {urlsplit(self.path).path}\n")

    @property
    def issuer(self):
        return f"https://localhost:{self.server.server_port}/realm"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def json(self, value, status=200):
        self.answer(status, json.dumps(value).encode(), **{"Content-Type": "application/json"})

    def do_GET(self):
        url, wrong = urlsplit(self.path), how()
        if url.path == "/realm/.well-known/openid-configuration":
            return self.json({"issuer": "https://evil.example" if wrong == "other-provider" else self.issuer, "authorization_endpoint": self.issuer + "/authorize" + ("?x\r\nSet-Cookie: evil=1" if wrong == "line" else ""),
                              "token_endpoint": self.issuer + "/token", "jwks_uri": self.issuer + "/keys"})
        if url.path == "/realm/keys":
            if wrong == "redirect":
                return self.answer(302, Location=self.issuer + "/keys-elsewhere")
            return self.json({"keys": [jwk("first"), {"kty": "oct", "k": "AA"}] + ([jwk("second")] if wrong == "rotated" else [])})
        if url.path == "/realm/keys-elsewhere":
            return self.json({"keys": [jwk("first")]})
        if url.path == "/realm/authorize":
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            good = (asked.get("response_type"), asked.get("client_id"), asked.get("code_challenge_method")) == ("code", CLIENT, "S256") and "openid" in asked["scope"].split()
            if not good:
                return self.answer(400)
            code = secrets.token_urlsafe(24) + "+/="
            codes[code] = asked
            return self.answer(302, Location=asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"], "iss": self.issuer, "session_state": "x"}))
        return self.answer(404)

    def do_POST(self):
        form = {name: values[0] for name, values in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        user, _, password = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode().partition(":")
        asked = codes.pop(form.get("code"), None)
        challenge = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (unquote(user), unquote(password)) != (CLIENT, SECRET):
            return self.json({"error": "invalid_client"}, 401)
        if not asked or asked["code_challenge"] != challenge or asked["redirect_uri"] != form.get("redirect_uri") or form.get("grant_type") != "authorization_code":
            return self.json({"error": "invalid_grant"}, 400)
        if how() == "huge":
            return self.answer(200, b" " * 1000000)
        return self.json({"access_token": "x", "token_type": "Bearer", "id_token": id_token(asked["nonce"], self.issuer)})


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(FOLDER / "tls.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
for each in ("first", "second", "third"):
    key(each)
(FOLDER / "port").write_text(str(server.server_port))
server.serve_forever()
