#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""signin_matrix.py URL CA_FILE FOLDER: every route of the administration API, with every role and every kind of credential, over real HTTPS.

The routes are those of the service's own document, whom each is for is written here a second time: what the document says beside that fails.
FOLDER has KIND-ROLE files with tokens: session, apitoken (good), old (a session that is over), expired, revoked (API tokens). A request that is let in gets
400, 404, 409, 412 or 422 for what it asks for, or is done; one that is not gets 401 or 403."""
import http.client
import json
import pathlib
import ssl
import sys
from urllib.parse import urlsplit

ROLES = ["ca-manager", "certificate-officer", "profile-manager", "help-desk", "auditor"]
ALL, DIRECTORY = set(ROLES), {"ca-manager", "profile-manager"}
HELP = DIRECTORY | {"help-desk"}
READS = {"ca-manager", "auditor"}
NOBODY = set()
GONE = "nobody-of-that-name"

# path: {method: (roles, in person)}; what is not here is READ by all and changed by DIRECTORY
SPECIAL = {
    "/api/v1/openapi.json": {"get": (NOBODY, False)},
    "/api/v1/oidc": {"get": (NOBODY, False)},
    "/api/v1/oidc/callback": {"get": (NOBODY, False)},
    "/api/v1/session": {"post": (NOBODY, False), "get": (ALL, False), "delete": (ALL, False)},
    "/api/v1/session/password": {"put": (ALL, True)},
    "/api/v1/administrators": {"get": (READS, False), "post": ({"ca-manager"}, True)},
    "/api/v1/administrators/{administrator}": {"get": (READS, False), "patch": ({"ca-manager"}, True), "delete": ({"ca-manager"}, True)},
    "/api/v1/administrators/{administrator}/password": {"put": ({"ca-manager"}, True)},
    "/api/v1/apitokens": {"get": (ALL, False), "post": (ALL, True)},
    "/api/v1/apitokens/{apitoken}": {"delete": (ALL, False)},
    "/api/v1/audit": {"get": (READS, False)},
    "/api/v1/devices/{device}/retire": {"post": (HELP, False)},
    "/api/v1/enrolment-tokens": {"get": (HELP | {"auditor"}, False), "post": (HELP, False)},
    "/api/v1/enrolment-tokens/{token}": {"delete": (HELP, False)},
}


def meant(path, method):
    if path in SPECIAL:
        return SPECIAL[path][method]
    return (ALL if method == "get" else DIRECTORY), False


class Client:
    def __init__(self, url, ca_file):
        split = urlsplit(url)
        self.connection = http.client.HTTPSConnection(split.hostname, split.port, context=ssl.create_default_context(cafile=ca_file), timeout=20)

    def status(self, method, path, token):
        for name in ("user", "group", "device", "profile", "token", "member", "administrator", "apitoken", "version"):
            path = path.replace("{" + name + "}", GONE)
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        body = None
        if method in ("post", "put", "patch"):
            headers["Content-Type"] = "application/json"
            body = "[]"  # no route takes it
        self.connection.request(method.upper(), path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, text


def main(url, ca_file, folder):
    client = Client(url, ca_file)
    status, text = client.status("get", "/api/v1/openapi.json", None)
    assert status == 200, status
    routes = [(path, method, said) for path, methods in json.loads(text)["paths"].items() for method, said in methods.items()]
    tokens = {(kind, role): pathlib.Path(folder, f"{kind}-{role}").read_text().strip()
              for kind in ("session", "apitoken", "old", "expired", "revoked") for role in ROLES}
    wrong, cells = [], 0
    unseen = {(path, method) for path, methods in SPECIAL.items() for method in methods}

    def cell(path, method, token, expected, what):
        nonlocal cells
        got, _ = client.status(method, path, token)
        kind = got if got in (401, 403) else "in" if got < 500 and got != 429 else got
        cells += 1
        if kind != expected:
            wrong.append(f"{method} {path} with {what}: {got}, wanted {expected}")

    # Signing out ends the session that asks; it goes last.
    for path, method, said in sorted(routes, key=lambda route: (route[0], route[1]) == ("/api/v1/session", "delete")):
        roles, in_person = meant(path, method)
        unseen.discard((path, method))
        if set(said.get("x-roles", [])) != roles or said.get("x-in-person", False) != in_person:
            wrong.append(f"{method} {path} is documented as for {said.get('x-roles')}, in person {said.get('x-in-person', False)}")
        public = not roles
        for token, what in ((None, "nothing"), ("", "an empty token"), ("x", "nonsense"), ("chs_" + "0" * 64, "a session of nobody"),
                            ("cha_" + "0" * 64, "an API token of nobody"), (tokens["session", "auditor"][:-1] + "x", "a token with another digit"),
                            ("cha_" + tokens["session", "ca-manager"][4:], "a session as an API token")):
            cell(path, method, token, "in" if public else 401, what)
        for role in ROLES:
            for kind in ("old", "expired", "revoked"):
                cell(path, method, tokens[kind, role], "in" if public else 401, f"{kind} of {role}")
            allowed = "in" if public or role in roles else 403
            cell(path, method, tokens["apitoken", role], 403 if in_person and not public else allowed, f"API token of {role}")
            cell(path, method, tokens["session", role], allowed, f"session of {role}")
    for role in ROLES:  # it ended by the last of them
        cell("/api/v1/session", "get", tokens["session", role], 401, f"session of {role} that signed out")
        cell("/api/v1/session", "get", tokens["apitoken", role], "in", f"API token of {role}")
    wrong += [f"{method} {path} is not documented" for path, method in unseen]
    print(f"{cells - len(wrong)} of {cells} cells of {len(routes)} routes as they are meant")
    print("\n".join(wrong[:40]))
    return 1 if wrong else 0


sys.exit(main(*sys.argv[1:]))
