/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/preview.h"

#include "base/fault.h"
#include "mdm/suit.h"
#include "x509/cert.h"
#include "x509/name.h"
#include "x509/oid.h"
#include "x509/san.h"
#include "x509/text.h"

void preview_free(struct preview *preview)
{
    buf_free(&preview->subject);
    buf_free(&preview->san);
    buf_free(&preview->eku);
    buf_free(&preview->text);
    *preview = (struct preview){ 0 };
}

static const char *shown(const char *text)
{
    return text ? text : "";
}

/* --- the request --- */

static void put_purposes(const struct profile *profile, struct buf *out)
{
    for (size_t i = 0; i < profile->purpose_count; i++) {
        AUTO_BUF oid = { 0 };
        if (oid_from_dotted(profile->purposes[i].oid, &oid))
            der_put_oid(out, buf_bytes(&oid));
    }
}

static enum err make_names(const struct profile *profile, const struct holder *holder, struct preview *out,
                           struct why *why)
{
    struct scope scope = profile_scope(profile);
    TRY(subject_make(profile_subject(profile), &scope, holder, &out->subject, why));
    TRY(san_make(profile->sans, profile->san_count, &scope, holder, &out->san, why));
    if (name_is_empty(buf_bytes(&out->subject)) && !out->san.len)
        return suit_refuse(holder, "would have neither a subject nor another name", why);
    return OK;
}

static enum err make_request(const struct profile *profile, const struct holder *holder, struct preview *out,
                             struct why *why)
{
    bool scep = profile->type == PROFILE_SCEP;
    TRY(make_names(profile, holder, out, why));
    put_purposes(profile, &out->eku);
    out->expects = (struct challenge_expectation){
        .subject = buf_bytes(&out->subject),
        .san = buf_bytes(&out->san),
        .eku = buf_bytes(&out->eku),
        .eku_unasked = !platform_has(profile->platform, SETTING_PURPOSES),
        .key_usage = scep ? profile->key_usage : KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
        .key_kind = KEY_RSA,
        .rsa_bits = scep ? (int)profile->key_size : PKCS_RSA_BITS,
        .validity_s = validity_seconds(&profile->validity),
    };
    return OK;
}

/* Whatever a challenge could not say is found here: what an administrator is shown is what a device can be given. */
static enum err check_challenge(const struct holder *holder, const struct preview *preview, struct why *why)
{
    static const char any_id[] = "00000000-0000-4000-8000-000000000000";
    struct challenge challenge = {
        .id = { 1 },
        .profile = bytes_str(any_id),
        .profile_version = 1,
        .device = bytes_str(any_id),
        .user = bytes_str(any_id),
        .expires = 1,
        .expects = preview->expects,
    };
    AUTO_BUF der = { 0 };
    struct why inner = { 0 };
    AUTO_BUF reason = { 0 };
    if (FAULT(preview_challenge) || challenge_encode(&challenge, &der, &inner) == OK)
        return OK;
    buf_printf(&reason, "cannot be given a challenge: %s", inner.text);
    return suit_refuse(holder, buf_text(&reason), why);
}

/* --- what an administrator reads --- */

static void append_purposes(struct buf *out, const struct profile *profile)
{
    for (size_t i = 0; i < profile->purpose_count; i++)
        buf_printf(out, "%s%s (%s)", i ? ", " : "", profile->purposes[i].name, profile->purposes[i].oid);
    if (!profile->purpose_count)
        buf_append_str(out, "the template's");
}

static void append_request(const struct profile *profile, const struct preview *preview, struct buf *out)
{
    const struct challenge_expectation *expects = &preview->expects;
    buf_append_str(out, "\n  subject: ");
    if (name_is_empty(expects->subject))
        buf_append_str(out, "none");
    name_append_text(out, expects->subject);
    buf_append_str(out, "\n  subject alternative names: ");
    if (expects->san.len)
        san_append_text(out, expects->san);
    else
        buf_append_str(out, "none");
    buf_printf(out, "\n  key: RSA of %d bits%s\n  key usage: ", expects->rsa_bits,
               profile->type == PROFILE_PKCS ? ", made by the connector" : "");
    key_usage_append_text(out, expects->key_usage);
    buf_append_str(out, "\n  extended key usage: ");
    append_purposes(out, profile);
    buf_append_str(out, "\n  validity: ");
    if (expects->validity_s)
        buf_printf(out, "%lld %s", (long long)profile->validity.number,
                   word_name(&validity_unit_words, (int)profile->validity.unit));
    else
        buf_append_str(out, "the template's");
    buf_printf(out, "\n  renewal: when %lld %% of it remain", (long long)profile->renewal_threshold);
}

static void append_where(const struct profile *profile, struct buf *out)
{
    if (profile->type == PROFILE_PKCS)
        buf_printf(out, "\n  from: %s, %s, template %s", profile->authority, profile->authority_name,
                   profile->template_name);
    for (size_t i = 0; i < profile->url_count; i++)
        buf_printf(out, "%s%s", i ? ", " : "\n  from one of: ", profile->urls[i]);
}

static void append_trusted(const struct profile *profile, struct buf *out)
{
    struct cert cert;
    enum destination_store store = profile_store(profile);
    buf_append_str(out, "the certificate would be installed: ");
    if (cert_parse(buf_bytes(&profile->certificate), &cert, NULL) == OK)
        name_append_text(out, cert.subject);
    if (store != STORE_NONE)
        buf_printf(out, ", in %s", word_name(&destination_store_words, (int)store));
}

/* What devices and directories say must not make lines of its own. */
static void append_told(struct buf *out, const char *text)
{
    text_append_escaped(out, bytes_str(text), "");
}

static void append_text(const struct profile *profile, const struct holder *holder,
                        const struct preview *preview, const struct why *why, struct buf *out)
{
    const struct device *device = holder->device;
    buf_append_str(out, "for device \"");
    append_told(out, device->name);
    buf_printf(out, "\" (%s)%s", shown(device->id), holder->user ? " of " : "");
    append_told(out, holder->user ? holder->user->upn : NULL);
    buf_append_byte(out, ' ');
    if (preview->err != OK) {
        buf_append_str(out, "it would fail: ");
        append_told(out, why->text);
        buf_append_byte(out, '\n');
        return;
    }
    if (profile->type == PROFILE_TRUSTED) {
        append_trusted(profile, out);
    } else if (profile->type == PROFILE_IMPORTED) {
        buf_printf(out, "the imported certificates of purpose %s would be delivered",
                   word_name(&intended_purpose_words, (int)profile->intended_purpose));
    } else {
        buf_append_str(out, "the request would be");
        append_request(profile, preview, out);
        append_where(profile, out);
    }
    buf_append_byte(out, '\n');
}

static enum err judge(const struct profile *profile, const struct holder *holder, struct preview *out,
                      struct why *why)
{
    TRY(suit_check(profile, holder, NULL, why));
    if (profile->type != PROFILE_SCEP && profile->type != PROFILE_PKCS)
        return OK;
    TRY(make_request(profile, holder, out, why));
    return profile->type == PROFILE_SCEP ? check_challenge(holder, out, why) : OK;
}

enum err preview_make(const struct profile *profile, const struct holder *holder, struct preview *ret,
                      struct why *why)
{
    struct preview preview = { 0 };
    struct why reason = { 0 };
    preview.err = judge(profile, holder, &preview, &reason);
    if (preview.err != OK)
        preview.expects = (struct challenge_expectation){ 0 };
    append_text(profile, holder, &preview, &reason, &preview.text);
    *ret = preview; /* the views stay: the memory is handed over as it is */
    return preview.err == OK ? OK : fail(why, preview.err, "%s", reason.text);
}
