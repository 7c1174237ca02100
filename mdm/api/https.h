/* SPDX-License-Identifier: Apache-2.0 */
/* The administration API over HTTPS. */
#pragma once

struct http_exchange;
struct mdm;
struct pool;
struct https_way { struct mdm *mdm; struct pool *pool; };
void api_https_handle(struct http_exchange *exchange, void *https_way);   /* an http_handler */
