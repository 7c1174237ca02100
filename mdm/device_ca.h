/* SPDX-License-Identifier: Apache-2.0 */
/* The device CA: who a device is towards this service. Made by the role at its first start, keys/device-ca-N.key.pem and
   certs/device-ca-N.crt.pem, and renewed with an overlap. Never the issuing CA: its certificates open https_listen and nothing else. */
#pragma once
#include "mdm/uuid.h"
#include "x509/kept_key.h"

#define DEVICE_CA_DAY_S        86400
#define DEVICE_VALIDITY_S      (365LL * DEVICE_CA_DAY_S)
#define DEVICE_RENEW_BEFORE_S  (60LL * DEVICE_CA_DAY_S)      /* a device is told to renew: it may be off for some weeks */
#define DEVICE_CA_VALIDITY_S   (3650LL * DEVICE_CA_DAY_S)
#define DEVICE_CA_RENEW_S      (2 * DEVICE_VALIDITY_S)       /* the newest CA outlives what it signs, and the old one's last
                                                                certificates end before it does */
_Static_assert(DEVICE_CA_RENEW_S > DEVICE_VALIDITY_S, "no device's certificate outlives its CA's");
#define DEVICE_SERIAL_TEXT     (2 * SERIAL_BYTES + 1)

struct device_ca;
/* site: of the names in the certificates; copied. source: borrowed. */
NODISCARD enum err device_ca_open(const struct kept_key_source *source, const char *site, int64_t now, struct device_ca **ret,
                                  struct why *why);
void device_ca_free(struct device_ca *ca);
AUTO_DECLARE(device_ca)
/* For every minute. *ret_changed: there are other anchors than before. */
NODISCARD enum err device_ca_keep(struct device_ca *ca, int64_t now, bool *ret_changed, struct why *why);
void device_ca_anchors(struct device_ca *ca, struct buf *ret);   /* appends the DER of each generation, one behind the other */

struct device_certificate { struct buf der, issuer; char serial[DEVICE_SERIAL_TEXT]; int64_t not_after; };
void device_certificate_free(struct device_certificate *certificate);
/* A certificate for the key of a PKCS#10 that proves its possession: P-256, or RSA from 2048 bits on. Nothing else of the request counts.
   ERR_MALFORMED, ERR_BAD_MESSAGE_CHECK, ERR_BAD_ALG, ERR_WEAK_KEY. */
NODISCARD enum err device_ca_issue(struct device_ca *ca, struct bytes csr, const char *device, int64_t now,
                                   struct device_certificate *ret, struct why *why);

struct device_identity { char device[UUID_TEXT], serial[DEVICE_SERIAL_TEXT]; int64_t not_after; };
/* What a certificate that the listener verified says. ERR_NOT_AUTHORISED: it is none of this site's devices'; ERR_EXPIRED. */
NODISCARD enum err device_identity_read(const struct device_ca *ca, struct bytes der, int64_t now, struct device_identity *ret,
                                        struct why *why);
