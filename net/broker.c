/* SPDX-License-Identifier: Apache-2.0 */
/* Questions and answers over a SOCK_SEQPACKET pair: each is one message, so none can be half. */
#include "net/broker.h"

#include "base/clock.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum status { STATUS_OK, STATUS_BUSY, STATUS_FAILED };
struct answer {
    uint32_t id;
    uint8_t status;
    char text[200];
} __attribute__((packed));
#define ANSWER_HEAD_BYTES offsetof(struct answer, text)

struct broker {
    int fd;
    pthread_mutex_t lock; /* everything below */
    uint32_t next_id;
};

struct broker *broker_new(int fd)
{
    struct broker *broker = xcalloc(1, sizeof(*broker));
    broker->fd = fd;
    pthread_mutex_init(&broker->lock, NULL);
    return broker;
}

void broker_free(struct broker *broker)
{
    if (!broker)
        return;
    close(broker->fd);
    pthread_mutex_destroy(&broker->lock);
    free(broker);
}

/* Room for one descriptor beside a message, aligned as cmsg(3) wants it. */
union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static int passed_fd(struct msghdr *message)
{
    const struct cmsghdr *head = CMSG_FIRSTHDR(message);
    int fd;
    if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS ||
        head->cmsg_len != CMSG_LEN(sizeof(fd)))
        return -1;
    memcpy(&fd, CMSG_DATA(head), sizeof(fd));
    return fd;
}

/* --- the role's end --- */

/* One message; *ret_fd is -1 when nothing came with it. */
static enum err answer_receive(int from, struct answer *ret, int *ret_fd, struct why *why)
{
    union control control = { 0 };
    struct iovec data = { ret, sizeof(*ret) };
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    memset(ret, 0, sizeof(*ret));
    ssize_t got;
    do
        got = recvmsg(from, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    *ret_fd = got > 0 ? passed_fd(&message) : -1;
    if (got >= (ssize_t)ANSWER_HEAD_BYTES)
        return OK;
    return fail(why, ERR_UNAVAILABLE, "the supervisor does not answer: %s",
                got < 0 ? strerror(errno) : "it is gone");
}

static enum err answer_take(const struct answer *answer, int fd, int *ret_fd, struct why *why)
{
    if (answer->status == STATUS_OK && fd >= 0) {
        *ret_fd = fd;
        return OK;
    }
    if (fd >= 0)
        close(fd);
    return fail(why, answer->status == STATUS_BUSY ? ERR_BUSY : ERR_UNAVAILABLE, "%.*s",
                (int)sizeof(answer->text),
                *answer->text ? answer->text : "the supervisor passed no descriptor");
}

/* Answers to questions that were given up before are dropped. */
static enum err answer_wait(struct broker *broker, uint32_t id, int64_t deadline, int *ret_fd,
                            struct why *why)
{
    for (;;) {
        struct pollfd wait = { .fd = broker->fd, .events = POLLIN };
        int64_t left = deadline - clock_mono_ms();
        int ready = poll(&wait, 1, left > 0 ? (int)left : 0);
        if (ready == 0)
            return fail(why, ERR_TIMEOUT, "the supervisor does not answer");
        if (ready < 0)
            continue; /* a signal */
        struct answer answer;
        int fd;
        TRY(answer_receive(broker->fd, &answer, &fd, why));
        if (answer.id == id)
            return answer_take(&answer, fd, ret_fd, why);
        if (fd >= 0)
            close(fd);
    }
}

enum err broker_ask(struct broker *broker, enum broker_want want, int timeout_ms, int *ret_fd,
                    struct why *why)
{
    int64_t deadline = clock_mono_ms() + timeout_ms;
    pthread_mutex_lock(&broker->lock);
    const struct broker_question question = { ++broker->next_id, (char)want };
    enum err err = OK;
    if (send(broker->fd, &question, sizeof(question), MSG_NOSIGNAL | MSG_DONTWAIT) !=
        (ssize_t)sizeof(question))
        err = fail(why, ERR_UNAVAILABLE, "the supervisor cannot be asked: %s", strerror(errno));
    if (err == OK)
        err = answer_wait(broker, question.id, deadline, ret_fd, why);
    pthread_mutex_unlock(&broker->lock);
    return err;
}

/* --- the supervisor's end --- */

bool broker_read(int fd, struct broker_question *ret, bool *ret_ended)
{
    struct broker_question question = { 0 };
    /* Without room for control messages: descriptors that somebody passes us are dropped by the kernel. */
    ssize_t got = recv(fd, &question, sizeof(question), MSG_DONTWAIT | MSG_TRUNC);
    *ret_ended = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    if (got != (ssize_t)sizeof(question))
        return false;
    *ret = question;
    return true;
}

void broker_answer(int fd, const struct broker_question *question, int passed, const struct why *why)
{
    struct answer answer = { .id = question->id, .status = STATUS_OK };
    union control control = { 0 };
    struct iovec data = { &answer, sizeof(answer) };
    struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
    if (passed < 0) {
        answer.status = why->err == ERR_BUSY ? STATUS_BUSY : STATUS_FAILED;
        snprintf(answer.text, sizeof(answer.text), "%.*s", (int)sizeof(answer.text) - 1, why->text);
    } else {
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(passed));
        memcpy(CMSG_DATA(head), &passed, sizeof(passed));
    }
    (void)sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}
