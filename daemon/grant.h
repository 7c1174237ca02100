/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor hands to a role that is confined and asks (net/broker.h): the configuration, opened for reading, and a
   connection to the role that its row says it asks. Nothing else, and nothing that the question could choose. */
#pragma once
#include "daemon/roles.h"

struct config;
/* One question, if one is there. false: no more will come. */
bool grant_answer(const struct config *config, const struct role_row *role, int broker_fd);
