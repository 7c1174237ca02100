/* SPDX-License-Identifier: Apache-2.0 */
/* What another SCEP server sends to CertificateRegistrationSvc: a V or an N for the call, then the body. What is taken, ca takes, too. */
#include "fuzz/target.h"

#include "base/auto.h"
#include "scep/crs_body.h"

static const struct registration_of whose = { .ca = BYTES_LIT("issuing"),
                                              .server = BYTES_LIT("ndes1.example.net") };

static void verify(struct crs_body *body)
{
    struct why why = { 0 };
    AUTO_BUF frame = { 0 };
    AUTO_VAL(registration_claim) read = { 0 };
    body->claim.of.ca = whose.ca;
    body->claim.of.server = whose.server;
    registration_claim_put(&frame, &body->claim);
    PROMISE(registration_claim_get(buf_bytes(&frame), &read, &why) == OK);
    PROMISE(bytes_equal(buf_bytes(&read.csr), buf_bytes(&body->claim.csr)));
}

static void notify(struct crs_body *body)
{
    struct why why = { 0 };
    AUTO_BUF frame = { 0 };
    AUTO_VAL(registration_notice) read = { 0 };
    body->notice.of.ca = whose.ca;
    body->notice.of.server = whose.server;
    registration_notice_put(&frame, &body->notice);
    PROMISE(registration_notice_get(buf_bytes(&frame), &read, &why) == OK);
    PROMISE(read.disposition == body->notice.disposition && read.hresult == body->notice.hresult);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct why why = { 0 };
    AUTO_VAL(crs_body) body = { 0 };
    if (len == 0)
        return 0;
    struct bytes text = bytes_of(data + 1, len - 1);
    bool notice = data[0] == 'N';
    enum err err = notice ? crs_body_notify(text, &body, &why) : crs_body_verify(text, &body, &why);
    PROMISE(err == OK || (err == ERR_HTTP_BAD && why.text[0]));
    if (err == OK)
        notice ? notify(&body) : verify(&body);
    return 0;
}
