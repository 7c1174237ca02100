/* SPDX-License-Identifier: Apache-2.0 */
/* Linux: what a process gives up before it serves, in order: core files and privileges, files, system calls. */
#include "base/sandbox_internal.h"

#include "base/fault.h"
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DNS_PORT 53 /* a long answer comes over TCP */

enum err sandbox_harden(struct why *why)
{
    const struct rlimit none = { 0, 0 };
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return fail(why, ERR_INTERNAL, "cannot forbid core files: %s", strerror(errno));
    if (!FAULT(dumpable) && prctl(PR_SET_DUMPABLE, 0) != 0)
        return fail(why, ERR_INTERNAL, "cannot become undumpable: %s", strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(why, ERR_INTERNAL, "cannot renounce new privileges: %s", strerror(errno));
    return OK;
}

static void add(struct sandbox_policy *policy, struct sandbox_path path)
{
    if (policy->path_count == SANDBOX_PATHS_MAX)
        die("sandbox: more than %d paths", SANDBOX_PATHS_MAX);
    policy->paths[policy->path_count++] = path;
}

void sandbox_add(struct sandbox_policy *policy, const char *path, enum sandbox_access access)
{
    add(policy, (struct sandbox_path){ path, access, false });
}

void sandbox_add_optional(struct sandbox_policy *policy, const char *path, enum sandbox_access access)
{
    add(policy, (struct sandbox_path){ path, access, true });
}

/* What getaddrinfo, getpwuid and libssl read, as far as a host has it. Files that are replaced while the role runs are seen again
   after its next start. */
static const char *const resolver_files[] = {
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/passwd",
    "/etc/ssl",
    "/etc/krb5.conf",
    "/etc/ld.so.cache",
    "/run/systemd/resolve",
    "/usr/lib",
    "/lib",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
};

void sandbox_add_port(struct sandbox_policy *policy, uint16_t port)
{
    for (size_t i = 0; i < policy->port_count; i++) {
        if (policy->ports[i] == port)
            return;
    }
    if (policy->port_count == SANDBOX_PORTS_MAX)
        die("sandbox: more than %d ports", SANDBOX_PORTS_MAX);
    policy->ports[policy->port_count++] = port;
}

void sandbox_add_resolver(struct sandbox_policy *policy)
{
    if (policy->connects)
        return;
    policy->connects = policy->loads_code = true;
    for (size_t i = 0; i < sizeof(resolver_files) / sizeof(*resolver_files); i++)
        sandbox_add_optional(policy, resolver_files[i], SANDBOX_READ);
    sandbox_add_port(policy, DNS_PORT);
}

enum err sandbox_enter(const struct sandbox_policy *policy, struct sandbox_state *ret_state, struct why *why)
{
    struct sandbox_state state = { 0 };
    TRY(landlock_enter(policy, &state.landlock, why));
    TRY(seccomp_enter(policy, &state.seccomp, why));
    *ret_state = state;
    return OK;
}

void sandbox_state_text(const struct sandbox_state *state, char ret[static 64])
{
    char files[32] = "none";
    if (state->landlock)
        snprintf(files, sizeof(files), "landlock-%d", state->landlock);
    snprintf(ret, 64, "%s,%s", files, state->seccomp ? "seccomp" : "none");
}

/* What starting, stopping and serving the roles takes: their users, signals to them, the way into their socket folders and to the
   configuration, and messages to the service manager that carry our own id. */
static const unsigned supervisor_needs[] = { CAP_SETUID, CAP_SETGID, CAP_KILL, CAP_DAC_OVERRIDE };

static enum err capabilities_drop(struct why *why)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3], keep[_LINUX_CAPABILITY_U32S_3] = { 0 };
    if (syscall(SYS_capget, &header, have) != 0)
        return fail(why, ERR_INTERNAL, "cannot read capabilities: %s", strerror(errno));
    for (size_t i = 0; i < sizeof(supervisor_needs) / sizeof(*supervisor_needs); i++) {
        unsigned word = CAP_TO_INDEX(supervisor_needs[i]), bit = CAP_TO_MASK(supervisor_needs[i]);
        keep[word].permitted |= have[word].permitted & bit;
        keep[word].effective |= have[word].permitted & bit;
    }
    if (syscall(SYS_capset, &header, keep) != 0)
        return fail(why, ERR_INTERNAL, "cannot give up capabilities: %s", strerror(errno));
    return OK;
}

enum err sandbox_enter_supervisor(struct why *why)
{
    TRY(capabilities_drop(why));
    return seccomp_enter_supervisor(why);
}
