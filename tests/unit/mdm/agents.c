/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/mdm/agents.h"

#include "base/encode.h"
#include "base/tally.h"
#include "tests/support/evp_key.h"
#include "x509/csr.h"
#include "x509/name.h"
#include <sys/stat.h>

static char folder[64];
static struct secret unlock;

int agents_begin(void **state)
{
    struct why why = { 0 };
    directory_begin(state);
    snprintf(folder, sizeof(folder), "/tmp/chancery-agents-XXXXXX");
    assert_non_null(mkdtemp(folder));
    ASSERT_OK(secret_random(32, &unlock, &why), &why);
    const struct kept_key_source source = { folder, folder, &unlock, NULL };
    ASSERT_OK(device_ca_open(&source, "lab", NOW, &directory.mdm.device_ca, &why), &why);
    ASSERT_OK(tally_new(AGENT_REFUSALS_WINDOW_MS, &directory.mdm.refused_tokens, &why), &why);
    return 0;
}

int agents_end(void **state)
{
    AUTO_STR command = xasprintf("rm -rf %s", folder);
    device_ca_free(directory.mdm.device_ca);
    tally_free(directory.mdm.refused_tokens);
    secret_free(&unlock);
    assert_int_equal(0, system(command));
    return directory_end(state);
}

int agent_post_from(const char *path, const char *body, struct bytes cert, const char *peer)
{
    const struct agent_request request = { .method = HTTP_POST,
                                           .target = bytes_str(path),
                                           .content_type = BYTES_LIT("application/json"),
                                           .body = bytes_str(body),
                                           .client_cert = cert,
                                           .peer = peer };
    struct api_answer answer = { 0 };
    agent_serve(&directory.mdm, &request, &answer);
    return answered_with(&answer);
}

int agent_post(const char *path, const char *body, struct bytes cert)
{
    return agent_post_from(path, body, cert, "192.0.2.7");
}

const char *token_made(const char *body)
{
    static char tokens[4][64];
    static unsigned at;
    char *token = tokens[at++ % 4];
    ASSERT_STATUS(201, ask(HTTP_POST, "/api/v1/enrolment-tokens", body));
    snprintf(token, sizeof(tokens[0]), "%s", answered("token"));
    return token;
}

char *csr_text(void)
{
    AUTO(key) key = evp_key_ec("P-256");
    AUTO_BUF name = { 0 };
    AUTO_BUF der = { 0 };
    AUTO_BUF text = { 0 };
    struct why why = { 0 };
    ASSERT_OK(name_from_text("CN=device", &name, &why), &why);
    const struct csr_params params = { .subject = buf_bytes(&name) };
    ASSERT_OK(csr_make(&params, key, &der, &why), &why);
    base64_append(&text, buf_bytes(&der));
    return xstrdup(buf_text(&text));
}

int enrolled_by(const char *token, const char *device)
{
    AUTO_STR csr = csr_text();
    AUTO_STR body = xasprintf("{\"token\":\"%s\",\"csr\":\"%s\",\"device\":%s}", token, csr, device);
    return agent_post("/device/v1/enrol", body, BYTES_NONE);
}

struct buf certificate_answered(void)
{
    struct buf der = { 0 };
    assert_true(base64_decode(bytes_str(answered("certificate")), false, &der));
    return der;
}

struct buf device_enrolled(const char *token_body, const char *device)
{
    ASSERT_STATUS(201, enrolled_by(token_made(token_body), device));
    return certificate_answered();
}
