/* SPDX-License-Identifier: Apache-2.0 */
/* Device certificates: CN and URI name the device, EKU clientAuth says what they are for. There are no name constraints in the CA's: nobody
   but this role has it among its anchors, so there is no other verifier whom they could protect. */
#include "mdm/device_ca.h"

#include "base/fault.h"
#include "base/limits.h"
#include "x509/csr.h"
#include "x509/name.h"
#include "x509/san.h"
#include <stdio.h>

#define BACKDATE_S DEVICE_CA_DAY_S /* a device that was just unpacked has a wrong clock */

static const struct kept_key_kind kind = { .prefix = "device-ca",
                                           .subject = "CN=Chancery Device CA",
                                           .name = "device CA",
                                           .key_usage = KU_KEY_CERT_SIGN,
                                           .is_ca = true,
                                           .validity_s = DEVICE_CA_VALIDITY_S,
                                           .renew_before_s = DEVICE_CA_RENEW_S,
                                           .kept_s = 0 };

struct device_ca {
    struct kept_key *key;
    char *site;
};

enum err device_ca_open(const struct kept_key_source *source, const char *site, int64_t now,
                        struct device_ca **ret, struct why *why)
{
    AUTO(device_ca) ca = xcalloc(1, sizeof(*ca));
    ca->site = xstrdup(site);
    TRY(kept_key_open(&kind, source, now, &ca->key, why));
    *ret = TAKE(ca);
    return OK;
}

void device_ca_free(struct device_ca *ca)
{
    if (!ca)
        return;
    kept_key_free(ca->key);
    free(ca->site);
    free(ca);
}

void device_ca_anchors(struct device_ca *ca, struct buf *ret)
{
    AUTO(kept_generations) keys = kept_key_hold(ca->key);
    for (size_t i = 0; i < keys->count; i++)
        buf_append(ret, buf_bytes(&keys->of[i].der));
}

enum err device_ca_keep(struct device_ca *ca, int64_t now, bool *ret_changed, struct why *why)
{
    AUTO_BUF before = { 0 };
    AUTO_BUF after = { 0 };
    device_ca_anchors(ca, &before);
    TRY(kept_key_keep(ca->key, now, why));
    device_ca_anchors(ca, &after);
    *ret_changed = !bytes_equal(buf_bytes(&before), buf_bytes(&after));
    return OK;
}

/* --- issuing --- */

void device_certificate_free(struct device_certificate *certificate)
{
    buf_free(&certificate->der);
    buf_free(&certificate->issuer);
    *certificate = (struct device_certificate){ 0 };
}

static enum err key_check(const struct public_key *key, struct why *why)
{
    enum key_kind found = public_key_kind(key);
    if (found != KEY_EC_P256 && found != KEY_RSA && !FAULT(device_ca_key))
        return fail(why, ERR_BAD_ALG, "a device's key is P-256 or RSA, and this is %s", key_kind_name(found));
    if (FAULT(device_ca_key))
        return OK;
    return public_key_check_weak(key, LIMIT_RSA_BITS_MIN, why);
}

static enum err request_check(struct bytes der, struct csr *ret, struct why *why)
{
    AUTO(public_key) key = NULL;
    TRY(csr_parse(der, ret, why));
    TRY(public_key_parse(ret->spki, &key, why));
    TRY(key_check(key, why));
    return FAULT(device_ca_proof) ? OK : csr_verify(ret, key, false, why);
}

static char *device_uri(const struct device_ca *ca, const char *device)
{
    return xasprintf("chancery://%s/device/%s", ca->site, device);
}

static enum err names_make(const struct device_ca *ca, const char *device, struct buf *ret_subject,
                           struct buf *ret_san, struct why *why)
{
    AUTO_STR subject = xasprintf("CN=%s", device);
    AUTO_STR uri = device_uri(ca, device);
    AUTO_BUF name = { 0 };
    san_put(&name, SAN_URI, bytes_str(uri));
    san_put_end(ret_san, buf_bytes(&name));
    TRY(san_check(buf_bytes(ret_san), why));
    return name_from_text(subject, ret_subject, why);
}

struct leaf {
    struct bytes spki, subject, san;
    int64_t now;
};

static enum err certificate_make(const struct kept_generation *issuer, const struct leaf *leaf,
                                 struct device_certificate *ret, struct why *why)
{
    uint8_t serial[SERIAL_BYTES];
    AUTO_BUF tbs = { 0 };
    AUTO_BUF signature = { 0 };
    AUTO_BUF text = { 0 };
    const struct bytes purpose = oid_bytes(OID_KP_CLIENT_AUTH);
    const struct signature_algorithm algorithm = key_signature_algorithm(issuer->key);
    int64_t end = leaf->now + DEVICE_VALIDITY_S;
    TRY(serial_make(leaf->now, serial, why));
    ret->not_after = end < issuer->cert.not_after ? end : issuer->cert.not_after;
    const struct tbs_params params = { .serial = BYTES_ARR(serial),
                                       .algorithm = algorithm,
                                       .issuer = issuer->cert.subject,
                                       .subject = leaf->subject,
                                       .spki = leaf->spki,
                                       .not_before = leaf->now - BACKDATE_S,
                                       .not_after = ret->not_after,
                                       .key_usage = KU_DIGITAL_SIGNATURE,
                                       .eku = &purpose,
                                       .eku_count = 1,
                                       .path_len = -1,
                                       .san = leaf->san,
                                       .issuer_key_id = issuer->cert.ski };
    TRY(tbs_build(&params, &tbs, why));
    TRY(tbs_lint(buf_bytes(&tbs), why));
    TRY(key_sign(issuer->key, algorithm.digest, buf_bytes(&tbs), &signature, why));
    signed_assemble(buf_bytes(&tbs), algorithm, buf_bytes(&signature), &ret->der);
    ret->issuer = buf_dup(buf_bytes(&issuer->der));
    serial_append_text(&text, BYTES_ARR(serial));
    snprintf(ret->serial, sizeof(ret->serial), "%s", buf_text(&text));
    return OK;
}

enum err device_ca_issue(struct device_ca *ca, struct bytes csr, const char *device, int64_t now,
                         struct device_certificate *ret, struct why *why)
{
    AUTO(kept_generations) keys = kept_key_hold(ca->key);
    AUTO_VAL(device_certificate) made = { 0 };
    AUTO_BUF subject = { 0 };
    AUTO_BUF san = { 0 };
    struct csr request;
    TRY(request_check(csr, &request, why));
    TRY(names_make(ca, device, &subject, &san, why));
    const struct leaf leaf = { request.spki, buf_bytes(&subject), buf_bytes(&san), now };
    TRY(certificate_make(&keys->of[0], &leaf, &made, why));
    *ret = made;
    made = (struct device_certificate){ 0 };
    return OK;
}

/* --- who comes --- */

/* "chancery://SITE/device/UUID", and no other name beside it. */
static bool names_device(const struct device_ca *ca, struct bytes san, char ret[static UUID_TEXT])
{
    AUTO_STR prefix = device_uri(ca, "");
    size_t len = strlen(prefix);
    struct san_name name, more;
    struct why why;
    if (!san.len || san_check(san, &why) != OK)
        return false;
    struct der_reader names = san_reader_over(san);
    if (!san_next(&names, &name) || san_next(&names, &more) || name.kind != SAN_URI ||
        name.value.len != len + UUID_TEXT - 1 || memcmp(name.value.data, prefix, len) != 0)
        return false;
    memcpy(ret, name.value.data + len, UUID_TEXT - 1);
    ret[UUID_TEXT - 1] = '\0';
    return uuid_is(bytes_str(ret));
}

enum err device_identity_read(const struct device_ca *ca, struct bytes der, int64_t now,
                              struct device_identity *ret, struct why *why)
{
    struct device_identity identity = { 0 };
    struct cert cert;
    AUTO_BUF serial = { 0 };
    TRY(cert_parse(der, &cert, why));
    serial_append_text(&serial, cert.serial);
    if (!cert.eku.len || !cert_allows_eku(&cert, OID_KP_CLIENT_AUTH) ||
        serial.len >= sizeof(identity.serial) || !names_device(ca, cert.san, identity.device))
        return fail(why, ERR_NOT_AUTHORISED, "certificate %s names no device of site %s", buf_text(&serial),
                    ca->site);
    /* The handshake has judged that, too; but a connection, or a session that is resumed, lasts longer than that moment. */
    if (cert_is_expired(&cert, now) && !FAULT(device_identity_end))
        return fail(why, ERR_EXPIRED, "certificate %s of device %s is over", buf_text(&serial),
                    identity.device);
    snprintf(identity.serial, sizeof(identity.serial), "%s", buf_text(&serial));
    identity.not_after = cert.not_after;
    *ret = identity;
    return OK;
}
