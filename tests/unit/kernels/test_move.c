/* SPDX-License-Identifier: MIT
 *
 * Rows of tables: what an index outside does, and the same bytes for any team.
 */
#include "kernels_test.h"

#include "kernels/move.h"

enum { ROWS = 40, WIDTH = 70, PICKED = 900 };

static const int32_t *some_rows(void) {
    static int32_t index[PICKED];
    for (int i = 0; i < PICKED; i++) index[i] = (i * 29 + i / 7) % ROWS;
    return index;
}

static void test_gather(void **state) {
    static const int32_t index[] = {2, ROWS - 1, 0, ROWS, -1, 2};
    const spur__pick pick = {ROWS, WIDTH, index, COUNT(index)};
    spur__exec exec = {.threads = 2};
    float *table = random_floats(ROWS * WIDTH, 1), *out = floats(COUNT(index) * WIDTH);
    (void)state;
    spur__gather_rows(&exec, &pick, table, out);
    for (size_t i = 0; i < COUNT(index); i++)
        for (int c = 0; c < WIDTH; c++) {
            float found = out[i * WIDTH + (size_t)c];
            if (index[i] < 0 || index[i] >= ROWS)
                assert_true(isnan(found));
            else
                assert_true(found == table[index[i] * WIDTH + c]);
        }
    free(table);
    free(out);
}

static void test_scatter(void **state) {
    static const int32_t index[] = {2, ROWS - 1, ROWS, -1, 2, INT32_MAX};
    const spur__pick pick = {ROWS, WIDTH, index, COUNT(index)};
    spur__exec exec = {.threads = 2};
    /* One row more: it must stay as it is. */
    float *table = floats((ROWS + 1) * WIDTH), *dout = random_floats(COUNT(index) * WIDTH, 2);
    (void)state;
    for (int i = 0; i < (ROWS + 1) * WIDTH; i++) table[i] = 1;
    spur__scatter_rows(&exec, &pick, dout, table);
    for (int r = 0; r <= ROWS; r++)
        for (int c = 0; c < WIDTH; c++) {
            float expected = 1;
            if (r == 2) expected = 1 + dout[c] + dout[4 * WIDTH + c];
            if (r == ROWS - 1) expected = 1 + dout[WIDTH + c];
            assert_true(table[r * WIDTH + c] == expected);
        }
    free(table);
    free(dout);
}

static void everything(void *arg, const spur__exec *exec, float *out) {
    const float *x = arg;
    const spur__pick pick = {ROWS, WIDTH, some_rows(), PICKED};
    spur__gather_rows(exec, &pick, x, out);
    memset(out + PICKED * WIDTH, 0, ROWS * WIDTH * sizeof *out);
    spur__scatter_rows(exec, &pick, out, out + PICKED * WIDTH);
}

static void test_same_bytes(void **state) {
    float *x = random_floats(ROWS * WIDTH, 1);
    (void)state;
    assert_same_bytes("move", everything, x, (PICKED + ROWS) * WIDTH);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gather),
        cmocka_unit_test(test_scatter),
        cmocka_unit_test(test_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
