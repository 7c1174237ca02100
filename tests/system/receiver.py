#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""receiver.py FOLDER http|https|smtp [STATUS [CERTIFICATE KEY]]: takes what a reminder sends, on a free port of 127.0.0.1, or of
$RECEIVER_ADDRESS; HTTP answers have $RECEIVER_BODY octets.

Writes the port to FOLDER/port, and what came to FOLDER/N.request (HTTP: request line, headers, empty line, body; SMTP: the envelope,
empty line, the message). HTTP answers with STATUS; a redirection points at /elsewhere of the same server."""
import http.server
import os
import pathlib
import socketserver
import ssl
import sys

FOLDER = pathlib.Path(sys.argv[1])
STATUS = int(sys.argv[3]) if len(sys.argv) > 3 else 200


def keep(data):
    number = len(list(FOLDER.glob("*.request"))) + 1
    unfinished = FOLDER / f"{number}.unfinished"
    unfinished.write_bytes(data)
    unfinished.rename(FOLDER / f"{number}.request")


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        keep(f"{self.requestline}\r\n{self.headers}".encode() + body)
        self.send_response(STATUS)
        if 300 <= STATUS < 400:
            self.send_header("Location", "/elsewhere")
        body = b"x" * int(os.environ.get("RECEIVER_BODY", "0"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *arguments):
        pass


class Mail(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def message(self):
        lines = []
        for line in iter(self.rfile.readline, b".\r\n"):
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def handle(self):
        envelope = b""
        self.say("220 receiver")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self.say("354 go on")
                keep(envelope + b"\r\n" + self.message())
            elif word == b"QUIT":
                self.say("221 bye")
                return
            elif word in (b"MAIL", b"RCPT"):
                envelope += line
            self.say("250 receiver" if STATUS < 400 else f"{STATUS} no")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a handshake that the client breaks off


def main():
    kind = sys.argv[2]
    server = Server((os.environ.get("RECEIVER_ADDRESS", "127.0.0.1"), 0), Mail if kind == "smtp" else Hook)
    if kind == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4], sys.argv[5])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    (FOLDER / "unfinished").write_text(str(server.server_address[1]))
    os.rename(FOLDER / "unfinished", FOLDER / "port")
    server.serve_forever()


main()
