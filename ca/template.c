/* SPDX-License-Identifier: Apache-2.0 */
/* Templates as rows of the store, and the choice of one by an endpoint's slots. */
#include "ca/template.h"

#include "base/fault.h"
#include "ca/template_cache.h"
#include "ca/template_row.h"
#include "x509/extension.h"
#include "x509/oid.h"

struct template *template_share(struct template *template)
{
    atomic_fetch_add(&template->sharers, 1);
    return template;
}

static void derived_clear(struct template *template)
{
    while (template->eku_count)
        buf_free(&template->eku[--template->eku_count]);
    buf_free(&template->oid);
    template_rules_free(&template->subject);
    template_rules_free(&template->san);
}

void template_free(struct template *template)
{
    if (!template || atomic_fetch_sub(&template->sharers, 1) > 0)
        return;
    derived_clear(template);
    free(template->name);
    free(template->display_name);
    free(template->purpose);
    free(template->subject_rule);
    free(template->san_rule);
    free(template->eku_text);
    free(template->key_algorithms);
    free(template->hashes);
    free(template->subject_source);
    free(template->oid_text);
    free(template->superseded);
    free(template);
}

/* The next word of a list; NULL at its end. */
static char *word_next(char **rest)
{
    char *word = strsep(rest, " ");
    while (word && !*word)
        word = strsep(rest, " ");
    return word;
}

bool template_purpose_oid(const char *word, struct buf *ret)
{
    enum oid known = oid_by_name(word);
    if (known != OID_UNKNOWN)
        buf_append(ret, oid_bytes(known));
    return known != OID_UNKNOWN || oid_from_dotted(word, ret);
}

static enum err eku_parse(struct template *template, struct why *why)
{
    AUTO_STR words = xstrdup(template->eku_text);
    char *rest = words;
    for (char *word = word_next(&rest); word; word = word_next(&rest)) {
        AUTO_BUF oid = { 0 };
        if (template->eku_count == TEMPLATE_EKU_MAX)
            return fail(why, ERR_TEMPLATE_PROPERTY, "template %s has more than %d key purposes",
                        template->name, TEMPLATE_EKU_MAX);
        if (!template_purpose_oid(word, &oid))
            return fail(why, ERR_TEMPLATE_PROPERTY, "template %s: \"%s\" is no key purpose", template->name,
                        word);
        template->eku[template->eku_count++] = TAKE_BUF(oid);
    }
    return OK;
}

static const char *kind_text(int kind)
{
    return key_kind_name((enum key_kind)kind);
}

static const char *digest_text(int digest)
{
    return digest_name((enum digest)digest);
}

struct choices {
    const char *what, *words;
    int first, last;
    const char *(*name)(int);
};

/* A list of words as a set of bits. */
static enum err choices_parse(const struct template *template, const struct choices *choices,
                              unsigned *ret_set, struct why *why)
{
    AUTO_STR words = xstrdup(choices->words);
    char *rest = words;
    unsigned set = 0;
    for (char *word = word_next(&rest); word; word = word_next(&rest)) {
        unsigned found = 0;
        for (int i = choices->first; i <= choices->last; i++) {
            if (strcmp(word, choices->name(i)) == 0)
                found = 1u << i;
        }
        if (!found)
            return fail(why, ERR_TEMPLATE_PROPERTY, "template %s: \"%s\" is no %s", template->name, word,
                        choices->what);
        set |= found;
    }
    *ret_set = set;
    return OK;
}

enum err template_complete(struct template *template, struct why *why)
{
    const struct choices kinds = { "key algorithm", template->key_algorithms, KEY_RSA, KEY_EC_P521,
                                   kind_text };
    const struct choices digests = { "hash", template->hashes, DIGEST_SHA1, DIGEST_SHA512, digest_text };
    derived_clear(template);
    template->from_directory = strcmp(template->subject_source, "directory") == 0;
    if (*template->oid_text && !oid_from_dotted(template->oid_text, &template->oid))
        return fail(why, ERR_TEMPLATE_PROPERTY, "template %s: oid is \"%s\", wanted: a dotted number",
                    template->name, template->oid_text);
    TRY(eku_parse(template, why));
    TRY(choices_parse(template, &kinds, &template->key_kinds, why));
    TRY(choices_parse(template, &digests, &template->digests, why));
    TRY(template_rules_parse(template->subject_rule, false, &template->subject, why));
    return template_rules_parse(template->san_rule, true, &template->san, why);
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

/* spec diagnosis.md P7: who put the display name into the slot is told the name. */
static enum err fail_no_template(struct ca *ca, const struct endpoint *endpoint, enum slot slot,
                                 struct why *why)
{
    const char *wanted = endpoint->slots[slot];
    AUTO_STR name = NULL;
    struct why ignored;
    if (template_name_of_display(ca->store, wanted, &name, &ignored) == OK)
        return fail(why, ERR_TEMPLATE,
                    "endpoint %s, %s: \"%s\" is the display name of the template %s; the slot takes its name",
                    endpoint->name, slot_name(slot), wanted, name);
    return fail(why, ERR_TEMPLATE, "endpoint %s, %s: there is no template %s", endpoint->name,
                slot_name(slot), wanted);
}

enum err template_of_slot(struct ca *ca, const struct endpoint *endpoint, enum slot slot,
                          struct template **ret, struct why *why)
{
    const char *name = endpoint->slots[slot];
    if (!name)
        return fail(why, ERR_TEMPLATE, "endpoint %s has no %s, which this request's key usage asks for",
                    endpoint->name, slot_name(slot));
    enum err err = template_cache_find(ca->templates, bytes_str(name), ret, why);
    return err == ERR_NOT_FOUND ? fail_no_template(ca, endpoint, slot, why) : err;
}

enum err template_not_ours(const struct template *template, const char *who, struct why *why)
{
    static const enum oid ours[] = { OID_KP_OCSP_SIGNING, OID_KP_REQUEST_AGENT };
    for (size_t i = 0; i < template->eku_count; i++) {
        for (size_t j = 0; j < sizeof(ours) / sizeof(*ours); j++) {
            if (oid_is(buf_bytes(&template->eku[i]), ours[j]))
                return fail(why, ERR_TEMPLATE,
                            "%s: template %s has the purpose %s, which only roles of the service may have",
                            who, template->name, oid_name(ours[j]));
        }
    }
    return OK;
}

enum err template_for_slot(struct ca *ca, const struct endpoint *endpoint, enum slot slot,
                           struct template **ret, struct why *why)
{
    AUTO(template) template = NULL;
    TRY(template_of_slot(ca, endpoint, slot, &template, why));
    if (!FAULT(template_published) && !template->published)
        return fail(why, ERR_TEMPLATE, "endpoint %s, %s: template %s is not published", endpoint->name,
                    slot_name(slot), template->name);
    AUTO_STR who = xasprintf("endpoint %s, %s", endpoint->name, slot_name(slot));
    if (!FAULT(slot_purpose))
        TRY(template_not_ours(template, who, why));
    *ret = TAKE(template);
    return OK;
}
