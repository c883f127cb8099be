/* SPDX-License-Identifier: MIT
 *
 * INI files as text: syntax, places, includes, overrides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "config/document.h"

static spur_status parse(document *doc, const char *text, spur_error *err) {
    document_init(doc);
    return document_parse(doc, "t.ini", text, strlen(text), err);
}

static void expect(const document *doc, const char *section, const char *key, const char *value) {
    const document_entry *entry = document_find(doc, section, key);
    assert_non_null(entry);
    assert_string_equal(entry->value, value);
}

static void test_reads_values_comments_and_indentation(void **state) {
    (void)state;
    document doc;
    spur_error err;
    assert_int_equal(parse(&doc,
                           "\xef\xbb\xbf; first\n[run]\r\nname = a b ; note\n   seed=7 # why\n"
                           "\tlogdir : x;y#z\n\n[train]\n  epochs = 3\n[log]\nempty =\n"
                           "none =#b\nnothing :;c=#d\nkept:a=#b\ntab = a\t; b\n",
                           &err),
                     SPUR_OK);
    expect(&doc, "run", "name", "a b");
    expect(&doc, "run", "seed", "7");
    expect(&doc, "run", "logdir", "x;y#z");
    expect(&doc, "train", "epochs", "3");
    expect(&doc, "log", "empty", "");
    expect(&doc, "log", "none", "");
    expect(&doc, "log", "nothing", "");
    expect(&doc, "log", "kept", "a=#b");
    expect(&doc, "log", "tab", "a");
    const document_entry *entry = document_find(&doc, "run", "seed");
    assert_int_equal(entry->line, 4);
    assert_int_equal(entry->column, 4);
    assert_int_equal(entry->value_column, 9);
    document_free(&doc);
}

static void refuses(const char *text, const char *message) {
    document doc;
    spur_error err;
    assert_int_not_equal(parse(&doc, text, &err), SPUR_OK);
    assert_non_null(strstr(err.message, message));
    document_free(&doc);
}

/* A value far longer than inih's own line of 200 bytes arrives whole, up to a line of 4 MiB. */
static void test_long_lines_are_whole(void **state) {
    (void)state;
    size_t n = (4 << 20) - strlen("name = ") - 1;
    char *text = malloc(n + 64), *value = malloc(n + 2);
    memset(value, 'v', n);
    value[n] = '\0';
    snprintf(text, n + 64, "[run]\nname = %s\nseed = 1\n", value);
    document doc;
    spur_error err;
    assert_int_equal(parse(&doc, text, &err), SPUR_OK);
    expect(&doc, "run", "name", value);
    expect(&doc, "run", "seed", "1");
    document_free(&doc);
    snprintf(text, n + 64, "[run]\nname = %sv\n", value);
    refuses(text, "t.ini:2:1: line of 4 MiB or more");
    free(text);
    free(value);
}

static void test_malformed_lines_have_a_place(void **state) {
    (void)state;
    refuses("[run]\n  nothing here\n", "t.ini:2:3: expected 'key = value'");
    refuses("[run\n", "t.ini:1:1: expected ']'");
    refuses("[run] x = 1\n", "t.ini:1:6: expected nothing behind the section");
    refuses("[]\n", "t.ini:1:1: empty section name");
    refuses("= 3\n", "t.ini:1:1: no key");
    refuses("seed = 1\n[run]\n", "t.ini:1:1: key 'seed' before any [section]");
    refuses("[run]\nseed = 1\nname = x\n seed = 2\n",
            "t.ini:4:2: duplicate key 'seed' in [run]; it stands in line 2 already");
    refuses("[run]\nname = \xff\n", "t.ini:2:1: not valid UTF-8");
    refuses("[\xc3\xa4\xc3\xb6] \xc3\xbc = 1\n", "t.ini:1:5: expected nothing behind");
    refuses("[a123456789012345678901234567890123456789012345678901234567890]\n", "name too long");
    refuses("[run]\nk123456789012345678901234567890123456789012345678901234567890 = 1\n",
            "key too long");
    refuses("[run]\nk234567890123456789012345678901234567890123456789 = 1\n",
            "2:1: key too long: k23");
    refuses("[run]\nk23456789012345678901234567890123456789012345678 = 1\n x\n",
            "t.ini:3:2: expected");
    refuses("include =\n", "t.ini:1:10: include needs a file name");
    refuses("include = no/such.ini\n", "t.ini:1:11: no/such.ini: cannot open");
}

/* As many keys as data.ini has classes at the most: each is found, also one that is set again behind them. */
static void test_many_keys_are_found(void **state) {
    (void)state;
    enum { KEYS = 1 << 16 };
    size_t room = 64 + (size_t)KEYS * 32;
    char *text = malloc(room), key[32], value[32];
    size_t n = (size_t)snprintf(text, room, "[classes]\n");
    for (int i = 0; i < KEYS; i++)
        n += (size_t)snprintf(text + n, room - n, "%d = class %d\n", i, i);
    document doc;
    spur_error err;
    assert_int_equal(parse(&doc, text, &err), SPUR_OK);
    assert_int_equal(document_override(&doc, "classes.7=another", &err), SPUR_OK);
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "%d", i);
        snprintf(value, sizeof value, "class %d", i);
        expect(&doc, "classes", key, i == 7 ? "another" : value);
    }
    assert_null(document_find(&doc, "classes", "65536"));
    document_free(&doc);
    snprintf(text + n, room - n, "7 = again\n");
    refuses(text, "t.ini:65538:1: ");
    free(text);
}

static void test_nul_bytes_are_refused(void **state) {
    (void)state;
    document doc;
    spur_error err;
    document_init(&doc);
    assert_int_equal(document_parse(&doc, "t.ini", "[run]\nname = a\0b\n", 16, &err),
                     SPUR_E_FORMAT);
    assert_non_null(strstr(err.message, "t.ini:2:1: NUL byte"));
    document_free(&doc);
}

static void write_file(const char *directory, const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(spur__file_write(path, text, strlen(text), NULL), SPUR_OK);
}

static void test_includes_are_relative_and_weaker(void **state) {
    (void)state;
    char directory[] = "/tmp/spur_doc_XXXXXX", path[512];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/sub", directory);
    assert_int_equal(spur__mkdirs(path, NULL), SPUR_OK);
    write_file(directory, "a.ini", "include = sub/b.ini\n[run]\nseed = 1\n");
    write_file(directory, "sub/b.ini", "include = c.ini\n[run]\nseed = 2\nname = b\n");
    snprintf(path, sizeof path,
             "include = %s/sub/d.ini\n[run]\nseed = 3\nname = c\nlogdir = deep\n", directory);
    write_file(directory, "sub/c.ini", path);
    write_file(directory, "sub/d.ini", "[run]\nlogdir = deepest\nthreads = 4\n");
    write_file(directory, "loop.ini", "include = sub/../loop.ini\n");
    document doc;
    spur_error err;
    document_init(&doc);
    snprintf(path, sizeof path, "%s/a.ini", directory);
    assert_int_equal(document_read(&doc, path, &err), SPUR_OK);
    expect(&doc, "run", "seed", "1");
    expect(&doc, "run", "name", "b");
    expect(&doc, "run", "logdir", "deep");
    expect(&doc, "run", "threads", "4");
    assert_int_equal(document_override(&doc, "run.seed=9", &err), SPUR_OK);
    assert_int_equal(document_override(&doc, "run.seed = 10", &err), SPUR_OK);
    expect(&doc, "run", "seed", "10");
    document_free(&doc);
    snprintf(path, sizeof path, "%s/loop.ini", directory);
    assert_int_equal(document_read(&doc, path, &err), SPUR_E_FORMAT);
    assert_non_null(strstr(err.message, "includes itself"));
    document_free(&doc);
    for (int i = 0; i < 20; i++) {
        char name[16], text[32];
        snprintf(name, sizeof name, "%d.ini", i);
        snprintf(text, sizeof text, "include = %d.ini\n", i + 1);
        write_file(directory, name, i < 19 ? text : "[run]\nseed = 1\n");
    }
    for (int first = 2; first < 4; first++) {
        snprintf(path, sizeof path, "%s/%d.ini", directory, first);
        assert_int_equal(document_read(&doc, path, &err), first == 2 ? SPUR_E_FORMAT : SPUR_OK);
        document_free(&doc);
    }
    assert_non_null(strstr(err.message, "/18.ini:1:11: more than 16 files deep"));
    char command[600];
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    assert_int_equal(system(command), 0);
}

static void test_overrides_must_fit_a_file(void **state) {
    (void)state;
    document doc;
    spur_error err;
    document_init(&doc);
    static const char *const malformed[] = {"optimizer=adam", "optimizer.lr", "epochs=3.5", ".lr=1",
                                            "run.=1"};
    static const char *const values[] = {"a #b", "a\t;b", "#b", " ;b", "a\nb", "a\rb", "a\xff"};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        assert_int_equal(document_override(&doc, malformed[i], &err), SPUR_E_FORMAT);
        assert_non_null(strstr(err.message, "expected section.key=value"));
    }
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char text[32];
        snprintf(text, sizeof text, "run.name=%s", values[i]);
        assert_int_equal(document_override(&doc, text, &err), SPUR_E_FORMAT);
        assert_non_null(strstr(err.message, "run.name: the value could not stand in an INI file"));
    }
    assert_int_equal(doc.count, 0);
    assert_int_equal(document_override(&doc, "sweep.optimizer.lr=1, 2", &err), SPUR_OK);
    expect(&doc, "sweep", "optimizer.lr", "1, 2");
    document_free(&doc);
}

/* Any text comes back from a file; a backslash that begins no code is one, also at the very end. */
static void test_texts_that_a_file_cannot_hold(void **state) {
    (void)state;
    static const char *const texts[] = {"",       " a ",      "a b",           "#a;b",
                                        "a\\x41", "\t\n\x7f", "\xc3\xa4 \xff", "\xc3\xa4"};
    static const char *const written[] = {"",
                                          "\\x20a\\x20",
                                          "a b",
                                          "\\x23a\\x3bb",
                                          "a\\x5cx41",
                                          "\\x09\\x0a\\x7f",
                                          "\\xc3\\xa4 \\xff",
                                          "\xc3\xa4"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        spur__str out;
        spur__str_init(&out, 100);
        document_put_text(&out, texts[i]);
        assert_string_equal(spur__str_text(&out), written[i]);
        assert_true(document_can_hold(spur__str_text(&out)));
        char *copy = spur__strdup(spur__str_text(&out));
        assert_string_equal(document_decode_text(copy), texts[i]);
        spur__free(copy);
        spur__str_free(&out);
    }
    static const char *const plain[] = {"a\\",    "a\\x",  "a\\x4", "\\x4g",
                                        "\\x 41", "\\x-1", "\\x00b"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        char *copy = spur__strdup(plain[i]);
        assert_string_equal(document_decode_text(copy), plain[i]);
        spur__free(copy);
    }
}

/* Every single allocation may fail: an error, no leak, no crash. */
static void test_survives_failing_allocations(void **state) {
    (void)state;
    for (uint64_t n = 1; n < 200; n++) {
        document doc;
        spur_error err;
        spur__fault_malloc(n);
        spur_status status = parse(&doc, "[run]\nseed = 1\nname = x\n[train]\nepochs = 2\n", &err);
        spur__fault_malloc(0);
        document_free(&doc);
        if (status == SPUR_OK) return;
        assert_int_equal(status, SPUR_E_MEMORY);
    }
    fail();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_values_comments_and_indentation),
        cmocka_unit_test(test_long_lines_are_whole),
        cmocka_unit_test(test_many_keys_are_found),
        cmocka_unit_test(test_malformed_lines_have_a_place),
        cmocka_unit_test(test_nul_bytes_are_refused),
        cmocka_unit_test(test_includes_are_relative_and_weaker),
        cmocka_unit_test(test_overrides_must_fit_a_file),
        cmocka_unit_test(test_texts_that_a_file_cannot_hold),
        cmocka_unit_test(test_survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
