/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the option table. */
#include "config/options.h"

#include "base/limits.h"
#include "config/config.h"

#define STR_MAX  1024 /* bytes of any one text value */
#define HOST_MAX 255  /* a host name: RFC 1035 2.3.4 */

/* clang-format off */
#define STR_ROW(section, name, fallback, max, owners, help) \
    { section, name, OPTION_STR, fallback, 0, max, "", "", OPTION_RESTART, owners, false, help }
/* What scep reads again of an endpoint (scep/endpoint.c) while ca has no need of it. */
#define SCEP_ROW(name, type, fallback, max, words, help) \
    { "endpoint", name, type, fallback, 0, max, "", words, OPTION_RELOAD, "", false, help }
#define INT_ROW(section, name, fallback, min, max, unit, help) \
    { section, name, OPTION_INT, fallback, min, max, unit, "", OPTION_RESTART, "", false, help }
#define BOOL_ROW(section, name, fallback, help) \
    { section, name, OPTION_BOOL, fallback, 0, 0, "", "", OPTION_RESTART, "", false, help }
#define LIST_ROW(section, name, fallback, help) \
    { section, name, OPTION_LIST, fallback, 0, CONFIG_LIST_MAX, "", "", OPTION_RESTART, "", false, help }
#define ENUM_ROW(section, name, fallback, words, help) \
    { section, name, OPTION_ENUM, fallback, 0, 0, "", words, OPTION_RESTART, "", false, help }

/* What every role that serves HTTP has (http/front.c). */
#define HTTP_ROWS(section, listen) \
    LIST_ROW(section, "http_listen", listen, "Addresses that serve plain HTTP; empty for none."), \
    HTTP_LIMIT_ROWS(section)
#define HTTP_LIMIT_ROWS(section) \
    INT_ROW(section, "max_url_length", "65534", 1024, 65534, "bytes", "Longest URL; a longer one gets 414."), \
    INT_ROW(section, "max_query_length", "65534", 1024, 65534, "bytes", "Longest query string; a longer one gets 414."), \
    INT_ROW(section, "max_field_length", "16384", 1024, 65534, "bytes", "Longest single header line; a longer one gets 431."), \
    INT_ROW(section, "max_request_bytes", "81918", 2048, 131072, "bytes", \
            "Request line and headers together; more gets 431."), \
    INT_ROW(section, "max_fields", "100", 10, 1000, "", "Header lines in one request; more gets 431."), \
    INT_ROW(section, "max_body_bytes", "65536", 4096, 65536, "bytes", "Largest body of a POST; a larger one gets 413."), \
    INT_ROW(section, "request_timeout", "10000", 100, 120000, "ms", "Until a request has arrived whole, from its first byte."), \
    INT_ROW(section, "idle_timeout", "15000", 100, 120000, "ms", "How long a connection may stay open between two requests."), \
    INT_ROW(section, "write_timeout", "30000", 100, 120000, "ms", "Until the client has taken a whole answer."), \
    INT_ROW(section, "handshake_timeout", "10000", 100, 120000, "ms", "Until a TLS handshake is done."), \
    INT_ROW(section, "min_rate", "256", 0, 65536, "bytes/s", \
            "Slowest that a request may arrive, or an answer be taken, on average; a slower one is cut before its timeout. " \
            "0: only the timeouts count."), \
    INT_ROW(section, "min_rate_after", "5000", 100, 120000, "ms", "How long a request or an answer may take before min_rate counts."), \
    INT_ROW(section, "max_connections", "12000", 10, 100000, "", \
            "Connections at once. When all are taken, the one that has been silent longest gives way to a new one; when every " \
            "one is being served, new ones get 503. The start is refused where the limit of open files is lower."), \
    INT_ROW(section, "max_connections_per_address", "4000", 1, 100000, "", \
            "Connections at once from one address, or /64 of IPv6; more get 503. A NAT gateway is one address; so is a reverse proxy, " \
            "unless trusted_proxies names it: then this counts the requests at once of each client behind it."), \
    LIST_ROW(section, "trusted_proxies", "", \
             "Addresses of the reverse proxies that name the client in proxy_header. Networks are written 192.0.2.0/24. Limits, budgets and the " \
             "access log then use the client's address. From anybody else the header is ignored."), \
    ENUM_ROW(section, "proxy_header", "x-forwarded-for", "x-forwarded-for forwarded", \
             "The header that the trusted proxies write. They must set it themselves or append to it; the other one, which a client " \
             "could send through them, is ignored."), \
    BOOL_ROW(section, "access_log_sc_bytes", "true", "Log the bytes sent (sc-bytes) in the access log."), \
    INT_ROW(section, "queue", "256", 1, 100000, "", \
            "Requests that may wait for a worker. Addresses take turns; when it is full, who has most in it gets 503."), \
    INT_ROW(section, "queue_timeout", "5000", 100, 120000, "ms", \
            "A request that waited longer for a worker gets 503: its device may have given up, and the work would make others late."), \
    INT_ROW(section, "max_running_per_address", "4", 1, 512, "", \
            "Requests of one address that are worked on at once while other addresses are active, too; alone it has every worker.")

static const struct option_row options[] = {
    STR_ROW("", "site", "default", 64, "",
            "Name of this site; part of the names in node certificates."),
    ENUM_ROW("", "mode", "system", "system user",
             "system: started as root, one user per role. user: everything under one ordinary user; isolation between the roles is weaker."),
    STR_ROW("", "etc_dir", "/etc/chancery", STR_MAX, "", "Folder of this file and of the roles' secrets."),
    STR_ROW("", "state_dir", "/var/lib/chancery", STR_MAX, "", "Folder of stores, keys and certificates, one folder in it per role."),
    STR_ROW("", "run_dir", "/run/chancery", STR_MAX, "", "Folder of the sockets between the roles."),
    STR_ROW("", "log_dir", "/var/log/chancery", STR_MAX, "", "Folder of the access logs, one folder in it per role."),
    { "", "roles", OPTION_LIST, CONFIG_ROLES_DEFAULT, 1, 8, "", CONFIG_ROLES, OPTION_RESTART, "", false,
      "The roles that run on this host." },
    { "", "log_level", OPTION_ENUM, "info", 0, 0, "", "debug info warn error", OPTION_RELOAD, "", false,
      "The least important level that is logged." },
    INT_ROW("", "workers", "64", 1, 512, "", "Worker threads in each role."),
    INT_ROW("", "private_key_operations", "0", 0, 256, "",
            "Private-key operations at once in each role; 0 stands for the number of processor cores."),
    INT_ROW("", "stop_timeout", "10", 1, 300, "s", "How long a stopping role may finish what it has begun."),

    INT_ROW("ca", "validity_max", "1095", 1, 36500, "days",
            "The longest validity that the signer seals. Templates may say less, never more."),
    INT_ROW("ca", "crl_validity", "168", 1, 8760, "hours", "From a CRL's thisUpdate to its nextUpdate, without the overlap."),
    INT_ROW("ca", "crl_overlap", "24", 0, 8760, "hours",
            "Added to nextUpdate, so that a late CRL never leaves devices with an expired one."),
    INT_ROW("ca", "crl_delta_validity", "0", 0, 8760, "hours",
            "From a delta CRL's thisUpdate to its nextUpdate, without the overlap; 0 for no delta CRLs. With them a revocation "
            "is in a delta at once, and in the full CRL within a minute."),
    LIST_ROW("ca", "delta_urls", "", "URLs of the delta CRL, written into every full CRL."),
    INT_ROW("ca", "crl_partitions", "1", 1, LIMIT_CRL_PARTITIONS, "",
            "How many CRLs the CA divides its certificates among, so that none is large; 1 for one complete CRL. "
            "Their files are NAME-1.crl to NAME-N.crl, without NAME.crl. Fixed once the CA has issued, since each certificate names its CRL."),
    LIST_ROW("ca", "cdp_urls", "",
             "URLs of the CRL, written into every certificate. With several crl_partitions each has %p where the partition's number goes, and "
             "one of those that the first certificates had stays in the list."),
    LIST_ROW("ca", "aia_urls", "", "URLs of the CA certificate, written into every certificate."),
    LIST_ROW("ca", "ocsp_urls", "", "URLs of the OCSP responder, written into every certificate."),
    INT_ROW("ca", "backdate", "600", 0, 172800, "s",
            "How far before its issue a certificate becomes valid, for devices whose clock is slow; "
            "Windows Autopilot devices need up to 24 hours."),
    { "ca", "allowed_eku", OPTION_LIST, "clientAuth serverAuth emailProtection certificateRequestAgent OCSPSigning", 1, CONFIG_LIST_MAX, "", "",
      OPTION_RESTART, "", false,
      "The extended key usages that the signer seals, as short names or dotted numbers, whatever a template says." },
    STR_ROW("ca", "store", "", STR_MAX, "ca",
            "PostgreSQL connection string without a password; empty stands for SQLite under state_dir. "
            "The first start takes the database into use; later ones refuse another one, or an empty one in its place."),

    INT_ROW("scep", "ra_renew_before", "60", 0, 3650, "days",
            "How long before their end RA certificates are renewed; 0 for never but by `chancery ra renew`."),
    HTTP_ROWS("scep", "[::]:80"),
    LIST_ROW("scep", "https_listen", "[::]:443", "Addresses that serve HTTPS; empty for none."),
    STR_ROW("scep", "external_name", "", HOST_MAX, "", "Host name by which devices reach this service."),
    LIST_ROW("scep", "crp_listen", "",
             "Addresses of CertificateRegistrationSvc, over HTTPS: the certificate registration point for other SCEP servers, as an NDES with a policy "
             "module; empty for none. The access log of this listener is crp.log."),
    LIST_ROW("scep", "crp_clients", "",
             "DNS names of the SCEP servers that may ask there, each with a client certificate that has its name."),
    STR_ROW("scep", "crp_client_ca", "", 64, "",
            "Who issues these client certificates: the name of a file of CA certificates in PEM. It is state_dir/scep/certs/NAME.crt.pem, and a reload reads it "
            "again. With a CA of this site (ca-issuing) whoever it gives one of the names of crp_clients is that server."),
    STR_ROW("scep", "crp_ca", "issuing", 64, "", "The ca section whose authorities' challenges count there."),
    INT_ROW("scep", "max_failed_decryptions", "1000", 1, 1000000, "",
            "Messages in an hour that the RA keys may fail to decrypt before the log raises an alarm and addresses that have failed "
            "at all get 429. Whoever attacks an RA key needs many thousands."),
    INT_ROW("scep", "max_failed_decryptions_per_address", "60", 1, 65535, "",
            "The same of one address (or /64 of IPv6): from then on its messages get 429 unread until the hour is over."),
    INT_ROW("scep", "refusal_log_lines", "100", 1, 65534, "",
            "Refusals of one address in a minute that have their line in the log, ten times as many of all; the access log has every one."),

    HTTP_ROWS("va", "[::]:8080"),
    INT_ROW("va", "ocsp_validity", "86400", 10, 864000, "s",
            "From an OCSP answer's thisUpdate to its nextUpdate: so long it is given while ca cannot be reached. An answer is made anew at half of it, and at once "
            "when its certificate is revoked."),
    INT_ROW("va", "ocsp_max_age", "3600", 0, 864000, "s",
            "How long proxies and clients may keep an OCSP answer without asking again (Cache-Control: max-age)."),
    INT_ROW("va", "ocsp_cache_entries", "50000", 10, 10000000, "",
            "Certificates whose OCSP answers are kept in memory, about 2 kB each; those asked for last stay. Only certificates that a CA "
            "issued have a place, so that nobody can push them out by asking for serials that do not exist."),
    ENUM_ROW("va", "ocsp_key", "P-256", "P-256 RSA-2048 RSA-3072",
             "The kind of key that signs OCSP answers; va makes it, and a new one with each of its certificates."),
    INT_ROW("va", "poll_interval", "5", 1, 60, "s",
            "How often ca is asked what was revoked and whether there is a new CRL: the longest that a revocation takes to show."),

    LIST_ROW("mdm", "https_listen", "[::]:8443", "Addresses that devices come to, over HTTPS; empty for none."),
    LIST_ROW("mdm", "admin_listen", "127.0.0.1:8444",
             "Addresses of the administration API, over HTTPS; empty for none. Nothing but this host reaches the default. The access log of this listener "
             "is admin.log."),
    HTTP_LIMIT_ROWS("mdm"),
    INT_ROW("mdm", "admin_max_body_bytes", "33554432", 65536, 33554432, "bytes",
            "Largest body of a request to the administration API, in place of max_body_bytes; a larger one gets 413. Files that are imported are as large."),
    LIST_ROW("mdm", "ca", "issuing", "The ca sections whose authority this service is: challenges are for their endpoints, and they tell what became of them."),
    INT_ROW("mdm", "challenge_lifetime", "3600", 60, LIMIT_CHALLENGE_LIFETIME_S, "s",
            "How long a device may use the challenge that it was given. It is good once, and for exactly one request."),
    INT_ROW("mdm", "session_idle", "1800", 60, 86400, "s",
            "A session of an administrator who signed in over HTTPS ends when nothing was asked by it for so long."),
    INT_ROW("mdm", "session_lifetime", "43200", 300, 604800, "s", "It ends after so long in any case: then it takes the password again."),
    STR_ROW("mdm", "oidc_issuer", "", STR_MAX, "mdm",
            "An OpenID provider that administrators may sign in by: its issuer, an https URL, as it says it itself. Empty for none."),
    STR_ROW("mdm", "oidc_client_id", "", 255, "mdm",
            "What this service is called there. A client secret is the file etc/secrets/mdm/oidc-client; without it the client is a public one."),
    STR_ROW("mdm", "oidc_redirect", "", STR_MAX, "mdm",
            "URL of this service's /api/v1/oidc/callback, as browsers reach it, and as the provider was told."),
    STR_ROW("mdm", "oidc_ca_file", "", STR_MAX, "mdm", "PEM file of the authorities of the provider's TLS certificate; empty for those of the system."),
    STR_ROW("mdm", "oidc_name_claim", "preferred_username", 64, "mdm", "The claim of the ID token that is the administrator's name."),
    STR_ROW("mdm", "oidc_groups_claim", "groups", 64, "mdm", "The claim of the ID token that has their groups."),
    LIST_ROW("mdm", "oidc_roles", "", "GROUP=ROLE: what the provider's groups come to here. Who is in none of them is not let in."),
    STR_ROW("mdm", "store", "", STR_MAX, "mdm",
            "PostgreSQL connection string without a password; empty stands for SQLite under state_dir. "
            "The first start takes the database into use; later ones refuse another one, or an empty one in its place."),

    { "directory", "schema", OPTION_ENUM, "", 0, 0, "", "openldap ad", OPTION_RESTART, "mdm", true,
      "What the server is. openldap: entryUUID, modifyTimestamp, inetOrgPerson, groupOfNames. ad: Active Directory, also Samba's: objectGUID, "
      "objectSid, uSNChanged, userAccountControl. It stands for the defaults of the options below." },
    LIST_ROW("directory", "urls", "",
             "The server, and others to be tried in this order when it cannot be reached: ldaps://HOST[:PORT], ldap://HOST[:PORT] with StartTLS, or "
             "ldapi://%2Fpath%2Fof%2Fsocket. Its certificate has to be good for HOST. Referrals are not followed."),
    BOOL_ROW("directory", "start_tls", "true",
             "StartTLS on ldap:// URLs. false is taken where every one of them is on this host (127.0.0.1, [::1] or localhost)."),
    STR_ROW("directory", "ca_file", "/etc/ssl/certs/ca-certificates.crt", STR_MAX, "mdm", "PEM file with the CAs that the server's certificate may come from."),
    STR_ROW("directory", "base", "", STR_MAX, "mdm", "Distinguished name beneath which users and groups are looked for."),
    STR_ROW("directory", "bind_dn", "", STR_MAX, "mdm",
            "Who to sign in as; for ad also a user principal name. Its password is in the file etc_dir/secrets/mdm/directory-NAME.password, which is mdm's "
            "alone. Empty: nobody (anonymous)."),
    STR_ROW("directory", "user_filter", "", STR_MAX, "mdm", "LDAP filter of users. Empty: (objectClass=inetOrgPerson); ad: (&(objectCategory=person)(objectClass=user))."),
    STR_ROW("directory", "group_filter", "", STR_MAX, "mdm",
            "LDAP filter of groups. Empty: (|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup)); ad: (objectClass=group)."),
    LIST_ROW("directory", "upn", "", "Attributes of the user principal name: the first that has a value. Empty: mail; ad: userPrincipalName. A user without one is passed over."),
    LIST_ROW("directory", "name", "", "Attributes of the name to be shown; none: it is not taken. Empty: displayName, cn."),
    LIST_ROW("directory", "email", "", "Attributes of the e-mail address; none: it is not taken. Empty: mail."),
    LIST_ROW("directory", "sam_name", "", "Attributes of onPremisesSamAccountName; none: it is not taken. Empty: uid; ad: sAMAccountName."),
    STR_ROW("directory", "sam_domain", "", 64, "mdm", "NetBIOS name of the domain, to be put before onPremisesSamAccountName with a backslash. Empty: the name alone."),
    STR_ROW("directory", "disabled", "", 200, "mdm",
            "What says that an account is disabled: ATTRIBUTE (it has a value), ATTRIBUTE=VALUE, ATTRIBUTE&BITS, or none. "
            "Empty: pwdAccountLockedTime=000001010000Z; ad: userAccountControl&2."),
    LIST_ROW("directory", "group_name", "", "Attributes of a group's name. Empty: cn; ad: sAMAccountName, cn."),
    LIST_ROW("directory", "group_member", "", "Attributes that name a group's members. Empty: member, uniqueMember; ad: member."),
    ENUM_ROW("directory", "members_are", "names", "names uids",
             "names: distinguished names. uids: values of uid, as memberUid of posixGroup has them; groups in groups are then not known. ad has its own way."),
    INT_ROW("directory", "interval", "300", 10, 86400, "s", "How often it is asked what has changed."),
    INT_ROW("directory", "full_interval", "3600", 10, 604800, "s",
            "How often all of it is read, which alone shows what was deleted there or does not match the filters any more."),
    INT_ROW("directory", "overlap", "300", 0, 86400, "s",
            "openldap: how far before the newest change that was seen the next look begins, for servers that copy each other late."),
    INT_ROW("directory", "timeout", "30", 1, 600, "s", "Longest wait for an answer."),
    INT_ROW("directory", "page_size", "500", 10, 5000, "", "Entries that are asked for at once (RFC 2696)."),
    INT_ROW("directory", "max_deletions", "10", 0, 100, "%",
            "Of the users, of the groups and of the memberships from here: if more than so many would go at once, none goes, and there is an alarm, until "
            "`chancery directory sync NAME --allow-deletions` or the server has them again. Up to three always go, but never the last one."),

    SCEP_ROW("paths", OPTION_LIST, "", CONFIG_LIST_MAX, "",
             "Further URL paths of this endpoint. The endpoint named default also answers the standard ones."),
    STR_ROW("endpoint", "ca", "issuing", 64, "", "The ca section that issues."),
    { "endpoint", "validator", OPTION_ENUM, "", 0, 0, "", "static one-time managed manual", OPTION_RESTART, "", true,
      "Who may enrol. static: whoever knows the endpoint's challenge. one-time: whoever has an unused password of "
      "`chancery password new`. managed: whoever has a challenge that an authority with a pinned certificate "
      "(`chancery authority add --certificate`) has sealed for this very request. manual: each request waits for `chancery request approve`." },
    INT_ROW("endpoint", "challenge_lifetime", "3600", 60, 604800, "s", "How long a one-time password can be used."),
    INT_ROW("endpoint", "challenges_outstanding", "5", 1, 100000, "", "One-time passwords that may be unused at once."),
    STR_ROW("endpoint", "signature_template", "", 64, "", "Template of requests for digitalSignature alone."),
    STR_ROW("endpoint", "encryption_template", "", 64, "", "Template of requests for keyEncipherment alone."),
    STR_ROW("endpoint", "general_purpose_template", "", 64, "", "Template of requests for both key usages, or for none."),
    SCEP_ROW("allow_3des", OPTION_BOOL, "false", 0, "", "Accept and answer with Triple-DES, for old clients."),
    SCEP_ROW("allow_des", OPTION_BOOL, "false", 0, "",
             "Accept and answer with single DES, which RFC 8894 forbids and anybody can break. Only for trying clients that "
             "know nothing else, such as Debian's scepclient."),
    BOOL_ROW("endpoint", "allow_sha1", "false", "Accept SHA-1 signatures and digests, for old clients."),
    SCEP_ROW("get_ca_cert", OPTION_ENUM, "ra-and-ca", 0, "ra-and-ca ra chain ca", "What GetCACert answers."),
    SCEP_ROW("ra", OPTION_ENUM, "separate", 0, "separate combined",
             "Two RA certificates, for signature and for encryption, or one for both."),
    SCEP_ROW("ra_set", OPTION_STR, "default", 64, "", "The RA certificates that this endpoint uses."),
    SCEP_ROW("certrep_certificates", OPTION_ENUM, "leaf", 0, "leaf ca chain", "What a CertRep carries beside the issued certificate."),
    SCEP_ROW("fail_info_text", OPTION_BOOL, "false", 0, "",
             "Tell the client the reason of a refusal (failInfoText). It may help an attacker; the log always has it."),
    INT_ROW("endpoint", "pending_max", "100", 1, 100000, "", "Requests that may wait for approval at once, by the validator manual or by their template."),
};

static const struct section_row sections[] = {
    { "ca", true, "ca signer va", "A certification authority: its limits, and what its certificates point to." },
    { "scep", false, "scep", "The SCEP service: where it listens, and the limits of what it reads." },
    { "va", false, "va",
      "The validation authority: plain HTTP with CRLs and CA certificates at /CertEnroll/ and OCSP at /ocsp. Where it has port 80 of an address, or a "
      "reverse proxy passes these two paths on, URLs need no port." },
    { "mdm", false, "mdm", "The management service: users, groups and devices, and where devices and administrators reach it. It runs where option roles names mdm." },
    { "directory", true, "mdm", "An LDAP server or Active Directory from which mdm has users and groups (docs/ldap.md)." },
    { "endpoint", true, "scep ca", "One SCEP endpoint: its paths, who may enrol, and what is issued." },
};
/* clang-format on */

size_t option_count(void)
{
    return sizeof(options) / sizeof(*options);
}

const struct option_row *option_at(size_t index)
{
    return index < option_count() ? &options[index] : NULL;
}

const struct option_row *option_find(const char *section, const char *name)
{
    for (size_t i = 0; i < option_count(); i++) {
        if (strcmp(options[i].section, section) == 0 && strcmp(options[i].name, name) == 0)
            return &options[i];
    }
    return NULL;
}

size_t section_row_count(void)
{
    return sizeof(sections) / sizeof(*sections);
}

const struct section_row *section_row_at(size_t index)
{
    return index < section_row_count() ? &sections[index] : NULL;
}

bool words_contain(const char *words, const char *word)
{
    size_t len = strlen(word);
    if (len == 0 || strchr(word, ' '))
        return false;
    for (const char *at = words; *at;) {
        size_t here = strcspn(at, " ");
        if (here == len && memcmp(at, word, len) == 0)
            return true;
        at += here;
        at += *at == ' ';
    }
    return false;
}

const char *option_type_name(enum option_type type)
{
    static const char *const names[] = { [OPTION_STR] = "text",
                                         [OPTION_INT] = "integer",
                                         [OPTION_BOOL] = "boolean",
                                         [OPTION_LIST] = "list",
                                         [OPTION_ENUM] = "word" };
    return names[type];
}
