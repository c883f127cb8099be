/* SPDX-License-Identifier: MIT
 *
 * data: PNG, JPEG, IDX, gzip, CSV and WAV - what they give, and that broken files are errors that
 * name them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <zlib.h>

#include "data/codecs/csvfile.h"
#include "data/codecs/idx.h"
#include "data/codecs/wav.h"

#include "files.h"

static spur__bytes bytes;
static spur__image image;

static int setup(void **state) {
    return make_root(state);
}

static int teardown(void **state) {
    spur__bytes_free(&bytes);
    spur__image_free(&image);
    return remove_root(state);
}

static spur_status read_as(const char *name, spur__decode how, spur_error *err) {
    return spur__image_read(in_root(name), how, &bytes, &image, err);
}

static void good(const char *name, spur__decode how, int h, int w, int c) {
    spur_error err = {0};
    if (read_as(name, how, &err) != SPUR_OK) fail_msg("%s", err.message);
    assert_int_equal(image.height, h);
    assert_int_equal(image.width, w);
    assert_int_equal(image.channels, c);
}

static void bad(const char *name, spur__decode how, spur_status status, const char *text) {
    spur_error err = {0};
    assert_int_equal(read_as(name, how, &err), status);
    if (!strstr(err.message, text)) fail_msg("found '%s', expected '%s'", err.message, text);
    assert_non_null(strstr(err.message, name));
}

static void test_png_round_trip(void **state) {
    (void)state;
    for (int c = 1; c <= 4; c++) {
        if (c == 2) continue;
        write_png("a.png", 5, 7, c, 20);
        good("a.png", SPUR__DECODE_PICTURE, 5, 7, c);
        for (int i = 0; i < 5 * 7 * c; i++)
            assert_int_equal(image.data[i], 20 + 3 * (i / c / 7) + 5 * (i / c % 7) + 7 * (i % c));
    }
}

/* Palette, 1, 2, 4 and 16 bits, grey with alpha: colours as pictures, numbers as labels. */
static void test_png_kinds(void **state) {
    (void)state;
    const uint8_t two[2] = {0x1b, 0xe4}; /* 0 1 2 3 / 3 2 1 0 in two bits each */
    write_raw_png("palette.png", 2, 4, PNG_COLOR_TYPE_PALETTE, 2, two, 1);
    good("palette.png", SPUR__DECODE_PICTURE, 2, 4, 3);
    assert_int_equal(image.data[3], 200);
    assert_int_equal(image.data[4], 0);
    good("palette.png", SPUR__DECODE_LABELS, 2, 4, 1);
    for (int i = 0; i < 4; i++) assert_int_equal(image.data[i], i);
    write_raw_png("grey2.png", 2, 4, PNG_COLOR_TYPE_GRAY, 2, two, 1);
    good("grey2.png", SPUR__DECODE_PICTURE, 2, 4, 1);
    assert_int_equal(image.data[1], 85);
    good("grey2.png", SPUR__DECODE_LABELS, 2, 4, 1);
    assert_int_equal(image.data[1], 1);
    const uint8_t wide[8] = {0, 7, 0, 200, 0, 255, 0, 0};
    write_raw_png("grey16.png", 1, 4, PNG_COLOR_TYPE_GRAY, 16, wide, 8);
    good("grey16.png", SPUR__DECODE_LABELS, 1, 4, 1);
    assert_int_equal(image.data[0], 7);
    assert_int_equal(image.data[2], 255);
    const uint8_t large[8] = {0x80, 0, 0xff, 0xff, 0x12, 0x34, 0, 0};
    write_raw_png("large16.png", 1, 4, PNG_COLOR_TYPE_GRAY, 16, large, 8);
    good("large16.png", SPUR__DECODE_PICTURE, 1, 4, 1);
    assert_int_equal(image.data[0], 128);
    assert_int_equal(image.data[1], 255);
    bad("large16.png", SPUR__DECODE_LABELS, SPUR_E_RANGE, "mask value 32768");
    const uint8_t alpha[4] = {100, 0, 50, 255};
    write_raw_png("alpha.png", 1, 2, PNG_COLOR_TYPE_GRAY_ALPHA, 8, alpha, 4);
    good("alpha.png", SPUR__DECODE_PICTURE, 1, 2, 4);
    assert_int_equal(image.data[2], 100);
    assert_int_equal(image.data[3], 0);
}

static void test_jpeg(void **state) {
    (void)state;
    write_jpeg("grey.jpg", 9, 11, 1, 77);
    good("grey.jpg", SPUR__DECODE_PICTURE, 9, 11, 1);
    for (int i = 0; i < 99; i++) assert_in_range(image.data[i], 76, 78);
    write_jpeg("colour.jpg", 9, 11, 3, 200);
    good("colour.jpg", SPUR__DECODE_PICTURE, 9, 11, 3);
    for (int i = 0; i < 297; i++) assert_in_range(image.data[i], 199, 201);
    bad("colour.jpg", SPUR__DECODE_LABELS, SPUR_E_FORMAT, "JPEG as mask");
}

/* Of a large file the beginning is read; all of it where metadata stand in front of the header. */
static void test_headers(void **state) {
    (void)state;
    static uint8_t file[300000];
    spur__bytes all = {0}, start = {0};
    spur__image shape = {0};
    write_jpeg("a.jpg", 9, 11, 3, 200);
    assert_int_equal(spur__bytes_read(&all, in_root("a.jpg"), NULL), SPUR_OK);
    memcpy(file, all.data, all.size);
    write_bytes("long.jpg", file, sizeof file);
    assert_int_equal(spur__image_read_header(in_root("long.jpg"), &start, &shape, NULL), SPUR_OK);
    assert_int_equal(shape.width, 11);
    assert_in_range(start.size, 1, 1 << 16);
    memset(file, 0, sizeof file);
    memcpy(file, all.data, 2);
    for (size_t i = 0; i < 2; i++) memcpy(file + 2 + i * 65535, "\xff\xfe\xff\xfd", 4);
    memcpy(file + 2 + 2 * 65535, all.data + 2, all.size - 2);
    write_bytes("notes.jpg", file, all.size + 2 * 65535);
    shape = (spur__image){0};
    assert_int_equal(spur__image_read_header(in_root("notes.jpg"), &start, &shape, NULL), SPUR_OK);
    assert_int_equal(shape.height, 9);
    assert_int_equal(shape.width, 11);
    write_bytes("broken.jpg", file, 70000);
    spur_error err = {0};
    assert_int_equal(spur__image_read_header(in_root("broken.jpg"), &start, &shape, &err),
                     SPUR_E_FORMAT);
    assert_non_null(strstr(err.message, "broken.jpg: damaged JPEG"));
    spur__bytes_free(&all);
    spur__bytes_free(&start);
}

static void test_broken_pictures(void **state) {
    (void)state;
    write_jpeg("short.jpg", 64, 64, 3, 90);
    cut_file("short.jpg", 0.7);
    bad("short.jpg", SPUR__DECODE_PICTURE, SPUR_E_FORMAT, "damaged JPEG: Premature end");
    write_png("short.png", 40, 40, 3, 9);
    cut_file("short.png", 0.6);
    bad("short.png", SPUR__DECODE_PICTURE, SPUR_E_FORMAT, "damaged PNG: the file ends too early");
    write_text("text.png", "hello, this is text\n");
    bad("text.png", SPUR__DECODE_PICTURE, SPUR_E_FORMAT, "neither JPEG nor PNG");
    write_text("empty.png", "");
    bad("empty.png", SPUR__DECODE_PICTURE, SPUR_E_FORMAT, "empty file");
    bad("missing.png", SPUR__DECODE_PICTURE, SPUR_E_NOTFOUND, "cannot open");
}

/* A flipped bit in the data is found by the checksum. */
static void test_damaged_png(void **state) {
    (void)state;
    size_t size;
    char *data;
    write_png("a.png", 20, 20, 3, 1);
    assert_int_equal(spur__file_read(in_root("a.png"), 1 << 20, &data, &size, NULL), SPUR_OK);
    data[60] ^= 4;
    write_bytes("flipped.png", data, size);
    spur__free(data);
    bad("flipped.png", SPUR__DECODE_PICTURE, SPUR_E_FORMAT, "damaged PNG");
}

/* A header that claims 2^31 - 1 pixels a side allocates nothing. */
static void test_hostile_size(void **state) {
    (void)state;
    uint8_t png[57] = {0x89, 'P',  'N',  'G',  '\r', '\n', 0x1a, '\n', 0,    0,
                       0,    13,   'I',  'H',  'D',  'R',  0x7f, 0xff, 0xff, 0xff,
                       0x7f, 0xff, 0xff, 0xff, 8,    2,    0,    0,    0};
    uLong crc = crc32(crc32(0, NULL, 0), png + 12, 17);
    for (int i = 0; i < 4; i++) png[29 + i] = (uint8_t)(crc >> (24 - 8 * i));
    write_bytes("huge.png", png, sizeof png);
    uint64_t before = spur__malloc_count();
    spur_error err = {0};
    spur_status status = read_as("huge.png", SPUR__DECODE_PICTURE, &err);
    assert_true(status == SPUR_E_RANGE || status == SPUR_E_FORMAT);
    assert_true(spur__malloc_count() - before <= 2);
    uint8_t large[57]; /* and a first chunk of data, as far as its name */
    memcpy(large, png, sizeof large);
    memcpy(large + 37, "IDAT", 4);
    /* 60000 x 60000: each side allowed, the product not */
    for (int i = 16; i < 24; i += 4) memcpy(large + i, "\0\0\xea\x60", 4);
    crc = crc32(crc32(0, NULL, 0), large + 12, 17);
    for (int i = 0; i < 4; i++) large[29 + i] = (uint8_t)(crc >> (24 - 8 * i));
    write_bytes("large.png", large, sizeof large);
    bad("large.png", SPUR__DECODE_PICTURE, SPUR_E_RANGE, "60000 x 60000");
}

static void test_channels(void **state) {
    (void)state;
    assert_int_equal(spur__image_shape(&image, 1, 2, 3, NULL), SPUR_OK);
    memcpy(image.data, (uint8_t[]){0, 0, 5, 0, 0, 4}, 6); /* 0.57 and 0.456 */
    assert_int_equal(spur__image_convert(&image, 1, NULL), SPUR_OK);
    assert_memory_equal(image.data, ((uint8_t[]){1, 0}), 2);
    assert_int_equal(spur__image_shape(&image, 1, 2, 3, NULL), SPUR_OK);
    memcpy(image.data, (uint8_t[]){255, 0, 0, 10, 20, 30}, 6);
    assert_int_equal(spur__image_convert(&image, 4, NULL), SPUR_OK);
    assert_memory_equal(image.data, ((uint8_t[]){255, 0, 0, 255, 10, 20, 30, 255}), 8);
    assert_int_equal(spur__image_convert(&image, 1, NULL), SPUR_OK);
    assert_memory_equal(image.data, ((uint8_t[]){76, 18}), 2);
    assert_int_equal(spur__image_convert(&image, 3, NULL), SPUR_OK);
    assert_memory_equal(image.data, ((uint8_t[]){76, 76, 76, 18, 18, 18}), 6);
}

static void test_idx(void **state) {
    (void)state;
    const uint8_t file[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6};
    spur__idx idx;
    spur_error err = {0};
    assert_int_equal(spur__idx_parse(file, sizeof file, 2, "x", &idx, &err), SPUR_OK);
    assert_int_equal(idx.sizes[1], 3);
    assert_int_equal(idx.values[5], 6);
    for (size_t n = 0; n < sizeof file; n++)
        assert_int_equal(spur__idx_parse(file, n, 2, "x", &idx, &err), SPUR_E_FORMAT);
    assert_int_equal(spur__idx_parse(file, sizeof file, 3, "x", &idx, &err), SPUR_E_SHAPE);
    uint8_t wrong[sizeof file];
    memcpy(wrong, file, sizeof file);
    wrong[2] = 0x0d;
    assert_int_equal(spur__idx_parse(wrong, sizeof wrong, 2, "x", &idx, &err), SPUR_E_UNSUPPORTED);
    memset(wrong + 4, 0xff, 8);
    wrong[2] = 8;
    assert_int_not_equal(spur__idx_parse(wrong, sizeof wrong, 2, "x", &idx, &err), SPUR_OK);
    /* 2^31 * 2^31 * 4 is 2^64: not a file of no values */
    const uint8_t endless[] = {0, 0, 8, 3, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 4};
    assert_int_equal(spur__idx_parse(endless, sizeof endless, 3, "x", &idx, &err), SPUR_E_RANGE);
}

static void test_gzip(void **state) {
    (void)state;
    spur_error err = {0};
    char text[5000];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * i % 251);
    gzFile file = gzopen(in_root("a.gz"), "wb");
    assert_int_equal(gzwrite(file, text, sizeof text), sizeof text);
    gzclose(file);
    assert_int_equal(spur__gz_read(in_root("a.gz"), 1 << 20, &bytes, &err), SPUR_OK);
    assert_int_equal(bytes.size, sizeof text);
    assert_memory_equal(bytes.data, text, sizeof text);
    assert_int_equal(spur__gz_read(in_root("a.gz"), 4999, &bytes, &err), SPUR_E_RANGE);
    for (double share = 0.99; share > 0.1; share -= 0.2) {
        cut_file("a.gz", share);
        assert_int_equal(spur__gz_read(in_root("a.gz"), 1 << 20, &bytes, &err), SPUR_E_FORMAT);
        assert_non_null(strstr(err.message, "a.gz"));
    }
    write_text("plain.gz", "no gzip at all");
    assert_int_equal(spur__gz_read(in_root("plain.gz"), 100, &bytes, &err), SPUR_OK);
    assert_int_equal(bytes.size, 14);
}

static void test_csv(void **state) {
    (void)state;
    char text[] = "\xef\xbb\xbf"
                  "a;\"b;\n\"\"x\"\"\";c\r\n\r\n1;;3\n";
    spur__csv csv;
    spur_error err = {0};
    assert_int_equal(spur__csv_parse(text, sizeof text - 1, 0, "x", &csv, &err), SPUR_OK);
    assert_int_equal(csv.rows, 2);
    assert_int_equal(csv.columns, 3);
    assert_string_equal(csv.cells[1], "b;\n\"x\"");
    assert_string_equal(csv.cells[2], "c");
    assert_string_equal(csv.cells[4], "");
    assert_string_equal(csv.cells[5], "3");
    assert_int_equal(csv.lines[1], 4);
    spur__csv_free(&csv);
}

/* Blanks around cells are no part of them, and a separator in quotes does not count. */
static void test_csv_blanks(void **state) {
    (void)state;
    char text[] = "\"p, q, r\" ; size\n \t\n 1 ;  2.5 \r\n\r\"x \" ;\t y z\n  ";
    spur__csv csv;
    spur_error err = {0};
    if (spur__csv_parse(text, sizeof text - 1, 0, "x", &csv, &err) != SPUR_OK)
        fail_msg("%s", err.message);
    static const char *const cells[6] = {"p, q, r", "size", "1", "2.5", "x ", "y z"};
    assert_int_equal(csv.rows, 3);
    assert_int_equal(csv.columns, 2);
    for (size_t i = 0; i < 6; i++) assert_string_equal(csv.cells[i], cells[i]);
    assert_int_equal(csv.lines[1], 3);
    spur__csv_free(&csv);
    char lines[] = "\"p, q\nr, s\";size\n1;2\n"; /* the first line goes to the end of its quotes */
    assert_int_equal(spur__csv_parse(lines, sizeof lines - 1, 0, "x", &csv, &err), SPUR_OK);
    assert_int_equal(csv.columns, 2);
    assert_string_equal(csv.cells[0], "p, q\nr, s");
    spur__csv_free(&csv);
    char tabs[] = "a\t\tb \n\t2\t\n";
    assert_int_equal(spur__csv_parse(tabs, sizeof tabs - 1, 0, "x", &csv, &err), SPUR_OK);
    assert_int_equal(csv.columns, 3);
    assert_string_equal(csv.cells[2], "b");
    assert_string_equal(csv.cells[4], "2");
    spur__csv_free(&csv);
}

static void test_broken_csv(void **state) {
    static const struct {
        const char *text, *message;
        spur_status status;
    } cases[] = {
        {"a,b\n1,2,3\n", "t.csv:2:1: 3 cells, expected 2", SPUR_E_FORMAT},
        {"a,b\n\"1,2\n", "t.csv:2:1: a quoted cell without", SPUR_E_FORMAT},
        {"a,b\n\"1\"2,3\n", "t.csv:2:1: text behind a closing quote", SPUR_E_FORMAT},
        {"", "t.csv: empty", SPUR_E_FORMAT},
        {"\n\n", "t.csv: empty", SPUR_E_FORMAT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        spur__csv csv;
        spur_error err = {0};
        size_t n = strlen(cases[i].text);
        memcpy(text, cases[i].text, n + 1);
        assert_int_equal(spur__csv_parse(text, n, 0, "t.csv", &csv, &err), cases[i].status);
        if (!strstr(err.message, cases[i].message))
            fail_msg("found '%s', expected '%s'", err.message, cases[i].message);
    }
}

/* A WAV header for n bytes of samples. */
static size_t wav(uint8_t *out, unsigned format, unsigned channels, unsigned bits, unsigned rate,
                  const void *samples, size_t n) {
    uint8_t header[44] = "RIFF\0\0\0\0WAVEfmt \x10";
    uint32_t words[2] = {(uint32_t)n + 36, (uint32_t)n};
    memcpy(header + 4, &words[0], 4);
    header[20] = (uint8_t)format;
    header[22] = (uint8_t)channels;
    memcpy(header + 24, &rate, 4);
    header[34] = (uint8_t)bits;
    memcpy(header + 36, "data", 4);
    memcpy(header + 40, &words[1], 4);
    memcpy(out, header, 44);
    memcpy(out + 44, samples, n);
    return 44 + n;
}

static void test_wav(void **state) {
    (void)state;
    uint8_t file[128];
    const float reals[2] = {0.5f, -0.25f};
    const struct {
        unsigned format, channels, bits;
        const void *samples;
        size_t n;
    } cases[] = {
        {1, 1, 8, "\xc0\x60", 2},
        {1, 1, 16, "\x00\x40\x00\xe0", 4},
        {1, 1, 24, "\x00\x00\x40\x00\x00\xe0", 6},
        {1, 1, 32, "\x00\x00\x00\x40\x00\x00\x00\xe0", 8},
        {3, 1, 32, reals, 8},
        {1, 2, 16, "\x00\x20\x00\x60\x00\xe0\x00\xe0", 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spur__pixels out = {0};
        int rate;
        spur_error err = {0};
        size_t size = wav(file, cases[i].format, cases[i].channels, cases[i].bits, 22050,
                          cases[i].samples, cases[i].n);
        if (spur__wav_decode(file, size, "x.wav", &out, &rate, &err) != SPUR_OK)
            fail_msg("case %zu: %s", i, err.message);
        assert_int_equal(rate, 22050);
        assert_int_equal(out.width, 2);
        assert_true(out.data[0] == 0.5f && out.data[1] == -0.25f);
        for (size_t n = 0; n < size; n++)
            assert_int_not_equal(spur__wav_decode(file, n, "x.wav", &out, &rate, &err), SPUR_OK);
        spur__pixels_free(&out);
    }
}

/* Samples that take more room than their bits are not read as if they did not. */
static void test_wav_frames(void **state) {
    (void)state;
    uint8_t file[128];
    spur__pixels out = {0};
    int rate;
    spur_error err = {0};
    size_t size = wav(file, 1, 1, 24, 8000, "\x00\x00\x40\x00\x00\x00\xe0\x00", 8);
    file[32] = 4;
    assert_int_equal(spur__wav_decode(file, size, "x.wav", &out, &rate, &err), SPUR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "x.wav: frames of 4 bytes, expected 3"));
    file[32] = 3;
    assert_int_equal(spur__wav_decode(file, size, "x.wav", &out, &rate, &err), SPUR_OK);
    spur__pixels_free(&out);
}

static size_t put(uint8_t *to, size_t at, const void *from, size_t n) {
    memcpy(to + at, from, n);
    return at + n;
}

/* A WAV of two samples, 0.5 and -0.25, whose format chunk has `size` bytes; other chunks before the
 * samples if wanted. The samples' own length is `claimed`. */
static size_t long_wav(uint8_t *out, const uint8_t *format, uint8_t size, bool notes,
                       const void *samples, size_t n, uint32_t claimed) {
    size_t at = put(out, 0, "RIFF\xff\xff\xff\xffWAVEfmt ", 16);
    at = put(out, at, (uint8_t[]){size, 0, 0, 0}, 4);
    at = put(out, at, format, size);
    if (notes) at = put(out, at, "LIST\x03\0\0\0abc\0", 12); /* an odd length, and its padding */
    at = put(out, at, "data", 4);
    at = put(out, at,
             (uint8_t[]){(uint8_t)claimed, (uint8_t)(claimed >> 8), (uint8_t)(claimed >> 16),
                         (uint8_t)(claimed >> 24)},
             4);
    return put(out, at, samples, n);
}

/* Extensible formats, doubles, chunks of odd length, and a recorder that never wrote the length. */
static void test_odd_wav(void **state) {
    static const uint8_t extensible[40] = {0xfe, 0xff, 1, 0, 0x22, 0x56, 0, 0,  0x44,
                                           0xac, 0,    0, 2, 0,    16,   0, 22, 0,
                                           16,   0,    4, 0, 0,    0,    1, 0};
    static const uint8_t doubles[16] = {3,    0,    1, 0, 0x22, 0x56, 0,  0,
                                        0x10, 0xb1, 2, 0, 8,    0,    64, 0};
    static const uint8_t shorts[4] = {0x00, 0x40, 0x00, 0xe0};
    static const double reals[2] = {0.5, -0.25}, broken[2] = {0.5, NAN};
    uint8_t file[160];
    spur__pixels out = {0};
    spur_error err = {0};
    int rate;
    (void)state;
    for (int i = 0; i < 4; i++) {
        size_t size =
            i == 3 ? long_wav(file, doubles, 16, true, reals, 16, 16)
                   : long_wav(file, extensible, 40, i == 1, shorts, 4, i == 2 ? UINT32_MAX : 4);
        if (spur__wav_decode(file, size, "x.wav", &out, &rate, &err) != SPUR_OK)
            fail_msg("case %d: %s", i, err.message);
        assert_int_equal(rate, 22050);
        assert_int_equal(out.width, 2);
        assert_true(out.data[0] == 0.5f && out.data[1] == -0.25f);
    }
    size_t size = long_wav(file, doubles, 16, false, broken, 16, 16);
    assert_int_equal(spur__wav_decode(file, size, "x.wav", &out, &rate, &err), SPUR_E_NUMERIC);
    assert_non_null(strstr(err.message, "x.wav: sample 1 is not a sensible number"));
    size =
        long_wav(file, extensible, 40, false, shorts, 4, 5); /* only that one length is excused */
    assert_int_equal(spur__wav_decode(file, size, "x.wav", &out, &rate, &err), SPUR_E_FORMAT);
    spur__pixels_free(&out);
}

/* A sine keeps its shape and pitch when the rate changes. */
static void test_wav_rate(void **state) {
    (void)state;
    spur__pixels from = {0}, to = {0};
    assert_int_equal(spur__pixels_shape(&from, 1, 8000, 1, NULL), SPUR_OK);
    for (int i = 0; i < 8000; i++) from.data[i] = (float)sin(6.283185307 * 440 * i / 8000);
    assert_int_equal(spur__wav_resample(&from, 8000, 11025, 1 << 20, &to, NULL), SPUR_OK);
    assert_int_equal(to.width, 11025);
    for (int i = 100; i < 10900; i++)
        assert_true(fabs((double)to.data[i] - sin(6.283185307 * 440 * i / 11025)) < 2e-3);
    assert_int_equal(spur__wav_resample(&from, 8000, 4000, 1 << 20, &to, NULL), SPUR_OK);
    for (int i = 100; i < 3900; i++)
        assert_true(fabs((double)to.data[i] - sin(6.283185307 * 440 * i / 4000)) < 5e-3);
    spur__pixels middle = {0};
    assert_int_equal(spur__wav_resample(&from, 8000, 4000, 1001, &middle, NULL), SPUR_OK);
    assert_int_equal(middle.width, 1001);
    assert_memory_equal(middle.data, to.data + 1499, 1001 * sizeof(float));
    for (int i = 0; i < 8000; i++) from.data[i] = (float)sin(6.283185307 * 3000 * i / 8000);
    assert_int_equal(spur__wav_resample(&from, 8000, 4000, 1 << 20, &to, NULL), SPUR_OK);
    for (int i = 100; i < 3900; i++)
        assert_true(fabsf(to.data[i]) < 0.02f); /* nothing of it folds */
    spur__pixels_free(&middle);
    spur__pixels_free(&from);
    spur__pixels_free(&to);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_png_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_png_kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_jpeg, setup, teardown),
        cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_pictures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_png, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_size, setup, teardown),
        cmocka_unit_test_setup_teardown(test_channels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_idx, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gzip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_csv, setup, teardown),
        cmocka_unit_test_setup_teardown(test_csv_blanks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_csv, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wav, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wav_frames, setup, teardown),
        cmocka_unit_test(test_odd_wav),
        cmocka_unit_test_setup_teardown(test_wav_rate, setup, teardown),
    };
    return cmocka_run_group_tests_name("codecs", tests, NULL, NULL);
}
