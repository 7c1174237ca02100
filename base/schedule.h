/* SPDX-License-Identifier: Apache-2.0 */
/* How the kernel shares the processor among a role's threads, and with the other roles. */
#pragma once

/* For this thread and all that it begets. Whoever is woken waits until the thread that runs has no more to do, or its turn of
   some milliseconds is over: under load each role then does what has gathered in one go, and flushes and system calls are
   shared. With nothing else to run a thread that is woken runs at once, as before. A kernel that knows no such wish, or a
   container that forbids it, changes nothing but the speed. */
void schedule_in_batches(void);
