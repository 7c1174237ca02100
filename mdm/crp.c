/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/crp.h"

#include "base/encode.h"
#include "base/fault.h"
#include "ipc/record.h"

static void certificate_clear(struct crp_certificate *certificate)
{
    public_key_free(certificate->key);
    buf_free(&certificate->der);
    *certificate = (struct crp_certificate){ 0 };
}

void crp_list_free(struct crp_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        certificate_clear(&list->of[i]);
    list->count = 0;
}

/* der is set. */
static enum err certificate_read(struct crp_certificate *certificate, struct why *why)
{
    TRY(cert_parse(buf_bytes(&certificate->der), &certificate->cert, why));
    return public_key_parse(certificate->cert.spki, &certificate->key, why);
}

static enum err record_take(const struct record *record, struct crp_certificate *ret, struct why *why)
{
    struct bytes text;
    ret->generation = record_int(record, "generation", 0);
    ret->expires = record_int(record, "expires", 0);
    if (ret->generation < 1 || !record_find(record, "certificate", &text) ||
        !base64_decode(text, false, &ret->der))
        return fail(why, ERR_PROTOCOL, "crp_get: a record without generation or certificate");
    return certificate_read(ret, why);
}

static enum err records_take(struct der_reader *records, struct crp_list *list, struct why *why)
{
    struct record record;
    while (records_next(records, &record)) {
        if (list->count == LIMIT_CHALLENGE_RECIPIENTS)
            return fail(why, ERR_PROTOCOL, "crp_get: more than %d certificates", LIMIT_CHALLENGE_RECIPIENTS);
        TRY(record_take(&record, &list->of[list->count++], why));
    }
    return list->count ? OK : fail(why, ERR_PROTOCOL, "crp_get: no certificate");
}

enum err crp_list_take(struct bytes answer, struct crp_list *ret, struct why *why)
{
    struct der_reader records;
    TRY(records_get(answer, &records, why));
    struct crp_list list = { 0 };
    enum err err = records_take(&records, &list, why);
    if (err == OK)
        *ret = list; /* the views stay: the memory is handed over as it is */
    else
        crp_list_free(&list);
    return err;
}

enum err crp_list_save(struct store_tx *tx, const struct crp_list *list, struct why *why)
{
    TRY(store_exec(tx, "DELETE FROM crp", S_NO_ARGS, NULL, why));
    for (size_t i = 0; i < list->count; i++) {
        const struct crp_certificate *each = &list->of[i];
        TRY(store_exec(tx, "INSERT INTO crp (generation, expires, certificate) VALUES ($1, $2, $3)",
                       S_ARGS(S_INT(each->generation), S_INT(each->expires), S_BYTES(buf_bytes(&each->der))),
                       NULL, why));
    }
    return OK;
}

static enum err rows_take(const struct store_rows *rows, int64_t now, struct crp_list *list, struct why *why)
{
    for (size_t row = 0; row < store_rows_count(rows) && list->count < LIMIT_CHALLENGE_RECIPIENTS; row++) {
        struct crp_certificate *each = &list->of[list->count];
        if (store_int(rows, row, 1) <= now && !FAULT(crp_ended))
            continue;
        list->count++;
        each->generation = store_int(rows, row, 0);
        each->expires = store_int(rows, row, 1);
        each->der = buf_dup(store_bytes(rows, row, 2));
        TRY(certificate_read(each, why));
    }
    return OK;
}

enum err crp_list_load(struct store_tx *tx, int64_t now, struct crp_list *ret, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT generation, expires, certificate FROM crp ORDER BY generation DESC",
                    S_NO_ARGS, &rows, why));
    struct crp_list list = { 0 };
    enum err err = rows_take(rows, now, &list, why);
    if (err == OK)
        *ret = list;
    else
        crp_list_free(&list);
    return err;
}

bool crp_list_equal(const struct crp_list *a, const struct crp_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!bytes_equal(buf_bytes(&a->of[i].der), buf_bytes(&b->of[i].der)))
            return false;
    }
    return true;
}
