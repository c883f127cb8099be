/* SPDX-License-Identifier: MIT
 *
 * The projector's files: numbers that read back exactly, labels, the sprite picture, the entries of
 * the configuration over restarts.
 */
#include "logger_test.h"

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
    p.rows = 0;
    assert_int_equal(spur_log_embedding(w, "e", 0, &p), SPUR_E_ARGUMENT);
    spur_writer_close(w, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_tables),
        TEST(test_restart),
        TEST(test_sprites),
        TEST(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
