/* SPDX-License-Identifier: Apache-2.0 */
/* Rules between options and sections, and the slice that a role keeps. */
#include "tests/unit/config/helper.h"

#include <signal.h>
#include <sys/wait.h>

#define ENDPOINT(name, more) "endpoint \"" name "\" { validator = static " more " }\n"

TEST(an_endpoint_without_a_validator_is_refused)
{
    refused(
        CA "\nendpoint \"open\" {\n}\n",
        "endpoint \"open\" (FILE:4) has no validator: it would issue to anybody; set validator = \"static\", "
        "\"one-time\", \"managed\" or \"manual\"");
    refused(CA "endpoint \"open\" { validator = none }\n",
            "FILE:3: option validator is \"none\"; allowed is one of: static one-time managed manual");
    refused(CA "endpoint \"open\" { validator = \"\" }\n",
            "FILE:3: option validator is \"\"; allowed is one of: static one-time managed manual");
}

TEST(the_ca_of_an_endpoint_must_exist)
{
    refused(USER ENDPOINT("a", ""),
            "FILE:2: endpoint \"a\" has ca \"issuing\"; allowed is the name of a ca section of this file");
    refused(CA ENDPOINT("a", "\n\n ca = other"),
            "FILE:5: endpoint \"a\" has ca \"other\"; allowed is the name of a ca section of this file");
    config_free(load(CA ENDPOINT("a", "ca = issuing")));
}

#define WITH_MDM "roles = {signer, ca, scep, va, mdm}\n"
TEST(the_cas_of_the_management_service_must_exist)
{
    refused(USER WITH_MDM "mdm {\n ca = {other}\n}\n",
            "FILE:4: section mdm has ca \"other\"; allowed are names of ca sections of this file");
    config_free(load(CA WITH_MDM "mdm {\n}\n"));
    config_free(load(USER "mdm {\n ca = {other}\n}\n")); /* it does not run */
}

TEST(endpoint_paths_are_unique_without_regard_to_case)
{
    refused(
        CA ENDPOINT("a", "paths = {\"/one\"}") ENDPOINT("b", "paths = {\"/two\",\n \"/ONE/\"}"),
        "FILE:4: option paths has \"/ONE/\", which endpoint \"a\" has in line 3; allowed is each path once, "
        "without regard to case");
    refused(
        CA ENDPOINT("a", "paths = {\"/one\", \"/One\"}"),
        "FILE:3: option paths has \"/One\", which endpoint \"a\" has in line 3; allowed is each path once, "
        "without regard to case");
    config_free(load(CA ENDPOINT("a", "paths = {\"/one\"}") ENDPOINT("b", "paths = {\"/one/x\"}")));
}

TEST(only_the_default_endpoint_has_the_standard_paths)
{
    refused(CA ENDPOINT("a", "paths = {\"/CertSrv/mscep/mscep.dll\"}"),
            "FILE:3: option paths has \"/CertSrv/mscep/mscep.dll\", which the endpoint named default "
            "answers; allowed is "
            "another one");
    config_free(load(CA ENDPOINT("default", "paths = {\"/scep/\"}")));
}

TEST(endpoint_paths_are_plain_url_paths)
{
    static const char *const bad[] = { "scep",  "/",       "/a?b",   "/a#b",      "/a%2f",
                                       "/a//b", "/a/../b", "/a/./b", "/\xC3\xA4", "/a\\\\b" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        AUTO_STR text = xasprintf(CA "endpoint \"a\" { validator = static\n paths = {\"%s\"} }\n", bad[i]);
        struct loaded loaded = load_mode(text, strlen(text), 0600);
        assert_int_equal(loaded.err, ERR_CONFIG);
        assert_non_null(strstr(loaded.why.text, "allowed is a URL path of at most 255 characters"));
    }
    AUTO_STR longest = xasprintf(CA "endpoint \"a\" { validator = static\n paths = {\"/%0254d\"} }\n", 0);
    config_free(load(longest));
    AUTO_STR longer = xasprintf(CA "endpoint \"a\" { validator = static\n paths = {\"/%0255d\"} }\n", 0);
    assert_int_equal(load_mode(longer, strlen(longer), 0600).err, ERR_CONFIG);
}

TEST(folders_are_absolute)
{
    refused(USER "state_dir = demo/lib\n",
            "FILE:2: option state_dir is \"demo/lib\"; allowed is an absolute path");
    refused(USER "etc_dir = \"\"\n", "FILE:2: option etc_dir is \"\"; allowed is an absolute path");
}

TEST(socket_paths_fit_into_an_address)
{
    /* RUN/signer-signer/socket: 21 more bytes */
    AUTO_STR fits = xasprintf(USER "run_dir = \"/%085d\"\n", 0);
    config_free(load(fits));
    AUTO_STR over = xasprintf(USER "run_dir = \"/%086d\"\n", 0);
    refused(
        over,
        "FILE:2: option run_dir makes socket paths of 108 bytes; allowed are 107: choose a shorter folder");
}

TEST(addresses_have_a_port)
{
    refused(USER "scep { http_listen = {\"127.0.0.1\"} }\n",
            "FILE:2: option http_listen has \"127.0.0.1\"; allowed is ADDRESS:PORT in numbers, as "
            "192.0.2.7:80 or [::]:80");
    refused(USER "scep { https_listen = {\"[::]:65536\"} }\n",
            "FILE:2: option https_listen has \"[::]:65536\"; allowed is ADDRESS:PORT in numbers, as "
            "192.0.2.7:80 or "
            "[::]:80");
    refused(USER "scep { https_listen = {\":443\"} }\n",
            "FILE:2: option https_listen has \":443\"; allowed is ADDRESS:PORT in numbers, as 192.0.2.7:80 "
            "or [::]:80");
    config_free(load(USER "scep { http_listen = {\"127.0.0.1:0\", \"[::]:65535\", \"[fe80::1%lo]:80\"} }\n"));
}

TEST(addresses_are_numbers)
{
    static const char *const bad[] = { "localhost:80", "300.1.2.3:80", "::1:80",        "[127.0.0.1]:80",
                                       "1.2.3:80",     "[::1:80",      "10.0.0.0/8:80", "[fe80::g]:80" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        AUTO_STR text = xasprintf(USER "va { http_listen = {\"%s\"} }\n", bad[i]);
        AUTO_STR message =
            xasprintf("FILE:2: option http_listen has \"%s\"; allowed is ADDRESS:PORT in numbers, as "
                      "192.0.2.7:80 or [::]:80",
                      bad[i]);
        refused(text, message);
    }
}

TEST(trusted_proxies_are_addresses_and_networks)
{
    refused(USER "scep { trusted_proxies = {\"127.0.0.1\", \"proxy.example\"} }\n",
            "FILE:2: option trusted_proxies has \"proxy.example\"; allowed is an address or a network, as "
            "192.0.2.7, 192.0.2.0/24 or 2001:db8::/64");
    refused(USER "scep { trusted_proxies = {\"192.0.2.1/24\"} }\n",
            "FILE:2: option trusted_proxies has \"192.0.2.1/24\"; allowed is an address or a network, as "
            "192.0.2.7, 192.0.2.0/24 or 2001:db8::/64");
    config_free(load(USER "scep { trusted_proxies = {\"127.0.0.1\", \"10.0.0.0/8\", \"2001:db8::/32\"} }\n"));
}

TEST(urls_in_certificates_are_absolute_http)
{
    static const char *const bad[] = { "ftp://host.example/x", "http://", "http:///x", "host.example/x",
                                       "http://h\xC3\xA4.example/" };
    static const char *const options[] = { "cdp_urls", "aia_urls", "ocsp_urls", "delta_urls" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        AUTO_STR text = xasprintf(USER "ca \"a\" { %s = {\"%s\"} }\n", options[i % 4], bad[i]);
        AUTO_STR message =
            xasprintf("FILE:2: option %s has \"%s\"; allowed is an ASCII URL as http://host.example/file",
                      options[i % 4], bad[i]);
        refused(text, message);
    }
    config_free(load(USER "ca \"a\" { ocsp_urls = {\"https://host.example\"} }\n"));
}

#define PARTS  "crl_partitions = 4\n"
#define MARKED "cdp_urls = {\"http://a.example/x-%p.crl\"}\n"

TEST(with_partitions_each_cdp_url_has_their_mark_and_without_them_none)
{
    refused(USER "ca \"a\" { " PARTS
                 "cdp_urls = {\"http://a.example/x-%p.crl\", \"http://b.example/x.crl\"} }\n",
            "FILE:3: option cdp_urls has \"http://b.example/x.crl\", and crl_partitions is 4; allowed is a "
            "URL with "
            "%p, the partition's number");
    refused(USER "ca \"a\" { " MARKED "}\n", "FILE:2: option cdp_urls has \"http://a.example/x-%p.crl\", and "
                                             "crl_partitions is 1; allowed is a URL "
                                             "without %p, the partition's number");
    refused(USER "ca \"a\" { " PARTS "}\n", "FILE:2: option crl_partitions is 4, and cdp_urls is empty; "
                                            "allowed is a URL with %p, or nobody could "
                                            "tell the partitions' CRLs apart (RFC 5280 5.2.5)");
    config_free(load(USER "ca \"a\" { " PARTS MARKED "}\n"));
}

TEST(partitions_and_deltas_exclude_each_other)
{
    refused(USER "ca \"a\" { " PARTS MARKED "crl_delta_validity = 24 }\n",
            "FILE:2: option crl_partitions is 4, and crl_delta_validity is 24; allowed are delta CRLs with 1 "
            "partition, or partitions with crl_delta_validity 0");
}

TEST(no_ca_has_the_name_of_anothers_partition)
{
    refused(USER "ca \"a\" { " PARTS MARKED "}\nca \"a-4\" {}\n",
            "FILE:5: ca \"a-4\" has the name of partition 4 of ca \"a\", and would have its CRL; allowed is "
            "another "
            "name");
    config_free(load(USER "ca \"a\" { " PARTS MARKED "}\nca \"a-5\" {}\n"));
}

TEST(allowed_purposes_have_a_shape)
{
    refused(USER "ca \"a\" { allowed_eku = {clientAuth, \"client_auth\"} }\n",
            "FILE:2: option allowed_eku has \"client_auth\"; allowed is a purpose as clientAuth or "
            "1.3.6.1.5.5.7.3.2");
    refused(USER "ca \"a\" { allowed_eku = {\"2.5.29.37.0\"} }\n",
            "FILE:2: option allowed_eku has \"2.5.29.37.0\"; allowed is a purpose as clientAuth or "
            "1.3.6.1.5.5.7.3.2, "
            "never any purpose at all");
    refused(USER "ca \"a\" { allowed_eku = {} }\n",
            "FILE:2: option allowed_eku has 0 values; allowed are 1 to 64");
    config_free(load(USER "ca \"a\" { allowed_eku = {\"1.3.6.1.4.1.311.20.2.2\"} }\n"));
}

TEST(site_and_ra_set_are_names)
{
    refused(USER "site = \"Head Office\"\n", "FILE:2: option site is \"Head Office\"; allowed are a-z, 0-9, "
                                             "'.', '_' and '-', a letter or digit first");
    refused(
        CA ENDPOINT("a", "ra_set = \"../x\""),
        "FILE:3: option ra_set is \"../x\"; allowed are a-z, 0-9, '.', '_' and '-', a letter or digit first");
}

TEST(a_file_that_others_can_write_is_refused_in_system_mode)
{
    struct loaded writable = load_mode("mode = system\n", 14, 0620);
    assert_int_equal(writable.err, ERR_CONFIG);
    assert_non_null(
        strstr(writable.why.text, "has mode 620; allowed is no writing by group and others (chmod go-w)"));
    struct loaded plain = load_mode("mode = system\n", 14, 0644);
    assert_int_equal(plain.err, geteuid() == 0 ? OK : ERR_CONFIG);
    if (plain.err != OK)
        assert_non_null(strstr(plain.why.text, "allowed is uid 0"));
    config_free(plain.config);
    struct loaded user = load_mode(USER, strlen(USER), 0666);
    assert_int_equal(user.err, OK);
    config_free(user.config);
}

TEST(paths_follow_the_folders)
{
    AUTO(config)
    config = load(USER "etc_dir = /d/etc\nstate_dir = /d/lib\nlog_dir = /d/log\nrun_dir = /d/run\n");
    AUTO_STR state = config_role_path(config, "ca", "store.db");
    AUTO_STR secret = config_secret_path(config, "signer", "unlock");
    AUTO_STR log = config_log_path(config, "scep", "access.log");
    AUTO_STR socket = config_socket_path(config, "ca", "scep");
    assert_string_equal(state, "/d/lib/ca/store.db");
    assert_string_equal(secret, "/d/etc/secrets/signer/unlock");
    assert_string_equal(log, "/d/log/scep/access.log");
    assert_string_equal(socket, "/d/run/ca-scep/socket");
    assert_true(strlen(config_path(config)) > 0);
}

/* Does the lookup end the process, as our own bugs do? */
static bool dies(const struct config_section *section, const char *option)
{
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        (void)config_str(section, option);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

TEST(a_role_keeps_only_its_own_slice)
{
    const char text[] =
        CA "ca \"two\" { store = \"host=db.example\" }\nscep { external_name = scep.example }\n" ENDPOINT(
            "default", "");
    static const struct {
        const char *role;
        size_t ca, scep, endpoint, va, mdm;
    } slices[] = {
        { "signer", 2, 0, 0, 0, 0 }, { "ca", 2, 0, 1, 0, 0 },  { "scep", 0, 1, 1, 0, 0 },
        { "va", 2, 0, 0, 1, 0 },     { "mdm", 0, 0, 0, 0, 1 },
    };
    for (size_t i = 0; i < sizeof(slices) / sizeof(*slices); i++) {
        AUTO(config) config = load(text);
        config_keep(config, slices[i].role);
        assert_int_equal(config_count(config, "ca"), slices[i].ca);
        assert_int_equal(config_count(config, "scep"), slices[i].scep);
        assert_int_equal(config_count(config, "endpoint"), slices[i].endpoint);
        assert_int_equal(config_count(config, "va"), slices[i].va);
        assert_int_equal(config_count(config, "mdm"), slices[i].mdm);
        assert_string_equal(config_str(config_top(config), "mode"), "user");
    }
}

TEST(options_of_another_role_are_gone_and_asking_for_them_is_our_bug)
{
    AUTO(config) config = load(USER "ca \"two\" { store = \"host=db.example\" }\n");
    assert_false(dies(config_find(config, "ca", "two"), "store"));
    config_keep(config, "signer");
    assert_true(dies(config_find(config, "ca", "two"), "store"));
    assert_true(dies(config_top(config), "no_such_option"));
    assert_true(dies(config_top(config), "workers")); /* an integer, asked for as text */
    AUTO_BUF shown = { 0 };
    config_show(config, &shown);
    assert_null(strstr(buf_text(&shown), "db.example"));
}

RUN(T(an_endpoint_without_a_validator_is_refused), T(the_ca_of_an_endpoint_must_exist),
    T(the_cas_of_the_management_service_must_exist), T(endpoint_paths_are_unique_without_regard_to_case),
    T(only_the_default_endpoint_has_the_standard_paths), T(endpoint_paths_are_plain_url_paths),
    T(folders_are_absolute), T(socket_paths_fit_into_an_address), T(addresses_have_a_port),
    T(addresses_are_numbers), T(trusted_proxies_are_addresses_and_networks),
    T(urls_in_certificates_are_absolute_http),
    T(with_partitions_each_cdp_url_has_their_mark_and_without_them_none),
    T(partitions_and_deltas_exclude_each_other), T(no_ca_has_the_name_of_anothers_partition),
    T(allowed_purposes_have_a_shape), T(site_and_ra_set_are_names),
    T(a_file_that_others_can_write_is_refused_in_system_mode), T(paths_follow_the_folders),
    T(a_role_keeps_only_its_own_slice), T(options_of_another_role_are_gone_and_asking_for_them_is_our_bug))
