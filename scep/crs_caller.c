/* SPDX-License-Identifier: Apache-2.0 */
#include "scep/crs_caller.h"

#include "base/fault.h"
#include "ipc/cert_status.h"
#include "x509/name.h"
#include "x509/san.h"
#include <strings.h>

static const char *allowed_find(const struct crs_allowed *allowed, struct bytes name)
{
    for (size_t i = 0; i < allowed->count; i++) {
        const char *known = allowed->names[i];
        if (strlen(known) == name.len && strncasecmp(known, (const char *)name.data, name.len) == 0)
            return known;
    }
    return NULL;
}

/* RFC 6125 6.4.4: where there are DNS names, the subject's common name is none. *ret NULL: none of them is allowed. */
static bool names_search(const struct crs_allowed *allowed, const struct cert *cert, const char **ret)
{
    struct der_reader names = san_reader_over(cert->san);
    struct san_name name;
    bool any = false;
    *ret = NULL;
    while (cert->san.len && !*ret && san_next(&names, &name)) {
        if (name.kind != SAN_DNS)
            continue;
        any = true;
        *ret = allowed_find(allowed, name.value);
    }
    return any;
}

static const char *subject_search(const struct crs_allowed *allowed, const struct cert *cert)
{
    struct name_reader parts = name_reader_over(cert->subject);
    struct name_attribute part;
    const char *found = NULL;
    size_t count = 0;
    while (name_next(&parts, &part)) {
        AUTO_BUF text = { 0 };
        if (!oid_is(part.oid, OID_CN))
            continue;
        if (++count == 1 && name_value_utf8(&part, &text))
            found = allowed_find(allowed, buf_bytes(&text));
    }
    return count == 1 ? found : NULL; /* of two, which one would be its name? */
}

static enum err name_judge(const struct crs_question *question, const struct cert *cert, const char **ret,
                           struct why *why)
{
    const char *found = NULL;
    AUTO_BUF subject = { 0 }, san = { 0 };
    if (san_check(cert->san, NULL) != OK && cert->san.len)
        return fail(why, ERR_NOT_AUTHORISED, "the names of the client certificate are malformed");
    if (!names_search(question->allowed, cert, &found))
        found = subject_search(question->allowed, cert);
    if (FAULT(crs_name) && !found)
        found = question->allowed->names[0];
    *ret = found;
    if (found)
        return OK;
    name_append_text(&subject, cert->subject);
    if (cert->san.len)
        san_append_text(&san, cert->san);
    return fail(why, ERR_NOT_AUTHORISED,
                "the client certificate is for subject %.150s, names \"%.150s\": none is in crp_clients",
                buf_text(&subject), buf_text(&san));
}

/* Its own word alone counts: without the extension it would be good for anything. */
static bool is_for_clients(const struct cert *cert)
{
    struct der_reader purposes = der_reader_over(cert->eku);
    struct bytes oid;
    while (!der_at_end(&purposes) && der_get_oid(&purposes, &oid)) {
        if (oid_is(oid, OID_KP_CLIENT_AUTH))
            return true;
    }
    return FAULT(crs_purpose);
}

static enum err force_judge(const struct cert *cert, int64_t now, struct why *why)
{
    char from[21], to[21];
    clock_rfc3339(cert->not_before, from);
    clock_rfc3339(cert->not_after, to);
    if (FAULT(crs_in_force) || (now >= cert->not_before && now <= cert->not_after))
        return OK;
    return fail(why, ERR_NOT_AUTHORISED, "the client certificate is valid from %s to %s, not now", from, to);
}

enum err crs_caller_judge(const struct crs_question *question, const char **ret_name, struct why *why)
{
    const struct http_request *request = question->request;
    struct cert cert;
    *question->substatus = request->client_cert.len || request->client_refusal ? CRS_UNTRUSTED : CRS_REQUIRED;
    if (!request->client_cert.len && request->client_refusal)
        return fail(why, ERR_NOT_AUTHORISED, "the client certificate is not trusted: %s",
                    request->client_refusal);
    if (!request->client_cert.len)
        return fail(why, ERR_NOT_AUTHORISED, "there is no client certificate");
    if (cert_parse(request->client_cert, &cert, why) != OK)
        return ERR_NOT_AUTHORISED;
    if (!is_for_clients(&cert))
        return fail(why, ERR_NOT_AUTHORISED,
                    "the client certificate has not the extended key usage clientAuth (1.3.6.1.5.5.7.3.2)");
    if (force_judge(&cert, question->now, why) != OK) {
        *question->substatus = CRS_NOT_IN_FORCE;
        return ERR_NOT_AUTHORISED;
    }
    return name_judge(question, &cert, ret_name, why);
}

/* --- does its CA stand by it? --- */

static enum err standing_ask(const struct crs_standing *standing, const char *ca, const struct cert *cert,
                             struct why *why)
{
    struct serial serial;
    struct cert_status status;
    if (!serial_from_bytes(serial_magnitude(cert->serial), &serial))
        return fail(why, ERR_NOT_AUTHORISED, "ca %s issues no certificate with such a serial", ca);
    TRY(status_ask(standing->scep->ca, ca, &serial, &status, why));
    if (status.status == OCSP_GOOD || FAULT(crs_revoked))
        return OK;
    if (status.status == OCSP_REVOKED)
        return fail(why, ERR_NOT_AUTHORISED, "the client certificate is revoked: %s",
                    crl_reason_name(status.reason));
    return fail(why, ERR_NOT_AUTHORISED, "ca %s does not know the client certificate", ca);
}

enum err crs_caller_stands(const struct crs_standing *standing, struct why *why)
{
    struct endpoint_set *set = scep_endpoints(standing->scep);
    struct cert cert;
    AUTO_STR ca = NULL;
    enum err err = cert_parse(standing->certificate, &cert, why);
    if (err == OK && name_equal(cert.issuer, standing->ca_cert->subject))
        ca = xstrdup(standing->ca_name);
    for (size_t i = 0; err == OK && !ca && i < endpoint_set_count(set); i++) {
        const struct endpoint *endpoint = endpoint_set_at(set, i);
        if (name_equal(cert.issuer, endpoint->issuer.cert.subject))
            ca = xstrdup(endpoint->ca);
    }
    endpoint_set_unref(set);
    TRY(err);
    return ca ? standing_ask(standing, ca, &cert, why) : OK;
}
