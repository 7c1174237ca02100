#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the seeds of the corpora that no client's recording gives: frames, verbs, contents, key files, texts, and a pkiMessage
whose envelope is not encrypted to anybody (give_back.h). The objects inside are made by OpenSSL's command line, and so are new
each time: run it when a format changes. usage: fuzz/seeds.py"""
import base64
import hashlib
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent
DATA = ROOT.parent / 'tests' / 'data'
CA_NAME = '/CN=Example Issuing CA/O=Example'  # fuzz/site.c
UUID = '0a1b2c3d-0000-4000-8000-00000000000'


def save(target, name, data):
    folder = ROOT / 'corpus' / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


# --- DER ---

def tlv(tag, *content):
    body = b''.join(content)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, 'big')
    return bytes([tag, 0x80 | len(length)]) + length + body


def seq(*content):
    return tlv(0x30, *content)


def integer(number):
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, 'big'))


def octets(data):
    return tlv(4, data)


def utf8(text):
    return tlv(12, text.encode())


def oid(dotted):
    first, second, *arcs = map(int, dotted.split('.'))
    out = bytes([first * 40 + second])
    for arc in arcs:
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.insert(0, arc & 0x7F | 0x80)
        out += bytes(digits)
    return tlv(6, out)


def inside(der):
    """The elements of a constructed value."""
    def header(at):
        length = der[at + 1]
        more = length & 0x7F if length & 0x80 else 0
        return 2 + more, int.from_bytes(der[at + 2:at + 2 + more], 'big') if more else length
    start, total = header(0)
    at, out = start, []
    while at < start + total:
        head, length = header(at)
        out.append(der[at:at + head + length])
        at += head + length
    return out


def names_of(certificate):
    """issuer, subject of a version 3 certificate"""
    parts = inside(inside(certificate)[0])
    return parts[3], parts[5]


# --- objects ---

class Objects:
    def __init__(self, folder):
        self.folder = folder
        self.ca_key, self.device_key = self.key('ca', 'EC', 'ec_paramgen_curve:P-256'), self.key('device', 'EC',
                                                                                             'ec_paramgen_curve:P-256')
        self.rsa_key = self.key('rsa', 'RSA', 'rsa_keygen_bits:2048')
        self.ca = self.certificate('ca', CA_NAME, 'basicConstraints=critical,CA:TRUE')
        self.device = self.certificate('device', '/CN=device')
        self.rsa = self.certificate('rsa', '/CN=device')
        self.csrs = {kind: self.csr(kind) for kind in ('device', 'rsa')}
        self.leaves = {kind: self.leaf(kind) for kind in ('device', 'rsa')}

    def run(self, *command):
        subprocess.run(['openssl', *command], check=True, cwd=self.folder, stderr=subprocess.DEVNULL)

    def key(self, name, algorithm, option):
        self.run('genpkey', '-algorithm', algorithm, '-pkeyopt', option, '-out', f'{name}.key')
        self.run('pkcs8', '-topk8', '-nocrypt', '-in', f'{name}.key', '-outform', 'DER', '-out', f'{name}.p8')
        return (self.folder / f'{name}.p8').read_bytes()

    def certificate(self, name, subject, *extensions):
        more = [part for text in extensions for part in ('-addext', text)]
        self.run('req', '-x509', '-key', f'{name}.key', '-subj', subject, '-days', '3000', *more, '-out', f'{name}.pem')
        self.run('x509', '-in', f'{name}.pem', '-outform', 'DER', '-out', f'{name}.der')
        return (self.folder / f'{name}.der').read_bytes()

    def csr(self, name):
        (self.folder / 'csr.conf').write_text('''[req]
prompt = no
distinguished_name = name
attributes = attributes
req_extensions = extensions
[name]
CN = device-1
O = Example
[attributes]
challengePassword = secret
[extensions]
keyUsage = digitalSignature
subjectAltName = DNS:device-1.example, email:a@device.example, URI:urn:uuid:1, IP:192.0.2.7
''')
        self.run('req', '-new', '-config', 'csr.conf', '-key', f'{name}.key', '-outform', 'DER', '-out', f'{name}.csr')
        return (self.folder / f'{name}.csr').read_bytes()

    def leaf(self, name):
        self.run('x509', '-req', '-inform', 'DER', '-in', f'{name}.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '30',
                 '-set_serial', '0x112233445566778899aabbccddeeff0011', '-outform', 'DER', '-out', f'{name}.leaf')
        return (self.folder / f'{name}.leaf').read_bytes()

    def encrypt(self, key, iv, plain):
        return subprocess.run(['openssl', 'enc', '-aes-128-cbc', '-K', key.hex(), '-iv', iv.hex()], input=plain, check=True,
                              stdout=subprocess.PIPE).stdout


# --- bodies ---

def record(**fields):
    return seq(*(seq(utf8(name), utf8(value)) for name, value in fields.items()))


def request(endpoint, csr, signer, transaction=b'5f3c'):
    return seq(utf8(endpoint), octets(csr), octets(transaction), octets(signer), utf8('192.0.2.7'))


def poll(endpoint, ca, signer):
    return seq(utf8(endpoint), octets(b'5f3c'), octets(names_of(ca)[1]), octets(names_of(signer)[1]), octets(signer))


def answer(disposition, certificate=b''):
    return seq(integer(disposition), integer(42), octets(certificate))


def frame(number, verb, body):
    der = seq(integer(1), integer(number), utf8(verb), body)
    return len(der).to_bytes(4, 'big') + der


def hello(principal):
    return seq(integer(1), integer(1), utf8(principal))


VERBS = ['request', 'poll', 'get_cert', 'get_crl', 'request_list', 'request_show', 'request_export', 'request_approve',
         'request_deny', 'refusal_list', 'cert_list', 'cert_show', 'cert_export', 'cert_revoke', 'template_list',
         'template_show', 'site_export', 'crl_publish', 'crl_show', 'crl_export', 'password_new', 'status',
         'issue', 'ca_get', 'status_get', 'status_changes', 'crl_get', 'cert_release', 'template_new', 'template_set',
         'template_publish', 'template_unpublish', 'template_delete', 'site_apply', 'ca_flags',
         'right_list', 'right_grant', 'right_revoke', 'right_deny',
         'authority_list', 'authority_show', 'authority_add', 'authority_set', 'authority_remove', 'request_resubmit', 'signer_status',
         'request_submit', 'audit_list',
         'crp_get', 'authority_successor', 'authorisation_end', 'outbox_lease', 'outbox_done', 'authority_revoke',
         'challenge_claim', 'challenge_close', 'tls_renew']  # ca/verbs.c


def make_verbs(objects):
    serial = '11223344'
    server = {'ca': 'issuing', 'server': 'ndes1.example.net', 'transaction': '251E59', 'peer': '192.0.2.7'}
    bodies = {
        'poll': [poll('manual', objects.ca, objects.device)],
        'request': [request(endpoint, objects.csrs[kind], getattr(objects, kind))
                    for endpoint in ('static', 'manual', 'once', 'bare') for kind in ('device', 'rsa')],
        'get_cert': [record(endpoint='static', serial=serial), record(endpoint='static', serial=serial, issuer='30003000')],
        'get_crl': [record(endpoint='static'), record(endpoint='nobody')],
        'request_list': [record(limit='10'), record(ca='issuing', disposition='pending'), record(limit='1001'), record(status='failed,denied', before='9')],
        'refusal_list': [record(limit='10'), record(limit='x')],
        'cert_list': [record(status='good'), record(status='revoked', limit='1')],
        'cert_revoke': [record(serial=serial, reason='keyCompromise'), record(serial=serial)],
        'template_show': [record(name='SCEPDevice')], 'template_new': [record(name='New', validity='30d')],
        'template_set': [record(name='SCEPDevice', validity='30d', **{'expect-version': '1'})],
        'site_apply': [seq(record(kind='options', dry_run='yes'), record(kind='template', name='New'))],
        'request_submit': [record(ca='issuing', template='WebServer', csr=base64.b64encode(objects.csrs['device']).decode()),
                           record(template='WebServer', csr='AAAA')],
        'audit_list': [record(since='7d', action='issue'), record(of='templates', since='2026-11-28T10:00:00Z'), record(action='x')],
        'crl_publish': [record(), record(ca='issuing')], 'password_new': [record(endpoint='once'), record(endpoint='static')],
        'authority_successor': [record(certificate=base64.b64encode(objects.device).decode()), record(certificate='%')],
        'authorisation_end': [record(ends=f'{UUID}b {UUID}a 7\n{UUID}b {UUID}a 0 1795000000'), record(ends=f'{UUID}b {UUID}a')],
        'outbox_lease': [record(), record(limit='2', lease_s='60')], 'outbox_done': [record(ids='1,2'), record(ids='1,')],
        'authority_revoke': [record(serial=serial, reason='superseded')],
        'challenge_claim': [record(**server, template='Users', csr=base64.b64encode(objects.csrs[kind]).decode()) for kind in ('device', 'rsa')],
        'challenge_close': [record(**server, challenge='MIIB', disposition='0', hresult='0', certificate=base64.b64encode(objects.device).decode()),
                            record(**server, challenge='MIIB', disposition='2', hresult='2148092945', certificate='')],
    }
    for number, verb in enumerate(VERBS):
        usual = [record(id='1'), record(serial=serial)] if verb.startswith(('request_', 'cert_')) else [record()]
        for which, body in enumerate(bodies.get(verb, usual)):
            save('verbs', f'{verb}-{which}', bytes([number]) + body)


def make_frames(objects):
    bodies = [('request', request('default', objects.csrs['device'], objects.device)),
              ('poll', poll('default', objects.ca, objects.device)),
              ('ok', answer(0, objects.leaves['device'])), ('ok', answer(3)),
              ('get_cert', record(endpoint='default', serial='1122')), ('status', record()),
              ('ok', seq(record(a='b', limit='7'), record(serial='x'))),
              ('seal', seq(utf8('issuing'), integer(1), octets((DATA / 'cert' / 'golden-tbs.der').read_bytes()))),
              ('seal', seq(utf8('issuing'), integer(1), octets(inside(objects.leaves['rsa'])[0]))),
              ('ok', octets(objects.leaves['device'])), ('error', seq(utf8('ERR_DENIED'), utf8('no'))), ('ok', tlv(5))]
    for kind in ('openssl-empty', 'openssl-two'):
        tbs = inside((ROOT / 'corpus' / 'crl' / kind).read_bytes())[0]
        bodies.append(('seal', seq(utf8('issuing'), integer(2), octets(tbs))))
    save('frame', 'hello', frame(1, 'hello', hello('scep')))
    for which, (verb, body) in enumerate(bodies):
        save('frame', f'{verb}-{which}', frame(2 + which, verb, body))
    save('frame', 'many', b''.join(frame(which, verb, body) for which, (verb, body) in enumerate(bodies[3:6])))


def make_ipc():
    greeting = frame(1, 'hello', hello('scep'))
    calls = frame(2, 'echo', record(a='b')) + frame(3, 'fail', tlv(5)) + frame(4, 'forbidden', tlv(5)) + frame(5, 'none', tlv(5))
    save('ipc', 'server', b'\0' + greeting + calls)
    save('ipc', 'server-many', b'\0' + greeting + b''.join(frame(i, 'echo', octets(b'x' * 900)) for i in range(2, 12)))
    save('ipc', 'server-other-principal', b'\0' + frame(1, 'hello', hello('cli')) + calls)
    save('ipc', 'server-newer', b'\0' + frame(1, 'hello', seq(integer(2), integer(9), utf8('scep'))))
    save('ipc', 'server-range', b'\0' + frame(1, 'hello', seq(integer(1), integer(9), utf8('scep'))) + calls)
    save('ipc', 'server-no-hello', b'\0' + calls)
    save('ipc', 'server-too-long', b'\0' + greeting + b'\0\0\x20\0')
    save('ipc', 'server-cut', b'\0' + greeting + calls[:-3])
    agreed = frame(1, 'hello', hello('ca'))
    save('ipc', 'caller-ok', b'\1' + agreed + frame(2, 'ok', record(a='b')))
    save('ipc', 'caller-error', b'\1' + agreed + frame(2, 'error', seq(utf8('ERR_DENIED'), utf8('no'))))
    save('ipc', 'caller-refused', b'\1' + frame(1, 'error', seq(utf8('ERR_NOT_AUTHORISED'), utf8('who?'))))
    save('ipc', 'caller-other-id', b'\1' + agreed + frame(7, 'ok', tlv(5)) + frame(2, 'ok', tlv(5)))
    save('ipc', 'caller-other-verb', b'\1' + agreed + frame(2, 'seal', tlv(5)))
    save('ipc', 'caller-other-version', b'\1' + frame(1, 'hello', seq(integer(3), integer(3), utf8('ca'))))
    save('ipc', 'caller-cut', b'\1' + agreed + frame(2, 'ok', tlv(5))[:-1])


def content(which, flags, plain, reply=b''):
    return bytes([which, flags]) + len(plain).to_bytes(2, 'big') + plain + reply


def make_contents(objects):
    requester, enrolled, refused, bad = 2, 4, 8, 1  # fuzz/content.c
    issuer = names_of(objects.ca)[1]
    for path in sorted((DATA / 'csr').iterdir()):
        save('content', f'csr-{path.stem}', content(0, requester, path.read_bytes()))
    for kind in ('device', 'rsa'):
        csr, leaf = objects.csrs[kind], objects.leaves[kind]
        save('content', f'{kind}-issued', content(0, requester, csr, answer(0, leaf)))
        save('content', f'{kind}-issued-other', content(0, requester, csr, answer(0, objects.ca)))
        save('content', f'{kind}-pending', content(0, requester, csr, answer(3)))
        save('content', f'{kind}-renewal', content(1, enrolled, csr, answer(0, leaf)))
        save('content', f'{kind}-stranger', content(0, 0, csr))
        save('content', f'{kind}-bad', content(0, bad | requester, csr))
        save('content', f'{kind}-answer-garbage', content(0, requester, csr, tlv(5)))
    for which in range(4):
        save('content', f'refused-{which}', content(which * 8, requester | refused, objects.csrs['rsa']))
    save('content', 'poll', content(2, 0, seq(issuer, names_of(objects.device)[1])))
    save('content', 'poll-pending', content(2, 0, seq(issuer, names_of(objects.device)[1]), answer(3)))
    save('content', 'poll-other-issuer', content(2, 0, seq(names_of(objects.device)[1], issuer)))
    serial = seq(issuer, integer(0x1122))
    save('content', 'get-cert', content(3, 0, serial))
    save('content', 'get-cert-answer', content(3, 0, serial, octets(objects.leaves['rsa'])))
    save('content', 'get-crl', content(4, 0, serial))
    save('content', 'get-crl-answer', content(4, 0, serial, octets((ROOT / 'corpus' / 'crl' / 'openssl-two').read_bytes())))
    save('content', 'get-crl-garbage', content(4, 0, serial, octets(b'x')))
    save('content', 'get-cert-long-serial', content(3, 0, seq(issuer, integer(1 << 400))))
    save('content', 'cert-rep', content(5, 0, serial))


def signed_message(signer, message_type, envelope):
    def attribute(kind, value):
        return seq(oid(kind), tlv(0x31, value))
    scep = '2.16.840.1.113733.1.9.'
    sha256 = seq(oid('2.16.840.1.101.3.4.2.1'))
    attributes = sorted([attribute('1.2.840.113549.1.9.3', oid('1.2.840.113549.1.7.1')),
                         attribute('1.2.840.113549.1.9.4', octets(bytes(32))),
                         attribute(scep + '2', tlv(0x13, str(message_type).encode())),
                         attribute(scep + '5', octets(bytes(16))), attribute(scep + '7', tlv(0x13, b'transaction-1'))])
    tbs = inside(signer)[0]
    parts = inside(tbs)
    signer_id = seq(parts[3], parts[1])
    info = seq(integer(1), signer_id, sha256, tlv(0xA0, *attributes), seq(oid('1.2.840.113549.1.1.1'), tlv(5)),
               octets(bytes(256)))
    data = seq(integer(1), tlv(0x31, sha256), seq(oid('1.2.840.113549.1.7.1'), tlv(0xA0, octets(envelope))),
               tlv(0xA0, signer), tlv(0x31, info))
    return seq(oid('1.2.840.113549.1.7.2'), tlv(0xA0, data))


def enveloped(objects, plain):
    key, iv = bytes(range(16)), bytes(16)
    block = b'\0\2' + b'\x55' * (256 - 3 - 16) + b'\0' + key
    parts = inside(inside(objects.rsa)[0])
    recipient = seq(integer(0), seq(parts[3], parts[1]), seq(oid('1.2.840.113549.1.1.1'), tlv(5)), octets(block))
    encrypted = seq(oid('1.2.840.113549.1.7.1'), seq(oid('2.16.840.1.101.3.4.1.2'), octets(iv)),
                    tlv(0x80, objects.encrypt(key, iv, plain)))
    return seq(oid('1.2.840.113549.1.7.3'), tlv(0xA0, seq(integer(0), tlv(0x31, recipient), encrypted)))


def make_messages(objects):
    issuer = names_of(objects.ca)[1]
    plains = {17: objects.csrs['rsa'], 19: objects.csrs['rsa'], 20: seq(issuer, names_of(objects.rsa)[1]),
              21: seq(issuer, integer(0x1122)), 22: seq(issuer, integer(0x1122))}
    save('cms_signed', 'certs-only', seq(oid('1.2.840.113549.1.7.2'), tlv(0xA0, seq(
        integer(1), tlv(0x31), seq(oid('1.2.840.113549.1.7.1')), tlv(0xA0, objects.ca, objects.rsa), tlv(0x31)))))
    for kind, plain in plains.items():
        envelope = enveloped(objects, plain)
        save('cms_enveloped', f'given-{kind}', envelope)
        save('pki_message', f'given-{kind}', signed_message(objects.rsa, kind, envelope))


def challenge_der(user=True, san=True, bound=False, kind=2, bits=0):
    """challenge/encode.c"""
    name = seq(tlv(0x31, seq(oid('2.5.4.3'), utf8('device-1'))), tlv(0x31, seq(oid('2.5.4.10'), utf8('Example'))))
    return seq(integer(1), octets(bytes(range(16))), utf8(UUID + 'a'), integer(7), utf8(UUID + 'b'),
               *([tlv(0x80, (UUID + 'c').encode())] if user else []), integer(1790000000 - 60), integer(1790000000 + 3540), name,
               *([tlv(0xA1, seq(tlv(0x82, b'device-1.example')))] if san else []), seq(oid('1.3.6.1.5.5.7.3.2')),
               tlv(3, b'\5\xA0'), integer(kind), integer(bits), integer(86400), *([tlv(0x82, bytes(32))] if bound else []))


def challenge_envelope(objects, plain, recipients=1):
    """To a key that agrees on 32 zeros (fuzz/challenge.c)."""
    content_key, iv = bytes(range(16)), bytes(16)
    wrap = seq(oid('2.16.840.1.101.3.4.1.5'))
    info = seq(wrap, tlv(0xA2, octets((128).to_bytes(4, 'big'))))
    kek = hashlib.sha256(bytes(32) + (1).to_bytes(4, 'big') + info).digest()[:16]
    wrapped = subprocess.run(['openssl', 'enc', '-id-aes128-wrap', '-K', kek.hex(), '-iv', 'A6' * 8], input=content_key, check=True,
                             stdout=subprocess.PIPE).stdout
    point = inside(inside(inside(objects.device)[0])[6])[1]
    one = tlv(0xA1, integer(3), tlv(0xA0, tlv(0xA1, seq(oid('1.2.840.10045.2.1')), point)), seq(oid('1.3.132.1.11.1'), wrap),
              seq(seq(seq(seq(tlv(0x31, seq(oid('2.5.4.3'), utf8('challenge')))), integer(0x52)), octets(wrapped))))
    return seq(integer(2), tlv(0x31, *[one] * recipients),
               seq(oid('1.2.840.113549.1.7.1'), seq(oid('2.16.840.1.101.3.4.1.2'), octets(iv)),
                   tlv(0x80, objects.encrypt(content_key, iv, plain))))


def make_challenges(objects):
    plains = {'usual': challenge_der(), 'least': challenge_der(user=False, san=False), 'rsa': challenge_der(kind=1, bits=2048),
              'bound': challenge_der(bound=True)}
    for name, plain in plains.items():
        save('challenge', f'inside-{name}', b'\0' + plain)
        save('challenge', f'envelope-{name}', b'\1' + challenge_envelope(objects, plain))
    save('challenge', 'envelope-two', b'\1' + challenge_envelope(objects, plains['usual'], 2))
    save('challenge', 'envelope-garbage', b'\1' + challenge_envelope(objects, b'no challenge'))
    envelope = challenge_envelope(objects, plains['usual'])
    issuer = seq(tlv(0x31, seq(oid('2.5.4.3'), utf8('challenge'))))
    sha256 = seq(oid('2.16.840.1.101.3.4.2.1'))
    attributes = [seq(oid('1.2.840.113549.1.9.3'), tlv(0x31, oid('1.2.840.113549.1.7.3'))),
                  seq(oid('1.2.840.113549.1.9.4'), tlv(0x31, octets(hashlib.sha256(envelope).digest())))]
    info = seq(integer(1), seq(issuer, integer(0x51)), sha256, tlv(0xA0, *attributes), seq(oid('1.2.840.10045.4.3.2')),
               octets(seq(integer(1), integer(1))))
    text = seq(oid('1.2.840.113549.1.7.2'), tlv(0xA0, seq(integer(3), tlv(0x31, sha256), seq(
        oid('1.2.840.113549.1.7.3'), tlv(0xA0, octets(envelope))), tlv(0x31, info))))
    save('challenge', 'text', b'\2' + base64.b64encode(text))
    save('challenge', 'text-short', b'\2' + base64.b64encode(text)[:400])
    for kind, csr in objects.csrs.items():
        save('challenge', f'request-{kind}', b'\3' + csr)
    pairs = [('Doe, John', 'Doe\\, John'), ('Doe, John', '"Doe, John"'), ('Doe, John', '"Doe\\, John"'), ('a\\,b', 'a,b'),
             ('say "hi"', '"say ""hi"""'), ('a  b ', ' a b'), ('Bob', '"Bob"'), ('M\u00fcller', 'M\u00fcller\\')]
    for which, pair in enumerate(pairs):
        save('challenge', f'values-{which}', b'\4' + '\0'.join(pair).encode())


def make_policies():
    printed = (ROOT.parent / 'tests/data/certreq/certreq.ini').read_text()
    filled = printed.replace('Subject Name in CN format', 'C=NL,O=""Example, Inc."",CN=ra.example')
    names = ('[Version]\nSignature="$Windows NT$"\n[NewRequest]\nSubject="CN=a"\nKeyAlgorithm=ECDSA_P384\nKeyUsage=0x80\n'
             '[Extensions]\n2.5.29.17 = "{text}"\n_continue_ = "dns=a.example&"\n'
             '_continue_ = "ipaddress=192.0.2.7&url=http://b.example/&"\n_continue_ = "email=c@example.org&upn=d@example.org"\n')
    files = {'as-printed': printed.encode(), 'filled-in': filled.encode(), 'names': names.encode(),
             'notepad': b'\xff\xfe' + filled.replace('\n', '\r\n').encode('utf-16-le'),
             'big-endian': b'\xfe\xff' + filled.encode('utf-16-be'),
             'utf-8-mark': '\ufeff[NewRequest]\r\nSubject=CN=\u00e9\r\n'.encode(),
             'unclosed': b'[NewRequest]\nSubject="CN=a\n', 'unknown': b'[NewRequest]\nSubject="CN=a"\nKeyLenght = 2048\n',
             'slashes': b'// a\n[NewRequest] ; b\nSubject = CN=a // c\nProviderName=http://x/y ;d\nKeySpec=AT_SIGNATURE\n'
                        b'KeyUsage=128\n'}
    for name, data in files.items():
        save('policy', name, data)


def make_requests():
    """To the administration API: method and target, Content-Type, body."""
    user = '{"upn":"anna@example.org","name":"M\u00fcller, Anna","email":"a@b","distinguished_name":"CN=Anna,DC=b","sam_name":"B\\\\a",' \
           '"sid":"S-1-5-21-1-2-3-500","enabled":true}'
    device = '{"platform":"windows-10","serial":"S1","imei":"490154203237518","meid":"A10000009296F2","wifi_mac":"001122AABBCC",' \
             '"fqdn":"a.b","domain_joined":true,"directory_id":"1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2f","owner":"a@b","ownership":"company"}'
    profile = '{"name":"p","type":"pkcs-imported","platform":"android-enterprise","description":"q","intended_purpose":"unassigned"}'
    json, csv = 'application/json', 'text/csv'
    requests = {
        'openapi': ('GET /api/v1/openapi.json', '', ''), 'user-add': ('POST /api/v1/users', json, user),
        'user-list': ('GET /api/v1/users?limit=2&starts=a&deleted=true&enabled=true', '', ''),
        'user-set': ('PATCH /api/v1/users/anna%40example.org', json, '{"name":null,"enabled":false}'),
        'user-delete': ('DELETE /api/v1/users/anna@example.org', '', ''), 'device-add': ('POST /api/v1/devices', json, device),
        'device-kiosk': ('POST /api/v1/devices', json, '{"platform":"android-enterprise","mode":"dedicated","name":"k"}'),
        'device-retire': ('POST /api/v1/devices/k/retire', '', ''), 'device-groups': ('GET /api/v1/devices/k/groups', '', ''),
        'group-add': ('POST /api/v1/groups', json, '{"name":"g","kind":"device"}'),
        'member-add': ('POST /api/v1/groups/g/members', json, '{"member":"k"}'),
        'member-group': ('POST /api/v1/groups/g/members', json, '{"member":"g","kind":"group"}'),
        'member-remove': ('DELETE /api/v1/groups/g/members/k?groups=true', '', ''), 'members': ('GET /api/v1/groups/g/members', '', ''),
        'import-csv': ('POST /api/v1/users/import?dry_run=true', csv, '\ufeffupn,name\r\na@b,"x ""y"""\r\nc@d,\r\n'),
        'import-json': ('POST /api/v1/devices/import', json, '{"items":[{"platform":"ios","serial":"S2"},{"platform":"linux"}]}'),
        'audit': ('GET /api/v1/audit?before=5&limit=1&object=x', '', ''), 'deep': ('POST /api/v1/users', json, '[' * 20 + ']' * 20),
        'profile-add': ('POST /api/v1/profiles', json, profile),
        'profile-set': ('PUT /api/v1/profiles/p', json, profile.replace('"q"', '"r"')),
        'profile-wrong': ('POST /api/v1/profiles', json, '{"name":"x","type":"scep","platform":"ios","root_certificate":"p","key_size":1}'),
        'profile-show': ('GET /api/v1/profiles/p', '', ''), 'profile-delete': ('DELETE /api/v1/profiles/p', '', ''),
        'profile-versions': ('GET /api/v1/profiles/p/versions?limit=1&after=3', '', ''),
        'profile-version': ('GET /api/v1/profiles/p/versions/1', '', ''),
        'profile-preview': ('GET /api/v1/profiles/p/preview?device=k', '', ''),
        'assign-add': ('POST /api/v1/profiles/p/assignments', json, '{"group":"g","mode":"exclude"}'),
        'assign-list': ('GET /api/v1/profiles/p/assignments', '', ''), 'assign-of': ('GET /api/v1/groups/g/assignments', '', ''),
        'assign-remove': ('DELETE /api/v1/profiles/p/assignments/g', '', ''), 'device-targets': ('GET /api/v1/devices/k/profiles', '', ''),
        'admin-add': ('POST /api/v1/administrators', json, '{"name":"anna","display_name":"Anna","roles":"ca-manager,auditor"}'),
        'admin-set': ('PATCH /api/v1/administrators/anna', json, '{"roles":"auditor","enabled":false}'),
        'admin-password': ('PUT /api/v1/administrators/anna/password', json, '{"password":"short"}'),
        'apitoken-add': ('POST /api/v1/apitokens', json, '{"name":"t","administrator":"anna","roles":"auditor","days":1}'),
        'sign-in': ('POST /api/v1/session', json, '{"name":"anna","password":"x","cookie":1}'), 'session': ('GET /api/v1/session', '', ''),
        'oidc-return': ('GET /api/v1/oidc/callback?code=a&state=b&iss=c', '', ''),
        'twice': ('POST /api/v1/users', json, '{"upn":"a@b","upn":"c@d"}'), 'nowhere': ('PUT /api/v1/%00/%zz?a=b&a=c', '', 'x'),
    }
    for name, (line, kind, body) in requests.items():
        save('api', name, f'{line}\n{kind}\n{body}'.encode())


def make_credentials():
    """With a request over HTTPS: method, Authorization, Cookie, X-CSRF-Token, a line each; TOKEN and CSRF are those of a session."""
    shown = {'bearer': 'GET\nBearer TOKEN\n\n', 'cookie': 'GET\n\na=b; __Host-chancery=TOKEN; c=d\n', 'csrf': 'DELETE\n\n__Host-chancery=TOKEN\nCSRF',
             'both': 'GET\nBearer TOKEN\n__Host-chancery=TOKEN\n', 'basic': 'GET\nBasic YTpi\n\n', 'nobody': 'PUT\n\n\n',
             'other': 'GET\nBearer cha_' + '0' * 64 + '\n__Host-chancery=\n', 'twice': 'GET\n\n__Host-chancery=TOKEN;__Host-chancery=TOKEN\n'}
    for name, text in shown.items():
        save('credential', name, text.encode())


def make_texts():
    texts = ['/certsrv/mscep/mscep.dll/pkiclient.exe?operation=PKIOperation&message=MIIB%0A%2b%2F%3D%3d',
             'http://scep.example:80/scep?operation=GetCACaps&message=default', 'operation=GetCACert&message=a%zz&&x',
             'CN=device-1,OU="a, b"+OU=c\\,d,O=Exa\\20mple,C=CH', 'CN=\\E2\\82\\AC\\#x, 1.2.3.4=#0c0161, DC=example, E=a@b',
             'aGVsbG8gd29ybGQ=', 'aGVsbG8gd29y\r\nbGQ', '00ffAB12', ' \tclose , keep-alive', '65535', '[2001:db8::1]:8443',
             '18446744073709551616', 'line\nforged \x1b[31m \u202e\u00e9"\\', '-----BEGIN CERTIFICATE-----\nMAA=\n'
             '-----END CERTIFICATE-----\nrest', '192.0.2.0/24', '2001:db8::/32', 'fe80::1%13', '::ffff:192.0.2.7',
             '203.0.113.5, 10.0.0.2, [2001:db8::7]:4711', 'for="_gazonk";proto=http, For="[2001:DB8:cafe::17]:4711"',
             'for=192.0.2.60;by=203.0.113.43, for="10.1.1.1"', '-----BEGIN X-----\nMAA=\n-----END X-----\n']
    for which, text in enumerate(texts):
        save('text', f'{which:02}', text.encode())


def make_crs_bodies():
    bodies = ['V{"pkcs10":"MIIB","signingCert":null,"template":"Users","transactionId":"251E59"}', 'V{"pkcs10":"AQ\\r\\nID","transactionId":"1"}',
              'V{"pkcs10":"AQID","signingCert":"AQID","transactionId":"\\u00e4"}',
              'N{"challenge":"MIIG","transactionId":"251E59","disposition":0,"hResult":0,"certificate":"AQID"}',
              'N{"challenge":"MIIG","transactionId":"251E59","disposition":2,"hResult":-2146875375,"certificate":null}',
              'N{"challenge":"MIIG","transactionId":"1","disposition":-1,"hResult":2148091921}', 'V[[[[[[[[[[]]]]]]]]]]']
    for which, body in enumerate(bodies):
        save('crs_body', f'{which}', body.encode())


def make_profiles():
    """The examples of the manual, and one of each type with something wrong."""
    page = (ROOT.parent / 'docs/profiles.md').read_text()
    examples = re.findall(r'```json\n(.*?)```', page, re.S)
    for which, text in enumerate(examples):
        save('profile', f'manual-{which}', text.encode())
    wrong = {'many': '{"name": 1, "type": "scep", "platform": "ios", "certificate_type": "robot", "hash_algorithm": "SHA-2", '
                     '"key_size": 1000, "what": {"a": [1]}, "scep_server_urls": ["x", "http://[::1]:0/?"]}',
             'twice': '{"name": "a", "name": "b"}', 'deep': '[' * 9 + ']' * 9, 'list': '[]', 'nul': '{"name": "a\\u0000"}',
             'lists': '{"name":"x","type":"pkcs","platform":"linux","certificate_type":"user","subject_name_format":"custom",'
                      '"subject_name":"CN={{OnPrem_Distinguished_Name}}","subject_alternative_names":["e-mail address"],'
                      '"root_certificate":"r","renewal_threshold":1,"certification_authority":"a.b",'
                      '"certification_authority_name":"Symantec","certificate_template_name":"1.2"}'}
    for name, text in wrong.items():
        save('profile', name, text.encode())


def make_value_formats():
    texts = ['CN={{UserName}},E={{EmailAddress}},OU=Mobile,O=Finance Group,C=US\na@example.test', 'CN = {{DeviceName}}text\nx,CN=admin',
             'CN="{{DeviceName}}, x";O=a+OU={{SerialNumber}}\n"\\#+;', 'CN={{OnPrem_Distinguished_Name}},OU=x\nCN=Doe\\, Jane,DC=corp',
             'DNS name = {{AzureADDeviceId}}.domain.com\n*', 'UPN={{DeviceName}}\na;3+evil', 'email = {{IMEI}}@x.test\nb@c', 'UPN\na@b',
             'email\na@b', 'CN={DeviceName}\nx', 'CN={{Nonsense}}\nx', 'DNS = a|b\nx', '1.2.3={{MEID}},C={{WiFiMacAddress}}\nNL',
             'CN=\\7B\\7BDeviceName}}\nx', 'CN={{FullyQualifiedDomainName}}\n#0c0161']
    for which, text in enumerate(texts):
        save('value_format', f'{which:02}', text.encode())


def make_ldap_entries():
    def entry(kind, *attributes):
        return bytes([kind]) + b''.join(name.encode() + b'\0' + len(value).to_bytes(2, 'big') + value for name, value in attributes)

    uuid, guid = b'bdbd0ce0-2211-4433-5566-778899aabbcc', bytes(range(16))
    sid = bytes([1, 5, 0, 0, 0, 0, 0, 5, 21] + [0] * 19)
    person = [('dn', b'uid=anna,dc=x'), ('entryUUID', uuid), ('mail', b'a@b'), ('displayName', 'Müller'.encode()), ('uid', b'anna'),
              ('modifyTimestamp', b'20260501090000Z'), ('pwdAccountLockedTime', b'000001010000Z')]
    group = [('dn', b'cn=staff,dc=x'), ('entryUUID', uuid), ('cn', b'staff'), ('description', b'all'), ('member', b'uid=a,dc=x'), ('member', b'UID=A, DC=x')]
    ad = [('dn', b'<GUID=' + uuid + b'>;<SID=S-1-5-21-1>;CN=Doe\\, Anna,DC=x'), ('objectGUID', guid), ('objectSid', sid), ('primaryGroupID', b'513'),
          ('userPrincipalName', b'a@b'), ('sAMAccountName', b'anna'), ('userAccountControl', b'514')]
    entries = {'person': entry(0, *person), 'uids': entry(1, *person), 'group': entry(4, *group), 'posix': entry(5, *group[:3], ('memberUid', b'Anna')),
               'ad-user': entry(2, *ad), 'ad-group': entry(6, *ad[:3], ('cn', b'staff'), ('member', ad[0][1]), ('member', b'CN=x')),
               'hostile': entry(0, *person[:2], ('mail', b'a@b\0'), ('displayName', b'\xff\n'), ('member;range=0-1499', b')(uid=*')),
               'nameless': entry(0, ('dn', b'no name'), ('entryUUID', uuid), ('mail', b'a@b'))}
    for name, data in entries.items():
        save('ldap_entry', name, data)


def make_configurations():
    user = 'mode = user\n'
    texts = {'least': user + 'ca "issuing" {}\nendpoint "default" {\n validator = "one-time"\n}\n',
             'lists': user + 'scep {\n http_listen = {\n  "127.0.0.1:80", # first\n  "[::1]:81"\n }\n https_listen = {}\n}\n'
             'workers = 5\nlog_level = "debug"\nroles += {"ca"}\n',
             'comments': user + '/* a\n b */ site = \'x\' // end\n# more\nrun_dir = "/run/\\x41\\n"\n',
             'paths': user + 'ca "issuing" { cdp_urls = {"http://a.example/x"} allowed_eku = {"clientAuth", "1.3.6.1.5.5.7.3.2"} }\n'
             'endpoint "a" { validator = "manual" ca = "issuing" paths = {"/a/b", "/c/"} ra_set = "x" allow_3des = yes }\n'
             'endpoint "b" { validator = "static" ca = "issuing" paths = {"/A/b/"} }\n',
             'system': 'mode = "system"\n', 'duplicate': user + 'site = a\nsite = b\n', 'environment': user + 'site = "${HOME}"\n',
             'unclosed': user + 'ca "issuing" {\n', 'unclosed-quote': user + 'site = "x\n', 'no-such': user + 'sitte = 1\n',
             'include': user + 'include("/etc/passwd")\n', 'number': user + 'workers = 513\nstop_timeout = -1\n'}
    for name, text in texts.items():
        save('config', name, text.encode())


def main():
    with tempfile.TemporaryDirectory() as folder:
        objects = Objects(pathlib.Path(folder))
        make_verbs(objects)
        make_frames(objects)
        make_ipc()
        make_contents(objects)
        make_messages(objects)
        make_texts()
        make_configurations()
        make_policies()
        make_profiles()
        make_crs_bodies()
        make_value_formats()
        make_ldap_entries()
        make_requests()
        make_credentials()
        make_challenges(objects)
        for name in ('ca', 'rsa'):
            save('key_info', name, (pathlib.Path(folder) / f'{name}.p8').read_bytes())
        for curve in ('P-384', 'P-521'):
            save('key_info', curve, objects.key(curve, 'EC', f'ec_paramgen_curve:{curve}'))


if __name__ == '__main__':
    main()
