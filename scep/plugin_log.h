/* SPDX-License-Identifier: Apache-2.0 */
/* NDESPlugin.log, which the guides tell administrators to read: what the policy module asks of the certificate registration point,
   in its words (spec challenge.md). Here the CRP is ca; its own log says why. On managed endpoints alone. */
#pragma once
#include "base/err.h"

struct transaction;
/* Before the request goes to ca. */
void plugin_log_asking(const struct transaction *tx);
/* What ca said: OK, a refusal, or an error that leaves it open. */
void plugin_log_answered(const struct transaction *tx, enum err err);
