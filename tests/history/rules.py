# SPDX-License-Identifier: Apache-2.0
"""The invariants (spec security.md S1 to S6, S8, S30). A rule yields one line for each violation, with both values."""
import collections

import der
import journal
from evidence import serial_of, tbs_of

CLOCK_BACK_S = 300                                           # signer.c: so far a clock may step back
GOOD_HANDS = ('valid', 'revoked')
RULES = []


def rule(name, quiet=False):
    """quiet: only of a site at rest, since parts of it are written one after the other."""
    def keep(function):
        RULES.append((name, quiet, function))
        return function
    return keep


def check(history, names=None):
    """[(name of the invariant, the line)], of all invariants or of those that are named."""
    broken = []
    for name, quiet, function in RULES:
        if (quiet and history.running) or (names and name not in names):
            continue
        try:
            broken.extend((name, line) for line in function(history))
        except (der.Malformed, ValueError) as error:         # what cannot be read does not hold either
            broken.append((name, f'unreadable="{error}" wanted=readable'))
    return broken


def short(data):
    return 'none' if data is None else journal.sha256(data).hex()[:16]


def hexed(serial):
    text = f'{serial:X}'
    return '0' * (len(text) % 2) + text


def answers_by_request(history):
    out = collections.OrderedDict()
    for answer in history.held.answers:
        out.setdefault(answer.request, []).append(answer)
    return out


# --- what clients hold ---

@rule('held-is-known')
def held_is_known(history):
    sealed = {record.der for record in history.sealed}
    stored = {row.der: row for row in history.tables['certificate'] if row.der}
    for held in {answer.certificate: answer for answer in history.held.answers if answer.certificate}.values():
        serial = hexed(der.certificate(held.certificate).serial)
        row = stored.get(held.certificate)
        status = row.status if row else 'absent'
        if held.certificate not in sealed or status not in GOOD_HANDS:
            place = 'present' if held.certificate in sealed else 'absent'
            yield f'request={held.request} serial={serial} journal={place} store={status}'


@rule('same-answer')
def same_answer(history):
    for request, answers in answers_by_request(history).items():
        ders = list(collections.OrderedDict.fromkeys(a.certificate for a in answers if a.certificate))
        for other in ders[1:]:
            yield f'request={request} first={short(ders[0])} later={short(other)}'


@rule('nothing-taken-back')
def nothing_taken_back(history):
    """Who was given a certificate is not refused when he asks again, unless it was revoked meanwhile."""
    revoked = {row.der for row in history.tables['certificate'] if row.status == 'revoked'}
    for request, answers in answers_by_request(history).items():
        given = None
        for answer in answers:
            given = answer.certificate or given
            if given and answer.status == '2' and given not in revoked:
                yield f'request={request} first=SUCCESS {short(given)} later=FAILURE'


@rule('everybody-answered', quiet=True)
def everybody_answered(history):
    for request, answers in answers_by_request(history).items():
        if answers[-1].status not in ('0', '2'):
            yield f'request={request} attempts={len(answers)} last={answers[-1].status or "none"} wanted=0 or 2'


@rule('one-challenge-one-certificate')
def one_challenge(history):
    by_challenge = collections.defaultdict(set)
    for answer in history.held.answers:
        if answer.get('challenge') and answer.certificate:
            by_challenge[answer.challenge].add(answer.certificate)
    for challenge, ders in by_challenge.items():
        if len(ders) > 1:
            yield f'challenge={challenge[:8]}… certificates={len(ders)} wanted=1'
    claims = collections.Counter((r.issuer_id, r.claimed_by) for r in history.tables['challenge'] if r.claimed_by)
    for (issuer, request), count in claims.items():
        row = history.requests.get((issuer, request))
        disposition = row.disposition if row else 'absent'
        if count != 1 or disposition not in ('issued', 'sealing'):
            yield f'ca={issuer} request={request} disposition={disposition} challenges={count} wanted=1'


@rule('challenge-is-taken')
def challenge_is_taken(history):
    claimed = {(r.issuer_id, r.claimed_by) for r in history.tables['challenge'] if r.claimed_by}
    for row in history.tables['request']:
        if row.validator == 'one-time' and row.disposition in ('issued', 'sealing') and \
                (row.issuer_id, row.request_id) not in claimed:
            yield f'ca={row.issuer_id} request={row.request_id} disposition={row.disposition} challenges=0 wanted=1'


@rule('acknowledged-challenge')
def acknowledged_challenge(history):
    if not history.held.challenges:
        return
    import hmac
    key = history.site.challenge_key()
    known = {(row.endpoint, row.mac) for row in history.tables['challenge']}
    for held in history.held.challenges:
        mac = hmac.new(key, held.password.encode(), 'sha256').digest()
        if (held.endpoint, mac) not in known:
            yield f'endpoint={held.endpoint} mac={mac.hex()[:16]} given=yes store=absent'


# --- journal and store ---

@rule('journal-sound')
def journal_sound(history):
    if history.damage:
        yield history.damage


@rule('journal-says-what-it-holds')
def journal_ids(history):
    for record in history.sealed:
        serial = der.certificate(record.der).serial
        if int.from_bytes(record.id, 'big') != serial:
            yield f'offset={record.offset} id={record.id.hex().upper()} serial={hexed(serial)}'
    for record in history.sealed_crls:
        number = der.crl(record.der).number
        if int.from_bytes(record.id, 'big') != number:
            yield f'offset={record.offset} id={record.id.hex()} crl_number={number}'


@rule('time-form')
def time_form(history):
    """RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050 on."""
    for record in history.records:
        for tag, year in der.times(record.der):
            if (tag == der.UTC_TIME) != (1950 <= year < 2050):
                yield f'offset={record.offset} year={year} tag={tag:02X} wanted={der.UTC_TIME if year < 2050 else der.GENERALIZED_TIME:02X}'


@rule('journal-clock')
def journal_clock(history):
    last = 0
    for record in history.records:
        if record.time < last - CLOCK_BACK_S:
            yield f'offset={record.offset} time={record.time} before={last} allowed_back={CLOCK_BACK_S}'
        last = max(last, record.time)


@rule('sealed-is-stored')
def sealed_is_stored(history):
    for record in history.sealed:
        serial = der.certificate(record.der).serial
        row = history.certificates.get((record.ca, serial))
        if row is None:
            yield f'ca={record.ca} serial={hexed(serial)} journal=present store=absent'
        elif row.status == 'reserved' and row.tbs != tbs_of(record.der):
            yield f'ca={record.ca} serial={hexed(serial)} journal_tbs={short(tbs_of(record.der))} tbs={short(row.tbs)}'
        elif row.status in GOOD_HANDS and row.der != record.der:
            yield f'ca={record.ca} serial={hexed(serial)} journal={short(record.der)} store={short(row.der)}'


@rule('stored-is-sealed')
def stored_is_sealed(history):
    sealed = {(record.ca, record.der) for record in history.records_later}
    for row in history.tables['certificate']:
        if row.der and (row.issuer_id, row.der) not in sealed:
            yield f'ca={row.issuer_id} serial={row.serial} status={row.status} store={short(row.der)} journal=absent'


@rule('serial-once')
def serial_once(history):
    seen = {}
    for record in history.sealed:
        serial = der.certificate(record.der).serial
        if serial in seen:
            yield f'serial={hexed(serial)} offset={seen[serial]} again_at={record.offset}'
        seen[serial] = record.offset
    rows = collections.Counter(serial for _, serial in history.certificates)
    for serial, count in rows.items():
        if count > 1:
            yield f'serial={hexed(serial)} rows={count} wanted=1'


@rule('serial-form')
def serial_form(history):
    serials = [serial for _, serial in history.certificates]
    for serial in serials:
        if not 0 < serial < 1 << 159:
            yield f'serial={serial:X} bits={serial.bit_length()} wanted=1 to 159'
    if len(serials) < 32:                                    # a constant bit is no accident above that: once in 2^31
        return
    ones = [sum(serial >> bit & 1 for serial in serials) for bit in range(159)]
    moving = sum(len(serials) * 0.2 < count < len(serials) * 0.8 for count in ones)
    if moving < 64:
        yield f'serials={len(serials)} bits_that_vary={moving} wanted=64'
    steps = collections.Counter(b - a for a, b in zip(sorted(serials), sorted(serials)[1:]))
    if steps.most_common(1)[0][1] > 1:
        yield f'serials={len(serials)} step={steps.most_common(1)[0][0]} times={steps.most_common(1)[0][1]} wanted=1'


# --- inside the store ---

@rule('store-integrity')
def store_integrity(history):
    for line in history.tables['integrity']:
        if line != 'ok':
            yield f'integrity_check="{line}" wanted="ok"'


@rule('issued-is-whole')
def issued_is_whole(history):
    """One certificate, one audit row and one outbox row for each issued request: all of T2, once."""
    audit = collections.Counter((row.issuer_id, row.object, row.detail) for row in history.tables['audit']
                                if row.action == 'issue')
    outbox = collections.Counter((row.issuer_id, row.request_id) for row in history.tables['outbox']
                                 if row.kind == 'issued')
    for key, row in history.requests.items():
        if row.disposition != 'issued':
            continue
        entry = history.certificates.get((row.issuer_id, int(row.serial or '0', 16)))
        held = bool(entry and entry.der and entry.status in GOOD_HANDS and entry.request_id == row.request_id)
        counts = (int(held), audit[(row.issuer_id, f'request {row.request_id}', row.serial)], outbox[key])
        if counts != (1, 1, 1):
            yield (f'ca={row.issuer_id} request={row.request_id} serial={row.serial} certificates={counts[0]} '
                   f'audit={counts[1]} outbox={counts[2]} wanted=1 each')


@rule('certificate-is-issued')
def certificate_is_issued(history):
    """The other way round: nothing is valid, told of or audited without its issued request."""
    def disposition(issuer, request):
        row = history.requests.get((issuer, request))
        return row.disposition if row else 'absent'
    for row in history.tables['certificate']:
        if row.status in GOOD_HANDS and disposition(row.issuer_id, row.request_id) != 'issued':
            yield (f'ca={row.issuer_id} serial={row.serial} status={row.status} request={row.request_id} '
                   f'disposition={disposition(row.issuer_id, row.request_id)} wanted=issued')
        if row.der and der.certificate(row.der).serial != serial_of(row):
            yield f'ca={row.issuer_id} serial={row.serial} der={hexed(der.certificate(row.der).serial)}'
    told = [(row.issuer_id, row.request_id, 'outbox') for row in history.tables['outbox'] if row.kind == 'issued']
    told += [(row.issuer_id, int(row.object.split()[1]), 'audit') for row in history.tables['audit']
             if row.action == 'issue']
    for issuer, request, where in told:
        if disposition(issuer, request) != 'issued':
            yield f'ca={issuer} {where} request={request} disposition={disposition(issuer, request)} wanted=issued'


@rule('reserved-can-be-finished')
def reserved_can_be_finished(history):
    """T1 without T2: whatever is sealing has all that sealing needs, and a reservation belongs to somebody."""
    for row in history.requests.values():
        if row.disposition == 'sealing':
            entry = history.certificates.get((row.issuer_id, int(row.serial or '0', 16)))
            state = f'{entry.status} tbs={short(entry.tbs)}' if entry else 'absent'
            if not (entry and entry.status == 'reserved' and entry.tbs and row.reserved_at):
                yield f'ca={row.issuer_id} request={row.request_id} disposition=sealing certificate={state}'
    for row in history.tables['certificate']:
        owner = history.requests.get((row.issuer_id, row.request_id))
        if row.status == 'reserved' and not (owner and owner.disposition == 'sealing' and owner.serial == row.serial):
            yield (f'ca={row.issuer_id} serial={row.serial} status=reserved request={row.request_id} '
                   f'disposition={owner.disposition if owner else "absent"}')


@rule('sealing-comes-to-an-end', quiet=True)
def sealing_ends(history):
    """Each request that a client brought to its end, so nobody is being sealed any more."""
    if not history.held.answers:
        return
    for row in history.requests.values():
        if row.disposition == 'sealing':
            yield f'ca={row.issuer_id} request={row.request_id} disposition=sealing wanted=issued or failed'


@rule('audit-without-gap')
def audit_without_gap(history):
    ids = collections.defaultdict(list)
    for row in history.tables['audit']:
        ids[row.issuer_id].append(row.audit_id)
    counters = {row.issuer_id: row.value for row in history.tables['counter'] if row.name == 'audit'}
    for issuer in ids.keys() | counters.keys():
        found, last = sorted(ids[issuer]), counters.get(issuer, 0)
        if found != list(range(1, last + 1)):
            missing = sorted(set(range(1, last + 1)) - set(found))[:5]
            yield f'ca={issuer} rows={len(found)} counter={last} missing={missing}'


# --- CRLs ---

@rule('crl-number-once')
def crl_number_once(history):
    numbers, seen = collections.defaultdict(int), {}
    for record in history.records_later:
        if record.kind != journal.CRL:
            continue
        number = der.crl(record.der).number
        if number <= numbers[record.ca]:
            yield f'ca={record.ca} offset={record.offset} number={number} before={numbers[record.ca]}'
        numbers[record.ca], seen[(record.ca, number)] = max(number, numbers[record.ca]), record.der
    stored = [(row.issuer_id, row.number, row.der) for row in history.tables['crl'] if row.der]
    issuers = {der.crl(record.der).issuer: record.ca for record in history.sealed_crls}
    for held in history.held.crls:
        crl = der.crl(held.der)
        stored.append((issuers.get(crl.issuer), crl.number, held.der))
    for issuer, number, whole in stored:
        if seen.get((issuer, number)) != whole:
            yield f'ca={issuer} number={number} crl={short(whole)} journal={short(seen.get((issuer, number)))}'


@rule('crl-monotonic')
def crl_monotonic(history):
    last = {}
    for row in sorted(history.tables['crl'], key=lambda row: row.number):
        scope = row.issuer_id, row.crl_partition
        if row.this_update < last.get(scope, 0):
            yield f'ca={row.issuer_id} number={row.number} this_update={row.this_update} before={last[scope]}'
        last[scope] = row.this_update
    held = {}
    for entry in history.held.crls:                          # in the order in which a client fetched them
        crl = der.crl(entry.der)
        scope = crl.issuer, crl.idp
        if crl.number < held.get(scope, 0):
            yield f'held number={crl.number} after={held[scope]}'
        held[scope] = max(crl.number, held.get(scope, 0))


@rule('crl-file-is-the-last', quiet=True)
def crl_file(history):
    for (issuer, partition), row in history.last_crl.items():
        published = history.crl_files.get(f'{issuer}-{partition}' if partition else issuer)
        if published != row.der:
            number = der.crl(published).number if published else 'absent'
            yield f'ca={issuer} file={number} store={row.number}'


@rule('revoked-is-in-the-crl', quiet=True)
def revoked_is_in_crl(history):
    for (issuer, partition), row in history.last_crl.items():
        crl = der.crl(row.der)
        wanted = {serial: (entry.revoked_at, entry.reason) for (ca, serial), entry in history.certificates.items()
                  if ca == issuer and entry.status == 'revoked' and (entry.crl_partition or 0) == partition}
        for serial in sorted(wanted.keys() | crl.entries.keys()):
            entry = history.certificates.get((issuer, serial))
            expired = entry is not None and entry.not_after < crl.this_update
            if crl.entries.get(serial) != wanted.get(serial) and not expired:
                yield (f'ca={issuer} serial={hexed(serial)} status={entry.status if entry else "absent"} '
                       f'store={wanted.get(serial)} crl={crl.entries.get(serial)} number={row.number}')


@rule('acknowledged-revocation')
def acknowledged_revocation(history):
    listed = {scope: der.crl(row.der).entries for scope, row in history.last_crl.items() if row.der}
    for held in history.held.revoked:
        row = history.certificates.get((held.ca, int(held.serial, 16)))
        status = row.status if row else 'absent'
        scope = held.ca, row.crl_partition or 0 if row else 0
        present = int(held.serial, 16) in listed.get(scope, {})
        if status != 'revoked' or not present:
            yield f'ca={held.ca} serial={held.serial} acknowledged=revoked store={status} crl={"yes" if present else "no"}'


# --- the log ---

@rule('log-is-true')
def log_is_true(history):
    """What the log says was issued is in the store; and no sanitizer spoke."""
    for line in history.log.split('\n'):
        if any(word in line for word in ('AddressSanitizer', 'LeakSanitizer', 'runtime error:')):
            yield f'log="{line.strip()[:160]}" wanted=none'
        if ' ca ' not in line or ' request issued ' not in line:
            continue
        fields = dict(word.split('=', 1) for word in line.split() if '=' in word)
        row = history.by_serial.get(int(fields['serial'], 16))
        if not row or row.status not in GOOD_HANDS or row.request_id != int(fields['request']):
            state = f'{row.status} request={row.request_id}' if row else 'absent'
            yield f'log=issued serial={fields["serial"]} request={fields["request"]} store={state}'
