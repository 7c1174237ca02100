# SPDX-License-Identifier: Apache-2.0
"""What Active Directory does and no server of Debian's: a group's members in parts of ten (MS-ADTS 3.1.1.3.1.3.3), and referrals to elsewhere.
usage: ad_double.py PORT ELSEWHERE_PORT FOLDER. FOLDER/broken: it forgets the second part. FOLDER/followed: somebody came to the second port."""
import pathlib
import socket
import sys
import threading
import uuid

BASE, USERS, PART = "DC=corp,DC=test", 25, 10
port, elsewhere, folder = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])


def tlv(tag, *content):
    body = b"".join(content)
    size = len(body)
    length = bytes([size]) if size < 128 else bytes([0x84]) + size.to_bytes(4, "big")
    return bytes([tag]) + length + body


def octets(text):
    return tlv(4, text if isinstance(text, bytes) else text.encode())


def integer(number, tag=2):
    return tlv(tag, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def items(data):
    while data:
        size, at = data[1], 2
        if size & 128:
            at += size & 127
            size = int.from_bytes(data[2:at], "big")
        yield data[0], data[at:at + size]
        data = data[at + size:]


def guid(number):
    return uuid.UUID(int=0x40008000 << 32 | number)


def name(number):
    return f"CN=User {number},{BASE}"


def extended(number, text):
    return f"<GUID={guid(number)}>;{text}"


def entry(dn, **values):
    attributes = [tlv(0x30, octets(key.replace("__", ";range=").replace("_to_", "-").replace("end", "*")), tlv(0x31, *map(octets, value if isinstance(value, list) else [value])))
                  for key, value in values.items()]
    return tlv(0x64, octets(dn), tlv(0x30, *attributes))


def members(first):
    last = first + PART
    end = "end" if last >= USERS else str(last - 1)
    return {f"member__{first}_to_{end}": [extended(n, name(n)) for n in range(first, min(last, USERS))]}


def answers(base, filter_, wanted):
    group = extended(900, f"CN=staff,{BASE}")
    if not base:
        return [entry("", dsServiceName=f"CN=NTDS,{BASE}", highestCommittedUSN="100", defaultNamingContext=BASE)]
    if b"invocationId" in wanted:
        return [entry(base, invocationId=guid(999).bytes_le)]
    ranged = [w for w in wanted if w.startswith(b"member;range=")]
    if ranged:
        first = int(ranged[0].split(b"=")[1].split(b"-")[0])
        return [entry(group, objectClass="group") if (folder / "broken").exists() else entry(group, **members(first))]
    refer = tlv(0x73, octets(f"ldap://127.0.0.1:{elsewhere}/{BASE}"))
    if b"person" in filter_:
        return [entry(extended(n, name(n)), objectGUID=guid(n).bytes_le, userPrincipalName=f"u{n}@corp.test", cn=f"User {n}") for n in range(USERS)] + [refer]
    return [entry(group, objectGUID=guid(900).bytes_le, cn="staff", **members(0)), refer]


def message_read(stream):
    head = stream.read(2)
    if len(head) < 2:
        return None
    size = head[1]
    if size & 128:
        size = int.from_bytes(stream.read(size & 127), "big")
    return list(items(stream.read(size)))


def serve(client):
    with client, client.makefile("rb") as stream:
        while (message := message_read(stream)) and message[1][0] != 0x42:
            number, (operation, body) = tlv(2, message[0][1]), message[1]
            if operation == 0x60:
                client.sendall(tlv(0x30, number, tlv(0x61, integer(0, 10), octets(""), octets(""))))
            elif operation == 0x63:
                parts = list(items(body))
                for answer in answers(parts[0][1].decode(), parts[6][1], [value for _, value in items(parts[7][1])]):
                    client.sendall(tlv(0x30, number, answer))
                page = tlv(0xA0, tlv(0x30, octets("1.2.840.113556.1.4.319"), octets(tlv(0x30, integer(0), octets("")))))
                client.sendall(tlv(0x30, number, tlv(0x65, integer(0, 10), octets(""), octets("")), page))


def watch(server):
    while True:
        server.accept()[0].close()
        (folder / "followed").touch()


threading.Thread(target=watch, args=(socket.create_server(("127.0.0.1", elsewhere)),), daemon=True).start()
listener = socket.create_server(("127.0.0.1", port))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
