/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints: from their configuration to what the loop thread answers without thinking. */
#include "scep/endpoint.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "http/path.h"
#include "scep/route.h"
#include "x509/cms.h"
#include "x509/name.h"
#include <stdatomic.h>

struct endpoint_set {
    atomic_uint references;
    struct endpoint *endpoints;
    size_t count;
    struct ra_set **ra_sets;
    size_t ra_count;
};

bool validator_is_policy_module(const char *validator)
{
    return strcmp(validator, "managed") == 0;
}

/* RFC 8894 2.9 and spec scep.md: SHA-1 only where the endpoint says so. */
bool endpoint_allows_digest(const struct endpoint *endpoint, enum digest digest)
{
    return digest != DIGEST_SHA1 || endpoint->allow_sha1;
}

/* AES-192 is in nobody's capability list, so it is in nobody's answer. */
bool endpoint_allows_cipher(const struct endpoint *endpoint, enum cipher cipher)
{
    if (cipher == CIPHER_DES_EDE3_CBC)
        return endpoint->allow_3des;
    if (cipher == CIPHER_DES_CBC)
        return endpoint->allow_des;
    return cipher == CIPHER_AES128_CBC || cipher == CIPHER_AES256_CBC;
}

void endpoint_clear(struct endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->path_count; i++)
        free(endpoint->paths[i]);
    free(endpoint->paths);
    free(endpoint->name);
    free(endpoint->ca);
    buf_free(&endpoint->issuer.der);
    buf_free(&endpoint->root.der);
    public_key_free(endpoint->issuer_key);
    buf_free(&endpoint->caps);
    buf_free(&endpoint->ca_cert);
    *endpoint = (struct endpoint){ 0 };
}

/* --- what is answered beforehand --- */

/* One capability a line, each by its own name: jscep falls back to DES and MD5 when AES and SHA-256 are only implied by
   SCEPStandard (spec interop.md). Only what is true: RFC 8894 3.5.2. SHA-384 is not among that RFC's names, but strongSwan
   5.9.8 tests bits of its own numbering and takes a server without it for one that knows neither SHA-256 nor AES. */
static void caps_make(struct endpoint *endpoint)
{
    buf_append_str(&endpoint->caps, "POSTPKIOperation\nAES\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n");
    if (endpoint->allow_3des)
        buf_append_str(&endpoint->caps, "DES3\n");
    if (endpoint->allow_sha1)
        buf_append_str(&endpoint->caps, "SHA-1\n");
}

/* The order is NDES's: CEP Encryption, Enrollment Agent, issuing CA. */
static enum err ca_cert_make(struct endpoint *endpoint, enum get_ca_cert shape, struct why *why)
{
    struct bytes certs[4];
    size_t count = 0;
    if (shape == GET_CA_CERT_CA) {
        endpoint->ca_cert_type = "application/x-x509-ca-cert";
        buf_append(&endpoint->ca_cert, buf_bytes(&endpoint->issuer.der));
        return OK;
    }
    certs[count++] = buf_bytes(&ra_set_recipient(endpoint->ra)->der);
    if (!endpoint->ra->combined)
        certs[count++] = buf_bytes(&ra_set_signer(endpoint->ra)->der);
    if (shape != GET_CA_CERT_RA)
        certs[count++] = buf_bytes(&endpoint->issuer.der);
    if (shape == GET_CA_CERT_CHAIN &&
        !bytes_equal(buf_bytes(&endpoint->root.der), buf_bytes(&endpoint->issuer.der)))
        certs[count++] = buf_bytes(&endpoint->root.der);
    endpoint->ca_cert_type = "application/x-x509-ca-ra-cert";
    return cms_certs_encode(certs, count, &endpoint->ca_cert, why);
}

/* --- one endpoint --- */

/* Both shapes of the URL: Windows adds /pkiclient.exe, Android does not (spec interop.md). */
static enum err path_add(struct endpoint *endpoint, const char *path, struct why *why)
{
    AUTO_STR clean = path_normalise(bytes_str(path));
    if (!clean)
        return fail(why, ERR_CONFIG,
                    "endpoint %s: path \"%s\" is none: it begins with / and escapes as in a URL",
                    endpoint->name, path);
    endpoint->paths[endpoint->path_count++] =
        xasprintf("%s/pkiclient.exe", strcmp(clean, "/") == 0 ? "" : clean);
    endpoint->paths[endpoint->path_count++] = TAKE(clean);
    return OK;
}

static enum err paths_make(struct endpoint *endpoint, const struct endpoint_params *params, struct why *why)
{
    endpoint->paths = xcalloc(2 * params->path_count + ROUTE_STANDARD_COUNT + 2, sizeof(char *));
    if (strcmp(params->name, "default") == 0) {
        for (size_t i = 0; i < ROUTE_STANDARD_COUNT; i++)
            endpoint->paths[endpoint->path_count++] = xstrdup(route_standard[i]);
    } else {
        AUTO_STR own = xasprintf("/scep/%s", params->name);
        TRY(path_add(endpoint, own, why));
    }
    for (size_t i = 0; i < params->path_count; i++)
        TRY(path_add(endpoint, params->paths[i], why));
    return OK;
}

static enum err ca_certificate_copy(struct bytes der, struct ca_certificate *ret, struct why *why)
{
    ret->der = buf_dup(der);
    TRY(cert_parse(buf_bytes(&ret->der), &ret->cert, why));
    if (!ret->cert.is_ca)
        return fail(why, ERR_CONFIG, "certificate has no cA in basicConstraints, an issuer needs it");
    return OK;
}

static enum err endpoint_fill(struct endpoint *endpoint, const struct endpoint_params *params,
                              struct why *why)
{
    TRY(paths_make(endpoint, params, why));
    TRY(ca_certificate_copy(params->issuer, &endpoint->issuer, why));
    TRY(ca_certificate_copy(params->root, &endpoint->root, why));
    TRY(public_key_parse(endpoint->issuer.cert.spki, &endpoint->issuer_key, why));
    TRY(ra_set_check(params->ra, &endpoint->issuer.cert, endpoint->issuer_key, why));
    caps_make(endpoint);
    return ca_cert_make(endpoint, params->get_ca_cert, why);
}

enum err endpoint_make(const struct endpoint_params *params, struct endpoint *ret, struct why *why)
{
    /* A4: without a validator nobody would be asked whether this device may have a certificate. */
    if (!FAULT(endpoint_validator) && params->validator[0] == '\0')
        return fail(why, ERR_CONFIG,
                    "endpoint %s: no validator, one of static, one-time, managed, manual is needed",
                    params->name);
    struct endpoint endpoint = {
        .name = xstrdup(params->name),
        .ca = xstrdup(params->ca),
        .policy_module = validator_is_policy_module(params->validator),
        .allow_des = params->allow_des,
        .allow_3des = params->allow_3des,
        .allow_sha1 = params->allow_sha1,
        .fail_info_text = params->fail_info_text,
        .certrep = params->certrep,
        .ra = params->ra,
    };
    enum err err = endpoint_fill(&endpoint, params, why);
    if (err != OK) {
        endpoint_clear(&endpoint);
        return err;
    }
    *ret = endpoint;
    return OK;
}

/* --- a set of them --- */

struct endpoint_set *endpoint_set_new(struct endpoint *endpoints, size_t count, struct ra_set **ra_sets,
                                      size_t ra_count)
{
    struct endpoint_set *set = xcalloc(1, sizeof(*set));
    atomic_init(&set->references, 1);
    set->endpoints = endpoints;
    set->count = count;
    set->ra_sets = ra_sets;
    set->ra_count = ra_count;
    return set;
}

struct endpoint_set *endpoint_set_ref(struct endpoint_set *set)
{
    atomic_fetch_add(&set->references, 1);
    return set;
}

void endpoint_set_unref(struct endpoint_set *set)
{
    if (!set || atomic_fetch_sub(&set->references, 1) != 1)
        return;
    for (size_t i = 0; i < set->count; i++)
        endpoint_clear(&set->endpoints[i]);
    for (size_t i = 0; i < set->ra_count; i++)
        ra_set_free(set->ra_sets[i]);
    free(set->endpoints);
    free(set->ra_sets);
    free(set);
}

size_t endpoint_set_count(const struct endpoint_set *set)
{
    return set->count;
}

const struct endpoint *endpoint_set_at(const struct endpoint_set *set, size_t index)
{
    return &set->endpoints[index];
}

static bool endpoint_answers(const struct endpoint *endpoint, const char *path)
{
    for (size_t i = 0; i < endpoint->path_count; i++) {
        if (strcmp(endpoint->paths[i], path) == 0)
            return true;
    }
    return false;
}

const struct endpoint *endpoint_find(const struct endpoint_set *set, const char *path)
{
    for (size_t i = 0; i < set->count; i++) {
        if (endpoint_answers(&set->endpoints[i], path))
            return &set->endpoints[i];
    }
    return NULL;
}

static void des_warn(const struct endpoint_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->endpoints[i].allow_des)
            log_warn(NULL,
                     "endpoint allows single DES, which anybody can break: allow_des is for trying old "
                     "clients only "
                     "endpoint=%s",
                     set->endpoints[i].name);
    }
}

void endpoint_set_warn(const struct endpoint_set *set, int64_t now)
{
    des_warn(set);
    for (size_t i = 0; i < set->ra_count; i++) {
        const struct ra_set *ra = set->ra_sets[i];
        int64_t end = ra_set_end(ra);
        char text[21];
        clock_rfc3339(end, text);
        if (end < now)
            log_error(NULL, "RA certificate expired: %s ra_set=%s not_after=%s diagnosis=%s",
                      err_row(ERR_RA_EXPIRED)->remedy, ra->name, text, err_row(ERR_RA_EXPIRED)->diagnosis);
        else if (end - now < RA_WARN_S)
            log_warn(
                NULL,
                "RA certificate expires soon and was not renewed: chancery ra renew ra_set=%s not_after=%s",
                ra->name, text);
    }
}

/* --- from the configuration --- */

struct loading {
    const struct config *config;
    struct ra_source source;
    struct endpoint *endpoints;
    size_t count;
    struct ra_set **ra_sets;
    size_t ra_count;
};

static enum err certificate_read(const struct loading *loading, const char *file, struct buf *ret,
                                 struct why *why)
{
    AUTO_STR path = xasprintf("%s/%s", loading->source.certs_dir, file);
    AUTO_BUF text = { 0 };
    TRY(file_read(path, LIMIT_TEXT_FILE_BYTES, &text, why));
    if (!pem_decode(buf_bytes(&text), "CERTIFICATE", ret, NULL))
        return fail(why, ERR_CONFIG, "%s: no PEM certificate", path);
    return OK;
}

/* Endpoints share RA sets: a set is loaded once, so that its keys are in memory once. */
static enum err ra_set_get(struct loading *loading, const struct config_section *section,
                           const struct ra_set **ret, struct why *why)
{
    const char *name = config_str(section, "ra_set");
    bool combined = strcmp(config_str(section, "ra"), "combined") == 0;
    for (size_t i = 0; i < loading->ra_count; i++) {
        *ret = loading->ra_sets[i];
        if (strcmp((*ret)->name, name) == 0 && (*ret)->combined == combined)
            return OK;
    }
    struct ra_set *set = NULL;
    TRY(ra_set_load(&loading->source, name, combined, &set, why));
    loading->ra_sets[loading->ra_count++] = set;
    *ret = set;
    return OK;
}

static int word_index(const char *word, const char *const *words, int count)
{
    int i = 0;
    while (i < count - 1 && strcmp(word, words[i]) != 0)
        i++;
    return i;
}

static void params_fill(const struct config_section *section, struct endpoint_params *params)
{
    static const char *const shapes[] = { "ra-and-ca", "ra", "chain", "ca" };
    static const char *const contents[] = { "leaf", "ca", "chain" };
    params->name = config_title(section);
    params->validator = config_str(section, "validator");
    params->ca = config_str(section, "ca");
    params->allow_des = config_bool(section, "allow_des");
    params->allow_3des = config_bool(section, "allow_3des");
    params->allow_sha1 = config_bool(section, "allow_sha1");
    params->fail_info_text = config_bool(section, "fail_info_text");
    params->get_ca_cert = (enum get_ca_cert)word_index(config_str(section, "get_ca_cert"), shapes, 4);
    params->certrep =
        (enum certrep_certificates)word_index(config_str(section, "certrep_certificates"), contents, 3);
}

static enum err endpoint_load(struct loading *loading, const struct config_section *section, struct why *why)
{
    struct endpoint_params params = { 0 };
    params_fill(section, &params);
    TRY(ra_set_get(loading, section, &params.ra, why));
    AUTO_STR issuer_file = xasprintf("ca-%s.crt.pem", config_str(section, "ca"));
    AUTO_STR root_file = xasprintf("ca-%s-root.crt.pem", config_str(section, "ca"));
    AUTO_BUF issuer = { 0 }, root = { 0 };
    TRY(certificate_read(loading, issuer_file, &issuer, why));
    TRY(certificate_read(loading, root_file, &root, why));
    params.issuer = buf_bytes(&issuer);
    params.root = buf_bytes(&root);
    params.path_count = config_list_count(section, "paths");
    const char **paths = xcalloc(params.path_count + 1, sizeof(*paths));
    for (size_t i = 0; i < params.path_count; i++)
        paths[i] = config_list_at(section, "paths", i);
    params.paths = paths;
    enum err err = endpoint_make(&params, &loading->endpoints[loading->count], why);
    free(paths);
    TRY(err);
    loading->count++;
    return OK;
}

/* Two endpoints at one path: the second could never be reached, and nobody would know which one answers. */
static enum err paths_check(const struct loading *loading, struct why *why)
{
    for (size_t i = 1; i < loading->count; i++) {
        const struct endpoint *endpoint = &loading->endpoints[i];
        for (size_t p = 0; p < endpoint->path_count; p++) {
            for (size_t other = 0; other < i; other++) {
                if (endpoint_answers(&loading->endpoints[other], endpoint->paths[p]))
                    return fail(why, ERR_CONFIG, "path %s belongs to both endpoint %s and endpoint %s",
                                endpoint->paths[p], loading->endpoints[other].name, endpoint->name);
            }
        }
    }
    return OK;
}

static enum err endpoints_load(struct loading *loading, struct why *why)
{
    size_t count = config_count(loading->config, "endpoint");
    if (count == 0)
        return fail(why, ERR_CONFIG, "no endpoint in %s, the scep role needs one",
                    config_path(loading->config));
    loading->endpoints = xcalloc(count, sizeof(*loading->endpoints));
    loading->ra_sets = xcalloc(count, sizeof(struct ra_set *));
    for (size_t i = 0; i < count; i++)
        TRY(endpoint_load(loading, config_at(loading->config, "endpoint", i), why));
    return paths_check(loading, why);
}

enum err endpoint_set_load(const struct config *config, const struct secret *unlock, struct key_gate *gate,
                           struct endpoint_set **ret, struct why *why)
{
    AUTO_STR keys_dir = config_role_path(config, "scep", "keys");
    AUTO_STR certs_dir = config_role_path(config, "scep", "certs");
    struct loading loading = { .config = config, .source = { keys_dir, certs_dir, unlock, gate } };
    enum err err = endpoints_load(&loading, why);
    struct endpoint_set *set =
        endpoint_set_new(loading.endpoints, loading.count, loading.ra_sets, loading.ra_count);
    if (err != OK) {
        endpoint_set_unref(set);
        return err;
    }
    *ret = set;
    return OK;
}
