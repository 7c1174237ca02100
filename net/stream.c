/* SPDX-License-Identifier: Apache-2.0 */
/* Socket and libssl calls with their results in one form. */
#include "net/stream.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

struct stream stream_over(int fd, struct ssl_st *ssl)
{
    if (ssl && SSL_set_fd(ssl, fd) != 1)
        die("out of memory: a TLS connection");
    return (struct stream){ .fd = fd, .ssl = ssl };
}

static enum stream_result plain_result(ssize_t got, enum stream_result want)
{
    if (got > 0)
        return STREAM_DONE;
    if (got == 0)
        return STREAM_END;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? want : STREAM_BROKEN;
}

static enum stream_result tls_result(const SSL *ssl, int got)
{
    switch (SSL_get_error(ssl, got)) {
    case SSL_ERROR_NONE:
        return STREAM_DONE;
    case SSL_ERROR_WANT_READ:
        return STREAM_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return STREAM_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return STREAM_END;
    default:
        return STREAM_BROKEN;
    }
}

enum stream_result stream_handshake(struct stream *stream)
{
    if (!stream->ssl)
        return STREAM_DONE;
    ERR_clear_error(); /* SSL_get_error looks at the thread's queue */
    return tls_result(stream->ssl, SSL_accept(stream->ssl));
}

enum stream_result stream_read(struct stream *stream, uint8_t *to, size_t size, size_t *ret_len)
{
    *ret_len = 0;
    if (!stream->ssl)
        return stream_discard(stream, to, size, ret_len);
    ERR_clear_error();
    int got = SSL_read(stream->ssl, to, (int)(size < INT_MAX ? size : INT_MAX));
    enum stream_result result = tls_result(stream->ssl, got);
    if (result == STREAM_DONE)
        *ret_len = (size_t)got;
    return result;
}

enum stream_result stream_discard(struct stream *stream, uint8_t *scratch, size_t size, size_t *ret_len)
{
    *ret_len = 0;
    ssize_t got = recv(stream->fd, scratch, size, 0);
    enum stream_result result = plain_result(got, STREAM_WANT_READ);
    if (result == STREAM_DONE)
        *ret_len = (size_t)got;
    return result;
}

enum stream_result stream_write(struct stream *stream, struct bytes data, size_t *ret_sent)
{
    *ret_sent = 0;
    if (!stream->ssl) {
        ssize_t sent = send(stream->fd, data.data, data.len, MSG_NOSIGNAL);
        enum stream_result result = plain_result(sent, STREAM_WANT_WRITE);
        if (result == STREAM_DONE)
            *ret_sent = (size_t)sent;
        return result;
    }
    ERR_clear_error();
    int sent = SSL_write(stream->ssl, data.data, (int)(data.len < INT_MAX ? data.len : INT_MAX));
    enum stream_result result = tls_result(stream->ssl, sent);
    if (result == STREAM_DONE)
        *ret_sent = (size_t)sent;
    return result;
}

void stream_notify(struct stream *stream)
{
    if (!stream->ssl)
        return;
    ERR_clear_error();
    SSL_shutdown(stream->ssl); /* whether it goes out now or never, FIN follows */
}

void stream_finish(struct stream *stream)
{
    stream_notify(stream);
    shutdown(stream->fd, SHUT_WR);
}

void stream_close(struct stream *stream)
{
    SSL_free(stream->ssl);
    if (stream->fd >= 0)
        close(stream->fd);
    *stream = (struct stream){ .fd = -1 };
}
