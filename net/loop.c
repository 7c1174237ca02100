/* SPDX-License-Identifier: Apache-2.0 */
/* libevent behind a few verbs: posts from other threads arrive through an eventfd, signals and timers as
 * events. */
#include "net/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct post {
    struct post *next;
    loop_fn fn;
    void *arg;
};

/* Everything that libevent calls back for us: freed with the loop unless somebody did so before. */
struct loop_timer {
    struct loop_timer *next, **link; /* link: the pointer that points here */
    struct loop *loop;
    struct event *event;
    loop_fn fn;
    loop_fd_fn on_fd; /* also signals */
    void *arg;
};

struct loop {
    struct event_base *base;
    int wake_fd;
    struct event *wake;
    struct loop_timer *timers, *once, *watches;
    pthread_mutex_t lock; /* the rest */
    struct post *first, **last;
    size_t count;
};

static struct post *posts_take(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct post *first = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    loop->count = 0;
    pthread_mutex_unlock(&loop->lock);
    return first;
}

/* Once for all that is posted until the loop comes: whoever posts into an empty list wakes it. */
static void wake_write(const struct loop *loop)
{
    uint64_t one = 1;
    ssize_t sent;
    do
        sent = write(loop->wake_fd, &one, sizeof(one));
    while (sent < 0 && errno == EINTR);
    if (sent != (ssize_t)sizeof(one))
        die("event loop cannot be woken, errno %d", errno);
}

static struct post *post_take(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct post *post = loop->first;
    if (post) {
        if (!(loop->first = post->next))
            loop->last = &loop->first;
        loop->count--;
    }
    pthread_mutex_unlock(&loop->lock);
    return post;
}

/* One at a time: a function may post, or forget what comes after it. Bounded by what is queued now, so that
   functions that post themselves again leave room for sockets. */
static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct loop *loop = arg;
    uint64_t ignored;
    if (read(fd, &ignored, sizeof(ignored)) != (ssize_t)sizeof(ignored))
        return;
    pthread_mutex_lock(&loop->lock);
    size_t count = loop->count;
    pthread_mutex_unlock(&loop->lock);
    struct post *post;
    for (; count && (post = post_take(loop)); count--) {
        loop_fn fn = post->fn;
        void *fn_arg = post->arg;
        free(post);
        fn(fn_arg);
    }
    pthread_mutex_lock(&loop->lock);
    if (loop->count) /* they came while the list was not empty */
        wake_write(loop);
    pthread_mutex_unlock(&loop->lock);
}

void loop_post(struct loop *loop, loop_fn fn, void *arg)
{
    struct post *post = xcalloc(1, sizeof(*post));
    post->fn = fn;
    post->arg = arg;
    pthread_mutex_lock(&loop->lock);
    *loop->last = post;
    loop->last = &post->next;
    if (loop->count++ == 0)
        wake_write(loop);
    pthread_mutex_unlock(&loop->lock);
}

enum err loop_new(struct loop **ret, struct why *why)
{
    if (evthread_use_pthreads() != 0)
        return fail(why, ERR_INTERNAL, "libevent has no thread support");
    /* libssl writes with write(2): a peer that left must be an error there, not a signal. */
    signal(SIGPIPE, SIG_IGN);
    AUTO(loop) loop = xcalloc(1, sizeof(*loop));
    loop->last = &loop->first;
    pthread_mutex_init(&loop->lock, NULL);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd < 0)
        return fail(why, ERR_IO, "cannot make an eventfd, errno %d", errno);
    loop->base = event_base_new();
    if (!loop->base)
        return fail(why, ERR_INTERNAL, "libevent cannot make an event base");
    loop->wake = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
    if (!loop->wake || event_add(loop->wake, NULL) != 0)
        return fail(why, ERR_INTERNAL, "libevent cannot watch the eventfd");
    *ret = TAKE(loop);
    return OK;
}

static void watch_free(struct loop_timer *timer)
{
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    event_free(timer->event);
    free(timer);
}

static void watches_free(struct loop_timer **list)
{
    while (*list)
        watch_free(*list);
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    watches_free(&loop->timers);
    watches_free(&loop->once);
    watches_free(&loop->watches);
    struct post *post = posts_take(loop);
    while (post) {
        struct post *next = post->next;
        free(post);
        post = next;
    }
    if (loop->wake)
        event_free(loop->wake);
    if (loop->base)
        event_base_free(loop->base);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

void loop_run(struct loop *loop)
{
    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

static void stop_now(void *arg)
{
    struct loop *loop = arg;
    event_base_loopbreak(loop->base);
}

void loop_stop(struct loop *loop)
{
    loop_post(loop, stop_now, loop); /* also counts when the loop does not run yet */
}

static struct timeval timeval_ms(int ms)
{
    return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };
}

/* Links a new watch into list; the caller makes its event. */
static struct loop_timer *watch_new(struct loop *loop, struct loop_timer **list, void *arg)
{
    struct loop_timer *watch = xcalloc(1, sizeof(*watch));
    watch->loop = loop;
    watch->arg = arg;
    watch->next = *list;
    watch->link = list;
    if (*list)
        (*list)->link = &watch->next;
    *list = watch;
    return watch;
}

static void watch_start(struct loop_timer *watch, evutil_socket_t fd, short what, event_callback_fn on_event)
{
    watch->event = event_new(watch->loop->base, fd, what, on_event, watch);
    if (!watch->event)
        die("libevent cannot make an event for descriptor %d", (int)fd);
}

static void on_once(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct loop_timer *timer = arg;
    loop_fn fn = timer->fn;
    void *fn_arg = timer->arg;
    watch_free(timer);
    fn(fn_arg);
}

void loop_after(struct loop *loop, int ms, loop_fn fn, void *arg)
{
    struct loop_timer *timer = watch_new(loop, &loop->once, arg);
    timer->fn = fn;
    watch_start(timer, -1, 0, on_once);
    struct timeval wait = timeval_ms(ms);
    event_add(timer->event, &wait);
}

size_t loop_forget(struct loop *loop, const void *arg)
{
    size_t count = 0;
    pthread_mutex_lock(&loop->lock);
    struct post **at = &loop->first;
    while (*at) {
        struct post *post = *at;
        if (post->arg == arg) {
            *at = post->next;
            free(post);
            loop->count--;
            count++;
        } else {
            at = &post->next;
        }
    }
    loop->last = at;
    pthread_mutex_unlock(&loop->lock);
    struct loop_timer *next;
    for (struct loop_timer *timer = loop->once; timer; timer = next) {
        next = timer->next;
        if (timer->arg == arg) {
            watch_free(timer);
            count++;
        }
    }
    return count;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    const struct loop_timer *timer = arg;
    timer->fn(timer->arg);
}

struct loop_timer *loop_every(struct loop *loop, int ms, loop_fn fn, void *arg)
{
    struct loop_timer *timer = watch_new(loop, &loop->timers, arg);
    timer->fn = fn;
    watch_start(timer, -1, EV_PERSIST, on_tick);
    struct timeval wait = timeval_ms(ms);
    event_add(timer->event, &wait);
    return timer;
}

void loop_timer_free(struct loop_timer *timer)
{
    if (timer)
        watch_free(timer);
}

static void on_fd_event(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    const struct loop_timer *watch = arg;
    watch->on_fd((int)fd, watch->arg);
}

void loop_on_signal(struct loop *loop, int number, loop_signal_fn fn, void *arg)
{
    struct loop_timer *watch = watch_new(loop, &loop->watches, arg);
    watch->on_fd = fn;
    watch_start(watch, number, EV_SIGNAL | EV_PERSIST, on_fd_event);
    event_add(watch->event, NULL);
}

void loop_on_readable(struct loop *loop, int fd, loop_fd_fn fn, void *arg)
{
    struct loop_timer *watch = watch_new(loop, &loop->watches, arg);
    watch->on_fd = fn;
    watch_start(watch, fd, EV_READ | EV_PERSIST, on_fd_event);
    event_add(watch->event, NULL);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}
