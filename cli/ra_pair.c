/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ra_pair.h"

#include "base/encode.h"
#include "cli/cert_file.h"
#include "config/config.h"
#include "x509/extension.h"
#include "x509/key.h"
#include "x509/name.h"

/* The CA of the endpoints that have the set. */
static enum err issuer_load(const struct config *config, const char *set, struct cert_file *ret,
                            struct why *why)
{
    for (size_t i = 0; i < config_count(config, "endpoint"); i++) {
        const struct config_section *endpoint = config_at(config, "endpoint", i);
        if (strcmp(config_str(endpoint, "ra_set"), set) != 0)
            continue;
        AUTO_STR file = xasprintf("certs/ca-%s.crt.pem", config_str(endpoint, "ca"));
        AUTO_STR path = config_role_path(config, "scep", file);
        return cert_file_read(path, ret, why);
    }
    return fail(why, ERR_NOT_FOUND, "no endpoint has the RA set %s", set);
}

static enum err issuer_judge(const struct config *config, const struct ra_pair *pair, const struct cert *cert,
                             struct why *why)
{
    AUTO_VAL(cert_file) issuer = { 0 };
    AUTO(public_key) key = NULL;
    AUTO_BUF name = { 0 };
    TRY(issuer_load(config, pair->set, &issuer, why));
    TRY(public_key_parse(issuer.certs[0].spki, &key, why));
    if (bytes_equal(cert->issuer, issuer.certs[0].subject) && cert_verify(cert, key, NULL) == OK)
        return OK;
    name_append_text(&name, issuer.certs[0].subject);
    return fail(why, ERR_KEY, "the %s certificate was not issued by the endpoint's CA %s", pair->use,
                buf_text(&name));
}

static enum err usage_judge(const struct ra_pair *pair, const struct cert *cert, struct why *why)
{
    AUTO_BUF have = { 0 }, want = { 0 };
    uint16_t wanted = strcmp(pair->use, "signature") == 0    ? KU_DIGITAL_SIGNATURE
                      : strcmp(pair->use, "encryption") == 0 ? KU_KEY_ENCIPHERMENT
                                                             : KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
    enum key_kind kind = public_key_kind(pair->key->public_half);
    if ((wanted & KU_KEY_ENCIPHERMENT) && kind != KEY_RSA)
        return fail(why, ERR_KEY, "the %s key is %s, SCEP needs RSA (RFC 8894 3.1)", pair->use,
                    key_kind_name(kind));
    if (!cert->has_key_usage || (cert->key_usage & wanted) == wanted)
        return OK;
    key_usage_append_text(&have, cert->key_usage);
    key_usage_append_text(&want, wanted);
    return fail(why, ERR_KEY, "the %s certificate has key usage %s, its use needs %s", pair->use,
                buf_text(&have), buf_text(&want));
}

enum err ra_pair_judge(const struct config *config, const struct ra_pair *pair, struct why *why)
{
    AUTO_BUF der = { 0 };
    struct cert cert;
    if (!pem_decode(pair->pem, "CERTIFICATE", &der, NULL))
        return fail(why, ERR_KEY, "the %s certificate is no PEM", pair->use);
    TRY(cert_parse(buf_bytes(&der), &cert, why));
    if (!bytes_equal(cert.spki, public_key_spki(pair->key->public_half)))
        return fail_remedy(why, "put the key and the certificate that was made for it side by side", ERR_KEY,
                           "the %s certificate is not that of the key beside it", pair->use);
    TRY(issuer_judge(config, pair, &cert, why));
    return usage_judge(pair, &cert, why);
}
