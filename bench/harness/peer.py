# SPDX-License-Identifier: Apache-2.0
"""Debian's `scep` package (micromdm's scepserver), with an RSA-2048 CA that is its own RA: the nearest that it can be to
ours. It makes nothing durable, numbers certificates twice, and answers with DES and SHA-1: scep-load check opens its
answers all the same, and what it finds wrong is counted, not hidden."""
import pathlib
import shutil
import subprocess

from harness import process
from harness.site import CHALLENGE, fetch_ca


class Scepserver:
    path = "/scep"
    name = "scep"

    def __init__(self, workplace, cores):
        self.workplace, self.cores, self.server = workplace, cores, None
        program = shutil.which("scepserver") or process.fail("scepserver is not there: tools/install bench")
        self.program = program
        self.home = workplace.folder("peer")
        process.run([program, "ca", "-init", "-depot", self.home / "depot", "-keySize", "2048"], cwd=self.home,
                    **process.user_arguments())
        self.ca_pem = self.home / "depot" / "ca.pem"
        self.port = process.free_port()

    def start(self):
        with open(self.home / "log", "wb") as log:
            self.server = process.start([self.program, "-depot", self.home / "depot", "-port", str(self.port), "-challenge",
                                         CHALLENGE], self.cores, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        cwd=self.home, **process.user_arguments())
        self.workplace.to_stop.append(self)
        process.wait_until("scepserver", lambda: process.accepts(self.port))

    def stop(self):
        process.stop(self.server)
        self.workplace.to_stop.remove(self)

    def get_ca(self):
        return fetch_ca(f"http://127.0.0.1:{self.port}/scep?operation=GetCACert", self.home)

    def certificates(self):
        return sum(1 for _ in pathlib.Path(self.home / "depot").glob("*.pem")) - 1

    def cpu_ms(self):
        return {"scepserver": process.cpu_ms(self.server.pid)}

    def rss_kb(self):
        return {"scepserver": process.peak_rss_kb(self.server.pid)}
