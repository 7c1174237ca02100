/* SPDX-License-Identifier: Apache-2.0 */
/* Paths to endpoints: every spelling that must work, and its neighbours that must not. */
#include "scep/route.h"
#include "tests/unit/scep/support.h"
#include "tests/unit/test.h"

static enum route_kind kind_of(const char *path)
{
    struct endpoint_set *set = scep_endpoints(site_get()->scep);
    struct route route = route_find(set, bytes_str(path));
    endpoint_set_unref(set);
    assert_int_equal(route.endpoint != NULL, route.kind == ROUTE_ENDPOINT);
    return route.kind;
}

TEST(the_default_endpoint_answers_every_standard_path_in_any_case_and_with_a_final_slash)
{
    site_new(&(struct site_options){ 0 });
    static const char *const paths[] = { "/certsrv/mscep/mscep.dll",
                                         "/certsrv/mscep/mscep.dll/pkiclient.exe",
                                         "/certsrv/mscep",
                                         "/cgi-bin/pkiclient.exe",
                                         "/scep",
                                         "/scep/pkiclient.exe",
                                         "/CertSrv/MSCEP/mscep.dll",
                                         "/CERTSRV/MSCEP/MSCEP.DLL/PKICLIENT.EXE",
                                         "/certsrv/mscep/",
                                         "/scep/",
                                         "/scep/pkiclient.exe/",
                                         "/certsrv/mscep/mscep%2Edll",
                                         "/%73cep" };
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        assert_int_equal(kind_of(paths[i]), ROUTE_ENDPOINT);
}

TEST(other_paths_are_unknown)
{
    site_new(&(struct site_options){ 0 });
    static const char *const paths[] = { "",
                                         "/",
                                         "//",
                                         "scep",
                                         "/scep//",
                                         "/scepx",
                                         "/sce",
                                         "/scep/pkiclient.exe/x",
                                         "/cgi-bin",
                                         "/cgi-bin/",
                                         "/certsrv/mscep/msecp.dll",
                                         "/certsrv",
                                         "/scep%00",
                                         "/scep%",
                                         "/scep%2",
                                         "/scep%0a",
                                         "/scep/../scep",
                                         "/scep/default",
                                         "/certsrv/mscep/pkiclient.exe",
                                         "/scep\x7F",
                                         "/scep?" };
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        assert_int_equal(kind_of(paths[i]), ROUTE_NONE);
}

TEST(the_administration_page_is_known_by_its_path)
{
    site_new(&(struct site_options){ 0 });
    assert_int_equal(kind_of("/certsrv/mscep_admin/"), ROUTE_ADMIN);
    assert_int_equal(kind_of("/CertSrv/mscep_admin"), ROUTE_ADMIN);
    assert_int_equal(kind_of("/certsrv/mscep_admin/x"), ROUTE_NONE);
}

TEST(paths_are_normalised_once)
{
    AUTO_STR root = route_normalise(BYTES_LIT("/"));
    assert_string_equal(root, "/");
    AUTO_STR twice = route_normalise(BYTES_LIT("/a%2541/"));
    assert_string_equal(twice, "/a%41");
    assert_null(route_normalise(BYTES_NONE));
}

static struct endpoint make(const char *name, const char *const *paths, size_t count, enum err expected)
{
    struct site *site = site_get();
    struct endpoint endpoint = { 0 };
    struct why why = { 0 };
    struct endpoint_params params = { .name = name,
                                      .validator = "static",
                                      .ca = "issuing",
                                      .paths = paths,
                                      .path_count = count,
                                      .ra = site->endpoint->ra,
                                      .issuer = buf_bytes(&site->ca.der),
                                      .root = buf_bytes(&site->root.der) };
    ASSERT_ERR(expected, endpoint_make(&params, &endpoint, &why), &why);
    return endpoint;
}

TEST(another_endpoint_answers_its_name_and_its_own_paths_in_both_shapes)
{
    site_new(&(struct site_options){ 0 });
    static const char *const own[] = { "/Tablets/" };
    struct endpoint *endpoints = xcalloc(1, sizeof(*endpoints));
    endpoints[0] = make("wifi", own, 1, OK);
    struct endpoint_set *set = endpoint_set_new(endpoints, 1, NULL, 0);
    static const char *const good[] = { "/scep/wifi",  "/scep/wifi/pkiclient.exe",
                                        "/tablets",    "/tablets/pkiclient.exe",
                                        "/SCEP/WiFi/", "/TABLETS/PKIClient.exe" };
    static const char *const bad[] = { "/scep", "/scep/pkiclient.exe", "/wifi", "/certsrv/mscep/mscep.dll" };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_ptr_equal(route_find(set, bytes_str(good[i])).endpoint, &endpoints[0]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_null(route_find(set, bytes_str(bad[i])).endpoint);
    endpoint_set_unref(set);
}

TEST(a_configured_path_that_is_none_is_refused)
{
    site_new(&(struct site_options){ 0 });
    static const char *const bad[] = { "tablets", "", "/a%", "/a\n" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        make("wifi", &bad[i], 1, ERR_CONFIG);
}

TEST(the_end)
{
    site_end();
}

RUN(T(the_default_endpoint_answers_every_standard_path_in_any_case_and_with_a_final_slash),
    T(other_paths_are_unknown), T(the_administration_page_is_known_by_its_path), T(paths_are_normalised_once),
    T(another_endpoint_answers_its_name_and_its_own_paths_in_both_shapes),
    T(a_configured_path_that_is_none_is_refused), T(the_end))
