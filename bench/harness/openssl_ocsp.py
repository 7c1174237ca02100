# SPDX-License-Identifier: Apache-2.0
"""`openssl ocsp` as a responder with a P-256 CA of its own: it signs every answer. It listens on every address: it knows no other way."""
import subprocess

from harness import process

SERIAL = "1234567890ABCDEF1234567890ABCDEF"


class OpensslOcsp:
    name = "openssl ocsp"

    def __init__(self, workplace, cores):
        self.workplace, self.cores, self.server = workplace, cores, None
        self.home = workplace.folder("openssl")
        self.port = process.free_port()
        self.ca = self.home / "ca.pem"
        self.as_user(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                      "/CN=Bench OCSP CA", "-days", "9", "-keyout", self.home / "ca.key", "-out", self.ca])
        (self.home / "index").write_text(f"V\t491231235959Z\t\t{SERIAL}\tunknown\t/CN=bench\n")

    def as_user(self, command):
        process.run(command, **process.user_arguments())

    def start(self):
        log = self.home / "log"
        self.server = process.start(["openssl", "ocsp", "-port", str(self.port), "-index", self.home / "index", "-CA", self.ca,
                                     "-rsigner", self.ca, "-rkey", self.home / "ca.key", "-nmin", "60"], self.cores,
                                    stdin=subprocess.DEVNULL, stdout=open(log, "wb"), stderr=subprocess.DEVNULL,
                                    **process.user_arguments())
        self.workplace.to_stop.append(self)
        # Not by connecting: a connection without a request is the last that it serves.
        process.wait_until("openssl ocsp", lambda: self.server.poll() is not None or b"ACCEPT" in log.read_bytes())
        if self.server.poll() is not None:
            process.fail(f"openssl ocsp ended with {self.server.returncode}")

    def stop(self):
        process.stop(self.server)
        self.workplace.to_stop.remove(self)

    def cpu_ms(self):
        return {"openssl": process.cpu_ms(self.server.pid)}
