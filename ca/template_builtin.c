/* SPDX-License-Identifier: Apache-2.0 */
/* The templates that every store starts with. */
#include "base/limits.h"
#include "ca/bootstrap.h"
#include "ca/template.h"
#include "x509/extension.h"

#define DAY   86400
#define DS    KU_DIGITAL_SIGNATURE
#define KE    KU_KEY_ENCIPHERMENT
#define ANY   "RSA P-256 P-384 P-521"
#define WHO   "CN required\nO\nOU\nL\nST\nC\nE\nserialNumber\nUID\nDC"
#define NAMES "dns\nemail\nuri\nip"

struct builtin {
    const char *name, *display_name, *purpose, *eku;
    uint16_t key_usage;
    int validity_days, renewal_days;
    const char *key_algorithms, *subject_rule, *san_rule;
    bool published;
};

static const struct builtin builtins[] = {
    { "SCEPDevice", "SCEP device", "signature-and-encryption", "clientAuth", DS | KE, 365, 42, ANY, WHO,
      NAMES, true },
    { "SCEPDeviceSignature", "SCEP device, signature", "signature", "clientAuth", DS, 365, 42, ANY, WHO,
      NAMES, true },
    { "SCEPDeviceEncryption", "SCEP device, encryption", "encryption", "clientAuth", KE, 365, 42, "RSA", WHO,
      NAMES, true },
    { "SCEPUser", "SCEP user", "signature-and-encryption", "clientAuth", DS | KE, 365, 42, ANY, WHO,
      NAMES "\nupn", true },
    { "WebServer", "Web server", "signature-and-encryption", "serverAuth", DS | KE, 365, 42, ANY, WHO,
      "dns\nip", true },
    { "ClientAuthentication", "Client authentication", "signature", "clientAuth", DS, 365, 42, ANY, WHO,
      NAMES, true },
    /* The SCEP service's own; an endpoint can't give them away, because they are not published. */
    { "CEPEncryption", "CEP Encryption", "encryption", "certificateRequestAgent", KE, 730, 42, "RSA", WHO, "",
      false },
    { "EnrollmentAgentOffline", "Exchange Enrollment Agent (Offline request)", "signature",
      "certificateRequestAgent", DS, 730, 42, ANY, WHO, "", false },
    { "RegistrationAuthority", "Registration authority, both usages", "signature-and-encryption",
      "certificateRequestAgent", DS | KE, 730, 42, "RSA", WHO, "", false },
    /* The validation authority's. Nobody can revoke it (RFC 6960 4.2.2.2.1): so it is short-lived. */
    { "OCSPResponseSigning", "OCSP Response Signing", "signature", "OCSPSigning", DS, 14, 7, "RSA P-256", WHO,
      "", false },
};

static enum err seed_work(struct store_tx *tx, void *arg, struct why *why)
{
    int64_t now = *(const int64_t *)arg;
    for (size_t i = 0; i < sizeof(builtins) / sizeof(*builtins); i++) {
        const struct builtin *b = &builtins[i];
        TRY(store_exec(
            tx,
            "INSERT INTO template (" TEMPLATE_COLUMNS ", changed_at) VALUES "
            "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (name) DO NOTHING",
            S_ARGS(S_TEXT(b->name), S_TEXT(b->display_name), S_TEXT(b->purpose), S_TEXT(b->eku),
                   S_INT(b->key_usage), S_INT((int64_t)b->validity_days * DAY),
                   S_INT((int64_t)b->renewal_days * DAY), S_INT(LIMIT_RSA_BITS_MIN),
                   S_TEXT(b->key_algorithms), S_TEXT(b->subject_rule), S_TEXT(b->san_rule), S_INT(1),
                   S_INT(b->published), S_INT(now)),
            NULL, why));
    }
    return OK;
}

enum err template_seed(struct store *store, int64_t now, struct why *why)
{
    return store_write(store, seed_work, &now, why);
}
