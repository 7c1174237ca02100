/* SPDX-License-Identifier: Apache-2.0 */
/* Making, moving and removing what is outside the role's own folder. */
#include "tests/double/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its own for each role: the three doubles work at the same time. */
static const char *fresh(const struct scene *scene, const char *name)
{
    return scene_path("%s/%s.%s", scene->out, scene->role->name, name);
}

static bool creates(const char *path)
{
    return scene_opens(path, O_WRONLY | O_CREAT | O_EXCL);
}

static bool create_in_other(const struct scene *scene)
{
    return creates(scene_path("%s/%s/by-%s", scene->state, scene->others[scene->nth], scene->role->name));
}

static bool create_in_tmp(const struct scene *scene)
{
    return creates(fresh(scene, "made"));
}

static bool create_in_etc(const struct scene *scene)
{
    return creates(scene_path("%s/by-%s", scene->etc, scene->role->name));
}

static bool create_in_secrets(const struct scene *scene)
{
    return creates(scene_path("%s/secrets/%s/made", scene->etc, scene->role->name));
}

static bool create_in_run(const struct scene *scene)
{
    return creates(scene_path("%s/by-%s", scene->run, scene->role->name));
}

static bool create_in_own_state(const struct scene *scene)
{
    return creates(scene_path("%s/%s/made", scene->state, scene->role->name));
}

static bool unnamed_in_tmp(const struct scene *scene)
{
    return scene_opens(scene->out, O_RDWR | O_TMPFILE);
}

static bool folder_in_tmp(const struct scene *scene)
{
    return mkdir(fresh(scene, "folder"), 0700) == 0;
}

static bool fifo_in_tmp(const struct scene *scene)
{
    return mkfifo(fresh(scene, "fifo"), 0600) == 0;
}

static bool device_in_tmp(const struct scene *scene)
{
    return mknod(fresh(scene, "device"), S_IFCHR | 0600, 0x103) == 0;
}

static bool symlink_in_tmp(const struct scene *scene)
{
    return symlink("/etc/passwd", fresh(scene, "symlink")) == 0;
}

static bool symlink_in_own(const struct scene *scene)
{
    return symlink("/etc/passwd", scene_path("%s/%s/symlink", scene->state, scene->role->name)) == 0;
}

static bool hard_link_out(const struct scene *scene)
{
    return link(scene_path("%s/secrets/%s/unlock", scene->etc, scene->role->name), fresh(scene, "link")) == 0;
}

static bool hard_link_in(const struct scene *scene)
{
    return link(scene_path("%s/%s/decoy", scene->state, scene->others[0]),
                scene_path("%s/%s/link", scene->state, scene->role->name)) == 0;
}

/* bats laid out decoy.ROLE for each role that may come. */
static bool rename_other(const struct scene *scene)
{
    const char *from = scene_path("%s/%s/decoy.%s", scene->state, scene->others[0], scene->role->name);
    return rename(from, scene_path("%s.moved", from)) == 0;
}

static bool rename_out(const struct scene *scene)
{
    return rename(scene_path("%s/%s/decoy.own", scene->state, scene->role->name), fresh(scene, "moved")) == 0;
}

static bool rename_in(const struct scene *scene)
{
    return rename(scene_path("%s/%s/decoy.%s", scene->state, scene->others[1], scene->role->name),
                  scene_path("%s/%s/moved", scene->state, scene->role->name)) == 0;
}

static bool exchange(const struct scene *scene)
{
    return renameat2(AT_FDCWD, scene_path("%s/%s/decoy.left", scene->state, scene->others[0]), AT_FDCWD,
                     scene_path("%s/%s/decoy.right", scene->state, scene->others[0]), RENAME_EXCHANGE) == 0;
}

static bool unlink_other(const struct scene *scene)
{
    return unlink(scene_path("%s/%s/decoy.unlink-%s", scene->state, scene->others[0], scene->role->name)) ==
           0;
}

static bool rmdir_outside(const struct scene *scene)
{
    return rmdir(scene_path("%s/folder-%s", scene->out, scene->role->name)) == 0;
}

static bool list_state(const struct scene *scene)
{
    return scene_opens(scene->state, O_RDONLY | O_DIRECTORY);
}

static bool list_other(const struct scene *scene)
{
    return scene_opens(scene_path("%s/%s", scene->state, scene->others[scene->nth]), O_RDONLY | O_DIRECTORY);
}

static bool list_root(const struct scene *scene)
{
    (void)scene;
    return scene_opens("/", O_RDONLY | O_DIRECTORY);
}

static bool enter_folder(const struct scene *scene)
{
    return chdir(scene->state) == 0;
}

/* A program that somebody else would run as the role. */
static bool set_id_file(const struct scene *scene)
{
    int fd = open(scene_path("%s/%s/program", scene->state, scene->role->name), O_WRONLY | O_CREAT, 04755);
    return fd >= 0;
}

static bool set_id_change(const struct scene *scene)
{
    int fd = open(scene_path("%s/%s/decoy", scene->state, scene->role->name), O_RDONLY);
    return fd >= 0 && fchmod(fd, 04755) == 0;
}

static const struct try_row rows[] = {
    { "make a file in another role's folder", create_in_other, .plain = true, .times = SCENE_OTHERS },
    { "make a file outside", create_in_tmp, .plain = true },
    { "make a file beside the configuration", create_in_etc, .plain = true },
    { "make a file among its secrets", create_in_secrets, .plain = true },
    { "make a file among the sockets", create_in_run, .plain = true },
    { "make a file in its own folder", create_in_own_state, .roles = "signer scep va", .plain = true },
    { "make a file without a name", unnamed_in_tmp, .expected = FORBIDDEN },
    { "make a folder outside", folder_in_tmp, .plain = true },
    { "make a FIFO", fifo_in_tmp, .plain = true },
    { "make a device", device_in_tmp, .expected = FORBIDDEN },
    { "make a symbolic link outside", symlink_in_tmp, .plain = true },
    { "make a symbolic link in its own folder", symlink_in_own, .plain = true },
    { "link its secret out", hard_link_out, .plain = true },
    { "link another role's file in", hard_link_in, .plain = true },
    { "rename another role's file", rename_other, .plain = true },
    { "rename its own file out", rename_out, .plain = true },
    { "rename another role's file in", rename_in, .plain = true },
    { "exchange another role's files", exchange, .plain = true },
    { "remove another role's file", unlink_other, .plain = true },
    { "remove a folder outside", rmdir_outside, .plain = true },
    { "list the state folder", list_state, .plain = true },
    { "list another role's folder", list_other, .plain = true, .times = SCENE_OTHERS },
    { "list the root folder", list_root, .plain = true },
    { "change its working folder", enter_folder, .plain = true },
    { "make a set-user-id file", set_id_file, .plain = true },
    { "make its file set-user-id", set_id_change, .plain = true },
};
const struct try_table tries_folders = { rows, sizeof(rows) / sizeof(*rows) };
