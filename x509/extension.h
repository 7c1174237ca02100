/* SPDX-License-Identifier: Apache-2.0 */
/* Extensions (RFC 5280 4.2), read and written: the content of Extensions ::= SEQUENCE OF Extension. */
#pragma once
#include "x509/der.h"
#include "x509/oid.h"

struct extension { struct bytes oid; bool critical; struct bytes value; };   /* value: content of extnValue */
/* Over the content of an Extensions SEQUENCE. */
NODISCARD bool extension_next(struct der_reader *in, struct extension *ret);
/* No duplicates, at most LIMIT_CERT_EXTENSIONS, well-formed. */
NODISCARD enum err extensions_check(struct bytes content, struct why *why);
bool extension_find(struct bytes content, enum oid oid, struct extension *ret);

/* RFC 5280 4.2.1.3 bits, as der_get_named_bits gives them. */
enum key_usage { KU_DIGITAL_SIGNATURE = 1 << 0, KU_NON_REPUDIATION = 1 << 1, KU_KEY_ENCIPHERMENT = 1 << 2,
                 KU_DATA_ENCIPHERMENT = 1 << 3, KU_KEY_AGREEMENT = 1 << 4, KU_KEY_CERT_SIGN = 1 << 5, KU_CRL_SIGN = 1 << 6,
                 KU_ENCIPHER_ONLY = 1 << 7, KU_DECIPHER_ONLY = 1 << 8 };
bool key_usage_by_name(const char *name, uint16_t *ret_bit); /* "digitalSignature" */
void key_usage_append_text(struct buf *out, uint16_t bits);  /* "digitalSignature,keyEncipherment" */

void extension_put(struct buf *out, enum oid oid, bool critical, struct bytes value);
void extension_put_key_usage(struct buf *out, uint16_t bits);                        /* critical */
void extension_put_basic_constraints(struct buf *out, bool ca, int path_len);        /* critical; path_len < 0: none */
void extension_put_eku(struct buf *out, const struct bytes *oids, size_t count);
void extension_put_ski(struct buf *out, struct bytes key_id);
void extension_put_aki(struct buf *out, struct bytes key_id);
void extension_put_san(struct buf *out, struct bytes general_names, bool critical);
void extension_put_cdp(struct buf *out, const char *const *urls, size_t count);
void extension_put_idp(struct buf *out, const char *const *urls, size_t count);      /* critical */
/* DistributionPointName with a fullName, in its [0]; *ret_names: GeneralNames without their header, not looked at. */
NODISCARD bool extension_get_full_name(struct der_reader *in, struct der_reader *ret_names);
void extension_put_aia(struct buf *out, const char *const *ocsp, size_t ocsp_count, const char *const *issuers,
                       size_t issuer_count);
void extension_put_crl_number(struct buf *out, int64_t number);
void extension_put_delta_indicator(struct buf *out, int64_t base_number);            /* critical */
void extension_put_freshest_crl(struct buf *out, const char *const *urls, size_t count);
