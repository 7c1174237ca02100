/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints and RA sets from configuration and files: what starts, and what refuses to start and says why. */
#include "base/file.h"
#include "tests/unit/scep/support.h"
#include "tests/unit/test.h"
#include <unistd.h>

struct place {
    char dir[64];
    struct secret unlock;
};

static char *place_path(const struct place *place, const char *file)
{
    return xasprintf("%s/lib/scep/%s", place->dir, file);
}

static void put_cert(const struct place *place, const char *file, const struct identity *identity)
{
    AUTO_STR name = xasprintf("certs/%s", file);
    AUTO_STR path = place_path(place, name);
    AUTO_BUF pem = { 0 };
    struct why why = { 0 };
    pem_append(&pem, "CERTIFICATE", buf_bytes(&identity->der));
    ASSERT_OK(file_write(path, buf_bytes(&pem), 0444, &why), &why);
}

/* Keys of the site are shared ones at times; files need the real thing. */
static void put_key(const struct place *place, const char *file, const struct key *key)
{
    AUTO_STR name = xasprintf("keys/%s", file);
    AUTO_STR path = place_path(place, name);
    struct why why = { 0 };
    ASSERT_OK(key_file_save(key, path, &place->unlock, KEY_PROTECT_SECRET, &why), &why);
}

static void remove_file(const struct place *place, const char *file)
{
    AUTO_STR path = place_path(place, file);
    assert_int_equal(unlink(path), 0);
}

static void place_make(struct place *place)
{
    struct site *site = site_get();
    struct why why = { 0 };
    snprintf(place->dir, sizeof(place->dir), "/tmp/chancery-scep-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    ASSERT_OK(secret_random(32, &place->unlock, &why), &why);
    AUTO_STR keys = place_path(place, "keys");
    AUTO_STR certs = place_path(place, "certs");
    ASSERT_OK(dir_make(keys, 0700, &why), &why);
    ASSERT_OK(dir_make(certs, 0755, &why), &why);
    put_cert(place, "ca-issuing.crt.pem", &site->ca);
    put_cert(place, "ca-issuing-root.crt.pem", &site->root);
    put_key(place, "default-encryption-2.key.pem", site->encryption[0].key);
    put_cert(place, "default-encryption-2.crt.pem", &site->encryption[0]);
    put_key(place, "default-encryption-10.key.pem", site->encryption[1].key);
    put_cert(place, "default-encryption-10.crt.pem", &site->encryption[1]);
    put_key(place, "default-signature-10.key.pem", site->signature.key);
    put_cert(place, "default-signature-10.crt.pem", &site->signature);
}

static void place_end(struct place *place)
{
    AUTO_STR command = xasprintf("rm -rf '%s'", place->dir);
    assert_int_equal(system(command), 0);
    secret_free(&place->unlock);
}

static enum err load(const struct place *place, const char *endpoints, struct endpoint_set **ret,
                     struct why *why)
{
    AUTO_STR path = xasprintf("%s/chancery.conf", place->dir);
    AUTO_STR text =
        xasprintf("mode = user\netc_dir = \"%s/etc\"\nstate_dir = \"%s/lib\"\nrun_dir = \"%s/run\"\n"
                  "log_dir = \"%s/log\"\nca \"issuing\" {}\n%s",
                  place->dir, place->dir, place->dir, place->dir, endpoints);
    AUTO(config) config = NULL;
    TRY(file_write(path, bytes_str(text), 0600, why));
    TRY(config_load(path, &config, why));
    config_keep(config, "scep");
    return endpoint_set_load(config, &place->unlock, NULL, ret, why);
}

#define DEFAULT "endpoint \"default\" { validator = static }\n"

static void expect_refused(const struct place *place, const char *endpoints, const char *words)
{
    struct endpoint_set *set = NULL;
    struct why why = { 0 };
    enum err err = load(place, endpoints, &set, &why);
    if (err == OK || !strstr(why.text, words))
        fail_msg("wanted a refusal with \"%s\", got %s \"%s\"", words, err_row(err)->name, why.text);
    assert_null(set);
}

TEST(an_endpoint_is_loaded_with_every_generation_in_number_order)
{
    struct place place;
    struct endpoint_set *set = NULL;
    struct why why = { 0 };
    place_make(&place);
    ASSERT_OK(
        load(&place, DEFAULT "endpoint \"wifi\" { validator = manual\n allow_3des = true }\n", &set, &why),
        &why);
    assert_int_equal(endpoint_set_count(set), 2);
    const struct endpoint *endpoint = endpoint_set_at(set, 0);
    assert_int_equal(endpoint->ra->count, 2);
    assert_int_equal(ra_set_recipient(endpoint->ra)->generation, 10);
    assert_int_equal(endpoint->ra->encryption[0].generation, 2);
    ASSERT_BYTES(buf_bytes(&ra_set_recipient(endpoint->ra)->der), buf_bytes(&site_get()->encryption[1].der));
    assert_ptr_equal(endpoint->ra, endpoint_set_at(set, 1)->ra);
    assert_false(endpoint_allows_cipher(endpoint, CIPHER_DES_EDE3_CBC));
    assert_true(endpoint_allows_cipher(endpoint_set_at(set, 1), CIPHER_DES_EDE3_CBC));
    assert_ptr_equal(endpoint_find(set, "/scep/wifi"), endpoint_set_at(set, 1));
    endpoint_set_unref(set);
    place_end(&place);
}

TEST(a_missing_file_refuses_and_is_named)
{
    static const struct {
        const char *file, *words;
    } rows[] = {
        { "certs/ca-issuing.crt.pem", "ca-issuing.crt.pem" },
        { "certs/ca-issuing-root.crt.pem", "ca-issuing-root.crt.pem" },
        { "certs/default-encryption-2.crt.pem", "default-encryption-2.crt.pem" },
        { "certs/default-signature-10.crt.pem", "default-signature-10.crt.pem" },
        { "keys/default-signature-10.key.pem", "default-signature-N.key.pem" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct place place;
        place_make(&place);
        remove_file(&place, rows[i].file);
        expect_refused(&place, DEFAULT, rows[i].words);
        place_end(&place);
    }
    struct place place;
    place_make(&place);
    remove_file(&place, "keys/default-encryption-2.key.pem");
    remove_file(&place, "keys/default-encryption-10.key.pem");
    expect_refused(&place, DEFAULT, "default-encryption-N.key.pem");
    expect_refused(&place, "endpoint \"default\" { validator = static\n ra = combined }\n",
                   "default-combined-N.key.pem");
    expect_refused(&place, "endpoint \"default\" { validator = static\n ra_set = other }\n", "RA set other");
    expect_refused(&place, "", "no endpoint");
    place_end(&place);
}

TEST(a_key_that_does_not_belong_to_its_certificate_refuses)
{
    struct place place;
    place_make(&place);
    put_cert(&place, "default-encryption-10.crt.pem", &site_get()->encryption[0]);
    expect_refused(&place, DEFAULT, "do not belong together");
    place_end(&place);
}

TEST(a_key_under_another_unlock_secret_refuses)
{
    struct place place;
    place_make(&place);
    place.unlock.data[0] ^= 1;
    expect_refused(&place, DEFAULT, "default-encryption-2.key.pem");
    place_end(&place);
}

TEST(a_certificate_of_another_ca_refuses)
{
    struct place place;
    place_make(&place);
    put_cert(&place, "ca-issuing.crt.pem", &site_get()->other_ca);
    expect_refused(&place, DEFAULT, "was not issued by the endpoint's CA");
    struct identity look_alike; /* our CA's name, and another key */
    identity_make(&(struct identity_params){ .subject = "CN=Example Issuing CA,O=Example",
                                             .kind = KEY_EC_P256,
                                             .is_ca = true,
                                             .key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN },
                  &look_alike);
    put_cert(&place, "ca-issuing.crt.pem", &look_alike);
    expect_refused(&place, DEFAULT, "was not issued by the endpoint's CA");
    identity_free(&look_alike);
    put_cert(&place, "ca-issuing.crt.pem", &site_get()->device);
    expect_refused(&place, DEFAULT, "basicConstraints");
    place_end(&place);
}

TEST(two_endpoints_at_one_path_refuse)
{
    struct place place;
    place_make(&place);
    expect_refused(&place,
                   "endpoint \"a\" { validator = static }\n"
                   "endpoint \"b\" { validator = static\n paths = { \"/scep/A\" } }\n",
                   "belongs to both endpoint a and endpoint b");
    place_end(&place);
}

TEST(an_endpoint_without_validator_is_not_made)
{
    struct site *site = site_new(&(struct site_options){ 0 });
    struct endpoint endpoint;
    struct why why = { 0 };
    struct endpoint_params params = { .name = "open",
                                      .validator = "",
                                      .ca = "issuing",
                                      .ra = site->endpoint->ra,
                                      .issuer = buf_bytes(&site->ca.der),
                                      .root = buf_bytes(&site->root.der) };
    ASSERT_ERR(ERR_CONFIG, endpoint_make(&params, &endpoint, &why), &why);
    params.validator = "manual";
    ASSERT_OK(endpoint_make(&params, &endpoint, &why), &why);
    endpoint_clear(&endpoint);
}

TEST(only_the_managed_validator_is_the_policy_module)
{
    assert_true(validator_is_policy_module("managed"));
    assert_false(validator_is_policy_module("static"));
    assert_false(validator_is_policy_module("one-time"));
    assert_false(validator_is_policy_module("manual"));
    assert_false(validator_is_policy_module(""));
}

static void add(struct ra_set *set, const struct identity *from, bool signature, enum err expected)
{
    struct why why = { 0 };
    struct ra_key held = { .generation = 1,
                           .der = buf_dup(buf_bytes(&from->der)),
                           .key = key_share(from->key) };
    ASSERT_ERR(expected, ra_set_add(set, &held, signature, &why), &why);
    assert_null(held.key);
}

TEST(an_ra_certificate_needs_the_key_usage_of_its_place)
{
    struct site *site = site_get();
    AUTO(ra_set) separate = ra_set_new("x", false);
    AUTO(ra_set) combined = ra_set_new("x", true);
    add(separate, &site->signature, false, ERR_CONFIG);
    add(separate, &site->encryption[0], true, ERR_CONFIG);
    add(combined, &site->encryption[0], false, ERR_CONFIG);
    add(combined, &site->signature, false, ERR_CONFIG);
    add(combined, &site->combined, false, OK);
    add(separate, &site->combined, false, OK);
    add(separate, &site->device, false, OK);     /* without key usage any use is allowed (RFC 5280 4.2.1.3) */
    add(separate, &site->ca, false, ERR_CONFIG); /* P-256 */
}

TEST(a_set_takes_its_generations_and_not_one_more)
{
    struct site *site = site_get();
    AUTO(ra_set) set = ra_set_new("x", false);
    for (int i = 0; i < RA_GENERATIONS_MAX; i++)
        add(set, &site->encryption[0], false, OK);
    add(set, &site->encryption[0], false, ERR_CONFIG);
    struct why why = { 0 };
    ASSERT_ERR(ERR_CONFIG, ra_set_check(set, &site->ca.cert, site->ca.key->public_half, &why), &why);
    assert_non_null(strstr(why.text, "no signature"));
    add(set, &site->signature, true, OK);
    ASSERT_OK(ra_set_check(set, &site->ca.cert, site->ca.key->public_half, &why), &why);
}

TEST(generations_are_found_by_whole_file_names)
{
    char dir[] = "/tmp/chancery-ra-XXXXXX";
    assert_non_null(mkdtemp(dir));
    static const char *const files[] = { "tls-3.key.pem",   "tls-12.key.pem",     "tls-0.key.pem",
                                         "tls-013.key.pem", "tls-99.key.pem.old", "tls-99x.key.pem",
                                         "xtls-99.key.pem", "tls--1.key.pem",     "tls-9999999999.key.pem",
                                         "tls-.key.pem",    "tls-50.crt.pem" };
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        AUTO_STR path = xasprintf("%s/%s", dir, files[i]);
        assert_int_equal(file_write(path, BYTES_LIT("x"), 0400, NULL), OK);
    }
    assert_int_equal(generation_highest(dir, "tls"), 12);
    assert_int_equal(generation_highest(dir, "none"), 0);
    assert_int_equal(generation_highest("/tmp/chancery-there-is-none", "tls"), 0);
    AUTO_STR command = xasprintf("rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
}

TEST(the_end)
{
    site_end();
}

RUN(T(an_endpoint_is_loaded_with_every_generation_in_number_order), T(a_missing_file_refuses_and_is_named),
    T(a_key_that_does_not_belong_to_its_certificate_refuses), T(a_key_under_another_unlock_secret_refuses),
    T(a_certificate_of_another_ca_refuses), T(two_endpoints_at_one_path_refuse),
    T(an_endpoint_without_validator_is_not_made), T(only_the_managed_validator_is_the_policy_module),
    T(an_ra_certificate_needs_the_key_usage_of_its_place), T(a_set_takes_its_generations_and_not_one_more),
    T(generations_are_found_by_whole_file_names), T(the_end))
