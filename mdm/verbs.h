/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line asks of mdm. */
#pragma once
#include "ipc/server.h"

/* Each is handed a struct service. api: the record { method, target, content_type, if_match, body } to the record { status, content_type,
   headers, body }; whoever asks is the local administrator. */
extern const struct ipc_verb mdm_verbs[];
extern const size_t mdm_verb_count;
