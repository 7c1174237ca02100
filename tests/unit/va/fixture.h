/* SPDX-License-Identifier: Apache-2.0 */
/* A CA in memory that answers va what a test wants, and a client that asks va and reads what it says. */
#pragma once
#include "ipc/ca_client.h"
#include "tests/unit/test.h"
#include "va/ocsp.h"
#include "va/status_watch.h"

#define NOW      1790000000 /* 2026-09-21 */
#define VALIDITY 1000       /* of an OCSP answer */
#define GOOD     "5A0000000000000000000000000000000000B1"
#define OTHER    "5A0000000000000000000000000000000000B2"

#define MUST(call)                                                                                       \
    do {                                                                                                 \
        struct why must_ = { 0 };                                                                        \
        ASSERT_OK(call, &must_);                                                                         \
    } while (0)

struct identity { struct key *key; struct buf der; struct cert cert; };

#define FAKE_CERTS 64
struct fake_cert { char serial[41]; const char *status; int64_t revoked_at; int reason; int64_t version; };
struct fake_ca {
    struct ca_client client;
    struct identity ca, other_ca;
    struct fake_cert certs[FAKE_CERTS]; size_t count;
    int64_t version;
    size_t page;                                             /* changes of one answer; 0: as many as there are */
    struct buf crl, delta;                                   /* empty: none */
    int64_t crl_number, delta_number;
    int64_t ocsp_life_s;                                     /* of an OCSP certificate */
    bool ocsp_of_other_ca, ocsp_without_purpose;
    enum err issue_err;                                      /* of issue alone */
    enum err err;                                            /* of every call; OK: they are answered */
    const char *garbage;                                     /* this verb is answered with an INTEGER */
    void (*before_answer)(struct fake_ca *fake);             /* of status_get: something happens while va waits */
    unsigned calls, status_gets, issues;
};

struct scene {
    struct fake_ca fake;
    struct clock clock;
    struct va *va;
    struct status_watch *watch;
    struct secret unlock;
    char dir[64];                                            /* keys, certs, published */
    unsigned partitions;                                     /* of "issuing", from the next scene_restart on; 0: none */
    unsigned partition;                                      /* of the next scene_crl; 0: a complete one */
};
/* With one CA "issuing" that issued GOOD and OTHER, both good, and one "node" without OCSP. */
void scene_begin(struct scene *scene);
void scene_end(struct scene *scene);
void scene_restart(struct scene *scene);                     /* va anew, on the same folder and the same ca */
struct fake_cert *scene_cert(struct scene *scene, const char *serial);   /* made when it is new: good */
void scene_revoke(struct scene *scene, const char *serial, int64_t at, enum crl_reason reason);
void scene_crl(struct scene *scene, enum download which, int64_t number, const struct identity *signer);
void identity_make(const char *name, const struct identity *issuer, struct identity *ret);

/* An OCSPRequest: serials in hexadecimal, NULL-terminated; nonce empty: none. */
struct asked { const char *serials[LIMIT_OCSP_REQUESTS + 2]; enum digest digest; struct bytes nonce; const struct identity *issuer; };
void request_make(const struct scene *scene, const struct asked *asked, struct buf *ret);
/* What an OCSPResponse says; a successful one must verify with the certificate in it, and that with the CA. */
struct said {
    enum ocsp_response_status status;
    size_t count;
    enum ocsp_cert_status certs[LIMIT_OCSP_REQUESTS];
    int64_t revoked_at, this_update, next_update;            /* of the first */
    bool has_nonce;
    uint8_t signer[32];                                      /* SHA-256 of the signer's certificate */
};
void said_read(const struct scene *scene, struct bytes der, struct said *ret);
/* ocsp_make for one certificate, without nonce; the error, or what it says. */
enum err ask(struct scene *scene, const char *serial, struct said *ret);
enum ocsp_cert_status status_now(struct scene *scene, const char *serial);   /* of ask, which must work */
