/* SPDX-License-Identifier: MIT
 *
 * Every operation's gradients, by its inputs and by its parameters, against central differences of
 * its double-precision oracle; kinks left out (and counted: a test of kinks alone would be none).
 * Once with the gradient written, once added to what another consumer of the input left there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/memory.h"
#include "unit/ops/cases.h"

/* A parameter's gradient in PyTorch's order. */
static float *exported_gradient(const spur_param *p) {
    spur_param copy = *p;
    copy.value = p->gradient;
    float *out = malloc(p->count * sizeof *out);
    spur_param_export(&copy, out);
    return out;
}

static bool compare(const case_run *r, const char *what, tensor *t, const float *found,
                    bool added) {
    double *wanted = calloc(t->count, sizeof *wanted);
    float *kept = malloc(t->count * sizeof *kept);
    size_t n = 0;
    size_t looked = central_differences(r, t, wanted);
    for (size_t i = 0; i < t->count; i++) {
        if (isnan(wanted[i])) continue;
        wanted[n] = wanted[i] + (added ? coefficient(i) : 0);
        kept[n++] = found[i];
    }
    double d = distance(kept, wanted, n, 1e-3);
    bool ok = n * 4 >= looked * 3 && d <= 1e-5;
    if (!ok)
        print_error("%s: gradient by %s off by %g (%zu of %zu values compared)\n", r->c->name, what,
                    d, n, looked);
    free(kept);
    free(wanted);
    return ok;
}

static int check_all(case_run *r) {
    int failed = 0;
    char what[32];
    for (int k = 0; k < r->inputs; k++) {
        if (r->c->x[k].ints) continue;
        (void)snprintf(what, sizeof what, "input %d", k);
        failed += !compare(r, what, &r->want.in[k], spur_node_gradient(r->x[k]), r->twice);
    }
    for (int k = 0; k < spur_net_param_count(r->net); k++) {
        const spur_param *p = spur_net_param(r->net, k);
        if (!p->gradient) continue;
        float *gradient = exported_gradient(p);
        failed += !compare(r, p->name, &r->want.param[k], gradient, false);
        free(gradient);
    }
    return failed;
}

static int check_case(const op_case *c, bool twice) {
    case_run r;
    spur_error err = {0};
    int failed = 1;
    spur_net_options options = {.threads = 2, .conv = SPUR_CONV_DIRECT};
    if (case_open(&r, c, &options, twice ? TWICE : PLAIN, 0, &err) != SPUR_OK ||
        spur_net_forward(r.net, SPUR_TRAIN, &err) != SPUR_OK ||
        spur_net_backward(r.net, 1.0f, &err) != SPUR_OK)
        print_error("%s: %s\n", c->name, err.message);
    else
        failed = check_all(&r);
    case_close(&r);
    return failed;
}

static void test_gradients_written(void **state) {
    (void)state;
    int failed = 0;
    for (int i = 0; i < OP_CASES; i++) failed += check_case(&op_cases[i], false);
    assert_int_equal(failed, 0);
}

static void test_gradients_added(void **state) {
    (void)state;
    int failed = 0;
    for (int i = 0; i < OP_CASES; i++) failed += check_case(&op_cases[i], true);
    assert_int_equal(failed, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients_written),
        cmocka_unit_test(test_gradients_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
