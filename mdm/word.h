/* SPDX-License-Identifier: Apache-2.0 */
/* Values that are words: each enumeration of a profile has one list, and files, messages and checks spell it in one way. */
#pragma once
#include "base/bytes.h"

/* names[value]; NULL for the value that stands for none. */
struct words { const char *const *names; int count; };
#define WORDS(list) { (list), (int)(sizeof(list) / sizeof(*(list))) }

int word_find(const struct words *words, struct bytes name); /* exact spelling; -1 when there is none */
const char *word_name(const struct words *words, int value); /* "none" for a value without a name */
void words_append(struct buf *out, const struct words *words);   /* "a, b or c" */
