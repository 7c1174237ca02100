/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no provider of a sign-in by one: settings, and what the browser carries. tests/system/oidc.bats has the rest. */
#include "mdm/oidc.h"
#include "base/file.h"
#include "base/limits.h"
#include "config/config.h"
#include "tests/unit/test.h"

#include <unistd.h>

#define NOW 1790000000

static struct config *configured(const char *options)
{
    char path[] = "/tmp/oidc-XXXXXX";
    int fd = mkstemp(path);
    AUTO_STR text = xasprintf("mode = \"user\"\nroles = {\"mdm\"}\nca \"issuing\" {}\nmdm {\n%s}\n", options);
    struct config *config = NULL;
    struct why why = { 0 };
    assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    enum err err = config_load(path, &config, &why);
    unlink(path);
    ASSERT_OK(err, &why);
    return config;
}

static enum err made_of(const struct config *config, const char *issuer, struct oidc **ret, struct why *why)
{
    const struct oidc_settings settings = { .issuer = issuer,
                                            .client = "chancery",
                                            .redirect = "https://console.example.org/api/v1/oidc/callback",
                                            .ca_file = "",
                                            .name_claim = "preferred_username",
                                            .groups_claim = "groups",
                                            .secret_path = "/nonexistent",
                                            .section = config_at(config, "mdm", 0) };
    return oidc_new(&settings, ret, why);
}

static enum err come(struct oidc *oidc, const char *state, const char *cookie, int64_t now, struct why *why)
{
    AUTO_JSON claims = NULL;
    const struct oidc_return came = { BYTES_LIT("code"), bytes_str(state), bytes_str(cookie), BYTES_NONE,
                                      now };
    return oidc_finish(oidc, &came, &claims, why);
}

/* Nobody listens on port 1: whoever gets past the state fails there, and not before. */
TEST(what_a_browser_brings_back_is_its_own_and_not_old)
{
    AUTO(config) config = configured("oidc_roles = {\"g=auditor\"}\n");
    AUTO(oidc) oidc = NULL;
    AUTO(oidc) other = NULL;
    struct why why = { 0 };
    char state[OIDC_STATE_TEXT], next[OIDC_STATE_TEXT], foreign[OIDC_STATE_TEXT];
    ASSERT_OK(made_of(config, "https://localhost:1/realm", &oidc, &why), &why);
    ASSERT_OK(made_of(config, "https://localhost:1/realm", &other, &why), &why);
    ASSERT_OK(oidc_state_make(oidc, NOW, state, &why), &why);
    ASSERT_OK(oidc_state_make(oidc, NOW, next, &why), &why);
    ASSERT_OK(oidc_state_make(other, NOW, foreign, &why), &why);
    ASSERT_ERR(ERR_UNAVAILABLE, come(oidc, state, state, NOW, &why), &why);
    ASSERT_ERR(ERR_UNAVAILABLE, come(oidc, state, state, NOW + OIDC_SECONDS, &why), &why);
    ASSERT_ERR(ERR_SIGN_IN, come(oidc, state, state, NOW + OIDC_SECONDS + 1, &why), &why);
    ASSERT_ERR(ERR_SIGN_IN, come(oidc, state, state, NOW - 1, &why), &why);
    ASSERT_ERR(ERR_SIGN_IN, come(oidc, state, next, NOW, &why), &why);
    ASSERT_ERR(ERR_SIGN_IN, come(oidc, state, "", NOW, &why), &why);
    ASSERT_ERR(ERR_SIGN_IN, come(oidc, foreign, foreign, NOW, &why), &why);
    ASSERT_ERR(ERR_SIGN_IN, come(oidc, "", "", NOW, &why), &why);
    for (size_t i = 0; state[i]; i++) {
        AUTO_STR changed = xstrdup(state);
        changed[i] = changed[i] == '0' ? '1' : '0';
        ASSERT_ERR(ERR_SIGN_IN, come(oidc, changed, changed, NOW, &why), &why);
    }
}

TEST(a_provider_needs_roles_for_its_groups_and_https)
{
    static const char *const wrong[] = { "", "oidc_roles = {\"auditor\"}\n", "oidc_roles = {\"=auditor\"}\n",
                                         "oidc_roles = {\"g=\"}\n",
                                         "oidc_roles = {\"g=auditor\", \"h=root\"}\n" };
    struct why why = { 0 };
    struct oidc *oidc = NULL;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        AUTO(config) config = configured(wrong[i]);
        ASSERT_ERR(ERR_CONFIG, made_of(config, "https://localhost:1", &oidc, &why), &why);
        ASSERT_OK(made_of(config, "", &oidc, &why), &why);
        assert_null(oidc);
    }
    AUTO(config) config = configured("oidc_roles = {\"a=b=auditor\"}\n");
    ASSERT_ERR(ERR_CONFIG, made_of(config, "http://localhost", &oidc, &why), &why);
    ASSERT_ERR(ERR_CONFIG, made_of(config, "https://", &oidc, &why), &why);
    AUTO(oidc) good = NULL;
    ASSERT_OK(made_of(config, "https://localhost", &good, &why), &why);
    AUTO_JSON claims =
        json_pack("{s:s, s:s, s:[s,s,i]}", "sub", "1", "preferred_username", "anna", "groups", "x", "a=b", 1);
    struct oidc_person person;
    ASSERT_OK(oidc_person_of(good, claims, &person, &why), &why);
    assert_int_equal(1 << 4, person.roles);
    json_object_set_new(claims, "groups", json_string("a"));
    ASSERT_ERR(ERR_SIGN_IN, oidc_person_of(good, claims, &person, &why), &why);
}

TEST(the_port_of_an_issuer_is_what_the_sandbox_lets_through)
{
    static const struct {
        const char *issuer;
        uint16_t port;
    } each[] = { { "", 0 },
                 { "https://a", 443 },
                 { "https://a/b:1", 443 },
                 { "https://a:8443", 8443 },
                 { "https://a:8443/realm", 8443 },
                 { "https://[2001:db8::1]", 443 },
                 { "https://[2001:db8::1]:9/x", 9 },
                 { "https://a:99999", 443 },
                 { "https", 443 } };
    for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++)
        assert_int_equal(each[i].port, oidc_port(each[i].issuer));
}

RUN(T(what_a_browser_brings_back_is_its_own_and_not_old), T(a_provider_needs_roles_for_its_groups_and_https),
    T(the_port_of_an_issuer_is_what_the_sandbox_lets_through))
