/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, owners and files of a new site. */
#include "cli/site.h"

#include "base/encode.h"
#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_FOLDER_ROOM 80 /* run folder plus "/SERVER-CLIENT/socket" stays below 108 bytes */

/* mdm, which not every site has, is the last. */
static const char *const site_roles[] = { "signer", "ca", "scep", "va", "mdm" };
#define SITE_ROLES (sizeof(site_roles) / sizeof(*site_roles))

/* A folder whose name is too long for the sockets in it gets a short one that is its own for ever: named by
 * its inode. */
static enum err short_run_dir(const char *dir, char **ret, struct why *why)
{
    struct stat info;
    if (stat(dir, &info) != 0)
        return fail(why, ERR_IO, "cannot examine %s: %s", dir, strerror(errno));
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (!runtime || runtime[0] != '/' || strlen(runtime) > SOCKET_FOLDER_ROOM - 40)
        runtime = "/tmp";
    *ret = xasprintf("%s/chancery-%lx-%lx", runtime, (unsigned long)info.st_dev, (unsigned long)info.st_ino);
    return OK;
}

enum err site_paths_of(const char *dir, const char *root_dir, struct site_paths *ret, struct why *why)
{
    if (!dir) {
        *ret = (struct site_paths){ xstrdup("/etc/chancery"), xstrdup("/var/lib/chancery"),
                                    xstrdup("/var/log/chancery"), xstrdup("/run/chancery"),
                                    xstrdup(root_dir ? root_dir : "/var/lib/chancery/root") };
        return OK;
    }
    TRY(dir_make(dir, 0755, why));
    char absolute[PATH_MAX];
    if (!realpath(dir, absolute))
        return fail(why, ERR_IO, "cannot find %s: %s", dir, strerror(errno));
    if (strchr(absolute, '"') || strchr(absolute, '\\') || strchr(absolute, '$'))
        return fail(why, ERR_USAGE,
                    "the folder's name %s has a quote, backslash or dollar sign, which a configuration "
                    "cannot hold",
                    absolute);
    char *run = NULL;
    if (strlen(absolute) > SOCKET_FOLDER_ROOM)
        TRY(short_run_dir(absolute, &run, why));
    *ret = (struct site_paths){ xasprintf("%s/etc", absolute), xasprintf("%s/lib", absolute),
                                xasprintf("%s/log", absolute), run ? run : xasprintf("%s/run", absolute),
                                root_dir ? xstrdup(root_dir) : xasprintf("%s/root", absolute) };
    return OK;
}

void site_paths_free(struct site_paths *paths)
{
    free(paths->etc);
    free(paths->state);
    free(paths->log);
    free(paths->run);
    free(paths->root);
    *paths = (struct site_paths){ 0 };
}

static enum err give(const char *role, const char *path, struct why *why)
{
    char name[64];
    snprintf(name, sizeof(name), "chancery-%s", role);
    const struct passwd *user = getpwnam(name);
    if (!user)
        return fail(why, ERR_CONFIG,
                    "system mode needs the user %s, and it does not exist: run systemd-sysusers on "
                    "packaging/chancery.sysusers first",
                    name);
    if (lchown(path, user->pw_uid, user->pw_gid) != 0)
        return fail(why, ERR_IO, "cannot give %s to %s: %s", path, name, strerror(errno));
    return OK;
}

/* Root may administer a site that another user runs. */
static enum err give_as_folder(const char *path, struct why *why)
{
    struct stat folder;
    AUTO_STR parent = xstrndup(path, (size_t)(strrchr(path, '/') - path));
    if (stat(parent, &folder) != 0)
        return fail(why, ERR_IO, "cannot examine %s: %s", parent, strerror(errno));
    if (lchown(path, folder.st_uid, folder.st_gid) != 0)
        return fail(why, ERR_IO, "cannot give %s to the owner of its folder: %s", path, strerror(errno));
    return OK;
}

enum err site_give(const struct config *config, const char *role, const char *path, struct why *why)
{
    bool system_mode = strcmp(config_str(config_top(config), "mode"), "system") == 0;
    if (system_mode)
        return give(role, path, why);
    return geteuid() == 0 ? give_as_folder(path, why) : OK;
}

static enum err role_folder(const char *base, const char *role, const char *below, bool system_mode,
                            struct why *why)
{
    AUTO_STR path = xasprintf("%s/%s%s%s", base, role, *below ? "/" : "", below);
    TRY(dir_make(path, 0700, why));
    return system_mode ? give(role, path, why) : OK;
}

static enum err role_folders(const struct site_paths *paths, const char *role, bool system_mode,
                             struct why *why)
{
    AUTO_STR secrets = xasprintf("%s/secrets", paths->etc);
    TRY(role_folder(secrets, role, "", system_mode, why));
    TRY(role_folder(paths->log, role, "", system_mode, why));
    TRY(role_folder(paths->state, role, "", system_mode, why));
    TRY(role_folder(paths->state, role, "keys", system_mode, why));
    return role_folder(paths->state, role, "certs", system_mode, why);
}

enum err site_folders(const struct site_paths *paths, const struct site_shape *shape, struct why *why)
{
    AUTO_STR secrets = xasprintf("%s/secrets", paths->etc);
    TRY(dir_make(paths->etc, 0755, why));
    TRY(dir_make(secrets, 0755, why));
    TRY(dir_make(paths->state, 0755, why));
    TRY(dir_make(paths->log, 0755, why));
    TRY(dir_make(paths->root, 0700, why));
    for (size_t i = 0; i < (shape->mdm ? SITE_ROLES : SITE_ROLES - 1); i++)
        TRY(role_folders(paths, site_roles[i], shape->system_mode, why));
    TRY(role_folder(paths->state, "va", "published", shape->system_mode, why));
    return role_folder(paths->state, "ca", "crl", shape->system_mode, why);
}

/* One folder deep is all that a role's folder has: keys, certs, crl, published. */
static enum err give_folder(const char *role, const char *folder, struct why *why)
{
    static const char *const below[] = { "", "/keys", "/certs", "/crl", "/published" };
    for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++) {
        AUTO_STR path = xasprintf("%s%s", folder, below[i]);
        DIR *dir = opendir(path);
        if (!dir)
            continue;
        enum err err = OK;
        for (const struct dirent *entry; err == OK && (entry = readdir(dir)) != NULL;) {
            AUTO_STR file = xasprintf("%s/%s", path, entry->d_name);
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                err = give(role, file, why);
        }
        closedir(dir);
        TRY(err);
    }
    return OK;
}

enum err site_give_all(const struct config *config, const struct site_paths *paths, struct why *why)
{
    if (strcmp(config_str(config_top(config), "mode"), "system") != 0)
        return OK;
    for (size_t i = 0; i < SITE_ROLES; i++) {
        AUTO_STR state = xasprintf("%s/%s", paths->state, site_roles[i]);
        AUTO_STR secrets = xasprintf("%s/secrets/%s", paths->etc, site_roles[i]);
        TRY(give_folder(site_roles[i], state, why));
        TRY(give_folder(site_roles[i], secrets, why));
    }
    return OK;
}

enum err site_write(const struct config *config, const char *role, const char *name, struct bytes data,
                    struct why *why)
{
    AUTO_STR path = config_role_path(config, role, name);
    return file_write_new(path, data, 0444, why);
}

enum err site_write_cert(const struct config *config, const char *role, const char *name,
                         const struct bytes *ders, size_t count, struct why *why)
{
    AUTO_BUF pem = { 0 };
    for (size_t i = 0; i < count; i++)
        pem_append(&pem, "CERTIFICATE", ders[i]);
    AUTO_STR file = xasprintf("certs/%s.crt.pem", name);
    return site_write(config, role, file, buf_bytes(&pem), why);
}

enum err site_random_secret(const struct config *config, const char *role, const char *name, struct why *why)
{
    struct secret random = { 0 };
    TRY(secret_random(32, &random, why));
    AUTO_WIPE hex = { 0 };
    hex_append(&hex, secret_bytes(&random));
    secret_free(&random);
    buf_append_byte(&hex, '\n');
    AUTO_STR path = config_secret_path(config, role, name);
    return file_write_new(path, buf_bytes(&hex), 0400, why);
}

enum err site_unlock(const struct config *config, const char *role, struct secret *ret, struct why *why)
{
    AUTO_STR path = config_secret_path(config, role, "unlock");
    if (access(path, F_OK) != 0)
        TRY(site_random_secret(config, role, "unlock", why));
    return secret_read_file(path, 256, ret, why);
}
