#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""key_scan.py PID KEY.pem UNLOCK: where in a process's memory the private numbers of a key are.

Prints one line per find: the number, its byte order, "locked" or "plain", and the mapping. As root: a role is not dumpable.
Not only a whole number is found: any 24 octets from its middle are."""
import re
import subprocess
import sys

PART = 24
SHADOW = 1 << 30  # AddressSanitizer maps terabytes for its own notes; nothing else is that large
PRIVATE = ("privateExponent", "prime1", "prime2", "exponent1", "exponent2", "coefficient", "priv")


def private_numbers(key, unlock):
    text = subprocess.run(["openssl", "pkey", "-in", key, "-passin", "file:" + unlock, "-noout", "-text"],
                          check=True, capture_output=True, text=True).stdout
    for name, digits in re.findall(r"^(\w+):\n((?:\s+[0-9a-f:]+\n)+)", text, re.M):
        if name in PRIVATE:
            number = bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0")
            if len(number) < PART:
                raise SystemExit(f"{name} has {len(number)} octets: too few to look for")
            yield name, number


def needles(key, unlock):
    found = {}
    for name, number in private_numbers(key, unlock):
        at = (len(number) - PART) // 2
        part = number[at:at + PART]
        found[part] = f"{name} big-endian"
        found[part[::-1]] = f"{name} limbs"
    if not found:
        raise SystemExit(f"{key}: no private numbers")
    return found


def mappings(pid):
    """(first, last, name, locked) of everything that can be read."""
    with open(f"/proc/{pid}/smaps") as file:
        for line in file:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
            if head:
                first, last, mode, name = int(head[1], 16), int(head[2], 16), head[3], head[4]
            elif line.startswith("VmFlags:") and mode[0] == "r" and not name.startswith("[v") and last - first < SHADOW:
                yield first, last, name or "anonymous", "lo" in line.split()


def main():
    pid, key, unlock = sys.argv[1:]
    wanted = needles(key, unlock)
    pattern = re.compile(b"|".join(re.escape(part) for part in wanted))
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for first, last, name, locked in mappings(pid):
            for start in range(first, last, 1 << 22):
                try:
                    memory.seek(start)
                    block = memory.read(min(last - start, (1 << 22) + PART))
                except OSError:
                    continue  # a guard page, or one that nothing was ever put into
                for hit in pattern.finditer(block):
                    print(wanted[hit[0]], "locked" if locked else "plain", f"{name} {start + hit.start():x}")


main()
