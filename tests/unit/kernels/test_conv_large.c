/* SPDX-License-Identifier: MIT
 *
 * Convolutions so large that work goes in several rounds, blocks or bands, or past the caches; their
 * bytes for another instruction set and team. A program of its own, because it takes long on the portable path.
 */
#include "conv_test.h"

/* The same bytes from another team and instruction set; the portable one would take minutes. */
static void check_other_machine(conv_data *d, const float *found) {
    spur__isa best = spur__cpu_isa();
    if (best == SPUR__ISA_GENERIC) return;
    float *again = floats(results(d));
    spur__cpu_force(SPUR__ISA_AVX2);
    run_passes(d, &(spur__exec){.threads = 3}, again);
    spur__cpu_force(best);
    assert_memory_equal(again, found, (size_t)results(d) * sizeof(float));
    free(again);
}

/* Each case is tested plain and with all options; on the portable path, where that takes minutes, with one of the
 * two, in turn. */
static bool left_out(size_t i) {
    return spur__cpu_isa() == SPUR__ISA_GENERIC && i % 2 != i / 2 % 2;
}

/* So large that panels go several times over shared tiles, superblock by superblock, the weight
 * gradient as well, by blocks of weights or by positions, or in parts of which one has a tile more
 * and so longer blocks; too large for the oracle, so against the direct algorithm, on the CPU's best
 * instruction set whatever is tested: nearly all the time on the portable path would be its own. */
static void test_large(void **state) {
    static const conv_case large[] = {
        {"448 to 20",
         {.n = 5, .h = 24, .w = 22, .c = 448, .k = 20, .kh = 3, .kw = 3, PAD(1), UNIT}},
        {"512 to 528",
         {.n = 1, .h = 40, .w = 36, .c = 512, .k = 528, .kh = 3, .kw = 3, PAD(1), UNIT}},
        {"1024 to 256",
         {.n = 1, .h = 49, .w = 47, .c = 1024, .k = 256, .kh = 3, .kw = 3, PAD(1), UNIT}},
        {"129 to 136",
         {.n = 3, .h = 58, .w = 60, .c = 129, .k = 136, .kh = 3, .kw = 3, PAD(1), UNIT}},
        {"129 to 136, dilation 4x3",
         {.n = 3,
          .h = 58,
          .w = 61,
          .c = 129,
          .k = 136,
          .kh = 3,
          .kw = 3,
          DILATION(4, 3),
          PADS(4, 3)}},
        {"256 to 160, dilation 5",
         {.n = 1, .h = 33, .w = 31, .c = 256, .k = 160, .kh = 3, .kw = 3, DILATION(5, 5), PAD(5)}},
        {"40 to 64, 1537 tiles",
         {.n = 1, .h = 116, .w = 212, .c = 40, .k = 64, .kh = 3, .kw = 3, PAD(1), UNIT}},
    };
    (void)state;
    for (size_t i = 0; i < 2 * COUNT(large); i++) {
        if (left_out(i)) continue;
        conv_data d;
        make_data(&d, &large[i / 2], SPUR__CONV_DIRECT, i % 2);
        ptrdiff_t n = results(&d), sizes[] = {d.ny, d.nx, d.nw, d.s.k}, at = 0;
        float *direct = floats(n), *found = floats(n);
        double *wanted = malloc((size_t)n * sizeof(double));
        spur__isa tested = spur__cpu_isa();
        spur__cpu_force(SPUR__ISA_COUNT - 1);
        run_passes(&d, &(spur__exec){.threads = 2}, direct);
        spur__cpu_force(tested);
        for (ptrdiff_t j = 0; j < n; j++) wanted[j] = (double)direct[j];
        d.algo = SPUR__CONV_WINOGRAD4;
        run_passes(&d, &(spur__exec){.threads = 2}, found);
        for (int part = 0; part < 4; at += sizes[part++])
            assert_close(d.test->name, found + at, wanted + at, sizes[part], 5e-5);
        check_other_machine(&d, found);
        free(direct);
        free(found);
        free(wanted);
        free_data(&d);
    }
}

/* Outputs so many that they are written past the caches (lines by 3x3, pieces of lines by 2x2 stride
 * 2 into a slice; 1x1 with 2 steps of k; depthwise), and weights so many that tasks go
 * through groups of panels over a padded copy of the whole source. */
static void test_large_direct(void **state) {
    static const conv_case large[] = {
        {"2x2 stride 2, large",
         {.n = 3, .h = 200, .w = 168, .c = 16, .k = 8, .kh = 2, .kw = 2, STRIDE(2), .x_pitch = 32}},
        {"3x3, large",
         {.n = 1, .h = 159, .w = 158, .c = 3, .k = 64, .kh = 3, .kw = 3, PAD(1), UNIT}},
        {"1x1, large", {.n = 2, .h = 160, .w = 160, .c = 32, .k = 2, .kh = 1, .kw = 1, UNIT}},
        {"3x3 stride 2, many weights",
         {.n = 3, .h = 9, .w = 8, .c = 96, .k = 400, .kh = 3, .kw = 3, PAD(1), STRIDE(2)}},
        {"3x3, two groups of many weights",
         {.n = 1, .h = 6, .w = 5, .c = 192, .k = 800, .kh = 3, .kw = 3, PAD(1), STEPS(1, 1, 2)}},
        {"3x3, 4 groups, large",
         {.n = 3, .h = 90, .w = 90, .c = 16, .k = 64, .kh = 3, .kw = 3, PAD(1), STEPS(1, 1, 4)}},
        {"depthwise, large",
         {.n = 2, .h = 256, .w = 192, .c = 32, .k = 32, .kh = 3, .kw = 3, PAD(1), STEPS(1, 1, 32)}},
    };
    (void)state;
    for (size_t i = 0; i < 2 * COUNT(large); i++) {
        if (left_out(i)) continue;
        conv_data d;
        check_case(&large[i / 2], SPUR__CONV_DIRECT, i % 2, 1e-5);
        make_data(&d, &large[i / 2], SPUR__CONV_DIRECT, i % 2);
        float *found = floats(results(&d));
        run_passes(&d, &(spur__exec){.threads = 2}, found);
        check_other_machine(&d, found);
        free(found);
        free_data(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_large_direct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
