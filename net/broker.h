/* SPDX-License-Identifier: Apache-2.0 */
/* What a confined role asks its supervisor for, over one inherited socket: descriptors that it may not open itself. A question is
   { id, what }, an answer { id, status, sentence } and, where the status is OK, one descriptor. Both directions are here. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

enum broker_want {
    BROKER_CONFIG = 'c',                                     /* the configuration, to be read again */
    BROKER_SERVER = 's',                                     /* a connection to the role that the asking one asks */
};
/* The role's end; from any thread, one question at a time. */
struct broker;
struct broker *broker_new(int fd);                           /* takes fd */
void broker_free(struct broker *broker);
AUTO_DECLARE(broker)
/* ERR_BUSY: to be asked again. */
NODISCARD enum err broker_ask(struct broker *broker, enum broker_want want, int timeout_ms, int *ret_fd, struct why *why);

/* The supervisor's end: never blocks. */
struct broker_question { uint32_t id; char want; };
/* false: nothing there, or nothing that is a question; *ret_ended: nothing will come any more. */
bool broker_read(int fd, struct broker_question *ret, bool *ret_ended);
/* passed: lent; -1 with the error and a sentence. An answer that the role leaves no room for is dropped. */
void broker_answer(int fd, const struct broker_question *question, int passed, const struct why *why);
