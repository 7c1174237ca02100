/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the envelope once it is decrypted, of every messageType, and what a captured ca could answer: content_run with
   the two of them, and how the decryption went, chosen by the input. Two octets say which, then comes the content behind two
   octets of length, then ca's answer; none means that ca does as it should. */
#include "fuzz/site.h"

#include "fuzz/target.h"
#include "tests/support/content_run.h"
#include "x509/csr.h"

enum { BADLY_DECRYPTED = 1, SIGNER_IS_REQUESTER = 2, SIGNER_IS_ENROLLED = 4, CA_REFUSES = 8 };

static const enum scep_type types[] = { SCEP_PKCS_REQ, SCEP_RENEWAL_REQ, SCEP_CERT_POLL,
                                        SCEP_GET_CERT, SCEP_GET_CRL,     SCEP_CERT_REP };
static const enum err refusals[] = { ERR_CHALLENGE_WRONG, ERR_BAD_MESSAGE_CHECK, ERR_BUSY, ERR_DENIED };

/* The signer's certificate and key: of the CSR, when the input says so and it can be read. */
static void signer_make(const struct fuzz_site *site, uint8_t flags, struct bytes content,
                        struct transaction *tx)
{
    struct why why;
    struct csr csr;
    const struct buf *der = flags & SIGNER_IS_ENROLLED ? &site->enrolled_der : &site->device_der;
    PROMISE(cert_parse(buf_bytes(der), &tx->signer, &why) == OK);
    tx->message.cms.signer_cert = buf_bytes(der);
    if (flags & SIGNER_IS_REQUESTER && csr_parse(content, &csr, &why) == OK)
        tx->signer.spki = csr.spki;
}

static void run(struct fuzz_site *site, enum scep_type type, uint8_t flags, struct bytes content)
{
    struct transaction tx = { .scep = site->scep,
                              .endpoint = site->endpoint,
                              .peer = "192.0.2.7",
                              .type = type,
                              .good = flags & BADLY_DECRYPTED ? 0x00 : 0xFF,
                              .opened = true };
    AUTO_VAL(outcome) outcome = { .status = SCEP_FAILURE };
    struct why why = { 0 };
    tx.message.transaction_id = BYTES_LIT("transaction-1");
    tx.plain = buf_dup(content);
    signer_make(site, flags, buf_bytes(&tx.plain), &tx);
    enum err err = content_run(&tx, &outcome, &why);
    PROMISE(err == OK || why.text[0]);
    PROMISE(site->calls <= 1);
    /* No oracle: what did not decrypt is refused in the one way, and ca never hears of it. */
    if (flags & BADLY_DECRYPTED && type != SCEP_CERT_REP)
        PROMISE(err == ERR_BAD_MESSAGE_CHECK && site->calls == 0);
    if (err == OK) {
        PROMISE(site->calls == 1 && (outcome.status == SCEP_SUCCESS || outcome.status == SCEP_PENDING));
        PROMISE((outcome.status == SCEP_SUCCESS) == (outcome.payload.len > 0));
        PROMISE(outcome.payload.len == 0 || der_is_valid(buf_bytes(&outcome.payload)));
    }
    buf_wipe(&tx.plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_site *site = fuzz_site();
    if (len < 4)
        return 0;
    size_t content = (size_t)data[2] << 8 | data[3];
    if (content > len - 4)
        content = len - 4;
    fuzz_site_fresh(site);
    site->answer = bytes_of(data + 4 + content, len - 4 - content);
    site->has_answer = site->answer.len > 0;
    if (data[1] & CA_REFUSES)
        site->refusal = refusals[data[0] / 8 % 4];
    run(site, types[data[0] % 8 % 6], data[1], bytes_of(data + 4, content));
    return 0;
}
