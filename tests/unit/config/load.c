/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: syntax, rows, bounds, defaults. */
#include "tests/unit/config/helper.h"

#include "base/limits.h"

TEST(an_empty_file_gives_every_default)
{
    AUTO(config) config = load(USER);
    const struct config_section *top = config_top(config);
    assert_string_equal(config_str(top, "site"), "default");
    assert_string_equal(config_str(top, "state_dir"), "/var/lib/chancery");
    assert_int_equal(config_int(top, "workers"), 64);
    assert_int_equal(config_list_count(top, "roles"), 4);
    assert_string_equal(config_list_at(top, "roles", 2), "scep");
    assert_string_equal(config_list_at(top, "roles", 3), "va");
    assert_null(config_list_at(top, "roles", 4));
    assert_true(config_is_set(top, "mode"));
    assert_int_equal(config_line(top, "mode"), 1);
    assert_false(config_is_set(top, "site"));
    assert_int_equal(config_line(top, "site"), 0);
    const struct config_section *scep = config_at(config, "scep", 0);
    assert_int_equal(config_count(config, "scep"), 1);
    assert_string_equal(config_list_at(scep, "http_listen", 0), "[::]:80");
    assert_int_equal(config_int(scep, "max_url_length"), 65534);
    assert_true(config_bool(scep, "access_log_sc_bytes"));
    assert_int_equal(config_count(config, "ca"), 0);
    assert_null(config_find(config, "ca", "issuing"));
}

TEST(sections_are_found_by_title_and_by_number)
{
    AUTO(config)
    config = load(
        CA "ca \"other.2_x-y\" { validity_max = 30 }\n"
           "endpoint \"default\" { validator = \"static\" }\n"
           "endpoint \"tablets\" {\n validator = one-time # word without quotes\n ca = other.2_x-y\n}\n");
    assert_int_equal(config_count(config, "ca"), 2);
    assert_int_equal(config_count(config, "endpoint"), 2);
    assert_string_equal(config_title(config_at(config, "endpoint", 1)), "tablets");
    assert_string_equal(config_str(config_find(config, "endpoint", "tablets"), "ca"), "other.2_x-y");
    assert_int_equal(config_line(config_find(config, "endpoint", "tablets"), "ca"), 7);
    assert_int_equal(config_int(config_find(config, "ca", "other.2_x-y"), "validity_max"), 30);
    assert_int_equal(config_int(config_find(config, "ca", "issuing"), "validity_max"), 1095);
    assert_int_equal(config_list_count(config_find(config, "ca", "issuing"), "allowed_eku"), 5);
    assert_null(config_at(config, "endpoint", 2));
    assert_string_equal(config_title(config_top(config)), "");
}

TEST(comments_quotes_and_lists_may_span_lines)
{
    AUTO(config)
    config = load("/* a = 1\n b { */ mode = user // c = 2\nsite = 'one' # d = 3\n"
                  "scep {\n http_listen = {\n  \"127.0.0.1:80\", # first\n  \"[::1]:81\"\n }\n"
                  " https_listen = {}\n}\nworkers = 5\nlog_level = \"debug\"\n");
    const struct config_section *scep = config_at(config, "scep", 0);
    assert_int_equal(config_list_count(scep, "http_listen"), 2);
    assert_string_equal(config_list_at(scep, "http_listen", 1), "[::1]:81");
    assert_int_equal(config_list_count(scep, "https_listen"), 0);
    assert_true(config_is_set(scep, "https_listen"));
    assert_int_equal(config_line(scep, "https_listen"), 9);
    assert_int_equal(config_line(config_top(config), "workers"), 11);
    assert_string_equal(config_str(config_top(config), "site"), "one");
}

TEST(unknown_options_and_sections_are_named)
{
    refused(USER "\nsitte = \"x\"\n",
            "FILE:3: no such option 'sitte'; allowed are the options of chancery.conf(5)");
    refused(USER "endpoint \"a\" {\n\n colour = red\n}\n",
            "FILE:4: no such option 'colour'; allowed are the options of chancery.conf(5)");
    refused(USER "hsm {\n}\n", "FILE:2: no such option 'hsm'; allowed are the options of chancery.conf(5)");
    refused(USER "scep { validator = static }\n",
            "FILE:2: no such option 'validator'; allowed are the options of chancery.conf(5)");
}

TEST(broken_syntax_is_refused_with_its_line)
{
    refused(USER "site \"x\"\n", "FILE:2: missing equal sign after option 'site'");
    refused(USER "ca {\n}\n", "FILE:2: missing title for section 'ca'");
    refused(USER "scep {\n", "FILE:2: section scep is not closed with }");
    refused(USER "scep {\n http_listen = {\"[::]:80\",\n", "FILE:4: a list is not closed with }");
    refused(USER "/* open\n", "FILE:2: a quoted text or a comment is not closed, or a byte is not text");
    refused(USER "}\n", "FILE:2: unexpected closing brace");
    refused(USER "site = \"open\n",
            "FILE:2: a quoted text or a comment is not closed, or a byte is not text");
    refused(USER "site = { a, b }\n", "FILE:2: unexpected token '{'");
    refused(USER "site += a\n", "FILE:2: attempt to append to non-list option 'site'");
    refused(USER "include(\"/etc/passwd\")\n",
            "FILE:2: no such option 'include'; allowed are the options of chancery.conf(5)");
}

TEST(an_option_set_twice_is_refused)
{
    refused(USER "site = a\nworkers = 3\nsite = b\n",
            "FILE:4: option site is set twice, first in line 2; keep one of them");
    refused(USER "scep {\nhttp_listen = {}\nhttp_listen += {\"[::]:80\"}\n}\n",
            "FILE:4: option http_listen is set twice, first in line 3; keep one of them");
    /* the same name in two sections is no clash */
    AUTO(config) config = load(USER "ca \"a\" { backdate = 1 }\nca \"b\" { backdate = 2 }\n");
    assert_int_equal(config_int(config_find(config, "ca", "b"), "backdate"), 2);
}

TEST(sections_that_are_there_twice_are_refused)
{
    refused(USER "ca \"a\" {}\nca \"a\" {}\n", "FILE:3: found duplicate title 'a'");
    refused(USER "scep {}\nscep {}\n", "FILE:3: section scep is there twice; allowed is once");
}

TEST(titles_are_names)
{
#define NAME_RULE "allowed is a name of 1 to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first"
    refused(USER "ca \"Issuing\" {}\n", "FILE:2: ca \"Issuing\": " NAME_RULE);
    refused(USER "ca \"\" {}\n", "FILE:2: ca \"\": " NAME_RULE);
    refused(USER "ca \"../x\" {}\n", "FILE:2: ca \"../x\": " NAME_RULE);
    refused(USER "ca \"-a\" {}\n", "FILE:2: ca \"-a\": " NAME_RULE);
    refused(USER "ca \"a b\" {}\n", "FILE:2: ca \"a b\": " NAME_RULE);
    char text[256], longest[LIMIT_NAME_BYTES + 2];
    memset(longest, 'a', sizeof(longest));
    longest[LIMIT_NAME_BYTES] = '\0';
    snprintf(text, sizeof(text), USER "ca \"%s\" {}\n", longest);
    AUTO(config) config = load(text);
    assert_non_null(config_find(config, "ca", longest));
    longest[LIMIT_NAME_BYTES] = 'a';
    longest[LIMIT_NAME_BYTES + 1] = '\0';
    snprintf(text, sizeof(text), USER "ca \"%s\" {}\n", longest);
    assert_int_equal(load_mode(text, strlen(text), 0600).err, ERR_CONFIG);
}

TEST(the_environment_is_not_read)
{
    setenv("CHANCERY_TEST_SITE", "elsewhere", 1);
    refused(USER "site = \"${CHANCERY_TEST_SITE}\"\n",
            "FILE:2: ${…} is not replaced from the environment; write the value itself");
    refused(USER "\nsite = ${CHANCERY_TEST_SITE}\n",
            "FILE:3: ${…} is not replaced from the environment; write the value itself");
}

/* Several partitions have URLs of their own. */
static const char *needed_by(const struct option_row *row, const char *value)
{
    bool partitions = strcmp(row->name, "crl_partitions") == 0 && strcmp(value, "1") != 0;
    return partitions ? "cdp_urls = {\"http://host.example/%p.crl\"}" : "";
}

/* What a directory section has to have beside the option. */
static void directory_put(struct buf *text, const struct option_row *row, const char *value)
{
    static const char *const needed[][2] = { { "schema", "openldap" },
                                             { "base", "\"dc=x\"" },
                                             { "urls", "{\"ldaps://a\"}" } };
    buf_printf(text, "directory \"x\" { %s = %s\n", row->name, value);
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
        if (strcmp(row->name, needed[i][0]) != 0)
            buf_printf(text, "%s = %s\n", needed[i][0], needed[i][1]);
    }
    buf_append_str(text, "}\n");
}

/* A file with one option set to a value of our choice. */
static struct loaded load_option(const struct option_row *row, const char *value)
{
    AUTO_BUF text = { 0 };
    if (strcmp(row->name, "mode") != 0)
        buf_append_str(&text, USER);
    if (*row->section == '\0')
        buf_printf(&text, "%s = %s\n", row->name, value);
    else if (strcmp(row->section, "endpoint") == 0)
        buf_printf(&text, "ca \"issuing\" {}\nendpoint \"x\" { %s = %s\n%s }\n", row->name, value,
                   row->required ? "" : "validator = static");
    else if (strcmp(row->section, "directory") == 0)
        directory_put(&text, row, value);
    else
        buf_printf(&text, "%s %s { %s = %s\n%s }\n", row->section,
                   strcmp(row->section, "ca") == 0 ? "\"x\"" : "", row->name, value, needed_by(row, value));
    return load_mode((const char *)text.data, text.len, 0600);
}

static void assert_accepted(const struct option_row *row, const char *value)
{
    struct loaded loaded = load_option(row, value);
    if (loaded.err != OK)
        fail_msg("%s = %s: %s", row->name, value, loaded.why.text);
    config_free(loaded.config);
}

static void assert_refused_naming(const struct option_row *row, const char *value, const char *part)
{
    struct loaded loaded = load_option(row, value);
    if (loaded.err != ERR_CONFIG || !strstr(loaded.why.text, part) || !strstr(loaded.why.text, row->name))
        fail_msg("%s = %s: %s, wanted \"%s\"", row->name, value,
                 loaded.err == OK ? "accepted" : loaded.why.text, part);
}

TEST(every_integer_is_taken_at_its_bounds_and_refused_past_them)
{
    for (size_t i = 0; i < option_count(); i++) {
        const struct option_row *row = option_at(i);
        if (row->type != OPTION_INT)
            continue;
        char low[32], high[32], under[32], over[32];
        snprintf(low, sizeof(low), "%lld", (long long)row->min);
        snprintf(high, sizeof(high), "%lld", (long long)row->max);
        snprintf(under, sizeof(under), "%lld", (long long)row->min - 1);
        snprintf(over, sizeof(over), "%lld", (long long)row->max + 1);
        assert_accepted(row, low);
        assert_accepted(row, high);
        assert_refused_naming(row, under, low);
        assert_refused_naming(row, over, high);
        assert_refused_naming(row, "0x10", "a whole number from");
        assert_refused_naming(row, "\"\"", "a whole number from");
        assert_refused_naming(row, "\" 1\"", "a whole number from");
        assert_refused_naming(row, "99999999999999999999", "a whole number from");
        assert_refused_naming(row, "1e3", "a whole number from");
    }
}

TEST(every_boolean_and_word_is_one_of_what_is_allowed)
{
    for (size_t i = 0; i < option_count(); i++) {
        const struct option_row *row = option_at(i);
        if (row->type == OPTION_BOOL) {
            assert_accepted(row, "true");
            assert_accepted(row, "off");
            assert_refused_naming(row, "maybe", "true or false");
            assert_refused_naming(row, "\"true yes\"", "true or false");
        }
        if (row->type == OPTION_ENUM) {
            assert_refused_naming(row, "nonsense", row->words);
            assert_refused_naming(row, "\"\"", row->words);
        }
    }
}

/* Some texts have a form; value: quoted, of max zeros. */
static void form_put(const struct option_row *row, char *value, size_t max)
{
    value[1] = strstr(row->name, "_dir") || strcmp(row->name, "ca_file") == 0 ? '/' : 'a';
    if (strstr(row->name, "_filter")) {
        value[1] = '(';
        value[max] = ')';
    } else if (strcmp(row->name, "disabled") == 0) {
        value[2] = '=';
    }
}

TEST(every_text_is_taken_at_its_length_and_refused_past_it)
{
    static char value[2048];
    for (size_t i = 0; i < option_count(); i++) {
        const struct option_row *row = option_at(i);
        size_t max = (size_t)row->max;
        if (row->type != OPTION_STR)
            continue;
        snprintf(value, sizeof(value), "\"%0*d\"", (int)max, 0);
        form_put(row, value, max);
        if (strcmp(row->name, "ca") != 0 && strcmp(row->name, "run_dir") != 0)
            assert_accepted(row, value);
        snprintf(value, sizeof(value), "\"%0*d\"", (int)max + 1, 0);
        assert_refused_naming(row, value, "bytes; allowed are");
        assert_refused_naming(row, "\"a\\tb\"", "control character 0x09");
    }
}

TEST(messages_name_file_line_option_value_and_what_is_allowed)
{
    refused(USER "\nworkers = 513\n",
            "FILE:3: option workers is \"513\"; allowed is a whole number from 1 to 512");
    refused(USER "stop_timeout = 10s\n",
            "FILE:2: option stop_timeout is \"10s\"; allowed is a whole number from 1 to 300 s");
    refused("mode = root\n", "FILE:1: option mode is \"root\"; allowed is one of: system user");
    refused(USER "scep { access_log_sc_bytes = 2 }\n",
            "FILE:2: option access_log_sc_bytes is \"2\"; allowed is true or false");
    refused(USER "roles = {ca, hsm}\n",
            "FILE:2: option roles is \"hsm\"; allowed is one of: signer ca scep va mdm");
    refused(USER "roles = {}\n", "FILE:2: option roles has 0 values; allowed are 1 to 8");
    refused(USER "roles = {ca, ca}\n", "FILE:2: option roles has \"ca\" twice; allowed is each value once");
    refused(CA "endpoint \"x\" { validator = static\n paths = {\"/a b\"} }\n",
            "FILE:4: option paths is \"/a b\"; allowed is a value without spaces");
}

TEST(lists_have_a_largest_size)
{
    AUTO_BUF text = { 0 };
    buf_append_str(&text, USER "ca \"a\" { cdp_urls = {");
    for (int i = 0; i < 64; i++)
        buf_printf(&text, "%s\"http://host.example/%d.crl\"", i ? "," : "", i);
    AUTO_BUF over = buf_dup(buf_bytes(&text));
    buf_append_str(&text, "} }\n");
    buf_append_str(&over, ",\"http://host.example/64.crl\"} }\n");
    AUTO(config) config = load(buf_text(&text));
    assert_int_equal(config_list_count(config_find(config, "ca", "a"), "cdp_urls"), 64);
    refused(buf_text(&over), "FILE:2: option cdp_urls has 65 values; allowed are 0 to 64");
}

TEST(files_that_are_absent_too_large_or_not_text_are_refused)
{
    struct config *config = NULL;
    struct why why;
    ASSERT_ERR(ERR_NOT_FOUND, config_load("/nonexistent/chancery.conf", &config, &why), &why);
    assert_non_null(strstr(why.text, "/nonexistent/chancery.conf"));
    struct loaded nul = load_mode("mode = user\n\0", 13, 0600);
    assert_int_equal(nul.err, ERR_CONFIG);
    assert_non_null(strstr(nul.why.text, "NUL byte at offset 12"));
    AUTO_BUF big = { 0 };
    buf_append_str(&big, USER);
    while (big.len < LIMIT_CONFIG_BYTES)
        buf_append_byte(&big, '\n');
    struct loaded at = load_mode((const char *)big.data, big.len, 0600);
    assert_int_equal(at.err, OK);
    config_free(at.config);
    buf_append_byte(&big, '\n');
    assert_int_equal(load_mode((const char *)big.data, big.len, 0600).err, ERR_LIMIT);
    assert_null(config);
}

/* Files that no editor wrote: each is loaded or refused with a reason, under the sanitizers. */
TEST(mutated_files_are_loaded_or_refused)
{
    const char seed[] = CA
        "scep { http_listen = {\"[::]:80\"} max_fields = 20 }\n# note\nendpoint \"x\" { validator = 'manual' "
        "paths += {\"/a\", \"/b\"} /* c */ }\n";
    srandom(7);
    for (int round = 0; round < 3000; round++) {
        char text[sizeof(seed)];
        memcpy(text, seed, sizeof(seed));
        for (int n = 0; n < 3; n++)
            text[random() % (long)(sizeof(seed) - 1)] = "\"'{}=+,#/*\\ \n\xff"
                                                        "a("[random() % 16];
        struct loaded loaded = load_mode(text, strlen(text), 0600);
        if (loaded.err != OK)
            assert_true(loaded.err == ERR_CONFIG && loaded.why.text[0]);
        config_free(loaded.config);
    }
}

RUN(T(an_empty_file_gives_every_default), T(sections_are_found_by_title_and_by_number),
    T(comments_quotes_and_lists_may_span_lines), T(unknown_options_and_sections_are_named),
    T(broken_syntax_is_refused_with_its_line), T(an_option_set_twice_is_refused),
    T(sections_that_are_there_twice_are_refused), T(titles_are_names), T(the_environment_is_not_read),
    T(every_integer_is_taken_at_its_bounds_and_refused_past_them),
    T(every_boolean_and_word_is_one_of_what_is_allowed),
    T(every_text_is_taken_at_its_length_and_refused_past_it),
    T(messages_name_file_line_option_value_and_what_is_allowed), T(lists_have_a_largest_size),
    T(files_that_are_absent_too_large_or_not_text_are_refused), T(mutated_files_are_loaded_or_refused))
