#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads tools/layers and the #include lines: layers point down, libraries stay where they belong, and the programs of
the roles load nothing that their row forbids."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1])
BUILD = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None


def rules():
    folders, libraries, programs = {}, {}, {}
    for line in (ROOT / "tools/layers").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.partition(":")
        target = libraries if name.startswith("<") else programs if name.startswith("!") else folders
        target[name] = set(rest.split())
    return folders, libraries, programs


def violations():
    folders, libraries, programs = rules()
    for folder, allowed in folders.items():
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                where = f"{path.relative_to(ROOT)}:{number}"
                own = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if own:
                    target = own.group(1).split("/")[0]
                    if target not in folders:
                        yield f"{where}: {own.group(1)} is not included from the root"
                    elif target != folder and target not in allowed:
                        yield f"{where}: {folder} may not include {own.group(1)}"
                    elif not (ROOT / own.group(1)).exists():
                        yield f"{where}: {own.group(1)} does not exist"
                for library, homes in libraries.items():
                    if re.match(r"\s*#\s*include\s+" + re.escape(library), line) and folder not in homes:
                        yield f"{where}: only {', '.join(sorted(homes))} may include {library}"
    for program, forbidden in programs.items():
        role = program[1:].split("-")[1]
        binary = BUILD / role / program[1:] if BUILD else None
        if binary is None:
            continue
        loaded = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
        for library in forbidden:
            if f"lib{library.removeprefix('lib')}" in loaded:
                yield f"{binary.name} loads {library}"


found = list(violations())
for line in found:
    print(line)
sys.exit(1 if found else 0)
