/* SPDX-License-Identifier: Apache-2.0 */
/* The object identifiers Chancery knows, by name; and dotted text. */
#pragma once
#include "base/bytes.h"

/* X(name, "dotted", "short name for text") — the table in oid.c holds the encodings. */
#define OIDS(X)                                                                                          \
    X(OID_RSA_ENCRYPTION,          "1.2.840.113549.1.1.1",  "rsaEncryption")                             \
    X(OID_RSA_OAEP,                "1.2.840.113549.1.1.7",  "id-RSAES-OAEP")                             \
    X(OID_MGF1,                    "1.2.840.113549.1.1.8",  "id-mgf1")                                   \
    X(OID_P_SPECIFIED,             "1.2.840.113549.1.1.9",  "id-pSpecified")                             \
    X(OID_RSA_PSS,                 "1.2.840.113549.1.1.10", "id-RSASSA-PSS")                             \
    X(OID_SHA1_WITH_RSA,           "1.2.840.113549.1.1.5",  "sha1WithRSAEncryption")                     \
    X(OID_SHA256_WITH_RSA,         "1.2.840.113549.1.1.11", "sha256WithRSAEncryption")                   \
    X(OID_SHA384_WITH_RSA,         "1.2.840.113549.1.1.12", "sha384WithRSAEncryption")                   \
    X(OID_SHA512_WITH_RSA,         "1.2.840.113549.1.1.13", "sha512WithRSAEncryption")                   \
    X(OID_EC_PUBLIC_KEY,           "1.2.840.10045.2.1",     "id-ecPublicKey")                            \
    X(OID_P256,                    "1.2.840.10045.3.1.7",   "prime256v1")                                \
    X(OID_P384,                    "1.3.132.0.34",          "secp384r1")                                 \
    X(OID_P521,                    "1.3.132.0.35",          "secp521r1")                                 \
    X(OID_ECDSA_SHA1,              "1.2.840.10045.4.1",     "ecdsa-with-SHA1")                           \
    X(OID_ECDSA_SHA256,            "1.2.840.10045.4.3.2",   "ecdsa-with-SHA256")                         \
    X(OID_ECDSA_SHA384,            "1.2.840.10045.4.3.3",   "ecdsa-with-SHA384")                         \
    X(OID_ECDSA_SHA512,            "1.2.840.10045.4.3.4",   "ecdsa-with-SHA512")                         \
    X(OID_SHA1,                    "1.3.14.3.2.26",         "id-sha1")                                   \
    X(OID_SHA256,                  "2.16.840.1.101.3.4.2.1", "id-sha256")                                \
    X(OID_SHA384,                  "2.16.840.1.101.3.4.2.2", "id-sha384")                                \
    X(OID_SHA512,                  "2.16.840.1.101.3.4.2.3", "id-sha512")                                \
    X(OID_DES_EDE3_CBC,            "1.2.840.113549.3.7",    "des-ede3-cbc")                              \
    X(OID_DES_CBC,                 "1.3.14.3.2.7",          "des-cbc")                                   \
    X(OID_AES128_CBC,              "2.16.840.1.101.3.4.1.2", "id-aes128-CBC")                            \
    X(OID_AES192_CBC,              "2.16.840.1.101.3.4.1.22", "id-aes192-CBC")                           \
    X(OID_AES256_CBC,              "2.16.840.1.101.3.4.1.42", "id-aes256-CBC")                           \
    X(OID_AES128_WRAP,             "2.16.840.1.101.3.4.1.5", "id-aes128-wrap")                           \
    X(OID_ECDH_SHA256,             "1.3.132.1.11.1",        "dhSinglePass-stdDH-sha256kdf-scheme")       \
    X(OID_PBKDF2,                  "1.2.840.113549.1.5.12", "PBKDF2")                                    \
    X(OID_PBES2,                   "1.2.840.113549.1.5.13", "PBES2")                                     \
    X(OID_HMAC_SHA256,             "1.2.840.113549.2.9",    "hmacWithSHA256")                            \
    X(OID_SCRYPT,                  "1.3.6.1.4.1.11591.4.11", "id-scrypt")                                \
    X(OID_DATA,                    "1.2.840.113549.1.7.1",  "id-data")                                   \
    X(OID_SIGNED_DATA,             "1.2.840.113549.1.7.2",  "id-signedData")                             \
    X(OID_ENVELOPED_DATA,          "1.2.840.113549.1.7.3",  "id-envelopedData")                          \
    X(OID_ATTR_CONTENT_TYPE,       "1.2.840.113549.1.9.3",  "contentType")                               \
    X(OID_ATTR_MESSAGE_DIGEST,     "1.2.840.113549.1.9.4",  "messageDigest")                             \
    X(OID_ATTR_SIGNING_TIME,       "1.2.840.113549.1.9.5",  "signingTime")                               \
    X(OID_ATTR_CHALLENGE_PASSWORD, "1.2.840.113549.1.9.7",  "challengePassword")                         \
    X(OID_ATTR_EXTENSION_REQUEST,  "1.2.840.113549.1.9.14", "extensionRequest")                          \
    X(OID_ATTR_MS_CERT_EXTENSIONS, "1.3.6.1.4.1.311.2.1.14", "szOID_CERT_EXTENSIONS")                    \
    X(OID_ATTR_MS_NAME_VALUE,      "1.3.6.1.4.1.311.13.2.1", "szOID_ENROLLMENT_NAME_VALUE_PAIR")         \
    X(OID_SCEP_MESSAGE_TYPE,       "2.16.840.1.113733.1.9.2", "messageType")                             \
    X(OID_SCEP_PKI_STATUS,         "2.16.840.1.113733.1.9.3", "pkiStatus")                               \
    X(OID_SCEP_FAIL_INFO,          "2.16.840.1.113733.1.9.4", "failInfo")                                \
    X(OID_SCEP_SENDER_NONCE,       "2.16.840.1.113733.1.9.5", "senderNonce")                             \
    X(OID_SCEP_RECIPIENT_NONCE,    "2.16.840.1.113733.1.9.6", "recipientNonce")                          \
    X(OID_SCEP_TRANSACTION_ID,     "2.16.840.1.113733.1.9.7", "transactionID")                           \
    X(OID_SCEP_FAIL_INFO_TEXT,     "1.3.6.1.5.5.7.24.1",    "failInfoText")                              \
    X(OID_CN,                      "2.5.4.3",               "CN")                                        \
    X(OID_SURNAME,                 "2.5.4.4",               "SN")                                        \
    X(OID_SERIAL_NUMBER,           "2.5.4.5",               "serialNumber")                              \
    X(OID_C,                       "2.5.4.6",               "C")                                         \
    X(OID_L,                       "2.5.4.7",               "L")                                         \
    X(OID_ST,                      "2.5.4.8",               "ST")                                        \
    X(OID_STREET,                  "2.5.4.9",               "STREET")                                    \
    X(OID_O,                       "2.5.4.10",              "O")                                         \
    X(OID_OU,                      "2.5.4.11",              "OU")                                        \
    X(OID_TITLE,                   "2.5.4.12",              "T")                                         \
    X(OID_GIVEN_NAME,              "2.5.4.42",              "G")                                         \
    X(OID_INITIALS,                "2.5.4.43",              "I")                                         \
    X(OID_DN_QUALIFIER,            "2.5.4.46",              "dnQualifier")                               \
    X(OID_UNSTRUCTURED_NAME,       "1.2.840.113549.1.9.2",  "unstructuredName")                          \
    X(OID_EMAIL,                   "1.2.840.113549.1.9.1",  "E")                                         \
    X(OID_UID,                     "0.9.2342.19200300.100.1.1", "UID")                                   \
    X(OID_DC,                      "0.9.2342.19200300.100.1.25", "DC")                                   \
    X(OID_EXT_SKI,                 "2.5.29.14",             "subjectKeyIdentifier")                      \
    X(OID_EXT_KEY_USAGE,           "2.5.29.15",             "keyUsage")                                  \
    X(OID_EXT_SAN,                 "2.5.29.17",             "subjectAltName")                            \
    X(OID_EXT_BASIC_CONSTRAINTS,   "2.5.29.19",             "basicConstraints")                          \
    X(OID_EXT_CRL_NUMBER,          "2.5.29.20",             "cRLNumber")                                 \
    X(OID_EXT_REASON,              "2.5.29.21",             "cRLReason")                                 \
    X(OID_EXT_DELTA_CRL,           "2.5.29.27",             "deltaCRLIndicator")                         \
    X(OID_EXT_IDP,                 "2.5.29.28",             "issuingDistributionPoint")                  \
    X(OID_EXT_NAME_CONSTRAINTS,    "2.5.29.30",             "nameConstraints")                           \
    X(OID_EXT_CDP,                 "2.5.29.31",             "cRLDistributionPoints")                     \
    X(OID_EXT_POLICIES,            "2.5.29.32",             "certificatePolicies")                       \
    X(OID_EXT_AKI,                 "2.5.29.35",             "authorityKeyIdentifier")                    \
    X(OID_EXT_EKU,                 "2.5.29.37",             "extKeyUsage")                               \
    X(OID_EXT_FRESHEST_CRL,        "2.5.29.46",             "freshestCRL")                               \
    X(OID_EXT_AIA,                 "1.3.6.1.5.5.7.1.1",     "authorityInfoAccess")                       \
    X(OID_AD_OCSP,                 "1.3.6.1.5.5.7.48.1",    "ocsp")                                      \
    X(OID_AD_CA_ISSUERS,           "1.3.6.1.5.5.7.48.2",    "caIssuers")                                 \
    X(OID_OCSP_BASIC,              "1.3.6.1.5.5.7.48.1.1",  "id-pkix-ocsp-basic")                        \
    X(OID_OCSP_NONCE,              "1.3.6.1.5.5.7.48.1.2",  "id-pkix-ocsp-nonce")                        \
    X(OID_OCSP_NOCHECK,            "1.3.6.1.5.5.7.48.1.5",  "id-pkix-ocsp-nocheck")                      \
    X(OID_MS_TEMPLATE_NAME,        "1.3.6.1.4.1.311.20.2",  "szOID_ENROLL_CERTTYPE_EXTENSION")           \
    X(OID_MS_TEMPLATE_V2,          "1.3.6.1.4.1.311.21.7",  "szOID_CERTIFICATE_TEMPLATE")                \
    X(OID_MS_APPLICATION_POLICIES, "1.3.6.1.4.1.311.21.10", "szOID_APPLICATION_CERT_POLICIES")           \
    X(OID_MS_SID,                  "1.3.6.1.4.1.311.25.2",  "szOID_NTDS_CA_SECURITY_EXT")                \
    X(OID_MS_UPN,                  "1.3.6.1.4.1.311.20.2.3", "UPN")                                      \
    X(OID_KP_ANY,                  "2.5.29.37.0",           "anyExtendedKeyUsage")                       \
    X(OID_KP_SERVER_AUTH,          "1.3.6.1.5.5.7.3.1",     "serverAuth")                                \
    X(OID_KP_CLIENT_AUTH,          "1.3.6.1.5.5.7.3.2",     "clientAuth")                                \
    X(OID_KP_CODE_SIGNING,         "1.3.6.1.5.5.7.3.3",     "codeSigning")                               \
    X(OID_KP_EMAIL_PROTECTION,     "1.3.6.1.5.5.7.3.4",     "emailProtection")                           \
    X(OID_KP_OCSP_SIGNING,         "1.3.6.1.5.5.7.3.9",     "OCSPSigning")                               \
    X(OID_KP_REQUEST_AGENT,        "1.3.6.1.4.1.311.20.2.1", "certificateRequestAgent")

#define OID_ENUM_(name, dotted, text) name,
enum oid { OID_UNKNOWN, OIDS(OID_ENUM_) OID_COUNT };
#undef OID_ENUM_

struct bytes oid_bytes(enum oid oid);                        /* content octets; static storage, no start-up step */
bool oid_is(struct bytes content, enum oid oid);
enum oid oid_find(struct bytes content);                     /* OID_UNKNOWN when not in the table */
const char *oid_name(enum oid oid);                          /* short name */
enum oid oid_by_name(const char *name);                      /* short name, any case; OID_UNKNOWN */
void oid_append_dotted(struct buf *out, struct bytes content);
NODISCARD bool oid_from_dotted(const char *dotted, struct buf *ret_content);
