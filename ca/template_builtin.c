/* SPDX-License-Identifier: Apache-2.0 */
/* The templates that every store starts with. */
#include "ca/bootstrap.h"
#include "ca/template_row.h"

#define SIGN    "signature"
#define ENCRYPT "encryption"
#define BOTH    "signature-and-encryption"
#define DS      "digitalSignature"
#define KE      "keyEncipherment"
#define ANY     "RSA P-256 P-384 P-521"
#define WHO     "CN required\nO\nOU\nL\nST\nC\nE\nserialNumber\nUID\nDC"
#define NAMES   "dns\nemail\nuri\nip"

struct builtin {
    const char *name, *display_name, *purpose, *key_usage, *eku, *validity, *renewal, *key_algorithms,
        *subject_rule, *san_rule;
    bool published;
};

/* No sub-CA: docs/decisions/015. What init and the endpoints that it makes need is published, and what goes to devices. */
static const struct builtin builtins[] = {
    { "SCEPDevice", "SCEP device", BOTH, DS "," KE, "clientAuth", "365d", "42d", ANY, WHO, NAMES, true },
    { "SCEPDeviceSignature", "SCEP device, signature", SIGN, DS, "clientAuth", "365d", "42d", ANY, WHO, NAMES,
      true },
    { "SCEPDeviceEncryption", "SCEP device, encryption", ENCRYPT, KE, "clientAuth", "365d", "42d", "RSA", WHO,
      NAMES, true },
    { "SCEPUser", "SCEP user", BOTH, DS "," KE, "clientAuth", "365d", "42d", ANY, WHO, NAMES "\nupn", true },
    { "WebServer", "Web server", BOTH, DS "," KE, "serverAuth", "365d", "42d", ANY, WHO, "dns\nip", true },
    { "ClientAuthentication", "Client authentication", SIGN, DS, "clientAuth", "365d", "42d", ANY, WHO, NAMES,
      true },
    { "SMIMESigning", "S/MIME signing", SIGN, DS, "emailProtection", "365d", "42d", ANY, WHO,
      "email required", false },
    { "SMIMEEncryption", "S/MIME encryption", ENCRYPT, KE, "emailProtection", "365d", "42d", "RSA", WHO,
      "email required", false },
    /* The SCEP service's own; an endpoint can't give them away, because they are not published. */
    { "CEPEncryption", "CEP Encryption", ENCRYPT, KE, "certificateRequestAgent", "730d", "42d", "RSA", WHO,
      "", false },
    { "EnrollmentAgentOffline", "Exchange Enrollment Agent (Offline request)", SIGN, DS,
      "certificateRequestAgent", "730d", "42d", ANY, WHO, "", false },
    { "RegistrationAuthority", "Registration authority, both usages", BOTH, DS "," KE,
      "certificateRequestAgent", "730d", "42d", "RSA", WHO, "", false },
    /* The validation authority's. Nobody can revoke it (RFC 6960 4.2.2.2.1): so it is short-lived. */
    { "OCSPResponseSigning", "OCSP Response Signing", SIGN, DS, "OCSPSigning", "14d", "7d", "RSA P-256", WHO,
      "", false },
};

static enum err property_put(struct template *template, const char *name, const char *value, struct why *why)
{
    return template_property_set(template, template_property_find(bytes_str(name)), bytes_str(value), why);
}

static enum err builtin_make(const struct builtin *builtin, struct template **ret, struct why *why)
{
    AUTO(template) template = template_default(builtin->name);
    TRY(property_put(template, "display_name", builtin->display_name, why));
    TRY(property_put(template, "purpose", builtin->purpose, why));
    TRY(property_put(template, "key_usage", builtin->key_usage, why));
    TRY(property_put(template, "eku", builtin->eku, why));
    TRY(property_put(template, "validity", builtin->validity, why));
    TRY(property_put(template, "renewal", builtin->renewal, why));
    TRY(property_put(template, "key_algorithms", builtin->key_algorithms, why));
    TRY(property_put(template, "subject_rule", builtin->subject_rule, why));
    TRY(property_put(template, "san_rule", builtin->san_rule, why));
    template->published = builtin->published;
    *ret = TAKE(template);
    return OK;
}

/* One that an administrator deleted stays deleted: its versions are still there. */
static enum err seed_one(struct store_tx *tx, const struct builtin *builtin,
                         const struct template_change *change, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    AUTO(template) template = NULL;
    TRY(store_query(tx, "SELECT COUNT(*) FROM template_version WHERE name = $1",
                    S_ARGS(S_TEXT(builtin->name)), &rows, why));
    if (store_int(rows, 0, 0))
        return OK;
    TRY(builtin_make(builtin, &template, why));
    return template_row_insert(tx, template, change, why);
}

static enum err seed_work(struct store_tx *tx, void *arg, struct why *why)
{
    for (size_t i = 0; i < sizeof(builtins) / sizeof(*builtins); i++)
        TRY(seed_one(tx, &builtins[i], arg, why));
    return OK;
}

enum err template_seed(struct store *store, int64_t now, struct why *why)
{
    struct template_change change = { "", now };
    return store_write(store, seed_work, &change, why);
}
