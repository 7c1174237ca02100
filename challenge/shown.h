/* SPDX-License-Identifier: Apache-2.0 */
/* Two values side by side in one sentence of a refusal, however long they are: escaped, and from where they differ. */
#pragma once
#include "base/bytes.h"

#define SHOWN_MAX 184                                        /* two of them and some words fit struct why */
struct shown { char text[SHOWN_MAX + 1]; };
struct shown_pair { struct shown csr, challenge; };
/* Text forms, as name_append_text makes them; empty ones are shown as they are. */
struct shown_pair shown_pair_of(struct bytes csr, struct bytes challenge);
