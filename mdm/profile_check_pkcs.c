/* SPDX-License-Identifier: Apache-2.0 */
/* What only pkcs profiles have: the certification authority that a connector asks. */
#include "mdm/profile_check_part.h"

#include "mdm/url.h"
#include "x509/oid.h"
#include <strings.h>

/* The guides' values for DigiCert (formerly Symantec). With any other nothing is issued, and only the connector's log would say so. */
#define DIGICERT_NAME "Symantec"
#define DIGICERT_HOST "symauth.com"
#define DIGICERT_ARC  "2.16.840.1.113733.1.16."

static bool ends_in_digicert(const char *host)
{
    size_t len = strlen(host), suffix = strlen(DIGICERT_HOST);
    while (len && host[len - 1] == '/')
        len--;
    return len >= suffix && strncasecmp(host + len - suffix, DIGICERT_HOST, suffix) == 0;
}

/* One of the three values is enough to see what is meant. */
static bool is_digicert(const struct profile *profile)
{
    return (profile->authority_name && strcasecmp(profile->authority_name, DIGICERT_NAME) == 0) ||
           (profile->authority && ends_in_digicert(profile->authority)) ||
           (profile->template_name &&
            strncmp(profile->template_name, DIGICERT_ARC, strlen(DIGICERT_ARC)) == 0);
}

static void check_digicert(const struct profile_checking *checking)
{
    const struct profile *profile = checking->profile;
    AUTO_BUF oid = { 0 };
    if (profile->authority_name && strcmp(profile->authority_name, DIGICERT_NAME) != 0)
        problem_add(checking->problems, "certification_authority_name", bytes_str(profile->authority_name),
                    "must be exactly " DIGICERT_NAME " for DigiCert");
    if (profile->template_name && !oid_from_dotted(profile->template_name, &oid))
        problem_add(checking->problems, "certificate_template_name", bytes_str(profile->template_name),
                    "must be the OID of a DigiCert certificate profile, as " DIGICERT_ARC
                    "1.2.3.1.1.61904612");
}

static void check_authority(const struct profile_checking *checking)
{
    const struct profile *profile = checking->profile;
    struct bytes host = bytes_str(profile->authority);
    if (!host.len)
        problem_absent(checking->problems, "certification_authority",
                       "the fully qualified name of its host, as ca.example.com");
    else if (!host_is_qualified(host))
        problem_add(checking->problems, "certification_authority", host,
                    "must be a fully qualified host name, without scheme and slash");
    if (!profile->authority_name)
        problem_absent(checking->problems, "certification_authority_name", "as its certificates call it");
    if (!profile->template_name)
        problem_absent(checking->problems, "certificate_template_name", "the name of a template");
    else if (strchr(profile->template_name, ' '))
        problem_add(checking->problems, "certificate_template_name", bytes_str(profile->template_name),
                    "must be the template's name, which has no blanks, and not its display name");
}

void profile_check_pkcs(const struct profile_checking *checking)
{
    const struct profile *profile = checking->profile;
    profile_check_certificate(checking);
    profile_check_purposes(checking, false);
    profile_check_root(checking, !platform_has(profile->platform, SETTING_OWN_ROOT));
    check_authority(checking);
    if (is_digicert(profile))
        check_digicert(checking);
    if (profile->all_apps && !platform_has(profile->platform, SETTING_ALL_APPS))
        problem_add(checking->problems, "allow_all_apps_access", BYTES_LIT("true"),
                    "a setting of macos, this profile is for %s",
                    word_name(&platform_words, (int)profile->platform));
}
