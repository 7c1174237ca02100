/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the envelope, by messageType: a CSR (RFC 8894 3.3.1), IssuerAndSubject (3.3.3),
   IssuerAndSerialNumber (3.3.4, 3.3.5). Each reads it, says what proves that the signer chose it, and asks
   ca. */
#include "base/fault.h"
#include "ipc/enroll.h"
#include "ipc/record.h"
#include "scep/transaction.h"
#include "x509/constant_time.h"
#include "x509/crl.h"
#include "x509/csr.h"
#include "x509/name.h"

/* Changing one cipher block spoils the next, and the IV controls only the first 16 octets of the content. An
   issuer name that reaches this far past them and still is our CA's was known to whoever wrote the message.
 */
#define ISSUER_PROOF_BYTES 20

/* One verdict for everything that can be wrong with an envelope's content, in one sentence of one length, made in
   one time; the reason is for the log. */
static enum err unreadable(const struct transaction *tx, const struct why *reason, struct why *why)
{
    static const char words[2][6] = { "wrong", "right" };
    return fail(why, ERR_BAD_MESSAGE_CHECK,
                "%s for RA generation %d cannot be read: key, length and padding are %s; content: %s",
                scep_type_name(tx->type), tx->endpoint->ra->encryption[tx->envelope.recipient].generation,
                words[tx->good & 1], reason->text);
}

/* Without a branch on either: which of them it was is what an attacker wants to know. */
static bool is_readable(const struct transaction *tx, enum err read)
{
    return tx->good & ct_equal(read, OK);
}

/* --- certificates and CRLs for the device --- */

static void note_certificate(const struct cert *cert, struct buf *note)
{
    buf_append_str(note, "serial=");
    serial_append_text(note, cert->serial);
    buf_append_str(note, " subject=\"");
    name_append_text(note, cert->subject);
    buf_append_str(note, "\"");
}

/* Apple takes the first certificate for the device's, so the leaf is first, and alone unless the endpoint
   says otherwise (spec interop.md). */
static enum err certificate_pack(const struct endpoint *endpoint, struct bytes leaf, struct buf *ret,
                                 struct why *why)
{
    struct bytes certs[3] = { leaf };
    size_t count = 1;
    if (endpoint->certrep != CERTREP_LEAF)
        certs[count++] = buf_bytes(&endpoint->issuer.der);
    if (endpoint->certrep == CERTREP_CHAIN)
        certs[count++] = buf_bytes(&endpoint->root.der);
    return cms_certs_encode(certs, count, ret, why);
}

/* ca is trusted to issue, not to be free of bugs: a device never gets a certificate for another key than
 * `spki`. */
static enum err issued(const struct endpoint *endpoint, struct bytes der, struct bytes spki,
                       struct outcome *ret, struct why *why)
{
    struct cert leaf;
    struct why because = { 0 };
    if (cert_parse(der, &leaf, &because) != OK)
        return fail(why, ERR_PROTOCOL, "ca answered no certificate: %s", because.text);
    if (!bytes_equal(leaf.issuer, endpoint->issuer.cert.subject))
        return fail(why, ERR_PROTOCOL, "ca answered a certificate of another issuer than endpoint %s has",
                    endpoint->name);
    if (!FAULT(answered_key) && spki.len && !bytes_equal(leaf.spki, spki))
        return fail(why, ERR_PROTOCOL, "ca answered a certificate for another key than the request's");
    TRY(certificate_pack(endpoint, der, &ret->payload, why));
    note_certificate(&leaf, &ret->note);
    ret->status = SCEP_SUCCESS;
    return OK;
}

static enum err enrolment_answer(const struct endpoint *endpoint, struct bytes body, struct bytes spki,
                                 struct outcome *ret, struct why *why)
{
    struct enroll_answer answer;
    struct why because = { 0 };
    if (enroll_answer_get(body, &answer, &because) != OK)
        return fail(why, ERR_PROTOCOL, "answer of ca: %s", because.text);
    if (answer.disposition == ENROLL_ISSUED)
        return issued(endpoint, answer.certificate, spki, ret, why);
    buf_printf(&ret->note, "request=%lld", (long long)answer.request_id);
    ret->status = SCEP_PENDING;
    return OK;
}

/* --- PKCSReq, RenewalReq --- */

static enum err csr_read(const struct transaction *tx, struct csr *ret, struct why *why)
{
    if (tx->plain.len > LIMIT_CSR_BYTES)
        return fail(why, ERR_LIMIT, "CSR of %zu bytes, limit %d", tx->plain.len, LIMIT_CSR_BYTES);
    return csr_parse(buf_bytes(&tx->plain), ret, why);
}

/* With the CSR's own key the signer has proved that it made the CSR. Otherwise it is a renewal, which ca
   judges; that is only open to who already has a certificate of this CA, whatever the messageType says (spec
   scep.md). */
static enum err requester_check(struct transaction *tx, const struct csr *csr, struct why *why)
{
    if (bytes_equal(csr->spki, tx->signer.spki)) {
        tx->proved = true;
        return OK;
    }
    struct why because = { 0 };
    if (!bytes_equal(tx->signer.issuer, tx->endpoint->issuer.cert.subject) ||
        (!FAULT(renewal_signer) && cert_verify(&tx->signer, tx->endpoint->issuer_key, &because) != OK))
        return fail(
            why, ERR_BAD_MESSAGE_CHECK,
            "CSR key is not the signer's, and the signer's certificate is not of the CA of endpoint %s",
            tx->endpoint->name);
    return OK;
}

static enum err request_ask(struct transaction *tx, struct buf *ret_body, struct why *why)
{
    struct csr csr;
    struct why reason = { 0 };
    enum err read = csr_read(tx, &csr, &reason);
    if (!is_readable(tx, read))
        return unreadable(tx, &reason, why);
    tx->subject = csr.subject;
    tx->spki = csr.spki;
    TRY(requester_check(tx, &csr, why));
    struct enroll_request request = {
        .endpoint = bytes_str(tx->endpoint->name),
        .csr = csr.der,
        .transaction_id = tx->message.transaction_id,
        .signer_cert = tx->message.cms.signer_cert,
        .peer = bytes_str(tx->peer),
    };
    enroll_request_put(ret_body, &request);
    return OK;
}

/* ca judges key and signature before anything else. Whoever alters a captured envelope cannot keep its CSR's signature, so
   another refusal (of a renewal, say) is none that an attacker learns from: it is not counted against the address. */
static void request_judged(struct transaction *tx, enum err err)
{
    tx->intact =
        err != ERR_BAD_MESSAGE_CHECK && err != ERR_MALFORMED && err != ERR_WEAK_KEY && err != ERR_BAD_ALG;
}

static enum err enrolment_answered(struct transaction *tx, struct bytes answer, struct outcome *ret,
                                   struct why *why)
{
    return enrolment_answer(tx->endpoint, answer, tx->spki, ret, why);
}

/* --- CertPoll --- */

static enum err issuer_and_subject_read(struct bytes der, struct bytes *ret_issuer, struct bytes *ret_subject,
                                        struct why *why)
{
    struct der_reader in = der_reader_over(der), pair;
    struct bytes issuer, subject;
    if (!der_get_sequence(&in, &pair) || !der_at_end(&in) || !der_get_whole(&pair, DER_SEQUENCE, &issuer) ||
        !der_get_whole(&pair, DER_SEQUENCE, &subject) || !der_at_end(&pair))
        return fail(why, ERR_MALFORMED, "no IssuerAndSubject (RFC 8894 3.3.3)");
    TRY(name_check(issuer, why));
    TRY(name_check(subject, why));
    *ret_issuer = issuer;
    *ret_subject = subject;
    return OK;
}

/* RFC 8894 3.3.3 wants the CA's name. Clients put in what they take for it: the issuer of the CA's own certificate, or the
   subject of an RA certificate that GetCACert gave them (strongSwan's pki). */
static bool names_what_we_give(const struct endpoint *endpoint, struct bytes issuer)
{
    return name_equal(issuer, endpoint->issuer.cert.issuer) || ra_set_has_subject(endpoint->ra, issuer);
}

/* `loosely`: of a poll, whose request is found by its transactionID and signer alone, whatever issuer it names. */
static enum err issuer_check(struct transaction *tx, struct bytes issuer, bool loosely, struct why *why)
{
    const struct cert *ca = &tx->endpoint->issuer.cert;
    if (!name_equal(issuer, ca->subject) && !(loosely && names_what_we_give(tx->endpoint, issuer))) {
        AUTO_BUF wanted = { 0 }, found = { 0 };
        name_append_text(&wanted, ca->subject);
        name_append_text(&found, issuer);
        return fail(why, ERR_BAD_CERT_ID, "%s names issuer \"%s\", endpoint %s has \"%s\"",
                    scep_type_name(tx->type), buf_text(&found), tx->endpoint->name, buf_text(&wanted));
    }
    tx->proved = issuer.len >= ISSUER_PROOF_BYTES;
    return OK;
}

static enum err poll_ask(struct transaction *tx, struct buf *ret_body, struct why *why)
{
    struct bytes issuer, subject;
    struct why reason = { 0 };
    enum err read = issuer_and_subject_read(buf_bytes(&tx->plain), &issuer, &subject, &reason);
    if (!is_readable(tx, read))
        return unreadable(tx, &reason, why);
    TRY(issuer_check(tx, issuer, true, why));
    struct enroll_poll poll = {
        .endpoint = bytes_str(tx->endpoint->name),
        .transaction_id = tx->message.transaction_id,
        .issuer = issuer,
        .subject = subject,
        .signer_cert = tx->message.cms.signer_cert,
    };
    enroll_poll_put(ret_body, &poll);
    return OK;
}

/* --- GetCert, GetCRL --- */

static enum err issuer_and_serial_read(struct bytes der, struct bytes *ret_issuer, struct bytes *ret_serial,
                                       struct why *why)
{
    struct der_reader in = der_reader_over(der), pair;
    struct bytes issuer, serial;
    if (!der_get_sequence(&in, &pair) || !der_at_end(&in) || !der_get_whole(&pair, DER_SEQUENCE, &issuer) ||
        !der_get_unsigned_bytes(&pair, &serial) || !der_at_end(&pair))
        return fail(why, ERR_MALFORMED, "no IssuerAndSerialNumber (RFC 8894 3.3.4)");
    if (serial.len > LIMIT_SERIAL_BYTES_MAX)
        return fail(why, ERR_MALFORMED, "serial of %zu octets, limit %d (RFC 5280 4.1.2.2)", serial.len,
                    LIMIT_SERIAL_BYTES_MAX);
    TRY(name_check(issuer, why));
    *ret_issuer = issuer;
    *ret_serial = serial;
    return OK;
}

/* Certificates and CRLs are public: whoever can name our CA may ask. The answer of ca is an OCTET STRING. */
static enum err query_ask(struct transaction *tx, struct buf *ret_body, struct why *why)
{
    struct bytes issuer, serial;
    struct why reason = { 0 };
    enum err read = issuer_and_serial_read(buf_bytes(&tx->plain), &issuer, &serial, &reason);
    if (!is_readable(tx, read))
        return unreadable(tx, &reason, why);
    TRY(issuer_check(tx, issuer, false, why));
    AUTO_BUF text = { 0 };
    serial_append_text(&text, serial);
    size_t mark = record_begin(ret_body);
    record_put_str(ret_body, "endpoint", tx->endpoint->name);
    record_put(ret_body, "serial", buf_bytes(&text));
    record_end(ret_body, mark);
    return OK;
}

static enum err query_answer(struct bytes answer, const char *verb, struct bytes *ret_der, struct why *why)
{
    struct der_reader in = der_reader_over(answer);
    if (!der_get_octets(&in, ret_der) || !der_at_end(&in))
        return fail(why, ERR_PROTOCOL, "ca answered %s with something else than an OCTET STRING", verb);
    return OK;
}

static enum err get_cert_answered(struct transaction *tx, struct bytes answer, struct outcome *ret,
                                  struct why *why)
{
    struct bytes der = BYTES_NONE;
    TRY(query_answer(answer, "get_cert", &der, why));
    return issued(tx->endpoint, der, BYTES_NONE, ret, why);
}

static enum err get_crl_answered(struct transaction *tx, struct bytes answer, struct outcome *ret,
                                 struct why *why)
{
    struct bytes der = BYTES_NONE;
    struct crl crl;
    struct why because = { 0 };
    (void)tx;
    TRY(query_answer(answer, "get_crl", &der, why));
    if (crl_parse(der, &crl, &because) != OK)
        return fail(why, ERR_PROTOCOL, "ca answered no CRL: %s", because.text);
    TRY(cms_crl_encode(der, &ret->payload, why));
    buf_printf(&ret->note, "crl_number=%lld", (long long)crl.number);
    ret->status = SCEP_SUCCESS;
    return OK;
}

/* --- by messageType --- */

static const struct content {
    enum scep_type type;
    const char *verb;
    enum err (*ask)(struct transaction *tx, struct buf *ret_body, struct why *why);
    enum err (*answered)(struct transaction *tx, struct bytes answer, struct outcome *ret, struct why *why);
    void (*judged)(struct transaction *tx, enum err err); /* NULL: nothing to learn from it */
} contents[] = {
    { SCEP_PKCS_REQ, "request", request_ask, enrolment_answered, request_judged },
    { SCEP_RENEWAL_REQ, "request", request_ask, enrolment_answered, request_judged },
    { SCEP_CERT_POLL, "poll", poll_ask, enrolment_answered, NULL },
    { SCEP_GET_CERT, "get_cert", query_ask, get_cert_answered, NULL },
    { SCEP_GET_CRL, "get_crl", query_ask, get_crl_answered, NULL },
};

static const struct content *content_of(enum scep_type type)
{
    for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++) {
        if (contents[i].type == type)
            return &contents[i];
    }
    return NULL;
}

enum err content_ask(struct transaction *tx, const char **ret_verb, struct buf *ret_body, struct why *why)
{
    const struct content *content = content_of(tx->type);
    if (!content)
        return fail(why, ERR_BAD_REQUEST, "messageType %d is not for a server", tx->type);
    *ret_verb = content->verb;
    return content->ask(tx, ret_body, why);
}

enum err content_answered(struct transaction *tx, enum err err, struct bytes answer, struct outcome *ret,
                          struct why *why)
{
    const struct content *content = content_of(tx->type);
    if (content->judged)
        content->judged(tx, err);
    return err == OK ? content->answered(tx, answer, ret, why) : err;
}
