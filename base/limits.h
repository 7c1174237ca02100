/* SPDX-License-Identifier: Apache-2.0 */
/* Every named limit that is not a setting, each with its reason. Settings have their bounds in config/options.h. */
#pragma once

#define LIMIT_DER_DEPTH            16       /* nesting; SCEP needs 9. spec security.md B14                        */
#define LIMIT_OID_BYTES            64       /* encoded; 32 arcs of ours fit. B14                                  */
#define LIMIT_OID_ARCS             32
#define LIMIT_STRING_BYTES         1024     /* any name or attribute string but the challenge. B14                */
#define LIMIT_CHALLENGE_BYTES      16384    /* a managed challenge is about 5 kB. scep.md                         */
#define LIMIT_CHALLENGE_DER_BYTES  8192     /* inside it, before sealing: with one recipient base64 of it stays below that */
#define LIMIT_CHALLENGE_RECIPIENTS 16       /* CRP certificates that one is encrypted to; each adds about 400 characters  */
#define LIMIT_CHALLENGE_PURPOSES   32       /* extended key usages that one expects                               */
#define LIMIT_CHALLENGE_LIFETIME_S 86400    /* a CRP key outlives its successor's begin by that much              */
#define LIMIT_CHALLENGE_VALIDITY_S INT64_C(3153600000) /* of the certificate: a hundred years, as a template's    */
#define LIMIT_PKI_MESSAGE_BYTES    65536    /* a pkiMessage, either transport. B14, D2                            */
#define LIMIT_CSR_BYTES            49152    /* inside a pkiMessage                                                */
#define LIMIT_CERT_BYTES           8192     /* a signer's certificate. B15                                        */
#define LIMIT_CERT_EXTENSIONS      20       /* B15                                                                */
#define LIMIT_RECIPIENTS           8        /* RecipientInfos. B3                                                 */
#define LIMIT_MESSAGE_CERTS        8        /* certificates a client may put into its pkiMessage                  */
#define LIMIT_SAN_NAMES            100      /* in a CSR. A8                                                       */
#define LIMIT_RDNS                 32       /* in a name                                                          */
#define LIMIT_RSA_BITS_MIN         2048     /* unless a template lowers it on purpose; never below 1024           */
#define LIMIT_RSA_BITS_MAX         8192     /* checked before any RSA arithmetic. B12                             */
#define LIMIT_KEY_FILE_BYTES       16384    /* an encrypted PEM key of 8192 bits has 6.5 kB                        */
#define LIMIT_SECRET_HEAP_BYTES    (4 << 20) /* a power of two; an RSA-4096 key takes about 20 kB; half of what Debian lets a user lock */
#define LIMIT_KDF_ITERATIONS       10000000 /* PBKDF2 of a key file: some seconds, not for ever                   */
#define LIMIT_SCRYPT_MEMORY        (64 << 20) /* of a key file; ours take 16 MiB                                  */
#define LIMIT_SCRYPT_WORK          (1 << 24)  /* N r p of a key file; ours have 2^20, a third of a second         */
#define LIMIT_TRANSACTION_ID_BYTES 255      /* RFC 8894 sets none; a printable id                                 */
#define LIMIT_NONCE_BYTES          64       /* senderNonce is 16 by RFC 8894, 8 in the field                      */
#define LIMIT_FRAME_BYTES          (1 << 20)  /* between roles, but CRLs                                          */
#define LIMIT_CRL_FRAME_BYTES      (64 << 20) /* a CRL of a million entries is 38.5 MB (spec performance.md)      */
#define LIMIT_FRAMES_IN_FLIGHT     256      /* per connection between roles                                       */
#define LIMIT_POOL_THREADS         64       /* design.md section 7                                                */
#define LIMIT_POOL_STACK_BYTES     (256 * 1024) /* a worker's stack; sanitizers need more and set it              */
#define LIMIT_CRP_CONNECTIONS      512      /* of CertificateRegistrationSvc: a few SCEP servers, each with a device per connection */
#define LIMIT_REFUSING_CONNECTIONS 256      /* beside max_connections: those that only get their 503               */
#define LIMIT_OTHER_DESCRIPTORS    256      /* of a role beside its connections; a running one has about thirty     */
#define LIMIT_CONFIG_BYTES         (1 << 20)
#define LIMIT_TEXT_FILE_BYTES      (1 << 20) /* certificates, keys, small files                                   */
#define LIMIT_SERIAL_BYTES_MIN     16       /* ca.md                                                              */
#define LIMIT_SERIAL_BYTES_MAX     20       /* RFC 5280 4.1.2.2                                                   */
#define LIMIT_FOREIGN_SERIAL_BYTES 64       /* of a device's self-signed certificate: certmonger's have 33 octets  */
#define LIMIT_OCSP_REQUEST_BYTES   4096     /* one CertID and a nonce have about 200; RFC 5019 2.1.1 asks for one   */
#define LIMIT_OCSP_REQUESTS        8        /* CertIDs in one request                                             */
#define LIMIT_VA_AUTHORITIES       64       /* ca sections that va answers for: as many as a list has values       */
#define LIMIT_CRL_PARTITIONS       256      /* of one CA; each is a file, and a document of va                    */
#define CRL_PARTITION_MARK         "%p"     /* in cdp_urls: the number of a certificate's partition; no URL has it       */
#define LIMIT_VA_FILES             64       /* certificates and CRLs of other CAs that va serves                   */
#define LIMIT_AUTHORITY_PENDING    1000     /* of one authority that is over its limits: an administrator reads them */
#define LIMIT_NAME_BYTES           64       /* names of endpoints, templates, CAs, principals                     */
#define LIMIT_DENIAL_REASON_BYTES  400      /* a sentence or two: it fits into what the answer and the log say of it  */
#define LIMIT_POLICY_BYTES         65536    /* a policy file of certreq; the guides' have 700                     */
#define LIMIT_POLICY_PURPOSES      32       /* its extended key usages                                            */
#define LIMIT_CHAIN_CERTS          16       /* certificates in one file; a chain has two to five                  */
#define LIMIT_SITE_TEMPLATES       500      /* in one site file: each is compared with every other                     */
#define LIMIT_SITE_ANSWER_BYTES    (LIMIT_FRAME_BYTES - 1024) /* what an apply changes, or an export: it fits a frame  */
#define LIMIT_RULE_BYTES           4096     /* a template's rule as text, or an authority's list     */
#define LIMIT_JSON_DEPTH           8        /* nesting; a profile has 3, and the parser goes as deep on the stack of a worker */
#define LIMIT_PROFILE_BYTES        65536    /* one profile as JSON; a certificate takes 11 kB of it                   */
#define LIMIT_PROFILE_NAME_BYTES   200
#define LIMIT_PROFILE_TEXT_BYTES   1024     /* its description, or the text of a subject or name with variables         */
#define LIMIT_PROFILE_SANS         16       /* rows of subject alternative names                                      */
#define LIMIT_PROFILE_PURPOSES     8        /* extended key usages; as many as a template has                          */
#define LIMIT_PROFILE_URLS         16       /* SCEP servers of one profile                                            */
#define LIMIT_PROFILE_PROBLEMS     64       /* said at once of one profile                                            */
#define LIMIT_DIRECTORY_KEY_BYTES  256      /* a UPN, a name, a serial number: what is one word or line of the directory */
#define LIMIT_DIRECTORY_TEXT_BYTES 1024     /* a distinguished name, a description                                 */
#define LIMIT_TOKEN_USES           100000   /* devices that one enrolment token lets in: a fleet                    */
#define LIMIT_TOKEN_HOURS          8760     /* that it is good for: a year                                         */
#define LIMIT_PASSWORD_MIN         12       /* characters of an administrator's: nobody composes shorter ones that last */
#define LIMIT_PASSWORD_MAX         128      /* a passphrase of twenty words                                        */
#define LIMIT_SESSIONS             50       /* of one administrator: a script that forgets to sign out fills no disk */
#define LIMIT_APITOKEN_DAYS        366      /* that one is good for: a year                                        */
#define LIMIT_KNOWN_ADDRESSES      20       /* that an administrator has signed in from, the latest                */
#define LIMIT_ID_TOKEN_BYTES       32768    /* an ID token with the groups of somebody who is in two hundred of them      */
#define LIMIT_JWKS_BYTES           65536    /* the keys of an OpenID provider; ten of RSA-4096 have 10 kB          */
#define LIMIT_JWKS                 32       /* of them                                                             */
#define LIMIT_DEVICE_CSR_TEXT      8192     /* a PKCS#10 of a device in base64; RSA-8192 has 3 kB                  */
#define LIMIT_INSTALLED            200      /* certificates that one device says it has of us                      */
#define LIMIT_RESULTS              100      /* of what it was told to do, in one check-in                          */
#define LIMIT_API_BODY_BYTES       65536    /* of one object as JSON; they have some hundred octets                */
#define LIMIT_IMPORT_BYTES         (32 << 20) /* a file: 100,000 devices with every attribute have 25 MB           */
#define LIMIT_API_FRAME_BYTES      (40 << 20) /* of the command line to mdm: a file and what is around it            */
#define LIMIT_PAGE_ROWS            1000     /* of a list                                                           */
#define LIMIT_LDAP_DIRECTORIES     8        /* LDAP servers that users and groups come from                        */
#define LIMIT_LDAP_NAMES           8        /* attributes that one of ours is looked for in                        */
#define LIMIT_LDAP_MESSAGE_BYTES   (32 << 20) /* one entry from a server; a group of 200,000 members has 20 MB      */
#define LIMIT_LDAP_MEMBERS         200000   /* of one group                                                        */
#define LIMIT_LDAP_ENTRIES         1000000  /* of users, and of groups, from one server: 40 MB of ids while it is read */
#define LIMIT_LDAP_BATCH           200      /* entries that are judged, and written, at once: some 20 ms            */
#define LIMIT_LDAP_RETRIES         1000     /* entries that met a conflict and are tried again at the end of a run */
#define LIMIT_LDAP_CHECKS          1000     /* members of whom an incremental run asks whether they are still there; more is a full run's */
#define LIMIT_LDAP_PROBLEMS        1000     /* kept of one directory                                               */
#define LIMIT_LDAP_WARNINGS        20       /* of one run in the log; the API has them all                         */
#define LIMIT_LDAP_PASSWORD_BYTES  1024
