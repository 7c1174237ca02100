# SPDX-License-Identifier: Apache-2.0
"""Is an answer given only after it is on disk? Shown, not assumed: strace watches ca and signer through enrolments one at a
time, apart from what is measured."""
import os
import re
import shutil
import statistics
import subprocess
import time

from harness import process

MEMORY_FILESYSTEMS = {"tmpfs", "ramfs"}
# T1 and T2 of ca's store, and signer's journal between them (docs/architecture.md).
FLUSHES = {"ca": 2, "signer": 1}


def filesystem(path):
    """The type of the mount that the path is on."""
    path, best = os.path.realpath(path), ("", "unknown")
    with open("/proc/self/mounts") as mounts:
        for line in mounts:
            where, kind = line.split()[1:3]
            if (path + "/").startswith(where.rstrip("/") + "/") and len(where) >= len(best[0]):
                best = (where, kind)
    return best[1]


def flush_ms(folder):
    """A 4 kB append and fdatasync, median of 50: what a flush costs where the store is."""
    taken = []
    path = folder / "flush-probe"
    with open(path, "wb", buffering=0) as probe:
        for _ in range(50):
            probe.write(bytes(4096))
            begun = time.perf_counter()
            os.fdatasync(probe.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    path.unlink()
    return statistics.median(taken)


def flushes(server, role, work):
    """fsync and fdatasync of one role while work() is done."""
    trace = server.home / f"trace.{role}"
    watcher = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", trace, "-p",
                                str(server.roles[role])], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    attached = lambda: watcher.poll() is not None or int(re.search(
        r"TracerPid:\s*(\d+)", open(f"/proc/{server.roles[role]}/status").read()).group(1)) == watcher.pid
    process.wait_until("strace", attached)
    if watcher.poll() is not None:
        return None
    work()
    watcher.terminate()
    watcher.wait()
    return len(re.findall(r"\b(?:fsync|fdatasync)\(\d+\)? *(?:=|<unfinished)", trace.read_text()))


def shown(subject, count):
    """(durable, how): true when each of `count` enrolments, one after the other, took the flushes that it must."""
    server = subject.server
    where = filesystem(server.dir)
    if where in MEMORY_FILESYSTEMS:
        return False, f"the store is on {where}"
    if not shutil.which("strace"):
        return False, "strace is not there to show it"
    found = {}
    for role, least in FLUSHES.items():
        clients, subject.options.c = subject.options.c, 1
        found[role] = flushes(server, role, lambda: subject.send(count, counts=False))
        subject.options.c = clients
        if found[role] is None:
            return False, f"strace could not attach to {role}"
        if found[role] < least * count:
            return False, f"{role}: {found[role]} flushes for {count} enrolments, {least * count} needed"
    return True, ", ".join(f"{role}: {number} flushes for {count} enrolments" for role, number in found.items()) + f" ({where})"
