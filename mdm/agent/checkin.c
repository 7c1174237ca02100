/* SPDX-License-Identifier: Apache-2.0 */
/* POST /device/v1/checkin. */
#include "mdm/agent/call.h"

#include "base/limits.h"
#include "mdm/checkin.h"
#include "mdm/device_store.h"

#define FINGERPRINT_TEXT   64
#define RESULT_CODE_MOST   47
#define RESULT_DETAIL_MOST 319

struct report {
    struct object given;
    struct installed *installed;
    size_t count;
    struct result *results;
    size_t result_count;
};

static void report_free(struct report *report)
{
    object_free(&report->given);
    free(report->installed);
    free(report->results);
}

static bool is_fingerprint(const char *text)
{
    return text && strlen(text) == FINGERPRINT_TEXT && strspn(text, "0123456789abcdef") == FINGERPRINT_TEXT;
}

/* Text of the body, which outlives the report. */
static enum err installed_take(const json_t *json, size_t index, struct installed *ret, struct why *why)
{
    TRY(json_members_check(json, "thumbprint key profile", why));
    const json_t *profile = json_object_get(json, "profile");
    *ret = (struct installed){ json_string_value(json_object_get(json, "thumbprint")),
                               json_string_value(json_object_get(json, "key")), json_string_value(profile) };
    if (!is_fingerprint(ret->thumbprint) || !is_fingerprint(ret->key))
        return fail(why, ERR_VALUE,
                    "installed[%zu]: thumbprint and key are %d lower-case hexadecimal digits each (SHA-256)",
                    index, FINGERPRINT_TEXT);
    if (profile && !json_is_null(profile) && !(ret->profile && uuid_is(bytes_str(ret->profile))))
        return fail(why, ERR_VALUE, "installed[%zu]: profile is the UUID of one, or null", index);
    return OK;
}

static enum err array_check(const json_t *json, const char *name, size_t most, struct why *why)
{
    if (!json_is_array(json))
        return fail(why, ERR_VALUE, "%s is a JSON array", name);
    if (json_array_size(json) > most)
        return fail(why, ERR_VALUE, "%s has %zu items, limit %zu", name, json_array_size(json), most);
    return OK;
}

static enum err list_take(const json_t *list, struct report *report, struct why *why)
{
    if (!list)
        return OK;
    TRY(array_check(list, "installed", LIMIT_INSTALLED, why));
    report->installed = xcalloc(json_array_size(list) + 1, sizeof(*report->installed));
    for (size_t i = 0; i < json_array_size(list); i++) {
        TRY(installed_take(json_array_get(list, i), i, &report->installed[i], why));
        for (size_t other = 0; other < i; other++) {
            if (strcmp(report->installed[other].thumbprint, report->installed[i].thumbprint) == 0)
                return fail(why, ERR_VALUE, "installed[%zu] has the thumbprint of installed[%zu]", i, other);
        }
        report->count++;
    }
    return OK;
}

/* Of what went wrong, in the device's own words. */
static enum err words_take(const json_t *item, const char *name, size_t most, const char **ret,
                           struct why *why)
{
    struct bytes text;
    if (!json_object_get(item, name))
        return OK;
    TRY(agent_text(item, name, most, &text, why));
    *ret = (const char *)text.data;
    return OK;
}

static enum err result_take(const json_t *item, size_t index, struct result *ret, struct why *why)
{
    struct bytes id, state;
    TRY(json_members_check(item, "id state code detail", why));
    TRY(agent_text(item, "id", UUID_TEXT - 1, &id, why));
    TRY(agent_text(item, "state", 16, &state, why));
    TRY(words_take(item, "code", RESULT_CODE_MOST, &ret->code, why));
    TRY(words_take(item, "detail", RESULT_DETAIL_MOST, &ret->detail, why));
    ret->id = (const char *)id.data;
    ret->done = bytes_equal(state, BYTES_LIT("done"));
    if (!uuid_is(id) || !(ret->done || bytes_equal(state, BYTES_LIT("failed"))))
        return fail(why, ERR_VALUE, "results[%zu]: id is a UUID, and state is done or failed", index);
    return OK;
}

static enum err results_take(const json_t *list, struct report *report, struct why *why)
{
    size_t index;
    json_t *item;
    if (!list)
        return OK;
    TRY(array_check(list, "results", LIMIT_RESULTS, why));
    report->results = xcalloc(json_array_size(list) + 1, sizeof(*report->results));
    json_array_foreach(list, index, item)
    {
        TRY(result_take(item, index, &report->results[index], why));
        report->result_count++;
    }
    return OK;
}

static enum err report_take(const struct agent_call *call, struct report *ret, struct why *why)
{
    const json_t *device = json_object_get(call->json, "device");
    TRY(json_members_check(call->json, "device installed results", why));
    if (device)
        TRY(agent_device_take(device, &ret->given, why));
    TRY(list_take(json_object_get(call->json, "installed"), ret, why));
    return results_take(json_object_get(call->json, "results"), ret, why);
}

static json_t *answer_json(const struct agent_call *call, const struct standing *standing)
{
    const char *state = word_name(&device_state_words, (int)standing->state);
    if (standing->state != DEVICE_ENROLLED)
        return json_pack("{s:s}", "state", state);
    return json_pack("{s:s, s:i, s:b, s:o}", "state", state, "poll_after_s",
                     checkin_poll_s(standing->platform, call->now - standing->enrolled_at), "renew",
                     call->identity.not_after - call->now < DEVICE_RENEW_BEFORE_S, "do",
                     agent_orders_json(call, &standing->orders, standing->platform));
}

enum err agent_checkin(struct agent_call *call, struct why *why)
{
    AUTO_VAL(report) report = { .given = { .class = &device_class } };
    AUTO_VAL(standing) standing = { 0 };
    TRY(report_take(call, &report, why));
    const struct checkin said = { .mdm = call->mdm,
                                  .identity = &call->identity,
                                  .given = &report.given,
                                  .installed = report.installed,
                                  .installed_count = report.count,
                                  .results = report.results,
                                  .result_count = report.result_count,
                                  .told_installed = json_object_get(call->json, "installed") != NULL,
                                  .whole = call->request->body,
                                  .now = call->now };
    TRY(checkin(&said, &standing, why));
    call->result = answer_json(call, &standing);
    return OK;
}
