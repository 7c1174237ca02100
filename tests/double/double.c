/* SPDX-License-Identifier: Apache-2.0 */
/* A role's double: the role's own program, linked so that role_confine comes here first (--wrap). For each try it forks, enters the
   sandbox in the child as the role would, does what somebody who captured the role would do, and writes down what came of it. Then the
   role goes on as ever. CHANCERY_DOUBLE=FOLDER,on|off says where the report goes, and whether the sandbox is entered for the tries. */
#include "tests/double/scene.h"

#include "base/sandbox_internal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 10000 /* for the other roles to be there, and for one try */

enum err __real_role_confine(struct role *role, const struct sandbox_policy *policy, struct why *why);
enum err __wrap_role_confine(struct role *role, const struct sandbox_policy *policy, struct why *why);

struct outcome {
    bool began, confined, ended, done;
    int error;
};
struct stage {
    struct scene scene;
    struct role *role;
    const struct sandbox_policy *policy;
    bool sandbox;
    FILE *report;
    struct outcome *shared;
};

const char *scene_path(const char *format, ...)
{
    static char ring[8][300];
    static unsigned at;
    char *text = ring[at++ % 8];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(ring[0]), format, args);
    va_end(args);
    return text;
}

bool scene_opens(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

/* --- one try --- */

_Noreturn static void child(const struct stage *stage, const struct try_row *row)
{
    struct why why = { 0 };
    struct sandbox_state state;
    stage->shared->began = true;
    if (stage->sandbox && sandbox_enter(stage->policy, &state, &why) != OK) {
        fprintf(stderr, "double: %s\n", why.text);
        _exit(0);
    }
    stage->shared->confined = true;
    errno = 0;
    stage->shared->done = row->run(&stage->scene);
    stage->shared->error = errno;
    stage->shared->ended = true;
    _exit(0);
}

/* -1: it hung, and was ended. */
static int status_of(pid_t pid)
{
    int status = 0;
    for (int ms = 0; ms < WAIT_MS; ms++) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        (void)poll(NULL, 0, 1);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

static const char *verdict(const struct outcome *outcome, int status)
{
    if (status == -1)
        return "hung";
    if (!outcome->confined)
        return "unconfined";
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? "killed" : "crashed";
    /* One that never came back has become another program. */
    return outcome->done || !outcome->ended ? "done" : "refused";
}

/* New ones for each try: what one does to a socket is not undone. */
static void sockets_make(struct scene *scene)
{
    scene->unix_socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    scene->tcp_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    scene->udp_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    scene->tcp_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listen(scene->tcp_listener, 1) != 0)
        die("double: no sockets: %s", strerror(errno));
}

static void sockets_close(const struct scene *scene)
{
    close(scene->unix_socket);
    close(scene->tcp_socket);
    close(scene->udp_socket);
    close(scene->tcp_listener);
}

static void try_once(struct stage *stage, const struct try_row *row)
{
    *stage->shared = (struct outcome){ 0 };
    sockets_make(&stage->scene);
    pid_t pid = fork();
    if (pid == 0)
        child(stage, row);
    if (pid < 0)
        die("double: cannot fork: %s", strerror(errno));
    sockets_close(&stage->scene);
    int status = status_of(pid);
    const char *expected = row->expected == ALLOWED              ? "allowed"
                           : row->sanitizer && SANDBOX_SANITIZED ? "sanitizer"
                                                                 : "forbidden";
    fprintf(stage->report, "%s\t%s\t%s\t%s\t%s\t%d\n", stage->role->name, expected,
            verdict(stage->shared, status), row->plain ? "plain" : "-", row->name, stage->shared->error);
}

static bool is_mine(const struct stage *stage, const char *roles)
{
    AUTO_STR all = xasprintf(" %s ", roles ? roles : stage->role->name);
    AUTO_STR mine = xasprintf(" %s ", stage->role->name);
    return strstr(all, mine) != NULL;
}

static void tries(struct stage *stage)
{
    static const struct try_table *const tables[] = { &tries_own,       &tries_files,   &tries_folders,
                                                      &tries_processes, &tries_sockets, &tries_kernel };
    for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++) {
        for (size_t i = 0; i < tables[t]->count; i++) {
            const struct try_row *row = &tables[t]->rows[i];
            unsigned times = !is_mine(stage, row->roles) ? 0 : row->times ? row->times : 1;
            for (stage->scene.nth = 0; stage->scene.nth < times; stage->scene.nth++)
                try_once(stage, row);
        }
    }
}

/* --- the scene --- */

/* The process of that role under our own supervisor; 0 while it is not there. */
static pid_t role_process(const char *name)
{
    AUTO_STR wanted = xasprintf("chancery-%s", name);
    DIR *all = opendir("/proc");
    pid_t found = 0;
    for (const struct dirent *each = all ? readdir(all) : NULL; each && !found; each = readdir(all)) {
        char comm[32];
        int pid = atoi(each->d_name), parent = 0;
        FILE *stat = pid > 0 ? fopen(scene_path("/proc/%d/stat", pid), "re") : NULL;
        if (!stat)
            continue;
        /* comm is cut to 15 letters: chancery-signer just fits */
        if (fscanf(stat, "%*d (%31[^)]) %*c %d", comm, &parent) == 2 && parent == getppid() &&
            strcmp(comm, wanted) == 0)
            found = pid;
        fclose(stat);
    }
    if (all)
        closedir(all);
    return found;
}

static void others_find(struct scene *scene)
{
    static const char *const names[] = { "signer", "ca", "scep", "va", "mdm" };
    size_t count = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(names[i], scene->role->name) != 0)
            scene->others[count++] = names[i];
    }
    for (size_t i = 0; i < SCENE_OTHERS; i++) {
        for (int ms = 0; ms < WAIT_MS && !scene->pids[i]; ms += 10) {
            scene->pids[i] = role_process(scene->others[i]);
            (void)poll(NULL, 0, 10);
        }
        if (!scene->pids[i])
            die("double: role %s is not there", scene->others[i]);
    }
}

/* FOLDER/bystander-ROLE: PID PORT NAME. One for each role: two of them cannot trace the same process. */
static void bystander_find(struct scene *scene)
{
    static char name[100];
    int pid = 0;
    FILE *file = fopen(scene_path("%s/bystander-%s", scene->out, scene->role->name), "re");
    if (!file || fscanf(file, "%d %hu %99s", &pid, &scene->bystander_port, name) != 3)
        die("double: no bystander");
    fclose(file);
    scene->bystander = pid;
    scene->bystander_name = name;
}

static void scene_set(struct scene *scene, const struct role *role, const char *out)
{
    const struct config_section *top = config_top(role->config);
    *scene = (struct scene){ .role = role,
                             .etc = config_str(top, "etc_dir"),
                             .state = config_str(top, "state_dir"),
                             .logs = config_str(top, "log_dir"),
                             .run = config_str(top, "run_dir"),
                             .config = config_path(role->config),
                             .out = out };
    others_find(scene);
    bystander_find(scene);
    scene->pty = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static void play(struct role *role, const struct sandbox_policy *policy, const char *where)
{
    AUTO_STR out = xstrdup(where);
    char *comma = strrchr(out, ',');
    if (!comma)
        die("double: CHANCERY_DOUBLE is FOLDER,on|off");
    *comma = '\0';
    struct stage stage = { .role = role, .policy = policy, .sandbox = strcmp(comma + 1, "on") == 0 };
    stage.report = fopen(scene_path("%s/%s.report", out, role->name), "we");
    stage.shared =
        mmap(NULL, sizeof(*stage.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!stage.report || stage.shared == MAP_FAILED)
        die("double: no report in %s: %s", out, strerror(errno));
    scene_set(&stage.scene, role, out);
    tries(&stage);
    if (stage.scene.pty >= 0)
        close(stage.scene.pty);
    munmap(stage.shared, sizeof(*stage.shared));
    fclose(stage.report);
}

enum err __wrap_role_confine(struct role *role, const struct sandbox_policy *policy, struct why *why)
{
    const char *where = getenv("CHANCERY_DOUBLE");
    if (where)
        play(role, policy, where);
    return __real_role_confine(role, policy, why);
}
