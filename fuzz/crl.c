/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate revocation lists: every entry of a list that parses can be read, to the last octet. */
#include "fuzz/target.h"

#include "x509/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct why why;
    struct crl crl, again;
    struct crl_entry entry;
    if (crl_parse(bytes_of(data, len), &crl, &why) != OK)
        return 0;
    PROMISE(crl.der.len == len);
    PROMISE(der_is_valid(crl.tbs)); /* though nothing has asked so of its entries */
    PROMISE(crl_tbs_parse(crl.tbs, &again, &why) == OK && again.number == crl.number);
    PROMISE(crl.is_delta ? crl.base_number <= crl.number : crl.base_number == 0);
    PROMISE(!crl.idp.len || der_is_valid(crl.idp));
    struct der_reader entries = der_reader_over(crl.entries);
    size_t count = 0;
    while (crl_next(&entries, &entry)) {
        (void)crl_reason_name(entry.reason);
        PROMISE(++count <= len);
    }
    return 0;
}
