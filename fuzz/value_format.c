/* SPDX-License-Identifier: Apache-2.0 */
/* Texts with variables, and hostile values for them: "FORMAT\nVALUE". The value is that of every variable, and however it looks it
   changes neither how many attributes or names there are nor their types. */
#include "fuzz/target.h"

#include "mdm/san_format.h"
#include "mdm/subject_format.h"
#include "x509/cert.h"
#include "x509/name.h"
#include "x509/san.h"

/* The types of a name in their order. */
static struct buf types_of(struct bytes name)
{
    struct buf types = { 0 };
    struct name_reader reader = name_reader_over(name);
    struct name_attribute attribute;
    while (name_next(&reader, &attribute)) {
        buf_append_byte(&types, attribute.starts_rdn ? ',' : '+');
        buf_append(&types, attribute.oid);
    }
    return types;
}

static void judge_subject(const char *text, const struct scope *scope, const struct holder *holder)
{
    AUTO_BUF sample = { 0 }, name = { 0 };
    struct why why = { 0 };
    enum err saved = subject_make(text, scope, NULL, &sample, &why);
    PROMISE(saved == OK || (saved == ERR_PROFILE && why.text[0]));
    enum err made = subject_make(text, scope, holder, &name, &why);
    PROMISE(made == OK || made == ERR_PROFILE_DEVICE || made == ERR_PROFILE_VALUE || saved == ERR_PROFILE);
    if (made != OK)
        return;
    PROMISE(name_check(buf_bytes(&name), &why) == OK && subject_lint(buf_bytes(&name), &why) == OK);
    if (saved != OK || strstr(text, "OnPrem_Distinguished_Name"))
        return;
    AUTO_BUF wanted = types_of(buf_bytes(&sample)), got = types_of(buf_bytes(&name));
    if (!memchr(wanted.data ? wanted.data : (const uint8_t *)"", '+',
                wanted.len)) /* a SET OF is sorted by its values */
        PROMISE(bytes_equal(buf_bytes(&wanted), buf_bytes(&got)));
    PROMISE(wanted.len == got.len);
}

static void judge_san(struct bytes text, const struct scope *scope, const struct holder *holder)
{
    AUTO_VAL(san_row) row = { 0 };
    AUTO_BUF names = { 0 };
    struct why why = { 0 };
    struct san_name name, second;
    if (san_row_parse(text, scope, &row, &why) != OK ||
        san_make(&row, 1, scope, holder, &names, &why) != OK) {
        PROMISE(why.text[0]);
        return;
    }
    PROMISE(san_check(buf_bytes(&names), &why) == OK);
    struct der_reader reader = san_reader_over(buf_bytes(&names));
    PROMISE(san_next(&reader, &name) && !san_next(&reader, &second));
    PROMISE(name.kind == (row.attribute == SAN_ATTRIBUTE_DNS     ? SAN_DNS
                          : row.attribute == SAN_ATTRIBUTE_EMAIL ? SAN_EMAIL
                                                                 : SAN_OTHER));
    PROMISE(name.kind != SAN_DNS || name.value.data[0] != '*' || row.text[0] == '*');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const uint8_t *end = len ? memchr(data, '\n', len) : NULL;
    size_t text_len = end ? (size_t)(end - data) : len;
    AUTO_STR text = xstrndup((const char *)data, text_len);
    AUTO_STR value = end ? xstrndup((const char *)end + 1, len - text_len - 1) : xstrdup("");
    struct user user = { .id = "u",
                         .upn = value,
                         .email = value,
                         .distinguished_name = value,
                         .sam_name = value,
                         .enabled = true };
    struct device device = { .id = "d",
                             .directory_id = value,
                             .serial = value,
                             .imei = value,
                             .meid = value,
                             .wifi_mac = value,
                             .name = value,
                             .fqdn = value,
                             .domain_joined = true,
                             .platform = PLATFORM_WINDOWS_10 };
    struct holder holder = { &user, &device };
    for (int kind = CERTIFICATE_USER; kind <= CERTIFICATE_DEVICE; kind++) {
        struct scope scope = { (enum certificate_kind)kind, PLATFORM_WINDOWS_10 };
        judge_subject(text, &scope, &holder);
        judge_san(bytes_of(data, text_len), &scope, &holder);
    }
    return 0;
}
