/* SPDX-License-Identifier: Apache-2.0 */
/* What `chancery init` does with this folder, from a configuration file on. */
#include "ca/bootstrap.h"

#include "base/file.h"
#include "ca/challenge.h"
#include "ca/settings.h"
#include "tests/unit/ca/fixture.h"
#include "x509/san.h"
#include <sys/stat.h>
#include <unistd.h>

static struct world *world;
static struct config *config;

static const char text[] =
    "mode = user\netc_dir = \"%s/etc\"\nstate_dir = \"%s/lib\"\nrun_dir = \"%s/run\"\n"
    "log_dir = \"%s/log\"\n"
    "ca \"issuing\" {\n  backdate = 60\n  cdp_urls = { \"http://ca.example/issuing.crl\" }\n"
    "  aia_urls = { \"http://ca.example/issuing.crt\" }\n}\n"
    "endpoint \"default\" {\n  validator = static\n  general_purpose_template = \"SCEPDevice\"\n}\n";

static char *path_of(const char *file)
{
    return xasprintf("%s/%s", world->folder, file);
}

static int begin(void **state)
{
    struct why why = { 0 };
    AUTO_BUF file = { 0 }, pem = { 0 };
    (void)state;
    world = world_new(KEY_EC_P256);
    const char *in = world->folder;
    AUTO_STR path = path_of("chancery.conf");
    AUTO_STR secrets = path_of("etc/secrets/ca");
    AUTO_STR certs = path_of("lib/ca/certs");
    AUTO_STR certificate = path_of("lib/ca/certs/ca-issuing.crt.pem");
    buf_printf(&file, text, in, in, in, in);
    ASSERT_OK(file_write(path, buf_bytes(&file), 0600, &why), &why);
    ASSERT_OK(dir_make(secrets, 0700, &why), &why);
    ASSERT_OK(dir_make(certs, 0700, &why), &why);
    pem_append(&pem, "CERTIFICATE", buf_bytes(&world->ca_cert));
    ASSERT_OK(file_write(certificate, buf_bytes(&pem), 0444, &why), &why);
    ASSERT_OK(config_load(path, &config, &why), &why);
    return 0;
}

static int end(void **state)
{
    (void)state;
    config_free(config);
    world_free(world);
    return 0;
}

#define W(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* Init's context over the same sealer. */
static struct ca *bootstrap_open(struct store **ret_store)
{
    struct why why = { 0 };
    struct ca *ca = NULL;
    ASSERT_OK(ca_store_open(config, ret_store, &why), &why);
    ASSERT_OK(template_seed(*ret_store, NOW, &why), &why);
    struct bootstrap_params params = { config, &world->clock, *ret_store, world->ca->sealer };
    ASSERT_OK(ca_bootstrap_open(&params, &ca, &why), &why);
    return ca;
}

static struct key *key_new(enum key_kind kind)
{
    struct key *key = NULL;
    struct why why = { 0 };
    struct key_spec spec = { kind, 2048 };
    ASSERT_OK(key_generate(&spec, NULL, &key, &why), &why);
    return key;
}

TEST(init_issues_ra_certificates_and_keeps_them_like_all_others)
{
    struct why why = { 0 };
    AUTO(store) store = NULL;
    AUTO(ca) ca = bootstrap_open(&store);
    AUTO(key) key = key_new(KEY_RSA);
    AUTO_BUF name = name_of("CN=SCEP encryption"), der = { 0 };
    struct cert cert;
    struct bootstrap_request request = { "issuing", "CEPEncryption", public_key_spki(key->public_half),
                                         buf_bytes(&name), BYTES_NONE };
    ASSERT_OK(ca_bootstrap_issue(ca, &request, &der, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&der), &cert, &why), &why);
    ASSERT_OK(cert_verify(&cert, world->ca_key->public_half, &why), &why);
    assert_int_equal(KU_KEY_ENCIPHERMENT, cert.key_usage);
    assert_true(cert_allows_eku(&cert, OID_KP_REQUEST_AGENT));
    assert_false(cert_allows_eku(&cert, OID_KP_CLIENT_AUTH));
    assert_int_equal(NOW - 60, cert.not_before);
    store_free(TAKE(world->store));
    ca_free(TAKE(world->ca));
    world->store = store; /* count in init's store */
    assert_int_equal(
        1, world_count(world,
                       "SELECT COUNT(*) FROM request WHERE requester = 'init' AND disposition = 'issued'"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate WHERE status = 'valid'"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM outbox"));
    world->store = NULL;
}

TEST(init_refuses_what_a_template_refuses)
{
    struct why why = { 0 };
    AUTO(store) store = NULL;
    AUTO(ca) ca = bootstrap_open(&store);
    AUTO(key) key = key_new(KEY_EC_P256);
    AUTO_BUF name = name_of("CN=SCEP"), der = { 0 }, names = { 0 }, san = { 0 };
    ASSERT_OK(san_put_text(&names, "dns:scep.example", &why), &why);
    der_put(&san, DER_SEQUENCE, buf_bytes(&names));
    struct bootstrap_request request = { "issuing", "CEPEncryption", public_key_spki(key->public_half),
                                         buf_bytes(&name), BYTES_NONE };
    ASSERT_ERR(ERR_BAD_ALG, ca_bootstrap_issue(ca, &request, &der, &why),
               &why); /* EC can't be encrypted to */
    request.template_name = "EnrollmentAgentOffline";
    request.san = buf_bytes(&san);
    ASSERT_ERR(ERR_TEMPLATE_SAN, ca_bootstrap_issue(ca, &request, &der, &why), &why);
    request.san = BYTES_NONE;
    ASSERT_OK(ca_bootstrap_issue(ca, &request, &der, &why), &why);
    request.ca = "other";
    ASSERT_ERR(ERR_NOT_FOUND, ca_bootstrap_issue(ca, &request, &der, &why), &why);
    request = (struct bootstrap_request){ "issuing", "NoSuch", request.spki, request.subject, BYTES_NONE };
    ASSERT_ERR(ERR_NOT_FOUND, ca_bootstrap_issue(ca, &request, &der, &why), &why);
    buf_free(&der);
    request.template_name = "WebServer";
    request.san = buf_bytes(&san);
    AUTO(key) server = key_new(KEY_EC_P256);
    request.spki = public_key_spki(server->public_half);
    ASSERT_OK(ca_bootstrap_issue(ca, &request, &der, &why), &why);
}

TEST(the_challenge_key_is_made_once_and_passwords_follow_it)
{
    struct why why = { 0 };
    struct secret key = { 0 };
    struct stat info;
    AUTO_STR key_path = path_of("etc/secrets/ca/challenge-key");
    AUTO_STR password_path = path_of("etc/secrets/ca/static-default");
    ASSERT_ERR(ERR_NOT_FOUND, challenge_key_load(config, &key, &why), &why);
    ASSERT_OK(challenge_key_make(config, &why), &why);
    ASSERT_ERR(ERR_CONFLICT, challenge_key_make(config, &why), &why);
    assert_int_equal(0, stat(key_path, &info));
    assert_int_equal(0400, info.st_mode & 0777);
    ASSERT_OK(challenge_key_load(config, &key, &why), &why);
    ASSERT_ERR(ERR_NOT_FOUND, static_password_set(config, "nowhere", BYTES_LIT("x"), &why), &why);
    ASSERT_ERR(ERR_USAGE, static_password_set(config, "default", BYTES_NONE, &why), &why);
    ASSERT_ERR(ERR_USAGE, static_password_set(config, "default", BYTES_LIT("a\0b"), &why), &why);
    ASSERT_OK(static_password_set(config, "default", BYTES_LIT("first"), &why), &why);
    ASSERT_OK(static_password_set(config, "default", BYTES_LIT("secret"), &why), &why);
    assert_int_equal(0, stat(password_path, &info));
    assert_int_equal(0400, info.st_mode & 0777);
    secret_free(&key);
}

TEST(the_role_serves_what_the_configuration_says)
{
    struct why why = { 0 };
    struct secret key = { 0 };
    AUTO(store) store = NULL;
    ASSERT_OK(ca_store_open(config, &store, &why), &why);
    ASSERT_OK(template_seed(store, NOW, &why), &why);
    ASSERT_OK(challenge_key_make(config, &why), &why);
    ASSERT_OK(challenge_key_load(config, &key, &why), &why);
    struct ca_params params = {
        .clock = &world->clock, .store = store, .sealer = world->ca->sealer, .challenge_key = &key
    };
    AUTO(ca) ca = ca_new(&params);
    ASSERT_OK(settings_add_issuers(config, ca, &why), &why);
    ASSERT_ERR(ERR_CONFIG, settings_add_endpoints(config, ca, &why), &why);
    assert_non_null(strstr(why.text, "chancery password set default"));
    ASSERT_OK(static_password_set(config, "default", BYTES_LIT("secret"), &why), &why);
    ASSERT_OK(settings_add_endpoints(config, ca, &why), &why);
    ASSERT_OK(ca_check_slots(ca, &why), &why);
    ASSERT_OK(rights_open(ca, &why), &why);
    struct device device = device_new(&(struct ask){ .subject = "CN=one", .challenge = "secret" });
    struct enroll_request ask = { BYTES_LIT("default"), buf_bytes(&device.csr), BYTES_LIT("1"),
                                  buf_bytes(&device.self_signed), BYTES_NONE };
    AUTO_VAL(enrolled) got = { 0 };
    ASSERT_OK(ca_enroll(ca, &ask, &got, &why), &why);
    assert_int_equal(ENROLL_ISSUED, got.disposition);
    device_free(&device);
    secret_free(&key);
}

RUN(W(init_issues_ra_certificates_and_keeps_them_like_all_others), W(init_refuses_what_a_template_refuses),
    W(the_challenge_key_is_made_once_and_passwords_follow_it), W(the_role_serves_what_the_configuration_says))
