/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/mdm_world.h"

#include "base/log.h"
#include "base/tally.h"
#include "mdm/device_ca.h"
#include "mdm/schema.h"
#include "mdm/sign_in.h"
#include "mdm/uuid.h"
#include <dirent.h>
#include <unistd.h>

#define ROUNDS 10000

static struct mdm mdm;
static char folder[32];
static unsigned rounds;

static void world_end(void)
{
    store_free(TAKE(mdm.store));
    device_ca_free(TAKE(mdm.device_ca));
    tally_free(TAKE(mdm.refused_tokens));
    sign_in_free(TAKE(mdm.sign_in));
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

static void world_begin(void)
{
    struct why why = { 0 };
    char id[UUID_TEXT];
    if (!*folder) { /* libcrypto has to be there first, so that it goes last: the store's thread has random numbers of it */
        PROMISE(uuid_make(id, &why) == OK);
        atexit(world_end);
    }
    world_end();
    log_level_set(LOG_LEVEL_ERROR + 1);
    snprintf(folder, sizeof(folder), "/tmp/fuzz-mdm-XXXXXX");
    PROMISE(mkdtemp(folder));
    AUTO_STR path = xasprintf("%s/store.db", folder);
    const struct store_config config = { .kind = STORE_SQLITE,
                                         .path = path,
                                         .migrations = mdm_migrations,
                                         .migration_count = mdm_migration_count };
    mdm.clock = &clock_system;
    PROMISE(store_open(&config, &mdm.store, &why) == OK);
    PROMISE(sign_in_new(&(struct session_times){ 1800, 43200 }, &mdm.sign_in, &why) == OK);
    rounds = 0;
}

struct mdm *mdm_world(void (*made)(struct mdm *mdm, const char *folder))
{
    if (!mdm.store || rounds++ >= ROUNDS) {
        world_begin();
        if (made)
            made(&mdm, folder);
    }
    return &mdm;
}

struct bytes mdm_world_take(struct bytes *rest, char mark)
{
    const uint8_t *at = rest->len ? memchr(rest->data, mark, rest->len) : NULL;
    size_t len = at ? (size_t)(at - rest->data) : rest->len;
    struct bytes taken = bytes_of(rest->data, len);
    len += at != NULL;
    *rest = bytes_of(rest->data + len, rest->len - len);
    return taken;
}
