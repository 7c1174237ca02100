/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/authority_ask.h"

#include "base/encode.h"
#include "tests/unit/ca/verb_ask.h"

enum err authority_limit(struct world *world, const char *verb, const char *field, const char *value,
                         struct why *why)
{
    AUTO_BUF answer = { 0 };
    return ask_fields(world, verb, (const char *const[]){ "name", "mdm", field, value, NULL }, &answer, why);
}

enum err authority_issue(struct world *world, const char *template, const struct device *device,
                         bool *ret_waits, struct why *why)
{
    const struct ipc_caller caller = { "mdm" };
    AUTO_BUF text = { 0 }, body = { 0 }, answer = { 0 };
    struct bytes der;
    base64_append(&text, buf_bytes(&device->csr));
    record_of(&body, (const char *const[]){ "template", template, "csr", buf_text(&text), NULL });
    TRY(verb_call(verb_named("issue"), world->ca, &caller, buf_bytes(&body), &answer, why));
    struct der_reader in = der_reader_over(buf_bytes(&answer));
    assert_true(der_get_octets(&in, &der) && der_at_end(&in));
    *ret_waits = der.len == 0;
    return OK;
}
