/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of the flood: connect, handshake, send, hold or wait for the answer. */
#include "tests/support/flood.h"

#include "base/clock.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOURCES_FROM 0x7F010001u /* 127.1.0.1 and on: never the address of who is measured beside the flood */
#define DRIP_MS      1000

static const char *opening_of(const struct line *line)
{
    static const char *const openings[KINDS] = {
        [KIND_IDLE] = "",
        [KIND_HEADER] = "GET /scep?operation=GetCACaps HTTP/1.1\r\nHost: flood\r\nX-Slow: ",
        [KIND_BODY] =
            "POST /scep?operation=PKIOperation HTTP/1.1\r\nHost: flood\r\nContent-Length: 60000\r\n\r\n",
    };
    return openings[line->kind];
}

static struct bytes to_send(const struct line *line)
{
    return line->kind == KIND_POST ? buf_bytes(&line->request) : bytes_str(opening_of(line));
}

static int source_bind(struct flood *flood)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0)
        return -1;
    uint32_t source = SOURCES_FROM + (uint32_t)(flood->source_next++ % flood->options.sources);
    const struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(source) };
    /* The port is chosen at connect: as many connections from one address as there are ports, to each server. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool line_open(struct line *line)
{
    struct flood *flood = line->flood;
    int fd = source_bind(flood);
    if (fd < 0)
        return false;
    const struct sockaddr *to = (const struct sockaddr *)&flood->options.to;
    if (connect(fd, to, sizeof(flood->options.to)) != 0 && errno != EINPROGRESS) {
        close(fd);
        return false;
    }
    line->fd = fd;
    line->phase = PHASE_CONNECTING;
    line->sent = line->got = 0;
    line->began_us = clock_mono_us();
    line->next_drip_ms = clock_mono_ms() + DRIP_MS;
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = line };
    if (epoll_ctl(flood->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        line_close(line);
        return false;
    }
    flood->counts.opened++;
    return true;
}

void line_close(struct line *line)
{
    if (line->phase == PHASE_FREE)
        return;
    if (line->phase == PHASE_HOLDING && line->kind != KIND_POST)
        line->flood->held_now--;
    SSL_free(line->ssl);
    line->ssl = NULL;
    close(line->fd);
    line->phase = PHASE_FREE;
}

static void answer_count(struct line *line)
{
    struct flood_counts *counts = &line->flood->counts;
    int status = 0;
    line->answer[line->got < sizeof(line->answer) ? line->got : sizeof(line->answer) - 1] = '\0';
    if (sscanf(line->answer, "HTTP/1.1 %3d", &status) != 1 || status < 100 || status > 599) {
        counts->closed += line->kind != KIND_POST;
        counts->cut += line->kind == KIND_POST;
        if (line->kind == KIND_POST)
            post_again(line->flood, line);
        return;
    }
    counts->status[status]++;
    counts->with_retry_after += strstr(line->answer, "Retry-After:") != NULL;
    if (line->kind != KIND_POST)
        return;
    if (status != 200) {
        post_again(line->flood, line);
        return;
    }
    int64_t now_us = clock_mono_us();
    counts->latency_us[counts->latency_count++] = (uint32_t)(now_us - line->due_us);
    counts->last_us = now_us - line->flood->began_us;
}

/* The server ended it: what it said counts, and the line may be opened anew. */
static void line_ended(struct line *line)
{
    struct flood *flood = line->flood;
    if (line->phase != PHASE_CONNECTING && line->phase != PHASE_HANDSHAKING) {
        answer_count(line);
    } else {
        flood->counts.failed++;
        if (line->kind == KIND_POST)
            post_again(flood, line);
    }
    line_close(line);
    if (line->kind == KIND_POST) {
        line->next_free = flood->free_posts;
        flood->free_posts = line;
        flood->posts_open--;
    }
}

/* Above 0: bytes; 0: later; below: over. */
static int line_read(struct line *line, char *to, int size)
{
    if (line->ssl) {
        ERR_clear_error();
        int got = SSL_read(line->ssl, to, size);
        if (got > 0)
            return got;
        int error = SSL_get_error(line->ssl, got);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    ssize_t got = recv(line->fd, to, (size_t)size, 0);
    return got > 0 ? (int)got : got < 0 && errno == EAGAIN ? 0 : -1;
}

static int line_write(struct line *line, struct bytes data)
{
    if (line->ssl) {
        ERR_clear_error();
        int sent = SSL_write(line->ssl, data.data, (int)data.len);
        if (sent > 0)
            return sent;
        int error = SSL_get_error(line->ssl, sent);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    ssize_t sent = send(line->fd, data.data, data.len, MSG_NOSIGNAL);
    return sent > 0 ? (int)sent : sent < 0 && errno == EAGAIN ? 0 : -1;
}

static bool handshake_step(struct line *line)
{
    if (!line->flood->tls)
        return true;
    if (!line->ssl) {
        line->ssl = SSL_new(line->flood->tls);
        if (!line->ssl || SSL_set_fd(line->ssl, line->fd) != 1)
            die("out of memory: a TLS connection");
    }
    ERR_clear_error();
    int done = SSL_connect(line->ssl);
    if (done == 1)
        return true;
    int error = SSL_get_error(line->ssl, done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        line_ended(line);
    return false;
}

static void line_holds(struct line *line)
{
    struct flood *flood = line->flood;
    line->phase = PHASE_HOLDING;
    if (line->kind == KIND_POST)
        return;
    flood->held_now++;
    if (flood->held_now > flood->counts.held_most)
        flood->counts.held_most = flood->held_now;
}

static void send_step(struct line *line)
{
    struct bytes all = to_send(line);
    while (line->sent < all.len) {
        int sent = line_write(line, bytes_of(all.data + line->sent, all.len - line->sent));
        if (sent < 0) /* it may have answered before it closed */
            break;
        if (sent == 0)
            return;
        line->sent += (size_t)sent;
    }
    line_holds(line);
}

static void read_step(struct line *line)
{
    char piece[16384];
    int got;
    while ((got = line_read(line, piece, sizeof(piece))) > 0) {
        size_t room = sizeof(line->answer) - 1 -
                      (line->got < sizeof(line->answer) ? line->got : sizeof(line->answer) - 1);
        size_t keep = (size_t)got < room ? (size_t)got : room;
        if (keep)
            memcpy(line->answer + line->got, piece, keep);
        line->got += (size_t)got;
    }
    if (got < 0)
        line_ended(line);
}

void line_event(struct line *line, uint32_t events)
{
    if (line->phase == PHASE_CONNECTING) {
        int error = 0;
        socklen_t len = sizeof(error);
        if (getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error) {
            line_ended(line);
            return;
        }
        if (!(events & EPOLLOUT))
            return;
        line->phase = PHASE_HANDSHAKING;
    }
    if (line->phase == PHASE_HANDSHAKING && handshake_step(line))
        line->phase = PHASE_SENDING;
    if (line->phase == PHASE_SENDING)
        send_step(line);
    if (line->phase == PHASE_SENDING || line->phase == PHASE_HOLDING)
        read_step(line);
}

void line_drip(struct line *line, int64_t now_ms)
{
    if (line->phase != PHASE_HOLDING || (line->kind != KIND_HEADER && line->kind != KIND_BODY) ||
        now_ms < line->next_drip_ms)
        return;
    line->next_drip_ms = now_ms + DRIP_MS;
    line_write(line, BYTES_LIT("x"));
}
