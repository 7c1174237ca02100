/* SPDX-License-Identifier: Apache-2.0 */
/* Turns a DER CMS message into the BER that iOS sends (the PKIOperation in the deployment guide's log): indefinite
   lengths, constructed OCTET STRINGs. */
#pragma once
#include "base/bytes.h"

/* part: octets in each primitive part; 0: as iOS does, eContent in one part, the last block of encryptedContent in its
   own. Ends the program when der has another shape. */
struct buf ios_ber_signed(struct bytes der, size_t part);
struct buf ios_ber_enveloped(struct bytes der, size_t part);
