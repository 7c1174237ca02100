/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI 3.0 document, written from the table of routes and the tables of attributes: it cannot say what the service does not do. */
#include "mdm/api/handlers.h"
#include "mdm/deployment.h"

#include "base/limits.h"
#include "mdm/apitoken.h"
#include "mdm/assignment.h"
#include "mdm/enrolment_token.h"
#include "mdm/group_store.h"
#include "mdm/profile_store.h"
#include "mdm/target.h"
#include <ctype.h>

#define REF "#/components/schemas/"

static json_t *text(const char *value)
{
    return json_string(value);
}

/* "User", "UserChange" */
static char *schema_name(const struct object_class *class, const char *suffix)
{
    char *name = xasprintf("%s%s", class->name, suffix);
    name[0] = (char)toupper((unsigned char)name[0]);
    return name;
}

static json_t *reference(const char *name)
{
    AUTO_STR where = xasprintf(REF "%s", name);
    return json_pack("{s:s}", "$ref", where);
}

/* --- schemas --- */

static json_t *words_json(const struct words *words)
{
    json_t *list = json_array();
    for (int i = 0; i < words->count; i++) {
        if (words->names[i])
            json_array_append_new(list, text(words->names[i]));
    }
    return list;
}

static json_t *attribute_schema(const struct attribute *attribute)
{
    static const char *const types[] = {
        [ATTRIBUTE_TEXT] = "string", [ATTRIBUTE_WORD] = "string", [ATTRIBUTE_FLAG] = "boolean",
        [ATTRIBUTE_USER] = "string", [ATTRIBUTE_TIME] = "string", [ATTRIBUTE_NUMBER] = "integer",
    };
    json_t *schema = json_pack("{s:s, s:s}", "type", types[attribute->kind], "description", attribute->help);
    if (attribute->words)
        json_object_set_new(schema, "enum", words_json(attribute->words));
    if (attribute->kind == ATTRIBUTE_TIME)
        json_object_set_new(schema, "format", text("date-time"));
    if (attribute->most)
        json_object_set_new(schema, "maxLength", json_integer((json_int_t)attribute->most));
    if (attribute->fallback)
        json_object_set_new(schema, "default",
                            attribute->kind == ATTRIBUTE_FLAG
                                ? json_boolean(strcmp(attribute->fallback, "true") == 0)
                                : text(attribute->fallback));
    if (attribute->flags & ATTRIBUTE_OWN)
        json_object_set_new(schema, "readOnly", json_true());
    bool always =
        attribute->flags & ATTRIBUTE_REQUIRED || attribute->fallback || attribute->kind == ATTRIBUTE_FLAG;
    if (!always)
        json_object_set_new(schema, "nullable", json_true());
    return schema;
}

static json_t *object_schema(const struct object_class *class, bool patch)
{
    AUTO_JSON properties = json_object();
    AUTO_JSON required = json_array();
    for (size_t i = 0; i < class->count; i++) {
        const struct attribute *attribute = &class->attributes[i];
        if (patch && attribute->flags & (ATTRIBUTE_OWN | ATTRIBUTE_ONCE))
            continue;
        json_object_set_new(properties, attribute->name, attribute_schema(attribute));
        if (!patch && attribute->flags & ATTRIBUTE_REQUIRED)
            json_array_append_new(required, text(attribute->name));
    }
    json_t *schema = json_pack("{s:s, s:b, s:O}", "type", "object", "additionalProperties", false,
                               "properties", properties);
    if (json_array_size(required))
        json_object_set(schema, "required", required);
    return schema;
}

static json_t *page_schema(json_t *item, const char *next)
{
    return json_pack("{s:s, s:{s:{s:s, s:o}, s:{s:s, s:s}}, s:[s]}", "type", "object", "properties", "items",
                     "type", "array", "items", item, "next", "type", next, "description",
                     "goes on with the next page; absent on the last one", "required", "items");
}

static json_t *strings_schema(const char *const *names, size_t count)
{
    AUTO_JSON properties = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new(properties, names[i], json_pack("{s:s}", "type", "string"));
    return json_pack("{s:s, s:O}", "type", "object", "properties", properties);
}

static void schemas_of_class(json_t *schemas, const struct object_class *class)
{
    AUTO_STR name = schema_name(class, "");
    AUTO_STR patch = schema_name(class, "Change");
    AUTO_STR page = schema_name(class, "Page");
    if (json_object_get(schemas, name))
        return;
    json_object_set_new(schemas, name, object_schema(class, false));
    json_object_set_new(schemas, patch, object_schema(class, true));
    json_object_set_new(schemas, page, page_schema(reference(name), "string"));
}

static json_t *with(json_t *schema, const char *member, json_t *of)
{
    json_object_set_new(json_object_get(schema, "properties"), member, of);
    return schema;
}

static json_t *list_of(const char *name)
{
    return json_pack("{s:s, s:o}", "type", "array", "items", reference(name));
}

static void profile_schemas(json_t *schemas)
{
    static const char *const finding[] = { "field", "got", "rule" }, *const version[] = { "saved_at",
                                                                                          "saved_by" };
    json_object_set_new(schemas, "Finding", strings_schema(finding, sizeof(finding) / sizeof(*finding)));
    json_object_set_new(schemas, "ProfileSettings",
                        json_pack("{s:s, s:s}", "type", "object", "description",
                                  "what it puts on devices, as docs/profiles.md has it"));
    static const char *const preview[] = { "profile", "device",  "code",
                                           "reason",  "subject", "subject_alternative_names",
                                           "text" };
    json_t *previewed = strings_schema(preview, sizeof(preview) / sizeof(*preview));
    with(previewed, "version", json_pack("{s:s}", "type", "integer"));
    json_object_set_new(schemas, "ProfilePreview",
                        with(previewed, "fails", json_pack("{s:s}", "type", "boolean")));
    json_t *saved = object_schema(&profile_class, false);
    json_object_set_new(
        schemas, "ProfileSaved",
        with(with(saved, "profile", reference("ProfileSettings")), "warnings", list_of("Finding")));
    json_t *listed = strings_schema(version, sizeof(version) / sizeof(*version));
    with(listed, "version", json_pack("{s:s}", "type", "integer"));
    json_object_set_new(schemas, "ProfileVersionPage", page_schema(json_deep_copy(listed), "string"));
    json_object_set_new(schemas, "ProfileVersion", with(listed, "profile", reference("ProfileSettings")));
}

static json_t *modes_schema(void)
{
    return json_pack("{s:s, s:o}", "type", "string", "enum", words_json(&assignment_mode_words));
}

static void assignment_schemas(json_t *schemas)
{
    static const char *const names[] = { "profile", "group" };
    json_t *asked =
        json_pack("{s:s, s:b, s:{s:{s:s, s:s}}, s:[s]}", "type", "object", "additionalProperties", false,
                  "properties", "group", "type", "string", "description", "name or id", "required", "group");
    json_t *made = strings_schema(names, sizeof(names) / sizeof(*names));
    json_object_set_new(schemas, "Assignment", with(asked, "mode", modes_schema()));
    json_object_set_new(schemas, "Assigned",
                        with(with(made, "mode", modes_schema()), "warnings", list_of("Finding")));
    json_object_set_new(
        schemas, "AssignedGroupPage",
        page_schema(with(object_schema(&group_class, false), "mode", modes_schema()), "string"));
    json_object_set_new(
        schemas, "AssignedProfilePage",
        page_schema(with(object_schema(&profile_class, false), "mode", modes_schema()), "string"));
}

static void target_schema(json_t *schemas)
{
    static const char *const names[] = { "id", "name", "type", "group", "why" };
    json_t *target = strings_schema(names, sizeof(names) / sizeof(*names));
    with(target, "version", json_pack("{s:s}", "type", "integer"));
    with(target, "state", json_pack("{s:s, s:o}", "type", "string", "enum", words_json(&target_state_words)));
    json_object_set_new(schemas, "Targets",
                        json_pack("{s:s, s:{s:{s:s, s:o}, s:{s:s, s:s}}, s:[s]}", "type", "object",
                                  "properties", "items", "type", "array", "items", target, "change", "type",
                                  "integer", "description",
                                  "number of the last change that concerns the device", "required", "items"));
}

static json_t *roles_json(unsigned roles)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ADMIN_ROLES; i++) {
        if (roles & 1u << i)
            json_array_append_new(list, text(admin_role_names[i]));
    }
    return list;
}

/* A body with exactly these texts. */
static json_t *texts_wanted(const char *const *names, size_t count)
{
    json_t *schema = strings_schema(names, count);
    AUTO_JSON required = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(required, text(names[i]));
    json_object_set(schema, "required", required);
    json_object_set_new(schema, "additionalProperties", json_false());
    return schema;
}

/* A number that the body of what is made may have. */
static json_t *number_wanted(int most, int fallback)
{
    return json_pack("{s:s, s:i, s:i, s:i}", "type", "integer", "minimum", 1, "maximum", most, "default",
                     fallback);
}

static json_t *shown_once(const struct object_class *class)
{
    return with(object_schema(class, false), "token",
                json_pack("{s:s, s:s}", "type", "string", "description", "the token, shown this once"));
}

/* What is made once is given whole: what cannot be changed later is among it. */
static json_t *wanted_once(const struct object_class *class)
{
    json_t *schema = object_schema(class, false);
    json_t *members = json_object_get(schema, "properties");
    for (size_t i = 0; i < class->count; i++) {
        if (class->attributes[i].flags & ATTRIBUTE_OWN)
            json_object_del(members, class->attributes[i].name);
    }
    return schema;
}

static json_t *state_schema(json_t *schema)
{
    return with(schema, "state",
                json_pack("{s:s, s:o}", "type", "string", "enum", words_json(&deployment_state_words)));
}

static json_t *items_schema(json_t *item)
{
    return json_pack("{s:s, s:{s:{s:s, s:o}}, s:[s]}", "type", "object", "properties", "items", "type",
                     "array", "items", item, "required", "items");
}

static void deployment_schemas(json_t *schemas)
{
    static const char *const listed[] = {
        "device",    "profile", "device_name", "profile_name", "type",   "intent",      "step",      "code",
        "diagnosis", "detail",  "changed_at",  "ca",           "serial", "certificate", "expires_at"
    };
    static const char *const counts[] = { "profile", "profile_name" };
    static const char *const moves[] = { "at", "event", "step", "code", "diagnosis", "detail" };
    json_t *item = state_schema(strings_schema(listed, sizeof(listed) / sizeof(*listed)));
    json_t *count = state_schema(strings_schema(counts, sizeof(counts) / sizeof(*counts)));
    json_t *move = state_schema(strings_schema(moves, sizeof(moves) / sizeof(*moves)));
    with(item, "version", json_pack("{s:s}", "type", "integer"));
    with(count, "count", json_pack("{s:s}", "type", "integer"));
    with(move, "number", json_pack("{s:s}", "type", "integer"));
    with(move, "version", json_pack("{s:s}", "type", "integer"));
    json_object_set_new(schemas, "DeploymentPage", page_schema(item, "string"));
    json_object_set_new(schemas, "DeploymentCounts", items_schema(count));
    json_object_set_new(schemas, "DeploymentMoves", items_schema(move));
}

static void tokens_put(json_t *schemas)
{
    json_t *wanted = wanted_once(&token_class), *api = wanted_once(&apitoken_class);
    with(wanted, "uses", number_wanted(LIMIT_TOKEN_USES, 1));
    with(wanted, "hours", number_wanted(LIMIT_TOKEN_HOURS, 24));
    with(api, "days", number_wanted(LIMIT_APITOKEN_DAYS, 90));
    json_object_set_new(schemas, "TokenWanted", wanted);
    json_object_set_new(schemas, "TokenMade", shown_once(&token_class));
    json_object_set_new(schemas, "ApitokenWanted", api);
    json_object_set_new(schemas, "ApitokenMade", shown_once(&apitoken_class));
}

static void session_schemas(json_t *schemas)
{
    static const char *const in[] = { "name", "password" }, *const password[] = { "password" },
                             *const change[] = { "current", "password" },
                             *const session[] = {
                                 "name", "administrator", "by", "token", "csrf", "expires_at"
                             };
    json_object_set_new(schemas, "SignIn",
                        with(texts_wanted(in, sizeof(in) / sizeof(*in)), "cookie",
                             json_pack("{s:s, s:s}", "type", "boolean", "description",
                                       "the token is set as a cookie, and not in the answer")));
    json_object_set_new(schemas, "Password", texts_wanted(password, 1));
    json_object_set_new(schemas, "PasswordChange", texts_wanted(change, sizeof(change) / sizeof(*change)));
    json_t *shown = strings_schema(session, sizeof(session) / sizeof(*session));
    with(shown, "idle_seconds", json_pack("{s:s}", "type", "integer"));
    json_object_set_new(schemas, "Session",
                        with(shown, "roles",
                             json_pack("{s:s, s:{s:s, s:o}}", "type", "array", "items", "type", "string",
                                       "enum", roles_json(ADMIN_ALL))));
}

static void directories_put(json_t *schemas)
{
    static const char *const names[] = { "name",    "schema",  "outcome",  "kind",     "detail",
                                         "full_at", "next_at", "begun_at", "ended_at", "succeeded_at" };
    static const char *const problem[] = { "entry", "reason", "at" };
    json_t *directory = strings_schema(names, sizeof(names) / sizeof(*names));
    with(directory, "running", json_pack("{s:s}", "type", "boolean"));
    with(directory, "run", json_pack("{s:s}", "type", "integer"));
    with(directory, "done",
         json_pack("{s:s, s:s}", "type", "integer", "description",
                   "the last request that a run has answered"));
    with(directory, "counts", json_pack("{s:s}", "type", "object"));
    with(directory, "problems",
         json_pack("{s:s, s:o}", "type", "array", "items", strings_schema(problem, 3)));
    json_object_set_new(schemas, "Directory", directory);
    json_object_set_new(schemas, "Directories", page_schema(reference("Directory"), "string"));
    json_object_set_new(schemas, "Sync",
                        json_pack("{s:s, s:b, s:{s:{s:s}, s:{s:s}}}", "type", "object",
                                  "additionalProperties", false, "properties", "full", "type", "boolean",
                                  "allow_deletions", "type", "boolean"));
    json_object_set_new(
        schemas, "SyncAsked",
        json_pack("{s:s, s:{s:{s:s}}}", "type", "object", "properties", "request", "type", "integer"));
}

static json_t *schemas_json(void)
{
    static const char *const problem[] = { "title", "detail", "code", "remedy", "diagnosis", "id" };
    static const char *const audit[] = { "at", "actor", "action", "object", "detail" };
    json_t *schemas = json_object();
    for (size_t i = 0; i < route_count; i++) {
        if (routes[i].class)
            schemas_of_class(schemas, routes[i].class);
    }
    json_t *entry = strings_schema(audit, sizeof(audit) / sizeof(*audit));
    json_object_set_new(json_object_get(entry, "properties"), "id", json_pack("{s:s}", "type", "integer"));
    json_object_set_new(schemas, "AuditPage", page_schema(entry, "integer"));
    json_t *wrong = strings_schema(problem, sizeof(problem) / sizeof(*problem));
    json_object_set_new(json_object_get(wrong, "properties"), "status",
                        json_pack("{s:s}", "type", "integer"));
    json_object_set_new(schemas, "Problem", with(wrong, "problems", list_of("Finding")));
    profile_schemas(schemas);
    target_schema(schemas);
    assignment_schemas(schemas);
    json_object_set_new(schemas, "Imported",
                        json_pack("{s:s, s:{s:{s:s}, s:{s:s}}}", "type", "object", "properties", "added",
                                  "type", "integer", "dry_run", "type", "boolean"));
    tokens_put(schemas);
    session_schemas(schemas);
    deployment_schemas(schemas);
    directories_put(schemas);
    json_object_set_new(schemas, "Membership",
                        json_pack("{s:s, s:b, s:{s:{s:s, s:s}, s:{s:s, s:[s]}}, s:[s]}", "type", "object",
                                  "additionalProperties", false, "properties", "member", "type", "string",
                                  "description", "id, or UPN, name or serial number", "kind", "type",
                                  "string", "enum", "group", "required", "member"));
    return schemas;
}

/* --- operations --- */

static json_t *content(const char *type, json_t *schema)
{
    return json_pack("{s:{s:o}}", type, "schema", schema);
}

static json_t *shape_content(const struct route *route, enum route_shape shape)
{
    static const char *const names[] = {
        [SHAPE_IMPORTED] = "Imported",
        [SHAPE_MEMBER] = "Membership",
        [SHAPE_AUDIT_PAGE] = "AuditPage",
        [SHAPE_SETTINGS] = "ProfileSettings",
        [SHAPE_SAVED] = "ProfileSaved",
        [SHAPE_VERSION] = "ProfileVersion",
        [SHAPE_VERSION_PAGE] = "ProfileVersionPage",
        [SHAPE_PREVIEW] = "ProfilePreview",
        [SHAPE_ASSIGNMENT] = "Assignment",
        [SHAPE_ASSIGNED] = "Assigned",
        [SHAPE_GROUP_MODES] = "AssignedGroupPage",
        [SHAPE_PROFILE_MODES] = "AssignedProfilePage",
        [SHAPE_TARGETS] = "Targets",
        [SHAPE_DEPLOYMENTS] = "DeploymentPage",
        [SHAPE_DEPLOYMENT_COUNTS] = "DeploymentCounts",
        [SHAPE_DEPLOYMENT_MOVES] = "DeploymentMoves",
        [SHAPE_TOKEN] = "TokenWanted",
        [SHAPE_TOKEN_MADE] = "TokenMade",
        [SHAPE_DIRECTORIES] = "Directories",
        [SHAPE_DIRECTORY] = "Directory",
        [SHAPE_SYNC] = "Sync",
        [SHAPE_SYNC_ASKED] = "SyncAsked",
        [SHAPE_SIGN_IN] = "SignIn",
        [SHAPE_SESSION] = "Session",
        [SHAPE_PASSWORD] = "Password",
        [SHAPE_PASSWORD_CHANGE] = "PasswordChange",
        [SHAPE_APITOKEN] = "ApitokenWanted",
        [SHAPE_APITOKEN_MADE] = "ApitokenMade",
    };
    static const char *const suffixes[] = {
        [SHAPE_OBJECT] = "", [SHAPE_PATCH] = "Change", [SHAPE_PAGE] = "Page"
    };
    if (shape == SHAPE_OPENAPI)
        return content("application/json", json_pack("{s:s}", "type", "object"));
    if (shape != SHAPE_OBJECT && shape != SHAPE_PATCH && shape != SHAPE_PAGE)
        return content("application/json", reference(names[shape]));
    AUTO_STR name = schema_name(route->class, suffixes[shape]);
    return content("application/json", reference(name));
}

static json_t *body_json(const struct route *route)
{
    json_t *types;
    if (route->body == SHAPE_FILE) {
        AUTO_STR name = schema_name(route->class, "");
        types = content("text/csv", json_pack("{s:s}", "type", "string"));
        json_object_set_new(types, "application/json",
                            json_pack("{s:{s:s, s:o}}", "schema", "type", "array", "items", reference(name)));
    } else {
        types = shape_content(route, route->body);
    }
    return json_pack("{s:b, s:o}", "required", true, "content", types);
}

static bool answer_is_new(const struct route *route)
{
    return route->method == HTTP_POST &&
           (route->body == SHAPE_OBJECT || route->body == SHAPE_SETTINGS || route->body == SHAPE_ASSIGNMENT ||
            route->body == SHAPE_TOKEN || route->body == SHAPE_SIGN_IN || route->body == SHAPE_APITOKEN);
}

static json_t *answers_json(const struct route *route)
{
    const char *status = route->answer == SHAPE_NONE       ? "204"
                         : route->answer == SHAPE_REDIRECT ? "302"
                         : answer_is_new(route)            ? "201"
                                                           : "200";
    json_t *done = json_pack("{s:s}", "description", "done");
    if (route->answer != SHAPE_NONE && route->answer != SHAPE_REDIRECT)
        json_object_set_new(done, "content", shape_content(route, route->answer));
    return json_pack("{s:o, s:{s:s, s:o}}", status, done, "default", "description", "a problem (RFC 9457)",
                     "content", content("application/problem+json", reference("Problem")));
}

static json_t *parameter_json(const char *name, const char *where, const char *type)
{
    return json_pack("{s:s, s:s, s:b, s:{s:s}}", "name", name, "in", where, "required",
                     strcmp(where, "path") == 0, "schema", "type", type);
}

static void path_parameters(const struct route *route, json_t *list)
{
    for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{')) {
        AUTO_STR name = xstrndup(at + 1, strcspn(at + 1, "}"));
        json_array_append_new(list, parameter_json(name, "path", "string"));
    }
}

static void filter_parameters(const struct route *route, json_t *list)
{
    for (size_t i = 0; i < route->class->count; i++) {
        const struct attribute *attribute = &route->class->attributes[i];
        if (attribute->flags & ATTRIBUTE_FILTER)
            json_array_append_new(list,
                                  parameter_json(attribute->name, "query",
                                                 attribute->kind == ATTRIBUTE_FLAG ? "boolean" : "string"));
    }
}

static void query_parameters(const struct route *route, json_t *list)
{
    for (const char *at = route->query; *at;) {
        AUTO_STR name = xstrndup(at, strcspn(at, " "));
        bool number = strcmp(name, "limit") == 0 || strcmp(name, "before") == 0;
        bool flag =
            strcmp(name, "deleted") == 0 || strcmp(name, "groups") == 0 || strcmp(name, "dry_run") == 0;
        if (strcmp(name, "filter") == 0)
            filter_parameters(route, list);
        else
            json_array_append_new(list, parameter_json(name, "query",
                                                       number ? "integer"
                                                       : flag ? "boolean"
                                                              : "string"));
        at += strlen(name);
        at += *at == ' ';
    }
}

static json_t *operation_json(const struct route *route)
{
    AUTO_JSON parameters = json_array();
    json_t *operation = json_pack("{s:s, s:o}", "summary", route->summary, "responses", answers_json(route));
    path_parameters(route, parameters);
    query_parameters(route, parameters);
    if (json_array_size(parameters))
        json_object_set(operation, "parameters", parameters);
    if (route->body != SHAPE_NONE)
        json_object_set_new(operation, "requestBody", body_json(route));
    if (route->roles)
        json_object_set_new(operation, "x-roles", roles_json(route->roles));
    else
        json_object_set_new(operation, "security", json_array());
    if (route->roles & ADMIN_IN_PERSON)
        json_object_set_new(operation, "x-in-person", json_true());
    return operation;
}

static json_t *paths_json(void)
{
    json_t *paths = json_object();
    for (size_t i = 0; i < route_count; i++) {
        AUTO_STR method = xstrdup(api_method_name(routes[i].method));
        for (char *at = method; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        json_t *path = json_object_get(paths, routes[i].path);
        if (!path) {
            path = json_object();
            json_object_set_new(paths, routes[i].path, path);
        }
        json_object_set_new(path, method, operation_json(&routes[i]));
    }
    return paths;
}

enum err route_openapi(struct api_call *call, struct why *why)
{
    (void)why;
    call->result = json_pack("{s:s, s:{s:s, s:s}, s:[{s:[]}], s:o, s:{s:o, s:{s:{s:s, s:s}}}}", "openapi",
                             "3.0.3", "info", "title", "Chancery administration", "version", CHANCERY_VERSION,
                             "security", "bearer", "paths", paths_json(), "components", "schemas",
                             schemas_json(), "securitySchemes", "bearer", "type", "http", "scheme", "bearer");
    return call->result ? OK : fail(why, ERR_INTERNAL, "the document could not be made");
}
