/* SPDX-License-Identifier: Apache-2.0 */
/* One non-blocking connection, plain or TLS, read and written alike. Holds no bytes of its own, so an idle connection
   costs next to nothing and a paused one pushes back on its peer. */
#pragma once
#include "base/bytes.h"

struct ssl_st;
struct stream { int fd; struct ssl_st *ssl; };               /* ssl NULL: plain; both owned */
enum stream_result { STREAM_DONE, STREAM_WANT_READ, STREAM_WANT_WRITE, STREAM_END, STREAM_BROKEN };

struct stream stream_over(int fd, struct ssl_st *ssl);       /* takes both */
enum stream_result stream_handshake(struct stream *stream);  /* plain: DONE at once */
enum stream_result stream_read(struct stream *stream, uint8_t *to, size_t size, size_t *ret_len);
enum stream_result stream_write(struct stream *stream, struct bytes data, size_t *ret_sent);
/* Says that nothing more comes (close_notify, then FIN); reading goes on. */
void stream_finish(struct stream *stream);
void stream_notify(struct stream *stream);                   /* the close_notify alone: stream_close follows, and is the FIN */
/* Throws away what the peer still sends, beneath TLS. */
enum stream_result stream_discard(struct stream *stream, uint8_t *scratch, size_t size, size_t *ret_len);
void stream_close(struct stream *stream);
