/* SPDX-License-Identifier: Apache-2.0 */
/* What at_call.c (threads) and at_call_set.c (calls) share. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define THREADS_MAX 512

enum call_set { SET_STATE = 1, SET_IO = 2 };
enum call_action { ACT_NOTHING, ACT_KILL, ACT_SHORT, ACT_FAIL };
struct thread { pid_t tid; bool held, failing; };
struct tracer {
    pid_t pid;
    enum call_set set;
    enum call_action action;
    int error, at, times, seen;
    struct thread threads[THREADS_MAX]; size_t count;
    bool told;                                               /* that it is attached */
};
struct call { long number; uint64_t args[6]; char text[600]; };

bool call_set_by_name(const char *name, enum call_set *ret);
bool call_action_by_name(const char *name, struct tracer *tracer);
bool call_is_entry(pid_t tid);
bool call_read(const struct tracer *tracer, pid_t tid, struct call *ret);    /* false: none of ours */
bool call_counts(const struct tracer *tracer, const struct call *call);
bool call_skip(pid_t tid);                                   /* the call that begins is not done */
void call_result(pid_t tid, int64_t result);                 /* what the call that ends returns */
void call_shorten(pid_t tid, const struct call *call);       /* half of what is to be written */
