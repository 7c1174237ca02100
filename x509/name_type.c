/* SPDX-License-Identifier: Apache-2.0 */
/* The table of attribute types in names. */
#include "x509/name_type.h"

#include "base/limits.h"
#include "x509/text.h"
#include <strings.h>

/* Aliases: CertStrToName's, OpenSSL's long names and RFC 4519's. "SN" is the surname there as here. */
static const struct name_type types[] = {
    { OID_CN, DER_UTF8_STRING, 64, "commonName" },
    { OID_SURNAME, DER_UTF8_STRING, 32768, "surname" },
    { OID_SERIAL_NUMBER, DER_PRINTABLE_STRING, 64, "deviceSerialNumber" },
    { OID_C, DER_PRINTABLE_STRING, 2, "countryName country" },
    { OID_L, DER_UTF8_STRING, 128, "localityName locality" },
    { OID_ST, DER_UTF8_STRING, 128, "S stateOrProvinceName state" },
    { OID_STREET, DER_UTF8_STRING, 128, "streetAddress" },
    { OID_O, DER_UTF8_STRING, 64, "organizationName organization" },
    { OID_OU, DER_UTF8_STRING, 64, "organizationalUnitName organizationalUnit" },
    { OID_TITLE, DER_UTF8_STRING, 64, "title" },
    { OID_GIVEN_NAME, DER_UTF8_STRING, 32768, "GN givenName" },
    { OID_INITIALS, DER_UTF8_STRING, 32768, "initials" },
    { OID_DN_QUALIFIER, DER_PRINTABLE_STRING, 64, "" },
    { OID_UNSTRUCTURED_NAME, DER_UTF8_STRING, 255, "" },
    { OID_EMAIL, DER_IA5_STRING, 255, "emailAddress email" },
    { OID_UID, DER_UTF8_STRING, 256, "userId" },
    { OID_DC, DER_IA5_STRING, 63, "domainComponent" },
};
#define TYPES (sizeof(types) / sizeof(*types))

static const struct name_type unknown_type = { OID_UNKNOWN, DER_UTF8_STRING, LIMIT_STRING_BYTES, "" };

const struct name_type *name_type_of(struct bytes oid)
{
    for (size_t i = 0; i < TYPES; i++)
        if (oid_is(oid, types[i].oid))
            return &types[i];
    return &unknown_type;
}

static bool word_in_list(const char *list, const char *word, size_t len)
{
    while (*list) {
        size_t here = strcspn(list, " ");
        if (here == len && strncasecmp(list, word, len) == 0)
            return true;
        list += here + strspn(list + here, " ");
    }
    return false;
}

const struct name_type *name_type_by_label(const char *label, size_t len)
{
    if (len == 0)
        return NULL;
    for (size_t i = 0; i < TYPES; i++)
        if (word_in_list(oid_name(types[i].oid), label, len) || word_in_list(types[i].aliases, label, len))
            return &types[i];
    return NULL;
}

bool name_type_holds(const struct name_type *type, struct bytes utf8)
{
    switch (type->tag) {
    case DER_PRINTABLE_STRING:
        return text_is_printable_string(utf8);
    case DER_IA5_STRING:
        return text_is_ia5(utf8);
    default:
        return true;
    }
}
