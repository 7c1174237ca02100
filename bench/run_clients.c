/* SPDX-License-Identifier: Apache-2.0 */
/* The clients of a run: one thread, one epoll, because it shares the cores with the server that it measures. */
#include "bench/http_answer.h"
#include "bench/run.h"

#include "base/auto.h"
#include "base/clock.h"
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES       16384
#define EVENTS           256
#define FIRST_BACKOFF_US 20000 /* before the second attempt; doubles up to 320 ms */
#define BACKOFF_DOUBLED  4
#define TICK_MS          100 /* at the most between two looks at the clock */

enum state { FREE, HOLDING, CONNECTING, READY, SENDING, READING };
struct client {
    enum state state;
    int fd; /* -1: none */
    struct sockaddr_in from;
    size_t item, attempt, sent;
    int64_t due_us, wake_us, attempt_us; /* the message's, the next attempt's, this attempt's begin */
    bool reused;                         /* the connection had an answer before */
    struct buf request, answer;
};
struct runner {
    const struct run *run;
    struct outcome *outcome;
    struct client *clients;
    int epoll;
    size_t next, busy;
    int64_t begun_us, last_answer_us;
    bool released;
};

static void attempt_over(struct runner *runner, struct client *client, const struct http_answer_read *answer);

static void disconnect(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

static void lost(struct runner *runner, struct client *client)
{
    static const struct http_answer_read nothing = { 0 };
    attempt_over(runner, client, &nothing);
}

static void write_request(const struct run *run, struct client *client)
{
    struct bytes message = run->work->items[client->item].message;
    buf_clear(&client->request);
    buf_printf(&client->request,
               "POST %s?operation=PKIOperation HTTP/1.1\r\nHost: %s\r\nContent-Type: "
               "application/x-pki-message\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n",
               run->path, run->host, message.len, run->keep ? "keep-alive" : "close");
    buf_append(&client->request, message);
    buf_clear(&client->answer);
    client->sent = 0;
}

static bool open_connection(struct runner *runner, struct client *client)
{
    const struct run *run = runner->run;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        die("no socket: %s", strerror(errno));
    client->reused = false;
    if (run->sources > 1) {
        int on = 1;
        setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
        if (bind(client->fd, (struct sockaddr *)&client->from, sizeof(client->from)) != 0)
            die("--sources: %s", strerror(errno));
    }
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data = { .ptr = client } };
    if (connect(client->fd, (const struct sockaddr *)&run->to, sizeof(run->to)) != 0 && errno != EINPROGRESS)
        return false;
    if (epoll_ctl(runner->epoll, EPOLL_CTL_ADD, client->fd, &event) != 0)
        die("epoll: %s", strerror(errno));
    return true;
}

static void begin_attempt(struct runner *runner, struct client *client, int64_t now)
{
    client->attempt_us = now;
    write_request(runner->run, client);
    if (client->fd >= 0) {
        client->state = SENDING;
        return;
    }
    client->state = CONNECTING;
    if (!open_connection(runner, client))
        lost(runner, client);
}

static void connected(struct runner *runner, struct client *client)
{
    int error = 0;
    socklen_t len = sizeof(error);
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error)
        lost(runner, client);
    else
        client->state = runner->run->together && !runner->released ? READY : SENDING;
}

/* A server may answer and close before it has read everything: its answer is in the socket still. */
static void send_more(struct client *client)
{
    struct bytes request = buf_bytes(&client->request);
    while (client->sent < request.len) {
        ssize_t sent =
            send(client->fd, request.data + client->sent, request.len - client->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0)
            break;
        client->sent += (size_t)sent;
    }
    client->state = READING;
}

/* The server closed a kept connection before it saw this request: that is no answer, another connection asks. */
static bool is_stale(const struct client *client)
{
    return client->reused && client->answer.len == 0;
}

static void receive_more(struct runner *runner, struct client *client)
{
    struct http_answer_read answer = { 0 };
    enum http_answer_state state = ANSWER_MORE;
    bool closed = false;
    while (state == ANSWER_MORE && !closed) {
        buf_reserve(&client->answer, READ_BYTES);
        ssize_t got = recv(client->fd, client->answer.data + client->answer.len, READ_BYTES, 0);
        if (got < 0 && errno == EAGAIN)
            return;
        closed = got <= 0;
        client->answer.len += closed ? 0 : (size_t)got;
        state = http_answer_read(&client->answer, closed, &answer);
    }
    if (state != ANSWER_WHOLE && is_stale(client)) {
        runner->outcome->reconnects++;
        disconnect(client);
        begin_attempt(runner, client, clock_mono_us());
    } else if (state != ANSWER_WHOLE) {
        lost(runner, client);
    } else {
        attempt_over(runner, client, &answer);
    }
}

static void progress(struct runner *runner, struct client *client)
{
    if (client->state == CONNECTING)
        connected(runner, client);
    if (client->state == SENDING)
        send_more(client);
    if (client->state == READING)
        receive_more(runner, client);
}

/* --- the course of a message --- */

static void count_status(struct outcome *outcome, int status)
{
    size_t i = 0;
    while (i < STATUSES_MAX - 1 && outcome->statuses[i].count && outcome->statuses[i].status != status)
        i++;
    outcome->statuses[i].status = status;
    outcome->statuses[i].count++;
}

static void message_over(struct runner *runner, struct client *client, int status, int64_t now)
{
    struct outcome *outcome = runner->outcome;
    count_status(outcome, status);
    if (status) {
        int64_t latency = now - client->due_us;
        outcome->answered++;
        outcome->latency_us[outcome->latencies++] = latency > UINT32_MAX ? UINT32_MAX : (uint32_t)latency;
        runner->last_answer_us = now;
    }
    client->state = FREE;
    runner->busy--;
}

static void attempt_over(struct runner *runner, struct client *client, const struct http_answer_read *answer)
{
    const struct run *run = runner->run;
    int64_t now = clock_mono_us();
    const struct attempt attempt = { (int64_t)client->item,  (int64_t)client->attempt, answer->status,
                                     now - runner->begun_us, now - client->attempt_us, answer->body };
    attempt_put(run->answers, &attempt);
    if (!run->keep || !answer->keep_alive)
        disconnect(client);
    client->reused = client->fd >= 0;
    bool wants_more = answer->status == 0 || answer->status >= 500;
    if (!wants_more || now - client->due_us >= run->retry_us) {
        message_over(runner, client, answer->status, now);
        return;
    }
    size_t doubled = client->attempt < BACKOFF_DOUBLED ? client->attempt : BACKOFF_DOUBLED;
    client->attempt++;
    client->wake_us = now + ((int64_t)FIRST_BACKOFF_US << doubled);
    client->state = HOLDING;
    runner->outcome->retries++;
}

static bool may_begin(const struct runner *runner, int64_t now)
{
    const struct run *run = runner->run;
    return runner->next < run->last && (!run->duration_us || now - runner->begun_us < run->duration_us);
}

static int64_t due_at(const struct runner *runner, int64_t now)
{
    const struct run *run = runner->run;
    size_t begun = runner->next - run->first;
    return run->rate > 0 ? runner->begun_us + (int64_t)((double)begun * 1e6 / run->rate) : now;
}

static void begin_message(struct runner *runner, struct client *client, int64_t now)
{
    client->due_us = due_at(runner, now);
    client->item = runner->next++;
    client->attempt = 0;
    runner->busy++;
    runner->outcome->sent++;
    begin_attempt(runner, client, now);
    if (client->state == SENDING)
        progress(runner, client);
}

static bool is_over_time(const struct runner *runner, const struct client *client, int64_t now)
{
    return client->state >= CONNECTING && client->state != READY &&
           now - client->attempt_us > runner->run->timeout_us;
}

/* --together: everybody is connected. */
static void release(struct runner *runner)
{
    runner->released = true;
    for (size_t i = 0; i < runner->run->clients; i++) {
        if (runner->clients[i].state == READY) {
            runner->clients[i].state = SENDING;
            progress(runner, &runner->clients[i]);
        }
    }
}

/* Returns when the clock has something to do for this client again. */
static int64_t look_at_client(struct runner *runner, struct client *client, int64_t now)
{
    if (is_over_time(runner, client, now)) {
        disconnect(client);
        lost(runner, client);
    }
    if (client->state == FREE && may_begin(runner, now)) {
        if (due_at(runner, now) > now)
            return due_at(runner, now);
        begin_message(runner, client, now);
    }
    if (client->state == HOLDING && client->wake_us <= now) {
        begin_attempt(runner, client, now);
        if (client->state == SENDING)
            progress(runner, client);
    }
    return client->state == HOLDING ? client->wake_us : INT64_MAX;
}

/* Returns how long nothing is due, in ms. */
static int look_at_clock(struct runner *runner)
{
    int64_t now = clock_mono_us(), wake = now + TICK_MS * 1000;
    bool connecting = false;
    for (size_t i = 0; i < runner->run->clients; i++) {
        struct client *client = &runner->clients[i];
        int64_t due = look_at_client(runner, client, now);
        wake = due < wake ? due : wake;
        connecting = connecting || client->state == CONNECTING;
        /* Answered at once: on to the next message without waiting for an event that does not come. */
        if (client->state == FREE && may_begin(runner, now) && due_at(runner, now) <= now)
            wake = now;
    }
    if (!connecting && !runner->released)
        release(runner);
    return wake > now ? (int)((wake - now + 999) / 1000) : 0;
}

static void make_clients(struct runner *runner)
{
    const struct run *run = runner->run;
    runner->clients = xcalloc(run->clients, sizeof(struct client));
    for (size_t i = 0; i < run->clients; i++) {
        runner->clients[i].fd = -1;
        runner->clients[i].from =
            (struct sockaddr_in){ .sin_family = AF_INET,
                                  .sin_addr = { htonl(INADDR_LOOPBACK + (uint32_t)(i % run->sources)) } };
    }
}

void run_clients(const struct run *run, struct outcome *ret)
{
    struct runner runner = { .run = run, .outcome = ret, .next = run->first, .released = !run->together };
    struct epoll_event events[EVENTS];
    make_clients(&runner);
    ret->latency_us = xcalloc(run->last > run->first ? run->last - run->first : 1, sizeof(uint32_t));
    runner.epoll = epoll_create1(EPOLL_CLOEXEC);
    runner.begun_us = clock_mono_us();
    int wait_ms = look_at_clock(&runner);
    while (runner.busy || may_begin(&runner, clock_mono_us())) {
        int count = epoll_wait(runner.epoll, events, EVENTS, wait_ms);
        for (int i = 0; i < count; i++)
            progress(&runner, events[i].data.ptr);
        wait_ms = look_at_clock(&runner);
    }
    for (size_t i = 0; i < run->clients; i++) {
        disconnect(&runner.clients[i]);
        buf_free(&runner.clients[i].request);
        buf_free(&runner.clients[i].answer);
    }
    free(runner.clients);
    close(runner.epoll);
    ret->next = runner.next;
    ret->elapsed_us = runner.last_answer_us ? runner.last_answer_us - runner.begun_us : 0;
}
