/* SPDX-License-Identifier: Apache-2.0 */
/* What a device sends to the management service: the path, a line's end, the body, in which TOKEN and CSR stand for good ones. Each comes once from
   a device without a certificate and once from one that is enrolled. */
#include "fuzz/mdm_world.h"

#include "base/encode.h"
#include "base/tally.h"
#include "mdm/agent/agent.h"
#include "mdm/device_ca.h"
#include "x509/csr.h"
#include "x509/name.h"
#include <jansson.h>

static const char first[] =
    "{\"token\":\"TOKEN\",\"csr\":\"CSR\",\"device\":{\"platform\":\"linux\",\"serial\":\"S1\"}}";
static struct secret unlock;
static char token[64];
static struct buf csr, cert;

static void csr_put(void)
{
    static const struct key_spec spec = { .kind = KEY_EC_P256 };
    struct why why = { 0 };
    AUTO(key) key = NULL;
    AUTO_BUF name = { 0 };
    AUTO_BUF der = { 0 };
    PROMISE(key_generate(&spec, NULL, &key, &why) == OK && name_from_text("CN=x", &name, &why) == OK);
    const struct csr_params params = { .subject = buf_bytes(&name) };
    PROMISE(csr_make(&params, key, &der, &why) == OK);
    buf_clear(&csr);
    base64_append(&csr, buf_bytes(&der));
}

/* The first occurrence of word becomes text. */
static void replace(struct buf *body, const char *word, const char *text)
{
    const uint8_t *at = body->len ? memmem(body->data, body->len, word, strlen(word)) : NULL;
    if (!at)
        return;
    size_t before = (size_t)(at - body->data), after = before + strlen(word);
    struct buf made = buf_dup(bytes_of(body->data, before));
    buf_append_str(&made, text);
    buf_append(&made, bytes_of(body->data + after, body->len - after));
    buf_free(body);
    *body = made;
}

static json_t *answer_of(struct mdm *mdm, struct bytes path, struct bytes text, struct bytes own,
                         int *ret_status)
{
    struct api_answer answer = { 0 };
    AUTO_BUF body = buf_dup(text);
    replace(&body, "TOKEN", token);
    replace(&body, "CSR", buf_text(&csr));
    const struct agent_request request = { .method = HTTP_POST,
                                           .target = path,
                                           .content_type = BYTES_LIT("application/json"),
                                           .body = buf_bytes(&body),
                                           .client_cert = own,
                                           .peer = "192.0.2.1" };
    json_error_t error;
    agent_serve(mdm, &request, &answer);
    json_t *json =
        json_loadb((const char *)answer.body.data, answer.body.len, JSON_REJECT_DUPLICATES, &error);
    *ret_status = answer.status;
    PROMISE(json && answer.content_type);
    PROMISE(answer.status < 400 || json_string_value(json_object_get(json, "code")));
    PROMISE(answer.status < 500);
    api_answer_free(&answer);
    return json;
}

static void made(struct mdm *mdm, const char *folder)
{
    static const struct api_caller somebody = { "admin/fuzz", ADMIN_ALL };
    const struct api_request wanted = { .method = HTTP_POST,
                                        .target = BYTES_LIT("/api/v1/enrolment-tokens"),
                                        .content_type = BYTES_LIT("application/json"),
                                        .body = BYTES_LIT("{\"uses\":100000}"),
                                        .caller = &somebody };
    struct api_answer answer = { 0 };
    struct why why = { 0 };
    json_error_t error;
    int status;
    if (!unlock.len)
        unlock = secret_new(32);
    const struct kept_key_source source = { folder, folder, &unlock, NULL };
    PROMISE(device_ca_open(&source, "fuzz", clock_now(mdm->clock), &mdm->device_ca, &why) == OK);
    PROMISE(tally_new(1, &mdm->refused_tokens, &why) == OK); /* nobody is kept out */
    csr_put();
    api_serve(mdm, &wanted, &answer);
    json_t *json = json_loadb((const char *)answer.body.data, answer.body.len, 0, &error);
    snprintf(token, sizeof(token), "%s", json_string_value(json_object_get(json, "token")));
    json_decref(json);
    api_answer_free(&answer);
    json = answer_of(mdm, BYTES_LIT("/device/v1/enrol"), BYTES_LIT(first), BYTES_NONE, &status);
    PROMISE(status == 201);
    buf_clear(&cert);
    PROMISE(base64_decode(bytes_str(json_string_value(json_object_get(json, "certificate"))), false, &cert));
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes body = bytes_of(data, len);
    struct bytes path = mdm_world_take(&body, '\n');
    struct mdm *mdm = mdm_world(made);
    int stranger, device;
    json_decref(answer_of(mdm, path, body, BYTES_NONE, &stranger));
    json_decref(answer_of(mdm, path, body, buf_bytes(&cert), &device));
    PROMISE(stranger >= 400 || bytes_equal(path, BYTES_LIT("/device/v1/enrol")));
    return 0;
}
