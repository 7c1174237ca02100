# SPDX-License-Identifier: Apache-2.0
"""A store that holds very many certificates already: store-fill, run as the site's own user."""
import os
import shutil
import subprocess
import sys

from harness import process

FLUSH_TIMEOUT_S = 24 * 3600


def is_served(site_dir):
    """Somebody has the store open: its write-ahead log would be shared."""
    store = os.path.realpath(site_dir / "lib/ca/store.db")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            links = [os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")]
        except OSError:
            continue
        if store in links:
            return True
    return False


def fill(workplace, site_dir, count, prefix="fill", quiet=False):
    if not (site_dir / "lib/ca/store.db").exists():
        process.fail(f"{site_dir} is no site: lib/ca/store.db is missing")
    if is_served(site_dir):
        process.fail(f"{site_dir} is being served: stop chanceryd first")
    program = workplace.program / "bin/store-fill"
    shutil.copy(workplace.build / "bench/store-fill", program)
    program.chmod(0o755)
    owner = os.stat(site_dir / "lib/ca/store.db")
    who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.getuid() == 0 else {}
    done = subprocess.run([program, "-c", site_dir / "etc/chancery.conf", "-n", str(count), "--prefix", prefix], **who,
                          stderr=subprocess.DEVNULL if quiet else sys.stderr, timeout=FLUSH_TIMEOUT_S)
    if done.returncode != 0:
        process.fail(f"store-fill: status {done.returncode}")
