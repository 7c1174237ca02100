/* SPDX-License-Identifier: Apache-2.0 */
/* From a TBS to what is sealed: parsed, judged, signed, journalled, and only then answered. */
#include "signer/signer.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/wake.h"
#include "ipc/record.h"
#include "signer/authority.h"
#include "signer/journal.h"
#include "signer/sealed.h"

#define SEALED_MORE_BYTES 4096 /* what signature and frame add to a TBS, at most */
#define CLOCK_BACK_S      300 /* a clock further behind the journal than this is wrong (spec security.md S8) */

/* A serial that is being sealed right now, by some other thread's call. */
struct reservation {
    struct reservation *next;
    struct sealed_key key;
};
struct signer {
    const struct clock *clock;
    struct authority *authorities;
    size_t authority_count;
    struct journal *journal;
    pthread_mutex_t lock; /* the rest */
    pthread_cond_t released;
    struct sealed_set *sealed;
    struct reservation *reserved;
    int64_t last_time, entries; /* of the journal */
};

/* --- opening --- */

static struct authority *authority_find(struct signer *signer, struct bytes name)
{
    for (size_t i = 0; i < signer->authority_count; i++) {
        if (bytes_equal(name, bytes_str(signer->authorities[i].name)))
            return &signer->authorities[i];
    }
    return NULL;
}

static int64_t number_get(struct bytes id)
{
    uint64_t number = 0;
    for (size_t i = 0; i < id.len && i < 8; i++)
        number = number << 8 | id.data[i];
    return (int64_t)number;
}

static void number_put(int64_t number, uint8_t ret_id[static 8])
{
    for (size_t i = 0; i < 8; i++)
        ret_id[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
}

/* Under the lock when the signer serves. */
static void count_entry(struct signer *signer, int64_t time)
{
    signer->last_time = time > signer->last_time ? time : signer->last_time;
    signer->entries++;
}

static enum err remember(struct signer *signer, uint64_t offset, const struct journal_entry *entry,
                         struct why *why)
{
    count_entry(signer, entry->time);
    if (entry->kind == SEAL_CERTIFICATE) {
        struct sealed_key key;
        TRY(sealed_key_make(entry->ca, entry->id, &key, why));
        sealed_set_add(signer->sealed, &key, offset);
    }
    return OK;
}

static void crl_remember(struct authority *authority, bool is_delta, int64_t number, uint64_t offset)
{
    *(is_delta ? &authority->crl_last.delta : &authority->crl_last.full) = number;
    *(is_delta ? &authority->delta_offset : &authority->crl_offset) = offset;
}

static enum err replay(void *arg, uint64_t offset, const struct journal_entry *entry, struct why *why)
{
    struct signer *signer = arg;
    struct authority *authority = authority_find(signer, entry->ca);
    if (authority && entry->kind != SEAL_CERTIFICATE)
        crl_remember(authority, entry->kind == SEAL_DELTA_CRL, number_get(entry->id), offset);
    return remember(signer, offset, entry, why);
}

static enum err authorities_load(struct signer *signer, const struct authority_source *common,
                                 struct why *why)
{
    size_t count = config_count(common->config, "ca");
    if (count == 0)
        return fail(why, ERR_CONFIG, "%s has no ca section: there is nothing to sign for",
                    config_path(common->config));
    signer->authorities = xcalloc(count, sizeof(*signer->authorities));
    for (size_t i = 0; i < count; i++) {
        struct authority_source from = *common;
        from.section = config_at(common->config, "ca", i);
        TRY(authority_load(&from, &signer->authorities[i], why));
        signer->authority_count++;
    }
    return OK;
}

enum err signer_open(const struct config *config, const struct secret *unlock, struct key_gate *gate,
                     const struct clock *clock, struct signer **ret, struct why *why)
{
    AUTO(signer) signer = xcalloc(1, sizeof(*signer));
    signer->clock = clock;
    signer->sealed = sealed_set_new();
    pthread_mutex_init(&signer->lock, NULL);
    pthread_cond_init(&signer->released, NULL);
    const struct authority_source common = { .config = config, .unlock = unlock, .gate = gate };
    AUTO_STR path = config_role_path(config, "signer", "journal");
    TRY(authorities_load(signer, &common, why));
    TRY(journal_open(path, replay, signer, &signer->journal, why));
    *ret = TAKE(signer);
    return OK;
}

void signer_free(struct signer *signer)
{
    if (!signer)
        return;
    journal_free(signer->journal); /* first: what it still writes names its authority */
    for (size_t i = 0; i < signer->authority_count; i++)
        authority_clear(&signer->authorities[i]);
    free(signer->authorities);
    sealed_set_free(signer->sealed);
    pthread_cond_destroy(&signer->released);
    pthread_mutex_destroy(&signer->lock);
    free(signer);
}

/* --- sealing --- */

static enum err clock_check(struct signer *signer, int64_t now, struct why *why)
{
    pthread_mutex_lock(&signer->lock);
    int64_t last = signer->last_time;
    pthread_mutex_unlock(&signer->lock);
    if (FAULT(signer_clock) || now >= last - CLOCK_BACK_S)
        return OK;
    char now_text[21], last_text[21], from_text[21];
    clock_rfc3339(now, now_text);
    clock_rfc3339(last, last_text);
    clock_rfc3339(last - CLOCK_BACK_S, from_text);
    /* Retryable: no device is refused, and no request lost, because of our clock. */
    return fail(
        why, ERR_UNAVAILABLE,
        "the clock says %s, and the journal's last entry is of %s: nothing is sealed before %s. If the "
        "clock is wrong, set it; if it is right, it was ahead when that entry was made: wait until then, or "
        "restore the state of signer and ca from a backup that is older than that entry",
        now_text, last_text, from_text);
}

enum err signer_clock_check(struct signer *signer, struct why *why)
{
    return clock_check(signer, clock_now(signer->clock), why);
}

/* What was sealed at that offset, if it was this very TBS. */
static enum err answer_again(struct signer *signer, uint64_t offset, struct bytes tbs, struct buf *ret_der,
                             struct why *why)
{
    AUTO_BUF record = { 0 };
    struct journal_entry entry;
    struct bytes was;
    TRY(journal_read(signer->journal, offset, &record, &entry, why));
    struct der_reader in = der_reader_over(entry.der), inside;
    if (!der_get_sequence(&in, &inside) || !der_get_whole(&inside, DER_SEQUENCE, &was))
        return fail(why, ERR_INTERNAL, "journal has no TBS at offset %llu", (unsigned long long)offset);
    if (!FAULT(signer_serial_once) && !bytes_equal(was, tbs)) {
        AUTO_BUF id = { 0 };
        hex_append_upper(&id, entry.id);
        return fail(why, ERR_SIGNER_LIMIT,
                    "%s %s was sealed before, for another TBS of %zu bytes; this one has %zu",
                    entry.kind == SEAL_CERTIFICATE ? "serial" : "cRLNumber", buf_text(&id), was.len, tbs.len);
    }
    *ret_der = buf_dup(entry.der);
    return OK;
}

static enum err sign(const struct authority *authority, struct bytes tbs, struct buf *ret_der,
                     struct why *why)
{
    AUTO_BUF signature = { 0 };
    AUTO_BUF der = { 0 };
    TRY(key_sign(authority->key, authority->limits.algorithm.digest, tbs, &signature, why));
    signed_assemble(tbs, authority->limits.algorithm, buf_bytes(&signature), &der);
    *ret_der = TAKE_BUF(der);
    return OK;
}

/* Waits until no other call seals this serial. true: it is in the journal; false: it is reserved for the caller. */
static bool reserve(struct signer *signer, struct reservation *mine, uint64_t *ret_offset)
{
    pthread_mutex_lock(&signer->lock);
    for (struct reservation *at = signer->reserved; at;) {
        if (memcmp(&at->key, &mine->key, sizeof(at->key)) != 0) {
            at = at->next;
            continue;
        }
        pthread_cond_wait(&signer->released, &signer->lock);
        at = signer->reserved;
    }
    bool sealed = sealed_set_find(signer->sealed, &mine->key, ret_offset);
    if (!sealed) {
        mine->next = signer->reserved;
        signer->reserved = mine;
    }
    pthread_mutex_unlock(&signer->lock);
    return sealed;
}

static void release(struct signer *signer, const struct reservation *mine, bool sealed, uint64_t offset,
                    int64_t time)
{
    pthread_mutex_lock(&signer->lock);
    struct reservation **at = &signer->reserved;
    while (*at != mine)
        at = &(*at)->next;
    *at = mine->next;
    if (sealed) {
        sealed_set_add(signer->sealed, &mine->key, offset);
        count_entry(signer, time);
    }
    pthread_cond_broadcast(&signer->released);
    pthread_mutex_unlock(&signer->lock);
}

/* A certificate on its way from the signature to the journal. */
struct sealing {
    struct signer *signer;
    struct reservation mine;
    struct buf der;
    struct journal_entry entry;
    seal_done done;
    void *arg;
};

static void sealing_end(struct sealing *sealing, enum err err, uint64_t offset, const struct why *why)
{
    release(sealing->signer, &sealing->mine, err == OK, offset, sealing->entry.time);
    sealing->done(sealing->arg, err, err == OK ? buf_bytes(&sealing->der) : BYTES_NONE, why);
    buf_free(&sealing->der);
    free(sealing);
}

static void on_journalled(void *arg, enum err err, uint64_t offset, const struct why *why)
{
    sealing_end(arg, err, offset, why);
}

/* The serial is reserved: from here on it is signed and made durable, or released. */
static void sign_and_journal(struct sealing *sealing, const struct authority *authority, struct bytes tbs)
{
    struct why why = { 0 };
    enum err err = sign(authority, tbs, &sealing->der, &why);
    if (err != OK || FAULT(signer_journal)) { /* with the fault: an offset where nothing is */
        sealing_end(sealing, err, 1, &why);
        return;
    }
    sealing->entry.der = buf_bytes(&sealing->der);
    journal_submit(sealing->signer->journal, &sealing->entry, on_journalled, sealing);
}

static enum err certificate_check(struct signer *signer, const struct authority *authority, struct bytes tbs,
                                  struct cert *ret, struct why *why)
{
    TRY(tbs_parse(tbs, ret, why));
    if (!FAULT(signer_lint))
        TRY(tbs_lint_parsed(ret, why));
    return ca_limits_check_cert(&authority->limits, ret, clock_now(signer->clock), why);
}

/* Takes done only with OK. Otherwise *ret_der is the answer from the journal, or there was an error. */
static enum err certificate_start(struct signer *signer, const struct authority *authority, struct bytes tbs,
                                  struct sealing **ret, struct buf *ret_der, struct why *why)
{
    struct cert cert;
    uint64_t offset = 0;
    TRY(certificate_check(signer, authority, tbs, &cert, why));
    struct sealing *sealing = xcalloc(1, sizeof(*sealing));
    sealing->signer = signer;
    sealing->entry = (struct journal_entry){ .time = clock_now(signer->clock),
                                             .ca = bytes_str(authority->name),
                                             .kind = SEAL_CERTIFICATE,
                                             .id = cert.serial };
    enum err err = sealed_key_make(sealing->entry.ca, cert.serial, &sealing->mine.key, why);
    if (err == OK && !reserve(signer, &sealing->mine, &offset)) {
        *ret = sealing;
        return OK;
    }
    free(sealing);
    return err == OK ? answer_again(signer, offset, tbs, ret_der, why) : err;
}

/* Under the authority's crl_lock. */
static enum err seal_next_crl(struct signer *signer, struct authority *authority, const struct crl *crl,
                              struct buf *ret_der, struct why *why)
{
    int64_t now = clock_now(signer->clock);
    uint8_t id[8];
    uint64_t offset;
    AUTO_BUF der = { 0 };
    const struct crl_numbers *last = &authority->crl_last;
    /* The one that was sealed last, asked for again after a crash. */
    if (crl->number == (crl->is_delta ? last->delta : last->full))
        return answer_again(signer, crl->is_delta ? authority->delta_offset : authority->crl_offset, crl->tbs,
                            ret_der, why);
    TRY(ca_limits_check_crl(&authority->limits, crl, last, now, why));
    number_put(crl->number, id);
    TRY(sign(authority, crl->tbs, &der, why));
    const struct journal_entry entry = { .time = now,
                                         .ca = bytes_str(authority->name),
                                         .kind = crl->is_delta ? SEAL_DELTA_CRL : SEAL_CRL,
                                         .id = BYTES_ARR(id),
                                         .der = buf_bytes(&der) };
    TRY(journal_append(signer->journal, &entry, &offset, why));
    *ret_der = TAKE_BUF(der);
    crl_remember(authority, crl->is_delta, crl->number, offset);
    pthread_mutex_lock(&signer->lock);
    count_entry(signer, now);
    pthread_mutex_unlock(&signer->lock);
    return OK;
}

static enum err seal_crl(struct signer *signer, struct authority *authority,
                         const struct seal_request *request, struct buf *ret_der, struct why *why)
{
    struct bytes tbs = request->tbs;
    struct crl crl;
    /* What is journalled must also fit into the answer, or its number would be used up for nothing. */
    if (tbs.len > LIMIT_CRL_FRAME_BYTES - SEALED_MORE_BYTES)
        return fail(why, ERR_LIMIT, "TBSCertList of %zu bytes, limit %d", tbs.len,
                    LIMIT_CRL_FRAME_BYTES - SEALED_MORE_BYTES);
    TRY(crl_tbs_parse(tbs, &crl, why));
    if (!FAULT(signer_crl_kind) && crl.is_delta != (request->kind == SEAL_DELTA_CRL))
        return fail(why, ERR_SIGNER_LIMIT, "the TBSCertList is %s CRL, asked for is %s",
                    crl.is_delta ? "a delta" : "a full", crl.is_delta ? "a full one" : "a delta");
    pthread_mutex_lock(&authority->crl_lock);
    enum err err = seal_next_crl(signer, authority, &crl, ret_der, why);
    pthread_mutex_unlock(&authority->crl_lock);
    return err;
}

static enum err authority_get(struct signer *signer, const struct seal_request *request,
                              struct authority **ret, struct why *why)
{
    *ret = authority_find(signer, request->ca);
    if (!*ret)
        return fail(why, ERR_SIGNER_LIMIT, "CA \"%.*s\" is not one of the %zu of this signer",
                    (int)request->ca.len, (const char *)request->ca.data, signer->authority_count);
    if (request->kind < SEAL_CERTIFICATE || request->kind > SEAL_DELTA_CRL)
        return fail(why, ERR_SIGNER_LIMIT, "kind is %d, must be %d to %d", (int)request->kind,
                    SEAL_CERTIFICATE, SEAL_DELTA_CRL);
    return clock_check(signer, clock_now(signer->clock), why);
}

void signer_seal_start(struct signer *signer, const struct seal_request *request, seal_done done, void *arg)
{
    struct authority *authority;
    struct sealing *sealing = NULL;
    AUTO_BUF der = { 0 };
    struct why why = { 0 };
    enum err err = authority_get(signer, request, &authority, &why);
    if (err == OK && request->kind != SEAL_CERTIFICATE)
        err = seal_crl(signer, authority, request, &der, &why);
    else if (err == OK)
        err = certificate_start(signer, authority, request->tbs, &sealing, &der, &why);
    if (!sealing) {
        done(arg, err, buf_bytes(&der), &why);
        return;
    }
    sealing->done = done;
    sealing->arg = arg;
    sign_and_journal(sealing, authority, request->tbs);
}

struct waiting {
    struct await outcome;
    struct buf der;
};

static void on_sealed(void *arg, enum err err, struct bytes der, const struct why *why)
{
    struct waiting *waiting = arg;
    buf_append(&waiting->der, der);
    await_end(&waiting->outcome, err, why);
}

enum err signer_seal(struct signer *signer, const struct seal_request *request, struct buf *ret_der,
                     struct why *why)
{
    struct waiting waiting = { 0 };
    await_open(&waiting.outcome);
    signer_seal_start(signer, request, on_sealed, &waiting);
    TRY(await_outcome(&waiting.outcome, why));
    *ret_der = waiting.der;
    return OK;
}

/* --- status --- */

static void authority_put(struct authority *authority, struct buf *out)
{
    pthread_mutex_lock(&authority->crl_lock);
    int64_t number = authority->crl_last.full;
    pthread_mutex_unlock(&authority->crl_lock);
    size_t mark = record_begin(out);
    record_put_str(out, "ca", authority->name);
    record_put_str(out, "key", key_kind_name(public_key_kind(authority->key->public_half)));
    record_put_int(out, "crl_sealed", number < 0 ? 0 : number);
    record_end(out, mark);
}

void signer_status_put(struct signer *signer, struct buf *out)
{
    struct why ignored = { 0 };
    bool good = signer_clock_check(signer, &ignored) == OK;
    pthread_mutex_lock(&signer->lock);
    int64_t entries = signer->entries, last = signer->last_time;
    pthread_mutex_unlock(&signer->lock);
    size_t mark = record_begin(out);
    record_put_int(out, "journal_entries", entries);
    record_put_time(out, "journal_last", last);
    record_put_str(out, "clock", good ? "good" : "behind-the-journal");
    record_end(out, mark);
    for (size_t i = 0; i < signer->authority_count; i++)
        authority_put(&signer->authorities[i], out);
}
