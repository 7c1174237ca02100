/* SPDX-License-Identifier: Apache-2.0 */
/* What a directory section may say. */
#include "tests/unit/config/helper.h"

#define DIRECTORY(more) USER "directory \"corp\" {\nschema = openldap\n" more "}\n"
#define BASE            "base = \"dc=example\"\n"
#define URL(url)        DIRECTORY(BASE "urls = {\"" url "\"}\n")
#define URLS_RULE       "allowed is ldaps://HOST[:PORT], ldap://HOST[:PORT] or ldapi://%%2Fpath"

TEST(a_directory_has_its_defaults_and_is_mdm_s_alone)
{
    AUTO(config) config = load(URL("ldaps://ldap.example.org"));
    const struct config_section *corp = config_find(config, "directory", "corp");
    assert_true(config_bool(corp, "start_tls"));
    assert_int_equal(300, config_int(corp, "interval"));
    assert_int_equal(10, config_int(corp, "max_deletions"));
    config_keep(config, "mdm");
    assert_non_null(config_find(config, "directory", "corp"));
    config_keep(config, "ca");
    assert_null(config_find(config, "directory", "corp"));
}

TEST(what_is_needed_is_there)
{
    refused(USER "directory \"corp\" { }\n",
            "FILE:2: directory \"corp\": option schema has \"\"; allowed is openldap or ad");
    refused(DIRECTORY(BASE),
            "FILE:2: directory \"corp\": option urls has \"\"; allowed is one URL or more, as "
            "ldaps://ldap.example.org");
    refused(DIRECTORY("urls = {\"ldaps://a\"}\n"),
            "FILE:2: directory \"corp\": option base has \"\"; allowed is a distinguished name as "
            "dc=example,dc=org");
}

TEST(urls_name_a_host_and_nothing_else)
{
    static const char *const good[] = { "ldaps://a", "ldaps://a.example:636/", "ldap://[2001:db8::1]:389",
                                        "ldap://192.0.2.1:65535", "ldapi://%2Frun%2Fldapi" };
    static const char *const bad[] = { "http://a",       "ldaps://",     "ldaps://a:0", "ldaps://a:65536",
                                       "ldaps://a/dc=x", "ldaps://a?x",  "ldaps://u@a", "ldapi://",
                                       "ldapi:///run",   "ldaps://[::1", "cldap://a",   "ldaps://a:" };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        AUTO_STR text = xasprintf(URL("%s"), good[i]);
        config_free(load(text));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        AUTO_STR text = xasprintf(URL("%s"), bad[i]);
        AUTO_STR message =
            xasprintf("FILE:5: directory \"corp\": option urls has \"%s\"; " URLS_RULE, bad[i]);
        refused(text, message);
    }
}

TEST(a_password_goes_to_no_other_host_in_the_clear)
{
    static const char *const here[] = { "ldap://127.0.0.1:389", "ldap://[::1]", "ldap://localhost",
                                        "ldapi://%2Frun%2Fldapi", "ldaps://elsewhere" };
    static const char *const elsewhere[] = { "ldap://192.0.2.7", "ldap://ldap.example.org",
                                             "ldap://127.0.0.1.example.org", "ldap://localhost.example.org" };
    for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++) {
        AUTO_STR text = xasprintf(DIRECTORY(BASE "start_tls = false\nurls = {\"%s\"}\n"), here[i]);
        config_free(load(text));
    }
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
        AUTO_STR text = xasprintf(DIRECTORY(BASE "start_tls = false\nurls = {\"%s\"}\n"), elsewhere[i]);
        AUTO_STR message = xasprintf(
            "FILE:6: directory \"corp\": option urls has \"%s\"; allowed is ldaps://, or ldap:// with "
            "start_tls = true, to any host but this one: a password and who is in which group would go in "
            "the clear",
            elsewhere[i]);
        refused(text, message);
    }
}

TEST(filters_attributes_and_what_disables_have_their_form)
{
    refused(
        DIRECTORY(BASE "urls = {\"ldaps://a\"}\nuser_filter = \"(a=b)(c=d)\"\n"),
        "FILE:6: directory \"corp\": option user_filter has \"(a=b)(c=d)\"; allowed is one LDAP filter as "
        "(objectClass=person) (RFC 4515)");
    refused(DIRECTORY(BASE "urls = {\"ldaps://a\"}\ngroup_filter = \"(&(a=b)\"\n"),
            "FILE:6: directory \"corp\": option group_filter has \"(&(a=b)\"; allowed is one LDAP filter as "
            "(objectClass=person) (RFC 4515)");
    refused(DIRECTORY(BASE "urls = {\"ldaps://a\"}\nemail = {\"mail)(x\"}\n"),
            "FILE:6: directory \"corp\": option email has \"mail)(x\"; allowed is the name of an LDAP "
            "attribute");
    refused(DIRECTORY(BASE "urls = {\"ldaps://a\"}\ndisabled = \"flags&x\"\n"),
            "FILE:6: directory \"corp\": option disabled has \"flags&x\"; allowed is ATTRIBUTE, "
            "ATTRIBUTE=VALUE, ATTRIBUTE&BITS or none");
    config_free(load(DIRECTORY(BASE "urls = {\"ldaps://a\"}\ndisabled = \"flags&514\"\n"
                                    "user_filter = \"(&(a=b)(|(c=d)(e=\\\\28)))\"\nname = {\"none\"}\n")));
}

TEST(names_of_one_attribute_and_directories_have_a_limit)
{
    AUTO_BUF most = { 0 };
    config_free(load(DIRECTORY(BASE "urls = {\"ldaps://a\"}\nname = {a,b,c,d,e,f,g,h}\n")));
    refused(DIRECTORY(BASE "urls = {\"ldaps://a\"}\nname = {a,b,c,d,e,f,g,h,i}\n"),
            "FILE:6: directory \"corp\": option name has \"i\"; allowed is 8 names of attributes");
    buf_append_str(&most, USER);
    for (int i = 0; i < 8; i++)
        buf_printf(&most, "directory \"d%d\" {\nschema = ad\n" BASE "urls = {\"ldaps://a\"}\n}\n", i);
    config_free(load(buf_text(&most)));
    buf_append_str(&most, "directory \"d8\" {\nschema = ad\n" BASE "urls = {\"ldaps://a\"}\n}\n");
    refused(buf_text(&most), "FILE: there are 9 directory sections; allowed are 8");
}

RUN(T(names_of_one_attribute_and_directories_have_a_limit),
    T(a_directory_has_its_defaults_and_is_mdm_s_alone), T(what_is_needed_is_there),
    T(urls_name_a_host_and_nothing_else), T(a_password_goes_to_no_other_host_in_the_clear),
    T(filters_attributes_and_what_disables_have_their_form))
