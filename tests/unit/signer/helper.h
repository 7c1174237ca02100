/* SPDX-License-Identifier: Apache-2.0 */
/* A CA in a temporary folder, and TBSs for it, for the tests of signer/. */
#pragma once
#include "tests/unit/test.h"

#include "base/auto.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "signer/signer.h"
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/name.h"
#include "x509/san.h"
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW    INT64_C(1790000000) /* 2026-09-21 */
#define DAY    INT64_C(86400)
#define UNLOCK "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

struct site {
    char dir[64];
    struct clock clock;
    struct secret unlock;
    struct config *config;
    struct signer *signer;
    struct buf ca_name, ca_ski, leaf_spki;
    struct key *ca_key;
};

static inline int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info, (void)kind, (void)ftw;
    return remove(path);
}

static inline char *site_file(const struct site *site, const char *file)
{
    return xasprintf("%s/lib/signer/%s", site->dir, file);
}

static inline void site_config(struct site *site, const char *more)
{
    struct why why;
    AUTO_STR path = xasprintf("%s/chancery.conf", site->dir);
    AUTO_STR text = xasprintf("mode = user\netc_dir = \"%s/etc\"\nstate_dir = \"%s/lib\"\nca \"issuing\" { "
                              "validity_max = 100\n %s }\n",
                              site->dir, site->dir, more);
    ASSERT_OK(file_write(path, bytes_str(text), 0600, &why), &why);
    config_free(site->config);
    site->config = NULL;
    ASSERT_OK(config_load(path, &site->config, &why), &why);
}

static inline void site_sign(const struct key *key, struct bytes tbs, struct buf *ret_der)
{
    struct why why;
    AUTO_BUF signature = { 0 };
    struct signature_algorithm algorithm = key_signature_algorithm(key);
    ASSERT_OK(key_sign(key, algorithm.digest, tbs, &signature, &why), &why);
    signed_assemble(tbs, algorithm, buf_bytes(&signature), ret_der);
}

/* A self-issued CA certificate for key, under that file name. */
static inline void site_ca(struct site *site, const struct key *key, uint16_t usage, bool is_ca,
                           const char *file)
{
    struct why why;
    uint8_t ski[20];
    AUTO_BUF tbs = { 0 };
    AUTO_BUF der = { 0 };
    AUTO_BUF pem = { 0 };
    AUTO_STR path = site_file(site, file);
    ASSERT_OK(spki_key_identifier(public_key_spki(key->public_half), ski, &why), &why);
    struct tbs_params params = { .serial = BYTES_LIT(
                                     "\x11\x22\x33\x44\x55\x66\x77\x88\x11\x22\x33\x44\x55\x66\x77\x88"),
                                 .algorithm = key_signature_algorithm(key),
                                 .issuer = buf_bytes(&site->ca_name),
                                 .subject = buf_bytes(&site->ca_name),
                                 .spki = public_key_spki(key->public_half),
                                 .not_before = site->clock.held - 10 * DAY,
                                 .not_after = site->clock.held + 150 * DAY,
                                 .key_usage = usage,
                                 .is_ca = is_ca,
                                 .path_len = is_ca ? 0 : -1 };
    ASSERT_OK(tbs_build(&params, &tbs, &why), &why);
    site_sign(key, buf_bytes(&tbs), &der);
    pem_append(&pem, "CERTIFICATE", buf_bytes(&der));
    ASSERT_OK(file_write(path, buf_bytes(&pem), 0444, &why), &why);
    buf_free(&site->ca_ski);
    site->ca_ski = buf_dup(BYTES_ARR(ski));
}

static inline void site_make_at(struct site *site, int64_t now)
{
    struct why why;
    *site = (struct site){ .dir = "/tmp/chancery-signer-XXXXXX", .clock = clock_held_at(now) };
    assert_non_null(mkdtemp(site->dir));
    AUTO_STR keys = site_file(site, "keys");
    AUTO_STR certs = site_file(site, "certs");
    AUTO_STR key_path = site_file(site, "keys/ca-issuing-1.key.pem");
    ASSERT_OK(dir_make(keys, 0700, &why), &why);
    ASSERT_OK(dir_make(certs, 0755, &why), &why);
    secret_heap_open(LIMIT_SECRET_HEAP_BYTES);
    site->unlock = secret_dup(BYTES_LIT(UNLOCK));
    ASSERT_OK(name_from_text("CN=Issuing CA,O=Example", &site->ca_name, &why), &why);
    const struct key_spec spec = { .kind = KEY_EC_P256 };
    ASSERT_OK(key_generate(&spec, NULL, &site->ca_key, &why), &why);
    ASSERT_OK(key_file_save(site->ca_key, key_path, &site->unlock, KEY_PROTECT_SECRET, &why), &why);
    AUTO(key) leaf = NULL;
    ASSERT_OK(key_generate(&spec, NULL, &leaf, &why), &why);
    site->leaf_spki = buf_dup(public_key_spki(leaf->public_half));
    site_config(site, "");
    site_ca(site, site->ca_key, KU_KEY_CERT_SIGN | KU_CRL_SIGN, true, "certs/ca-issuing-1.crt.pem");
}

static inline void site_make(struct site *site)
{
    site_make_at(site, NOW);
}

static inline void site_open(struct site *site)
{
    struct why why;
    ASSERT_OK(signer_open(site->config, &site->unlock, NULL, &site->clock, &site->signer, &why), &why);
}

static inline void site_reopen(struct site *site)
{
    signer_free(TAKE(site->signer));
    site_open(site);
}

static inline void site_close(struct site *site)
{
    signer_free(site->signer);
    config_free(site->config);
    secret_free(&site->unlock);
    key_free(site->ca_key);
    buf_free(&site->ca_name);
    buf_free(&site->ca_ski);
    buf_free(&site->leaf_spki);
    (void)nftw(site->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* What a device gets: good in every respect. Tests change one field. */
struct leaf {
    struct tbs_params params;
    uint8_t serial[SERIAL_BYTES];
    struct bytes eku[4];
    struct buf subject;
};

static inline void leaf_make(const struct site *site, struct leaf *leaf)
{
    struct why why;
    memset(leaf, 0, sizeof(*leaf));
    ASSERT_OK(serial_make(site->clock.held, leaf->serial, &why), &why);
    ASSERT_OK(name_from_text("CN=device-7", &leaf->subject, &why), &why);
    leaf->eku[0] = oid_bytes(OID_KP_CLIENT_AUTH);
    leaf->params = (struct tbs_params){ .serial = BYTES_ARR(leaf->serial),
                                        .algorithm = key_signature_algorithm(site->ca_key),
                                        .issuer = buf_bytes(&site->ca_name),
                                        .subject = buf_bytes(&leaf->subject),
                                        .spki = buf_bytes(&site->leaf_spki),
                                        .not_before = site->clock.held - 600,
                                        .not_after = site->clock.held + 90 * DAY,
                                        .key_usage = KU_DIGITAL_SIGNATURE,
                                        .eku = leaf->eku,
                                        .eku_count = 1,
                                        .path_len = -1,
                                        .issuer_key_id = buf_bytes(&site->ca_ski) };
}

static inline void leaf_tbs(struct leaf *leaf, struct buf *ret_tbs)
{
    struct why why;
    ASSERT_OK(tbs_build(&leaf->params, ret_tbs, &why), &why);
    buf_free(&leaf->subject);
}

static inline void good_tbs(const struct site *site, struct buf *ret_tbs)
{
    struct leaf leaf;
    leaf_make(site, &leaf);
    leaf_tbs(&leaf, ret_tbs);
}

static inline struct crl_params crl_good(const struct site *site, int64_t number)
{
    return (struct crl_params){ .algorithm = key_signature_algorithm(site->ca_key),
                                .issuer = buf_bytes(&site->ca_name),
                                .issuer_key_id = buf_bytes(&site->ca_ski),
                                .this_update = site->clock.held,
                                .next_update = site->clock.held + 8 * DAY,
                                .number = number };
}

static inline void crl_tbs(const struct crl_params *params, struct buf *ret_tbs)
{
    struct crl_builder builder = { 0 };
    const struct crl_entry entry = { BYTES_LIT("\x55\x66"), params->this_update, CRL_SUPERSEDED };
    crl_begin(&builder, params);
    crl_add(&builder, &entry);
    crl_end(&builder, ret_tbs);
}

static inline enum err seal_kind(const struct site *site, enum seal_kind kind, struct bytes tbs,
                                 struct buf *ret_der, struct why *why)
{
    const struct seal_request request = { BYTES_LIT("issuing"), kind, tbs };
    return signer_seal(site->signer, &request, ret_der, why);
}

static inline enum err seal_cert(const struct site *site, struct bytes tbs, struct buf *ret_der,
                                 struct why *why)
{
    return seal_kind(site, SEAL_CERTIFICATE, tbs, ret_der, why);
}
