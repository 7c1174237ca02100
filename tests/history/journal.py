# SPDX-License-Identifier: Apache-2.0
"""The signer's journal (signer/journal.h), read and checked apart from Chancery's own reader."""
import hashlib
from collections import namedtuple

import der

HEAD = b'chancery signer journal 1\n'
CERTIFICATE, CRL = 1, 2                                      # enum seal_kind
Record = namedtuple('Record', 'offset time ca kind id der')


class Damaged(Exception):
    pass


def sha256(*parts):
    return hashlib.sha256(b''.join(parts)).digest()


def payload_read(offset, payload):
    try:
        time, ca, kind, ident, sealed = der.items(der.one(payload).value)
        return Record(offset, der.integer(time), ca.value.decode(), der.integer(kind), ident.value, sealed.value)
    except (der.Malformed, ValueError) as error:
        raise Damaged(f'offset={offset} payload: {error}') from error


def read(data):
    """(records, octets of an unfinished last record). Damaged when anything before the end is not as it was written."""
    if not data.startswith(HEAD):
        if HEAD.startswith(data):
            return [], len(data)
        raise Damaged('it does not begin as a journal')
    at, chain, records = len(HEAD), sha256(HEAD), []
    while at < len(data):
        length = data[at:at + 4]
        if len(data) - at < 12:
            break
        if data[at + 4:at + 12] != sha256(chain, length)[:8]:
            if not data[at:].strip(b'\0'):
                break
            raise Damaged(f'offset={at} guard={data[at + 4:at + 12].hex()} wanted={sha256(chain, length)[:8].hex()}')
        end = at + 12 + int.from_bytes(length, 'big')
        if end + 32 > len(data):
            break
        payload, chain = data[at + 12:end], sha256(chain, length, data[at + 12:end])
        if data[end:end + 32] != chain:
            raise Damaged(f'offset={at} chain={data[end:end + 32].hex()} wanted={chain.hex()}')
        records.append(payload_read(at, payload))
        at = end + 32
    return records, len(data) - at


def write(records):
    """For the tests of the checker: a journal that is sound in itself, whatever it says."""
    out, chain = HEAD, sha256(HEAD)
    for each in records:
        payload = der.put(der.SEQUENCE, der.put_integer(each.time) + der.put(0x0C, each.ca.encode()) +
                          der.put_integer(each.kind) + der.put(der.OCTET_STRING, each.id) +
                          der.put(der.OCTET_STRING, each.der))
        length = len(payload).to_bytes(4, 'big')
        guard, chain = sha256(chain, length)[:8], sha256(chain, length, payload)
        out += length + guard + payload + chain
    return out
