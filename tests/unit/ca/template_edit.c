/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators do to templates, through the verbs, and what endpoints issue by them. */
#include "ca/template_edit.h"

#include "ca/template_cache.h"
#include "tests/unit/ca/verb_ask.h"
#include <pthread.h>

static struct world *world;

static int begin(void **state)
{
    (void)state;
    world = world_new(KEY_EC_P256);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

#define W(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define DEVICE(name, ...)                                                                                    \
    __attribute__((cleanup(device_free))) struct device name = device_new(&(struct ask){ __VA_ARGS__ })

/* --- life --- */

TEST(a_template_is_made_changed_published_and_deleted)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(CALL("template_new", &answer, &why, "name", "Wifi", "display_name", "Wi-Fi of the office",
                   "validity", "30d", "renewal", "72h", "key_algorithms", "RSA,P-256"),
              &why);
    answer_assert(&answer, "version", "1");
    answer_assert(&answer, "published", "no");
    answer_assert(&answer, "renewal", "3d");
    answer_assert(&answer, "key_algorithms", "RSA P-256");
    ASSERT_ERR(ERR_CONFLICT, CALL("template_new", &answer, &why, "name", "Wifi"), &why);
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "Wifi", "validity", "20d", "key_usage",
                   "digitalSignature nonRepudiation"),
              &why);
    answer_assert(&answer, "version", "2");
    answer_assert(&answer, "key_usage", "digitalSignature,nonRepudiation");
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "Wifi", "validity", "20d"), &why);
    answer_assert(&answer, "version", "2"); /* nothing differs */
    ASSERT_OK(CALL("template_publish", &answer, &why, "name", "Wifi"), &why);
    answer_assert(&answer, "published", "yes");
    answer_assert(&answer, "version", "2");
    ASSERT_OK(CALL("template_unpublish", &answer, &why, "name", "Wifi"), &why);
    ASSERT_OK(CALL("template_unpublish", &answer, &why, "name", "Wifi"), &why);
    answer_assert(&answer, "published", "no");
    ASSERT_OK(CALL("template_delete", &answer, &why, "name", "Wifi"), &why);
    ASSERT_ERR(ERR_NOT_FOUND, CALL("template_delete", &answer, &why, "name", "Wifi"), &why);
    assert_int_equal(5, world_count(world, "SELECT COUNT(*) FROM audit WHERE object LIKE 'template Wifi %' "
                                           "AND actor = 'cli'"));
    assert_int_equal(
        1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'template_set' AND detail = "
                              "'key_usage: \"digitalSignature\" -> \"digitalSignature,nonRepudiation\"; "
                              "validity: \"30d\" -> \"20d\"'"));
}

TEST(what_the_roles_have_their_certificates_by_is_not_deleted)
{
    static const char *const names[] = { "CEPEncryption", "EnrollmentAgentOffline", "RegistrationAuthority",
                                         "OCSPResponseSigning" };
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        ASSERT_ERR(ERR_WRONG_STATE, CALL("template_delete", &answer, &why, "name", names[i]), &why);
    assert_non_null(strstr(why.text, "role/va has certificates of its own by template OCSPResponseSigning"));
    ASSERT_OK(CALL("right_revoke", &answer, &why, "principal", "role/va", "rights", "enroll", "template",
                   "OCSPResponseSigning"),
              &why);
    ASSERT_OK(CALL("template_delete", &answer, &why, "name", "OCSPResponseSigning"), &why);
    world_reopen(world); /* what was taken away is not given anew */
    ASSERT_OK(CALL("template_new", &answer, &why, "name", "OCSPResponseSigning"), &why);
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM right_rule WHERE object = "
                                           "'template/OCSPResponseSigning' AND (allowed | denied) <> 0"));
}

TEST(rights_on_a_template_go_with_it)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    const struct right_question may = { "authority/mdm", "issuing", "Wifi", RIGHT_ENROLL };
    ASSERT_OK(CALL("template_new", &answer, &why, "name", "Wifi"), &why);
    ASSERT_OK(CALL("right_grant", &answer, &why, "principal", "authority/mdm", "rights", "read,enroll",
                   "template", "Wifi"),
              &why);
    ASSERT_OK(CALL("right_deny", &answer, &why, "principal", "cli", "rights", "issue", "template", "Wifi"),
              &why);
    ASSERT_OK(right_check(world->ca, &may, &why), &why);
    ASSERT_OK(CALL("template_delete", &answer, &why, "name", "Wifi"), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, right_check(world->ca, &may, &why), &why);
    ASSERT_OK(CALL("template_new", &answer, &why, "name", "Wifi"), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, right_check(world->ca, &may, &why), &why);
    assert_int_equal(2, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'right_revoke' AND "
                                           "object LIKE '% template/Wifi'"));
}

TEST(every_version_that_was_in_force_can_be_shown)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", "validity", "20d", "renewal", "3d"),
              &why);
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", "validity", "10d"), &why);
    ASSERT_OK(CALL("template_show", &answer, &why, "name", "SCEPDevice", "version", "1"), &why);
    answer_assert(&answer, "validity", "365d");
    ASSERT_OK(CALL("template_show", &answer, &why, "name", "SCEPDevice", "version", "2"), &why);
    answer_assert(&answer, "validity", "20d");
    ASSERT_OK(CALL("template_show", &answer, &why, "name", "SCEPDevice"), &why);
    answer_assert(&answer, "validity", "10d");
    ASSERT_ERR(ERR_NOT_FOUND, CALL("template_show", &answer, &why, "name", "SCEPDevice", "version", "4"),
               &why);
    ASSERT_ERR(ERR_USAGE, CALL("template_show", &answer, &why, "name", "SCEPDevice", "version", "x"), &why);
    /* one that is made again goes on counting */
    ASSERT_OK(CALL("template_new", &answer, &why, "name", "Short", "validity", "5d", "renewal", "1d"), &why);
    ASSERT_OK(CALL("template_delete", &answer, &why, "name", "Short"), &why);
    ASSERT_OK(CALL("template_new", &answer, &why, "name", "Short"), &why);
    answer_assert(&answer, "version", "2");
    ASSERT_OK(CALL("template_show", &answer, &why, "name", "Short", "version", "1"), &why);
    answer_assert(&answer, "validity", "5d");
}

TEST(a_copy_has_the_properties_of_the_other_and_is_not_published)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPUser", "oid", "1.3.6.1.4.1.99999.1"), &why);
    ASSERT_OK(CALL("template_new", &answer, &why, "name", "User2", "from", "SCEPUser", "validity", "100d"),
              &why);
    answer_assert(&answer, "san_rule", "dns\nemail\nuri\nip\nupn");
    answer_assert(&answer, "validity", "100d");
    answer_assert(&answer, "published", "no");
    answer_assert(&answer, "display_name", "User2");
    answer_assert(&answer, "oid", "");
    ASSERT_ERR(ERR_NOT_FOUND, CALL("template_new", &answer, &why, "name", "User3", "from", "NoSuch"), &why);
}

/* --- what is refused --- */

TEST(each_bad_value_is_refused_and_named)
{
    static const struct {
        const char *property, *value, *said;
        enum err err;
    } bad[] = {
        { "nonsense", "1", "no property \"nonsense\"", ERR_USAGE },
        { "version", "7", "no property \"version\"", ERR_USAGE },
        { "published", "yes", "no property \"published\"", ERR_USAGE },
        { "display_name", "", "has 0 octets", ERR_TEMPLATE_PROPERTY },
        { "display_name", "a\nb", "control character", ERR_TEMPLATE_PROPERTY },
        { "purpose", "everything", "signature encryption", ERR_TEMPLATE_PROPERTY },
        { "purpose", "signature encryption", "wanted", ERR_TEMPLATE_PROPERTY },
        { "validity", "59m", "allowed: 1h to", ERR_TEMPLATE_PROPERTY },
        { "validity", "100", "in days", ERR_TEMPLATE_PROPERTY },
        { "validity", "-5d", "in days", ERR_TEMPLATE_PROPERTY },
        { "validity", "99999999999999999d", "in days", ERR_TEMPLATE_PROPERTY },
        { "validity", "1096d", "validity is 1096d, wanted: at most the CA's validity_max, 1095d",
          ERR_TEMPLATE_PROPERTY },
        { "renewal", "365d", "renewal is 365d, wanted: less than validity, 365d", ERR_TEMPLATE_PROPERTY },
        { "backdate", "601s", "backdate is 601s, wanted: at most the CA's own backdate, 600s",
          ERR_TEMPLATE_PROPERTY },
        { "backdate", "soon", "or ca", ERR_TEMPLATE_PROPERTY },
        { "min_rsa_bits", "1023", "1024 to 8192", ERR_TEMPLATE_PROPERTY },
        { "min_rsa_bits", "8193", "1024 to 8192", ERR_TEMPLATE_PROPERTY },
        { "min_rsa_bits", "2048x", "1024 to 8192", ERR_TEMPLATE_PROPERTY },
        { "key_algorithms", "DSA", "\"DSA\" is no key algorithm", ERR_TEMPLATE_PROPERTY },
        { "key_algorithms", " , ", "has 0 octets", ERR_TEMPLATE_PROPERTY },
        { "hashes", "MD5", "\"MD5\" is no hash", ERR_TEMPLATE_PROPERTY },
        { "key_usage", "sign", "names of key usages", ERR_TEMPLATE_PROPERTY },
        { "key_usage", "digitalSignature keyCertSign", "made by chancery init", ERR_TEMPLATE_PROPERTY },
        { "key_usage", "cRLSign", "made by chancery init", ERR_TEMPLATE_PROPERTY },
        { "key_usage", "keyEncipherment", "purpose signature-and-encryption needs", ERR_TEMPLATE_PROPERTY },
        { "key_usage", "", "purpose signature-and-encryption needs", ERR_TEMPLATE_PROPERTY },
        { "purpose", "signature", "purpose signature needs digitalSignature", ERR_TEMPLATE_PROPERTY },
        { "purpose", "encryption", "purpose encryption needs", ERR_TEMPLATE_PROPERTY },
        { "eku", "", "has no eku", ERR_TEMPLATE_PROPERTY },
        { "eku", "nonsense", "is no key purpose", ERR_TEMPLATE_PROPERTY },
        { "eku", "codeSigning", "allowed_eku", ERR_TEMPLATE_PROPERTY },
        { "eku", "clientAuth 1.3.6.1.4.1.99999.7", "1.3.6.1.4.1.99999.7: allowed_eku",
          ERR_TEMPLATE_PROPERTY },
        { "eku", "anyExtendedKeyUsage", "allowed_eku", ERR_TEMPLATE_PROPERTY },
        { "subject_rule", "NOSUCH", "subject_rule: \"NOSUCH\" is no subject attribute",
          ERR_TEMPLATE_PROPERTY },
        { "san_rule", "directory", "is no kind of name", ERR_TEMPLATE_PROPERTY },
        { "subject_source", "elsewhere", "request directory", ERR_TEMPLATE_PROPERTY },
        { "manager_approval", "true", "yes or no", ERR_TEMPLATE_PROPERTY },
        { "authorised_signatures", "2", "0 to 1", ERR_TEMPLATE_PROPERTY },
        { "oid", "1.x", "a dotted number", ERR_TEMPLATE_PROPERTY },
        { "superseded", "NoSuch", "there is no such template", ERR_TEMPLATE_PROPERTY },
        { "superseded", "SCEPDevice", "names itself", ERR_TEMPLATE_PROPERTY },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        AUTO_BUF answer = { 0 };
        struct why why = { 0 };
        enum err err =
            CALL("template_set", &answer, &why, "name", "SCEPDevice", bad[i].property, bad[i].value);
        if (err != bad[i].err || !strstr(why.text, bad[i].said))
            fail_msg("%s=%s: error %d \"%s\", wanted \"%s\"", bad[i].property, bad[i].value, err, why.text,
                     bad[i].said);
    }
    assert_int_equal(1, world_count(world, "SELECT version FROM template WHERE name = 'SCEPDevice'"));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM audit WHERE action NOT LIKE 'right%'"));
}

TEST(values_at_their_bounds_are_taken)
{
    static const char *const good[][2] = {
        { "validity", "1095d" },
        { "renewal", "0s" },
        { "backdate", "600s" },
        { "backdate", "ca" },
        { "backdate", "0s" },
        { "min_rsa_bits", "1024" },
        { "hashes", "SHA-512" },
        { "authorised_signatures", "1" },
        { "oid", "1.3.6.1.4.1.99999.1" },
        { "oid", "" },
        { "superseded", "SCEPUser,WebServer" },
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        AUTO_BUF answer = { 0 };
        struct why why = { 0 };
        ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", good[i][0], good[i][1]), &why);
    }
}

TEST(names_have_no_spaces_and_are_of_a_limited_length)
{
    AUTO_BUF answer = { 0 }, name = { 0 };
    struct why why = { 0 };
    const char *const bad[] = { "SCEP device", "a/b", "-a", "\xC3\xA4", "a\n" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ASSERT_ERR(ERR_USAGE, CALL("template_new", &answer, &why, "name", bad[i]), &why);
    for (int i = 0; i < LIMIT_NAME_BYTES; i++)
        buf_append_byte(&name, 'a');
    ASSERT_OK(CALL("template_new", &answer, &why, "name", buf_text(&name)), &why);
    buf_append_byte(&name, 'a');
    ASSERT_ERR(ERR_USAGE, CALL("template_new", &answer, &why, "name", buf_text(&name)), &why);
}

TEST(a_property_that_is_given_twice_is_refused)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_ERR(ERR_USAGE,
               CALL("template_set", &answer, &why, "name", "SCEPDevice", "validity", "1d", "validity", "2d"),
               &why);
}

TEST(an_encryption_template_takes_no_key_that_cannot_decrypt)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_ERR(
        ERR_TEMPLATE_PROPERTY,
        CALL("template_set", &answer, &why, "name", "SCEPDeviceEncryption", "key_algorithms", "RSA P-256"),
        &why);
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDeviceEncryption", "min_rsa_bits", "3072"),
              &why);
}

TEST(a_template_that_is_named_or_waited_for_is_not_deleted)
{
    DEVICE(device, .subject = "CN=one");
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_ERR(ERR_WRONG_STATE, CALL("template_delete", &answer, &why, "name", "SCEPDevice"), &why);
    assert_non_null(strstr(why.text, "general_purpose_template of endpoint static"));
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPUser", "superseded", "WebServer"), &why);
    ASSERT_ERR(ERR_WRONG_STATE, CALL("template_delete", &answer, &why, "name", "WebServer"), &why);
    assert_non_null(strstr(why.text, "superseded of template SCEPUser"));
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPUser", "superseded", ""), &why);
    ASSERT_OK(CALL("template_delete", &answer, &why, "name", "WebServer"), &why);
    ASSERT_OK(device_enroll(world, &device, "manual", &got, &why), &why);
    world_exec(world, "UPDATE request SET template = 'SCEPUser'");
    ASSERT_ERR(ERR_WRONG_STATE, CALL("template_delete", &answer, &why, "name", "SCEPUser"), &why);
    assert_non_null(strstr(why.text, "1 requests of template SCEPUser wait"));
    struct denial denial = { got.request_id, "cli", "" };
    ASSERT_OK(ca_deny(world->ca, world_issuer(world), &denial, &why), &why);
    ASSERT_OK(CALL("template_delete", &answer, &why, "name", "SCEPUser"), &why);
}

/* --- at the same time --- */

TEST(a_change_of_another_version_than_expected_is_refused)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(
        CALL("template_set", &answer, &why, "name", "SCEPUser", "expect-version", "1", "validity", "100d"),
        &why);
    ASSERT_ERR(
        ERR_CHANGED,
        CALL("template_set", &answer, &why, "name", "SCEPUser", "expect-version", "1", "validity", "90d"),
        &why);
    ASSERT_ERR(
        ERR_USAGE,
        CALL("template_set", &answer, &why, "name", "SCEPUser", "expect-version", "x", "validity", "90d"),
        &why);
    ASSERT_OK(CALL("template_show", &answer, &why, "name", "SCEPUser"), &why);
    answer_assert(&answer, "validity", "100d");
}

struct setter {
    pthread_t thread;
    const char *property, *value;
    enum err err;
};

static void *set_thread(void *arg)
{
    struct setter *setter = arg;
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    setter->err = CALL("template_set", &answer, &why, "name", "SCEPUser", setter->property, setter->value);
    return NULL;
}

TEST(changes_at_once_lose_none_of_them)
{
    struct setter setters[] = { { .property = "validity", .value = "100d" },
                                { .property = "renewal", .value = "5d" },
                                { .property = "min_rsa_bits", .value = "4096" },
                                { .property = "manager_approval", .value = "yes" } };
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(0, pthread_create(&setters[i].thread, NULL, set_thread, &setters[i]));
    for (size_t i = 0; i < 4; i++) {
        pthread_join(setters[i].thread, NULL);
        assert_int_equal(OK, setters[i].err);
    }
    assert_int_equal(1, world_count(world,
                                    "SELECT COUNT(*) FROM template WHERE name = 'SCEPUser' AND version = 5 "
                                    "AND validity_s = 8640000 AND renewal_s = 432000 "
                                    "AND min_rsa_bits = 4096 AND manager_approval = 1"));
    assert_int_equal(5, world_count(world, "SELECT COUNT(*) FROM template_version WHERE name = 'SCEPUser'"));
}

struct replacing {
    struct template *template;
};

static enum err replace_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct template_change change = { "cli", NOW };
    return template_row_replace(tx, ((struct replacing *)arg)->template, &change, why);
}

TEST(a_version_that_somebody_else_made_meanwhile_is_not_overwritten)
{
    struct replacing late = { 0 };
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(template_load(world->store, BYTES_LIT("SCEPUser"), &late.template, &why), &why);
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPUser", "validity", "100d"), &why);
    ASSERT_ERR(ERR_CONFLICT, store_write(world->store, replace_work, &late, &why), &why);
    template_free(late.template);
    ASSERT_OK(CALL("template_show", &answer, &why, "name", "SCEPUser"), &why);
    answer_assert(&answer, "validity", "100d");
}

/* --- what endpoints issue by --- */

static struct cert cert_of(const struct enrolled *got)
{
    struct cert cert;
    struct why why = { 0 };
    ASSERT_OK(cert_parse(buf_bytes(&got->certificate), &cert, &why), &why);
    return cert;
}

TEST(a_change_counts_for_the_next_enrolment)
{
    DEVICE(one, .subject = "CN=one", .challenge = "secret");
    DEVICE(two, .subject = "CN=two", .challenge = "secret");
    DEVICE(three, .subject = "CN=three", .challenge = "secret");
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_OK(device_enroll(world, &one, "static", &got, &why), &why);
    enrolled_free(&got);
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", "validity", "10d", "renewal", "2d",
                   "backdate", "60s"),
              &why);
    ASSERT_OK(device_enroll(world, &two, "static", &got, &why), &why);
    assert_int_equal(NOW + 10 * 86400, cert_of(&got).not_after);
    assert_int_equal(NOW - 60, cert_of(&got).not_before);
    ASSERT_OK(CALL("template_unpublish", &answer, &why, "name", "SCEPDevice"), &why);
    device_assert_refused(world, ERR_TEMPLATE, &three, "static");
}

TEST(what_was_read_before_a_change_is_not_kept_after_it)
{
    struct template *first = NULL, *second = NULL;
    struct why why = { 0 };
    ASSERT_OK(template_cache_find(world->ca->templates, BYTES_LIT("SCEPDevice"), &first, &why), &why);
    world_exec(world, "UPDATE template SET validity_s = 7200 WHERE name = 'SCEPDevice'");
    template_cache_forget(world->ca->templates);
    ASSERT_OK(template_cache_find(world->ca->templates, BYTES_LIT("SCEPDevice"), &second, &why), &why);
    assert_int_equal(7200, second->validity_s);
    template_free(first);
    template_free(second);
}

TEST(a_request_signed_with_a_hash_that_the_template_lacks_is_refused)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret"); /* P-256 with SHA-256 */
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", "hashes", "SHA-384 SHA-512"), &why);
    device_assert_refused(world, ERR_BAD_ALG, &device, "static");
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", "hashes", "SHA-256"), &why);
    ASSERT_OK(device_enroll(world, &device, "static", &got, &why), &why);
}

TEST(a_subject_from_the_directory_needs_a_policy_record_and_there_is_none)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", "subject_source", "directory"), &why);
    device_assert_refused(world, ERR_TEMPLATE_SUBJECT, &device, "static");
}

TEST(a_template_that_wants_an_authorised_signature_says_so)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", "authorised_signatures", "1"), &why);
    device_assert_refused(world, ERR_NOT_AUTHORISED, &device, "static");
}

TEST(template_information_is_the_name_and_the_oid_with_its_version)
{
    static const uint8_t name[] = { 0x1E, 20, 0,   'S', 0,   'C', 0,   'E', 0,   'P', 0,
                                    'D',  0,  'e', 0,   'v', 0,   'i', 0,   'c', 0,   'e' };
    DEVICE(one, .subject = "CN=one", .challenge = "secret");
    DEVICE(two, .subject = "CN=two", .challenge = "secret");
    AUTO_BUF answer = { 0 };
    AUTO_VAL(enrolled) first = { 0 }, second = { 0 };
    struct extension found;
    struct why why = { 0 };
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", "template_information", "yes"), &why);
    ASSERT_OK(device_enroll(world, &one, "static", &first, &why), &why);
    assert_true(extension_find(cert_of(&first).extensions, OID_MS_TEMPLATE_NAME, &found));
    ASSERT_BYTES(BYTES_ARR(name), found.value);
    assert_false(found.critical);
    assert_false(extension_find(cert_of(&first).extensions, OID_MS_TEMPLATE_V2, &found));
    ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", "oid", "1.2.3"), &why);
    ASSERT_OK(device_enroll(world, &two, "static", &second, &why), &why);
    assert_true(extension_find(cert_of(&second).extensions, OID_MS_TEMPLATE_V2, &found));
    ASSERT_BYTES(BYTES_LIT("\x30\x0A\x06\x02\x2A\x03\x02\x01\x03\x02\x01\x00"), found.value);
}

TEST(what_speaks_for_the_service_is_no_device_s)
{
    static const char *const purposes[] = { "clientAuth OCSPSigning", "certificateRequestAgent" };
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(purposes) / sizeof(*purposes); i++) {
        AUTO_VAL(enrolled) got = { 0 };
        ASSERT_OK(CALL("template_set", &answer, &why, "name", "SCEPDevice", "eku", purposes[i]), &why);
        ASSERT_ERR(ERR_TEMPLATE, device_enroll(world, &device, "static", &got, &why), &why);
        assert_non_null(strstr(why.text, "template SCEPDevice has the purpose "));
    }
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM certificate"));
}

RUN(W(a_template_is_made_changed_published_and_deleted),
    W(what_the_roles_have_their_certificates_by_is_not_deleted), W(rights_on_a_template_go_with_it),
    W(every_version_that_was_in_force_can_be_shown),
    W(a_copy_has_the_properties_of_the_other_and_is_not_published), W(each_bad_value_is_refused_and_named),
    W(values_at_their_bounds_are_taken), W(names_have_no_spaces_and_are_of_a_limited_length),
    W(a_property_that_is_given_twice_is_refused), W(an_encryption_template_takes_no_key_that_cannot_decrypt),
    W(a_template_that_is_named_or_waited_for_is_not_deleted),
    W(a_change_of_another_version_than_expected_is_refused), W(changes_at_once_lose_none_of_them),
    W(a_version_that_somebody_else_made_meanwhile_is_not_overwritten),
    W(a_change_counts_for_the_next_enrolment), W(what_was_read_before_a_change_is_not_kept_after_it),
    W(a_request_signed_with_a_hash_that_the_template_lacks_is_refused),
    W(a_subject_from_the_directory_needs_a_policy_record_and_there_is_none),
    W(a_template_that_wants_an_authorised_signature_says_so),
    W(template_information_is_the_name_and_the_oid_with_its_version),
    W(what_speaks_for_the_service_is_no_device_s))
