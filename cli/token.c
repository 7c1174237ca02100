/* SPDX-License-Identifier: Apache-2.0 */
/* chancery token: what devices enrol with. */
#include "cli/api.h"

#define TOKENS "/api/v1/enrolment-tokens"

static const struct api_option wanted[] = {
    { .name = "user", .member = "owner" },   { .name = "device" }, { .name = "uses", .kind = API_NUMBER },
    { .name = "hours", .kind = API_NUMBER }, { .name = "note" },   { 0 }
};
static const struct api_option filters[] = {
    { .name = "user", .member = "owner" },
    { .name = "device" },
    { .name = "revoked", .kind = API_SWITCH, .member = "deleted", .value = "true" },
    { .name = "limit", .kind = API_COUNT },
    { 0 }
};

API_COMMAND(token_add, "token", "add", "[--user USER | --device DEVICE] [--uses N] [--hours N] [--note TEXT]",
            "make a token that devices enrol with; it is shown this once", .method = "POST", .path = TOKENS,
            .options = wanted, .show = API_OBJECT)
API_COMMAND(token_list, "token", "list", "[--user USER] [--device ID] [--revoked] [--limit N]",
            "list enrolment tokens, without what they are", .method = "GET", .path = TOKENS,
            .options = filters, .columns = "id note owner device uses_left expires_at", .show = API_LIST)
API_COMMAND(token_revoke, "token", "revoke", "TOKEN", "end a token, named by its id or note",
            .method = "DELETE", .path = TOKENS "/{}")
