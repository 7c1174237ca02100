/* SPDX-License-Identifier: Apache-2.0 */
/* Builds PKCSReq pkiMessages as devices do, and broken in named ways, for tests. */
#pragma once
#include "tests/support/prng.h"
#include "x509/cms.h"

enum shape_kind { SHAPE_PLAIN, SHAPE_WINDOWS, SHAPE_IOS };
enum shape_break { BREAK_NOTHING, BREAK_CMS_SIGNATURE, BREAK_CSR_SIGNATURE, BREAK_PADDING, BREAK_LENGTH, BREAK_KEY,
                   BREAK_CONTENT };
struct shape {
    enum shape_kind kind;
    enum shape_break breaks;
    const struct bytes *recipients; size_t recipient_count;  /* certificates, whole DER */
    bool recipient_twice, recipient_none;
    struct bytes extensions;                                 /* content of the requested Extensions; empty: none */
    const char *subject, *challenge, *transaction_id;        /* challenge NULL: none; transaction_id NULL: from the key */
    int message_type;
    struct oaep oaep;                                        /* for SHAPE_WINDOWS */
    const struct key *signer, *csr_key;                      /* csr_key NULL: the signer's */
    struct prng prng;
};

bool shape_by_name(const char *name, enum shape_kind *ret);
bool shape_break_by_name(const char *name, enum shape_break *ret);
/* Self-signed, serial 1, as a device makes it; the same for the same key and subject. */
struct buf shape_signer_cert(const struct key *signer, const char *subject);
NODISCARD enum err shape_csr(const struct shape *shape, struct buf *ret, struct why *why);
NODISCARD enum err shape_envelope(struct shape *shape, struct bytes plain, struct buf *ret, struct why *why);
NODISCARD enum err shape_message(struct shape *shape, struct buf *ret, struct why *why);
