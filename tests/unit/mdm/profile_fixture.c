/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/mdm/profile_fixture.h"

#include "http/json_text.h"
#include "mdm/profile_json.h"

static struct buf root_der;

struct bytes fixture_root_der(void)
{
    if (!root_der.len) {
        AUTO(key) key = fixture_key(KEY_EC_P256);
        AUTO_BUF name = fixture_name("CN=Example root");
        struct tbs_params params = fixture_ca(key, buf_bytes(&name));
        root_der = fixture_certificate(&params, key);
    }
    return buf_bytes(&root_der);
}

const char *fixture_root_pem(void)
{
    static struct buf pem;
    if (!pem.len)
        pem_append(&pem, "CERTIFICATE", fixture_root_der());
    return buf_text(&pem);
}

#define PURPOSE "'extended_key_usage': [{'name': 'Client Authentication', 'oid': '1.3.6.1.5.5.7.3.2'}],"
#define SCEP                                                                                                 \
    "'key_usage': ['digitalSignature', 'keyEncipherment'], 'key_size': 2048, 'root_certificate': 'Root',"    \
    "'renewal_threshold': 20, 'scep_server_urls': ['https://scep.example.test/certsrv/mscep/mscep.dll']"

static const char *const bases[][2] = {
    { "trusted", "{'name': 'Root', 'type': 'trusted-certificate', 'platform': 'windows-10'}" },
    { "user", "{'name': 'Users', 'type': 'scep', 'platform': 'windows-10', 'certificate_type': 'user',"
              "'subject_name_format': 'common-name', 'hash_algorithm': 'SHA-2'," PURPOSE SCEP "}" },
    { "device", "{'name': 'Kiosks', 'type': 'scep', 'platform': 'ios', 'certificate_type': 'device',"
                "'subject_name': 'CN={{AAD_Device_ID}}'," PURPOSE SCEP "}" },
    { "pkcs", "{'name': 'Mail', 'type': 'pkcs', 'platform': 'macos', 'certificate_type': 'user',"
              "'subject_name_format': 'common-name', 'root_certificate': 'Root', 'renewal_threshold': 20,"
              "'certification_authority': 'ca.example.test', 'certification_authority_name': 'Issuing CA',"
              "'certificate_template_name': 'Mail'}" },
    { "digicert",
      "{'name': 'DigiCert', 'type': 'pkcs', 'platform': 'windows-10', 'certificate_type': 'user',"
      "'subject_name_format': 'common-name', 'renewal_threshold': 20,"
      "'certification_authority': 'pki-ws.symauth.com', 'certification_authority_name': 'Symantec',"
      "'certificate_template_name': '2.16.840.1.113733.1.16.1.2.3.1.1.61904612'}" },
    { "imported", "{'name': 'Old keys', 'type': 'pkcs-imported', 'platform': 'windows-10',"
                  "'intended_purpose': 'smimeEncryption'}" },
};

/* JSON with ' for ". */
static json_t *parse(const char *text)
{
    AUTO_STR copy = xstrdup(text);
    json_error_t error;
    for (char *at = copy; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json_t *value = json_loads(copy, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!value)
        fail_msg("%s: %s", copy, error.text);
    return value;
}

json_t *fixture_json(const char *which)
{
    for (size_t i = 0; i < sizeof(bases) / sizeof(*bases); i++) {
        if (strcmp(bases[i][0], which) != 0)
            continue;
        json_t *document = parse(bases[i][1]);
        if (strcmp(which, "trusted") == 0)
            json_object_set_new(document, "certificate", json_string(fixture_root_pem()));
        return document;
    }
    fail_msg("no base %s", which);
    return NULL;
}

json_t *fixture_json_with(const char *which, const char *member, const char *json)
{
    json_t *document = fixture_json(which);
    if (json)
        json_object_set_new(document, member, parse(json));
    else if (member)
        json_object_del(document, member);
    return document;
}

void fixture_take(json_t *document, struct profile *out, struct problems *problems)
{
    char *text = json_dumps(document, 0);
    profile_json_take(bytes_str(text), out, problems);
    free(text);
    json_decref(document);
    profile_check(out, NULL, problems);
}

struct profile fixture_profile_with(const char *which, const char *member, const char *json)
{
    struct profile profile = { 0 };
    AUTO_VAL(problems) problems = { 0 };
    struct why why = { 0 };
    fixture_take(fixture_json_with(which, member, json), &profile, &problems);
    ASSERT_OK(problems_judge(&problems, &why), &why);
    return profile;
}

struct profile fixture_profile(const char *which)
{
    return fixture_profile_with(which, NULL, NULL);
}

static void assert_said(const char *which, const char *member, const char *json, const char *field,
                        const char *says, bool warning)
{
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(problems) problems = { 0 };
    size_t said = 0;
    fixture_take(fixture_json_with(which, member, json), &profile, &problems);
    for (size_t i = 0; i < problems.count; i++) {
        const struct problem *problem = &problems.list[i];
        AUTO_BUF text = { 0 };
        problem_append(&text, problem);
        if (problem->warning != warning)
            continue;
        said++;
        if (!says || strcmp(problem->field, field) != 0 || !strstr(buf_text(&text), says))
            fail_msg("%s with %s %s: %s", which, member, json, buf_text(&text));
    }
    if ((said == 1) != (says != NULL))
        fail_msg("%s with %s %s: %zu problems, wanted one of %s that says %s", which, member, json, said,
                 field, says);
}

void fixture_assert(const char *which, const char *member, const char *json, const char *field,
                    const char *says)
{
    assert_said(which, member, json, field, says, false);
}

void fixture_assert_warned(const char *which, const char *member, const char *json, const char *field,
                           const char *says)
{
    assert_said(which, member, json, field, says, true);
}
