/* SPDX-License-Identifier: Apache-2.0 */
/* The number of a CA's partitions, and one of their URLs, are in its certificates: neither changes once it has issued.
   ca_setting has both: crl_partitions (absent: 1), and crl_partition_urls, those of cdp_urls that every certificate has. */
#pragma once
#include "ca/ca.h"

/* Compares the configuration with the store; what nobody was issued by yet is kept as it is now. ERR_CONFIG names both. */
NODISCARD enum err partitions_fix(struct ca *ca, struct why *why);
