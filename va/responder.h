/* SPDX-License-Identifier: Apache-2.0 */
/* The delegated OCSP signer of one CA (RFC 6960 4.2.2.2): a key that va makes and keeps, with a certificate from ca. Generations: the
   old one signs until the new one is there, and what it signed is good as long as its certificate is. */
#pragma once
#include "base/auto.h"
#include "x509/cert.h"
#include "x509/ocsp.h"

struct responder;
/* Where its files are: keys_dir/ocsp-CA-N.key.pem and certs_dir/ocsp-CA-N.crt.pem. All borrowed. */
struct responder_source {
    const char *keys_dir, *certs_dir;
    const char *ca;                                          /* the CA's name */
    const struct cert *issuer; const struct public_key *issuer_key;
    const struct secret *unlock; struct key_gate *gate;
    struct key_spec spec;                                    /* of a new key */
};
/* The newest generation that has all it needs and has not ended at `now`. ERR_NOT_FOUND: there is none; keys and certificates that
   cannot be used are logged and passed over. */
NODISCARD enum err responder_load(const struct responder_source *source, int64_t now, struct responder **ret, struct why *why);
/* A new generation: its key is made and saved first, or the one that an earlier try left is taken; then ca is asked. */
struct ca_client;
NODISCARD enum err responder_renew(const struct responder_source *source, struct ca_client *ca, int64_t now,
                                   struct responder **ret, struct why *why);
struct responder *responder_ref(struct responder *responder);   /* NULL stays NULL */
void responder_unref(struct responder *responder);
static inline void responder_free(struct responder *responder)  /* for AUTO() */
{
    responder_unref(responder);
}
AUTO_DECLARE(responder)
int responder_generation(const struct responder *responder);
struct bytes responder_serial(const struct responder *responder);   /* magnitude */
int64_t responder_not_after(const struct responder *responder);
bool responder_is_due(const struct responder *responder, int64_t now);   /* half of its life is over, or it is NULL */

/* A whole OCSPResponse. Fills in the responder's key identifier; nextUpdate must not be later than responder_not_after. */
NODISCARD enum err responder_sign(const struct responder *responder, struct ocsp_params *params, struct buf *ret_der,
                                  struct why *why);
