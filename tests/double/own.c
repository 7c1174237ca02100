/* SPDX-License-Identifier: Apache-2.0 */
/* What the role must still be able to do, and the supervisor must not do for it. */
#include "tests/double/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASK_MS 5000

static bool own_state_read(const struct scene *scene)
{
    return scene_opens(scene_path("%s/%s/decoy", scene->state, scene->role->name), O_RDONLY);
}

static bool own_folder_list(const struct scene *scene)
{
    return scene_opens(scene_path("%s/%s", scene->state, scene->role->name), O_RDONLY | O_DIRECTORY);
}

static bool own_secret_read(const struct scene *scene)
{
    return scene_opens(scene_path("%s/secrets/%s/unlock", scene->etc, scene->role->name), O_RDONLY);
}

static bool replaces(const char *file)
{
    const char *next = scene_path("%s.new", file);
    return scene_opens(next, O_WRONLY | O_CREAT | O_TRUNC) && rename(next, file) == 0 && unlink(file) == 0;
}

static bool own_file_replace(const struct scene *scene)
{
    return replaces(scene_path("%s/%s/kept", scene->state, scene->role->name));
}

static bool own_key_replace(const struct scene *scene)
{
    return replaces(scene_path("%s/%s/keys/kept", scene->state, scene->role->name));
}

static bool own_log_write(const struct scene *scene)
{
    return scene_opens(scene_path("%s/%s/double.log", scene->logs, scene->role->name),
                       O_WRONLY | O_APPEND | O_CREAT);
}

static bool own_log_read(const struct scene *scene)
{
    return scene_opens(scene_path("%s/%s/access.log", scene->logs, scene->role->name), O_RDONLY);
}

static bool accepts(const struct scene *scene)
{
    int fd = role_descriptor(scene->role, ROLE_LISTEN, NULL);
    int got = fd < 0 ? -1 : accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    return got >= 0 || errno == EAGAIN;
}

static void *nothing(void *arg)
{
    return arg;
}

static bool threads(const struct scene *scene)
{
    (void)scene;
    pthread_t thread;
    return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

static bool memory(const struct scene *scene)
{
    (void)scene;
    void *got = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t bytes[16];
    return got != MAP_FAILED && getrandom(bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes);
}

static bool asks(const struct scene *scene, char want)
{
    struct why why = { 0 };
    int fd = -1;
    bool got = broker_ask(scene->role->broker, (enum broker_want)want, ASK_MS, &fd, &why) == OK;
    errno = got ? 0 : EPERM;
    return got && fd >= 0;
}

static bool ask_config(const struct scene *scene)
{
    return asks(scene, BROKER_CONFIG);
}

/* What is handed over is for reading. */
static bool ask_config_and_write(const struct scene *scene)
{
    struct why why = { 0 };
    int fd = -1;
    return broker_ask(scene->role->broker, BROKER_CONFIG, ASK_MS, &fd, &why) == OK && write(fd, "#", 1) == 1;
}

static bool ask_server(const struct scene *scene)
{
    return asks(scene, BROKER_SERVER);
}

static bool ask_anything(const struct scene *scene)
{
    for (int want = 0; want < 256; want++) {
        if (want != BROKER_CONFIG && want != BROKER_SERVER && asks(scene, (char)want))
            return true;
    }
    return false;
}

static const struct try_row rows[] = {
    { "read its own state", own_state_read, .expected = ALLOWED, .roles = "ca scep va mdm" },
    { "read its own state", own_state_read, .expected = FORBIDDEN, .roles = "signer", .plain = true },
    { "list its own folder", own_folder_list, .expected = ALLOWED, .roles = "ca scep va mdm" },
    { "list its own folder", own_folder_list, .expected = FORBIDDEN, .roles = "signer", .plain = true },
    { "read its own secret", own_secret_read, .expected = ALLOWED, .roles = "ca" },
    { "read its own secret", own_secret_read, .expected = FORBIDDEN, .roles = "signer scep va mdm",
      .plain = true },
    { "replace its own file", own_file_replace, .expected = ALLOWED, .roles = "ca mdm" },
    { "replace its own file", own_file_replace, .expected = FORBIDDEN, .roles = "va", .plain = true },
    { "replace its own key", own_key_replace, .expected = ALLOWED, .roles = "ca scep va mdm" },
    { "write its log", own_log_write, .expected = ALLOWED, .roles = "ca scep va mdm" },
    { "read its log", own_log_read, .expected = FORBIDDEN, .roles = "scep va mdm" },
    { "accept a connection", accepts, .expected = ALLOWED, .roles = "ca scep va mdm" },
    { "make threads", threads, .expected = ALLOWED },
    { "have memory and random numbers", memory, .expected = ALLOWED },
    { "ask for the configuration", ask_config, .expected = ALLOWED },
    { "ask for the configuration and write it", ask_config_and_write, .expected = FORBIDDEN },
    { "ask for a connection", ask_server, .expected = ALLOWED, .roles = "scep va mdm" },
    { "ask for a connection", ask_server, .expected = FORBIDDEN, .roles = "signer ca" },
    { "ask for anything else", ask_anything, .expected = FORBIDDEN },
};
const struct try_table tries_own = { rows, sizeof(rows) / sizeof(*rows) };
