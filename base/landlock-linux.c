/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock: which files, TCP ports and signals are left. The kernel headers of Debian 12 know its second version and no wrapper in
   glibc any, so its interface is written out here; which version the kernel has is found at run time. */
#include "base/fault.h"
#include "base/sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/landlock.h; the numbers are the same on every architecture. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
enum { CREATE_RULESET_VERSION = 1 };
enum { RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };
enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_TRUNCATE = 1 << 14,
    FS_IOCTL_DEV = 1 << 15,
};
enum { NET_BIND_TCP = 1 << 0, NET_CONNECT_TCP = 1 << 1 };
enum { SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0, SCOPE_SIGNAL = 1 << 1 };
struct ruleset {
    uint64_t fs, net, scoped;
};
struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));
struct port_rule {
    uint64_t allowed, port;
};

/* Everything that this version can forbid is forbidden, unless a rule allows it. */
static struct ruleset all_of(int abi)
{
    unsigned fs_bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;
    return (struct ruleset){ .fs = (UINT64_C(1) << fs_bits) - 1,
                             .net = abi >= 4 ? NET_BIND_TCP | NET_CONNECT_TCP : 0,
                             .scoped = abi >= 6 ? SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL : 0 };
}

static uint64_t rights_of(enum sandbox_access access)
{
    switch (access) {
    case SANDBOX_READ:
        return FS_READ_FILE | FS_READ_DIR;
    case SANDBOX_LOG:
        return FS_WRITE_FILE | FS_MAKE_REG;
    case SANDBOX_STORE:
        break;
    }
    return FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_MAKE_REG | FS_MAKE_DIR | FS_REMOVE_FILE |
           FS_TRUNCATE;
}

static enum err add_path(int ruleset, const struct sandbox_path *path, uint64_t handled, struct why *why)
{
    struct stat info;
    struct path_rule rule = { .parent = open(path->path, O_PATH | O_CLOEXEC) };
    if (rule.parent < 0 && path->optional && (errno == ENOENT || errno == EACCES))
        return OK;
    if (rule.parent < 0 || fstat(rule.parent, &info) != 0)
        return fail(why, ERR_IO, "sandbox: cannot examine %s: %s", path->path, strerror(errno));
    rule.allowed = rights_of(path->access) & handled;
    if (!S_ISDIR(info.st_mode))
        rule.allowed &= FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
    long added = syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
    int saved = errno;
    close(rule.parent);
    if (added != 0)
        return fail(why, ERR_INTERNAL, "sandbox: Landlock refuses %s: %s", path->path, strerror(saved));
    return OK;
}

static enum err add_ports(int ruleset, const struct sandbox_policy *policy, struct why *why)
{
    for (size_t i = 0; i < policy->port_count; i++) {
        const struct port_rule rule = { NET_CONNECT_TCP, policy->ports[i] };
        if (syscall(ADD_RULE, ruleset, RULE_NET_PORT, &rule, 0) != 0)
            return fail(why, ERR_INTERNAL, "sandbox: Landlock refuses port %u: %s", policy->ports[i],
                        strerror(errno));
    }
    return OK;
}

/* What AddressSanitizer reads when it reports or looks for leaks. */
static const struct sandbox_path sanitizer_paths[] = {
    { "/proc/self", SANDBOX_READ, true },
    { "/proc/self/exe", SANDBOX_READ, true },
    { "/usr/lib", SANDBOX_READ, true },
};

static enum err rules_add(int ruleset, const struct sandbox_policy *policy, const struct ruleset *handled,
                          struct why *why)
{
    for (size_t i = 0; i < policy->path_count; i++)
        TRY(add_path(ruleset, &policy->paths[i], handled->fs, why));
    for (size_t i = 0; SANDBOX_SANITIZED && i < sizeof(sanitizer_paths) / sizeof(*sanitizer_paths); i++)
        TRY(add_path(ruleset, &sanitizer_paths[i], handled->fs, why));
    return handled->net ? add_ports(ruleset, policy, why) : OK;
}

enum err landlock_enter(const struct sandbox_policy *policy, int *ret_abi, struct why *why)
{
    long abi = syscall(CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
    *ret_abi = abi > 0 ? (int)abi : 0;
    if (FAULT(sandbox_files) || (abi <= 0 && (errno == ENOSYS || errno == EOPNOTSUPP)))
        return OK;
    const struct ruleset handled = all_of((int)abi);
    int ruleset = (int)syscall(CREATE_RULESET, &handled, sizeof(handled), 0);
    if (ruleset < 0)
        return fail(why, ERR_INTERNAL, "sandbox: Landlock %ld makes no ruleset: %s", abi, strerror(errno));
    enum err err = rules_add(ruleset, policy, &handled, why);
    if (err == OK && syscall(RESTRICT_SELF, ruleset, 0) != 0)
        err = fail(why, ERR_INTERNAL, "sandbox: Landlock cannot be entered: %s", strerror(errno));
    close(ruleset);
    return err;
}
