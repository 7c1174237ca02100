/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of other CAs' files: served, replaced, and what is none left out. */
#include "tests/unit/va/fixture.h"

#include "base/auto.h"
#include "base/file.h"
#include "x509/crl.h"
#include <unistd.h>

static void lay(const struct scene *scene, const char *name, struct bytes data)
{
    AUTO_STR path = xasprintf("%s/published/%s", scene->dir, name);
    MUST(file_write(path, data, 0444, &must_));
}

static bool serves(struct scene *scene, const char *name, struct bytes data)
{
    AUTO(document) found = published_find(scene->va->published, name);
    return found && bytes_equal(document_body(found), data);
}

TEST(files_are_served_under_their_names_in_lower_case)
{
    struct scene scene;
    scene_begin(&scene);
    scene_crl(&scene, DOWNLOAD_CRL, 7, &scene.fake.ca);
    lay(&scene, "Root.crl", buf_bytes(&scene.fake.crl));
    lay(&scene, "root.CRT", buf_bytes(&scene.fake.ca.der));
    published_refresh(scene.va->published);
    assert_int_equal(published_count(scene.va->published), 2);
    assert_true(serves(&scene, "root.crl", buf_bytes(&scene.fake.crl)));
    assert_true(serves(&scene, "root.crt", buf_bytes(&scene.fake.ca.der)));
    assert_null(published_find(scene.va->published, "Root.crl"));
    assert_null(published_find(scene.va->published, "../published/root.crl"));
    scene_end(&scene);
}

struct seen {
    size_t count;
    int64_t crl, certificate;
};

static void see(void *arg, const struct published_file *file)
{
    struct seen *seen = arg;
    seen->count++;
    *(file->is_crl ? &seen->crl : &seen->certificate) = file->ends;
    assert_string_equal(file->name, file->is_crl ? "root.crl" : "root.crt");
}

TEST(each_file_is_listed_with_its_end)
{
    struct scene scene;
    struct seen seen = { 0 };
    struct crl crl;
    scene_begin(&scene);
    scene_crl(&scene, DOWNLOAD_CRL, 7, &scene.fake.ca);
    lay(&scene, "Root.crl", buf_bytes(&scene.fake.crl));
    lay(&scene, "root.CRT", buf_bytes(&scene.fake.ca.der));
    published_refresh(scene.va->published);
    published_each(scene.va->published, see, &seen);
    MUST(crl_parse(buf_bytes(&scene.fake.crl), &crl, &must_));
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.crl, crl.next_update);
    assert_int_equal(seen.certificate, scene.fake.ca.cert.not_after);
    scene_end(&scene);
}

TEST(what_is_no_certificate_and_no_crl_is_not_served)
{
    struct scene scene;
    scene_begin(&scene);
    lay(&scene, "a.crt", BYTES_LIT("-----BEGIN"));
    lay(&scene, "b.crl", buf_bytes(&scene.fake.ca.der));
    lay(&scene, "c.txt", BYTES_LIT("text"));
    lay(&scene, ".crl", BYTES_LIT("text"));
    published_refresh(scene.va->published);
    assert_int_equal(published_count(scene.va->published), 0);
    scene_end(&scene);
}

TEST(a_file_that_is_replaced_or_removed_is_seen)
{
    struct scene scene;
    scene_begin(&scene);
    scene_crl(&scene, DOWNLOAD_CRL, 7, &scene.fake.ca);
    lay(&scene, "root.crl", buf_bytes(&scene.fake.crl));
    published_refresh(scene.va->published);
    assert_true(serves(&scene, "root.crl", buf_bytes(&scene.fake.crl)));
    scene_crl(&scene, DOWNLOAD_CRL, 8, &scene.fake.ca);
    lay(&scene, "root.crl", buf_bytes(&scene.fake.crl));
    published_refresh(scene.va->published);
    assert_true(serves(&scene, "root.crl", buf_bytes(&scene.fake.crl)));
    AUTO_STR path = xasprintf("%s/published/root.crl", scene.dir);
    assert_int_equal(unlink(path), 0);
    published_refresh(scene.va->published);
    assert_int_equal(published_count(scene.va->published), 0);
    scene_end(&scene);
}

TEST(as_many_files_as_the_limit_are_served_and_not_one_more)
{
    struct scene scene;
    scene_begin(&scene);
    for (int i = 0; i < LIMIT_VA_FILES; i++) {
        AUTO_STR name = xasprintf("ca-%d.crt", i);
        lay(&scene, name, buf_bytes(&scene.fake.ca.der));
    }
    published_refresh(scene.va->published);
    assert_int_equal(published_count(scene.va->published), LIMIT_VA_FILES);
    lay(&scene, "one-more.crt", buf_bytes(&scene.fake.ca.der));
    published_refresh(scene.va->published);
    assert_int_equal(published_count(scene.va->published), LIMIT_VA_FILES);
    scene_end(&scene);
}

TEST(a_folder_that_is_not_there_serves_nothing)
{
    AUTO(published) published = published_new("/tmp/chancery-there-is-none");
    published_refresh(published);
    assert_int_equal(published_count(published), 0);
}

RUN(T(files_are_served_under_their_names_in_lower_case), T(each_file_is_listed_with_its_end),
    T(what_is_no_certificate_and_no_crl_is_not_served), T(a_file_that_is_replaced_or_removed_is_seen),
    T(as_many_files_as_the_limit_are_served_and_not_one_more), T(a_folder_that_is_not_there_serves_nothing))
