/* SPDX-License-Identifier: Apache-2.0 */
/* What an HTTP request asks for (RFC 8894 4.1): answered at once, or handed to a worker. */
#pragma once
#include "http/server.h"
#include "scep/scep.h"
#include "scep/transaction.h"

/* A refused message is answered at a multiple of this after it arrived whole, so that nobody can time how far it came.
   What it covers (a decryption, a call to ca, a signature) takes 1 to 5 ms when the machine is not overloaded. Counted
   from when the handler got the message, not from its first byte, which the sender could stretch. */
#define REFUSAL_HOLD_US 100000
int64_t refusal_time(int64_t arrived_us, int64_t now_us);

/* http_handler; arg is a struct scep. */
void operation_handle(struct http_exchange *exchange, void *arg);

/* What the loop thread decides by itself, without an exchange: tests call it. */
enum operation_kind { OPERATION_ANSWER, OPERATION_PKI };
struct operation { enum operation_kind kind; const struct endpoint *endpoint; struct http_answer answer; };
void operation_decide(struct scep *scep, const struct endpoint_set *set, const struct http_request *request,
                      struct operation *ret);
char *operation_note(const char *transaction_id);            /* "txid=…", for the access log; caller frees */
/* The pkiMessage of a request: the body of a POST, or the base64 of a GET's `message`. */
NODISCARD enum err operation_message(const struct http_request *request, struct buf *ret, struct why *why);
