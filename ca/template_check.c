/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/template_check.h"

#include "base/fault.h"
#include "base/limits.h"
#include "ca/template_property.h"
#include "x509/extension.h"
#include <ctype.h>

#define SIGNS    KU_DIGITAL_SIGNATURE
#define ENCRYPTS (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT)

enum err template_name_check(const char *name, struct why *why)
{
    size_t len = strlen(name);
    bool good = len > 0 && len <= LIMIT_NAME_BYTES && isalnum((unsigned char)*name);
    for (const char *at = name; good && *at; at++)
        good = ((unsigned char)*at < 0x80 && isalnum((unsigned char)*at)) || strchr("-_.", *at);
    if (!FAULT(template_name) && !good)
        return fail(why, ERR_USAGE,
                    "the name \"%.80s\" has %zu octets; wanted: 1 to %d letters, digits, \"-\", \"_\" and "
                    "\".\", no spaces",
                    name, len, LIMIT_NAME_BYTES);
    return OK;
}

/* The CAs that endpoints issue from; where there is no endpoint, any. */
static bool issues(const struct ca *ca, const struct issuer *issuer)
{
    bool named = ca->endpoint_count == 0;
    for (size_t i = 0; i < ca->endpoint_count; i++)
        named = named || ca->endpoints[i]->issuer == issuer;
    return named;
}

static bool issuer_seals(const struct issuer *issuer, struct bytes purpose)
{
    bool found = issuer->allowed_eku_count == 0;
    for (size_t i = 0; !found && i < issuer->allowed_eku_count; i++) {
        AUTO_BUF oid = { 0 };
        found = template_purpose_oid(issuer->allowed_eku[i], &oid) && bytes_equal(buf_bytes(&oid), purpose);
    }
    return found;
}

static enum err purpose_check(const struct ca *ca, const struct template *template, struct bytes purpose,
                              struct why *why)
{
    AUTO_BUF dotted = { 0 };
    bool sealed = false;
    for (size_t i = 0; i < ca->issuer_count; i++)
        sealed = sealed || (issues(ca, ca->issuers[i]) && issuer_seals(ca->issuers[i], purpose));
    if (FAULT(template_allowed_eku) || (sealed && !oid_is(purpose, OID_KP_ANY)))
        return OK;
    oid_append_dotted(&dotted, purpose);
    return fail(why, ERR_TEMPLATE_PROPERTY,
                "template %s: no CA seals the key purpose %s: allowed_eku of its ca section lacks it",
                template->name, buf_text(&dotted));
}

static enum err eku_check(const struct ca *ca, const struct template *template, struct why *why)
{
    if (template->eku_count == 0)
        return fail(why, ERR_TEMPLATE_PROPERTY,
                    "template %s has no eku: a certificate without key purposes would be good for all",
                    template->name);
    for (size_t i = 0; i < template->eku_count; i++)
        TRY(purpose_check(ca, template, buf_bytes(&template->eku[i]), why));
    return OK;
}

static enum err usage_check(const struct template *template, struct why *why)
{
    bool may_sign = strcmp(template->purpose, "encryption") != 0,
         may_encrypt = strcmp(template->purpose, "signature") != 0;
    uint16_t usage = template->key_usage;
    AUTO_BUF text = { 0 };
    key_usage_append_text(&text, usage);
    if (!FAULT(template_no_ca) && usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN))
        return fail(why, ERR_TEMPLATE_PROPERTY,
                    "template %s: key_usage is %s, without keyCertSign and cRLSign: CAs are made by chancery "
                    "init alone",
                    template->name, buf_text(&text));
    bool signs = usage & SIGNS, encrypts = usage & ENCRYPTS, proves = usage & KU_NON_REPUDIATION,
         signing_right = may_sign ? signs : !signs && !proves;
    if (!FAULT(template_purpose) && (!signing_right || encrypts != may_encrypt))
        return fail(why, ERR_TEMPLATE_PROPERTY,
                    "template %s: key_usage is \"%s\", but purpose %s needs %s%s%s, and nothing of the other",
                    template->name, buf_text(&text), template->purpose, may_sign ? "digitalSignature" : "",
                    may_sign && may_encrypt ? " and " : "",
                    may_encrypt ? "keyEncipherment, dataEncipherment or keyAgreement" : "");
    return OK;
}

static enum err keys_check(const struct template *template, struct why *why)
{
    uint16_t of_ec = template->key_usage & (uint16_t) ~(KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT);
    if (!template->key_kinds || !template->digests)
        return fail(why, ERR_TEMPLATE_PROPERTY,
                    "template %s: key_algorithms is \"%s\", hashes \"%s\"; neither may be empty",
                    template->name, template->key_algorithms, template->hashes);
    if (!of_ec && template->key_kinds != 1u << KEY_RSA)
        return fail(why, ERR_TEMPLATE_PROPERTY,
                    "template %s: key_algorithms is \"%s\", but its key usage needs RSA (RFC 8813 3)",
                    template->name, template->key_algorithms);
    return OK;
}

struct span_rule {
    const char *property;
    int64_t span_s;
    const char *wanted;
    int64_t bound_s;
};

/* In the units that people type. */
static enum err fail_span(const struct template *template, const struct span_rule *rule, struct why *why)
{
    AUTO_BUF span = { 0 }, bound = { 0 };
    template_span_text(rule->span_s, &span);
    template_span_text(rule->bound_s, &bound);
    return fail(why, ERR_TEMPLATE_PROPERTY, "template %s: %s is %s, wanted: %s, %s", template->name,
                rule->property, buf_text(&span), rule->wanted, buf_text(&bound));
}

static enum err times_check(const struct ca *ca, const struct template *template, struct why *why)
{
    int64_t validity_max = 0, backdate_max = 0;
    for (size_t i = 0; i < ca->issuer_count; i++) {
        const struct issuer *issuer = ca->issuers[i];
        if (issues(ca, issuer) && issuer->validity_max_s > validity_max)
            validity_max = issuer->validity_max_s;
        if (issues(ca, issuer) && issuer->backdate_s > backdate_max)
            backdate_max = issuer->backdate_s;
    }
    if (!FAULT(template_validity_max) && validity_max && template->validity_s > validity_max)
        return fail_span(template,
                         &(struct span_rule){ "validity", template->validity_s,
                                              "at most the CA's validity_max", validity_max },
                         why);
    if (template->renewal_s >= template->validity_s)
        return fail_span(
            template,
            &(struct span_rule){ "renewal", template->renewal_s, "less than validity", template->validity_s },
            why);
    if (template->backdate_s > backdate_max)
        return fail_span(template,
                         &(struct span_rule){ "backdate", template->backdate_s,
                                              "at most the CA's own backdate", backdate_max },
                         why);
    return OK;
}

enum err template_check(const struct ca *ca, const struct template *template, struct why *why)
{
    TRY(template_name_check(template->name, why));
    TRY(usage_check(template, why));
    TRY(keys_check(template, why));
    TRY(eku_check(ca, template, why));
    return times_check(ca, template, why);
}
