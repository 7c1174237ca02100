/* SPDX-License-Identifier: Apache-2.0 */
/* Finds, loads and matches the key and the certificate of one CA. */
#include "signer/authority.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/limits.h"

#include <dirent.h>
#include <errno.h>

#define KEY_SUFFIX ".key.pem"

/* The generation in "ca-NAME-N.key.pem", 0 when the file is something else. */
static long generation_of(const char *file, const char *prefix)
{
    size_t len = strlen(prefix);
    if (strncmp(file, prefix, len) != 0)
        return 0;
    const char *digits = file + len;
    size_t count = strspn(digits, "0123456789");
    if (count == 0 || count > 9 || strcmp(digits + count, KEY_SUFFIX) != 0)
        return 0;
    return strtol(digits, NULL, 10);
}

static enum err generation_find(const char *folder, const char *name, long *ret, struct why *why)
{
    AUTO_STR prefix = xasprintf("ca-%s-", name);
    DIR *listing = opendir(folder);
    if (!listing)
        return fail(why, ERR_KEY, "cannot read the folder %s: %s", folder, strerror(errno));
    long highest = 0;
    for (const struct dirent *entry = readdir(listing); entry; entry = readdir(listing)) {
        long generation = generation_of(entry->d_name, prefix);
        highest = generation > highest ? generation : highest;
    }
    closedir(listing);
    if (highest == 0)
        return fail(why, ERR_KEY, "CA \"%s\" has no key: %s/%s1" KEY_SUFFIX " is missing", name, folder,
                    prefix);
    *ret = highest;
    return OK;
}

static enum err cert_load(const char *path, struct authority *authority, struct why *why)
{
    AUTO_BUF text = { 0 };
    TRY(file_read(path, LIMIT_TEXT_FILE_BYTES, &text, why));
    if (!pem_decode(buf_bytes(&text), "CERTIFICATE", &authority->der, NULL))
        return fail(why, ERR_KEY, "%s has no certificate in PEM", path);
    return cert_parse(buf_bytes(&authority->der), &authority->cert, why);
}

static enum err match(const struct authority *authority, const char *path, struct why *why)
{
    const struct cert *cert = &authority->cert;
    const uint16_t needed = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
    if (!FAULT(signer_key_pair) && !bytes_equal(cert->spki, public_key_spki(authority->key->public_half)))
        return fail(why, ERR_KEY, "%s is not the certificate of the key beside it", path);
    if (!cert->is_ca || !cert->has_key_usage || (cert->key_usage & needed) != needed)
        return fail(why, ERR_KEY, "%s is no certificate of a CA that signs certificates and CRLs", path);
    if (cert->ski.len == 0)
        return fail(why, ERR_KEY, "%s has no subjectKeyIdentifier", path);
    return OK;
}

static enum err load(const struct authority_source *from, struct authority *authority, struct why *why)
{
    long generation;
    AUTO_STR keys = config_role_path(from->config, "signer", "keys");
    AUTO_STR certs = config_role_path(from->config, "signer", "certs");
    TRY(generation_find(keys, authority->name, &generation, why));
    AUTO_STR key_path = xasprintf("%s/ca-%s-%ld" KEY_SUFFIX, keys, authority->name, generation);
    AUTO_STR cert_path = xasprintf("%s/ca-%s-%ld.crt.pem", certs, authority->name, generation);
    TRY(ca_limits_read(from->config, from->section, &authority->limits, why));
    TRY(key_file_load(key_path, from->unlock, from->gate, &authority->key, why));
    TRY(cert_load(cert_path, authority, why));
    TRY(match(authority, cert_path, why));
    authority->limits.issuer = authority->cert.subject;
    authority->limits.key_id = authority->cert.ski;
    authority->limits.algorithm = key_signature_algorithm(authority->key);
    authority->limits.ca_not_after = authority->cert.not_after;
    return OK;
}

enum err authority_load(const struct authority_source *from, struct authority *ret, struct why *why)
{
    *ret = (struct authority){ .name = xstrdup(config_title(from->section)), .crl_last = { -1, -1 } };
    pthread_mutex_init(&ret->crl_lock, NULL);
    enum err err = load(from, ret, why);
    if (err != OK)
        authority_clear(ret);
    return err;
}

void authority_clear(struct authority *authority)
{
    if (!authority->name)
        return;
    pthread_mutex_destroy(&authority->crl_lock);
    key_free(authority->key);
    ca_limits_clear(&authority->limits);
    buf_free(&authority->der);
    free(authority->name);
    *authority = (struct authority){ 0 };
}
