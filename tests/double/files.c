/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are not the role's: reading and writing what is there. */
#include "tests/double/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *decoy(const struct scene *scene, unsigned other)
{
    return scene_path("%s/%s/decoy", scene->state, scene->others[other]);
}

static bool shadow_read(const struct scene *scene)
{
    (void)scene;
    return scene_opens("/etc/shadow", O_RDONLY);
}

static bool passwd_read(const struct scene *scene)
{
    (void)scene;
    return scene_opens("/etc/passwd", O_RDONLY);
}

static void *passwd_open(void *arg)
{
    bool *done = arg;
    *done = scene_opens("/etc/passwd", O_RDONLY);
    return NULL;
}

static bool passwd_read_by_thread(const struct scene *scene)
{
    (void)scene;
    bool done = false;
    pthread_t thread;
    if (pthread_create(&thread, NULL, passwd_open, &done) != 0)
        return false;
    pthread_join(thread, NULL);
    return done;
}

static bool passwd_read_relative(const struct scene *scene)
{
    (void)scene;
    int root = open("/", O_PATH | O_DIRECTORY);
    return root >= 0 && openat(root, "etc/passwd", O_RDONLY) >= 0;
}

static bool config_read(const struct scene *scene)
{
    return scene_opens(scene->config, O_RDONLY);
}

static bool config_write(const struct scene *scene)
{
    return scene_opens(scene->config, O_WRONLY | O_APPEND);
}

static bool other_state_read(const struct scene *scene)
{
    return scene_opens(decoy(scene, scene->nth), O_RDONLY);
}

static bool other_state_write(const struct scene *scene)
{
    return scene_opens(decoy(scene, scene->nth), O_WRONLY);
}

static bool other_state_read_write(const struct scene *scene)
{
    return scene_opens(decoy(scene, scene->nth), O_RDWR);
}

static bool other_secret_read(const struct scene *scene)
{
    return scene_opens(scene_path("%s/secrets/%s/unlock", scene->etc, scene->others[scene->nth]), O_RDONLY);
}

static bool other_truncate(const struct scene *scene)
{
    return truncate(decoy(scene, 0), 0) == 0;
}

static bool other_truncate_by_open(const struct scene *scene)
{
    return scene_opens(decoy(scene, 0), O_RDONLY | O_TRUNC);
}

static bool other_truncate_for_writing(const struct scene *scene)
{
    return scene_opens(decoy(scene, 0), O_WRONLY | O_TRUNC);
}

static bool other_chmod(const struct scene *scene)
{
    return chmod(decoy(scene, 0), 0666) == 0;
}

static bool other_chown(const struct scene *scene)
{
    return chown(decoy(scene, 0), geteuid(), (gid_t)-1) == 0;
}

static bool other_touch(const struct scene *scene)
{
    return utimensat(AT_FDCWD, decoy(scene, 0), NULL, 0) == 0;
}

static bool other_attribute(const struct scene *scene)
{
    return setxattr(decoy(scene, 0), "user.chancery", "x", 1, 0) == 0;
}

static bool other_watch(const struct scene *scene)
{
    int watch = inotify_init1(IN_CLOEXEC);
    return watch >= 0 && inotify_add_watch(watch, scene->state, IN_ALL_EVENTS) >= 0;
}

static bool handle_make(const struct scene *scene)
{
    (void)scene;
    struct {
        struct file_handle head;
        char room[MAX_HANDLE_SZ];
    } handle = { .head.handle_bytes = MAX_HANDLE_SZ };
    int mount;
    return name_to_handle_at(AT_FDCWD, "/etc/passwd", &handle.head, &mount, 0) == 0;
}

static bool handle_open(const struct scene *scene)
{
    (void)scene;
    struct {
        struct file_handle head;
        char room[MAX_HANDLE_SZ];
    } handle = { .head.handle_bytes = 8, .head.handle_type = 1 };
    return open_by_handle_at(AT_FDCWD, &handle.head, O_RDONLY) >= 0;
}

static bool openat2_passwd(const struct scene *scene)
{
    (void)scene;
    const uint64_t how[3] = { O_RDONLY, 0, 0 };
    return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof(how)) >= 0;
}

static bool proc_other_open(const struct scene *scene, const char *name, int flags)
{
    return scene_opens(scene_path("/proc/%d/%s", (int)scene->pids[scene->nth], name), flags);
}

static bool other_memory(const struct scene *scene)
{
    return proc_other_open(scene, "mem", O_RDONLY);
}

static bool other_environment(const struct scene *scene)
{
    return proc_other_open(scene, "environ", O_RDONLY);
}

static bool other_maps(const struct scene *scene)
{
    return proc_other_open(scene, "maps", O_RDONLY);
}

static bool other_descriptors(const struct scene *scene)
{
    return proc_other_open(scene, "fd", O_RDONLY | O_DIRECTORY);
}

static bool other_command_line(const struct scene *scene)
{
    return proc_other_open(scene, "cmdline", O_RDONLY);
}

static bool bystander_environment(const struct scene *scene)
{
    return scene_opens(scene_path("/proc/%d/environ", (int)scene->bystander), O_RDONLY);
}

static bool bystander_memory(const struct scene *scene)
{
    return scene_opens(scene_path("/proc/%d/mem", (int)scene->bystander), O_RDONLY);
}

static bool own_memory_write(const struct scene *scene)
{
    (void)scene;
    return scene_opens("/proc/self/mem", O_RDWR);
}

static bool kernel_settings(const struct scene *scene)
{
    (void)scene;
    return scene_opens("/proc/sys/kernel/hostname", O_RDONLY);
}

static bool devices(const struct scene *scene)
{
    (void)scene;
    return scene_opens("/dev/ptmx", O_RDWR | O_NOCTTY);
}

static bool processes_list(const struct scene *scene)
{
    (void)scene;
    return scene_opens("/proc", O_RDONLY | O_DIRECTORY);
}

static const struct try_row rows[] = {
    { "read /etc/shadow", shadow_read, .expected = FORBIDDEN },
    { "read /etc/passwd", passwd_read, .plain = true },
    { "read /etc/passwd in a thread", passwd_read_by_thread, .plain = true },
    { "read /etc/passwd from a folder", passwd_read_relative, .plain = true },
    { "read /etc/passwd by openat2", openat2_passwd, .plain = true },
    { "read the configuration", config_read, .plain = true },
    { "write the configuration", config_write, .plain = true },
    { "read another role's state", other_state_read, .plain = true, .times = SCENE_OTHERS },
    { "write another role's state", other_state_write, .plain = true, .times = SCENE_OTHERS },
    { "read and write another role's state", other_state_read_write, .plain = true, .times = SCENE_OTHERS },
    { "read another role's secret", other_secret_read, .plain = true, .times = SCENE_OTHERS },
    { "truncate another role's file", other_truncate, .plain = true },
    { "truncate another role's file by open for reading", other_truncate_by_open, .plain = true },
    { "truncate another role's file by open for writing", other_truncate_for_writing, .plain = true },
    { "chmod another role's file", other_chmod, .plain = true },
    { "chown another role's file", other_chown, .plain = true },
    { "touch another role's file", other_touch, .plain = true },
    { "set an attribute of another role's file", other_attribute, .expected = FORBIDDEN },
    { "watch the roles' folders", other_watch, .plain = true },
    { "name_to_handle_at", handle_make, .expected = FORBIDDEN },
    { "open_by_handle_at", handle_open, .expected = FORBIDDEN },
    { "read another role's memory", other_memory, .times = SCENE_OTHERS },
    { "read another role's environment", other_environment, .times = SCENE_OTHERS },
    { "read another role's maps", other_maps, .times = SCENE_OTHERS },
    { "list another role's descriptors", other_descriptors, .times = SCENE_OTHERS },
    { "read another role's command line", other_command_line, .plain = true, .times = SCENE_OTHERS },
    { "read a bystander's environment", bystander_environment, .plain = true },
    { "read a bystander's memory", bystander_memory, .plain = true },
    { "write its own code by /proc/self/mem", own_memory_write, .expected = FORBIDDEN },
    { "read kernel settings", kernel_settings, .plain = true },
    { "open a device", devices, .plain = true },
    { "list processes", processes_list, .plain = true },
};
const struct try_table tries_files = { rows, sizeof(rows) / sizeof(*rows) };
