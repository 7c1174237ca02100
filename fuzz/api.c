/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator's program sends to the administration API: "METHOD target", a line's end, the Content-Type, a line's end, the body. A
   store is behind it. Each request comes once from nobody and once from somebody who may do everything. */
#include "fuzz/target.h"

#include "base/log.h"
#include "mdm/api/route.h"
#include "mdm/schema.h"
#include <dirent.h>
#include <unistd.h>

#define ROUNDS 5000 /* then an empty directory: what requests leave behind must not add up for hours */

static struct mdm mdm;
static char folder[32];
static unsigned rounds;

static void world_end(void)
{
    store_free(TAKE(mdm.store));
    DIR *dir = *folder ? opendir(folder) : NULL;
    for (const struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        AUTO_STR path = xasprintf("%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(folder);
}

static void world_fresh(void)
{
    struct why why = { 0 };
    char id[UUID_TEXT];
    if (!*folder) { /* libcrypto has to be there first, so that it goes last: the store's thread has random numbers of it */
        PROMISE(uuid_make(id, &why) == OK);
        atexit(world_end);
    }
    if (mdm.store && rounds++ < ROUNDS)
        return;
    world_end();
    log_level_set(LOG_LEVEL_ERROR + 1);
    snprintf(folder, sizeof(folder), "/tmp/fuzz-api-XXXXXX");
    PROMISE(mkdtemp(folder));
    AUTO_STR path = xasprintf("%s/store.db", folder);
    const struct store_config config = { .kind = STORE_SQLITE,
                                         .path = path,
                                         .migrations = mdm_migrations,
                                         .migration_count = mdm_migration_count };
    mdm.clock = &clock_system;
    PROMISE(store_open(&config, &mdm.store, &why) == OK);
    rounds = 0;
}

static struct bytes take_until(struct bytes *rest, char mark)
{
    const uint8_t *at = rest->len ? memchr(rest->data, mark, rest->len) : NULL;
    size_t len = at ? (size_t)(at - rest->data) : rest->len;
    struct bytes taken = bytes_of(rest->data, len);
    len += at != NULL;
    *rest = bytes_of(rest->data + len, rest->len - len);
    return taken;
}

static int answer_of(const struct api_request *request)
{
    struct api_answer answer = { 0 };
    json_error_t error;
    api_serve(&mdm, request, &answer);
    json_t *json =
        json_loadb((const char *)answer.body.data, answer.body.len, JSON_REJECT_DUPLICATES, &error);
    int status = answer.status;
    bool said =
        json_string_value(json_object_get(json, "code")) && json_string_value(json_object_get(json, "title"));
    PROMISE((answer.content_type != NULL) == (answer.body.len > 0));
    PROMISE(!answer.content_type || json);
    PROMISE(status < 400 || said);
    json_decref(json);
    api_answer_free(&answer);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct api_caller somebody = { "admin/fuzz", ADMIN_ALL };
    struct bytes rest = bytes_of(data, len);
    struct bytes method = take_until(&rest, ' ');
    struct api_request request = { .target = take_until(&rest, '\n') };
    request.content_type = take_until(&rest, '\n');
    request.body = rest;
    if (!api_method_by_name(method, &request.method))
        return 0;
    world_fresh();
    int stranger = answer_of(&request);
    PROMISE(stranger == 401 || bytes_equal(request.target, BYTES_LIT("/api/v1/openapi.json")) ||
            (request.target.len > 20 && request.target.data[20] == '?'));
    request.caller = &somebody;
    int status = answer_of(&request);
    PROMISE(status != 401 && status != 403 && status < 500);
    return 0;
}
