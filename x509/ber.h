/* SPDX-License-Identifier: Apache-2.0 */
/* BER as iOS, jscep and BouncyCastle send it (indefinite length, constructed OCTET STRING) turned into DER, for the two
   CMS layers only. What it gives is read by the same strict reader as everything else. */
#pragma once
#include "x509/der.h"

/* BER_SIGNED: SignerInfo.signedAttrs must be DER already, since the signature covers their DER (RFC 5652 5.4); BER in
   there is refused, not repaired. BER_ENVELOPED: also joins a constructed [0] of OCTET STRINGs
   (EncryptedContentInfo.encryptedContent) into a primitive [0].
   DER comes back unchanged. Refused with ERR_MALFORMED: trailing bytes, more than LIMIT_DER_DEPTH levels; with
   ERR_LIMIT: more than LIMIT_PKI_MESSAGE_BYTES (the result is never longer than the input). */
enum ber_layer { BER_SIGNED, BER_ENVELOPED };
NODISCARD enum err ber_to_der(struct bytes ber, enum ber_layer layer, struct buf *ret_der, struct why *why);
