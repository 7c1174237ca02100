/* SPDX-License-Identifier: Apache-2.0 */
/* Templates as rows of the store, and the choice of one by an endpoint's slots. */
#include "ca/template.h"

#include "base/fault.h"
#include "ca/template_cache.h"
#include "x509/extension.h"
#include "x509/oid.h"

struct template *template_share(struct template *template)
{
    atomic_fetch_add(&template->sharers, 1);
    return template;
}

void template_free(struct template *template)
{
    if (!template || atomic_fetch_sub(&template->sharers, 1) > 0)
        return;
    for (size_t i = 0; i < template->eku_count; i++)
        buf_free(&template->eku[i]);
    template_rules_free(&template->subject);
    template_rules_free(&template->san);
    free(template->name);
    free(template->display_name);
    free(template->purpose);
    free(template->subject_rule);
    free(template->san_rule);
    free(template->eku_text);
    free(template->key_algorithms);
    free(template);
}

static enum err eku_parse(struct template *template, struct why *why)
{
    AUTO_STR words = xstrdup(template->eku_text);
    char *rest = words;
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
        if (!*word)
            continue;
        if (template->eku_count == TEMPLATE_EKU_MAX)
            return fail(why, ERR_TEMPLATE, "template %s has more than %d key purposes", template->name,
                        TEMPLATE_EKU_MAX);
        enum oid known = oid_by_name(word);
        AUTO_BUF oid = { 0 };
        if (known != OID_UNKNOWN)
            buf_append(&oid, oid_bytes(known));
        else if (!oid_from_dotted(word, &oid))
            return fail(why, ERR_TEMPLATE, "template %s: \"%s\" is no key purpose", template->name, word);
        template->eku[template->eku_count++] = TAKE_BUF(oid);
    }
    return OK;
}

static enum err key_kinds_parse(struct template *template, struct why *why)
{
    AUTO_STR words = xstrdup(template->key_algorithms);
    char *rest = words;
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
        unsigned found = 0;
        for (int kind = KEY_RSA; kind <= KEY_EC_P521; kind++) {
            if (strcmp(word, key_kind_name((enum key_kind)kind)) == 0)
                found = 1u << kind;
        }
        if (!found)
            return fail(why, ERR_TEMPLATE, "template %s: \"%s\" is no key algorithm", template->name, word);
        template->key_kinds |= found;
    }
    return OK;
}

enum err template_from_row(const struct store_rows *rows, size_t row, struct template **ret, struct why *why)
{
    AUTO(template) template = xcalloc(1, sizeof(*template));
    template->name = xstrdup(store_str(rows, row, 0));
    template->display_name = xstrdup(store_str(rows, row, 1));
    template->purpose = xstrdup(store_str(rows, row, 2));
    template->eku_text = xstrdup(store_str(rows, row, 3));
    template->key_usage = (uint16_t)store_int(rows, row, 4);
    template->validity_s = store_int(rows, row, 5);
    template->renewal_s = store_int(rows, row, 6);
    template->min_rsa_bits = (int)store_int(rows, row, 7);
    template->key_algorithms = xstrdup(store_str(rows, row, 8));
    template->subject_rule = xstrdup(store_str(rows, row, 9));
    template->san_rule = xstrdup(store_str(rows, row, 10));
    template->version = store_int(rows, row, 11);
    template->published = store_int(rows, row, 12) != 0;
    TRY(eku_parse(template, why));
    TRY(key_kinds_parse(template, why));
    TRY(template_rules_parse(template->subject_rule, false, &template->subject, why));
    TRY(template_rules_parse(template->san_rule, true, &template->san, why));
    *ret = TAKE(template);
    return OK;
}

struct load_arg {
    const char *name;
    struct template *found;
};

static enum err load_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct load_arg *load = arg;
    template_free(TAKE(load->found));
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT " TEMPLATE_COLUMNS " FROM template WHERE name = $1",
                    S_ARGS(S_TEXT(load->name)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "there is no template %s", load->name);
    return template_from_row(rows, 0, &load->found, why);
}

enum err template_load(struct store *store, struct bytes name, struct template **ret, struct why *why)
{
    AUTO_STR text = xstrndup((const char *)name.data, name.len);
    struct load_arg load = { .name = text };
    enum err err = store_read(store, load_work, &load, why);
    AUTO(template) found = load.found;
    if (err != OK)
        return err;
    *ret = TAKE(found);
    return OK;
}

const char *slot_name(enum slot slot)
{
    static const char *const names[SLOT_COUNT] = { [SLOT_SIGNATURE] = "signature_template",
                                                   [SLOT_ENCRYPTION] = "encryption_template",
                                                   [SLOT_GENERAL] = "general_purpose_template" };
    return names[slot];
}

enum slot slot_of(const struct csr *csr)
{
    bool signs = csr->has_key_usage && (csr->key_usage & KU_DIGITAL_SIGNATURE);
    bool encrypts = csr->has_key_usage && (csr->key_usage & KU_KEY_ENCIPHERMENT);
    if (signs == encrypts)
        return SLOT_GENERAL;
    return signs ? SLOT_SIGNATURE : SLOT_ENCRYPTION;
}

enum err template_for_slot(struct ca *ca, const struct endpoint *endpoint, enum slot slot,
                           struct template **ret, struct why *why)
{
    const char *name = endpoint->slots[slot];
    if (!name)
        return fail(why, ERR_TEMPLATE, "endpoint %s has no %s, which this request's key usage asks for",
                    endpoint->name, slot_name(slot));
    AUTO(template) template = NULL;
    enum err err = template_cache_find(ca->templates, bytes_str(name), &template, why);
    if (err == ERR_NOT_FOUND)
        return fail(why, ERR_TEMPLATE, "endpoint %s, %s: there is no template %s", endpoint->name,
                    slot_name(slot), name);
    if (err != OK)
        return err;
    if (!FAULT(template_published) && !template->published)
        return fail(why, ERR_TEMPLATE, "endpoint %s, %s: template %s is not published", endpoint->name,
                    slot_name(slot), name);
    *ret = TAKE(template);
    return OK;
}
