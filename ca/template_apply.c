/* SPDX-License-Identifier: Apache-2.0 */
/* A request laid against its template. What a request asks for, and what becomes of it:

     public key                         taken: allowed kind, size and shape
     subject                            taken: each attribute by the template's subject rule
     subjectAltName                     taken: dns, email, uri, ip and UPN by the template's name rule; every other
                                        kind, and a URI with a SID, refused
     keyUsage                           chose the slot; the template's is written. keyCertSign, cRLSign: refused
     extKeyUsage                        each purpose must be the template's, which is written; else refused
     basicConstraints                   cA TRUE or a path length: refused; else the template's (an end entity)
     nameConstraints                    refused
     Microsoft SID extension            refused
     any other critical extension       refused: an asker who insists must not be told yes
     any other extension                dropped: policies, application policies, Microsoft template names, CRL and OCSP
                                        pointers, key identifiers, ocsp-nocheck, unknown ones
     attributes but extensionRequest    dropped: enrolment name/value pairs (but a shorter validity: ca/validity.h), OS
                                        version, CSP

   The outcome depends on nothing but template, request and key. */
#include "base/fault.h"
#include "base/limits.h"
#include "ca/managed.h"
#include "x509/extension.h"
#include "x509/name.h"

void grant_free(struct grant *grant)
{
    template_free(grant->template);
    managed_free(grant->managed);
    buf_free(&grant->eku);
    buf_free(&grant->subject);
    buf_free(&grant->san);
    secret_wipe(grant->challenge_mac, sizeof(grant->challenge_mac));
    *grant = (struct grant){ 0 };
}

bool grant_purpose_next(const struct grant *grant, size_t *at, struct bytes *ret_oid)
{
    if (!grant->eku.len) {
        if (*at == grant->template->eku_count)
            return false;
        *ret_oid = buf_bytes(&grant->template->eku[(*at)++]);
        return true;
    }
    struct der_reader in = der_reader_over(bytes_of(grant->eku.data + *at, grant->eku.len - *at));
    if (der_at_end(&in) || !der_get_oid(&in, ret_oid))
        return false;
    *at = grant->eku.len - in.rest.len;
    return true;
}

enum err template_purposes_judge(const struct template *template, struct bytes eku, struct why *why)
{
    struct der_reader in = der_reader_over(eku);
    struct bytes asked;
    while (!der_at_end(&in)) {
        if (!der_get_oid(&in, &asked))
            return fail(why, ERR_MALFORMED, "extKeyUsage is not a list of OIDs (RFC 5280 4.2.1.12)");
        bool given = false;
        for (size_t i = 0; i < template->eku_count; i++)
            given |= bytes_equal(buf_bytes(&template->eku[i]), asked);
        if (given || FAULT(template_eku))
            continue;
        AUTO_BUF dotted = { 0 };
        oid_append_dotted(&dotted, asked);
        return fail(why, ERR_TEMPLATE_USAGE, "key purpose %s is asked for; template %s gives %s",
                    buf_text(&dotted), template->name, template->eku_count ? template->eku_text : "none");
    }
    return OK;
}

static enum err key_usage_judge(const struct template *template, const struct csr *csr, struct why *why)
{
    if (FAULT(template_key_usage) || !csr->has_key_usage ||
        !(csr->key_usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)))
        return OK;
    AUTO_BUF asked = { 0 };
    key_usage_append_text(&asked, csr->key_usage);
    return fail(why, ERR_TEMPLATE_USAGE, "key usage %s is asked for; template %s is for end entities",
                buf_text(&asked), template->name);
}

static enum err basic_constraints_judge(const struct template *template, struct bytes value, struct why *why)
{
    struct der_reader in = der_reader_over(value), inside;
    bool ca = false;
    if (!der_get_sequence(&in, &inside) || !der_at_end(&in))
        return fail(why, ERR_MALFORMED, "basicConstraints malformed (RFC 5280 4.2.1.9)");
    /* Some clients write the default FALSE out; that harms nobody. Everything else here asks to be a CA. */
    if (der_next_is(&inside, DER_BOOLEAN) && !der_get_boolean(&inside, &ca))
        return fail(why, ERR_MALFORMED, "basicConstraints malformed (RFC 5280 4.2.1.9)");
    if (!FAULT(template_basic_constraints) && (ca || !der_at_end(&inside)))
        return fail(why, ERR_TEMPLATE_USAGE, "basicConstraints asks for %s; template %s is for end entities",
                    ca ? "cA TRUE" : "a path length", template->name);
    return OK;
}

static enum err extension_judge(const struct template *template, const struct csr *csr,
                                const struct extension *asked, struct why *why)
{
    enum oid oid = oid_find(asked->oid);
    switch ((int)oid) {
    case OID_EXT_KEY_USAGE:
        return key_usage_judge(template, csr, why);
    case OID_EXT_EKU:
        return template_purposes_judge(template, csr->eku, why);
    case OID_EXT_BASIC_CONSTRAINTS:
        return basic_constraints_judge(template, asked->value, why);
    case OID_EXT_SAN:
        return OK; /* template_names */
    case OID_EXT_NAME_CONSTRAINTS:
    case OID_MS_SID:
        if (FAULT(template_sid))
            break;
        return fail(why, ERR_TEMPLATE_USAGE, "the extension %s is never taken from a request", oid_name(oid));
    default:
        break;
    }
    if (FAULT(template_critical) || !asked->critical)
        return OK;
    AUTO_BUF dotted = { 0 };
    oid_append_dotted(&dotted, asked->oid);
    return fail(why, ERR_TEMPLATE_USAGE,
                "the critical extension %s is asked for, which template %s does not have", buf_text(&dotted),
                template->name);
}

static enum err extensions_judge(const struct template *template, const struct csr *csr, struct why *why)
{
    if (!csr->extensions.len)
        return OK;
    TRY(extensions_check(csr->extensions, why));
    struct der_reader in = der_reader_over(csr->extensions);
    struct extension asked;
    while (!der_at_end(&in)) {
        if (!extension_next(&in, &asked))
            return fail(why, ERR_MALFORMED, "malformed extension in the request");
        TRY(extension_judge(template, csr, &asked, why));
    }
    return OK;
}

static enum err key_judge(const struct template *template, const struct public_key *key, struct why *why)
{
    enum key_kind kind = public_key_kind(key);
    if (!FAULT(template_key_kind) && !(template->key_kinds & 1u << kind))
        return fail(why, ERR_BAD_ALG, "the key is %s; template %s allows %s", key_kind_name(kind),
                    template->name, template->key_algorithms);
    return public_key_check_weak(key, (int)template->min_rsa_bits, why);
}

/* RFC 8813 3: keyEncipherment never goes with an EC key. A template for both usages gives an EC key the rest of them. */
static enum err usage_for_key(const struct template *template, const struct public_key *key, uint16_t *ret,
                              struct why *why)
{
    uint16_t usage = template->key_usage;
    if (!FAULT(template_usage_of_key) && public_key_kind(key) != KEY_RSA)
        usage &= (uint16_t) ~(KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT);
    if (template->key_usage && !usage)
        return fail(why, ERR_BAD_ALG, "the key is %s; the key usage of template %s needs RSA (RFC 8813 3)",
                    key_kind_name(public_key_kind(key)), template->name);
    *ret = usage;
    return OK;
}

enum err template_admit(const struct grant *grant, const struct csr *csr, struct why *why)
{
    const struct template *template = grant->template;
    enum digest digest = csr->algorithm.digest;
    if (!FAULT(template_hash) && !(template->digests & 1u << digest))
        return fail(why, ERR_BAD_ALG, "the request is signed with %s; template %s allows %s",
                    digest_name(digest), template->name, template->hashes);
    /* An authority's challenge is such a record. */
    if (!FAULT(template_directory) && template->from_directory && !grant->managed)
        return fail(
            why, ERR_TEMPLATE_SUBJECT,
            "template %s builds the subject from the directory, and no policy record names this requester",
            template->name);
    if (!FAULT(template_signatures) && template->authorised_signatures > 0)
        return fail(
            why, ERR_NOT_AUTHORISED,
            "template %s wants %lld authorised signatures beside the requester's; this request has none",
            template->name, (long long)template->authorised_signatures);
    return OK;
}

enum err template_apply(const struct csr *csr, const struct public_key *key, struct grant *grant,
                        struct why *why)
{
    const struct template *template = grant->template;
    AUTO_BUF subject = { 0 }, san = { 0 };
    uint16_t key_usage;
    TRY(key_judge(template, key, why));
    TRY(usage_for_key(template, key, &key_usage, why));
    TRY(extensions_judge(template, csr, why));
    TRY(template_subject(template, csr->subject, &subject, why));
    TRY(template_names(template, &(struct template_asked){ csr->san, grant->managed != NULL }, &san, why));
    if (name_is_empty(buf_bytes(&subject)) && !san.len)
        return fail(why, ERR_TEMPLATE_SUBJECT,
                    "neither a subject nor a name is asked for (RFC 5280 4.1.2.6)");
    grant->subject = TAKE_BUF(subject);
    grant->san = TAKE_BUF(san);
    grant->key_usage = key_usage;
    grant->validity_s = template->validity_s;
    return OK;
}
