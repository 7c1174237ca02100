/* SPDX-License-Identifier: Apache-2.0 */
/* A database is recognised by its name, and an empty one in its place is refused. */
#include "base/file.h"
#include "ca/schema.h"
#include "tests/unit/ca/fixture.h"
#include <unistd.h>

static struct world *world, *other;
static char path[128];

static int begin(void **state)
{
    (void)state;
    world = world_new(KEY_EC_P256);
    other = world_new(KEY_EC_P256);
    snprintf(path, sizeof(path), "%s/database", world->folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_free(world);
    world_free(other);
    return 0;
}

static enum err check(struct world *of, struct why *why)
{
    return store_identity_check(of->store, &ca_store_identity, &of->clock, path, why);
}

static char *named(void)
{
    AUTO_BUF text = { 0 };
    struct why why = { 0 };
    ASSERT_OK(file_read(path, 256, &text, &why), &why);
    return xstrdup(buf_text(&text));
}

TEST(the_first_start_takes_a_database_into_use_and_later_ones_know_it)
{
    struct why why = { 0 };
    ASSERT_OK(check(world, &why), &why);
    AUTO_STR first = named();
    assert_int_equal(33, strlen(first));
    ASSERT_OK(check(world, &why), &why);
    world_reopen(world);
    ASSERT_OK(check(world, &why), &why);
    AUTO_STR later = named();
    assert_string_equal(first, later);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM ca_setting WHERE name = 'store'"));
}

TEST(a_store_that_is_not_the_one_before_is_refused)
{
    struct why why = { 0 };
    ASSERT_OK(check(world, &why), &why);
    AUTO_STR before = named();
    ASSERT_ERR(ERR_STORE, check(other, &why), &why); /* empty */
    assert_non_null(strstr(why.text, "a new one without a name"));
    assert_non_null(strstr(why.text, path));
    assert_int_equal(0, world_count(other, "SELECT COUNT(*) FROM ca_setting WHERE name = 'store'"));
    world_exec(other, "INSERT INTO ca_setting VALUES ('', 'store', 'another', 1)");
    ASSERT_ERR(ERR_STORE, check(other, &why), &why);
    assert_non_null(strstr(why.text, "the store another"));
    AUTO_STR after = named();
    assert_string_equal(before, after);
}

TEST(another_node_takes_the_name_that_the_database_has)
{
    struct why why = { 0 };
    ASSERT_OK(check(world, &why), &why);
    AUTO_STR first = named();
    assert_int_equal(0, unlink(path));
    ASSERT_OK(check(world, &why), &why);
    AUTO_STR second = named();
    assert_string_equal(first, second);
}

#define W(name) cmocka_unit_test_setup_teardown(name, begin, end)
RUN(W(the_first_start_takes_a_database_into_use_and_later_ones_know_it),
    W(a_store_that_is_not_the_one_before_is_refused), W(another_node_takes_the_name_that_the_database_has))
