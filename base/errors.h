/* SPDX-License-Identifier: Apache-2.0 */
/* The error table. Columns: name, SCEP failInfo, retryable, HTTP status, exit status, HRESULT, validation API
   code, connector code, diagnosis id, operator sentence, remedy. Unused cells say NONE (FAIL_NONE, 0 or ""). */
#pragma once

enum {
    FAIL_NONE = -1,
    FAIL_BAD_ALG = 0,           /* RFC 8894 3.2.1.4.5 */
    FAIL_BAD_MESSAGE_CHECK = 1,
    FAIL_BAD_REQUEST = 2,
    FAIL_BAD_TIME = 3,
    FAIL_BAD_CERT_ID = 4,
};
#define NONE ""

/* clang-format off */
#define ERRORS(X) \
    X(OK,                     FAIL_NONE,              0, 200, 0, 0,          "Success", NONE, NONE, "done", NONE) \
    X(ERR_INTERNAL,           FAIL_NONE,              1, 500, 1, 0x8000FFFFu, NONE, "KFFF", "KFFF", "internal error", "report the log line with its id") \
    X(ERR_NO_MEMORY,          FAIL_NONE,              1, 503, 1, 0x8007000Eu, NONE, "KFFF", NONE, "out of memory", "give the role more memory") \
    X(ERR_IO,                 FAIL_NONE,              1, 503, 1, 0x8007001Du, NONE, NONE, NONE, "file or device error", "check path, owner, mode and free space") \
    X(ERR_STORE,              FAIL_NONE,              1, 503, 4, 0,          NONE, NONE, "N12", "store unavailable", "check the database, its free space and its rights") \
    X(ERR_STORE_SCHEMA,       FAIL_NONE,              1, 503, 1, 0,          NONE, NONE, NONE, "store has a newer schema than this program", "install the release that wrote it") \
    X(ERR_CONFLICT,           FAIL_BAD_REQUEST,       0, 409, 1, 0,          NONE, NONE, NONE, "already there", "choose another name, or use what is there") \
    X(ERR_WRONG_STATE,        FAIL_BAD_REQUEST,       0, 409, 1, 0,          NONE, NONE, NONE, "not possible as things are", "change first what the message names, or leave it as it is") \
    X(ERR_CHANGED,            FAIL_BAD_REQUEST,       0, 409, 1, 0,          NONE, NONE, NONE, "changed meanwhile", "look at what it is now, then ask for that version") \
    X(ERR_NOT_FOUND,          FAIL_BAD_CERT_ID,       0, 404, 3, 0x80070490u, NONE, NONE, NONE, "not found", "list what there is") \
    X(ERR_NOT_AUTHORISED,     FAIL_BAD_REQUEST,       0, 403, 1, 0x80070005u, NONE, NONE, NONE, "principal lacks the right", "grant it, or ask somebody who has it") \
    X(ERR_UNAVAILABLE,        FAIL_NONE,              1, 503, 4, 0x80094002u, NONE, "K400", "N3", "a role that is needed cannot be reached", "see whether it runs: chancery status") \
    X(ERR_PARTIAL,            FAIL_NONE,              1, 503, 5, 0,          NONE, NONE, NONE, "partly done", "see what the message names, and run it again") \
    X(ERR_BUSY,               FAIL_NONE,              1, 503, 4, 0,          NONE, NONE, NONE, "too many requests are waiting", "retry later, or give it more cores") \
    X(ERR_TIMEOUT,            FAIL_NONE,              1, 503, 4, 0x800705B4u, NONE, NONE, NONE, "no answer in time", "look at the load of the role that was asked") \
    X(ERR_RATE,               FAIL_NONE,              1, 429, 1, 0,          NONE, NONE, NONE, "rate limit reached", "retry later") \
    X(ERR_USAGE,              FAIL_NONE,              0, 400, 2, 0,          NONE, NONE, NONE, "wrong usage", "see the command's --help") \
    X(ERR_CONFIG,             FAIL_NONE,              0, 500, 1, 0,          NONE, NONE, NONE, "configuration refused", "correct the named option") \
    X(ERR_LIMIT,              FAIL_BAD_REQUEST,       0, 413, 1, 0,          NONE, NONE, NONE, "larger than the limit", "raise the named limit if the request is legitimate") \
    X(ERR_PROTOCOL,           FAIL_NONE,              1, 503, 4, 0,          NONE, NONE, NONE, "a role answered what it should not", "see that all roles are of the same release") \
    X(ERR_MALFORMED,          FAIL_BAD_REQUEST,       0, 400, 1, 0,          "CertificateRequestDecodingFailed", NONE, NONE, "malformed encoding", "see the log line for the offending element") \
    X(ERR_BAD_ALG,            FAIL_BAD_ALG,           0, 200, 1, 0x80090008u, NONE, NONE, NONE, "algorithm not allowed", "change the client, or allow the algorithm at the endpoint") \
    X(ERR_WEAK_KEY,           FAIL_BAD_ALG,           0, 200, 1, 0x80094811u, "KeyLengthMismatch", NONE, NONE, "key too weak", "make a stronger key, or lower the template's minimum") \
    X(ERR_BAD_MESSAGE_CHECK,  FAIL_BAD_MESSAGE_CHECK, 0, 200, 1, 0x80090006u, NONE, NONE, NONE, "integrity check failed", "the message was altered, or encrypted to another RA certificate: fetch GetCACert anew") \
    X(ERR_BAD_REQUEST,        FAIL_BAD_REQUEST,       0, 200, 1, 0x80094001u, NONE, NONE, NONE, "transaction not permitted or supported", "see the log line for the rule") \
    X(ERR_BAD_TIME,           FAIL_BAD_TIME,          0, 200, 1, 0x800B0101u, NONE, NONE, NONE, "time is not close enough", "set the clocks") \
    X(ERR_BAD_CERT_ID,        FAIL_BAD_CERT_ID,       0, 200, 3, 0,          NONE, NONE, NONE, "no certificate by that name", NONE) \
    X(ERR_CHALLENGE_MISSING,  FAIL_BAD_REQUEST,       0, 200, 1, 0x80070005u, "ChallengePasswordMissing", NONE, NONE, "challenge password missing", "give the client the challenge") \
    X(ERR_CHALLENGE_WRONG,    FAIL_BAD_REQUEST,       0, 200, 1, 0x80070005u, "ChallengeDecryptionError", NONE, NONE, "challenge password wrong", "give the client the endpoint's challenge") \
    X(ERR_CHALLENGE_USED,     FAIL_BAD_REQUEST,       0, 200, 1, 0x80070005u, NONE, NONE, NONE, "challenge password was used before", "make a new one: chancery password new; a managed device gets one at its next check-in") \
    X(ERR_CHALLENGE_EXPIRED,  FAIL_BAD_REQUEST,       0, 200, 1, 0x80070005u, "ChallengeExpired", "K411", "K411", "challenge password expired", "make a new one: chancery password new; a managed device gets one at its next check-in") \
    X(ERR_CHALLENGE_ENCODING,  FAIL_BAD_REQUEST,       0, 200, 1, 0x8007000Du, "ChallengeDecodingError", "K410", "K410", "dynamic challenge is not base64 of the CMS that it should be", "see whether something on the way alters it (base64url, + as a blank), and that both sides are of one release") \
    X(ERR_CHALLENGE_SIGNER,    FAIL_BAD_REQUEST,       0, 200, 1, 0x8009100Eu, "SigningCertThumbprintMismatch", "K409", "K409", "dynamic challenge is signed by nobody pinned here", "see that the management service's signing certificate, or its successor, has come to this site") \
    X(ERR_CHALLENGE_SIGNATURE, FAIL_BAD_REQUEST,       0, 200, 1, 0x80090006u, "SignatureValidationFailed", NONE, NONE, "dynamic challenge was altered or forged", "see the log line for who sent it") \
    X(ERR_CHALLENGE_DECRYPTION, FAIL_BAD_REQUEST,       0, 200, 1, 0x8009200Cu, "ChallengeDecryptionError", "K408", "K408", "dynamic challenge is encrypted to another key", "register the CRP certificate with the management service anew") \
    X(ERR_CHALLENGE_MALFORMED, FAIL_BAD_REQUEST,       0, 200, 1, 0x8007000Du, "ChallengeDeserializationError", "K410", "K410", "dynamic challenge cannot be read", "see that both sides are of one release") \
    X(ERR_CHALLENGE_EARLY,     FAIL_BAD_REQUEST,       0, 200, 1, 0x800B0101u, "ChallengeInvalidTimestamp", NONE, NONE, "dynamic challenge is not valid yet", "set the clocks") \
    X(ERR_CHALLENGE_REQUEST_ID, FAIL_BAD_REQUEST,       0, 200, 1, 0x8007000Du, "BadCertificateRequestIdInChallenge", NONE, NONE, "dynamic challenge has no usable id", "see that both sides are of one release") \
    X(ERR_CHALLENGE_DEVICE,    FAIL_BAD_REQUEST,       0, 200, 1, 0x8007000Du, "BadDeviceIdInChallenge", NONE, NONE, "dynamic challenge has no usable device id", "see that both sides are of one release") \
    X(ERR_CHALLENGE_USER,      FAIL_BAD_REQUEST,       0, 200, 1, 0x8007000Du, "BadUserIdInChallenge", NONE, NONE, "dynamic challenge has no usable user id", "see that both sides are of one release") \
    X(ERR_NOT_TARGETED,        FAIL_BAD_REQUEST,       0, 200, 1, 0x80070005u, "ScepProfileNoLongerTargetedToTheClient", NONE, NONE, "the profile is no longer assigned to this device", "assign it again, or leave it") \
    X(ERR_SUBJECT_MISSING,     FAIL_BAD_REQUEST,       0, 200, 1, 0x80094001u, "SubjectNameMissing", NONE, NONE, "request has no subject, the challenge wants one", "see the log line for the name; the device must send the profile's") \
    X(ERR_SUBJECT_MISMATCH,    FAIL_BAD_REQUEST,       0, 200, 1, 0x80094001u, "SubjectNameMismatch", NONE, NONE, "subject is not that of the challenge", "see the log line for both; does the device still have an older profile?") \
    X(ERR_SAN_MISSING,         FAIL_BAD_REQUEST,       0, 200, 1, 0x80094001u, "SubjectAltNameMissing", NONE, NONE, "request has no subject alternative names, the challenge wants some", "see the log line for them") \
    X(ERR_SAN_MISMATCH,        FAIL_BAD_REQUEST,       0, 200, 1, 0x80094001u, "SubjectAltNameMismatch", NONE, NONE, "subject alternative names are not those of the challenge", "see the log line for both") \
    X(ERR_EKU_MISSING,         FAIL_BAD_REQUEST,       0, 200, 1, 0x800B0110u, "EnhancedKeyUsageMissing", NONE, NONE, "request has no extended key usage, the challenge wants some", "see the log line for it") \
    X(ERR_EKU_MISMATCH,        FAIL_BAD_REQUEST,       0, 200, 1, 0x800B0110u, "EnhancedKeyUsageMismatch", NONE, NONE, "extended key usage is not that of the challenge", "see the log line for both") \
    X(ERR_KEY_USAGE_MISMATCH,  FAIL_BAD_REQUEST,       0, 200, 1, 0x800B0110u, "KeyUsageMismatch", NONE, NONE, "key usage is not that of the challenge", "see the log line for both") \
    X(ERR_KEY_LENGTH_MISMATCH, FAIL_BAD_REQUEST,       0, 200, 1, 0x80094811u, "KeyLengthMismatch", NONE, NONE, "key is of another kind or length than the challenge says", "see the log line for both") \
    X(ERR_REGISTERED_KEY,      FAIL_BAD_REQUEST,       0, 200, 1, 0x80070005u, "RegisteredKeyMismatch", NONE, NONE, "not the key that the device registered", "see who sent it: a challenge of this device was used with another key") \
    X(ERR_KEY_LIST_MISSING,    FAIL_BAD_REQUEST,       0, 200, 1, 0x80070005u, "AadKeyIdentifierListMissing", NONE, NONE, "the device has no registered keys", "register the device") \
    X(ERR_TEMPLATE,           FAIL_BAD_REQUEST,       0, 200, 1, 0x80094800u, NONE, NONE, "P7", "no such template, or not published", "set the endpoint's slot to a published template's name") \
    X(ERR_TEMPLATE_PROPERTY,  FAIL_BAD_REQUEST,       0, 200, 1, 0x80094800u, NONE, NONE, "P7", "template property refused", "give a value that it takes: chancery(1), section Templates, has them; the limits of the CA are in its ca section") \
    X(ERR_TEMPLATE_DENIED,    FAIL_BAD_REQUEST,       0, 200, 1, 0x80094012u, NONE, NONE, "P7", "the rights on the template do not let it enrol", "grant them: chancery right grant PRINCIPAL read,enroll --template NAME") \
    X(ERR_AUTHORITY_LIMIT,    FAIL_BAD_REQUEST,       0, 403, 1, 0,          NONE, NONE, NONE, "outside the authority's limits", "chancery authority show has them, chancery authority set changes them") \
    X(ERR_TEMPLATE_SUBJECT,   FAIL_BAD_REQUEST,       0, 200, 1, 0x80094812u, "SubjectNameMismatch", NONE, NONE, "subject not allowed by the template", "ask for what the template allows, or widen it") \
    X(ERR_TEMPLATE_SAN,       FAIL_BAD_REQUEST,       0, 200, 1, 0x80094812u, "SubjectAltNameMismatch", NONE, NONE, "subject alternative name not allowed by the template", "ask for what the template allows, or widen it") \
    X(ERR_TEMPLATE_USAGE,     FAIL_BAD_REQUEST,       0, 200, 1, 0x80094800u, "KeyUsageMismatch", NONE, NONE, "key usage not allowed by the template", "ask for what the template allows, or widen it") \
    X(ERR_LINT,               FAIL_BAD_REQUEST,       0, 200, 1, 0,          NONE, NONE, NONE, "the certificate would break RFC 5280", "see the log line for the clause") \
    X(ERR_SIGNER_LIMIT,       FAIL_BAD_REQUEST,       0, 200, 1, 0,          NONE, NONE, NONE, "outside the signer's limits for this CA", "see the limits in the ca section") \
    X(ERR_DENIED,             FAIL_BAD_REQUEST,       0, 200, 1, 0x80094014u, NONE, NONE, NONE, "request was denied", "ask the CA manager") \
    X(ERR_REVOKED,            FAIL_BAD_REQUEST,       0, 200, 1, 0x80092010u, NONE, NONE, NONE, "certificate is revoked", "enrol anew") \
    X(ERR_EXPIRED,            FAIL_BAD_REQUEST,       0, 200, 1, 0x800B0101u, NONE, "K405", NONE, "certificate is expired", "enrol anew") \
    X(ERR_KEY,                FAIL_NONE,              1, 503, 1, 0x8009000Du, NONE, NONE, "N1", "key cannot be used", "check the key file's owner and mode, and the unlock secret") \
    X(ERR_RA_EXPIRED,         FAIL_NONE,              1, 503, 1, 0x800B0101u, NONE, NONE, "N13", "RA certificate expired", "chancery ra renew") \
    X(ERR_PROFILE,            FAIL_NONE,              0, 422, 1, 0,          NONE, NONE, NONE, "profile refused", "correct the named settings (docs/profiles.md)") \
    X(ERR_PROFILE_VALUE,      FAIL_NONE,              0, 422, 1, 0,          NONE, NONE, "P1", "a variable has no value for this device", "fill it in the directory, take another variable, or assign the profile to other devices") \
    X(ERR_PROFILE_DEVICE,     FAIL_NONE,              0, 422, 1, 0,          NONE, NONE, NONE, "profile does not suit this device", "assign it to other devices, or correct what the message names") \
    X(ERR_VALUE,              FAIL_NONE,              0, 422, 1, 0,          NONE, NONE, NONE, "value refused", "correct what the message names") \
    X(ERR_STALE,              FAIL_NONE,              0, 412, 1, 0,          NONE, NONE, NONE, "changed by somebody else meanwhile", "read it again, and make the change anew") \
    X(ERR_SIGN_IN,            FAIL_NONE,              0, 401, 1, 0,          NONE, NONE, NONE, "nobody is signed in", "sign in") \
    X(ERR_HTTP_BAD,           FAIL_NONE,              0, 400, 1, 0,          NONE, NONE, NONE, "malformed HTTP request", "the client or a proxy speaks broken HTTP") \
    X(ERR_HTTP_NO_OPERATION,  FAIL_NONE,              0, 403, 1, 0,          NONE, NONE, NONE, "no operation given", NONE) \
    X(ERR_HTTP_PATH,          FAIL_NONE,              0, 404, 1, 0,          NONE, NONE, "N15", "unknown path", "correct the URL in the profile") \
    X(ERR_HTTP_METHOD,        FAIL_NONE,              0, 405, 1, 0,          NONE, NONE, NONE, "method not allowed", NONE) \
    X(ERR_HTTP_LENGTH,        FAIL_NONE,              0, 411, 1, 0,          NONE, NONE, NONE, "Content-Length required", "the client or proxy must send the body's length") \
    X(ERR_HTTP_BODY,          FAIL_NONE,              0, 413, 1, 0,          NONE, NONE, NONE, "body larger than the limit", "raise max_body_bytes if it is legitimate") \
    X(ERR_HTTP_URL,           FAIL_NONE,              0, 414, 1, 0,          NONE, NONE, "N10", "URL longer than the limit", "raise max_url_length, here and on the proxy") \
    X(ERR_HTTP_EXPECT,        FAIL_NONE,              0, 417, 1, 0,          NONE, NONE, NONE, "unknown Expect header", NONE) \
    X(ERR_HTTP_FIELDS,        FAIL_NONE,              0, 431, 1, 0,          NONE, NONE, NONE, "headers larger than the limit", "raise max_field_length or max_request_bytes") \
    X(ERR_HTTP_VERSION,       FAIL_NONE,              0, 505, 1, 0,          NONE, NONE, NONE, "HTTP version not supported", NONE)
/* clang-format on */
