#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""smuggling.py PORT: every request here must be refused with one 4xx or 5xx answer, and the connection closed."""
import sys

from raw_http import exchange

GET = b"GET /scep?operation=GetCACaps HTTP/1.1\r\n"
POST = b"POST /scep?operation=PKIOperation HTTP/1.1\r\nHost: x\r\n"
SECOND = b"GET /scep?operation=GetCACert HTTP/1.1\r\nHost: x\r\n\r\n"

CASES = {
    "bare LF": b"GET /scep?operation=GetCACaps HTTP/1.1\nHost: x\n\n",
    "LF in one header": GET + b"Host: x\nX: y\r\n\r\n",
    "bare CR": GET + b"Host: x\rX: y\r\n\r\n",
    "no Host": GET + b"\r\n",
    "two Hosts": GET + b"Host: x\r\nHost: x\r\n\r\n",
    "two different Hosts": GET + b"Host: x\r\nHost: y\r\n\r\n",
    "obs-fold": GET + b"Host: x\r\nX: a\r\n b\r\n\r\n",
    "obs-fold tab": GET + b"Host: x\r\nX: a\r\n\tb\r\n\r\n",
    "first header folded": GET + b" Host: x\r\n\r\n",
    "space before colon": GET + b"Host : x\r\n\r\n",
    "tab before colon": GET + b"Host\t: x\r\n\r\n",
    "no colon": GET + b"Host: x\r\nnonsense\r\n\r\n",
    "empty name": GET + b"Host: x\r\n: y\r\n\r\n",
    "NUL in a name": GET + b"Host: x\r\nX\0: y\r\n\r\n",
    "NUL in a value": GET + b"Host: x\r\nX: a\0b\r\n\r\n",
    "control in a value": GET + b"Host: x\r\nX: a\x01b\r\n\r\n",
    "DEL in a value": GET + b"Host: x\r\nX: a\x7fb\r\n\r\n",
    "brackets in a name": GET + b"Host: x\r\nX(y): a\r\n\r\n",
    "CL +5": POST + b"Content-Length: +5\r\n\r\nabcde" + SECOND,
    "CL -5": POST + b"Content-Length: -5\r\n\r\nabcde" + SECOND,
    "CL hexadecimal": POST + b"Content-Length: 0x5\r\n\r\nabcde" + SECOND,
    "CL with a space": POST + b"Content-Length: 1 0\r\n\r\nabcde" + SECOND,
    "CL list": POST + b"Content-Length: 5, 5\r\n\r\nabcde" + SECOND,
    "CL twice the same": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde" + SECOND,
    "CL twice": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde" + SECOND,
    "CL empty": POST + b"Content-Length:\r\n\r\nabcde" + SECOND,
    "CL overflow": POST + b"Content-Length: 18446744073709551621\r\n\r\nabcde" + SECOND,
    "CL huge": POST + b"Content-Length: 99999999999999999999999999\r\n\r\nabcde" + SECOND,
    "CL letters": POST + b"Content-Length: five\r\n\r\nabcde" + SECOND,
    "CL decimal point": POST + b"Content-Length: 5.0\r\n\r\nabcde" + SECOND,
    "no CL": POST + b"\r\n" + SECOND,
    "TE chunked": POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n" + SECOND,
    "TE and CL": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "CL and TE": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SECOND,
    "TE identity": POST + b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nabcde" + SECOND,
    "TE twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + SECOND,
    "TE list": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "TE xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SECOND,
    "TE upper case": POST + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n0\r\n\r\n" + SECOND,
    "TE vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + SECOND,
    "TE on GET": GET + b"Host: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "TE with a space": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "HTTP/0.9": b"GET /scep\r\n",
    "HTTP/2.0": b"GET /scep HTTP/2.0\r\nHost: x\r\n\r\n",
    "HTTP/1.2": b"GET /scep HTTP/1.2\r\nHost: x\r\n\r\n",
    "http lower case": b"GET /scep http/1.1\r\nHost: x\r\n\r\n",
    "two spaces": b"GET  /scep HTTP/1.1\r\nHost: x\r\n\r\n",
    "tab as space": b"GET\t/scep\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "trailing space": b"GET /scep HTTP/1.1 \r\nHost: x\r\n\r\n",
    "space in target": b"GET /sc ep HTTP/1.1\r\nHost: x\r\n\r\n",
    "control in target": b"GET /sc\x01ep HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in target": b"GET /sc\0ep HTTP/1.1\r\nHost: x\r\n\r\n",
    "8-bit in target": b"GET /sc\xffep HTTP/1.1\r\nHost: x\r\n\r\n",
    "asterisk": b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
    "no slash": b"GET scep HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT": b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "TRACE": b"TRACE /scep HTTP/1.1\r\nHost: x\r\n\r\n",
    "PRI of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "lower-case method": b"get /scep HTTP/1.1\r\nHost: x\r\n\r\n",
    "long method": b"A" * 70000 + b" /scep HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown Expect": POST + b"Expect: the-unexpected\r\nContent-Length: 5\r\n\r\nabcde" + SECOND,
    "TLS to the plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n\r\n",
    "two empty lines first": b"\r\n\r\n\r\n" + GET + b"Host: x\r\n\r\n",
    "header of 1 MB": GET + b"Host: x\r\nX: " + b"a" * 1048576 + b"\r\n\r\n",
    "10,000 headers": GET + b"Host: x\r\n" + b"X: y\r\n" * 10000 + b"\r\n",
}

port, wrong = int(sys.argv[1]), []
for name, data in CASES.items():
    status, closed, answer = exchange(port, data)
    if status[0] not in "45" or not closed or answer.count(b"HTTP/1.1 ") != 1:
        wrong.append(f"{name}: {status}, {'closed' if closed else 'left open'}, {answer.count(b'HTTP/1.1 ')} answers")
print(f"{len(CASES)} requests, {len(wrong)} wrong", *wrong, sep="\n")
sys.exit(1 if wrong else 0)
