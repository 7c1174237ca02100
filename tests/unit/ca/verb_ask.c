/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/verb_ask.h"

#include "ca/verbs.h"

void record_of(struct buf *out, const char *const *fields)
{
    size_t mark = record_begin(out);
    for (size_t i = 0; fields[i]; i += 2)
        record_put_str(out, fields[i], fields[i + 1]);
    record_end(out, mark);
}

enum err ask_body(struct world *world, const char *verb, struct bytes body, struct buf *ret, struct why *why)
{
    struct ipc_caller caller = { "cli" };
    buf_free(ret);
    for (size_t i = 0; i < ca_verb_count; i++) {
        if (strcmp(ca_verbs[i].name, verb) == 0)
            return verb_call(&ca_verbs[i], world->ca, &caller, body, ret, why);
    }
    fail_msg("no verb %s", verb);
    return ERR_INTERNAL;
}

enum err ask_fields(struct world *world, const char *verb, const char *const *fields, struct buf *ret,
                    struct why *why)
{
    AUTO_BUF body = { 0 };
    record_of(&body, fields);
    return ask_body(world, verb, buf_bytes(&body), ret, why);
}

size_t answer_count(const struct buf *answer)
{
    struct der_reader list;
    struct record record;
    struct why why = { 0 };
    size_t count = 0;
    ASSERT_OK(records_get(buf_bytes(answer), &list, &why), &why);
    while (records_next(&list, &record))
        count++;
    return count;
}

void answer_assert(const struct buf *answer, const char *name, const char *expected)
{
    struct der_reader list;
    struct record record;
    struct why why = { 0 };
    ASSERT_OK(records_get(buf_bytes(answer), &list, &why), &why);
    assert_true(records_next(&list, &record));
    AUTO_STR text = record_str(&record, name);
    if (!text)
        fail_msg("no field %s", name);
    assert_string_equal(expected, text);
}
