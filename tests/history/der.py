# SPDX-License-Identifier: Apache-2.0
"""As much DER as the history checker needs, read apart from Chancery's own reader: a fault of that one must not hide here."""
import calendar
import time
from collections import namedtuple

INTEGER, BIT_STRING, OCTET_STRING, OID, ENUMERATED, SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x0A, 0x30
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
OID_CRL_NUMBER, OID_REASON, OID_IDP = bytes.fromhex('551d14'), bytes.fromhex('551d15'), bytes.fromhex('551d1c')


class Malformed(Exception):
    pass


Item = namedtuple('Item', 'tag value whole')
Certificate = namedtuple('Certificate', 'tbs serial issuer not_before not_after subject spki')
Crl = namedtuple('Crl', 'tbs issuer this_update next_update number entries idp')  # entries: {serial: (time, reason)}


def items(data):
    """The elements that follow each other in data."""
    at, out = 0, []
    while at < len(data):
        if at + 2 > len(data):
            raise Malformed('element cut short')
        tag, length, start = data[at], data[at + 1], at + 2
        if length >= 0x80:
            octets = length & 0x7F
            length, start = int.from_bytes(data[start:start + octets], 'big'), start + octets
            if octets == 0 or octets > 4:
                raise Malformed(f'length of {octets} octets')
        if start + length > len(data):
            raise Malformed(f'element of {length} octets, {len(data) - start} are there')
        out.append(Item(tag, data[start:start + length], data[at:start + length]))
        at = start + length
    return out


def one(data, tag=SEQUENCE):
    """The single element that data is."""
    found = items(data)
    if len(found) != 1 or found[0].tag != tag:
        raise Malformed(f'wanted one element with tag {tag:02X}')
    return found[0]


def integer(item):
    if item.tag not in (INTEGER, ENUMERATED) or not item.value:
        raise Malformed('no INTEGER')
    return int.from_bytes(item.value, 'big', signed=True)


def when(item):
    form = {UTC_TIME: '%y%m%d%H%M%SZ', GENERALIZED_TIME: '%Y%m%d%H%M%SZ'}.get(item.tag)
    text = item.value.decode('ascii')
    if not form:
        raise Malformed(f'no time: tag {item.tag:02X}')
    if item.tag == UTC_TIME:                                 # RFC 5280 4.1.2.5.1: 50 to 99 are the last century's
        form, text = '%Y%m%d%H%M%SZ', ('19' if text[:2] >= '50' else '20') + text
    return calendar.timegm(time.strptime(text, form))


def times(der):
    """(tag, year) of each time in a certificate or CRL, entries and all."""
    out, waiting = [], [one(der)]
    while waiting:
        item = waiting.pop()
        if item.tag in (UTC_TIME, GENERALIZED_TIME):
            out.append((item.tag, time.gmtime(when(item)).tm_year))
        elif item.tag & 0x20:
            waiting += items(item.value)
    return out


def certificate(der):
    tbs = items(one(der).value)[0]
    fields = items(tbs.value)
    if fields[0].tag == 0xA0:
        fields = fields[1:]
    serial, _, issuer, validity, subject, spki = fields[:6]
    start, end = items(validity.value)
    return Certificate(tbs.whole, integer(serial), issuer.whole, when(start), when(end), subject.whole, spki.whole)


def extensions(item):
    """{OID: value}"""
    out = {}
    for extension in items(one(item).value):
        parts = items(extension.value)
        out[parts[0].value] = parts[-1].value
    return out


def crl_entry(item):
    parts = items(item.value)
    reason = 0
    if len(parts) > 2:
        coded = extensions(parts[2].whole).get(OID_REASON)
        reason = integer(one(coded, ENUMERATED)) if coded else 0
    return integer(parts[0]), (when(parts[1]), reason)


def crl(der):
    tbs = items(one(der).value)[0]
    fields = items(tbs.value)
    if fields[0].tag == INTEGER:
        fields = fields[1:]
    _, issuer, this_update, next_update = fields[:4]
    number, entries, idp = None, {}, None
    for field in fields[4:]:
        if field.tag == SEQUENCE:
            entries = dict(crl_entry(each) for each in items(field.value))
        elif field.tag == 0xA0:
            found = extensions(field.value)
            number, idp = integer(one(found[OID_CRL_NUMBER], INTEGER)), found.get(OID_IDP)
    return Crl(tbs.whole, issuer.whole, when(this_update), when(next_update), number, entries, idp)


def put(tag, value):
    """For the tests of the checker, which forge journals."""
    size = len(value)
    length = bytes([size]) if size < 0x80 else (lambda n: bytes([0x80 | len(n)]) + n)(
        size.to_bytes((size.bit_length() + 7) // 8, 'big'))
    return bytes([tag]) + length + value


def put_integer(value):
    return put(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, 'big', signed=True))
