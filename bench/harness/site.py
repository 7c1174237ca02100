# SPDX-License-Identifier: Apache-2.0
"""A fresh site with the real daemon, in user mode, as the system tests make it."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

from harness import process

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
CHALLENGE = "open sesame"
START_SECONDS = 300                                          # a filled store may have to be migrated first


def build_folder(given):
    """A build of this tree: the given one as it is, or the release build in build/bench, brought up to date."""
    if given:
        return pathlib.Path(given).resolve()
    build = SOURCE / "build" / "bench"
    if not (build / "build.ninja").exists():
        print("bench: configuring build/bench", file=sys.stderr)
        process.run(["meson", "setup", build, SOURCE, "-Dbuildtype=release", "-Dtests=false", "-Dbench=true"])
    process.run(["ninja", "-C", build])
    return build


class Workplace:
    """A folder of its own for everything that a benchmark leaves; sockets need its name to be short."""

    def __init__(self, build):
        self.build = build
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="ch.", dir="/tmp"))
        self.path.chmod(0o755)
        self.program = self.path / "p"
        process.run([SOURCE / "tools" / "stage", build, self.program])
        self.load = build / "bench" / "scep-load"
        self.to_stop = []

    def folder(self, name):
        """For the services' own user."""
        folder = self.path / name
        folder.mkdir()
        user = process.user_arguments()
        if user:
            os.chown(folder, user["user"], user["group"])
        return folder

    def clean(self):
        for running in list(self.to_stop):
            running.stop()
        shutil.rmtree(self.path)


class Site:
    name = "chancery"
    path = "/scep"

    def __init__(self, workplace, name, cores, existing=None):
        """existing: a site that bench/fill made; it is served as it is."""
        self.workplace, self.cores, self.daemon, self.name = workplace, cores, None, name
        self.home = workplace.folder(name)
        self.dir = existing or self.home / "s"
        if not existing:
            self.make()
        self.ca_pem = self.home / "ca.pem"
        shutil.copy(self.dir / "lib/scep/certs/ca-issuing.crt.pem", self.ca_pem)

    def make(self):
        passphrase = self.home / "passphrase"
        self.as_user(["sh", "-c", 'umask 077; echo "correct horse battery" >"$1"', "sh", passphrase])
        self.chancery("init", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--va-http", "127.0.0.1:0",
                      "--external-name", "localhost", "--organisation", "Bench", "--validator", "static", "--root-passphrase-file", passphrase)
        self.chancery("password", "set", "default", input=CHALLENGE + "\n")

    def as_user(self, command, **more):
        environment = dict(os.environ, HOME=str(self.home))
        done = subprocess.run(command, text=True, capture_output=True, env=environment, **process.user_arguments(), **more)
        if done.returncode != 0:
            process.fail(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
        return done.stdout

    def chancery(self, *arguments, **more):
        return self.as_user([self.workplace.program / "bin/chancery", "--dir", self.dir, *arguments], **more)

    def start(self):
        log = self.home / "log"
        with open(log, "wb") as out:
            self.daemon = process.start([self.workplace.program / "sbin/chanceryd", "-c", self.dir / "etc/chancery.conf"],
                                        self.cores, stdin=subprocess.DEVNULL, stderr=out, **process.user_arguments())
        self.workplace.to_stop.append(self)
        process.wait_until("chanceryd", lambda: self.daemon.poll() is not None or b" serving roles=" in log.read_bytes(),
                           START_SECONDS)
        if self.daemon.poll() is not None:
            process.fail(f"chanceryd ended:\n{log.read_text()}")
        self.port = int(re.findall(r" http listens role=scep .* port=(\d+)$", log.read_text(), re.M)[-1])
        self.va_port = int(re.findall(r" http listens role=va .* port=(\d+)$", log.read_text(), re.M)[-1])
        self.roles = {}
        for pid in process.children(self.daemon.pid):
            program = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
            self.roles[program.rsplit("/chancery-")[-1]] = pid
        if sorted(self.roles) != ["ca", "scep", "signer", "va"]:
            process.fail(f"roles that run: {self.roles}")

    def stop(self):
        if self.daemon:
            process.stop(self.daemon)
            self.daemon = None
            self.workplace.to_stop.remove(self)

    def get_ca(self):
        """GetCACert's answer in a folder, for scep-load prepare."""
        url = f"http://127.0.0.1:{self.port}{self.path}?operation=GetCACert"
        return fetch_ca(url, self.home)

    def certificates(self):
        """Rows of the store: any status, any CA; from an index, so that it takes no time with very many."""
        count = ("import sqlite3, sys; store = sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True); "
                 "print(store.execute('SELECT COUNT(*) FROM certificate').fetchone()[0])")
        return int(self.as_user(["/usr/bin/python3", "-c", count, self.dir / "lib/ca/store.db"]))

    def cpu_ms(self):
        return {role: process.cpu_ms(pid) for role, pid in self.roles.items()}

    def rss_kb(self):
        return {role: process.peak_rss_kb(pid) for role, pid in self.roles.items()}


def fetch_ca(url, folder):
    with urllib.request.urlopen(url, timeout=10) as answer:
        (folder / "getcacert.der").write_bytes(answer.read())
    return folder
