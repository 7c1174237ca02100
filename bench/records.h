/* SPDX-License-Identifier: Apache-2.0 */
/* scep-load's files: records of four octets of length (big-endian) and one DER SEQUENCE, one after the other. */
#pragma once
#include "base/bytes.h"
#include <stdio.h>

FILE *records_create(const char *path);                      /* each of these ends the program when it can't */
void record_put(FILE *file, struct bytes der);
void records_close(FILE *file, const char *path);
struct buf records_read(const char *path);
/* false at the end. A record cut short at the end (its writer was killed) is the end too. */
bool record_next(struct bytes *rest, struct bytes *ret);
