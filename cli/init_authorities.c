/* SPDX-License-Identifier: Apache-2.0 */
/* Root, issuing and node CA. The root signs here, once, and its key stays apart under a passphrase; the
   daemon never loads it. */
#include "cli/init.h"

#include "cli/root_crl.h"

#include "base/encode.h"
#include "base/file.h"
#include "x509/name.h"
#include <stdio.h>

#define YEAR_S        (365LL * 86400)
#define ROOT_YEARS    20
#define ISSUING_YEARS 10
#define BACKDATE_S    600 /* a device whose clock is a little behind still accepts the chain */

struct authority {
    const char *title; /* "Root CA" */
    int years, path_len;
    uint16_t key_usage;
};

enum err init_subject(const struct init_options *options, const char *title, struct buf *ret, struct why *why)
{
    /* Built as text in quotes, so that an organisation with a comma in its name stays one value. */
    AUTO_STR text = xasprintf("O=\"%s\",CN=\"%s %s\"", options->organisation, options->organisation, title);
    return name_from_text(text, ret, why);
}

/* Who signs: the root's key for the issuing CA, its own for a self-signed one (cert is then empty). crl and certificate: where
   the signer publishes them; NULL: nowhere. */
struct seal {
    const struct key *key;
    struct bytes cert;
    const char *crl, *certificate;
};

static enum err authority_make(const struct init_site *site, const struct authority *authority,
                               const struct key *key, const struct seal *seal, struct buf *ret,
                               struct why *why)
{
    AUTO_BUF subject = { 0 };
    AUTO_BUF tbs = { 0 };
    AUTO_BUF signature = { 0 };
    struct cert issuer = { 0 };
    uint8_t serial[SERIAL_BYTES];
    TRY(init_subject(site->options, authority->title, &subject, why));
    TRY(serial_make(site->now, serial, why));
    if (seal->cert.len)
        TRY(cert_parse(seal->cert, &issuer, why));
    const struct tbs_params params = {
        .serial = BYTES_ARR(serial),
        .algorithm = key_signature_algorithm(seal->key),
        .issuer = seal->cert.len ? issuer.subject : buf_bytes(&subject),
        .subject = buf_bytes(&subject),
        .spki = public_key_spki(key->public_half),
        .not_before = site->now - BACKDATE_S,
        .not_after = site->now + authority->years * YEAR_S,
        .key_usage = authority->key_usage,
        .is_ca = true,
        .path_len = authority->path_len,
        .issuer_key_id = issuer.ski,
        .cdp = &seal->crl,
        .cdp_count = seal->crl ? 1 : 0,
        .aia_ca_issuers = &seal->certificate,
        .aia_ca_issuers_count = seal->certificate ? 1 : 0,
    };
    TRY(tbs_build(&params, &tbs, why));
    TRY(tbs_lint(buf_bytes(&tbs), why));
    TRY(key_sign(seal->key, params.algorithm.digest, buf_bytes(&tbs), &signature, why));
    signed_assemble(buf_bytes(&tbs), params.algorithm, buf_bytes(&signature), ret);
    return OK;
}

static const struct authority root_ca = { "Root CA", ROOT_YEARS, -1, KU_KEY_CERT_SIGN | KU_CRL_SIGN };
/* digitalSignature: clients that use the CA directly look for it (RFC 8894 2.1.2, spec interop.md). */
static const struct authority issuing_ca = { "Issuing CA", ISSUING_YEARS, 0,
                                             KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE };
static const struct authority node_ca = { "Node CA", ISSUING_YEARS, 0, KU_KEY_CERT_SIGN | KU_CRL_SIGN };

/* For va: the root's certificate and its first CRL. */
static enum err root_publish_all(const struct init_site *site, const struct key *key, struct why *why)
{
    AUTO_BUF crl = { 0 };
    struct cert root;
    TRY(cert_parse(buf_bytes(&site->root), &root, why));
    TRY(root_crl_make(key, &root, site->now, &crl, why));
    TRY(root_publish(site->config, "root.crt", buf_bytes(&site->root), why));
    return root_publish(site->config, "root.crl", buf_bytes(&crl), why);
}

static enum err root_make(struct init_site *site, const struct secret *passphrase, struct key **ret_key,
                          struct why *why)
{
    const struct key_spec *issuing = &site->options->ca_key;
    const struct key_spec spec = { .kind = issuing->kind == KEY_RSA ? KEY_RSA : KEY_EC_P384,
                                   .rsa_bits = 4096 };
    AUTO(key) key = NULL;
    TRY(key_generate(&spec, site->gate, &key, why));
    TRY(authority_make(site, &root_ca, key, &(struct seal){ .key = key }, &site->root, why));
    AUTO_STR key_path = xasprintf("%s/root-1.key.pem", site->paths.root);
    AUTO_STR cert_path = xasprintf("%s/root-1.crt.pem", site->paths.root);
    AUTO_BUF pem = { 0 };
    pem_append(&pem, "CERTIFICATE", buf_bytes(&site->root));
    TRY(key_file_save(key, key_path, passphrase, KEY_PROTECT_PASSPHRASE, why));
    TRY(file_write_new(cert_path, buf_bytes(&pem), 0444, why));
    TRY(root_publish_all(site, key, why));
    *ret_key = TAKE(key);
    return OK;
}

/* A key of signer: saved under signer's unlock secret, its certificate beside it and with everybody who shows
 * it. */
static enum err signer_key_save(const struct init_site *site, const struct key *key, const char *name,
                                struct bytes cert, struct why *why)
{
    struct secret unlock = { 0 };
    TRY(site_unlock(site->config, "signer", &unlock, why));
    AUTO_STR file = xasprintf("keys/%s-1.key.pem", name);
    AUTO_STR path = config_role_path(site->config, "signer", file);
    enum err err = key_file_save(key, path, &unlock, KEY_PROTECT_SECRET, why);
    secret_free(&unlock);
    TRY(err);
    AUTO_STR generation = xasprintf("%s-1", name);
    TRY(site_write_cert(site->config, "signer", generation, &cert, 1, why));
    return site_write_cert(site->config, "ca", name, &cert, 1, why);
}

enum err init_authorities(struct init_site *site, const struct secret *root_passphrase, struct why *why)
{
    AUTO(key) root = NULL;
    AUTO(key) issuing = NULL;
    AUTO(key) node = NULL;
    const struct key_spec node_spec = { .kind = KEY_EC_P256 };
    TRY(root_make(site, root_passphrase, &root, why));
    TRY(key_generate(&site->options->ca_key, site->gate, &issuing, why));
    TRY(authority_make(
        site, &issuing_ca, issuing,
        &(struct seal){ root, buf_bytes(&site->root), site->urls.root_crl, site->urls.root_certificate },
        &site->issuing, why));
    TRY(signer_key_save(site, issuing, "ca-issuing", buf_bytes(&site->issuing), why));
    TRY(key_generate(&node_spec, site->gate, &node, why));
    TRY(authority_make(site, &node_ca, node, &(struct seal){ .key = node }, &site->node, why));
    TRY(signer_key_save(site, node, "ca-node", buf_bytes(&site->node), why));
    const struct bytes root_der = buf_bytes(&site->root), issuing_der = buf_bytes(&site->issuing);
    TRY(site_write_cert(site->config, "ca", "ca-issuing-root", &root_der, 1, why));
    TRY(site_write_cert(site->config, "scep", "ca-issuing", &issuing_der, 1, why));
    return site_write_cert(site->config, "scep", "ca-issuing-root", &root_der, 1, why);
}
