/* SPDX-License-Identifier: Apache-2.0 */
/* ContentInfo and IssuerAndSerialNumber (RFC 5652 3, 10.2.4), read and written. */
#include "x509/cms_content.h"

#include "base/fault.h"
#include "x509/name.h"

bool cms_content_get(struct bytes der, enum oid type, struct der_reader *ret_inside)
{
    struct der_reader in = der_reader_over(der), info, content;
    struct bytes oid;
    return der_get_sequence(&in, &info) && der_at_end(&in) && der_get_oid(&info, &oid) &&
           (FAULT(cms_type) || oid_is(oid, type)) &&
           der_get_constructed(&info, DER_CONTEXT_CONSTRUCTED(0), &content) && der_at_end(&info) &&
           der_get_sequence(&content, ret_inside) && der_at_end(&content);
}

struct cms_content_marks cms_content_begin(struct buf *out, enum oid type)
{
    struct cms_content_marks marks;
    marks.info = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(type));
    marks.explicit_tag = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
    marks.content = der_begin(out, DER_SEQUENCE);
    return marks;
}

void cms_content_end(struct buf *out, const struct cms_content_marks *marks)
{
    der_end(out, marks->content);
    der_end(out, marks->explicit_tag);
    der_end(out, marks->info);
}

bool cms_names_cert(const struct cert *cert, struct bytes issuer, struct bytes serial, struct bytes key_id)
{
    if (key_id.len)
        return bytes_equal(cert->ski, key_id);
    if (!bytes_equal(cert->serial, serial))
        return false;
    /* Some embedded clients write the issuer anew, in other string types: compare names, not only bytes. */
    return bytes_equal(cert->issuer, issuer) ||
           (name_check(issuer, NULL) == OK && name_equal(cert->issuer, issuer));
}

void cms_issuer_and_serial_put(struct buf *out, const struct cert *cert)
{
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_raw(out, cert->issuer);
    der_put(out, DER_INTEGER, cert->serial);
    der_end(out, mark);
}
