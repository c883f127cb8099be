/* SPDX-License-Identifier: MIT
 *
 * A checker of JSON by recursive descent; see json.h. Each function takes one piece and moves the
 * pointer behind it, or leaves it where the piece goes wrong and returns false.
 */
#include "kinds/json.h"

#include <string.h>

enum { DEPTH_MAX = 64 };

static bool value(const char **p, int depth);

static void spaces(const char **p) {
    *p += strspn(*p, " \t\n\r");
}

/* This character, and the spaces behind it. */
static bool sign(const char **p, char c) {
    if (**p != c) return false;
    ++*p;
    spaces(p);
    return true;
}

static bool digits(const char **p) {
    size_t n = strspn(*p, "0123456789");
    *p += n;
    return n > 0;
}

static bool number(const char **p) {
    if (**p == '-') ++*p;
    if (**p == '0')
        ++*p;
    else if (!digits(p))
        return false;
    if (**p == '.' && (++*p, !digits(p))) return false;
    if (**p != 'e' && **p != 'E') return true;
    ++*p;
    if (**p == '+' || **p == '-') ++*p;
    return digits(p);
}

/* What follows a backslash. */
static bool escape(const char **p) {
    if (**p == 'u') {
        ++*p;
        size_t n = strspn(*p, "0123456789abcdefABCDEF");
        if (n < 4) return false;
        *p += 4;
        return true;
    }
    if (!**p || !strchr("\"\\/bfnrt", **p)) return false;
    ++*p;
    return true;
}

static bool string(const char **p) {
    if (**p != '"') return false;
    for (++*p; **p != '"';) {
        if ((unsigned char)**p < 0x20) return false;
        if (*(*p)++ == '\\' && !escape(p)) return false;
    }
    ++*p;
    return true;
}

static bool word(const char **p, const char *text) {
    size_t n = strlen(text);
    if (strncmp(*p, text, n) != 0) return false;
    *p += n;
    return true;
}

/* A member's, with its colon. */
static bool name(const char **p) {
    if (!string(p)) return false;
    spaces(p);
    return sign(p, ':');
}

/* Members or elements, with their brackets. */
static bool list(const char **p, int depth, const char *close) {
    ++*p;
    spaces(p);
    if (word(p, close)) return true;
    do {
        if (*close == '}' && !name(p)) return false;
        if (!value(p, depth + 1)) return false;
        spaces(p);
    } while (sign(p, ','));
    return word(p, close);
}

static bool value(const char **p, int depth) {
    if (depth > DEPTH_MAX) return false;
    switch (**p) {
    case '{':
        return list(p, depth, "}");
    case '[':
        return list(p, depth, "]");
    case '"':
        return string(p);
    case 't':
        return word(p, "true");
    case 'f':
        return word(p, "false");
    case 'n':
        return word(p, "null");
    default:
        return number(p);
    }
}

bool spur__json_is_object(const char *text, size_t *at) {
    const char *p = text;
    spaces(&p);
    bool fine = *p == '{' && value(&p, 0);
    if (fine) spaces(&p);
    *at = (size_t)(p - text);
    return fine && *p == '\0';
}
