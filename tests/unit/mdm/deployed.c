/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/mdm/deployed.h"

#include "base/encode.h"
#include "mdm/deployment.h"
#include "tests/unit/mdm/profile_kept.h"

struct site site;

void assign(const char *profile, const char *group)
{
    AUTO_STR target = xasprintf("/api/v1/profiles/%s/assignments", profile);
    AUTO_STR body = xasprintf("{\"group\":\"%s\",\"mode\":\"include\"}", group);
    ASSERT_STATUS(201, ask(HTTP_POST, target, body));
}

void unassign(const char *profile)
{
    AUTO_STR target = xasprintf("/api/v1/profiles/%s/assignments/lab", profile);
    ASSERT_STATUS(200, ask(HTTP_DELETE, target, NULL));
}

json_t *scep_json(const char *platform)
{
    json_t *document = fixture_json("device");
    json_object_set_new(document, "platform", json_string(platform));
    json_object_set_new(document, "subject_name", json_string("CN={{Device_Serial}}"));
    if (strcmp(platform, "linux") == 0)
        json_object_set_new(document, "hash_algorithm", json_string("SHA-2"));
    return document;
}

static void profiles_make(const char *platform)
{
    AUTO_STR word = xasprintf("'%s'", platform);
    snprintf(site.root, sizeof(site.root), "%s", profile_made("trusted", "platform", word));
    ASSERT_STATUS(201, profile_send(HTTP_POST, "/api/v1/profiles", scep_json(platform)));
    snprintf(site.profile, sizeof(site.profile), "%s", answered("id"));
    assign("Root", "lab");
    assign("Kiosks", "lab");
}

void site_make(const char *platform)
{
    AUTO_STR said = xasprintf("{\"platform\":\"%s\",\"serial\":\"S1\",\"name\":\"pc\"}", platform);
    buf_free(&site.cert);
    site.cert = device_enrolled("{}", said);
    snprintf(site.device, sizeof(site.device), "%s", answered("device"));
    made("/api/v1/groups", "{\"name\":\"lab\",\"kind\":\"device\"}");
    ASSERT_STATUS(204, ask(HTTP_POST, "/api/v1/groups/lab/members", "{\"member\":\"S1\"}"));
    profiles_make(platform);
}

int checked_in(const char *body)
{
    return agent_post(CHECKIN, body, buf_bytes(&site.cert));
}

size_t orders(void)
{
    return json_array_size(json_object_get(directory.answer, "do"));
}

/* The index-th order's member; "" where it has none. */
const char *order(size_t index, const char *member)
{
    const json_t *item = json_array_get(json_object_get(directory.answer, "do"), index);
    const char *text = json_string_value(json_object_get(item, member));
    return text ? text : "";
}

const char *state_of(const char *profile)
{
    static char state[32];
    for (int i = DEPLOYMENT_PENDING; i < DEPLOYMENT_STATE_COUNT; i++) {
        const char *name = word_name(&deployment_state_words, i);
        AUTO_STR one = xasprintf("SELECT COUNT(*) FROM deployment WHERE profile_id = '%s' AND state = '%s'",
                                 profile, name);
        snprintf(state, sizeof(state), "%s", name);
        if (counted(one))
            return state;
    }
    return "none";
}

/* --- a certificate of ca --- */

struct made_certificate made_certificate;

static void hex_of(struct bytes data, char ret[static 65])
{
    uint8_t digest[32];
    AUTO_BUF text = { 0 };
    struct why why = { 0 };
    ASSERT_OK(sha256_parts(&data, 1, digest, &why), &why);
    hex_append(&text, BYTES_ARR(digest));
    memcpy(ret, buf_text(&text), 65);
}

void certificate_make(void)
{
    AUTO(key) key = fixture_key(KEY_EC_P256);
    AUTO_BUF name = fixture_name("CN=S1");
    AUTO_BUF issuer = fixture_name("CN=Issuing");
    struct tbs_params params = fixture_leaf(key, buf_bytes(&issuer), buf_bytes(&name));
    params.not_before = directory.clock.held;
    params.not_after = directory.clock.held + 100 * DAY;
    buf_free(&made_certificate.der);
    made_certificate.der = fixture_certificate(&params, key);
    hex_of(buf_bytes(&made_certificate.der), made_certificate.thumbprint);
    hex_of(public_key_spki(key->public_half), made_certificate.key);
}

void ca_issues(const char *challenge, const char *serial, int64_t version)
{
    certificate_make();
    fake_ca_tells(&(struct fake_event){ .kind = "issued",
                                        .device = site.device,
                                        .profile = site.profile,
                                        .challenge = challenge,
                                        .serial = serial,
                                        .version = version,
                                        .certificate = buf_bytes(&made_certificate.der) });
    fake_ca_exchange();
}

char *installed_json(const char *key)
{
    char root[65];
    hex_of(fixture_root_der(), root);
    return xasprintf("{\"installed\":[{\"thumbprint\":\"%s\",\"key\":\"%s\",\"profile\":\"%s\"},"
                     "{\"thumbprint\":\"%s\",\"key\":\"%s\",\"profile\":\"%s\"}]}",
                     root, KEY_A, site.root, made_certificate.thumbprint, key, site.profile);
}

int challenge_asked(const char *key)
{
    AUTO_STR body = xasprintf("{\"profile\":\"%s\",\"key\":\"%s\"}", site.profile, key);
    return agent_post(CHALLENGE, body, buf_bytes(&site.cert));
}

void installed(void)
{
    ASSERT_STATUS(200, checked_in("{}"));
    ASSERT_STATUS(200, challenge_asked(KEY_A));
    ca_issues("", "0A01", 1);
    AUTO_STR body = installed_json(made_certificate.key);
    ASSERT_STATUS(200, checked_in(body));
    assert_string_equal("installed", state_of(site.profile));
    assert_string_equal("installed", state_of(site.root));
}

int deployed_end(void **state)
{
    buf_free(&site.cert);
    buf_free(&made_certificate.der);
    return fake_ca_end(state);
}
