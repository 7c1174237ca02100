/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/own_certificate.h"

#include "base/encode.h"
#include "ipc/record.h"

enum err own_certificate_ask(struct ca_client *client, const struct own_certificate *own, struct buf *ret_der,
                             struct why *why)
{
    AUTO_BUF body = { 0 }, text = { 0 }, answer = { 0 };
    struct bytes der;
    base64_append(&text, own->csr);
    size_t mark = record_begin(&body);
    record_put_str(&body, "ca", own->ca);
    record_put_str(&body, "template", own->template);
    record_put(&body, "csr", buf_bytes(&text));
    record_end(&body, mark);
    TRY(ca_call(client, "issue", buf_bytes(&body), &answer, why));
    struct der_reader in = der_reader_over(buf_bytes(&answer));
    if (!der_get_octets(&in, &der) || !der_at_end(&in))
        return fail(why, ERR_PROTOCOL, "ca answered no certificate for template %s", own->template);
    *ret_der = buf_dup(der);
    return OK;
}
