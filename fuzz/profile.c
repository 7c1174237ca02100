/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles as administrators and programs send them: what is taken is written again as the same, and what may be saved makes, on a
   device that has every value, a request that a certificate can be made for, or says why not. */
#include "fuzz/target.h"

#include "mdm/preview.h"
#include "mdm/profile_check.h"
#include "mdm/profile_json.h"
#include "x509/cert.h"
#include "x509/name.h"
#include "x509/san.h"

static void judge_problems(const struct problems *problems)
{
    struct why why = { 0 };
    size_t errors = 0;
    for (size_t i = 0; i < problems->count; i++) {
        AUTO_BUF text = { 0 };
        problem_append(&text, &problems->list[i]);
        PROMISE(utf8_is_valid(buf_bytes(&text)) && !memchr(text.data, '\n', text.len));
        errors += !problems->list[i].warning;
    }
    PROMISE(errors == problems->errors || problems->cut);
    PROMISE((problems_judge(problems, &why) == OK) == (problems->errors == 0));
}

static void write_again(const struct profile *profile)
{
    AUTO_VAL(profile) twin = { 0 };
    AUTO_VAL(problems) problems = { 0 };
    AUTO_BUF once = { 0 }, twice = { 0 };
    profile_json_append(&once, profile);
    profile_json_take(buf_bytes(&once), &twin, &problems);
    profile_json_append(&twice, &twin);
    PROMISE(problems.errors == 0 && bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
}

static void preview(const struct profile *profile)
{
    static const struct user user = { .id = "u",
                                      .upn = "anna@example.test",
                                      .email = "a@example.test",
                                      .enabled = true,
                                      .distinguished_name = "CN=Doe\\, Anna,DC=example",
                                      .sam_name = "CORP\\anna" };
    struct device device = { .id = "d",
                             .directory_id = "33333333-3333-4333-8333-333333333333",
                             .serial = "S-1",
                             .imei = "490154203237518",
                             .meid = "A0000012345678",
                             .wifi_mac = "00163e123456",
                             .name = "x,CN=admin",
                             .fqdn = "laptop.example.test",
                             .domain_joined = true,
                             .platform = profile->platform };
    struct holder holder = { &user, &device };
    AUTO_VAL(preview) preview = { 0 };
    struct why why = { 0 };
    enum err err = preview_make(profile, &holder, &preview, &why);
    PROMISE(preview.text.len && preview.err == err);
    PROMISE(err == OK ||
            err == ERR_PROFILE_DEVICE); /* every value is there, and the profile itself was judged */
    if (err != OK || !preview.expects.subject.len)
        return;
    PROMISE(name_check(preview.expects.subject, &why) == OK &&
            subject_lint(preview.expects.subject, &why) == OK);
    PROMISE(!preview.expects.san.len || san_check(preview.expects.san, &why) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(problems) problems = { 0 };
    profile_json_take(bytes_of(data, len), &profile, &problems);
    profile_check(&profile, NULL, &problems);
    judge_problems(&problems);
    if (problems.errors)
        return 0;
    write_again(&profile);
    preview(&profile);
    return 0;
}
