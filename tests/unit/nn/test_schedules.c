/* SPDX-License-Identifier: MIT
 *
 * Schedules: over epochs, with a warm-up, to their end and after it; and momenta that they move.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <spur/loss.h>
#include <spur/optim.h>

static spur_net *make_net(void) {
    spur_error err = {0};
    spur_net *net = spur_net_create(NULL);
    spur_node *x = spur_input(net, "x", SPUR_FLOAT32, 2, (int64_t[]){4, 6});
    spur_node *t = spur_input(net, "t", SPUR_FLOAT32, 2, (int64_t[]){4, 1});
    spur_node *loss = spur_mse(net, spur_linear(net, x, "fc", 1, NULL), t, SPUR_MEAN);
    if (spur_net_build(net, loss, &err) != SPUR_OK) fail_msg("%s", err.message);
    return net;
}

static void test_epochs_and_warm_up(void **state) {
    spur_error err = {0};
    spur_scheduler *s =
        spur_scheduler_create("step", "step_size=1 gamma=0.5 warmup_steps=4",
                              &(spur_schedule_span){.steps_per_epoch = 10, .epochs = 3}, &err);
    (void)state;
    assert_non_null(s);
    assert_true(fabs(spur_scheduler_lr(s, 0.3, 0) - 0.1) < 1e-15);
    assert_true(fabs(spur_scheduler_lr(s, 0.3, 2) - 0.2) < 1e-15);
    assert_true(spur_scheduler_lr(s, 0.3, 4) == 0.3);
    assert_true(spur_scheduler_lr(s, 0.3, 13) == 0.3);
    assert_true(spur_scheduler_lr(s, 0.3, 14) == 0.15);
    spur_scheduler_destroy(s);
}

/* A warm-up that the training does not outlive is cut off where the training is. */
static void test_warm_up_longer_than_the_training(void **state) {
    static const char *const names[] = {"constant", "cosine", "polynomial", "one_cycle"};
    (void)state;
    for (int i = 0; i < 4; i++) {
        spur_scheduler *s = spur_scheduler_create(names[i], "warmup_steps=100 interval=step",
                                                  &(spur_schedule_span){10, 3}, NULL);
        assert_non_null(s);
        double first = spur_scheduler_lr(s, 0.3, 100);
        assert_true(fabs(spur_scheduler_lr(s, 0.3, 0) - first / 3) < 1e-15);
        assert_true(fabs(spur_scheduler_lr(s, 0.3, 25) - first / 2) < 1e-15);
        spur_scheduler_destroy(s);
    }
}

/* After its last step a cycle stays where it ended. */
static void test_after_the_cycle(void **state) {
    spur_scheduler *s =
        spur_scheduler_create("one_cycle", "max_lr=1 div_factor=4 final_div_factor=8",
                              &(spur_schedule_span){10, 1}, NULL);
    (void)state;
    assert_non_null(s);
    for (uint64_t step = 9; step < 30; step += 4) {
        assert_true(fabs(spur_scheduler_lr(s, 0.5, step) - 1.0 / 32) < 1e-15);
        assert_true(fabs(spur_scheduler_momentum(s, step) - 0.95) < 1e-15);
    }
    spur_scheduler_destroy(s);
}

/* A cycle moves the momentum, or says that there is none to move. */
static void test_momentum_to_cycle(void **state) {
    static const struct {
        const char *name, *options;
        bool moves;
        const char *said;
    } cases[] = {
        {"sgd", "momentum=0.9", true, NULL},
        {"sgd", "", true,
         "scheduler one_cycle: optimizer sgd: there is no momentum to set to 0.95, as "
         "it was made with a momentum of 0"},
        {"sgd", "", false, NULL},
        {"rmsprop", "momentum=0.1", true, NULL},
        {"rmsprop", "", true, "optimizer rmsprop: there is no momentum to set to 0.95, as it was"},
        {"adagrad", "", true, "optimizer adagrad: there is no momentum to set to 0.95"},
        {"adagrad", "", false, NULL},
        {"adamw", "betas=0,0.99", true, NULL},
    };
    spur_net *net = make_net();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spur_error err = {0};
        spur_optimizer *o = spur_optimizer_create(net, cases[i].name, cases[i].options, &err);
        spur_scheduler *cycle =
            spur_scheduler_create("one_cycle", cases[i].moves ? "" : "cycle_momentum=false",
                                  &(spur_schedule_span){9, 1}, &err);
        assert_non_null(o);
        assert_non_null(cycle);
        spur_status status = spur_scheduler_apply(cycle, o, 0, &err);
        assert_int_equal(status, cases[i].said ? SPUR_E_STATE : SPUR_OK);
        if (cases[i].said && !strstr(err.message, cases[i].said)) fail_msg("%s", err.message);
        spur_scheduler_destroy(cycle);
        spur_optimizer_destroy(o);
    }
    spur_net_destroy(net);
}

static void test_momenta_that_cannot_be(void **state) {
    static const struct {
        const char *optimizer;
        double momentum;
        bool taken;
    } cases[] = {
        {"sgd", 0, true},    {"sgd", -0.1, false}, {"sgd", 1.1, false},  {"sgd", NAN, false},
        {"adam", 0.5, true}, {"adam", 1, false},   {"adagrad", 0, true},
    };
    spur_net *net = make_net();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spur_error err = {0};
        spur_optimizer *o = spur_optimizer_create(net, cases[i].optimizer, NULL, &err);
        assert_int_equal(spur_optimizer_set_momentum(o, 0, cases[i].momentum, &err),
                         cases[i].taken ? SPUR_OK : SPUR_E_RANGE);
        if (!cases[i].taken) assert_non_null(strstr(err.message, "expected [0, 1"));
        spur_optimizer_destroy(o);
    }
    spur_error err = {0};
    assert_null(
        spur_scheduler_create("one_cycle", "max_momentum=1", &(spur_schedule_span){9, 1}, &err));
    if (!strstr(err.message, "max_momentum: found '1', expected number in [0, 1)"))
        fail_msg("%s", err.message);
    spur_net_destroy(net);
}

/* What `auto` stands for: the training without its warm-up, in epochs or steps. */
static void test_length_of_the_training(void **state) {
    static const struct {
        const char *options;
        uint64_t step;
        double share;
    } cases[] = {
        {"interval=epoch", 9, 0},
        {"interval=epoch", 10, 0.25},
        {"interval=epoch", 39, 0.75},
        {"interval=step", 10, 0.25},
        {"interval=step warmup_steps=10", 25, 0.5},
        {"interval=epoch warmup_steps=20", 30, 0.5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spur_error err = {0};
        spur_scheduler *s =
            spur_scheduler_create("cosine", cases[i].options,
                                  &(spur_schedule_span){.steps_per_epoch = 10, .epochs = 4}, &err);
        assert_non_null(s);
        double expected = 0.5 * (1 + cos(3.14159265358979323846 * cases[i].share));
        double found = spur_scheduler_lr(s, 1, cases[i].step);
        if (!(fabs(found - expected) < 1e-12))
            fail_msg("%s: found %g, expected %g", cases[i].options, found, expected);
        spur_scheduler_destroy(s);
    }
}

/* As ReduceLROnPlateau: what is not finite is no improvement, the first value included. */
static void test_plateau_of_no_numbers(void **state) {
    static const double worst[] = {NAN, INFINITY, -INFINITY};
    (void)state;
    for (int i = 0; i < 3; i++) {
        spur_error err = {0};
        spur_scheduler *s = spur_scheduler_create("plateau", "factor=0.5 patience=0",
                                                  &(spur_schedule_span){1, 9}, &err);
        assert_non_null(s);
        spur_scheduler_observe(s, worst[i], i == 2);
        assert_true(spur_scheduler_lr(s, 1, 1) == 0.5);
        spur_scheduler_observe(s, 3, i == 2);
        assert_true(spur_scheduler_lr(s, 1, 2) == 0.5);
        spur_scheduler_observe(s, worst[i], i == 2);
        assert_true(spur_scheduler_lr(s, 1, 3) == 0.25);
        spur_scheduler_destroy(s);
    }
}

/* A reduction that is smaller than eps is not made, and none after it. */
static void test_plateau_ends_at_eps(void **state) {
    spur_error err = {0};
    spur_scheduler *s = spur_scheduler_create("plateau", "factor=0.5 patience=0 eps=0.2",
                                              &(spur_schedule_span){1, 9}, &err);
    (void)state;
    assert_non_null(s);
    for (int epoch = 0; epoch < 6; epoch++) spur_scheduler_observe(s, 3, false);
    assert_true(spur_scheduler_lr(s, 1, 6) == 0.25); /* 0.25 - 0.125 < 0.2 */
    spur_scheduler_destroy(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epochs_and_warm_up),
        cmocka_unit_test(test_warm_up_longer_than_the_training),
        cmocka_unit_test(test_after_the_cycle),
        cmocka_unit_test(test_momentum_to_cycle),
        cmocka_unit_test(test_momenta_that_cannot_be),
        cmocka_unit_test(test_length_of_the_training),
        cmocka_unit_test(test_plateau_of_no_numbers),
        cmocka_unit_test(test_plateau_ends_at_eps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
