/* SPDX-License-Identifier: Apache-2.0 */
/* The first and last things that every role does. */
#include "ipc/role.h"

#include "base/descriptors.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/schedule.h"
#include "config/options.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define UNLOCK_HEX_DIGITS 64   /* of the 32 random bytes (design.md section 7) */
#define STOP_GRACE_MS     2000 /* past stop_timeout, for a hook that forgets to stop the loop */
#define BROKER_WAIT_MS    5000 /* a supervisor answers in microseconds, unless the machine stands still */

/* --- arguments --- */

/* A whole decimal number at the start of text; *ret_rest is what follows. */
static bool number_read(const char *text, int64_t *ret, const char **ret_rest)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || value > UINT32_MAX)
        return false;
    *ret = value;
    *ret_rest = end;
    return true;
}

static enum err fd_take(const char *option, const char *text, int *ret_fd, const char **ret_rest,
                        struct why *why)
{
    int64_t fd;
    if (!number_read(text, &fd, ret_rest) || fd > INT32_MAX)
        return fail(why, ERR_USAGE, "%s %.80s: a descriptor number is missing", option, text);
    if (fd <= STDERR_FILENO || fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0)
        return fail(why, ERR_USAGE, "%s: descriptor %lld is not an open one above 2", option, (long long)fd);
    *ret_fd = (int)fd;
    return OK;
}

static enum err fd_take_alone(const char *option, const char *text, int *ret_fd, struct why *why)
{
    const char *rest = "";
    TRY(fd_take(option, text, ret_fd, &rest, why));
    return *rest ? fail(why, ERR_USAGE, "%s %.80s: nothing may follow the number", option, text) : OK;
}

static enum err descriptor_add(struct role *role, const char *option, const struct role_descriptor *made,
                               struct why *why)
{
    if (role->descriptor_count == ROLE_DESCRIPTORS_MAX)
        return fail(why, ERR_USAGE, "%s: more than %d descriptors", option, ROLE_DESCRIPTORS_MAX);
    role->descriptors[role->descriptor_count++] = *made;
    return OK;
}

/* PRINCIPAL=FD, and after a listening one ,UID */
static enum err take_named(struct role *role, const char *option, const char *text, struct why *why)
{
    struct role_descriptor made = { .kind = strcmp(option, "--listen") == 0 ? ROLE_LISTEN : ROLE_PEER,
                                    .uid = -1 };
    size_t name = strcspn(text, "=");
    if (name == 0 || name >= sizeof(made.principal) || text[name] != '=')
        return fail(why, ERR_USAGE, "%s %.80s: allowed is PRINCIPAL=FD", option, text);
    memcpy(made.principal, text, name);
    const char *rest = "";
    TRY(fd_take(option, text + name + 1, &made.fd, &rest, why));
    if (made.kind == ROLE_LISTEN && *rest == ',' && !number_read(rest + 1, &made.uid, &rest))
        return fail(why, ERR_USAGE, "%s %.80s: a uid is missing after the comma", option, text);
    if (*rest)
        return fail(why, ERR_USAGE, "%s %.80s: nothing may follow the number", option, text);
    return descriptor_add(role, option, &made, why);
}

static enum err take_config(struct role *role, const char *option, const char *text, struct why *why)
{
    if (role->config)
        return fail(why, ERR_USAGE, "%s is there twice", option);
    return config_load(text, &role->config, why);
}

static enum err take_ready(struct role *role, const char *option, const char *text, struct why *why)
{
    return fd_take_alone(option, text, &role->ready_fd, why);
}

static enum err take_broker(struct role *role, const char *option, const char *text, struct why *why)
{
    int fd = -1;
    if (role->broker)
        return fail(why, ERR_USAGE, "%s is there twice", option);
    TRY(fd_take_alone(option, text, &fd, why));
    role->broker = broker_new(fd);
    return OK;
}

static enum err take_http(struct role *role, const char *option, const char *text, struct why *why)
{
    bool plain = strcmp(option, "--http") == 0, admin = strcmp(option, "--admin") == 0;
    bool crp = strcmp(option, "--crp") == 0;
    struct role_descriptor made = { .uid = -1 };
    made.kind = plain ? ROLE_HTTP : admin ? ROLE_ADMIN : crp ? ROLE_CRP : ROLE_HTTPS;
    TRY(fd_take_alone(option, text, &made.fd, why));
    return descriptor_add(role, option, &made, why);
}

static const struct {
    const char *name;
    enum err (*take)(struct role *role, const char *option, const char *text, struct why *why);
} role_options[] = { { "--config", take_config }, { "--ready", take_ready }, { "--listen", take_named },
                     { "--peer", take_named },    { "--http", take_http },   { "--https", take_http },
                     { "--admin", take_http },    { "--crp", take_http },    { "--broker", take_broker } };

static enum err take_option(struct role *role, const char *option, const char *text, struct why *why)
{
    for (size_t i = 0; i < sizeof(role_options) / sizeof(*role_options); i++) {
        if (strcmp(option, role_options[i].name) != 0)
            continue;
        if (!text)
            return fail(why, ERR_USAGE, "%s needs a value", option);
        return role_options[i].take(role, option, text, why);
    }
    return fail(why, ERR_USAGE, "unknown argument %.80s; this program is started by chanceryd", option);
}

static enum err take_arguments(struct role *role, int argc, char **argv, struct why *why)
{
    for (int i = 1; i < argc; i += 2)
        TRY(take_option(role, argv[i], i + 1 < argc ? argv[i + 1] : NULL, why));
    if (!role->config)
        return fail(why, ERR_USAGE, "--config FILE is missing; this program is started by chanceryd");
    return OK;
}

/* --- what a role has --- */

static enum err unlock_read(struct role *role, struct why *why)
{
    AUTO_STR path = config_secret_path(role->config, role->name, "unlock");
    TRY(secret_read_file(path, UNLOCK_HEX_DIGITS + 2, &role->unlock, why));
    const struct secret *unlock = &role->unlock;
    bool hex = unlock->len == UNLOCK_HEX_DIGITS;
    for (size_t i = 0; hex && i < unlock->len; i++)
        hex = unlock->data[i] && strchr("0123456789abcdefABCDEF", unlock->data[i]);
    return hex ? OK : fail(why, ERR_KEY, "%s has no %d hex digits", path, UNLOCK_HEX_DIGITS);
}

static void log_level_apply(const struct config *config)
{
    enum log_level level;
    if (log_level_by_name(config_str(config_top(config), "log_level"), &level))
        log_level_set(level);
}

/* Of a role that serves HTTP: the section of its name. NULL: it does not. */
static const struct config_section *http_section(const struct role *role)
{
    return option_find(role->name, "max_connections") ? config_at(role->config, role->name, 0) : NULL;
}

/* Before the sandbox, in which limits cannot be changed. */
static enum err descriptors_open(const struct role *role, struct why *why)
{
    const struct config_section *http = http_section(role);
    if (!http)
        return OK;
    int64_t connections = config_int(http, "max_connections");
    bool crp = option_find(role->name, "crp_listen") && config_list_count(http, "crp_listen");
    size_t more = crp ? LIMIT_CRP_CONNECTIONS + LIMIT_REFUSING_CONNECTIONS : 0;
    AUTO_STR what = xasprintf("max_connections of %lld", (long long)connections);
    return descriptors_reserve(
        (size_t)connections + LIMIT_REFUSING_CONNECTIONS + LIMIT_OTHER_DESCRIPTORS + more, what, why);
}

static enum err engines_start(struct role *role, struct why *why)
{
    const struct config_section *top = config_top(role->config);
    unsigned workers = (unsigned)config_int(top, "workers");
    struct pool_config pool = { .threads = workers, .queue = workers * 4, .brief = role->cores };
    if (pool.queue < LIMIT_FRAMES_IN_FLIGHT)
        pool.queue = LIMIT_FRAMES_IN_FLIGHT; /* one peer alone never gets "busy" */
    const struct config_section *http = http_section(role);
    if (http) {
        pool.queue = (size_t)config_int(http, "queue");
        pool.wait_ms = (int)config_int(http, "queue_timeout");
        pool.running_per_address = (unsigned)config_int(http, "max_running_per_address");
    }
    TRY(loop_new(&role->loop, why));
    return pool_new(&pool, &role->pool, why);
}

static unsigned cores_allowed(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* more than a cpu_set_t holds */
    return online > 0 ? (unsigned)online : 1;
}

static struct key_gate *gate_make(const struct role *role)
{
    int64_t operations = config_int(config_top(role->config), "private_key_operations");
    return key_gate_new(operations ? (unsigned)operations : role->cores);
}

static enum err begin(struct role *role, int argc, char **argv, struct why *why)
{
    if (!secret_heap_open(LIMIT_SECRET_HEAP_BYTES))
        log_warn(NULL, "the key heap of %d bytes cannot be locked into memory; see RLIMIT_MEMLOCK",
                 LIMIT_SECRET_HEAP_BYTES);
    TRY(sandbox_harden(why));
    TRY(take_arguments(role, argc, argv, why));
    config_keep(role->config, role->name);
    log_level_apply(role->config);
    TRY(descriptors_open(role, why));
    role->cores = cores_allowed();
    role->gate = gate_make(role);
    return unlock_read(role, why);
}

enum err role_begin(int argc, char **argv, const char *name, struct role *ret, struct why *why)
{
    log_open(name, LOG_LEVEL_INFO);
    signal(SIGPIPE, SIG_IGN);
    memory_tune();
    schedule_in_batches();
    struct role role = { .name = name, .clock = &clock_system, .ready_fd = -1 };
    enum err err = begin(&role, argc, argv, why);
    if (err != OK) {
        role_end(&role);
        return err;
    }
    *ret = role;
    return OK;
}

static void sandbox_warn(const struct sandbox_state *state)
{
    if (!state->landlock)
        log_error(NULL, "sandbox: this kernel has no Landlock (it needs 5.13, with \"landlock\" in "
                        "/sys/kernel/security/lsm): "
                        "this role is NOT kept from files that its user may open");
    if (!state->seccomp)
        log_error(NULL,
                  "sandbox: this kernel has no seccomp filters: this role is NOT kept from any system call");
}

enum err role_confine(struct role *role, const struct sandbox_policy *policy, struct why *why)
{
    char text[64];
    TRY(sandbox_enter(policy, &role->sandbox, why));
    sandbox_warn(&role->sandbox);
    sandbox_state_text(&role->sandbox, text);
    log_debug(NULL, "confined sandbox=%s", text);
    return engines_start(role, why);
}

int role_descriptor(const struct role *role, int kind, const char *principal)
{
    for (size_t i = 0; i < role->descriptor_count; i++) {
        const struct role_descriptor *each = &role->descriptors[i];
        if ((int)each->kind == kind && (!principal || strcmp(each->principal, principal) == 0))
            return each->fd;
    }
    return -1;
}

/* --- serving --- */

enum err role_listen(const struct role *role, const struct role_verbs *verbs, struct ipc_server **ret,
                     struct why *why)
{
    struct ipc_server_config config = { .loop = role->loop,
                                        .pool = role->pool,
                                        .verbs = verbs->list,
                                        .verb_count = verbs->count,
                                        .role = verbs->arg,
                                        .max_frame = verbs->max_frame,
                                        .allowed_uid = -1 };
    AUTO(ipc_server) server = NULL;
    TRY(ipc_server_new(&config, &server, why));
    for (size_t i = 0; i < role->descriptor_count; i++) {
        const struct role_descriptor *each = &role->descriptors[i];
        if (each->kind == ROLE_LISTEN)
            TRY(ipc_server_listen(server, each->fd, each->principal, each->uid, why));
    }
    *ret = TAKE(server);
    return OK;
}

static void stop_late(void *arg)
{
    struct role *role = arg;
    log_warn(NULL, "still not stopped after stop_timeout; ends now");
    loop_stop(role->loop);
}

void role_stop(struct role *role)
{
    if (role->stopping)
        return;
    role->stopping = true;
    int64_t timeout_ms = config_int(config_top(role->config), "stop_timeout") * 1000;
    loop_after(role->loop, (int)timeout_ms + STOP_GRACE_MS, stop_late, role);
    if (role->hooks && role->hooks->stop)
        role->hooks->stop(role->hooks->arg);
    else
        loop_stop(role->loop);
}

static void on_stop_signal(int number, void *arg)
{
    struct role *role = arg;
    if (!role->stopping)
        log_info(NULL, "stopping signal=%d", number);
    role_stop(role);
}

enum err role_config_again(struct role *role, struct config **ret, struct why *why)
{
    const char *path = config_path(role->config);
    AUTO(config) fresh = NULL;
    if (!role->broker) {
        TRY(config_load(path, &fresh, why));
    } else {
        int fd;
        TRY(broker_ask(role->broker, BROKER_CONFIG, BROKER_WAIT_MS, &fd, why));
        enum err err = config_load_open(fd, path, &fresh, why);
        close(fd);
        TRY(err);
    }
    config_keep(fresh, role->name);
    *ret = TAKE(fresh);
    return OK;
}

/* The log level follows the file at once; everything else is the hook's. A file that has become wrong changes
 * nothing. */
static void on_reload_signal(int number, void *arg)
{
    (void)number;
    struct role *role = arg;
    struct why why;
    AUTO(config) fresh = NULL;
    if (role_config_again(role, &fresh, &why) != OK) {
        log_error(NULL, "reload refused, the former configuration stays: %s", why.text);
        return;
    }
    log_level_apply(fresh);
    log_info(NULL, "reloaded");
    if (role->hooks && role->hooks->reload)
        role->hooks->reload(role->hooks->arg);
}

static void say_ready(struct role *role)
{
    if (role->ready_fd < 0)
        return;
    if (!write_all(role->ready_fd, BYTES_LIT("R")))
        log_warn(NULL, "cannot tell the supervisor that this role is ready: %s", strerror(errno));
    close(role->ready_fd);
    role->ready_fd = -1;
}

/* A role that ends by itself is told to by its supervisor, too, at any moment until it is gone: by then nothing would catch it. */
static void signals_end(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
}

int role_serve(struct role *role, const struct role_hooks *hooks)
{
    role->hooks = hooks;
    loop_on_signal(role->loop, SIGTERM, on_stop_signal, role);
    loop_on_signal(role->loop, SIGINT, on_stop_signal, role);
    loop_on_signal(role->loop, SIGHUP, on_reload_signal, role);
    log_info(NULL, "serving pid=%d", (int)getpid());
    say_ready(role);
    loop_run(role->loop);
    signals_end();
    (void)loop_forget(role->loop, role);
    log_info(NULL, "stopped");
    return role->exit_status;
}

void role_end(struct role *role)
{
    pool_free(role->pool);
    loop_free(role->loop);
    key_gate_free(role->gate);
    broker_free(role->broker);
    secret_free(&role->unlock);
    config_free(role->config);
    if (role->ready_fd >= 0)
        close(role->ready_fd);
    *role = (struct role){ .ready_fd = -1 };
}
