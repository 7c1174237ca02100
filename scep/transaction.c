/* SPDX-License-Identifier: Apache-2.0 */
/* One PKIOperation in order: what is cheap first, one RSA decryption, one call to ca, one RSA signature.

   A stranger can re-wrap an envelope that he captured, change it, and watch the answers (spec security.md B1,
   B2). So until the signer is known to have chosen the content itself (transaction.proved), there is one
   refusal, the same in bytes and time, whatever was wrong: padding, length, key, content, CSR, name, or what
   ca said of it. */
#include "scep/transaction.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/wake.h"
#include "scep/plugin_log.h"
#include "x509/name.h"
#include <stdio.h>

void pki_answer_free(struct pki_answer *answer)
{
    buf_free(&answer->message);
}

void outcome_free(struct outcome *outcome)
{
    buf_free(&outcome->payload);
    buf_free(&outcome->note);
}

void transaction_free(struct transaction *tx)
{
    scep_message_free(&tx->message);
    public_key_free(tx->signer_key);
    cms_enveloped_free(&tx->envelope);
    buf_wipe(&tx->plain);
    if (tx->budgeted)
        budget_end(tx->scep->budget, tx->peer);
}

/* --- the stages --- */

/* D6: a signature check costs a fifteenth of a decryption, so it comes first and strangers' noise ends here.
 */
static enum err signer_verify(struct transaction *tx, struct why *why)
{
    tx->signer = tx->message.cms.signer;
    TRY(public_key_parse(tx->signer.spki, &tx->signer_key, why));
    return cms_signed_verify(&tx->message.cms, tx->signer_key, why);
}

static enum err digest_check(const struct transaction *tx, struct why *why)
{
    if (!FAULT(endpoint_digest) && !endpoint_allows_digest(tx->endpoint, tx->message.cms.digest))
        return fail(why, ERR_BAD_ALG,
                    "message is signed with %s, endpoint %s allows SHA-256, SHA-384, SHA-512%s",
                    digest_name(tx->message.cms.digest), tx->endpoint->name,
                    tx->endpoint->allow_sha1 ? ", SHA-1" : "");
    return OK;
}

/* The answer mirrors the request, so what cannot be mirrored is refused before anything is issued. */
static enum err mirror_check(const struct transaction *tx, struct why *why)
{
    const struct cms_enveloped *envelope = &tx->envelope;
    if (public_key_kind(tx->signer_key) != KEY_RSA)
        return fail(why, ERR_BAD_ALG, "signer's key is %s, the answer can only be sealed to RSA",
                    key_kind_name(public_key_kind(tx->signer_key)));
    if (envelope->transport != TRANSPORT_OAEP)
        return OK;
    size_t room = (size_t)public_key_bits(tx->signer_key) / 8;
    size_t need = 2 * digest_size(envelope->oaep.digest) + 2 + cipher_key_size(envelope->cipher);
    if (need > room)
        return fail(why, ERR_BAD_ALG, "OAEP with %s needs a key of %zu octets, signer's has %zu",
                    digest_name(envelope->oaep.digest), need, room);
    return OK;
}

/* OAEP may use SHA-1 everywhere: it is RFC 8017's default, which Windows sends, and does not rest on
 * collisions. */
static enum err envelope_read(struct transaction *tx, struct why *why)
{
    if (!tx->message.cms.has_content)
        return fail(why, ERR_BAD_REQUEST, "%s without content, an EnvelopedData is needed",
                    scep_type_name(tx->type));
    TRY(cms_enveloped_decode(tx->message.cms.content, tx->endpoint->ra->certs, tx->endpoint->ra->count,
                             &tx->envelope, why));
    if (!FAULT(endpoint_cipher) && !endpoint_allows_cipher(tx->endpoint, tx->envelope.cipher))
        return fail(why, ERR_BAD_ALG,
                    "content is encrypted with %s, endpoint %s allows AES-128-CBC, AES-256-CBC%s%s",
                    cipher_name(tx->envelope.cipher), tx->endpoint->name,
                    tx->endpoint->allow_3des ? ", 3DES" : "", tx->endpoint->allow_des ? ", DES" : "");
    return mirror_check(tx, why);
}

static enum err envelope_open(struct transaction *tx, struct why *why)
{
    tx->budgeted = budget_begin(tx->scep->budget, tx->peer, clock_mono_ms());
    if (!FAULT(decryption_budget) && !tx->budgeted)
        /* Before any decryption, so it says nothing of the content; and later, because this device may be innocent. */
        return fail(why, ERR_RATE, "this address, or all together, used up the budget of failed decryptions");
    const struct ra_key *recipient = &tx->endpoint->ra->encryption[tx->envelope.recipient];
    TRY(cms_enveloped_open(&tx->envelope, recipient->key, &tx->plain, &tx->good, why));
    tx->opened = true;
    return OK;
}

static enum err transaction_open(struct transaction *tx, const char **ret_verb, struct buf *ret_body,
                                 struct why *why)
{
    TRY(scep_message_check(&tx->message, &tx->type, why)); /* messageType: default is refusal      */
    TRY(signer_verify(tx, why));
    TRY(digest_check(tx, why));
    TRY(envelope_read(tx, why));                     /* exactly one recipient is ours        */
    TRY(envelope_open(tx, why));                     /* the one RSA decryption               */
    return content_ask(tx, ret_verb, ret_body, why); /* CSR, poll or query: for ca           */
}

/* --- the answer --- */

static struct scep_reply reply_to(const struct transaction *tx, enum scep_status status)
{
    enum digest digest = tx->message.cms.digest;
    return (struct scep_reply){
        .status = status,
        .transaction_id = tx->message.transaction_id,
        .has_recipient_nonce = tx->message.has_sender_nonce,
        .recipient_nonce = tx->message.sender_nonce,
        .digest = endpoint_allows_digest(tx->endpoint, digest) ? digest : DIGEST_SHA256,
    };
}

static enum err reply_sign(const struct transaction *tx, const struct scep_reply *reply, struct buf *ret,
                           struct why *why)
{
    const struct ra_set *ra = tx->endpoint->ra;
    const struct ra_key *signer =
        tx->envelope.cipher ? ra_set_signer_for(ra, tx->envelope.recipient, clock_now(tx->scep->clock))
                            : ra_set_signer(ra);
    return scep_reply_encode(reply, &signer->cert, signer->key, ret, why);
}

static enum err reply_make(const struct transaction *tx, const struct outcome *outcome, struct buf *ret,
                           struct why *why)
{
    struct scep_reply reply = reply_to(tx, outcome->status);
    AUTO_BUF envelope = { 0 };
    if (outcome->status == SCEP_SUCCESS) {
        struct cms_seal_params seal = { .recipient_cert = tx->message.cms.signer_cert,
                                        .recipient = &tx->signer,
                                        .recipient_key = tx->signer_key,
                                        .transport = tx->envelope.transport,
                                        .oaep = tx->envelope.oaep,
                                        .cipher = tx->envelope.cipher };
        TRY(cms_enveloped_seal(&seal, buf_bytes(&outcome->payload), &envelope, why));
        reply.envelope = buf_bytes(&envelope);
    }
    return reply_sign(tx, &reply, ret, why);
}

/* What was negotiated goes into every line, so each use of 3DES and SHA-1 is in the log. */
static void algorithms_append(const struct transaction *tx, struct buf *out)
{
    buf_printf(out, " digest=%s", digest_name(tx->message.cms.digest));
    if (tx->envelope.cipher)
        buf_printf(out, " cipher=%s transport=%s", cipher_name(tx->envelope.cipher),
                   tx->envelope.transport == TRANSPORT_OAEP ? "OAEP" : "PKCS1");
}

static void answer_granted(struct transaction *tx, struct outcome *outcome, struct pki_answer *ret)
{
    static const char *const words[] = { "answered", "issued", "pending" };
    struct scep_counters *counters = &tx->scep->counters;
    bool enrolment = tx->type != SCEP_GET_CERT && tx->type != SCEP_GET_CRL;
    int word = outcome->status == SCEP_PENDING ? 2 : enrolment ? 1 : 0;
    atomic_fetch_add(word == 2 ? &counters->pending : word == 1 ? &counters->issued : &counters->answered, 1);
    AUTO_BUF algorithms = { 0 };
    algorithms_append(tx, &algorithms);
    /* The note ends in the device's own names, which may be long enough to be cut off. */
    log_info(tx->ctx, "%s type=%s%s %s", words[word], scep_type_name(tx->type), buf_text(&algorithms),
             buf_text(&outcome->note));
    ret->status = 200;
}

/* Nothing was decided: the same message may be sent again (never FAILURE, which makes clients give up). */
static void answer_unavailable(struct transaction *tx, const struct why *why, struct pki_answer *ret)
{
    const struct err_row *row = err_row(why->err);
    atomic_fetch_add(&tx->scep->counters.unavailable, 1);
    if (scep_may_log(tx->scep, tx->peer))
        log_error(tx->ctx, "unavailable: %s error=%s status=%d diagnosis=%s", why->text, row->name,
                  row->http_status, row->diagnosis);
    ret->status = row->http_status;
}

static void log_refused(const struct transaction *tx, const struct why *why, int fail_info)
{
    if (!scep_may_log(tx->scep, tx->peer))
        return;
    AUTO_BUF algorithms = { 0 };
    algorithms_append(tx, &algorithms);
    if (tx->subject.len) { /* last: it is the device's own text */
        buf_append_str(&algorithms, " subject=\"");
        name_append_text(&algorithms, tx->subject);
        buf_append_str(&algorithms, "\"");
    }
    log_warn(tx->ctx, "refused: %s error=%s failInfo=%s type=%s%s", why->text, err_row(why->err)->name,
             scep_fail_info_name(fail_info), scep_type_name(tx->type), buf_text(&algorithms));
}

static void answer_refused(struct transaction *tx, const struct why *why, struct pki_answer *ret)
{
    bool uniform = !FAULT(uniform_refusal) && tx->opened && !tx->proved;
    const struct err_row *shown = err_row(uniform ? ERR_BAD_MESSAGE_CHECK : why->err);
    int fail_info = shown->scep_fail_info == FAIL_NONE ? FAIL_BAD_REQUEST : shown->scep_fail_info;
    if (!FAULT(failure_counted) && uniform && !tx->intact)
        budget_spend(tx->scep->budget, tx->peer, clock_mono_ms());
    atomic_fetch_add(&tx->scep->counters.refused, 1);
    log_refused(tx, why, fail_info);
    struct scep_reply reply = reply_to(tx, SCEP_FAILURE);
    reply.fail_info = fail_info;
    reply.fail_info_text = tx->endpoint->fail_info_text ? shown->text : NULL;
    struct why fault = { 0 };
    if (reply_sign(tx, &reply, &ret->message, &fault) != OK) {
        answer_unavailable(tx, &fault, ret);
        return;
    }
    ret->status = 200;
    ret->held = !FAULT(refusal_hold) && fail_info == FAIL_BAD_MESSAGE_CHECK;
}

/* "tx=… peer=… endpoint=…": the id without what would end its field. */
static void context_make(struct transaction *tx, char *id)
{
    const struct bytes *from = &tx->message.transaction_id;
    for (size_t i = 0; i < from->len; i++)
        id[i] = from->data[i] == ' ' ? '_' : (char)from->data[i];
    id[from->len] = '\0';
    snprintf(tx->ctx, sizeof(tx->ctx), "tx=%s peer=%s endpoint=%s", id, tx->peer, tx->endpoint->name);
}

/* Without signer or transactionID there is nobody to answer in SCEP: HTTP says that the message can't be
 * read. */
static void answer_unreadable(const struct pki_request *request, const struct why *why,
                              struct pki_answer *ret)
{
    char ctx[256];
    snprintf(ctx, sizeof(ctx), "peer=%s endpoint=%s", request->peer, request->endpoint->name);
    ret->status = why->err == ERR_LIMIT ? 413 : 400;
    atomic_fetch_add(&request->scep->counters.unreadable, 1);
    if (scep_may_log(request->scep, request->peer))
        log_warn(ctx, "unreadable pkiMessage: %s error=%s status=%d bytes=%zu", why->text,
                 err_row(why->err)->name, ret->status, request->message.len);
}

/* --- from the message to the answer --- */

/* A transaction on its way. */
struct operation_run {
    struct pki_start start;
    struct transaction tx;
    struct pki_answer answer;
    enum err err; /* what ca said */
    struct buf body;
    struct why why;
};

static void run_end(struct operation_run *run)
{
    transaction_free(
        &run->tx); /* before done, after which the request is gone, and the message that it points into */
    run->start.done(run->start.arg, &run->answer);
    pki_answer_free(&run->answer);
    buf_wipe(&run->body);
    free(run);
}

static void conclude(struct operation_run *run, enum err err, struct outcome *outcome, struct why *why)
{
    struct transaction *tx = &run->tx;
    if (err == OK)
        err = reply_make(tx, outcome, &run->answer.message, why);
    why->err = err; /* a caller of fail() may have wrapped another */
    if (err == OK)
        answer_granted(tx, outcome, &run->answer);
    else if (err_row(err)->retryable)
        answer_unavailable(tx, why, &run->answer);
    else
        answer_refused(tx, why, &run->answer);
    run_end(run);
}

/* The second job: one RSA signature. */
static void answered(void *arg)
{
    struct operation_run *run = arg;
    AUTO_VAL(outcome) outcome = { .status = SCEP_FAILURE };
    struct why why = run->why;
    enum err err = content_answered(&run->tx, run->err, buf_bytes(&run->body), &outcome, &why);
    conclude(run, err, &outcome, &why);
}

static void on_ca_answer(void *arg, enum err err, struct bytes body, const struct why *why)
{
    struct operation_run *run = arg;
    plugin_log_answered(&run->tx, err);
    run->err = err;
    run->why = *why;
    run->body = buf_dup(body);
    run->start.go_on(run->start.arg, answered, run);
}

static void run_begin(struct operation_run *run)
{
    AUTO_VAL(outcome) none = { .status = SCEP_FAILURE };
    AUTO_WIPE body = { 0 }; /* the challenge is inside */
    const char *verb = NULL;
    struct why why = { 0 };
    enum err err = transaction_open(&run->tx, &verb, &body, &why);
    if (err != OK) {
        conclude(run, err, &none, &why);
        return;
    }
    plugin_log_asking(&run->tx);
    ca_submit(run->tx.scep->ca, &(struct ca_request){ verb, buf_bytes(&body), on_ca_answer, run });
}

void pki_operation_start(const struct pki_start *start)
{
    const struct pki_request *request = start->request;
    struct operation_run *run = xcalloc(1, sizeof(*run));
    struct why why = { 0 };
    run->start = *start;
    run->tx.scep = request->scep;
    run->tx.endpoint = request->endpoint;
    run->tx.peer = request->peer;
    if (scep_message_decode(request->message, &run->tx.message, &why) != OK) {
        answer_unreadable(request, &why, &run->answer);
        run_end(run);
        return;
    }
    context_make(&run->tx, run->answer.transaction_id);
    run_begin(run);
}

struct waiting {
    struct lender lender;
    struct pki_answer *ret;
};

static void on_work(void *arg, void (*work)(void *work_arg), void *work_arg)
{
    struct waiting *waiting = arg;
    lender_go_on(&waiting->lender, work, work_arg);
}

static void on_done(void *arg, const struct pki_answer *answer)
{
    struct waiting *waiting = arg;
    *waiting->ret = *answer;
    waiting->ret->message = buf_dup(buf_bytes(&answer->message));
    lender_end(&waiting->lender);
}

void pki_operation_run(const struct pki_request *request, struct pki_answer *ret)
{
    struct waiting waiting = { .ret = ret };
    lender_open(&waiting.lender);
    pki_operation_start(&(struct pki_start){ request, on_work, on_done, &waiting });
    lender_wait(&waiting.lender);
}
