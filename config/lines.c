/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the line of every section and option: libconfuse keeps neither, nor does it notice an option that is
   written twice, and it would replace ${NAME} from an environment that differs between the roles. Values stay
   its business. */
#include "config/internal.h"

#define MARKS_MAX 4096 /* sections and options in one file: a few hundred endpoints */

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_PUNCTUATION, TOKEN_BAD };
struct token {
    enum token_kind kind;
    struct bytes text;
    int line;
};
struct scanner {
    struct buf *text;
    size_t at;
    int line;
};

static struct bytes rest_of(const struct scanner *in)
{
    return bytes_of(in->text->data + in->at, in->text->len - in->at);
}

static void skip(struct scanner *in, size_t count)
{
    for (size_t end = in->at + count; in->at < end; in->at++)
        in->line += in->text->data[in->at] == '\n';
}

static bool starts_with(struct bytes rest, const char *text)
{
    size_t len = strlen(text);
    return rest.len >= len && memcmp(rest.data, text, len) == 0;
}

/* Length of the comment at the front; 0 when there is none, or when it is not closed. */
static size_t comment_len(struct bytes rest)
{
    if (starts_with(rest, "#") || starts_with(rest, "//")) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        return end ? (size_t)(end - rest.data) : rest.len;
    }
    if (starts_with(rest, "/*")) {
        const uint8_t *end = memmem(rest.data + 2, rest.len - 2, "*/", 2);
        return end ? (size_t)(end - rest.data) + 2 : 0;
    }
    return 0;
}

/* libconfuse 3.3 stumbles over comments inside lists, so it never sees any. */
static void comment_blank(struct scanner *in, size_t len)
{
    for (size_t i = in->at; i < in->at + len; i++) {
        if (in->text->data[i] != '\n')
            in->text->data[i] = ' ';
    }
}

static bool blank_skip(struct scanner *in)
{
    struct bytes rest = rest_of(in);
    size_t len = rest.len && rest.data[0] && strchr(" \t\r\n\f\v", rest.data[0]) ? 1 : 0;
    if (len == 0) {
        len = comment_len(rest);
        comment_blank(in, len);
    }
    skip(in, len);
    return len > 0;
}

static size_t quoted_len(struct bytes text)
{
    for (size_t i = 1; i < text.len; i++) {
        if (text.data[i] == '\\')
            i++;
        else if (text.data[i] == text.data[0])
            return i + 1;
    }
    return 0; /* not closed */
}

static size_t word_len(struct bytes text)
{
    size_t len = 0;
    while (len < text.len && text.data[len] && !strchr("\"' \t\r\n\f\v={}()+,", text.data[len]))
        len++;
    return len;
}

static struct token token_next(struct scanner *in)
{
    while (blank_skip(in)) {}
    struct bytes rest = rest_of(in);
    struct token token = { .kind = TOKEN_END, .line = in->line };
    if (rest.len == 0)
        return token;
    uint8_t first = rest.data[0];
    size_t len = first == '"' || first == '\'' ? quoted_len(rest) : word_len(rest);
    token.kind = len && !starts_with(rest, "/*") ? TOKEN_WORD : TOKEN_BAD;
    if (!len && first && strchr("={}()+,", first)) {
        token.kind = TOKEN_PUNCTUATION;
        len = 1;
    }
    token.text = bytes_of(rest.data, len);
    skip(in, len);
    return token;
}

static void mark_add(struct line_mark **marks, size_t *count, struct token word, size_t section)
{
    struct line_mark *grown = xcalloc(*count + 1, sizeof(*grown));
    if (*count)
        memcpy(grown, *marks, *count * sizeof(*grown));
    free(*marks);
    grown[*count] =
        (struct line_mark){ xstrndup((const char *)word.text.data, word.text.len), word.line, section };
    *marks = grown;
    (*count)++;
}

/* A word that `=` or `+=` follows is an option; one that begins a statement and meets `{` is a section. */
struct statement {
    struct token first;
    bool has_first, in_list;
    size_t section;
};

static void statement_step(struct line_index *index, struct statement *at, struct token token)
{
    uint8_t sign = token.kind == TOKEN_PUNCTUATION ? token.text.data[0] : 0;
    if (at->in_list) {
        at->in_list = sign != '}';
    } else if (sign == '=') {
        if (at->has_first)
            mark_add(&index->options, &index->option_count, at->first, at->section);
        at->has_first = false;
    } else if (sign == '{' && at->has_first) {
        mark_add(&index->sections, &index->section_count, at->first, SIZE_MAX);
        at->section = index->section_count - 1;
        at->has_first = false;
    } else if (sign == '}') {
        at->section = SIZE_MAX;
        at->has_first = false;
    } else if (token.kind == TOKEN_WORD && !at->has_first) {
        at->first = token;
        at->has_first = true;
    }
}

/* The value after `=`: one word, or a list that statement_step skips to its closing brace. */
static struct token value_skip(struct scanner *in, struct statement *at)
{
    struct token token = token_next(in);
    at->in_list = token.kind == TOKEN_PUNCTUATION && token.text.data[0] == '{';
    return token;
}

static enum err duplicate_check(const char *path, const struct line_index *index, struct why *why)
{
    for (size_t i = 0; i < index->option_count; i++) {
        const struct line_mark *mark = &index->options[i];
        for (size_t j = 0; j < i; j++) {
            const struct line_mark *first = &index->options[j];
            if (first->section == mark->section && strcmp(first->name, mark->name) == 0)
                return fail(why, ERR_CONFIG,
                            "%s:%d: option %s is set twice, first in line %d; keep one of them", path,
                            mark->line, mark->name, first->line);
        }
    }
    return OK;
}

static enum err token_check(const char *path, struct token token, struct why *why)
{
    if (token.kind == TOKEN_BAD)
        return fail(why, ERR_CONFIG, "%s:%d: a quoted text or a comment is not closed, or a byte is not text",
                    path, token.line);
    /* The $ of an unquoted ${NAME} is the word; its brace comes next. */
    bool bare = token.text.len && token.text.data[token.text.len - 1] == '$';
    if (token.kind == TOKEN_WORD && (bare || memmem(token.text.data, token.text.len, "${", 2)))
        return fail(why, ERR_CONFIG,
                    "%s:%d: ${…} is not replaced from the environment; write the value itself", path,
                    token.line);
    return OK;
}

static enum err end_check(const char *path, const struct line_index *index, const struct statement *at,
                          int line, struct why *why)
{
    if (at->in_list)
        return fail(why, ERR_CONFIG, "%s:%d: a list is not closed with }", path, line);
    if (at->section != SIZE_MAX)
        return fail(why, ERR_CONFIG, "%s:%d: section %s is not closed with }", path,
                    index->sections[at->section].line, index->sections[at->section].name);
    return duplicate_check(path, index, why);
}

static enum err scan(const char *path, struct scanner *in, struct line_index *index, struct why *why)
{
    struct statement at = { .section = SIZE_MAX };
    for (struct token token = token_next(in); token.kind != TOKEN_END; token = token_next(in)) {
        TRY(token_check(path, token, why));
        if (index->option_count + index->section_count >= MARKS_MAX)
            return fail(why, ERR_CONFIG, "%s:%d: more than %d sections and options", path, token.line,
                        MARKS_MAX);
        bool assigns = !at.in_list && token.kind == TOKEN_PUNCTUATION && token.text.data[0] == '=';
        statement_step(index, &at, token);
        if (assigns)
            TRY(token_check(path, value_skip(in, &at), why));
    }
    return end_check(path, index, &at, in->line, why);
}

enum err line_index_build(const char *path, struct buf *text, struct line_index *ret, struct why *why)
{
    struct line_index index = { 0 };
    struct scanner in = { text, 0, 1 };
    enum err err = scan(path, &in, &index, why);
    if (err != OK) {
        line_index_free(&index);
        return err;
    }
    *ret = index;
    return OK;
}

static void marks_free(struct line_mark *marks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(marks[i].name);
    free(marks);
}

void line_index_free(struct line_index *index)
{
    marks_free(index->sections, index->section_count);
    marks_free(index->options, index->option_count);
    *index = (struct line_index){ 0 };
}

const struct line_mark *line_index_section(const struct line_index *index, const char *kind, size_t nth,
                                           size_t *ret_index)
{
    for (size_t i = 0; i < index->section_count; i++) {
        if (strcmp(index->sections[i].name, kind) != 0 || nth-- != 0)
            continue;
        *ret_index = i;
        return &index->sections[i];
    }
    return NULL;
}

int line_index_option(const struct line_index *index, size_t section, const char *name)
{
    for (size_t i = 0; i < index->option_count; i++) {
        if (index->options[i].section == section && strcmp(index->options[i].name, name) == 0)
            return index->options[i].line;
    }
    return 0;
}
