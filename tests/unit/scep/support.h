/* SPDX-License-Identifier: Apache-2.0 */
/* A site in memory for the tests of scep: a CA, RA sets, an endpoint, a ca that answers what a test wants, and a device
   that writes pkiMessages, right and wrong ones. */
#pragma once
#include "scep/operation.h"
#include "scep/transaction.h"
#include "x509/csr.h"
#include <semaphore.h>

#define SITE_NOW    1790000000 /* 2026-09-21 */
#define SITE_PEER   "192.0.2.7"
#define DEVICE_NAME "CN=device-1,O=Example"

struct identity { struct key *key; struct buf der; struct cert cert; };
void identity_free(struct identity *identity);

struct identity_params {
    const char *subject;
    const struct identity *issuer;                           /* NULL: self-signed */
    enum key_kind kind; int rsa_bits;                        /* 0: RSA 2048 */
    const struct key *key;                                   /* borrowed by making the certificate for another key; NULL */
    uint16_t key_usage;
    bool is_ca;
    int64_t not_after;                                       /* 0: ten years */
    struct bytes eku, san;                                   /* one OID's content; whole GeneralNames. Empty: none */
};
void identity_make(const struct identity_params *params, struct identity *ret);

enum fake_mode { FAKE_ISSUE, FAKE_PENDING, FAKE_FAIL, FAKE_GARBAGE, FAKE_OTHER_KEY, FAKE_OTHER_ISSUER };
struct fake_ca {
    struct ca_client client;
    enum fake_mode mode;
    enum err err;                                            /* of FAKE_FAIL */
    atomic_uint calls;
    char verb[16];
    struct buf body;                                         /* of the last call */
    sem_t *gate;                                             /* each call waits here; NULL: none does */
    struct site *site;
};

struct site {
    struct identity root, ca, other_ca, encryption[2], signature, combined;   /* encryption[1] is the current one */
    struct identity device, stranger;                        /* self-signed */
    struct identity enrolled;                                /* a device's certificate of ca */
    struct fake_ca fake;
    struct clock clock;
    struct scep *scep;
    const struct endpoint *endpoint;                         /* default, as configured by site_options */
};
struct site_options {
    bool allow_3des, allow_sha1, fail_info_text, combined, expired;
    enum certrep_certificates certrep;
    enum get_ca_cert get_ca_cert;
    const char *validator;                                   /* NULL: static */
    const struct identity *encryption;                       /* a newer RA key than the site's; NULL: none */
};
unsigned site_decrypts(void);                                /* private-key decryptions of all RA keys so far */
/* Keys are made once per program: they take most of the time. */
struct site *site_get(void);
/* A fresh context and endpoint on them; the old ones are freed. */
struct site *site_new(const struct site_options *options);
struct endpoint_set *site_endpoints(struct site *site, const struct site_options *options);
void site_end(void);
/* The RA set of the site by itself. */
struct ra_set *site_ra_set(struct site *site, const struct site_options *options);
struct key *key_share(const struct key *key);                /* a key of its own that uses another's */

/* What the device sends; zero values are those of a good PKCSReq. */
struct device_message {
    const char *type; uint8_t type_tag;                      /* "19", PrintableString; "" with no_type */
    bool no_type;
    const char *transaction; uint8_t transaction_tag; bool no_transaction;
    size_t nonce_len; bool no_nonce;                         /* 16 */
    uint8_t nonce_tag;
    struct bytes more_attributes;
    enum digest digest; enum cipher cipher; enum transport transport; struct oaep oaep;
    const struct identity *signer;                           /* device */
    const struct identity *recipient;                        /* encryption[1] */
    struct bytes content;                                    /* sealed; empty: device_csr */
    struct bytes envelope;                                   /* as it is, instead of sealing content */
    bool no_content;
};
void device_csr(const struct identity *device, const char *challenge, struct buf *ret);
void device_issuer_and(const struct identity *ca, bool subject, struct bytes second, struct buf *ret);
void device_write(struct site *site, const struct device_message *message, struct buf *ret);
void device_seal(struct site *site, const struct device_message *message, struct buf *ret);

/* Runs it and gives the answer; caller frees. */
struct pki_answer site_run(struct site *site, struct bytes message);
/* A CertRep as the device reads it, checked with the RA's certificate; NULL-safe text fields. */
struct reply {
    struct cms_signed cms;
    char status[4], fail_info[4];                            /* "" when absent */
    struct bytes transaction_id, recipient_nonce, sender_nonce;
    bool has_recipient_nonce, has_fail_text;
    struct buf payload;                                      /* opened messageData; empty when there is none */
    struct cms_enveloped envelope;
};
void reply_read(struct site *site, const struct identity *device, struct bytes message, struct reply *ret);
void reply_free(struct reply *reply);
/* status and failInfo of the answer to this message: "2/1", "0/", "3/"; "http 400" */
const char *site_verdict(struct site *site, const struct device_message *message, char ret[static 16]);
/* Certificates in a certs-only (or any) SignedData, as OpenSSL reads it. */
size_t openssl_cert_count(struct bytes cms);
struct buf openssl_cert_at(struct bytes cms, size_t index);
/* c = m^e mod n: what no honest client sends. */
struct buf openssl_raw_encrypt(struct bytes spki, struct bytes block);
struct key *openssl_rsa_key(unsigned bits);                  /* smaller than we ever make; signs with SHA-256 only */
bool openssl_certrep_verifies(struct bytes der, struct bytes ra_certificate);
