/* SPDX-License-Identifier: Apache-2.0 */
/* What rules mean, and how rights and principals are written. */
#include "ca/right.h"

#include "base/auto.h"
#include "base/fault.h"
#include "base/limits.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum right right;
    const char *word, *name;
} words[] = {
    { RIGHT_READ, "read", "Read" },
    { RIGHT_ENROLL, "enroll", "Enroll" },
    { RIGHT_ISSUE, "issue", "Issue and Manage Certificates" },
    { RIGHT_MANAGE, "manage", "Manage" },
    { RIGHT_REQUEST, "request", "Request Certificates" },
    { RIGHT_AUDIT, "audit", "Audit" },
};
#define WORDS (sizeof(words) / sizeof(*words))

const char *right_name(enum right right)
{
    const char *name = "";
    for (size_t i = 0; i < WORDS; i++)
        name = words[i].right == right ? words[i].name : name;
    return name;
}

enum err rights_parse(const char *text, unsigned *ret, struct why *why)
{
    AUTO_STR copy = xstrdup(text);
    char *rest = copy;
    unsigned rights = 0;
    for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
        unsigned found = 0;
        for (size_t i = 0; i < WORDS; i++)
            found |= strcmp(words[i].word, word) == 0 ? (unsigned)words[i].right : 0;
        if (!found)
            return fail(why, ERR_USAGE,
                        "\"%s\" is no right; wanted: read, enroll, issue, manage, request, audit", word);
        rights |= found;
    }
    *ret = rights;
    return OK;
}

void rights_append_text(struct buf *out, unsigned rights)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (!(rights & words[i].right))
            continue;
        if (out->len)
            buf_append_str(out, ",");
        buf_append_str(out, words[i].word);
    }
}

void right_rules_free(struct right_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        free(rules->rules[i].issuer);
        free(rules->rules[i].object);
        free(rules->rules[i].principal);
    }
    free(rules->rules);
    *rules = (struct right_rules){ 0 };
}

/* 3: by name, 2: of its kind, 1: everybody, 0: not meant. */
static int meant(const char *rule, const char *principal)
{
    size_t len = strlen(rule);
    if (strcmp(rule, "*") == 0)
        return 1;
    if (len > 2 && strcmp(rule + len - 2, "/*") == 0)
        return strncmp(rule, principal, len - 1) == 0 ? 2 : 0;
    return strcmp(rule, principal) == 0 ? 3 : 0;
}

/* How specific a rule is for a question; 0: it says nothing about it. */
static int weight(const struct right_rule *rule, const struct right_question *question)
{
    static const char prefix[] = "template/";
    int who = meant(rule->principal, question->principal);
    if (!who || !((rule->allowed | rule->denied) & question->right) ||
        strcmp(rule->issuer, question->issuer) != 0)
        return 0;
    if (strcmp(rule->object, "ca") == 0)
        return 2 * who;
    bool same = question->template_name && strncmp(rule->object, prefix, sizeof(prefix) - 1) == 0 &&
                strcmp(rule->object + sizeof(prefix) - 1, question->template_name) == 0;
    return same ? 2 * who + 1 : 0;
}

bool rights_allow(const struct right_rules *rules, const struct right_question *question)
{
    const struct right_rule *decides = NULL;
    int most = 0;
    for (size_t i = 0; i < rules->count; i++) {
        int own = weight(&rules->rules[i], question);
        if (own > most) { /* no two weigh the same: (issuer, object, principal) is the key */
            most = own;
            decides = &rules->rules[i];
        }
    }
    return decides && (FAULT(right_denied) || !(decides->denied & question->right));
}

enum err right_refuse(const struct right_question *question, struct why *why)
{
    bool of_ca = question->right == RIGHT_MANAGE && !question->template_name;
    return fail(why, ERR_NOT_AUTHORISED, "%s lacks %s%s on %s%s%sca %s", question->principal,
                right_name(question->right), of_ca ? " CA" : "", question->template_name ? "template " : "",
                question->template_name ? question->template_name : "", question->template_name ? " of " : "",
                question->issuer);
}

static bool name_is_good(const char *name)
{
    size_t len = strlen(name);
    if (strcmp(name, "*") == 0)
        return true;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
            return false;
    }
    return len > 0 && len <= LIMIT_NAME_BYTES;
}

enum err principal_check(const char *text, struct why *why)
{
    static const char *const kinds[] = { "endpoint/", "role/", "authority/", "admin/", "connector/" };
    if (strcmp(text, "*") == 0 || strcmp(text, "cli") == 0)
        return OK;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        size_t len = strlen(kinds[i]);
        if (strncmp(text, kinds[i], len) == 0 && name_is_good(text + len))
            return OK;
    }
    return fail(why, ERR_USAGE,
                "\"%.80s\" is no principal; wanted: cli, endpoint/NAME, role/NAME, authority/NAME, "
                "admin/NAME, connector/NAME, with * for any NAME, or *",
                text);
}

bool principal_is_role(const char *principal)
{
    return strncmp(principal, "role/", 5) == 0;
}

char *role_principal_of(const char *peer)
{
    return xasprintf("role/%s", peer);
}

char *principal_of(const char *peer)
{
    if (strcmp(peer, "cli") == 0)
        return xstrdup(peer);
    bool is_role = strcmp(peer, "scep") == 0 || strcmp(peer, "va") == 0;
    return xasprintf("%s/%s", is_role ? "role" : "authority", peer);
}
