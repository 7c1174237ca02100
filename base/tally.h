/* SPDX-License-Identifier: Apache-2.0 */
/* How often each address did something within a window of time: a count-min sketch, so memory is bounded whatever the
   number of addresses. It may count too much, for one bystander in a thousand, and never too little. */
#pragma once
#include "base/network.h"

struct tally;
NODISCARD enum err tally_new(int window_ms, struct tally **ret, struct why *why);
void tally_free(struct tally *tally);
struct tally_count { unsigned address, total; };             /* in this window; an address's stops at 65535 */
struct address tally_key(const char *peer);                  /* whom it counts: what is no address counts as its text */
struct tally_count tally_add(struct tally *tally, const char *peer, int64_t now_ms);   /* once more; with this one */
struct tally_count tally_now(struct tally *tally, const char *peer, int64_t now_ms);   /* peer "": the total counts */
