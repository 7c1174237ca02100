/* SPDX-License-Identifier: Apache-2.0 */
/* How long certificates are valid: the template, the CA's flag, what a request asks for, the CA's own end. */
#include "ca/validity.h"

#include "ca/flags.h"
#include "tests/unit/ca/fixture.h"

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

#define W(name)     cmocka_unit_test_setup_teardown(name, begin, end)
#define DAY         86400LL
#define OF_TEMPLATE (365 * DAY)

static enum err flag_put(const char *name, bool on, struct why *why)
{
    const struct flag_change change = {
        .ca = world->ca, .issuer = world_issuer(world), .actor = "cli", .name = name, .on = on
    };
    return flag_set(&change, why);
}

static void flag(bool on)
{
    struct why why = { 0 };
    ASSERT_OK(flag_put(FLAG_ATTRIBUTE_END_DATE, on, &why), &why);
}

/* One enrollment name/value pair, as Windows writes it: an Attribute of SEQUENCE { BMPString, BMPString }. */
static void bmp_put(struct buf *out, const char *text)
{
    AUTO_BUF wide = { 0 };
    for (; *text; text++) {
        buf_append_byte(&wide, 0);
        buf_append_byte(&wide, (uint8_t)*text);
    }
    der_put(out, DER_BMP_STRING, buf_bytes(&wide));
}

static void pair_put(struct buf *out, const char *name, const char *value)
{
    size_t attribute = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(OID_ATTR_MS_NAME_VALUE));
    size_t set = der_begin(out, DER_SET), pair = der_begin(out, DER_SEQUENCE);
    bmp_put(out, name);
    bmp_put(out, value);
    der_end(out, pair);
    der_end(out, set);
    der_end(out, attribute);
}

/* A device with these two pairs; NULL leaves one out. */
static struct device device_asking(const char *period, const char *units)
{
    struct device device = device_new(&(struct ask){ .subject = "CN=one", .challenge = "secret" });
    struct why why = { 0 };
    AUTO_BUF name = name_of("CN=one"), pairs = { 0 };
    if (period)
        pair_put(&pairs, "ValidityPeriod", period);
    if (units)
        pair_put(&pairs, "ValidityPeriodUnits", units);
    struct csr_params params = { .subject = buf_bytes(&name),
                                 .challenge = "secret",
                                 .more_attributes = buf_bytes(&pairs) };
    buf_free(&device.csr);
    ASSERT_OK(csr_make(&params, device.key, &device.csr, &why), &why);
    return device;
}

/* Seconds from now to the end of what the device gets. */
static int64_t validity_got(const char *period, const char *units)
{
    __attribute__((cleanup(device_free))) struct device device = device_asking(period, units);
    AUTO_VAL(enrolled) got = { 0 };
    struct cert cert;
    struct why why = { 0 };
    device_assert_issued(world, &device, "static", &got);
    ASSERT_OK(cert_parse(buf_bytes(&got.certificate), &cert, &why), &why);
    return cert.not_after - NOW;
}

TEST(a_request_may_ask_for_less_in_either_order_and_never_for_more)
{
    static const struct {
        const char *who, *period, *units;
        int64_t valid;
    } cases[] = {
        { "Windows", "Days", "30", 30 * DAY },
        { "Windows", "Hours", "48", 2 * DAY },
        { "Windows", "Weeks", "2", 14 * DAY },
        { "Windows", "Months", "6", 180 * DAY },
        { "Windows, any case", "days", "7", 7 * DAY },
        { "Android, the other way round", "30", "Days", 30 * DAY },
        { "Android, the other way round", "6", "Months", 180 * DAY },
        { "as long as the template", "Years", "1", OF_TEMPLATE },
        { "a day more", "Days", "366", OF_TEMPLATE },
        { "far more", "Years", "999999", OF_TEMPLATE },
        { "more than a number", "Years", "99999999999999999999", OF_TEMPLATE },
        { "Apple: no pairs", NULL, NULL, OF_TEMPLATE },
        { "one alone", "Days", NULL, OF_TEMPLATE },
        { "the other alone", NULL, "30", OF_TEMPLATE },
        { "no unit", "Fortnights", "1", OF_TEMPLATE },
        { "two numbers", "30", "30", OF_TEMPLATE },
        { "two units", "Days", "Days", OF_TEMPLATE },
        { "nothing", "Days", "0", OF_TEMPLATE },
        { "less than nothing", "Days", "-1", OF_TEMPLATE },
        { "half", "Days", "1.5", OF_TEMPLATE },
        { "a space", "Days", " 1", OF_TEMPLATE },
        { "empty", "", "", OF_TEMPLATE },
    };
    flag(true);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t valid = validity_got(cases[i].period, cases[i].units);
        if (valid != cases[i].valid)
            fail_msg("%s (%s, %s): %lld s, wanted %lld", cases[i].who,
                     cases[i].period ? cases[i].period : "-", cases[i].units ? cases[i].units : "-",
                     (long long)valid, (long long)cases[i].valid);
    }
}

TEST(without_the_flag_nothing_is_asked_and_it_counts_at_once)
{
    assert_int_equal(OF_TEMPLATE, validity_got("Days", "30"));
    flag(true);
    assert_int_equal(30 * DAY, validity_got("Days", "30"));
    flag(false);
    assert_int_equal(OF_TEMPLATE, validity_got("Days", "30"));
}

TEST(nothing_that_is_asked_goes_past_the_cas_own_end)
{
    flag(true);
    world_issuer(world)->cert.not_after = NOW + 10 * DAY;
    assert_int_equal(10 * DAY, validity_got("Days", "30"));
    assert_int_equal(5 * DAY, validity_got("Days", "5"));
}

TEST(an_approved_request_gets_the_validity_it_asked_for)
{
    __attribute__((cleanup(device_free))) struct device device = device_asking("20", "Days");
    AUTO_VAL(enrolled) got = { 0 }, polled = { 0 };
    struct cert cert;
    struct why why = { 0 };
    flag(true);
    ASSERT_OK(device_enroll(world, &device, "manual", &got, &why), &why);
    ASSERT_OK(ca_approve(world->ca, world_issuer(world), got.request_id, "cli", &why), &why);
    ASSERT_OK(device_poll(world, &device, "manual", &polled, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&polled.certificate), &cert, &why), &why);
    assert_int_equal(NOW + 20 * DAY, cert.not_after);
}

TEST(the_flag_is_kept_audited_once_and_has_one_name)
{
    struct why why = { 0 };
    flag(true);
    flag(true);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'ca_flags' "
                                           "AND detail = 'on' AND actor = 'cli'"));
    world_reopen(world);
    ASSERT_OK(flags_load(world->ca, &why), &why);
    assert_int_equal(30 * DAY, validity_got("Days", "30"));
    ASSERT_ERR(ERR_USAGE, flag_put("EDITF_ATTRIBUTESUBJECTALTNAME2", true, &why), &why);
    assert_non_null(strstr(why.text, FLAG_ATTRIBUTE_END_DATE));
    flag(false);
    ASSERT_OK(flags_load(world->ca, &why), &why);
    assert_int_equal(OF_TEMPLATE, validity_got("Days", "30"));
}

RUN(W(a_request_may_ask_for_less_in_either_order_and_never_for_more),
    W(without_the_flag_nothing_is_asked_and_it_counts_at_once),
    W(nothing_that_is_asked_goes_past_the_cas_own_end), W(an_approved_request_gets_the_validity_it_asked_for),
    W(the_flag_is_kept_audited_once_and_has_one_name))
