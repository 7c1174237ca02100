/* SPDX-License-Identifier: Apache-2.0 */
#include "http/tls_pair.h"

#include "base/encode.h"
#include "base/file.h"
#include "base/generation.h"
#include "base/limits.h"
#include <unistd.h>

void tls_pair_free(struct tls_pair *pair)
{
    free(pair->key_path);
    free(pair->cert_path);
    *pair = (struct tls_pair){ 0 };
}

struct tls_pair tls_pair_at(const char *keys_dir, const char *certs_dir, int generation)
{
    struct tls_pair pair = {
        .generation = generation,
        .key_path = xasprintf("%s/" TLS_PREFIX "-%d" GENERATION_KEY_SUFFIX, keys_dir, generation),
        .cert_path = xasprintf("%s/" TLS_PREFIX "-%d.crt.pem", certs_dir, generation),
    };
    if (access(pair.cert_path, F_OK) != 0) {
        free(pair.cert_path);
        pair.cert_path = xasprintf("%s/" TLS_PREFIX ".crt.pem", certs_dir);
    }
    return pair;
}

enum err tls_pair_of(const char *keys_dir, const char *certs_dir, struct tls_pair *ret, struct why *why)
{
    int generation = generation_highest(keys_dir, TLS_PREFIX);
    if (generation == 0)
        return fail(why, ERR_CONFIG, "HTTPS is on, but there is no %s/" TLS_PREFIX "-N" GENERATION_KEY_SUFFIX,
                    keys_dir);
    *ret = tls_pair_at(keys_dir, certs_dir, generation);
    return OK;
}

enum err tls_pair_find(const struct config *config, const char *role, struct tls_pair *ret, struct why *why)
{
    AUTO_STR keys_dir = config_role_path(config, role, "keys");
    AUTO_STR certs_dir = config_role_path(config, role, "certs");
    return tls_pair_of(keys_dir, certs_dir, ret, why);
}

enum err tls_pair_cert(const struct tls_pair *pair, struct buf *ret_der, struct cert *ret, struct why *why)
{
    AUTO_BUF text = { 0 }, der = { 0 };
    TRY(file_read(pair->cert_path, LIMIT_TEXT_FILE_BYTES, &text, why));
    if (!pem_decode(buf_bytes(&text), "CERTIFICATE", &der, NULL))
        return fail(why, ERR_CONFIG, "%s: no PEM certificate", pair->cert_path);
    TRY(cert_parse(buf_bytes(&der), ret, why));
    *ret_der = TAKE_BUF(der); /* the views stay: the memory is handed over, not copied */
    return OK;
}
