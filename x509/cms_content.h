/* SPDX-License-Identifier: Apache-2.0 */
/* What the two CMS contents share: ContentInfo, and how a message names a certificate. */
#pragma once
#include "x509/cms.h"

#define CMS_ATTRIBUTES_MAX 32                                /* signed attributes; SCEP has 9 */

/* der is one ContentInfo of that type (RFC 5652 3), and nothing else; inside is the SEQUENCE of its content. */
NODISCARD bool cms_content_get(struct bytes der, enum oid type, struct der_reader *ret_inside);
/* ContentInfo around what is put between begin and end. */
struct cms_content_marks { size_t info, explicit_tag, content; };
struct cms_content_marks cms_content_begin(struct buf *out, enum oid type);
void cms_content_end(struct buf *out, const struct cms_content_marks *marks);

/* Is it this certificate? By key identifier when key_id is not empty, else by issuer (as a name) and serial. */
bool cms_names_cert(const struct cert *cert, struct bytes issuer, struct bytes serial, struct bytes key_id);
/* IssuerAndSerialNumber (RFC 5652 10.2.4). */
void cms_issuer_and_serial_put(struct buf *out, const struct cert *cert);
