/* SPDX-License-Identifier: Apache-2.0 */
/* Chains: a pile of certificates from a file, from the leaf upwards. */
#include "x509/chain.h"

#include "base/fault.h"
#include "x509/name.h"

static bool has_issued(const struct cert *issuer, const struct cert *cert)
{
    AUTO(public_key) key = NULL;
    return name_equal(issuer->subject, cert->issuer) && public_key_parse(issuer->spki, &key, NULL) == OK &&
           (FAULT(chain_signature) || cert_verify(cert, key, NULL) == OK);
}

static bool is_in(const size_t *order, size_t length, size_t index)
{
    for (size_t i = 0; i < length; i++) {
        if (order[i] == index)
            return true;
    }
    return false;
}

static bool find_issuer(const struct cert *certs, size_t count, const size_t *order, size_t length,
                        size_t *ret)
{
    const struct cert *last = &certs[order[length - 1]];
    if (name_equal(last->issuer, last->subject))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!is_in(order, length, i) && has_issued(&certs[i], last)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

size_t chain_order(const struct cert *certs, size_t count, size_t leaf, size_t *ret_order)
{
    size_t length = 1, next;
    ret_order[0] = leaf;
    while (length < count && find_issuer(certs, count, ret_order, length, &next))
        ret_order[length++] = next;
    return length;
}
