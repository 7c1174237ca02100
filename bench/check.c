/* SPDX-License-Identifier: Apache-2.0 */
/* scep-load check: every answer opened as its device would, with nothing taken on trust. */
#include "bench/check.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/file.h"
#include "bench/parallel.h"
#include "bench/records.h"
#include "bench/scep_load.h"
#include "tests/support/pki_answer.h"
#include "x509/name.h"

#include <getopt.h>
#include <stdio.h>

#define CA_CERTS_MAX 8

struct check {
    struct checked checked;
    struct buf ca_storage[CA_CERTS_MAX];
    struct cert ca[CA_CERTS_MAX];
    struct public_key *ca_keys[CA_CERTS_MAX];
    size_t ca_count;
};

/* What an answer must fit: read out of the request itself. */
struct asked {
    struct cms_signed message;
    struct cert cert;
    struct bytes transaction_id;
    struct buf nonce;
};

static enum err asked_read(struct bytes message, struct asked *ret, struct why *why)
{
    struct der_item item;
    TRY(cms_signed_decode(message, &ret->message, why));
    TRY(cert_parse(ret->message.signer_cert, &ret->cert, why));
    if (!cms_signed_attribute(&ret->message, OID_SCEP_TRANSACTION_ID, &item))
        return fail(why, ERR_MALFORMED, "request without transactionID");
    ret->transaction_id = item.content;
    if (!cms_signed_attribute(&ret->message, OID_SCEP_SENDER_NONCE, &item))
        return fail(why, ERR_MALFORMED, "request without senderNonce");
    hex_append(&ret->nonce, item.content);
    return OK;
}

static enum err verify_issued(const struct check *check, const struct cert *cert, struct why *why)
{
    struct why last = { 0 };
    for (size_t i = 0; i < check->ca_count; i++) {
        if (name_equal(cert->issuer, check->ca[i].subject) &&
            cert_verify(cert, check->ca_keys[i], &last) == OK)
            return OK;
    }
    return fail(why, ERR_BAD_MESSAGE_CHECK, "verifies under none of %zu CA certificates: %s", check->ca_count,
                last.text);
}

/* The RA is who GetCACert named when the messages were made, or another certificate of this CA for signing. */
static enum err signer_check(const struct check *check, struct bytes signer, struct why *why)
{
    const struct work *work = check->checked.work;
    struct cert cert;
    for (size_t i = 0; i < work->cert_count; i++) {
        if (bytes_equal(signer, work->certs[i]))
            return OK;
    }
    TRY(cert_parse(signer, &cert, why));
    if (!(cert.key_usage & KU_DIGITAL_SIGNATURE))
        return fail(why, ERR_BAD_MESSAGE_CHECK, "the answer's signer may not sign");
    return verify_issued(check, &cert, why);
}

static enum err certificate_check(const struct check *check, const struct asked *asked, struct bytes der,
                                  struct why *why)
{
    struct cert cert;
    TRY(cert_parse(der, &cert, why));
    TRY(verify_issued(check, &cert, why));
    if (!bytes_equal(cert.spki, asked->cert.spki))
        return fail(why, ERR_BAD_MESSAGE_CHECK, "the certificate is for another key");
    if (!name_equal(cert.subject, asked->cert.subject))
        return fail(why, ERR_BAD_MESSAGE_CHECK, "the certificate has another subject");
    return OK;
}

static enum err answer_check(const struct check *check, const struct asked *asked, struct answer *answer,
                             struct bytes signer, struct why *why)
{
    struct bytes status = buf_bytes(&answer->pki_status);
    TRY(signer_check(check, signer, why));
    if (!bytes_equal(buf_bytes(&answer->transaction_id), asked->transaction_id))
        return fail(why, ERR_BAD_MESSAGE_CHECK, "transactionID is not the request's");
    if (!bytes_equal(buf_bytes(&answer->recipient_nonce), buf_bytes(&asked->nonce)))
        return fail(why, ERR_BAD_MESSAGE_CHECK, "recipientNonce is not the request's senderNonce");
    if (status.len != 1 || !strchr("023", status.data[0]) || !status.data[0])
        return fail(why, ERR_MALFORMED, "pkiStatus is none of 0, 2, 3");
    if (answer->certificates > 1)
        return fail(why, ERR_MALFORMED, "%zu certificates, one was asked for", answer->certificates);
    return answer->certificate.len ? certificate_check(check, asked, buf_bytes(&answer->certificate), why)
                                   : OK;
}

static enum err judge(const struct check *check, const struct attempt *attempt, struct verdict *ret,
                      struct why *why)
{
    const struct work_item *item = &check->checked.work->items[attempt->item];
    AUTO(key) key = prime_pool_key(&check->checked.work->pool, item->pair);
    AUTO_BUF signer = { 0 };
    struct asked asked = { 0 };
    struct answer answer = { 0 };
    enum err err = asked_read(item->message, &asked, why);
    if (err == OK)
        err = answer_open(attempt->body, key, &answer, &signer, why);
    if (err == OK)
        err = answer_check(check, &asked, &answer, buf_bytes(&signer), why);
    if (err == OK) {
        ret->status = (char)answer.pki_status.data[0];
        ret->fail_info = answer.fail_info.len ? (char)answer.fail_info.data[0] : '\0';
        ret->certificate = TAKE_BUF(answer.certificate);
    }
    answer_free(&answer);
    buf_free(&asked.nonce);
    cms_signed_free(&asked.message);
    return err;
}

static void check_one(void *arg, size_t index)
{
    const struct check *check = arg;
    const struct attempt *attempt = &check->checked.attempts[index];
    struct verdict *verdict = &check->checked.verdicts[index];
    struct why why = { 0 };
    if (attempt->status != 200)
        return;
    enum err err = judge(check, attempt, verdict, &why);
    if (err != OK)
        snprintf(verdict->problem, sizeof(verdict->problem), "message %lld: %s: %.200s",
                 (long long)attempt->item, err_row(err)->name, why.text);
}

static void read_attempts(struct checked *checked, struct bytes rest, const char *path)
{
    struct attempt attempt;
    while (attempt_next(&rest, &attempt)) {
        if (attempt.item < 0 || (size_t)attempt.item >= checked->work->count)
            die("%s: answers message %lld of %zu", path, (long long)attempt.item, checked->work->count);
        if ((checked->count & (checked->count + 1)) == 0) {
            size_t room = 2 * (checked->count + 1);
            checked->attempts = realloc(checked->attempts, room * sizeof(*checked->attempts));
            if (!checked->attempts)
                die("no memory for %zu answers", room);
        }
        checked->attempts[checked->count++] = attempt;
    }
}

static void read_ca(struct check *check, const char *path)
{
    struct why why;
    AUTO_BUF text = { 0 };
    if (path && file_read(path, LIMIT_TEXT_FILE_BYTES, &text, &why) != OK)
        die("%s", why.text);
    struct bytes rest = buf_bytes(&text);
    for (size_t i = 0; check->ca_count < CA_CERTS_MAX; i++) {
        struct buf *der = &check->ca_storage[check->ca_count];
        if (path ? !pem_decode(rest, "CERTIFICATE", der, &rest) : i >= check->checked.work->cert_count)
            break;
        if (!path)
            *der = buf_dup(check->checked.work->certs[i]);
        struct cert *cert = &check->ca[check->ca_count];
        if (cert_parse(buf_bytes(der), cert, &why) != OK ||
            public_key_parse(cert->spki, &check->ca_keys[check->ca_count], &why) != OK)
            die("--ca: %s", why.text);
        if (cert->is_ca)
            check->ca_count++;
        else
            public_key_free(TAKE(check->ca_keys[check->ca_count])), buf_free(der);
    }
    if (!check->ca_count)
        die("no certificate of a CA in %s", path ? path : "GetCACert");
}

static void check_free(struct check *check, struct buf *files, int count)
{
    for (size_t i = 0; i < check->checked.count; i++)
        buf_free(&check->checked.verdicts[i].certificate);
    for (size_t i = 0; i < CA_CERTS_MAX; i++) {
        buf_free(&check->ca_storage[i]);
        public_key_free(check->ca_keys[i]);
    }
    for (int i = 0; i < count; i++)
        buf_free(&files[i]);
    free(files);
    free(check->checked.attempts);
    free(check->checked.verdicts);
}

int check_main(int argc, char **argv)
{
    static const struct option names[] = { { "ca", 1, NULL, 'a' },
                                           { "certs-out", 1, NULL, 'o' },
                                           { NULL, 0, NULL, 0 } };
    const char *ca = NULL, *certs_out = NULL;
    struct work work;
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == '?')
            usage("unknown option");
        *(option == 'a' ? &ca : &certs_out) = optarg;
    }
    if (argc - optind < 2)
        usage("check needs FILE and ANSWERS");
    work_read(argv[optind], &work);
    struct check check = { .checked = { .work = &work } };
    int files_count = argc - optind - 1;
    struct buf *files = xcalloc((size_t)files_count, sizeof(*files));
    read_ca(&check, ca);
    for (int i = 0; i < files_count; i++) {
        files[i] = records_read(argv[optind + 1 + i]);
        read_attempts(&check.checked, buf_bytes(&files[i]), argv[optind + 1 + i]);
    }
    check.checked.verdicts = xcalloc(check.checked.count + 1, sizeof(struct verdict));
    parallel(check.checked.count, check_one, &check);
    int status = check_report(&check.checked, certs_out);
    check_free(&check, files, files_count);
    work_free(&work);
    return status;
}
