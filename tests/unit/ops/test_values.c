/* SPDX-License-Identifier: MIT
 *
 * Every operation's values against its naive double-precision oracle; for the whole batch and a
 * part of it; the same bits with 1, 2, 3 and 4 threads; and on every instruction set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "base/memory.h"
#include "unit/ops/cases.h"

static bool value_is_right(const op_case *c, int batch, bool inference) {
    case_run r;
    spur_error err = {0};
    bool ok = false;
    spur_net_options options = {.threads = 2, .conv = SPUR_CONV_DIRECT, .inference = inference};
    if (case_open(&r, c, &options, PLAIN, batch, &err) != SPUR_OK ||
        spur_net_forward(r.net, inference ? SPUR_EVAL : SPUR_TRAIN, &err) != SPUR_OK) {
        print_error("%s: %s\n", c->name, err.message);
    } else {
        c->oracle(&r.want);
        double d = distance(spur_node_data(r.y), r.want.out.v, r.want.out.count, 1e-3);
        ok = d <= (c->tolerance > 0 ? c->tolerance : 1e-5);
        if (!ok) print_error("%s (batch %d): off by %g\n", c->name, batch, d);
    }
    case_close(&r);
    return ok;
}

static bool normalises_by_batch(const op_case *c) {
    return strncmp(c->name, "batch_norm", 10) == 0;
}

static void test_values(void **state) {
    (void)state;
    int failed = 0;
    for (int i = 0; i < OP_CASES; i++) {
        failed += !value_is_right(&op_cases[i], 0, false);
        failed += !value_is_right(&op_cases[i], 1, false) && !normalises_by_batch(&op_cases[i]);
        if (!normalises_by_batch(&op_cases[i])) failed += !value_is_right(&op_cases[i], 0, true);
    }
    assert_int_equal(failed, 0);
}

/* One hash over the output, the inputs' and the parameters' gradients. */
static uint64_t fingerprint(const op_case *c, int threads, case_style style) {
    case_run r;
    spur_error err = {0};
    uint64_t hash = 1469598103934665603u;
    spur_net_options options = {.threads = threads, .gemm = SPUR_GEMM_SPUR};
    if (case_open(&r, c, &options, style, 0, &err) == SPUR_OK &&
        spur_net_forward(r.net, SPUR_TRAIN, &err) == SPUR_OK &&
        spur_net_backward(r.net, 0.5f, &err) == SPUR_OK) {
        const float *arrays[MOST_INPUTS + MOST_PARAMS + 1] = {spur_node_data(r.y)};
        size_t sizes[MOST_INPUTS + MOST_PARAMS + 1] = {r.want.out.count};
        int n = 1;
        for (int k = 0; k < r.inputs; k++, n++) {
            arrays[n] = spur_node_gradient(r.x[k]);
            sizes[n] = r.want.in[k].count;
        }
        for (int k = 0; k < spur_net_param_count(r.net) && k < MOST_PARAMS; k++, n++) {
            arrays[n] = spur_net_param(r.net, k)->gradient;
            sizes[n] = spur_net_param(r.net, k)->count;
        }
        for (int k = 0; k < n; k++)
            for (size_t i = 0; arrays[k] && i < sizes[k] * 4; i++)
                hash = (hash ^ ((const unsigned char *)arrays[k])[i]) * 1099511628211u;
    } else {
        print_error("%s: %s\n", c->name, err.message);
        hash = (uint64_t)threads;
    }
    case_close(&r);
    return hash;
}

static void test_same_bits_for_any_threads(void **state) {
    (void)state;
    int failed = 0;
    for (int i = 0; i < OP_CASES; i++) {
        uint64_t one = fingerprint(&op_cases[i], 1, TWICE);
        for (int threads = 2; threads <= 4; threads++)
            if (fingerprint(&op_cases[i], threads, TWICE) != one) {
                print_error("%s: other bits with %d threads\n", op_cases[i].name, threads);
                failed++;
            }
    }
    assert_int_equal(failed, 0);
}

static void test_planning_changes_no_bit(void **state) {
    (void)state;
    int failed = 0;
    for (int i = 0; i < OP_CASES; i++)
        if (fingerprint(&op_cases[i], 2, HIDDEN) != fingerprint(&op_cases[i], 2, SHOWN)) {
            print_error("%s: other bits when memory is shared\n", op_cases[i].name);
            failed++;
        }
    assert_int_equal(failed, 0);
}

static void test_same_bits_on_every_instruction_set(void **state) {
    (void)state;
    int failed = 0;
    spur__isa best = spur__cpu_isa();
    for (int i = 0; i < OP_CASES; i++) {
        spur__cpu_force(SPUR__ISA_GENERIC);
        uint64_t portable = fingerprint(&op_cases[i], 2, TWICE);
        for (int isa = SPUR__ISA_AVX2; isa <= (int)best; isa++) {
            spur__cpu_force((spur__isa)isa);
            if (fingerprint(&op_cases[i], 2, TWICE) != portable) {
                print_error("%s: other bits with %s\n", op_cases[i].name,
                            spur__isa_name((spur__isa)isa));
                failed++;
            }
        }
    }
    spur__cpu_force(best);
    assert_int_equal(failed, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_same_bits_for_any_threads),
        cmocka_unit_test(test_planning_changes_no_bit),
        cmocka_unit_test(test_same_bits_on_every_instruction_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
