/* SPDX-License-Identifier: Apache-2.0 */
/* How each entry of a policy file is taken; only policy.c and policy_take.c include this. */
#pragma once
#include "cli/policy.h"

struct policy_reading {
    struct policy *policy;
    int64_t key_length; int length_line;                     /* line 0: not said */
    bool signs_only; int usage_line;                         /* KeySpec = 2 */
    bool has_names, names_open;                              /* 2.5.29.17 was there; its text so far ends in '&' or is empty */
};
struct policy_row {
    const char *section, *name;
    enum err (*take)(struct policy_reading *reading, const struct policy_row *row, const struct ini_entry *entry, struct why *why);
    bool repeats;
};
#define POLICY_TAKE(what)                                                                                \
    enum err policy_take_##what(struct policy_reading *reading, const struct policy_row *row, const struct ini_entry *entry, \
                                struct why *why)
POLICY_TAKE(signature);
POLICY_TAKE(subject);
POLICY_TAKE(key_length);
POLICY_TAKE(key_spec);
POLICY_TAKE(key_algorithm);
POLICY_TAKE(key_usage);
POLICY_TAKE(request_type);
POLICY_TAKE(hash);
POLICY_TAKE(purpose);
POLICY_TAKE(names);
POLICY_TAKE(more_names);
POLICY_TAKE(flag);                                           /* TRUE or FALSE, without effect here */
POLICY_TAKE(any);                                            /* any text, without effect here */
POLICY_TAKE(false);                                          /* FALSE: what TRUE asks for is not done here */
/* What entries say of each other. */
NODISCARD enum err policy_finish(struct policy_reading *reading, struct why *why);
