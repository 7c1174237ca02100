/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the supervisor: what is answered, what is late, and what is no question. */
#include "tests/unit/test.h"

#include "net/broker.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOON_MS 50
#define LONG_MS 5000

struct ends {
    struct broker *broker;
    int supervisor;
};

static struct ends ends_new(void)
{
    int pair[2];
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
    return (struct ends){ broker_new(pair[0]), pair[1] };
}

static void ends_free(struct ends *ends)
{
    broker_free(ends->broker);
    if (ends->supervisor >= 0)
        close(ends->supervisor);
}

/* A supervisor that answers one question, in a thread. */
struct answering {
    int fd;
    enum err err;       /* OK: with a descriptor of /dev/null */
    unsigned forgotten; /* this many answers to questions that nobody asked come before */
    struct broker_question asked;
};

static void *answer_one(void *arg)
{
    struct answering *it = arg;
    struct why why = { 0 };
    bool ended = false;
    while (!broker_read(it->fd, &it->asked, &ended) && !ended)
        usleep(1000);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (unsigned i = 0; i < it->forgotten; i++) {
        const struct broker_question other = { it->asked.id + 1 + i, it->asked.want };
        broker_answer(it->fd, &other, null, &why);
    }
    if (it->err != OK)
        (void)fail(&why, it->err, "not now");
    broker_answer(it->fd, &it->asked, it->err == OK ? null : -1, &why);
    close(null);
    return NULL;
}

static enum err ask_answered(struct ends *ends, struct answering *it, int *ret_fd, struct why *why)
{
    pthread_t thread;
    it->fd = ends->supervisor;
    assert_int_equal(0, pthread_create(&thread, NULL, answer_one, it));
    enum err err = broker_ask(ends->broker, BROKER_CONFIG, LONG_MS, ret_fd, why);
    pthread_join(thread, NULL);
    return err;
}

static unsigned descriptors_open(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

TEST(what_is_asked_for_comes_as_a_descriptor_that_closes_on_exec)
{
    struct ends ends = ends_new();
    struct answering it = { 0 };
    struct why why = { 0 };
    struct stat info;
    int fd = -1;
    ASSERT_OK(ask_answered(&ends, &it, &fd, &why), &why);
    assert_int_equal(BROKER_CONFIG, it.asked.want);
    assert_int_equal(0, fstat(fd, &info));
    assert_true(S_ISCHR(info.st_mode));
    assert_int_equal(FD_CLOEXEC, fcntl(fd, F_GETFD));
    close(fd);
    ends_free(&ends);
}

TEST(a_refusal_carries_its_sentence_and_busy_is_told_apart)
{
    struct ends ends = ends_new();
    struct answering busy = { .err = ERR_BUSY }, refused = { .err = ERR_NOT_AUTHORISED };
    struct why why = { 0 };
    int fd = -1;
    ASSERT_ERR(ERR_BUSY, ask_answered(&ends, &busy, &fd, &why), &why);
    ASSERT_ERR(ERR_UNAVAILABLE, ask_answered(&ends, &refused, &fd, &why), &why);
    assert_string_equal("not now", why.text);
    assert_int_equal(-1, fd);
    ends_free(&ends);
}

TEST(answers_to_other_questions_are_dropped_with_their_descriptors)
{
    struct ends ends = ends_new();
    struct answering it = { .forgotten = 3 };
    struct why why = { 0 };
    int fd = -1;
    unsigned before = descriptors_open();
    ASSERT_OK(ask_answered(&ends, &it, &fd, &why), &why);
    close(fd);
    assert_int_equal(before, descriptors_open());
    ends_free(&ends);
}

TEST(a_supervisor_that_is_silent_or_gone_is_an_error_in_time)
{
    struct ends ends = ends_new();
    struct why why = { 0 };
    int fd = -1;
    ASSERT_ERR(ERR_TIMEOUT, broker_ask(ends.broker, BROKER_SERVER, SOON_MS, &fd, &why), &why);
    close(ends.supervisor);
    ends.supervisor = -1;
    ASSERT_ERR(ERR_UNAVAILABLE, broker_ask(ends.broker, BROKER_SERVER, SOON_MS, &fd, &why), &why);
    ends_free(&ends);
}

TEST(what_is_no_question_is_none_and_the_end_is_told)
{
    struct broker_question question = { 7, 7 };
    int pair[2];
    bool ended;
    uint8_t bytes[64] = { 0 };
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    assert_false(broker_read(pair[1], &question, &ended));
    assert_false(ended); /* nothing there yet */
    for (size_t len = 1; len < sizeof(bytes); len++) {
        assert_int_equal(len, send(pair[0], bytes, len, 0));
        assert_int_equal(len == sizeof(question), broker_read(pair[1], &question, &ended));
        assert_false(ended);
    }
    close(pair[0]);
    assert_false(broker_read(pair[1], &question, &ended));
    assert_true(ended);
    close(pair[1]);
}

/* A captured role may pass descriptors to its supervisor, until that has none left. */
TEST(descriptors_that_a_role_sends_are_not_taken)
{
    int pair[2], null = open("/dev/null", O_RDONLY);
    struct why why = { 0 };
    bool ended;
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    unsigned before = descriptors_open();
    struct broker_question question = { 1, BROKER_CONFIG };
    broker_answer(pair[0], &question, null, &why); /* an answer is the one thing at hand that carries one */
    assert_false(broker_read(pair[1], &question, &ended));
    assert_int_equal(before, descriptors_open());
    close(pair[0]);
    close(pair[1]);
    close(null);
}

/* And may ask without ever reading: the supervisor goes on. */
TEST(a_role_that_never_reads_does_not_hold_the_supervisor_up)
{
    int pair[2];
    struct why why = { 0 };
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    const struct broker_question question = { 1, BROKER_CONFIG };
    (void)fail(&why, ERR_BUSY, "x");
    for (int i = 0; i < 10000; i++)
        broker_answer(pair[1], &question, -1, &why);
    close(pair[0]);
    broker_answer(pair[1], &question, -1, &why); /* nor does one that is gone */
    close(pair[1]);
}

RUN(T(what_is_asked_for_comes_as_a_descriptor_that_closes_on_exec),
    T(a_refusal_carries_its_sentence_and_busy_is_told_apart),
    T(answers_to_other_questions_are_dropped_with_their_descriptors),
    T(a_supervisor_that_is_silent_or_gone_is_an_error_in_time),
    T(what_is_no_question_is_none_and_the_end_is_told), T(descriptors_that_a_role_sends_are_not_taken),
    T(a_role_that_never_reads_does_not_hold_the_supervisor_up))
