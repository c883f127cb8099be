/* SPDX-License-Identifier: MIT
 *
 * The projector's files: numbers that read back exactly, labels, the sprite picture, the entries of
 * the configuration over restarts.
 */
#include "logger_test.h"

#include <locale.h>
#include <math.h>
#include <png.h>

static char *read_text(const char *directory, const char *name) {
    char path[8192], *text;
    size_t size;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(spur__file_read(path, 1 << 24, &text, &size, NULL), SPUR_OK);
    return text;
}

static void test_tables(void **state) {
    const float values[6] = {0.1f, -1e-30f, 3.4028235e38f, 0, 1.0f / 3.0f, -7};
    const char *const names[] = {"first", "second", "dritt\xc3\xa9"};
    const char *const pairs[] = {"a", "1", "b", "2", "c", "3"}, *const header[] = {"name", "n"};
    spur_log_points p = {.values = values, .rows = 3, .columns = 2, .metadata = names};
    spur_writer *w;
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    assert_int_equal(spur_log_embedding(w, "one/column", 7, &p), SPUR_OK);
    p.metadata = pairs;
    p.metadata_columns = 2;
    assert_int_equal(spur_log_embedding(w, "two", 0, &p), SPUR_E_ARGUMENT); /* no header */
    p.metadata_header = header;
    assert_int_equal(spur_log_embedding(w, "two", 0, &p), SPUR_OK);
    char *text = read_text(*state, "projector/one%2Fcolumn-00007/tensors.tsv"), *at = text;
    for (int i = 0; i < 6; i++) {
        assert_true(strtof(at, &at) == values[i]);
        assert_int_equal(*at++, i % 2 ? '\n' : '\t');
    }
    assert_int_equal(*at, '\0');
    spur__free(text);
    text = read_text(*state, "projector/one%2Fcolumn-00007/metadata.tsv");
    assert_string_equal(text, "first\nsecond\ndritt\xc3\xa9\n");
    spur__free(text);
    text = read_text(*state, "projector/two-00000/metadata.tsv");
    assert_string_equal(text, "name\tn\na\t1\nb\t2\nc\t3\n");
    spur__free(text);
    text = read_text(*state, "projector_config.pbtxt");
    assert_string_equal(text, "embeddings {\n"
                              "  tensor_name: \"one/column:00007\"\n"
                              "  tensor_path: \"projector/one%2Fcolumn-00007/tensors.tsv\"\n"
                              "  metadata_path: \"projector/one%2Fcolumn-00007/metadata.tsv\"\n"
                              "}\n"
                              "embeddings {\n"
                              "  tensor_name: \"two:00000\"\n"
                              "  tensor_path: \"projector/two-00000/tensors.tsv\"\n"
                              "  metadata_path: \"projector/two-00000/metadata.tsv\"\n"
                              "}\n");
    spur__free(text);
    spur_writer_close(w, NULL);
}

/* The same entry from a restarted run is not added twice; entries of others stay. */
static void test_restart(void **state) {
    const float values[2] = {1, 2};
    const spur_log_points p = {.values = values, .rows = 1, .columns = 2};
    char *before, *after;
    for (int round = 0; round < 2; round++) {
        spur_writer *w;
        assert_int_equal(open_exact(&w, *state, &(spur_writer_options){.purge = true}), SPUR_OK);
        assert_int_equal(spur_log_embedding(w, "a \"quoted\" \\ name", 0, &p), SPUR_OK);
        assert_int_equal(spur_log_embedding(w, "b", 0, &p), SPUR_OK);
        spur_writer_close(w, NULL);
        if (round == 0) before = read_text(*state, "projector_config.pbtxt");
    }
    after = read_text(*state, "projector_config.pbtxt");
    assert_string_equal(before, after);
    assert_non_null(strstr(after, "\"a \\\"quoted\\\" \\\\ name:00000\""));
    spur__free(before);
    spur__free(after);
}

/* Logged again with other parts, an entry says so, in its old place. */
static void test_replaced(void **state) {
    const float values[2] = {1, 2};
    const char *const names[] = {"first"};
    spur_log_points p = {.values = values, .rows = 1, .columns = 2};
    spur_writer *w;
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    assert_int_equal(spur_log_embedding(w, "a", 0, &p), SPUR_OK);
    assert_int_equal(spur_log_embedding(w, "b", 0, &p), SPUR_OK);
    p.metadata = names;
    assert_int_equal(spur_log_embedding(w, "a", 0, &p), SPUR_OK);
    spur_writer_close(w, NULL);
    char *text = read_text(*state, "projector_config.pbtxt");
    assert_string_equal(text, "embeddings {\n"
                              "  tensor_name: \"a:00000\"\n"
                              "  tensor_path: \"projector/a-00000/tensors.tsv\"\n"
                              "  metadata_path: \"projector/a-00000/metadata.tsv\"\n"
                              "}\n"
                              "embeddings {\n"
                              "  tensor_name: \"b:00000\"\n"
                              "  tensor_path: \"projector/b-00000/tensors.tsv\"\n"
                              "}\n");
    spur__free(text);
}

/* Tables of many pieces. */
static void test_large_tables(void **state) {
    enum { ROWS = 5000, COLUMNS = 9 };
    float *values = malloc(ROWS * COLUMNS * sizeof *values);
    const char **names = malloc(ROWS * sizeof *names);
    spur_writer *w;
    for (int i = 0; i < ROWS * COLUMNS; i++) values[i] = 1.0f / (float)(i + 3);
    for (int i = 0; i < ROWS; i++) names[i] = "a label of a point among many others";
    const spur_log_points p = {
        .values = values, .rows = ROWS, .columns = COLUMNS, .metadata = names};
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    assert_int_equal(spur_log_embedding(w, "e", 0, &p), SPUR_OK);
    spur_writer_close(w, NULL);
    char *text = read_text(*state, "projector/e-00000/tensors.tsv"), *at = text;
    for (int i = 0; i < ROWS * COLUMNS; i++, at++) assert_true(strtof(at, &at) == values[i]);
    assert_int_equal(*at, '\0');
    spur__free(text);
    text = read_text(*state, "projector/e-00000/metadata.tsv");
    assert_int_equal(strlen(text), ROWS * (strlen(names[0]) + 1));
    spur__free(text);
    free(values);
    free(names);
}

/* A locale with a decimal comma, made here: few systems have one installed. */
static void test_decimal_comma(void **state) {
    const float values[2] = {0.5f, -1.25e-7f};
    const spur_log_points p = {.values = values, .rows = 1, .columns = 2};
    char command[4400];
    spur_writer *w;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 '%s/comma' >/dev/null 2>&1",
             (char *)*state);
    int made = system(command);
    setenv("LOCPATH", *state, 1);
    if (made != 0 || !setlocale(LC_NUMERIC, "comma")) skip();
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    assert_int_equal(spur_log_embedding(w, "e", 0, &p), SPUR_OK);
    spur_writer_close(w, NULL);
    setlocale(LC_NUMERIC, "C");
    unsetenv("LOCPATH");
    char *text = read_text(*state, "projector/e-00000/tensors.tsv");
    assert_string_equal(text, "0.5\t-1.25e-07\n");
    spur__free(text);
}

/* Five 2x3 pictures make a 3x3 grid with four empty places. */
static void test_sprites(void **state) {
    enum { N = 5, H = 2, W = 3, SIDE = 3 };
    uint8_t pixels[N][H][W][3], decoded[SIDE * H][SIDE * W][3];
    const float values[N] = {0};
    char path[4200];
    memset(pixels, 0, sizeof pixels);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < H * W; k++) pixels[i][k / W][k % W][0] = (uint8_t)(40 * i + k + 1);
    spur_log_images sprites = {
        .pixels = pixels, .count = N, .height = H, .width = W, .channels = 3};
    spur_log_points p = {.values = values, .rows = N, .columns = 1, .sprites = &sprites};
    spur_writer *w;
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    assert_int_equal(spur_log_embedding(w, "s", 0, &p), SPUR_OK);
    snprintf(path, sizeof path, "%s/projector/s-00000/sprite.png", (char *)*state);
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.width, SIDE * W);
    assert_int_equal(image.height, SIDE * H);
    assert_true(png_image_finish_read(&image, NULL, decoded, 0, NULL));
    for (int i = 0; i < SIDE * SIDE; i++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                assert_int_equal(decoded[i / SIDE * H + y][i % SIDE * W + x][0],
                                 i < N ? pixels[i][y][x][0] : 0);
    char *config = read_text(*state, "projector_config.pbtxt");
    assert_non_null(strstr(config, "    single_image_dim: 3\n    single_image_dim: 2\n"));
    spur__free(config);
    sprites.width = 4000;
    assert_int_equal(spur_log_embedding(w, "s", 1, &p), SPUR_E_RANGE);
    sprites.width = W;
    sprites.count = 4;
    assert_int_equal(spur_log_embedding(w, "s", 1, &p), SPUR_E_SHAPE);
    spur_writer_close(w, NULL);
}

static void test_refused(void **state) {
    const float values[1] = {0};
    const char *const tab[] = {"a\tb"}, *const line[] = {"a\nb"};
    spur_log_points p = {.values = values, .rows = 1, .columns = 1, .metadata = tab};
    spur_writer *w;
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    assert_int_equal(spur_log_embedding(w, "e", 0, &p), SPUR_E_ARGUMENT);
    p.metadata = line;
    assert_int_equal(spur_log_embedding(w, "e", 0, &p), SPUR_E_ARGUMENT);
    p.metadata = NULL;
    assert_int_equal(spur_log_embedding(w, "", 0, &p), SPUR_E_ARGUMENT);
    p.values = &(float){NAN};
    assert_int_equal(spur_log_embedding(w, "e", 0, &p), SPUR_E_NUMERIC);
    p.values = values;
    p.rows = 0;
    assert_int_equal(spur_log_embedding(w, "e", 0, &p), SPUR_E_ARGUMENT);
    spur_writer_close(w, NULL);
}

/* The browser skips lines that it finds blank, and then counts fewer labels than points. */
static void test_blank_labels(void **state) {
    static const char *const blanks[] = {"", " ", "\xc2\xa0 \xe2\x80\x83", "\xe3\x80\x80",
                                         "\xef\xbb\xbf"};
    const float values[2] = {0};
    const char *cells[4] = {"a", "", "", "b"}, *const header[] = {"name", ""};
    spur_log_points p = {.values = values, .rows = 2, .columns = 1, .metadata = cells};
    spur_writer *w;
    spur_error err;
    assert_int_equal(open_exact(&w, *state, NULL), SPUR_OK);
    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
        cells[1] = blanks[i];
        assert_int_equal(spur_log_embedding(w, "e", 3, &p), SPUR_E_RANGE);
    }
    cells[1] = "\xe2\x80\x94"; /* a dash */
    assert_int_equal(spur_log_embedding(w, "e", 3, &p), SPUR_OK);
    cells[1] = "";
    p.metadata_columns = 2;
    p.metadata_header = header;
    assert_int_equal(spur_log_embedding(w, "two", 0, &p), SPUR_OK); /* no row is blank */
    cells[3] = " ";
    assert_int_equal(spur_log_embedding(w, "two", 0, &p), SPUR_E_RANGE);
    spur_writer_close(w, &err);
    assert_string_equal(err.message, "tag \"e\", step 3: the metadata of point 1 is blank: the "
                                     "browser skips such a row");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_tables),        TEST(test_restart), TEST(test_replaced), TEST(test_large_tables),
        TEST(test_decimal_comma), TEST(test_sprites), TEST(test_refused),  TEST(test_blank_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
