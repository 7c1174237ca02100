/* SPDX-License-Identifier: Apache-2.0 */
/* Other processes, programs, and what a process may change about itself. */
#include "tests/double/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

/* --- others --- */

static bool ptrace_seize(pid_t pid)
{
    return ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0;
}

static bool ptrace_role(const struct scene *scene)
{
    return ptrace_seize(scene->pids[scene->nth]);
}

static bool ptrace_bystander(const struct scene *scene)
{
    return ptrace_seize(scene->bystander);
}

/* The address is wrong, and judged after the right to read: EFAULT is a success. */
static bool vm_copy(pid_t pid, long number)
{
    char byte = 0;
    const struct iovec local = { &byte, 1 }, remote = { (void *)8, 1 };
    long got = syscall(number, pid, &local, 1UL, &remote, 1UL, 0UL);
    return got >= 0 || errno == EFAULT;
}

static bool vm_read_role(const struct scene *scene)
{
    return vm_copy(scene->pids[scene->nth], SYS_process_vm_readv);
}

static bool vm_read_bystander(const struct scene *scene)
{
    return vm_copy(scene->bystander, SYS_process_vm_readv);
}

static bool vm_write_bystander(const struct scene *scene)
{
    return vm_copy(scene->bystander, SYS_process_vm_writev);
}

static bool signal_role(const struct scene *scene)
{
    return kill(scene->pids[scene->nth], 0) == 0;
}

static bool signal_bystander(const struct scene *scene)
{
    return kill(scene->bystander, 0) == 0;
}

static bool signal_everybody(const struct scene *scene)
{
    (void)scene;
    return kill(-1, 0) == 0;
}

static bool signal_thread(const struct scene *scene)
{
    return syscall(SYS_tgkill, scene->bystander, scene->bystander, 0) == 0;
}

static bool signal_queue(const struct scene *scene)
{
    const union sigval value = { 0 };
    return sigqueue(scene->bystander, 0, value) == 0;
}

static bool signal_by_pidfd(const struct scene *scene)
{
    int fd = (int)syscall(SYS_pidfd_open, scene->bystander, 0);
    return fd >= 0 && syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0;
}

static bool signal_by_owner(const struct scene *scene)
{
    return fcntl(scene->unix_socket, F_SETOWN, scene->bystander) == 0;
}

static bool descriptor_of_bystander(const struct scene *scene)
{
    int fd = (int)syscall(SYS_pidfd_open, scene->bystander, 0);
    return fd >= 0 && syscall(SYS_pidfd_getfd, fd, 0, 0) >= 0;
}

static bool compare_bystander(const struct scene *scene)
{
    return syscall(SYS_kcmp, getpid(), scene->bystander, 1, 0, 0) >= 0;
}

static bool limits_of_bystander(const struct scene *scene)
{
    const struct rlimit less = { 64, 64 };
    return prlimit(scene->bystander, RLIMIT_NOFILE, &less, NULL) == 0;
}

static bool priority_of_bystander(const struct scene *scene)
{
    return setpriority(PRIO_PROCESS, (id_t)scene->bystander, 5) == 0;
}

/* --- programs: a try that never comes back has become one --- */

static char *const shell[] = { "sh", "-c", "exit 77", NULL };

static bool exec_shell(const struct scene *scene)
{
    (void)scene;
    execve("/bin/sh", shell, (char *[]){ NULL });
    return false;
}

static bool exec_itself(const struct scene *scene)
{
    execv("/proc/self/exe", (char *[]){ (char *)scene->role->name, NULL });
    return false;
}

static bool exec_by_descriptor(const struct scene *scene)
{
    (void)scene;
    int fd = open("/bin/sh", O_PATH);
    syscall(SYS_execveat, fd, "", shell, (char *[]){ NULL }, AT_EMPTY_PATH);
    return false;
}

static bool exec_from_memory(const struct scene *scene)
{
    (void)scene;
    int fd = memfd_create("program", 0);
    if (fd < 0 || write(fd, "#!/bin/sh\nexit 77\n", 18) != 18)
        return false;
    fexecve(fd, (char *[]){ "program", NULL }, (char *[]){ NULL });
    return false;
}

static bool memory_file(const struct scene *scene)
{
    (void)scene;
    return memfd_create("x", 0) >= 0;
}

static bool fork_it(const struct scene *scene)
{
    (void)scene;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static bool fork_by_clone(const struct scene *scene)
{
    (void)scene;
    long pid = syscall(SYS_clone, (long)SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static bool fork_by_clone3(const struct scene *scene)
{
    (void)scene;
    uint64_t arguments[8] = { [4] = SIGCHLD };
    long pid = syscall(SYS_clone3, arguments, sizeof(arguments));
    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static bool spawn_shell(const struct scene *scene)
{
    (void)scene;
    pid_t pid;
    int status = 0;
    /* It says 0 too when the new process is ended before its program begins. */
    return posix_spawn(&pid, "/bin/sh", NULL, NULL, shell, (char *[]){ NULL }) == 0 &&
           waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 77;
}

/* --- itself --- */

static bool same_user(const struct scene *scene)
{
    (void)scene;
    return syscall(SYS_setresuid, getuid(), getuid(), getuid()) == 0;
}

static bool root_user(const struct scene *scene)
{
    (void)scene;
    return syscall(SYS_setuid, 0) == 0;
}

static bool same_group(const struct scene *scene)
{
    (void)scene;
    return syscall(SYS_setgid, getgid()) == 0;
}

static bool groups(const struct scene *scene)
{
    (void)scene;
    return syscall(SYS_setgroups, 0, NULL) == 0;
}

static bool capabilities(const struct scene *scene)
{
    (void)scene;
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
    return syscall(SYS_capset, &header, none) == 0;
}

static bool dumpable(const struct scene *scene)
{
    (void)scene;
    return prctl(PR_SET_DUMPABLE, 1) == 0;
}

static bool outlive_supervisor(const struct scene *scene)
{
    (void)scene;
    return prctl(PR_SET_PDEATHSIG, 0) == 0;
}

static bool persona(const struct scene *scene)
{
    (void)scene;
    return personality(ADDR_NO_RANDOMIZE) >= 0;
}

static bool more_files(const struct scene *scene)
{
    (void)scene;
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static bool core_files(const struct scene *scene)
{
    (void)scene;
    const struct rlimit some = { 1 << 20, 1 << 20 };
    return setrlimit(RLIMIT_CORE, &some) == 0;
}

static bool nicer(const struct scene *scene)
{
    (void)scene;
    return setpriority(PRIO_PROCESS, 0, 5) == 0;
}

static bool scheduler(const struct scene *scene)
{
    (void)scene;
    const struct sched_param zero = { 0 };
    return sched_setscheduler(0, SCHED_BATCH, &zero) == 0;
}

static bool affinity(const struct scene *scene)
{
    (void)scene;
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 && sched_setaffinity(0, sizeof(set), &set) == 0;
}

static bool session(const struct scene *scene)
{
    (void)scene;
    return setsid() >= 0;
}

/* --- memory that is code --- */

static bool code_map(const struct scene *scene)
{
    (void)scene;
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool code_map_only(const struct scene *scene)
{
    (void)scene;
    return mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool code_protect(const struct scene *scene)
{
    (void)scene;
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && mprotect(page, PAGE, PROT_READ | PROT_EXEC) == 0;
}

static bool code_protect_by_key(const struct scene *scene)
{
    (void)scene;
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && syscall(SYS_pkey_mprotect, page, PAGE, PROT_READ | PROT_EXEC, -1) == 0;
}

static bool code_shared(const struct scene *scene)
{
    (void)scene;
    int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0700);
    bool done = id >= 0 && shmat(id, NULL, SHM_EXEC) != (void *)-1;
    int saved = errno;
    if (id >= 0)
        shmctl(id, IPC_RMID, NULL);
    errno = saved;
    return done;
}

static const struct try_row rows[] = {
    { "trace another role", ptrace_role, .times = SCENE_OTHERS },
    { "trace a bystander", ptrace_bystander, .plain = true },
    { "process_vm_readv of another role", vm_read_role, .times = SCENE_OTHERS },
    { "process_vm_readv of a bystander", vm_read_bystander, .plain = true },
    { "process_vm_writev of a bystander", vm_write_bystander, .expected = FORBIDDEN },
    { "signal another role", signal_role, .plain = true, .times = SCENE_OTHERS },
    { "signal a bystander", signal_bystander, .plain = true },
    { "signal everybody", signal_everybody, .plain = true },
    { "signal a bystander's thread", signal_thread, .plain = true },
    { "queue a signal", signal_queue, .plain = true },
    { "signal by pidfd", signal_by_pidfd, .plain = true },
    { "have the kernel signal", signal_by_owner, .plain = true },
    { "take a bystander's descriptor", descriptor_of_bystander, .expected = FORBIDDEN },
    { "compare itself with a bystander", compare_bystander, .expected = FORBIDDEN },
    { "limit a bystander", limits_of_bystander, .plain = true },
    { "slow a bystander down", priority_of_bystander, .plain = true },
    { "exec /bin/sh", exec_shell, .plain = true },
    { "exec itself", exec_itself, .plain = true },
    { "exec by descriptor", exec_by_descriptor, .plain = true },
    { "exec from memory", exec_from_memory, .plain = true },
    { "make a file in memory", memory_file, .plain = true },
    { "fork", fork_it, .plain = true, .sanitizer = true },
    { "fork by clone", fork_by_clone, .plain = true, .sanitizer = true },
    { "fork by clone3", fork_by_clone3, .plain = true },
    { "posix_spawn", spawn_shell, .plain = true },
    { "setresuid", same_user, .plain = true },
    { "become root", root_user, .expected = FORBIDDEN },
    { "setgid", same_group, .plain = true },
    { "setgroups", groups, .expected = FORBIDDEN },
    { "capset", capabilities, .plain = true },
    { "become dumpable", dumpable, .plain = true, .sanitizer = true },
    { "outlive the supervisor", outlive_supervisor, .plain = true, .sanitizer = true },
    { "personality", persona, .expected = FORBIDDEN },
    { "set a limit", more_files, .plain = true },
    { "allow core files", core_files, .expected = FORBIDDEN },
    { "setpriority", nicer, .plain = true },
    { "sched_setscheduler", scheduler, .plain = true },
    { "sched_setaffinity", affinity, .plain = true },
    { "setsid", session, .plain = true },
    { "map memory to write and execute", code_map, .plain = true },
    { "map memory to execute", code_map_only, .plain = true },
    { "make memory executable", code_protect, .plain = true },
    { "make memory executable by key", code_protect_by_key, .plain = true },
    { "attach shared memory to execute", code_shared, .plain = true },
};
const struct try_table tries_processes = { rows, sizeof(rows) / sizeof(*rows) };
