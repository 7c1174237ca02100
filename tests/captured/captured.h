/* SPDX-License-Identifier: Apache-2.0 */
/* A scep that somebody has taken over, at the socket of a real ca: what it holds, and what it counts. */
#pragma once
#include "ipc/channel.h"
#include "ipc/enroll.h"
#include "tests/support/prng.h"
#include "x509/key.h"

struct captured {
    const char *path;                                        /* of ca's socket for scep */
    const char *endpoint, *other, *manual;                   /* one-time, one-time, manual */
    const char *spent, *kept;                                /* challenges of `endpoint`: one that was used here, one that was not */
    struct channel *channel;
    struct prng prng;
    struct key *key, *stranger;                              /* of the request that was issued; and one without any right */
    struct buf self_signed, stranger_cert, csr;              /* csr: with the spent challenge */
    struct buf certificate;                                  /* what was rightly issued for it */
    unsigned tries, wrongs;
};
/* One call, judged: a certificate other than the rightful one, or a yes to a verb that is not scep's, is a wrong. OK when the peer said ok. */
enum err captured_try(struct captured *it, const char *verb, struct bytes body);
enum err captured_request(struct captured *it, const struct enroll_request *request);
void captured_wrong(struct captured *it, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Each a family of tries. */
void try_verbs(struct captured *it);
void try_issue(struct captured *it);
void try_challenges(struct captured *it);
void try_endpoints(struct captured *it);
void try_signers(struct captured *it);
void try_forged_csrs(struct captured *it);
void try_polls(struct captured *it);
void try_mutants(struct captured *it);
void try_frames(struct captured *it);

/* A request of that key with that challenge (NULL: none). */
struct buf captured_csr(const struct key *key, const char *challenge, const char *subject);
