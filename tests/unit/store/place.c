/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary folders and PostgreSQL servers, which end with the test process whatever happens to it. */
#include "tests/unit/store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

/* PostgreSQL refuses to run as root. */
static void become_postgres(void)
{
    if (geteuid() != 0)
        return;
    const struct passwd *user = getpwnam("postgres");
    if (!user || setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
        _exit(126);
}

static char *postgres_program(const char *name)
{
    glob_t found;
    AUTO_STR pattern = xasprintf("/usr/lib/postgresql/*/bin/%s", name);
    if (glob(pattern, 0, NULL, &found) != 0)
        give_up("no PostgreSQL server installed");
    char *path = xstrdup(found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    return path;
}

static pid_t start(const char *folder, const char *const *argv)
{
    AUTO_STR log = xasprintf("%s/log", folder);
    pid_t parent = getpid(), child = fork();
    if (child < 0)
        give_up("fork");
    if (child != 0)
        return child;
    become_postgres();
    prctl(PR_SET_PDEATHSIG, SIGQUIT); /* after setuid, which clears it */
    if (getppid() != parent)
        _exit(125);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    if (chdir(folder) != 0)
        _exit(124);
    execv(argv[0], (char *const *)argv);
    _exit(127);
}

void place_server_start(struct place *place)
{
    AUTO_STR program = postgres_program("postgres");
    AUTO_STR data = xasprintf("%s/data", place->folder);
    /* A kill of the server loses nothing that the kernel has: fsync is for the machine's end, which no test
     * plays. */
    const char *argv[] = { program,
                           "-D",
                           data,
                           "-k",
                           place->folder,
                           "-h",
                           "",
                           "-c",
                           "fsync=off",
                           "-c",
                           "max_connections=60",
                           "-c",
                           "deadlock_timeout=20ms",
                           "-c",
                           "log_min_messages=fatal",
                           NULL };
    place->server = start(place->folder, argv);
    for (int i = 0; i < 600; i++) {
        if (PQping(place->conninfo) == PQPING_OK)
            return;
        if (waitpid(place->server, NULL, WNOHANG) == place->server)
            break;
        usleep(50 * 1000);
    }
    give_up("PostgreSQL did not start");
}

void place_server_kill(struct place *place)
{
    if (place->server <= 0)
        return;
    kill(place->server, SIGQUIT);
    waitpid(place->server, NULL, 0);
    place->server = 0;
}

static void cluster_make(struct place *place)
{
    AUTO_STR program = postgres_program("initdb");
    AUTO_STR data = xasprintf("%s/data", place->folder);
    const char *argv[] = { program, "-D",   data,         "-U", "chancery",          "-A", "trust",
                           "-E",    "UTF8", "--locale=C", "-N", "--no-instructions", NULL };
    const struct passwd *user = getpwnam("postgres");
    if (geteuid() == 0 && (!user || chown(place->folder, user->pw_uid, user->pw_gid) != 0))
        give_up("no user postgres");
    int status;
    pid_t child = start(place->folder, argv);
    if (waitpid(child, &status, 0) != child || status != 0)
        give_up("initdb failed");
    snprintf(place->conninfo, sizeof(place->conninfo), "host=%s user=chancery dbname=postgres",
             place->folder);
    place_server_start(place);
}

void place_make(struct place *place, const char *kind)
{
    *place = (struct place){ .kind = strcmp(kind, "postgres") == 0 ? STORE_POSTGRES : STORE_SQLITE };
    snprintf(place->folder, sizeof(place->folder), "/tmp/chancery-store-XXXXXX");
    if (!mkdtemp(place->folder))
        give_up("mkdtemp");
    if (place->kind == STORE_POSTGRES)
        cluster_make(place);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void place_free(struct place *place)
{
    place_server_kill(place);
    nftw(place->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

struct store_config place_config_again(const struct place *place, const struct migration *migrations,
                                       size_t count)
{
    static char path[128], schema[32];
    snprintf(path, sizeof(path), "%s/store-%d.db", place->folder, place->stores);
    snprintf(schema, sizeof(schema), "role_%d", place->stores);
    return (struct store_config){ .kind = place->kind,
                                  .path = place->kind == STORE_POSTGRES ? place->conninfo : path,
                                  .schema = schema,
                                  .migrations = migrations,
                                  .migration_count = count };
}

struct store_config place_config(struct place *place, const struct migration *migrations, size_t count)
{
    place->stores++;
    return place_config_again(place, migrations, count);
}

int place_run(struct place *place, void *state, struct CMUnitTest *tests, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tests[i].initial_state = state;
    TEST_FILTER();
    int failed = _cmocka_run_group_tests("tests", tests, count, NULL, NULL);
    place_free(place);
    return failed;
}
