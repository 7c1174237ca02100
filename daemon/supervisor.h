/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor: starts the roles that the configuration names, restarts one that dies, stops them in order. */
#pragma once
#include "config/config.h"

/* Serves until SIGTERM or SIGINT. Takes no ownership. Exit status: 0 after an orderly stop; 1 when a role refused to
   start the first time. */
int supervisor_run(struct config *config);
