/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/ldap/session.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/secret.h"
#include <ldap.h>
#include <stdlib.h>

#define WAIT_MS 500 /* until the stop is looked at again */

struct session {
    const struct ldap_settings *settings;
    const atomic_bool *stop;
    LDAP *ldap;
    const char *url;
};

void session_library_prepare(void)
{
    setenv("LDAPNOINIT", "1", 1);
}

void session_free(struct session *session)
{
    if (!session)
        return;
    if (session->ldap)
        (void)ldap_unbind_ext_s(session->ldap, NULL, NULL);
    free(session);
}

/* --- errors --- */

static enum err err_of(int code)
{
    switch (code) {
    case LDAP_INVALID_CREDENTIALS:
    case LDAP_INSUFFICIENT_ACCESS:
    case LDAP_INAPPROPRIATE_AUTH:
    case LDAP_STRONG_AUTH_REQUIRED:
        return ERR_NOT_AUTHORISED;
    case LDAP_TIMEOUT:
    case LDAP_TIMELIMIT_EXCEEDED:
        return ERR_TIMEOUT;
    case LDAP_NO_SUCH_OBJECT:
        return ERR_NOT_FOUND;
    case LDAP_FILTER_ERROR:
    case LDAP_INVALID_DN_SYNTAX:
        return ERR_CONFIG;
    case LDAP_SIZELIMIT_EXCEEDED:
    case LDAP_ADMINLIMIT_EXCEEDED:
        return ERR_LIMIT;
    default:
        return ERR_UNAVAILABLE;
    }
}

static bool speaks_tls(const struct session *session)
{
    return strncmp(session->url, "ldapi:", 6) != 0 &&
           (strncmp(session->url, "ldaps:", 6) == 0 || session->settings->start_tls);
}

/* What the server says is its own word: cut. libldap does not tell a host that is not there from a certificate that is refused. */
static enum err refuse(const struct session *session, const char *what, int code, struct why *why)
{
    char *said = NULL;
    bool lost = code == LDAP_SERVER_DOWN || code == LDAP_CONNECT_ERROR;
    AUTO_STR hint = lost && speaks_tls(session)
                        ? xasprintf("; it is not there, or its certificate is not for that "
                                    "host or not from ca_file %.150s",
                                    session->settings->ca_file)
                        : xstrdup("");
    (void)ldap_get_option(session->ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &said);
    enum err err = fail(why, err_of(code), "%s: %s: %s%s%.160s%s", session->url, what, ldap_err2string(code),
                        said && *said ? ": " : "", said ? said : "", hint);
    ldap_memfree(said);
    return err;
}

/* --- waiting --- */

static enum err stopped(const struct session *session, struct why *why)
{
    return session->stop && atomic_load(session->stop) ? fail(why, ERR_UNAVAILABLE, "stopped: mdm is ending")
                                                       : OK;
}

/* The next message of an operation. The caller frees it. */
static enum err message_wait(const struct session *session, int id, LDAPMessage **ret, struct why *why)
{
    int64_t until = clock_mono_ms() + session->settings->timeout_s * INT64_C(1000);
    for (;;) {
        struct timeval wait = { .tv_usec = WAIT_MS * 1000 };
        int type = ldap_result(session->ldap, id, LDAP_MSG_ONE, &wait, ret);
        if (type > 0)
            return OK;
        int code = LDAP_SERVER_DOWN;
        if (type < 0)
            (void)ldap_get_option(session->ldap, LDAP_OPT_RESULT_CODE, &code);
        if (type < 0)
            return refuse(session, "the connection", code, why);
        enum err err = stopped(session, why);
        if (err == OK && clock_mono_ms() >= until)
            err = fail(why, ERR_TIMEOUT, "%s: no answer within %d s", session->url,
                       session->settings->timeout_s);
        if (err != OK) {
            (void)ldap_abandon_ext(session->ldap, id, NULL, NULL);
            return err;
        }
    }
}

/* --- opening --- */

static enum err set(const struct session *session, int option, const void *value, const char *name,
                    struct why *why)
{
    int code = ldap_set_option(session->ldap, option, value);
    return code == LDAP_OPT_SUCCESS ? OK : refuse(session, name, code, why);
}

static enum err limits_set(const struct session *session, struct why *why)
{
    const int version = LDAP_VERSION3;
    const struct timeval connect = { .tv_sec = session->settings->timeout_s };
    ber_len_t most = LIMIT_LDAP_MESSAGE_BYTES;
    Sockbuf *socket = NULL;
    TRY(set(session, LDAP_OPT_PROTOCOL_VERSION, &version, "LDAP version 3", why));
    TRY(set(session, LDAP_OPT_REFERRALS, FAULT(ldap_referrals) ? LDAP_OPT_ON : LDAP_OPT_OFF, "no referrals",
            why));
    TRY(set(session, LDAP_OPT_RESTART, LDAP_OPT_ON, "interrupted calls", why));
    TRY(set(session, LDAP_OPT_NETWORK_TIMEOUT, &connect, "time to connect", why));
    TRY(set(session, LDAP_OPT_TIMEOUT, &connect, "time to answer", why));
    if (ldap_get_option(session->ldap, LDAP_OPT_SOCKBUF, &socket) != LDAP_OPT_SUCCESS || !socket ||
        ber_sockbuf_ctrl(socket, LBER_SB_OPT_SET_MAX_INCOMING, &most) != 1)
        return fail(why, ERR_INTERNAL, "%s: libldap takes no limit of messages", session->url);
    return OK;
}

/* A context of this connection's own: whatever the process's has does not count. */
static enum err tls_set(const struct session *session, struct why *why)
{
    const int demand = FAULT(ldap_tls) ? LDAP_OPT_X_TLS_NEVER : LDAP_OPT_X_TLS_HARD;
    const int least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, client = 0;
    TRY(set(session, LDAP_OPT_X_TLS_CACERTFILE, session->settings->ca_file, "ca_file", why));
    TRY(set(session, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand, "verification", why));
    TRY(set(session, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least, "TLS 1.2", why));
    int code = ldap_set_option(session->ldap, LDAP_OPT_X_TLS_NEWCTX, &client);
    if (code == LDAP_OPT_SUCCESS)
        return OK;
    return fail(why, ERR_CONFIG, "ca_file %s has no certificates that can be used, or cannot be read",
                session->settings->ca_file);
}

static enum err tls_start(const struct session *session, struct why *why)
{
    if (strncmp(session->url, "ldap://", 7) != 0 || !session->settings->start_tls)
        return OK;
    int code = ldap_start_tls_s(session->ldap, NULL, NULL);
    return code == LDAP_SUCCESS ? OK : refuse(session, "StartTLS", code, why);
}

static enum err bind_result(const struct session *session, LDAPMessage *message, struct why *why)
{
    int code = LDAP_OTHER;
    char *said = NULL;
    int parsed = ldap_parse_result(session->ldap, message, &code, NULL, &said, NULL, NULL, 1);
    enum err err = OK;
    if (parsed != LDAP_SUCCESS || code != LDAP_SUCCESS)
        err = fail(why, err_of(parsed != LDAP_SUCCESS ? parsed : code),
                   "%s: signing in as \"%.100s\": %s%s%.120s", session->url, session->settings->bind_dn,
                   ldap_err2string(code), said && *said ? ": " : "", said ? said : "");
    ldap_memfree(said);
    return err;
}

static enum err sign_in(const struct session *session, struct why *why)
{
    const char *who = session->settings->bind_dn;
    AUTO_VAL(secret) password = { 0 };
    LDAPMessage *message = NULL;
    int id = 0;
    if (*who)
        TRY(secret_read_file(session->settings->password_file, LIMIT_LDAP_PASSWORD_BYTES, &password, why));
    /* With a name and no password a server signs in nobody, and says that it went well (RFC 4513 5.1.2). */
    if (*who && password.len == 0)
        return fail(why, ERR_CONFIG, "%s is empty; allowed is a password", session->settings->password_file);
    struct berval credential = { password.len, (char *)password.data };
    int code = ldap_sasl_bind(session->ldap, who, LDAP_SASL_SIMPLE, &credential, NULL, NULL, &id);
    if (code != LDAP_SUCCESS)
        return refuse(session, "the connection", code, why);
    TRY(message_wait(session, id, &message, why));
    return bind_result(session, message, why);
}

static enum err url_try(struct session *session, const char *url, struct why *why)
{
    session->url = url;
    int code = ldap_initialize(&session->ldap, url);
    if (code != LDAP_SUCCESS)
        return fail(why, ERR_CONFIG, "%s: %s", url, ldap_err2string(code));
    TRY(limits_set(session, why));
    if (strncmp(url, "ldapi:", 6) != 0)
        TRY(tls_set(session, why));
    TRY(tls_start(session, why));
    return sign_in(session, why);
}

enum err session_open(const struct ldap_settings *settings, const atomic_bool *stop, struct session **ret,
                      struct why *why)
{
    size_t count = config_list_count(settings->section, "urls");
    enum err err = ERR_CONFIG;
    for (size_t i = 0; i < count; i++) {
        AUTO(session) session = xcalloc(1, sizeof(*session));
        session->settings = settings;
        session->stop = stop;
        TRY(stopped(session, why));
        err = url_try(session, config_list_at(settings->section, "urls", i), why);
        if (err == OK)
            *ret = TAKE(session);
        /* A wrong password is wrong everywhere, and each try counts against the account. */
        if (err == OK || err == ERR_NOT_AUTHORISED)
            return err;
    }
    return err;
}

/* --- entries --- */

static void values_take(LDAP *ldap, LDAPMessage *message, const char *from, const char *to,
                        struct entry *entry)
{
    struct berval **values = ldap_get_values_len(ldap, message, from);
    for (size_t i = 0; values && values[i]; i++)
        entry_add(entry, to, bytes_of(values[i]->bv_val, values[i]->bv_len));
    ldap_value_free_len(values);
}

/* The attribute that came in part, and where it goes on; one of an entry at a time, as Active Directory does it. */
struct rest {
    char *attribute;
    size_t next;
};

static void attribute_take_all(LDAP *ldap, LDAPMessage *message, const char *name, struct entry *entry,
                               struct rest *rest)
{
    AUTO_STR base = NULL;
    size_t next = 0;
    bool ranged = range_parse(name, &base, &next);
    values_take(ldap, message, name, ranged ? base : name, entry);
    if (ranged && next && !rest->attribute && !FAULT(ldap_range))
        *rest = (struct rest){ TAKE(base), next };
}

static enum err message_take(const struct session *session, LDAPMessage *message, struct entry *entry,
                             struct rest *rest, struct why *why)
{
    BerElement *at = NULL;
    char *dn = ldap_get_dn(session->ldap, message);
    if (!dn)
        return fail(why, ERR_PROTOCOL, "%s: an entry without a name", session->url);
    if (!entry->dn)
        entry->dn = xstrdup(dn);
    ldap_memfree(dn);
    for (char *name = ldap_first_attribute(session->ldap, message, &at); name;
         name = ldap_next_attribute(session->ldap, message, at)) {
        attribute_take_all(session->ldap, message, name, entry, rest);
        ldap_memfree(name);
    }
    ber_free(at, 0);
    return OK;
}

/* --- searches --- */

#define CONTROLS_MAX 4

static LDAPControl extended_dn = { .ldctl_oid = "1.2.840.113556.1.4.529", .ldctl_iscritical = 1 };
static LDAPControl show_deleted = { .ldctl_oid = "1.2.840.113556.1.4.417", .ldctl_iscritical = 1 };

/* Names with their GUID, as text (MS-ADTS 3.1.1.3.4.1.5): SEQUENCE { INTEGER 1 }. */
static char extended_flag[] = { 0x30, 0x03, 0x02, 0x01, 0x01 };

static enum err send(const struct session *session, const struct ldap_search *search, int scope,
                     const struct berval *cookie, int *ret_id, struct why *why)
{
    LDAPControl *page = NULL, *controls[CONTROLS_MAX] = { 0 };
    LDAPControl extended = extended_dn, deleted = show_deleted;
    size_t count = 0;
    if (scope == LDAP_SCOPE_SUBTREE) {
        int code = ldap_create_page_control(session->ldap, session->settings->page_size,
                                            (struct berval *)cookie, 1, &page);
        if (code != LDAP_SUCCESS)
            return refuse(session, "a page", code, why);
        controls[count++] = page;
    }
    extended.ldctl_value = (struct berval){ sizeof(extended_flag), extended_flag };
    if (session->settings->schema == LDAP_SCHEMA_AD && *search->base)
        controls[count++] = &extended;
    if (search->deleted)
        controls[count++] = &deleted;
    int code = ldap_search_ext(session->ldap, search->base, scope, search->filter,
                               (char **)search->attributes, 0, controls, NULL, NULL, LDAP_NO_LIMIT, ret_id);
    if (page)
        ldap_control_free(page);
    return code == LDAP_SUCCESS ? OK : refuse(session, search->filter, code, why);
}

/* The end of a page: what the server says of it, and where to go on. */
static enum err page_end(const struct session *session, const struct ldap_search *search,
                         LDAPMessage *message, struct berval *ret_cookie, struct why *why)
{
    int code = LDAP_OTHER;
    ber_int_t size = 0;
    LDAPControl **controls = NULL;
    int parsed = ldap_parse_result(session->ldap, message, &code, NULL, NULL, NULL, &controls, 0);
    LDAPControl *page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
    if (parsed == LDAP_SUCCESS && code == LDAP_SUCCESS && page)
        (void)ldap_parse_pageresponse_control(session->ldap, page, &size, ret_cookie);
    ldap_controls_free(controls);
    if (parsed != LDAP_SUCCESS || code != LDAP_SUCCESS) {
        AUTO_STR what = xasprintf("%.80s beneath \"%.80s\"", search->filter, search->base);
        return refuse(session, what, parsed != LDAP_SUCCESS ? parsed : code, why);
    }
    return OK;
}

struct taker { /* of each entry of an operation */
    enum err (*take)(const struct session *session, LDAPMessage *message, void *arg, struct why *why);
    void *arg;
};

/* Messages of one operation until its end; each entry goes to the taker. A referral is nothing to us. */
static enum err answers_take(const struct session *session, const struct ldap_search *search, int id,
                             const struct taker *taker, struct berval *ret_cookie, struct why *why)
{
    int type;
    do {
        LDAPMessage *message = NULL;
        enum err err = message_wait(session, id, &message, why);
        if (err != OK)
            return err;
        type = ldap_msgtype(message);
        if (type == LDAP_RES_SEARCH_ENTRY)
            err = taker->take(session, message, taker->arg, why);
        else if (type == LDAP_RES_SEARCH_RESULT)
            err = page_end(session, search, message, ret_cookie, why);
        ldap_msgfree(message);
        if (err != OK && type != LDAP_RES_SEARCH_RESULT)
            (void)ldap_abandon_ext(session->ldap, id, NULL, NULL);
        TRY(err);
    } while (type != LDAP_RES_SEARCH_RESULT);
    return OK;
}

/* --- an attribute that comes in parts --- */

struct part {
    struct entry *whole;
    struct rest rest;
};

static enum err part_take(const struct session *session, LDAPMessage *message, void *arg, struct why *why)
{
    struct part *part = arg;
    return message_take(session, message, part->whole, &part->rest, why);
}

/* The next part of it; *rest is the one behind that, or none. */
static enum err part_fetch(const struct session *session, struct entry *entry, struct rest *rest,
                           struct why *why)
{
    struct bytes name = extended_dn_name(bytes_str(entry->dn));
    AUTO_STR dn = xstrndup((const char *)name.data, name.len);
    AUTO_STR attribute = rest->attribute;
    AUTO_STR ranged = xasprintf("%s;range=%zu-*", attribute, rest->next);
    char *const attributes[] = { ranged, NULL };
    const struct ldap_search search = { dn, "(objectClass=*)", attributes, false };
    const struct entry_attribute *have = entry_find(entry, attribute);
    struct part part = { .whole = entry };
    const struct taker taker = { part_take, &part };
    struct berval cookie = { 0 };
    size_t before = have ? have->count : 0;
    int id;
    *rest = (struct rest){ 0 };
    if (before > LIMIT_LDAP_MEMBERS)
        return fail(why, ERR_LIMIT, "%s has more than %zu values, limit %d", attribute, before,
                    LIMIT_LDAP_MEMBERS);
    TRY(send(session, &search, LDAP_SCOPE_BASE, NULL, &id, why));
    enum err err = answers_take(session, &search, id, &taker, &cookie, why);
    *rest = part.rest;
    have = entry_find(entry, attribute);
    if (err == OK && (!have || have->count == before)) /* it would go on for ever, or lack members */
        return fail(why, ERR_PROTOCOL, "%s: %s of %.100s has no values behind %zu", session->url, attribute,
                    dn, before);
    return err;
}

struct told {
    ldap_each each;
    void *arg;
};

static enum err whole_take(const struct session *session, LDAPMessage *message, void *arg, struct why *why)
{
    const struct told *told = arg;
    AUTO_VAL(entry) entry = { 0 };
    struct rest rest = { 0 };
    enum err err = message_take(session, message, &entry, &rest, why);
    while (err == OK && rest.attribute)
        err = part_fetch(session, &entry, &rest, why);
    free(rest.attribute);
    return err == OK ? told->each(&entry, told->arg, why) : err;
}

/* --- all pages --- */

static enum err search_all(void *arg, const struct ldap_search *search, ldap_each each, void *each_arg,
                           struct why *why)
{
    const struct session *session = arg;
    struct told told = { each, each_arg };
    const struct taker taker = { whole_take, &told };
    struct berval cookie = { 0 };
    enum err err;
    bool more;
    do {
        struct berval next = { 0 };
        int id;
        err = send(session, search, LDAP_SCOPE_SUBTREE, cookie.bv_len ? &cookie : NULL, &id, why);
        if (err == OK)
            err = answers_take(session, search, id, &taker, &next, why);
        ber_memfree(cookie.bv_val);
        cookie = next;
        more = err == OK && cookie.bv_len > 0 && !FAULT(ldap_pages);
    } while (more);
    ber_memfree(cookie.bv_val);
    return err;
}

/* --- what the server says of itself --- */

static enum err entry_copy(struct entry *entry, void *arg, struct why *why)
{
    (void)why;
    struct entry *to = arg;
    entry_free(to);
    *to = *entry;
    *entry = (struct entry){ 0 };
    return OK;
}

static enum err base_read(const struct session *session, const char *dn, char *const *attributes,
                          struct entry *ret, struct why *why)
{
    const struct ldap_search search = { dn, "(objectClass=*)", attributes, false };
    struct told told = { entry_copy, ret };
    const struct taker taker = { whole_take, &told };
    struct berval cookie = { 0 };
    int id;
    TRY(send(session, &search, LDAP_SCOPE_BASE, NULL, &id, why));
    return answers_take(session, &search, id, &taker, &cookie, why);
}

static char *text_of(const struct entry *entry, const char *attribute)
{
    struct bytes value = entry_first(entry, attribute);
    bool text = value.len && !memchr(value.data, 0, value.len);
    return text ? xstrndup((const char *)value.data, value.len) : NULL;
}

/* A controller that was restored from a backup has another invocationId, and counts anew (MS-ADTS 3.1.1.1.9). Where it cannot be read its name has to do. */
static char *controller_of(const struct session *session, const char *name)
{
    char *const attributes[] = { "invocationId", NULL };
    AUTO_VAL(entry) entry = { 0 };
    char id[UUID_TEXT];
    struct why why;
    if (base_read(session, name, attributes, &entry, &why) == OK &&
        guid_to_text(entry_first(&entry, "invocationId"), id))
        return xstrdup(id);
    return xstrdup(name);
}

static enum err root_read(void *arg, struct ldap_root *ret, struct why *why)
{
    const struct session *session = arg;
    char *const attributes[] = { "dsServiceName", "highestCommittedUSN", "defaultNamingContext", NULL };
    AUTO_VAL(entry) entry = { 0 };
    if (session->settings->schema != LDAP_SCHEMA_AD)
        return OK;
    TRY(base_read(session, "", attributes, &entry, why));
    AUTO_STR highest = text_of(&entry, "highestCommittedUSN");
    AUTO_STR name = text_of(&entry, "dsServiceName");
    ret->highest = highest ? strtoll(highest, NULL, 10) : 0;
    ret->naming_context = text_of(&entry, "defaultNamingContext");
    ret->server = name ? controller_of(session, name) : NULL;
    return OK;
}

struct ldap_reader session_reader(struct session *session)
{
    return (struct ldap_reader){ root_read, search_all, session };
}
