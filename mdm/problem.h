/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a profile: all of it at once, so that an administrator corrects it once. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

struct problem {
    bool warning;                                            /* the profile is saved all the same; the console says it */
    char *field;                                             /* "scep_server_urls[1]"; "$" is the whole of it */
    char *got;                                               /* what is there, cut and escaped for one line; NULL: nothing */
    char *rule;                                              /* what is allowed, and why */
};
struct problems { struct problem *list; size_t count, errors; bool cut; };   /* cut: there were more than are kept */
void problems_free(struct problems *problems);

/* got: of len 0 when nothing is there. */
void problem_add(struct problems *problems, const char *field, struct bytes got, const char *rule, ...)
    __attribute__((format(printf, 4, 5)));
void problem_warn(struct problems *problems, const char *field, struct bytes got, const char *rule, ...)
    __attribute__((format(printf, 4, 5)));
/* Nothing where the field should be: said only if nothing was said of it yet. */
void problem_absent(struct problems *problems, const char *field, const char *rule, ...) __attribute__((format(printf, 3, 4)));
bool problems_have(const struct problems *problems, const char *field);
/* `field is "got": rule`; of the whole the rule alone */
void problem_append(struct buf *out, const struct problem *problem);
/* ERR_PROFILE with the first error, and how many more there are; OK when there are only warnings. */
NODISCARD enum err problems_judge(const struct problems *problems, struct why *why);
