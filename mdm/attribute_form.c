/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of texts that have one. They go into certificates, so what is no such thing is refused where it comes in. */
#include "mdm/attribute.h"

#include "base/auto.h"
#include "mdm/uuid.h"
#include "x509/name.h"
#include <ctype.h>

static bool all(const char *text, const char *of)
{
    return text[strspn(text, of)] == '\0';
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* One @ with something on both sides, and no blank. */
static bool is_address(const char *text)
{
    const char *at = strchr(text, '@');
    return at && at != text && at[1] && !strchr(at + 1, '@') && !strchr(text, ' ');
}

bool takes_upn(struct attribute_value *value, const char **rule)
{
    *rule = "is a user principal name as anna@example.org, without blanks";
    return is_address(value->text);
}

bool takes_mail(struct attribute_value *value, const char **rule)
{
    *rule = "is an e-mail address as anna@example.org, without blanks";
    return is_address(value->text);
}

/* A name that looks like an id would be taken for one. */
bool takes_group_name(struct attribute_value *value, const char **rule)
{
    size_t len = strlen(value->text);
    *rule = "is a name without blanks at its ends, and no UUID";
    return value->text[0] != ' ' && value->text[len - 1] != ' ' && !uuid_is(bytes_str(value->text));
}

bool takes_distinguished_name(struct attribute_value *value, const char **rule)
{
    AUTO_BUF name = { 0 };
    struct why why = { 0 };
    *rule = "is a distinguished name as CN=Anna,OU=Staff,DC=example,DC=org";
    return name_from_text(value->text, &name, &why) == OK && !name_is_empty(buf_bytes(&name));
}

bool takes_sid(struct attribute_value *value, const char **rule)
{
    const char *at = value->text;
    int parts = 0;
    *rule = "is a security identifier as S-1-5-21-1004336348-1177238915-682003330-512";
    if (strncmp(at, "S-1-", 4) != 0)
        return false;
    for (at += 4; parts < 16; parts++) {
        size_t digits = strspn(at, "0123456789");
        if (digits < 1 || digits > 14)
            return false;
        at += digits;
        if (!*at)
            return parts >= 1;
        if (*at++ != '-')
            return false;
    }
    return false;
}

bool takes_imei(struct attribute_value *value, const char **rule)
{
    size_t len = strlen(value->text);
    *rule = "are 14 to 16 digits";
    return len >= 14 && len <= 16 && all(value->text, "0123456789");
}

bool takes_meid(struct attribute_value *value, const char **rule)
{
    size_t len = strlen(value->text);
    *rule = "are 14 hexadecimal or 18 decimal digits";
    return (len == 14 && all(value->text, "0123456789abcdefABCDEF")) ||
           (len == 18 && all(value->text, "0123456789"));
}

bool takes_mac(struct attribute_value *value, const char **rule)
{
    size_t len = strlen(value->text);
    *rule = "are 12 hexadecimal digits, alone or as 00:11:22:AA:BB:CC or 00-11-22-AA-BB-CC";
    if (len != 12 && len != 17)
        return false;
    char mark = len == 17 ? value->text[2] : 0;
    for (size_t i = 0; i < len; i++) {
        bool is_mark = len == 17 && i % 3 == 2;
        if (is_mark ? value->text[i] != mark : !isxdigit((unsigned char)value->text[i]))
            return false;
    }
    return mark == 0 || mark == ':' || mark == '-';
}

static bool is_label(const char *label, size_t len)
{
    bool good = len >= 1 && len <= 63 && label[0] != '-' && label[len - 1] != '-';
    for (size_t i = 0; good && i < len; i++)
        good = isalnum((unsigned char)label[i]) || label[i] == '-' || label[i] == '_';
    return good;
}

bool takes_fqdn(struct attribute_value *value, const char **rule)
{
    int labels = 0;
    *rule = "is a host name with its domain, as pc7.example.org";
    for (const char *at = value->text;; at++) {
        size_t len = strcspn(at, ".");
        if (!is_label(at, len))
            return false;
        labels++;
        at += len;
        if (!*at)
            return labels >= 2;
    }
}

bool takes_uuid(struct attribute_value *value, const char **rule)
{
    *rule = "is a UUID as 1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2f";
    if (!uuid_is(bytes_str(value->text)))
        return false;
    lower(value->text);
    return true;
}
