/* SPDX-License-Identifier: Apache-2.0 */
/* A management service, certification authorities with CRP keys, and a device: what the tests of challenges share. */
#pragma once
#include "base/auto.h"
#include "challenge/challenge.h"
#include "tests/support/evp_key.h"
#include "tests/unit/test.h"

#define NOW 1790000000                                       /* 2026-09-21 */

struct side {                                                /* somebody with a key and a certificate */
    struct key *key;
    struct buf der;
    struct cert cert;
};
void side_init(struct side *side, const char *name, uint8_t serial);       /* P-256 */
void side_init_key(struct side *side, const char *name, uint8_t serial, struct key *key);
void side_free(struct side *side);
struct challenge_peer side_peer(const struct side *side);
struct challenge_own side_own(const struct side *side);

struct site {
    struct side mdm, mdm_before, stranger, crp, crp_before, other_crp;
    struct challenge_peer recipients[LIMIT_CHALLENGE_RECIPIENTS + 1], signers[2];
    struct challenge_own own[2];
    struct challenge_seal_params seal;                       /* mdm's, to crp */
    struct challenge_keys keys;                              /* crp's and its predecessor's; pinned: mdm and its predecessor */
    struct buf subject, san, eku;
    struct challenge challenge;                              /* of a Windows device: RSA-2048, two SANs, clientAuth */
};
void site_init(struct site *site);
void site_free(struct site *site);
struct buf site_sealed(const struct site *site);             /* caller frees */

/* Whole DER from text, for tests that write names and SANs down. san: "dns:a, upn:b"; empty: nothing */
struct buf name_der(const char *text);
struct buf san_der(const char *text);
struct buf eku_der(const char *names);                       /* "clientAuth 1.2.3": content of ExtKeyUsageSyntax */
