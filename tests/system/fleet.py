#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What fleet.bats has a site made of, and how it looks at what came of it.

  fleet.py make FOLDER ROOT HTTP   users.csv, devices.json and the profiles, of all platforms
  fleet.py compare FOLDER SINCE TEMPLATE_DAYS   whether each device's certificate is what its .preview said; DAYS where that is the template's"""
import csv
import datetime
import json
import pathlib
import re
import subprocess
import sys

PLATFORMS = ["android", "android-enterprise", "ios", "linux", "windows-10", "macos", "windows-81", "windows-phone-81"]
USERS, DEVICES, COMING = 200, 1000, 50
CLIENT = {"name": "Client Authentication", "oid": "1.3.6.1.5.5.7.3.2"}
USER = {"certificate_type": "user", "subject_name_format": "custom", "subject_alternative_names": ["email", "UPN"]}
DEVICE = {"certificate_type": "device"}
BOTH = ["digitalSignature", "keyEncipherment"]
# What is particular of each SCEP profile; five platforms with a root and one of these each are ten profiles.
SCEP = {
    "android": USER | {"subject_name": 'CN={{UserName}},OU="Sales, West",O=Example', "key_usage": BOTH,
                       "validity_period": {"number": 90, "unit": "days"}, "endpoint": "users"},
    "android-enterprise": USER | {"subject_name": "CN={{UserPrincipalName}},E={{EmailAddress}}", "key_usage": BOTH,
                                  "validity_period": {"number": 6, "unit": "months"}, "endpoint": "users"},
    "ios": DEVICE | {"subject_name": "CN={{SerialNumber}},OU=Phones", "key_usage": ["digitalSignature"], "endpoint": "managed"},
    "linux": DEVICE | {"subject_name": "CN={{DeviceName}}+OU=Kiosks,O=Example\\+Sons", "key_usage": BOTH, "endpoint": "managed",
                       "subject_alternative_names": ["DNS = {{Device_Serial}}.example.org"],
                       "validity_period": {"number": 1, "unit": "years"}},
    "windows-10": DEVICE | {"subject_name": "CN={{AAD_Device_ID}}", "key_usage": ["keyEncipherment"], "endpoint": "managed",
                            "subject_alternative_names": ["DNS = {{DeviceName}}.example.org", "DNS = pc.example.org"],
                            "validity_period": {"number": 30, "unit": "days"}, "key_storage_provider": "software"},
}


def device(number):
    """The first ones are those that come: of the platforms with profiles, each of a user of its own."""
    platform = PLATFORMS[number % (len(SCEP) if number < COMING else len(PLATFORMS))]
    made = {"platform": platform, "serial": f"S{number}", "name": f"d-{number}", "owner": f"user-{number % USERS}@example.org",
            "directory_id": f"0a1b2c3d-0000-4000-8000-{number:012x}"}
    return made | ({"mode": "work-profile"} if platform == "android-enterprise" else {})


def make(folder, root, http):
    with open(folder / "users.csv", "w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["upn", "name", "email"])
        rows.writerows([f"user-{n}@example.org", f"Doe, {n}", f"mail-{n}@example.org"] for n in range(USERS))
    (folder / "devices.json").write_text(json.dumps([device(n) for n in range(DEVICES)]))
    for platform, particular in SCEP.items():
        trusted = {"name": f"Root {platform}", "type": "trusted-certificate", "platform": platform,
                   "certificate": pathlib.Path(root).read_text()}
        endpoint = particular.pop("endpoint")
        scep = {"name": f"Scep {platform}", "type": "scep", "platform": platform, "key_size": 2048, "renewal_threshold": 20,
                "root_certificate": f"Root {platform}", "extended_key_usage": [CLIENT],
                "scep_server_urls": [f"http://127.0.0.1:{http}/scep/{endpoint}"]} | particular
        if platform != "ios":
            scep["hash_algorithm"] = "SHA-2"
        (folder / f"1-{platform}.json").write_text(json.dumps(trusted))
        (folder / f"2-{platform}.json").write_text(json.dumps(scep))


# --- preview and certificate, in the same words ---

def x509(cert):
    return subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-subject", "-enddate", "-text", "-nameopt",
                           "esc_2253,utf8,sep_comma_plus"], check=True, capture_output=True, text=True).stdout


def extension(text, name):
    found = re.search(rf"X509v3 {name}:.*\n *(.*)\n", text)
    return found[1].strip() if found else ""


def names_of(text):
    kinds = {"DNS": "dns", "email": "email", "othername: UPN:": "upn"}
    found = re.findall(r"(DNS|email|othername: UPN:):([^,]*)", extension(text, "Subject Alternative Name"))
    return ", ".join(f"{kinds[kind]}:{value}" for kind, value in found) or "none"


def certificate_says(text):
    usages = {"Digital Signature": "digitalSignature", "Key Encipherment": "keyEncipherment"}
    purposes = {"TLS Web Client Authentication": "Client Authentication (1.3.6.1.5.5.7.3.2)"}
    return {
        "subject": re.search("^subject=(.*)", text)[1].replace("emailAddress=", "E="),
        "subject alternative names": names_of(text),
        "key": "RSA of " + re.search(r"Public-Key: \((\d+) bit\)", text)[1] + " bits",
        "key usage": ",".join(usages[usage] for usage in extension(text, "Key Usage").split(", ")),
        "extended key usage": ", ".join(purposes[purpose] for purpose in extension(text, "Extended Key Usage").split(", ")),
    }


def days_of(said, templates):
    if said == "the template's":
        return templates
    number, unit = said.split()
    return int(number) * {"days": 1, "months": 30, "years": 365}[unit]


def differences(preview, cert, since, template_days):
    said = dict(line.strip().split(": ", 1) for line in preview.read_text().splitlines()[1:])
    text = x509(cert)
    wrong = [f"{name}: preview <{said[name]}>, certificate <{value}>" for name, value in certificate_says(text).items()
             if said[name] != value]
    end = datetime.datetime.strptime(re.search("^notAfter=(.*)", text, re.M)[1], "%b %d %H:%M:%S %Y GMT")
    issued = end.replace(tzinfo=datetime.timezone.utc) - datetime.timedelta(days=days_of(said["validity"], template_days))
    now = datetime.datetime.now(datetime.timezone.utc).timestamp()
    if not since <= issued.timestamp() <= now:
        wrong.append(f"validity: preview <{said['validity']}>, certificate until {end}")
    return wrong


def compare(folder, since, template_days):
    """Of every device that has a preview."""
    compared, failed = 0, False
    for preview in sorted(folder.glob("*.preview")):
        (key,) = (folder / preview.stem / "installed").glob("*.key.pem")
        wrong = differences(preview, key.with_name(key.name.replace(".key.pem", ".pem")), int(since), int(template_days))
        compared, failed = compared + 1, failed or bool(wrong)
        for line in wrong:
            print(f"{preview.stem}: {line}")
    print(f"compared {compared}")
    sys.exit(1 if failed else None)


folder = pathlib.Path(sys.argv[2])
{"make": make, "compare": compare}[sys.argv[1]](folder, *sys.argv[3:])
