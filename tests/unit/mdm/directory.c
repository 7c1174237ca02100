/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/mdm/directory.h"

#include "mdm/schema.h"

struct directory directory;
struct place directory_place;

int directory_begin(void **state)
{
    (void)state;
    struct why why = { 0 };
    struct store_config config = place_config(&directory_place, mdm_migrations, mdm_migration_count);
    directory = (struct directory){ .clock = clock_held_at(NOW), .caller = { "admin/anna", ADMIN_ALL } };
    directory.mdm.clock = &directory.clock;
    ASSERT_OK(store_open(&config, &directory.mdm.store, &why), &why);
    return 0;
}

static void forget(void)
{
    json_decref(directory.answer);
    directory.answer = NULL;
    free(directory.headers);
    directory.headers = NULL;
}

int directory_end(void **state)
{
    (void)state;
    forget();
    store_free(directory.mdm.store);
    return 0;
}

int answered_with(struct api_answer *answer)
{
    json_error_t error;
    forget();
    directory.status = answer->status;
    if (answer->body.len) {
        directory.answer =
            json_loadb((const char *)answer->body.data, answer->body.len, JSON_REJECT_DUPLICATES, &error);
        if (!directory.answer)
            fail_msg("an answer that is no JSON: %s", error.text);
    }
    directory.headers = answer->headers ? xstrdup(answer->headers) : NULL;
    assert_int_equal(answer->body.len > 0, answer->content_type != NULL);
    api_answer_free(answer);
    return directory.status;
}

int ask_with(const struct api_request *request)
{
    struct api_answer answer = { 0 };
    api_serve(&directory.mdm, request, &answer);
    return answered_with(&answer);
}

int ask(enum http_method method, const char *target, const char *body)
{
    const struct api_request request = { .method = method,
                                         .target = bytes_str(target),
                                         .content_type = body ? BYTES_LIT("application/json") : BYTES_NONE,
                                         .body = bytes_str(body),
                                         .caller = &directory.caller };
    return ask_with(&request);
}

const char *answered(const char *member)
{
    const char *text = json_string_value(json_object_get(directory.answer, member));
    return text ? text : "";
}

const char *detail(void)
{
    return answered("detail");
}

const char *made(const char *target, const char *body)
{
    static char ids[4][64];
    static unsigned at;
    char *id = ids[at++ % 4];
    ASSERT_STATUS(201, ask(HTTP_POST, target, body));
    snprintf(id, sizeof(ids[0]), "%s", answered("id"));
    return id;
}

struct counting {
    const char *sql;
    int64_t value;
};

static enum err count_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct counting *counting = arg;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, counting->sql, S_NO_ARGS, &rows, why));
    counting->value = store_int(rows, 0, 0);
    return OK;
}

int64_t counted(const char *sql)
{
    struct counting counting = { .sql = sql };
    struct why why = { 0 };
    ASSERT_OK(store_read(directory.mdm.store, count_work, &counting, &why), &why);
    return counting.value;
}
