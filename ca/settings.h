/* SPDX-License-Identifier: Apache-2.0 */
/* From the configuration to the context: the only place of this folder that knows option names. */
#pragma once
#include "ca/ca.h"
#include "config/config.h"

/* Adds every ca section (certificate: state_dir/ca/certs/ca-NAME.crt.pem) and every endpoint section. */
NODISCARD enum err settings_add_issuers(const struct config *config, struct ca *ca, struct why *why);
NODISCARD enum err settings_add_endpoints(const struct config *config, struct ca *ca, struct why *why);
