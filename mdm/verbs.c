/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/verbs.h"

#include "http/front.h"
#include "http/tls_keeper.h"
#include "ipc/record.h"
#include "ipc/role.h"
#include "mdm/api/api.h"
#include "mdm/ldap/keeper.h"
#include "mdm/service.h"

/* --- api --- */

static enum err request_take(const struct record *record, struct api_request *ret, struct why *why)
{
    struct bytes method = BYTES_NONE;
    if (!record_find(record, "method", &method) || !api_method_by_name(method, &ret->method))
        return fail(why, ERR_USAGE, "the request has no method of HTTP");
    if (!record_find(record, "target", &ret->target))
        return fail(why, ERR_USAGE, "the request has no target");
    /* Absent is empty. */
    if (!record_find(record, "content_type", &ret->content_type))
        ret->content_type = BYTES_NONE;
    if (!record_find(record, "if_match", &ret->if_match))
        ret->if_match = BYTES_NONE;
    if (!record_find(record, "body", &ret->body))
        ret->body = BYTES_NONE;
    return OK;
}

static void answer_put(const struct api_answer *answer, struct buf *out)
{
    size_t list = records_begin(out), mark = record_begin(out);
    record_put_int(out, "status", answer->status);
    record_put_str(out, "content_type", answer->content_type);
    record_put_str(out, "headers", answer->headers);
    record_put(out, "body", buf_bytes(&answer->body));
    record_end(out, mark);
    records_end(out, list);
}

static enum err api_verb(void *arg, const struct ipc_caller *caller, struct bytes body, struct buf *ret_body,
                         struct why *why)
{
    struct service *service = arg;
    struct record record;
    const struct api_caller administrator = { caller->principal, ADMIN_ALL };
    struct api_request request = { .caller = &administrator };
    struct api_answer answer = { 0 };
    TRY(record_get(body, &record, why));
    TRY(request_take(&record, &request, why));
    api_serve(service_mdm(service), &request, &answer);
    answer_put(&answer, ret_body);
    api_answer_free(&answer);
    return OK;
}

/* --- the role --- */

static enum err reload_verb(void *arg, const struct ipc_caller *caller, struct bytes body,
                            struct buf *ret_body, struct why *why)
{
    (void)caller, (void)body, (void)ret_body, (void)why;
    struct service *service = arg;
    loop_post(service_role(service)->loop, service_reload, service);
    return OK;
}

struct counts {
    int64_t users, groups, devices, errands;
};

static enum err count_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct counts *counts = arg;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT (SELECT COUNT(*) FROM directory_user WHERE deleted_at IS NULL), "
                    "(SELECT COUNT(*) FROM directory_group WHERE deleted_at IS NULL), "
                    "(SELECT COUNT(*) FROM device WHERE deleted_at IS NULL AND state = 'enrolled'), "
                    "(SELECT COUNT(*) FROM errand WHERE done_at IS NULL)",
                    S_NO_ARGS, &rows, why));
    *counts = (struct counts){ store_int(rows, 0, 0), store_int(rows, 0, 1), store_int(rows, 0, 2),
                               store_int(rows, 0, 3) };
    return OK;
}

static enum err status_verb(void *arg, const struct ipc_caller *caller, struct bytes body,
                            struct buf *ret_body, struct why *why)
{
    (void)caller, (void)body;
    struct service *service = arg;
    struct counts counts = { 0 };
    char sandbox[64];
    TRY(store_read(service_mdm(service)->store, count_work, &counts, why));
    sandbox_state_text(&service_role(service)->sandbox, sandbox);
    size_t list = records_begin(ret_body), mark = record_begin(ret_body);
    record_put_int(ret_body, "users", counts.users);
    record_put_int(ret_body, "groups", counts.groups);
    record_put_int(ret_body, "devices", counts.devices);
    record_put_int(ret_body, "errands", counts.errands);
    record_put_time(ret_body, "tls_not_after", service_tls_not_after(service));
    record_put_str(ret_body, "sandbox", sandbox);
    record_end(ret_body, mark);
    TRY(ldap_keeper_status(service_mdm(service)->directories, ret_body, why));
    records_end(ret_body, list);
    return OK;
}

static enum err tls_show_verb(void *arg, const struct ipc_caller *caller, struct bytes body,
                              struct buf *ret_body, struct why *why)
{
    (void)caller, (void)body;
    return tls_keeper_show(service_tls(arg), ret_body, why);
}

static enum err tls_renew_verb(void *arg, const struct ipc_caller *caller, struct bytes body,
                               struct buf *ret_body, struct why *why)
{
    (void)caller, (void)body;
    return tls_keeper_renew(service_tls(arg), ret_body, why);
}

const struct ipc_verb mdm_verbs[] = {
    { "status", "cli", status_verb, NULL },
    { "reload", "cli", reload_verb, NULL },
    { "api", "cli", api_verb, NULL },
    { "tls_show", "cli", tls_show_verb, NULL },
    { "tls_renew", "cli", tls_renew_verb, NULL },
};
const size_t mdm_verb_count = sizeof(mdm_verbs) / sizeof(*mdm_verbs);
