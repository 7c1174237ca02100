/* SPDX-License-Identifier: Apache-2.0 */
/* The CMS subset of SCEP (RFC 5652): SignedData with one signer, EnvelopedData with RSA key transport. Bodies:
   cms_signed.c, cms_certs.c, cms_enveloped.c. */
#pragma once
#include "base/limits.h"
#include "x509/cert.h"

/* --- SignedData ------------------------------------------------------------------------------------------------- */
/* What sid of SignerInfo says (RFC 5652 5.3): an issuer and serial, or a key identifier. */
struct cms_signer_id { struct bytes issuer, serial, key_id; };
struct cms_signed {
    struct buf storage;                                      /* owns what the views below show */
    enum oid content_type;
    bool has_content; struct bytes content;                  /* eContent octets */
    struct bytes certs[LIMIT_MESSAGE_CERTS]; size_t cert_count;
    enum digest digest;
    struct signature_algorithm algorithm;
    struct cms_signer_id sid; bool has_unsigned_attrs;
    struct bytes signer_cert;                                /* the one that SignerInfo.sid names; empty: not in there */
    struct cert signer;                                      /* it, parsed */
    struct bytes signed_attrs;                               /* content of the SET */
    struct bytes signature;
};
/* Exactly one SignerInfo; signedAttrs present, DER, with contentType (id-data) and messageDigest once each; every
   attribute type once; digestAlgorithms exactly one, equal to the signer's; no unsigned SCEP attributes; no crls. */
NODISCARD enum err cms_signed_decode(struct bytes ber, struct cms_signed *ret, struct why *why);
/* The same with content of another type than id-data. */
NODISCARD enum err cms_signed_decode_type(struct bytes ber, enum oid content_type, struct cms_signed *ret, struct why *why);
void cms_signed_free(struct cms_signed *message);
/* The single value of a signed attribute. false when it is absent. */
bool cms_signed_attribute(const struct cms_signed *message, enum oid type, struct der_item *ret_value);
/* messageDigest against content, then the signature over the attributes. ERR_BAD_MESSAGE_CHECK. */
NODISCARD enum err cms_signed_verify(const struct cms_signed *message, const struct public_key *signer, struct why *why);

struct cms_signed_params {
    enum oid content_type;                                   /* 0: id-data */
    bool has_content; struct bytes content;
    enum digest digest;
    struct bytes signer_cert;                                /* whole DER; put in when with_signer_cert */
    const struct cert *signer;                               /* it, parsed before; NULL: is parsed */
    const struct bytes *certs; size_t cert_count;            /* further certificates to include */
    bool with_signer_cert;
    struct bytes attributes;                                 /* concatenated Attribute DER, besides contentType,
                                                                messageDigest (which are added); sorted by the writer */
};
NODISCARD enum err cms_signed_encode(const struct cms_signed_params *params, const struct key *key, struct buf *ret,
                                     struct why *why);
void cms_attribute_put(struct buf *out, enum oid type, uint8_t tag, struct bytes value);   /* one value */
/* certs-only SignedData (RFC 5652 5, "degenerate"), in the order given. */
NODISCARD enum err cms_certs_encode(const struct bytes *certs, size_t count, struct buf *ret, struct why *why);
/* Such a message read: views into *ret_storage, in its order. ERR_MALFORMED when it is none, ERR_LIMIT past `max`. */
NODISCARD enum err cms_certs_decode(struct bytes ber, struct buf *ret_storage, struct bytes *ret_certs, size_t max,
                                    size_t *ret_count, struct why *why);
/* crls-only, for GetCRL. */
NODISCARD enum err cms_crl_encode(struct bytes crl, struct buf *ret, struct why *why);

/* --- EnvelopedData ---------------------------------------------------------------------------------------------- */
struct cms_enveloped {
    struct buf storage;
    size_t recipient;                                        /* index into the `ours` given to decode */
    enum transport transport; struct oaep oaep;
    struct bytes encrypted_key;
    enum cipher cipher; struct bytes iv, ciphertext;
};
/* ours: certificates whose keys we hold. 1..LIMIT_RECIPIENTS RecipientInfos, all ktri, exactly one of them ours (issuer
   compared as a name, and serial; or SKI); all refused before any RSA (B3). */
NODISCARD enum err cms_enveloped_decode(struct bytes ber, const struct cert *ours, size_t ours_count,
                                        struct cms_enveloped *ret, struct why *why);
void cms_enveloped_free(struct cms_enveloped *message);
/* One RSA operation. Bad padding, wrong length and wrong key are never told apart: the content is then decrypted with a
   key derived from the RA key and the message (RSA implicit rejection), and *ret_good is 0 without a branch having
   depended on it. ret_good is 0xFF or 0x00; ret_plain then holds the plaintext without, or with its padding. Errors
   mean our own fault only (key unusable). ret_plain is secret: wipe it. */
NODISCARD enum err cms_enveloped_open(const struct cms_enveloped *message, const struct key *key,
                                      struct buf *ret_plain, uint8_t *ret_good, struct why *why);

struct cms_seal_params {
    struct bytes recipient_cert;                             /* whole DER; RSA */
    const struct cert *recipient;                            /* it, parsed before; NULL: is parsed */
    enum transport transport; struct oaep oaep;
    enum cipher cipher;
    const struct public_key *recipient_key;                  /* the certificate's, read before; NULL: is read from it */
};
NODISCARD enum err cms_enveloped_seal(const struct cms_seal_params *params, struct bytes plain, struct buf *ret,
                                      struct why *why);
