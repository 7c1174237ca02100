/* SPDX-License-Identifier: Apache-2.0 */
/* The encodings of the known object identifiers, and dotted text to encoding and back. */
#include "x509/oid.h"

#include "base/auto.h"
#include "base/limits.h"
#include <strings.h>

/* Written out, so that no thread needs a start-up step; tests/unit/x509/oid.c compares each with its dotted
 * text. */
#define ENCODED(octets)                                                                                      \
    {                                                                                                        \
        (const uint8_t *)(octets), sizeof(octets) - 1                                                        \
    }
static const struct bytes encodings[OID_COUNT] = {
    [OID_RSA_ENCRYPTION] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01"),
    [OID_RSA_OAEP] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x07"),
    [OID_MGF1] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x08"),
    [OID_P_SPECIFIED] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x09"),
    [OID_RSA_PSS] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A"),
    [OID_SHA1_WITH_RSA] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x05"),
    [OID_SHA256_WITH_RSA] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0B"),
    [OID_SHA384_WITH_RSA] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0C"),
    [OID_SHA512_WITH_RSA] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0D"),
    [OID_EC_PUBLIC_KEY] = ENCODED("\x2A\x86\x48\xCE\x3D\x02\x01"),
    [OID_P256] = ENCODED("\x2A\x86\x48\xCE\x3D\x03\x01\x07"),
    [OID_P384] = ENCODED("\x2B\x81\x04\x00\x22"),
    [OID_P521] = ENCODED("\x2B\x81\x04\x00\x23"),
    [OID_ECDSA_SHA1] = ENCODED("\x2A\x86\x48\xCE\x3D\x04\x01"),
    [OID_ECDSA_SHA256] = ENCODED("\x2A\x86\x48\xCE\x3D\x04\x03\x02"),
    [OID_ECDSA_SHA384] = ENCODED("\x2A\x86\x48\xCE\x3D\x04\x03\x03"),
    [OID_ECDSA_SHA512] = ENCODED("\x2A\x86\x48\xCE\x3D\x04\x03\x04"),
    [OID_SHA1] = ENCODED("\x2B\x0E\x03\x02\x1A"),
    [OID_SHA256] = ENCODED("\x60\x86\x48\x01\x65\x03\x04\x02\x01"),
    [OID_SHA384] = ENCODED("\x60\x86\x48\x01\x65\x03\x04\x02\x02"),
    [OID_SHA512] = ENCODED("\x60\x86\x48\x01\x65\x03\x04\x02\x03"),
    [OID_DES_CBC] = ENCODED("\x2B\x0E\x03\x02\x07"),
    [OID_DES_EDE3_CBC] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x03\x07"),
    [OID_AES128_CBC] = ENCODED("\x60\x86\x48\x01\x65\x03\x04\x01\x02"),
    [OID_AES192_CBC] = ENCODED("\x60\x86\x48\x01\x65\x03\x04\x01\x16"),
    [OID_AES256_CBC] = ENCODED("\x60\x86\x48\x01\x65\x03\x04\x01\x2A"),
    [OID_AES128_WRAP] = ENCODED("\x60\x86\x48\x01\x65\x03\x04\x01\x05"),
    [OID_ECDH_SHA256] = ENCODED("\x2B\x81\x04\x01\x0B\x01"),
    [OID_PBKDF2] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0C"),
    [OID_PBES2] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D"),
    [OID_HMAC_SHA256] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x02\x09"),
    [OID_SCRYPT] = ENCODED("\x2B\x06\x01\x04\x01\xDA\x47\x04\x0B"),
    [OID_DATA] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01"),
    [OID_SIGNED_DATA] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02"),
    [OID_ENVELOPED_DATA] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03"),
    [OID_ATTR_CONTENT_TYPE] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x03"),
    [OID_ATTR_MESSAGE_DIGEST] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x04"),
    [OID_ATTR_SIGNING_TIME] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x05"),
    [OID_ATTR_CHALLENGE_PASSWORD] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x07"),
    [OID_ATTR_EXTENSION_REQUEST] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x0E"),
    [OID_ATTR_MS_CERT_EXTENSIONS] = ENCODED("\x2B\x06\x01\x04\x01\x82\x37\x02\x01\x0E"),
    [OID_ATTR_MS_NAME_VALUE] = ENCODED("\x2B\x06\x01\x04\x01\x82\x37\x0D\x02\x01"),
    [OID_SCEP_MESSAGE_TYPE] = ENCODED("\x60\x86\x48\x01\x86\xF8\x45\x01\x09\x02"),
    [OID_SCEP_PKI_STATUS] = ENCODED("\x60\x86\x48\x01\x86\xF8\x45\x01\x09\x03"),
    [OID_SCEP_FAIL_INFO] = ENCODED("\x60\x86\x48\x01\x86\xF8\x45\x01\x09\x04"),
    [OID_SCEP_SENDER_NONCE] = ENCODED("\x60\x86\x48\x01\x86\xF8\x45\x01\x09\x05"),
    [OID_SCEP_RECIPIENT_NONCE] = ENCODED("\x60\x86\x48\x01\x86\xF8\x45\x01\x09\x06"),
    [OID_SCEP_TRANSACTION_ID] = ENCODED("\x60\x86\x48\x01\x86\xF8\x45\x01\x09\x07"),
    [OID_SCEP_FAIL_INFO_TEXT] = ENCODED("\x2B\x06\x01\x05\x05\x07\x18\x01"),
    [OID_CN] = ENCODED("\x55\x04\x03"),
    [OID_SURNAME] = ENCODED("\x55\x04\x04"),
    [OID_SERIAL_NUMBER] = ENCODED("\x55\x04\x05"),
    [OID_C] = ENCODED("\x55\x04\x06"),
    [OID_L] = ENCODED("\x55\x04\x07"),
    [OID_ST] = ENCODED("\x55\x04\x08"),
    [OID_STREET] = ENCODED("\x55\x04\x09"),
    [OID_O] = ENCODED("\x55\x04\x0A"),
    [OID_OU] = ENCODED("\x55\x04\x0B"),
    [OID_TITLE] = ENCODED("\x55\x04\x0C"),
    [OID_GIVEN_NAME] = ENCODED("\x55\x04\x2A"),
    [OID_INITIALS] = ENCODED("\x55\x04\x2B"),
    [OID_DN_QUALIFIER] = ENCODED("\x55\x04\x2E"),
    [OID_UNSTRUCTURED_NAME] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x02"),
    [OID_EMAIL] = ENCODED("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x01"),
    [OID_UID] = ENCODED("\x09\x92\x26\x89\x93\xF2\x2C\x64\x01\x01"),
    [OID_DC] = ENCODED("\x09\x92\x26\x89\x93\xF2\x2C\x64\x01\x19"),
    [OID_EXT_SKI] = ENCODED("\x55\x1D\x0E"),
    [OID_EXT_KEY_USAGE] = ENCODED("\x55\x1D\x0F"),
    [OID_EXT_SAN] = ENCODED("\x55\x1D\x11"),
    [OID_EXT_BASIC_CONSTRAINTS] = ENCODED("\x55\x1D\x13"),
    [OID_EXT_CRL_NUMBER] = ENCODED("\x55\x1D\x14"),
    [OID_EXT_REASON] = ENCODED("\x55\x1D\x15"),
    [OID_EXT_DELTA_CRL] = ENCODED("\x55\x1D\x1B"),
    [OID_EXT_IDP] = ENCODED("\x55\x1D\x1C"),
    [OID_EXT_NAME_CONSTRAINTS] = ENCODED("\x55\x1D\x1E"),
    [OID_EXT_CDP] = ENCODED("\x55\x1D\x1F"),
    [OID_EXT_POLICIES] = ENCODED("\x55\x1D\x20"),
    [OID_EXT_AKI] = ENCODED("\x55\x1D\x23"),
    [OID_EXT_EKU] = ENCODED("\x55\x1D\x25"),
    [OID_EXT_FRESHEST_CRL] = ENCODED("\x55\x1D\x2E"),
    [OID_EXT_AIA] = ENCODED("\x2B\x06\x01\x05\x05\x07\x01\x01"),
    [OID_AD_OCSP] = ENCODED("\x2B\x06\x01\x05\x05\x07\x30\x01"),
    [OID_AD_CA_ISSUERS] = ENCODED("\x2B\x06\x01\x05\x05\x07\x30\x02"),
    [OID_OCSP_BASIC] = ENCODED("\x2B\x06\x01\x05\x05\x07\x30\x01\x01"),
    [OID_OCSP_NONCE] = ENCODED("\x2B\x06\x01\x05\x05\x07\x30\x01\x02"),
    [OID_OCSP_NOCHECK] = ENCODED("\x2B\x06\x01\x05\x05\x07\x30\x01\x05"),
    [OID_MS_TEMPLATE_NAME] = ENCODED("\x2B\x06\x01\x04\x01\x82\x37\x14\x02"),
    [OID_MS_TEMPLATE_V2] = ENCODED("\x2B\x06\x01\x04\x01\x82\x37\x15\x07"),
    [OID_MS_APPLICATION_POLICIES] = ENCODED("\x2B\x06\x01\x04\x01\x82\x37\x15\x0A"),
    [OID_MS_SID] = ENCODED("\x2B\x06\x01\x04\x01\x82\x37\x19\x02"),
    [OID_MS_UPN] = ENCODED("\x2B\x06\x01\x04\x01\x82\x37\x14\x02\x03"),
    [OID_KP_ANY] = ENCODED("\x55\x1D\x25\x00"),
    [OID_KP_SERVER_AUTH] = ENCODED("\x2B\x06\x01\x05\x05\x07\x03\x01"),
    [OID_KP_CLIENT_AUTH] = ENCODED("\x2B\x06\x01\x05\x05\x07\x03\x02"),
    [OID_KP_CODE_SIGNING] = ENCODED("\x2B\x06\x01\x05\x05\x07\x03\x03"),
    [OID_KP_EMAIL_PROTECTION] = ENCODED("\x2B\x06\x01\x05\x05\x07\x03\x04"),
    [OID_KP_OCSP_SIGNING] = ENCODED("\x2B\x06\x01\x05\x05\x07\x03\x09"),
    [OID_KP_REQUEST_AGENT] = ENCODED("\x2B\x06\x01\x04\x01\x82\x37\x14\x02\x01"),
};

#define NAME_ROW_(name, dotted, text) [name] = (text),
static const char *const names[OID_COUNT] = { [OID_UNKNOWN] = "unknown", OIDS(NAME_ROW_) };
#undef NAME_ROW_

struct bytes oid_bytes(enum oid oid)
{
    return (unsigned)oid < OID_COUNT ? encodings[oid] : BYTES_NONE;
}

bool oid_is(struct bytes content, enum oid oid)
{
    return content.len > 0 && bytes_equal(content, oid_bytes(oid));
}

enum oid oid_find(struct bytes content)
{
    for (int oid = OID_UNKNOWN + 1; oid < OID_COUNT; oid++) {
        if (oid_is(content, (enum oid)oid))
            return (enum oid)oid;
    }
    return OID_UNKNOWN;
}

const char *oid_name(enum oid oid)
{
    return names[(unsigned)oid < OID_COUNT ? oid : OID_UNKNOWN];
}

enum oid oid_by_name(const char *name)
{
    for (int oid = OID_UNKNOWN + 1; oid < OID_COUNT; oid++) {
        if (strcasecmp(names[oid], name) == 0)
            return (enum oid)oid;
    }
    return OID_UNKNOWN;
}

void oid_append_dotted(struct buf *out, struct bytes content)
{
    uint64_t arc = 0;
    bool first = true;
    for (size_t i = 0; i < content.len; i++) {
        if (arc > UINT64_MAX >> 7) {
            buf_append_str(out, ".(too large)"); /* an arc beyond 64 bits: legal, never ours */
            return;
        }
        arc = arc << 7 | (content.data[i] & 0x7F);
        if (content.data[i] & 0x80)
            continue;
        if (first) { /* X.690 8.19.4: 40 times the first arc plus the second */
            unsigned top = arc < 40 ? 0 : arc < 80 ? 1 : 2;
            buf_printf(out, "%u.%llu", top, (unsigned long long)(arc - 40ull * top));
        } else {
            buf_printf(out, ".%llu", (unsigned long long)arc);
        }
        first = false;
        arc = 0;
    }
}

/* One decimal arc without sign or leading zero; *text is moved behind it. */
static bool read_arc(const char **text, uint64_t *ret)
{
    const char *at = *text;
    if (*at < '0' || *at > '9' || (at[0] == '0' && at[1] >= '0' && at[1] <= '9'))
        return false;
    uint64_t value = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *text = at;
    *ret = value;
    return true;
}

static void append_arc(struct buf *out, uint64_t arc)
{
    int shift = 63;
    while (shift > 0 && !(arc >> shift))
        shift -= 7;
    for (; shift > 0; shift -= 7)
        buf_append_byte(out, (uint8_t)(0x80 | (arc >> shift & 0x7F)));
    buf_append_byte(out, arc & 0x7F);
}

bool oid_from_dotted(const char *dotted, struct buf *ret_content)
{
    uint64_t top, arc;
    if (!read_arc(&dotted, &top) || *dotted++ != '.' || !read_arc(&dotted, &arc))
        return false;
    if (top > 2 || (top < 2 && arc > 39) || arc > UINT64_MAX - 80)
        return false;
    AUTO_BUF content = { 0 };
    append_arc(&content, top * 40 + arc);
    for (size_t arcs = 2; *dotted; arcs++) {
        if (*dotted++ != '.' || !read_arc(&dotted, &arc) || arcs == LIMIT_OID_ARCS)
            return false;
        append_arc(&content, arc);
    }
    if (content.len > LIMIT_OID_BYTES)
        return false;
    *ret_content = TAKE_BUF(content);
    return true;
}
