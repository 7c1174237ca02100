/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of its own for each test, and how it is asked: by the routes, as administrators do. */
#pragma once
#include "mdm/api/route.h"
#include "tests/unit/store/place.h"
#include "tests/unit/test.h"
#include <jansson.h>

#define NOW 1790000000

struct directory {
    struct mdm mdm;
    struct clock clock;
    struct api_caller caller;            /* an administrator who may do everything; to be changed */
    int status;                          /* of the last answer */
    json_t *answer;                      /* its body; NULL: none */
    char *headers;                       /* owned */
};
extern struct directory directory;
/* Setup and teardown of a test; place_make goes before. */
extern struct place directory_place;
int directory_begin(void **state);
int directory_end(void **state);

/* body NULL: none. Gives the status. */
int ask(enum http_method method, const char *target, const char *body);
int ask_with(const struct api_request *request);
int answered_with(struct api_answer *answer);               /* keeps it as the last one; gives its status */
const char *answered(const char *member);                   /* of the answer's object; "" when it has none */
const char *detail(void);                                   /* of a problem */
/* Asks and demands that status; then the id of what was made. Static, good until the next one but three. */
const char *made(const char *target, const char *body);
#define ASSERT_STATUS(wanted_, call)                                                                     \
    do {                                                                                                 \
        int status_ = (call);                                                                            \
        if (status_ != (wanted_))                                                                        \
            fail_msg("%s gave %d (%s), wanted %d", #call, status_, detail(), (wanted_));                 \
    } while (0)
#define ASSERT_SAYS(text) assert_non_null(strstr(detail(), text))
int64_t counted(const char *sql);                            /* one number */
#define D(name) cmocka_unit_test_setup_teardown(name, directory_begin, directory_end)
#define DIRECTORY_MAIN(...)                                                                              \
    int main(int argc, char **argv)                                                                      \
    {                                                                                                    \
        struct CMUnitTest tests[] = { __VA_ARGS__ };                                                     \
        place_make(&directory_place, argc > 1 ? argv[1] : "sqlite");                                     \
        return place_run(&directory_place, NULL, tests, sizeof(tests) / sizeof(tests[0]));               \
    }
