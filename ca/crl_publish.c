/* SPDX-License-Identifier: Apache-2.0 */
/* A CRL: numbered, built in one pass over the store, sealed, stored, written to its file. */
#include "ca/crl_publish.h"

#include "base/encode.h"
#include "base/fault.h"
#include "ca/crl_file.h"
#include "ca/status.h"

struct publication {
    struct ca *ca;
    struct issuer *issuer;
    struct crl_scope scope;
    int64_t beside; /* the full CRL whose number a delta has; 0: one of its own */
    struct crl_state last, base, next;
    int64_t earliest; /* thisUpdate never goes back, whatever the clock says */
    int64_t expired_before;
    struct crl_builder builder;
    struct buf tbs, der;
    struct crl_draft draft;
};

static void publication_free(struct publication *work)
{
    buf_free(&work->tbs);
    buf_free(&work->der);
    crl_draft_free(&work->draft);
}

static struct crl_scope scope_of(const struct issuer *issuer, enum crl_kind kind)
{
    return (struct crl_scope){ issuer, kind, 0 };
}

static bool has_deltas(const struct issuer *issuer)
{
    return issuer->delta_validity_s > 0;
}

/* --- number and times --- */

/* A delta's is not earlier than that of the full one, nor the other way round; each partition has a time of its own. */
static enum err last_work(struct store_tx *tx, struct publication *work, struct why *why)
{
    const struct crl_scope *scope = &work->scope;
    const struct crl_scope other = { work->issuer, scope->kind == CRL_FULL ? CRL_DELTA : CRL_FULL,
                                     scope->partition };
    struct crl_state beside;
    TRY(crl_last(tx, scope, &work->last, why));
    TRY(crl_last(tx, &other, &beside, why));
    work->earliest =
        work->last.this_update > beside.this_update ? work->last.this_update : beside.this_update;
    return OK;
}

static enum err number_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct publication *work = arg;
    TRY(last_work(tx, work, why));
    work->next.number = work->beside;
    if (!work->beside)
        TRY(counter_next(tx, work->issuer->name, "crl", &work->next.number, why));
    if (work->scope.kind == CRL_FULL)
        return OK;
    TRY(crl_base(tx, work->issuer, work->next.number, &work->base, why));
    if (!work->base.exists)
        return fail(why, ERR_UNAVAILABLE, "ca %s has no full CRL yet that a delta could be based on",
                    work->issuer->name);
    return OK;
}

static int64_t overlap_of(const struct issuer *issuer, enum crl_kind kind)
{
    bool is_short = kind == CRL_DELTA && issuer->delta_validity_s < issuer->crl_overlap_s;
    return is_short ? issuer->delta_validity_s : issuer->crl_overlap_s;
}

/* RFC 5280 3.3: an expired entry stays through one more scheduled CRL; so, at least, for one period after its end. */
static void period_make(struct publication *work)
{
    const struct issuer *issuer = work->issuer;
    struct crl_state *next = &work->next;
    int64_t now = clock_now(work->ca->clock);
    int64_t validity_s = work->scope.kind == CRL_DELTA ? issuer->delta_validity_s : issuer->crl_validity_s;
    next->this_update = FAULT(crl_time) || now > work->earliest ? now : work->earliest;
    next->next_update = next->this_update + validity_s + overlap_of(issuer, work->scope.kind);
    work->expired_before = next->this_update - issuer->crl_validity_s - issuer->crl_overlap_s;
    if (work->last.exists && work->last.this_update < work->expired_before)
        work->expired_before = work->last.this_update;
    next->base_number = work->base.number;
}

/* --- entries --- */

static enum err entry_add(struct publication *work, const struct store_rows *row, struct crl_entry entry,
                          struct why *why)
{
    uint8_t serial[LIMIT_SERIAL_BYTES_MAX];
    struct bytes text = store_bytes(row, 0, 0);
    if (text.len > 2 * sizeof(serial) || !hex_decode_into(text, serial))
        return fail(why, ERR_STORE, "serial %s in the store is not hexadecimal", store_str(row, 0, 0));
    entry.serial = bytes_of(serial, text.len / 2);
    crl_add(&work->builder, &entry);
    work->next.entries++;
    return OK;
}

static enum err revoked_add(const struct store_rows *row, void *arg, struct why *why)
{
    struct crl_entry entry = { .revoked_at = store_int(row, 0, 1),
                               .reason = (enum crl_reason)store_int(row, 0, 2) };
    return entry_add(arg, row, entry, why);
}

static enum err changed_add(const struct store_rows *row, void *arg, struct why *why)
{
    if (store_int(row, 0, 3))
        return revoked_add(row, arg, why);
    struct crl_entry released = { .revoked_at = store_int(row, 0, 4), .reason = CRL_REMOVE_FROM_CRL };
    return FAULT(delta_release) ? OK : entry_add(arg, row, released, why);
}

/* May be run again: begins its CRL afresh each time. The version is read first: what is then read may know more, never less. */
static enum err entries_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct publication *work = arg;
    const struct crl_params *params = work->builder.params;
    struct store_value issuer = S_TEXT(work->issuer->name), expired = S_INT(work->expired_before);
    buf_free(&work->builder.tbs);
    crl_begin(&work->builder, params);
    work->next.entries = 0;
    TRY(status_version(tx, work->issuer, &work->next.version, why));
    if (work->scope.partition)
        return store_for_each(
            tx,
            "SELECT serial, revoked_at, reason FROM certificate WHERE issuer_id = $1 AND crl_partition = $3 "
            "AND status = 'revoked' AND not_after >= $2",
            S_ARGS(issuer, expired, S_INT(work->scope.partition)), revoked_add, work, why);
    if (work->scope.kind == CRL_FULL)
        return store_for_each(
            tx,
            "SELECT serial, revoked_at, reason FROM certificate WHERE issuer_id = $1 AND status = 'revoked' "
            "AND not_after >= $2",
            S_ARGS(issuer, expired), revoked_add, work, why);
    return store_for_each(
        tx,
        "SELECT serial, revoked_at, reason, CASE WHEN status = 'revoked' THEN 1 ELSE 0 END, status_at "
        "FROM certificate WHERE issuer_id = $1 AND status_version > $3 AND not_after >= $2",
        S_ARGS(issuer, expired, S_INT(work->base.version)), changed_add, work, why);
}

/* --- files --- */

static enum err files_publish(struct ca *ca, struct issuer *issuer, unsigned partition, struct why *why)
{
    const struct crl_scope full = { issuer, CRL_FULL, partition }, delta = scope_of(issuer, CRL_DELTA);
    TRY(crl_file_catch_up(ca, issuer, &full, why));
    return has_deltas(issuer) ? crl_file_catch_up(ca, issuer, &delta, why) : OK;
}

/* --- seal and keep --- */

/* Only around the TBS is there anything to read: what is in it was written here. */
static enum err sealed_check(const struct publication *work, struct bytes der, struct bytes tbs,
                             struct why *why)
{
    struct der_reader in = der_reader_over(der), fields;
    struct signature_algorithm algorithm;
    struct bytes inside, signature;
    if (!der_get_sequence(&in, &fields) || !der_at_end(&in) ||
        !der_get_whole(&fields, DER_SEQUENCE, &inside) || (!FAULT(sealed_crl) && !bytes_equal(inside, tbs)) ||
        !signature_algorithm_get(&fields, &algorithm) || !der_get_bits(&fields, &signature) ||
        !der_at_end(&fields))
        return fail(why, ERR_PROTOCOL, "the signer sealed something else than CRL %lld",
                    (long long)work->next.number);
    if (public_key_verify(work->issuer->key, algorithm, inside, signature, why) != OK)
        return fail(why, ERR_PROTOCOL, "the signer's signature under CRL %lld does not verify",
                    (long long)work->next.number);
    return OK;
}

static void draft_make(void *arg)
{
    struct publication *work = arg;
    crl_draft_make(work->ca, &work->scope, buf_bytes(&work->tbs), &work->draft);
}

/* While signer reads the TBS and signs it, the file is written as far as it is known. */
static enum err crl_seal(struct publication *work, struct why *why)
{
    const struct seal_request request = { bytes_str(work->issuer->name),
                                          work->scope.kind == CRL_DELTA ? SEAL_DELTA_CRL : SEAL_CRL,
                                          buf_bytes(&work->tbs) };
    const struct sealer_meanwhile meanwhile = { draft_make, work };
    TRY(work->ca->sealer.seal(work->ca->sealer.arg, &request, &meanwhile, &work->der, why));
    return sealed_check(work, buf_bytes(&work->der), buf_bytes(&work->tbs), why);
}

static enum err keep_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct publication *work = arg;
    const struct crl_keep keep = { work->ca, &work->scope, &work->next, buf_bytes(&work->der) };
    return crl_keep(tx, &keep, why);
}

static enum err build(struct publication *work, struct why *why)
{
    const struct issuer *issuer = work->issuer;
    const struct crl_scope *scope = &work->scope;
    AUTO_VAL(crl_urls) urls = crl_partition_urls(&issuer->partitions, scope->partition);
    struct crl_params params = { .algorithm = issuer->algorithm,
                                 .issuer = issuer->cert.subject,
                                 .issuer_key_id = issuer->aki,
                                 .this_update = work->next.this_update,
                                 .next_update = work->next.next_update,
                                 .number = work->next.number,
                                 .is_delta = scope->kind == CRL_DELTA,
                                 .base_number = work->base.number,
                                 .expected_entries = scope->kind == CRL_FULL ? (size_t)work->last.entries : 0,
                                 .idp = (const char *const *)urls.list,
                                 .idp_count = scope->partition ? urls.count : 0,
                                 .freshest = (const char *const *)issuer->delta,
                                 .freshest_count = has_deltas(issuer) ? issuer->delta_count : 0 };
    work->builder.params = &params;
    enum err err = store_read(work->ca->store, entries_work, work, why);
    if (err == OK)
        crl_end(&work->builder, &work->tbs);
    buf_free(&work->builder.tbs);
    return err;
}

/* Under crl_lock. */
static enum err publish_one(struct publication *work, struct why *why)
{
    TRY(store_write(work->ca->store, number_work, work, why));
    period_make(work);
    TRY(build(work, why));
    TRY(crl_seal(work, why));
    buf_free(&work->tbs);
    work->issuer->crl_file_is_last[work->scope.kind][work->scope.partition] = false;
    TRY(store_write(work->ca->store, keep_work, work, why));
    return crl_file_put(work->ca, work->issuer, &work->scope, &work->draft, buf_bytes(&work->der), why);
}

static enum err publish_locked(struct ca *ca, struct issuer *issuer, enum crl_kind kind, bool is_base,
                               struct why *why)
{
    AUTO_VAL(publication)
    work = { .ca = ca,
             .issuer = issuer,
             .scope = scope_of(issuer, kind),
             .next.is_base = is_base,
             .draft = CRL_DRAFT_NONE };
    TRY(publish_one(&work, why));
    if (kind == CRL_DELTA || !has_deltas(issuer))
        return OK;
    buf_free(&work.der); /* one in memory is enough */
    AUTO_VAL(publication)
    delta = { .ca = ca,
              .issuer = issuer,
              .scope = scope_of(issuer, CRL_DELTA),
              .beside = work.next.number,
              .draft = CRL_DRAFT_NONE };
    return publish_one(&delta, why);
}

static enum err publish_partition_locked(struct ca *ca, struct issuer *issuer, unsigned partition,
                                         struct why *why)
{
    AUTO_VAL(publication)
    work = { .ca = ca, .issuer = issuer, .scope = { issuer, CRL_FULL, partition }, .draft = CRL_DRAFT_NONE };
    return publish_one(&work, why);
}

/* --- when --- */

struct due_arg {
    const struct issuer *issuer;
    unsigned partition;
    struct crl_state last[CRL_KINDS], base;
    int64_t version;
};

static enum err due_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct due_arg *due = arg;
    const struct crl_scope full = { due->issuer, CRL_FULL, due->partition },
                           delta = scope_of(due->issuer, CRL_DELTA);
    TRY(crl_last(tx, &full, &due->last[CRL_FULL], why));
    if (due->partition)
        return status_version_in(tx, due->issuer, due->partition, &due->version, why);
    TRY(status_version(tx, due->issuer, &due->version, why));
    TRY(crl_last(tx, &delta, &due->last[CRL_DELTA], why));
    return crl_base(tx, due->issuer, INT64_MAX, &due->base, why);
}

static bool is_due(const struct due_arg *due, enum crl_kind kind, int64_t now)
{
    const struct crl_state *last = &due->last[kind];
    return !last->exists || (last->version < due->version && !FAULT(crl_catch_up)) ||
           last->number < due->last[CRL_FULL].number || /* a crash came between the two */
           now >= last->next_update - overlap_of(due->issuer, kind);
}

/* A base that is as old as a CRL may be has to go: its deltas would grow for ever. */
static bool base_is_due(const struct due_arg *due, int64_t now)
{
    return has_deltas(due->issuer) &&
           (!due->base.exists || now >= due->base.this_update + due->issuer->crl_validity_s);
}

static enum err publish_due_locked(struct ca *ca, struct issuer *issuer, unsigned partition, struct why *why)
{
    struct due_arg due = { .issuer = issuer, .partition = partition };
    int64_t now = clock_now(ca->clock);
    TRY(store_read(ca->store, due_work, &due, why));
    if (partition)
        return is_due(&due, CRL_FULL, now) ? publish_partition_locked(ca, issuer, partition, why) : OK;
    bool base_due = base_is_due(&due, now);
    if (base_due || is_due(&due, CRL_FULL, now))
        return publish_locked(ca, issuer, CRL_FULL, base_due, why);
    if (has_deltas(issuer) && is_due(&due, CRL_DELTA, now))
        return publish_locked(ca, issuer, CRL_DELTA, false, why);
    return OK;
}

static enum err cover_locked(struct ca *ca, struct issuer *issuer, unsigned partition, int64_t version,
                             struct why *why)
{
    struct due_arg due = { .issuer = issuer, .partition = partition };
    TRY(store_read(ca->store, due_work, &due, why));
    enum crl_kind kind = has_deltas(issuer) && due.base.exists ? CRL_DELTA : CRL_FULL;
    if (due.last[kind].exists && due.last[kind].version >= version)
        return OK;
    if (partition)
        return publish_partition_locked(ca, issuer, partition, why);
    return publish_locked(ca, issuer, kind, !due.base.exists, why);
}

/* Ends what was begun with crl_lock: the files, then the lock. */
static enum err unlock(struct ca *ca, struct issuer *issuer, unsigned partition, enum err err,
                       struct why *why)
{
    if (err == OK)
        err = files_publish(ca, issuer, partition, why);
    pthread_mutex_unlock(&issuer->crl_lock);
    return err;
}

/* Each partition on its own: a revocation waits for one at most, and one that fails holds up no other. */
enum err crl_publish_due(struct ca *ca, struct issuer *issuer, struct why *why)
{
    enum err result = OK;
    for (unsigned i = partition_first(issuer); i <= partition_last(issuer); i++) {
        pthread_mutex_lock(&issuer->crl_lock);
        enum err err = unlock(ca, issuer, i, publish_due_locked(ca, issuer, i, why), why);
        result = err != OK ? err : result;
    }
    return result;
}

enum err crl_cover(struct ca *ca, struct issuer *issuer, unsigned partition, int64_t version, struct why *why)
{
    pthread_mutex_lock(&issuer->crl_lock);
    return unlock(ca, issuer, partition, cover_locked(ca, issuer, partition, version, why), why);
}

enum err crl_publish_partition(struct ca *ca, struct issuer *issuer, unsigned partition, struct why *why)
{
    if (!partition || partition > partition_last(issuer))
        return fail(why, ERR_USAGE, "partition is %u, and ca %s has %u", partition, issuer->name,
                    partition_last(issuer));
    pthread_mutex_lock(&issuer->crl_lock);
    return unlock(ca, issuer, partition, publish_partition_locked(ca, issuer, partition, why), why);
}

enum err crl_publish(struct ca *ca, struct issuer *issuer, enum crl_kind kind, struct why *why)
{
    if (kind == CRL_DELTA && !has_deltas(issuer))
        return fail(why, ERR_WRONG_STATE, "ca %s has no delta CRLs: crl_delta_validity is 0", issuer->name);
    for (unsigned i = partition_first(issuer); i && i <= partition_last(issuer); i++)
        TRY(crl_publish_partition(ca, issuer, i, why));
    if (crl_is_partitioned(&issuer->partitions))
        return OK;
    pthread_mutex_lock(&issuer->crl_lock);
    return unlock(ca, issuer, 0, publish_locked(ca, issuer, kind, kind == CRL_FULL, why), why);
}
