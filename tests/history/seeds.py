# SPDX-License-Identifier: Apache-2.0
"""Faults put into a copy of what a good run left, each with the invariant that has to find it. A rule without a seed fails."""
import base64
import json
import os
import sqlite3

import der
import journal

SEEDS = []


def seed(rule):
    def keep(function):
        SEEDS.append((rule, function))
        return function
    return keep


class Copy:
    """The run's remains: site, held, log; and what the seeds aim at."""

    def __init__(self, folder):
        self.site, self.held, self.log = (os.path.join(folder, name) for name in ('s', 'held.jsonl', 'daemon.log'))
        self.store, self.journal = (os.path.join(self.site, 'lib', name) for name in ('ca/store.db', 'signer/journal'))

    def sql(self, *statements):
        database = sqlite3.connect(self.store)
        for statement in statements:
            if database.execute(statement).rowcount == 0:
                raise AssertionError(f'seed changes nothing: {statement}')
        database.commit()
        database.execute('PRAGMA wal_checkpoint(TRUNCATE)')
        database.close()

    def one(self, query):
        database = sqlite3.connect(self.store)
        row = database.execute(query).fetchone()
        database.close()
        return row

    def records(self):
        with open(self.journal, 'rb') as file:
            return journal.read(file.read())[0]

    def journal_write(self, records):
        with open(self.journal, 'wb') as file:
            file.write(journal.write(records))

    def octet_change(self, path, at):
        with open(path, 'r+b') as file:
            file.seek(at)
            octet = file.read(1)[0]
            file.seek(at)
            file.write(bytes([octet ^ 1]))

    def entries(self):
        with open(self.held, encoding='ascii') as file:
            return [json.loads(line) for line in file]

    def held_write(self, entries):
        with open(self.held, 'w', encoding='ascii') as file:
            file.writelines(json.dumps(entry) + '\n' for entry in entries)

    def held_add(self, **entry):
        self.held_write(self.entries() + [entry])

    def answer(self):
        return next(entry for entry in self.entries() if entry['kind'] == 'answer' and entry['certificate'])


def forged(der_bytes):
    """Another certificate: the same with another signature's last octet."""
    return der_bytes[:-1] + bytes([der_bytes[-1] ^ 1])


LAST = "(SELECT max(request_id) FROM request WHERE disposition = 'issued')"
LAST_SERIAL = f'(SELECT serial FROM request WHERE request_id = {LAST})'


@seed('held-is-known')
def a_held_certificate_that_nobody_issued(copy):
    answer = copy.answer()
    answer.update(request='stranger', challenge=None,
                  certificate=base64.b64encode(forged(base64.b64decode(answer['certificate']))).decode())
    copy.held_write(copy.entries() + [answer])


@seed('held-is-known')
def a_held_certificate_that_is_void(copy):
    serial = hex(der.certificate(base64.b64decode(copy.answer()['certificate'])).serial)[2:].upper()
    copy.sql(f"UPDATE certificate SET status = 'void', der = NULL WHERE serial LIKE '%{serial}'")


@seed('held-is-known')
def a_held_certificate_that_the_journal_lost(copy):
    wanted = base64.b64decode(copy.answer()['certificate'])
    copy.journal_write([record for record in copy.records() if record.der != wanted])


@seed('same-answer')
def a_retry_with_another_certificate(copy):
    first, others = copy.answer(), [e for e in copy.entries() if e['kind'] == 'answer' and e['certificate']]
    copy.held_add(**{**first, 'certificate': others[-1]['certificate']})


@seed('nothing-taken-back')
def a_retry_that_is_refused(copy):
    copy.held_add(**{**copy.answer(), 'status': '2', 'certificate': None})


@seed('everybody-answered')
def somebody_without_an_answer(copy):
    copy.held_add(kind='answer', request='lost', http=503, status=None, challenge=None, certificate=None)


@seed('one-challenge-one-certificate')
def two_certificates_for_one_challenge(copy):
    answers = [e for e in copy.entries() if e['kind'] == 'answer' and e['certificate']]
    copy.held_add(**{**answers[-1], 'challenge': answers[0]['challenge'], 'request': 'thief'})


@seed('one-challenge-one-certificate')
def two_challenges_for_one_request(copy):
    copy.sql("INSERT INTO challenge (issuer_id, endpoint, mac, node_id, created_at, created_by, expires_at, claimed_by) "
             "SELECT issuer_id, endpoint, x'00', node_id, created_at, created_by, expires_at, claimed_by FROM challenge "
             "WHERE claimed_by IS NOT NULL LIMIT 1")


@seed('one-challenge-one-certificate')
def a_challenge_of_a_failed_request(copy):
    copy.sql("UPDATE challenge SET claimed_by = 99999 WHERE rowid = (SELECT min(rowid) FROM challenge)")


@seed('challenge-is-taken')
def a_challenge_that_was_given_back(copy):
    copy.sql('UPDATE challenge SET claimed_by = NULL WHERE claimed_by IS NOT NULL')


@seed('acknowledged-challenge')
def a_challenge_that_is_gone(copy):
    copy.sql('DELETE FROM challenge WHERE rowid = (SELECT max(rowid) FROM challenge)')


@seed('journal-sound')
def an_octet_of_the_journal(copy):
    copy.octet_change(copy.journal, os.path.getsize(copy.journal) // 2)


@seed('journal-sound')
def a_length_in_the_journal(copy):
    copy.octet_change(copy.journal, copy.records()[3].offset + 3)


@seed('journal-sound')
def a_record_left_out_of_the_file(copy):
    records = copy.records()
    with open(copy.journal, 'rb') as file:
        data = file.read()
    with open(copy.journal, 'wb') as file:
        file.write(data[:records[4].offset] + data[records[5].offset:])


@seed('journal-says-what-it-holds')
def a_record_under_another_serial(copy):
    records = copy.records()
    copy.journal_write([records[0]._replace(id=b'\x55' * 19)] + records[1:])


@seed('time-form')
def a_time_of_this_century_in_the_other_form(copy):
    records = copy.records()
    old = next(item for item in der.items(der.items(der.one(records[0].der).value)[0].value) if item.tag == der.SEQUENCE and
               der.items(item.value)[0].tag == der.UTC_TIME)
    start, end = der.items(old.value)
    new = der.put(der.SEQUENCE, der.put(der.GENERALIZED_TIME, b'20' + start.value) + end.whole)
    tbs, algorithm, signature = der.items(der.one(records[0].der).value)
    tbs = der.put(der.SEQUENCE, tbs.value.replace(old.whole, new))
    copy.journal_write([records[0]._replace(der=der.put(der.SEQUENCE, tbs + algorithm.whole + signature.whole))] + records[1:])


@seed('journal-clock')
def a_record_of_last_year(copy):
    records = copy.records()
    copy.journal_write(records[:-1] + [records[-1]._replace(time=records[-1].time - 31536000)])


@seed('sealed-is-stored')
def a_sealed_certificate_without_row(copy):
    copy.sql(f'DELETE FROM certificate WHERE serial = {LAST_SERIAL}')


@seed('sealed-is-stored')
def a_reservation_for_another_tbs(copy):
    copy.sql(f"UPDATE request SET disposition = 'sealing' WHERE request_id = {LAST}",
             "UPDATE certificate SET status = 'reserved', tbs = x'3000', der = NULL WHERE request_id = "
             "(SELECT max(request_id) FROM request)")


@seed('stored-is-sealed')
def a_row_that_was_never_sealed(copy):
    records = copy.records()
    last = [record for record in records if record.kind == journal.CERTIFICATE][-1]
    copy.journal_write([record for record in records if record is not last])


@seed('serial-once')
def a_serial_sealed_twice(copy):
    records = copy.records()
    copy.journal_write(records + [next(r for r in records if r.kind == journal.CERTIFICATE)])


@seed('serial-once')
def a_serial_of_two_issuers(copy):
    names = copy.one("SELECT group_concat(name) FROM pragma_table_info('certificate')")[0]
    values = names.replace('issuer_id', "'other'")
    copy.sql(f'INSERT INTO certificate ({names}) SELECT {values} FROM certificate WHERE serial = {LAST_SERIAL}')


@seed('serial-form')
def a_serial_that_is_too_long(copy):
    copy.sql(f"UPDATE certificate SET serial = '{'F' * 40}' WHERE serial = {LAST_SERIAL}")


@seed('serial-form')
def serials_that_count(copy):
    copy.sql("UPDATE certificate SET serial = printf('7A%036X', rowid)")


@seed('store-integrity')
def an_index_that_lacks_a_row(copy):
    page = copy.one("SELECT rootpage FROM sqlite_schema WHERE name = 'certificate_by_request'")[0]
    size = copy.one('PRAGMA page_size')[0]
    copy.sql(f"UPDATE audit SET detail = detail WHERE audit_id = 1")       # moves the log into the file
    with open(copy.store, 'r+b') as file:
        file.seek((page - 1) * size + 3)                                   # cells of this b-tree page, one fewer
        cells = int.from_bytes(file.read(2), 'big')
        file.seek((page - 1) * size + 3)
        file.write((cells - 1).to_bytes(2, 'big'))


@seed('issued-is-whole')
def an_issue_without_audit(copy):
    copy.sql(f"DELETE FROM audit WHERE action = 'issue' AND object = 'request ' || {LAST}")


@seed('issued-is-whole')
def an_issue_audited_twice(copy):
    copy.sql(f"INSERT INTO audit SELECT issuer_id, 1 + (SELECT max(audit_id) FROM audit), node_id, happened_at, actor, action, "
             f"object, detail FROM audit WHERE action = 'issue' AND object = 'request ' || {LAST}")


@seed('issued-is-whole')
def an_issue_without_outbox(copy):
    copy.sql(f'DELETE FROM outbox WHERE request_id = {LAST}')


@seed('certificate-is-issued')
def a_certificate_that_is_none(copy):
    copy.sql(f"UPDATE certificate SET der = x'3003020101' WHERE serial = {LAST_SERIAL}")


@seed('certificate-is-issued')
def a_certificate_of_a_failed_request(copy):
    copy.sql(f"UPDATE request SET disposition = 'failed' WHERE request_id = {LAST}")


@seed('certificate-is-issued')
def a_row_with_the_certificate_of_another(copy):
    copy.sql(f"UPDATE certificate SET der = (SELECT der FROM certificate WHERE request_id = 1) WHERE serial = {LAST_SERIAL}")


@seed('reserved-can-be-finished')
def a_reservation_without_tbs(copy):
    copy.sql(f"UPDATE request SET disposition = 'sealing' WHERE request_id = {LAST}",
             f"UPDATE certificate SET status = 'reserved', tbs = NULL, der = NULL WHERE serial = {LAST_SERIAL}")


@seed('reserved-can-be-finished')
def a_reservation_without_owner(copy):
    copy.sql(f"UPDATE certificate SET status = 'reserved' WHERE serial = {LAST_SERIAL}")


@seed('sealing-comes-to-an-end')
def a_request_still_being_sealed(copy):
    copy.sql(f"UPDATE request SET disposition = 'sealing' WHERE request_id = {LAST}")


@seed('audit-without-gap')
def an_audit_row_taken_out(copy):
    copy.sql('DELETE FROM audit WHERE audit_id = 7')


@seed('audit-without-gap')
def the_last_audit_row_taken_out(copy):
    copy.sql("DELETE FROM audit WHERE issuer_id = 'issuing' AND audit_id = (SELECT max(audit_id) FROM audit)")


@seed('crl-number-once')
def a_crl_number_used_twice(copy):
    records = copy.records()
    copy.journal_write(records + [[r for r in records if r.kind == journal.CRL and r.ca == 'issuing'][-1]])


@seed('crl-number-once')
def a_held_crl_that_was_not_sealed(copy):
    entry = next(e for e in copy.entries() if e['kind'] == 'crl')
    copy.held_add(kind='crl', der=base64.b64encode(forged(base64.b64decode(entry['der']))).decode())


@seed('crl-monotonic')
def an_older_crl_after_a_newer(copy):
    crls = [entry for entry in copy.entries() if entry['kind'] == 'crl']
    copy.held_write(copy.entries() + [crls[0]])


@seed('crl-monotonic')
def a_later_crl_of_an_earlier_time(copy):
    copy.sql("UPDATE crl SET this_update = this_update - 86400 WHERE issuer_id = 'issuing' AND "
             "number = (SELECT max(number) FROM crl)")


@seed('crl-file-is-the-last')
def a_crl_file_that_is_behind(copy):
    first = next(e for e in copy.entries() if e['kind'] == 'crl')
    path = os.path.join(copy.site, 'lib/ca/crl/issuing.crl')
    os.chmod(path, 0o644)
    with open(path, 'wb') as file:
        file.write(base64.b64decode(first['der']))


@seed('crl-file-is-the-last')
def a_crl_file_that_is_gone(copy):
    os.unlink(os.path.join(copy.site, 'lib/ca/crl/issuing.crl'))


@seed('revoked-is-in-the-crl')
def a_revocation_that_no_crl_has(copy):
    copy.sql(f"UPDATE certificate SET status = 'revoked', revoked_at = 1, reason = 1 WHERE serial = {LAST_SERIAL}")


@seed('revoked-is-in-the-crl')
def a_revoked_one_that_is_good_again(copy):
    copy.sql("UPDATE certificate SET status = 'valid' WHERE status = 'revoked'")


@seed('revoked-is-in-the-crl')
def another_reason_than_the_crl_says(copy):
    copy.sql("UPDATE certificate SET reason = 5 WHERE status = 'revoked'")


@seed('acknowledged-revocation')
def an_acknowledged_revocation_that_is_lost(copy):
    copy.held_add(kind='revoked', ca='issuing', serial=copy.one(f'SELECT {LAST_SERIAL}')[0])


@seed('log-is-true')
def an_issue_that_only_the_log_knows(copy):
    with open(copy.log, 'a', encoding='ascii') as file:
        file.write('2026-11-21T04:19:31Z info ca tx=6 peer=127.0.0.1 request issued request=5 serial=AB12 endpoint=default\n')


@seed('log-is-true')
def a_sanitizer_that_spoke(copy):
    with open(copy.log, 'a', encoding='ascii') as file:
        file.write('../ca/x.c:1:2: runtime error: signed integer overflow\n')
