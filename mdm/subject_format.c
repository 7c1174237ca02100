/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/subject_format.h"

#include "base/fault.h"
#include "mdm/value_format.h"
#include "x509/cert.h"
#include "x509/name.h"

static const char *const kind_names[] = {
    [SUBJECT_UNSET] = NULL,
    [SUBJECT_NOT_CONFIGURED] = "not-configured",
    [SUBJECT_COMMON_NAME] = "common-name",
    [SUBJECT_COMMON_NAME_AND_EMAIL] = "common-name-including-email",
    [SUBJECT_EMAIL] = "common-name-as-email",
    [SUBJECT_IMEI] = "imei",
    [SUBJECT_SERIAL_NUMBER] = "serial-number",
    [SUBJECT_CUSTOM] = "custom",
};
const struct words subject_kind_words = WORDS(kind_names);

const char *subject_kind_text(enum subject_kind kind)
{
    static const char *const texts[SUBJECT_KIND_COUNT] = {
        [SUBJECT_NOT_CONFIGURED] = "",
        [SUBJECT_COMMON_NAME] = "CN={{UserName}}",
        [SUBJECT_COMMON_NAME_AND_EMAIL] = "CN={{UserName}},E={{EmailAddress}}",
        [SUBJECT_EMAIL] = "CN={{EmailAddress}}",
        [SUBJECT_IMEI] = "CN={{IMEINumber}}",
        [SUBJECT_SERIAL_NUMBER] = "CN={{SERIALNUMBER}}",
    };
    return texts[kind];
}

struct filling {
    const struct scope *scope;
    const struct holder *holder;
    int names; /* how many RDNs the directory's name stood for */
};

/* The directory's own text of it, which is no format: braces and the like in it are characters. */
static enum err fill_name(struct filling *filling, const struct variable *variable,
                          const struct name_value *value, struct buf *ret_name, struct why *why)
{
    struct bytes text = bytes_str(variable->sample);
    struct why inner = { .text = "it is empty" };
    if (!oid_is(value->type, OID_CN) || !value->alone)
        return fail(why, ERR_PROFILE, "{{%s}} stands for whole RDNs: allowed as CN={{%s}}, without '+'",
                    variable->name, variable->name);
    if (filling->holder)
        TRY(variable_value(variable, filling->holder, &text, why));
    if (name_from_text((const char *)text.data, ret_name, &inner) != OK ||
        name_is_empty(buf_bytes(ret_name))) {
        buf_free(ret_name);
        return fail(why, ERR_PROFILE_DEVICE, "{{%s}} is \"%.150s\", which is no distinguished name: %s",
                    variable->name, (const char *)text.data, inner.text);
    }
    filling->names++;
    return OK;
}

static enum err fill(void *arg, const struct name_value *value, struct name_filled *ret, struct why *why)
{
    struct filling *filling = arg;
    struct value_format format = { .text = value->text, .scope = filling->scope, .refused = "" };
    const struct variable *only;
    TRY(value_format_only(&format, &only, why));
    if (only && only->is_name)
        return fill_name(filling, only, value, &ret->name, why);
    TRY(value_format_expand(&format, filling->holder, &ret->text, why));
    if (FAULT(subject_injection)) {
        AUTO_STR text = xasprintf("CN=%s", buf_text(&ret->text));
        return name_from_text(text, &ret->name, why);
    }
    return OK;
}

/* Whatever a certificate's name would be refused for is said here and not by ca, when the device has made its key. */
static enum err make(const char *text, struct filling *filling, struct buf *ret_name, struct why *why)
{
    struct name_hook hook = { fill, filling };
    AUTO_BUF name = { 0 };
    TRY(name_from_format(text, &hook, &name, why));
    TRY(subject_lint(buf_bytes(&name), why));
    *ret_name = TAKE_BUF(name);
    return OK;
}

/* The samples of a distinguished name have no CN: one that is there is a second one. */
static enum err check_names(const struct filling *filling, struct bytes name, struct why *why)
{
    struct name_reader reader = name_reader_over(name);
    struct name_attribute attribute;
    if (filling->names == 0)
        return OK;
    if (filling->names > 1)
        return fail(why, ERR_PROFILE, "{{OnPrem_Distinguished_Name}} is there %d times, allowed is once",
                    filling->names);
    while (name_next(&reader, &attribute))
        if (oid_is(attribute.oid, OID_CN))
            return fail(why, ERR_PROFILE,
                        "a CN beside CN={{OnPrem_Distinguished_Name}}, which brings its own");
    return OK;
}

enum err subject_make(const char *text, const struct scope *scope, const struct holder *holder,
                      struct buf *ret_name, struct why *why)
{
    struct filling filling = { scope, holder, 0 };
    struct why inner = { 0 };
    AUTO_BUF name = { 0 };
    enum err err = make(text, &filling, &name, &inner);
    if (err == OK && !holder)
        err = check_names(&filling, buf_bytes(&name), &inner);
    if (err != OK) {
        bool known = err == ERR_PROFILE || err == ERR_PROFILE_VALUE || err == ERR_PROFILE_DEVICE;
        return fail(why, known ? err : holder ? ERR_PROFILE_DEVICE : ERR_PROFILE, "%s", inner.text);
    }
    *ret_name = TAKE_BUF(name);
    return OK;
}
