/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/signer/disk.h"

#include "tests/unit/test.h"
#include <errno.h>
#include <pthread.h>
#include <sys/types.h>
#include <time.h>

atomic_bool disk_flush_fails, disk_cut_fails, disk_thread_fails, disk_release_at_join;
atomic_long disk_room = -1;
atomic_int disk_interrupts, disk_flushes;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the next two */
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static bool held;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
ssize_t __real_pwrite64(int fd, const void *data, size_t len, off64_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off64_t at);
int __real_ftruncate64(int fd, off64_t len);
int __wrap_ftruncate64(int fd, off64_t len);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

int __real_pthread_join(pthread_t thread, void **ret);
int __wrap_pthread_join(pthread_t thread, void **ret);

int __wrap_fdatasync(int fd)
{
    pthread_mutex_lock(&lock);
    disk_flushes++;
    pthread_cond_broadcast(&change);
    while (held)
        pthread_cond_wait(&change, &lock);
    pthread_mutex_unlock(&lock);
    if (!disk_flush_fails)
        return __real_fdatasync(fd);
    errno = EIO;
    return -1;
}

ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    long room = disk_room;
    if (disk_interrupts > 0) {
        if (disk_interrupts-- % 2)
            len = len > 1 ? 1 : len;
        else {
            errno = EINTR;
            return -1;
        }
    }
    if (room >= 0 && len > (size_t)room)
        len = (size_t)room;
    if (room == 0) {
        errno = ENOSPC;
        return -1;
    }
    ssize_t wrote = __real_pwrite64(fd, data, len, at);
    if (room > 0 && wrote > 0)
        disk_room -= wrote;
    return wrote;
}

int __wrap_ftruncate64(int fd, off64_t len)
{
    if (!disk_cut_fails)
        return __real_ftruncate64(fd, len);
    errno = EIO;
    return -1;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    return disk_thread_fails ? EAGAIN : __real_pthread_create(thread, attr, run, arg);
}

int __wrap_pthread_join(pthread_t thread, void **ret)
{
    if (atomic_exchange(&disk_release_at_join, false))
        disk_release();
    return __real_pthread_join(thread, ret);
}

void disk_hold(void)
{
    pthread_mutex_lock(&lock);
    held = true;
    pthread_mutex_unlock(&lock);
}

void disk_wait_held(int flushes)
{
    struct timespec until;
    int late = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += test_patience_s();
    pthread_mutex_lock(&lock);
    while (disk_flushes < flushes && !late)
        late = pthread_cond_timedwait(&change, &lock, &until);
    pthread_mutex_unlock(&lock);
    if (late)
        fail_msg("%d flushes have begun, waited for %d", disk_flushes, flushes);
}

void disk_release(void)
{
    pthread_mutex_lock(&lock);
    held = false;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
}
