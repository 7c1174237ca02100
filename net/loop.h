/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: one thread that moves bytes. Other threads hand it work with loop_post. Nothing above net/ and http/
   sees libevent. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

struct loop;
NODISCARD enum err loop_new(struct loop **ret, struct why *why);   /* also ignores SIGPIPE for the process */
void loop_free(struct loop *loop);
AUTO_DECLARE(loop)
void loop_run(struct loop *loop);                            /* until loop_stop */
void loop_stop(struct loop *loop);                           /* from any thread, or from a handler */
typedef void (*loop_fn)(void *arg);
void loop_post(struct loop *loop, loop_fn fn, void *arg);    /* from any thread: fn runs on the loop's thread, in order */
void loop_after(struct loop *loop, int ms, loop_fn fn, void *arg);    /* loop thread only; once */
/* Drops what was posted or put off with that arg and has not run yet: called before arg is freed. Tells how
   many it were. Loop thread only. */
size_t loop_forget(struct loop *loop, const void *arg);
struct loop_timer;
struct loop_timer *loop_every(struct loop *loop, int ms, loop_fn fn, void *arg);
void loop_timer_free(struct loop_timer *timer);
typedef void (*loop_signal_fn)(int signal, void *arg);
void loop_on_signal(struct loop *loop, int signal, loop_signal_fn fn, void *arg);
typedef void (*loop_fd_fn)(int fd, void *arg);
void loop_on_readable(struct loop *loop, int fd, loop_fd_fn fn, void *arg);  /* persistent, until loop_free */
struct event_base;
struct event_base *loop_base(struct loop *loop);             /* for net/ and http/ alone */
