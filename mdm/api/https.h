/* SPDX-License-Identifier: Apache-2.0 */
/* The administration API, and what devices ask, over HTTPS. */
#pragma once

struct http_exchange;
struct mdm;
struct pool;
struct api_answer;
/* What a listener serves, on a worker. */
typedef void (*https_serve)(struct http_exchange *exchange, struct mdm *mdm, struct api_answer *ret);
struct https_way { struct mdm *mdm; struct pool *pool; https_serve serve; };
void https_handle(struct http_exchange *exchange, void *https_way);   /* an http_handler */
void api_https_serve(struct http_exchange *exchange, struct mdm *mdm, struct api_answer *ret);
void agent_https_serve(struct http_exchange *exchange, struct mdm *mdm, struct api_answer *ret);
