/* SPDX-License-Identifier: Apache-2.0 */
/* Policy files of certreq: what is read makes a request that our own reader takes, and what is refused says why. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "cli/policy.h"
#include "x509/extension.h"
#include "x509/name.h"
#include "x509/san.h"

static void read_entries(struct bytes text)
{
    struct why why;
    struct ini_reader reader = ini_reader_over(text);
    for (int last = 0;;) {
        AUTO_VAL(ini_entry) entry = { 0 };
        bool more;
        if (ini_next(&reader, &entry, &more, &why) != OK) {
            PROMISE(strstr(why.text, "line "));
            return;
        }
        if (!more)
            return;
        PROMISE(entry.line > last && entry.section.len && entry.name.len && entry.value.len <= text.len);
        PROMISE(!entry.value.len || !memchr(entry.value.data, '\n', entry.value.len));
        last = entry.line;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct why why = { 0 };
    struct bytes file = bytes_of(data, len);
    AUTO_BUF text = { 0 }, extensions = { 0 };
    AUTO_VAL(policy) policy = { 0 };
    struct extension san;
    if (ini_decode(file, &text, &why) == OK)
        read_entries(buf_bytes(&text));
    if (policy_read(file, &policy, &why) != OK) {
        PROMISE(why.text[0]);
        return 0;
    }
    PROMISE(name_check(buf_bytes(&policy.subject), &why) == OK);
    policy_put_extensions(&policy, &extensions);
    PROMISE(!extensions.len || extensions_check(buf_bytes(&extensions), &why) == OK);
    if (extension_find(buf_bytes(&extensions), OID_EXT_SAN, &san))
        PROMISE(san_check(san.value, &why) == OK);
    return 0;
}
