/* SPDX-License-Identifier: MIT
 *
 * Every optimizer and scheduler over 50 steps, against PyTorch in float64. Values: at most twice as
 * far as PyTorch's own float32 is (and 1e-7 where that is less); rates: 1e-12.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <spur/loss.h>
#include <spur/optim.h>
#include "golden.h"

enum { SIDE = 8, COUNT = SIDE * SIDE, STEPS = 50 };

static const struct optimizer_case {
    const char *name, *kind, *options;
} optimizers[] = {
    {"sgd", "sgd", "lr=0.05"},
    {"sgd_decay", "sgd", "lr=0.05 weight_decay=0.02"},
    {"sgd_momentum", "sgd", "lr=0.02 momentum=0.9 weight_decay=0.01"},
    {"sgd_dampening", "sgd", "lr=0.05 momentum=0.8 dampening=0.3"},
    {"sgd_nesterov", "sgd", "lr=0.02 momentum=0.9 nesterov=true weight_decay=0.01"},
    {"adam", "adam", "lr=0.01"},
    {"adam_decay", "adam", "lr=0.01 betas=0.8,0.99 eps=1e-6 weight_decay=0.1"},
    {"adam_amsgrad", "adam", "lr=0.01 amsgrad=true"},
    {"adamw", "adamw", "lr=0.01"},
    {"adamw_decay", "adamw", "lr=0.02 weight_decay=0.3 amsgrad=true"},
    {"adagrad", "adagrad", "lr=0.1"},
    {"adagrad_all", "adagrad",
     "lr=0.1 lr_decay=0.05 weight_decay=0.02 initial_accumulator_value=0.1 eps=1e-8"},
    {"rmsprop", "rmsprop", "lr=0.005"},
    {"rmsprop_momentum", "rmsprop", "lr=0.002 alpha=0.9 momentum=0.5 weight_decay=0.02 eps=1e-6"},
    {"rmsprop_centered", "rmsprop", "lr=0.005 centered=true momentum=0.3"},
};

/* Under one_cycle, which moves their momentum, whatever it was. */
static const struct cycled_case {
    struct optimizer_case optimizer;
    const char *cycle;
} cycled[] = {
    {{"cycled_sgd", "sgd", "momentum=0.1"}, "max_lr=0.05"},
    {{"cycled_sgd_to_0", "sgd", "momentum=0.2 nesterov=true"},
     "max_lr=0.05 base_momentum=0 pct_start=0.5"},
    {{"cycled_adam", "adam", ""}, "max_lr=0.01 three_phase=true pct_start=0.4"},
    {{"cycled_adamw", "adamw", "betas=0,0.999 amsgrad=true"}, "max_lr=0.02 base_momentum=0.6"},
    {{"cycled_rmsprop", "rmsprop", "alpha=0.9 momentum=1"}, "max_lr=0.005"},
    {{"cycled_rmsprop_to_0", "rmsprop", "centered=true momentum=0.1"},
     "max_lr=0.005 base_momentum=0 pct_start=0.5"},
};

/* A net whose one parameter has 64 values in plain layout. */
static spur_net *make_net(int threads, spur_param **param) {
    spur_error err = {0};
    spur_net *net = spur_net_create(&(spur_net_options){.threads = threads});
    spur_node *x = spur_input(net, "x", SPUR_INT32, 1, (int64_t[]){1});
    spur_node *t = spur_input(net, "t", SPUR_FLOAT32, 2, (int64_t[]){1, SIDE});
    spur_node *loss = spur_mse(net, spur_embedding(net, x, "table", SIDE, SIDE), t, SPUR_MEAN);
    if (spur_net_build(net, loss, &err) != SPUR_OK) fail_msg("%s", err.message);
    *param = spur_net_param(net, 0);
    golden_numbers("start", COUNT, 2, 0, (*param)->value);
    return net;
}

static void one_step(spur_param *param, spur_optimizer *optimizer, int step) {
    spur_error err = {0};
    char key[32];
    snprintf(key, sizeof key, "gradient/%d", step);
    golden_numbers(key, COUNT, 2, 0, param->gradient);
    for (int i = 0; i < COUNT; i++) param->gradient[i] += 0.1f * param->value[i];
    if (spur_optimizer_step(optimizer, &err) != SPUR_OK) fail_msg("%s", err.message);
}

/* cycle: options of one_cycle, or NULL. */
static void run_optimizer(const golden *file, const struct optimizer_case *c, const char *cycle) {
    static const int looked_at[] = {0, 1, 9, 49};
    spur_error err = {0};
    spur_param *param;
    float trace[4 * COUNT];
    char key[64];
    int row = 0;
    spur_net *net = make_net(2, &param);
    spur_optimizer *optimizer = spur_optimizer_create(net, c->kind, c->options, &err);
    if (!optimizer) fail_msg("%s", err.message);
    spur_scheduler *scheduler =
        spur_scheduler_create("one_cycle", cycle, &(spur_schedule_span){STEPS, 1}, &err);
    for (int step = 0; step < STEPS; step++) {
        if (cycle && spur_scheduler_apply(scheduler, optimizer, (uint64_t)step, &err) != SPUR_OK)
            fail_msg("%s", err.message);
        one_step(param, optimizer, step);
        if (step == looked_at[row])
            memcpy(trace + COUNT * row++, param->value, COUNT * sizeof(float));
    }
    snprintf(key, sizeof key, "%s/values", c->name);
    double d = golden_distance(file, key, trace, 4 * COUNT);
    snprintf(key, sizeof key, "%s/distance", c->name);
    double torch = golden_number(file, key, 0);
    if (!(d <= fmax(2 * torch, 1e-7))) fail_msg("%s: off by %g, PyTorch %g", c->name, d, torch);
    spur_scheduler_destroy(scheduler);
    spur_optimizer_destroy(optimizer);
    spur_net_destroy(net);
}

static void test_optimizers(void **state) {
    golden *file = golden_open("optimizers");
    (void)state;
    for (size_t i = 0; i < sizeof optimizers / sizeof optimizers[0]; i++)
        run_optimizer(file, &optimizers[i], NULL);
    for (size_t i = 0; i < sizeof cycled / sizeof cycled[0]; i++)
        run_optimizer(file, &cycled[i].optimizer, cycled[i].cycle);
    golden_close(file);
}

/* ---- schedulers ------------------------------------------------------------------------------------ */

enum { NOTHING, MONITOR, FALLING };

static const struct scheduler_case {
    const char *name, *kind, *options;
    int told;
    bool maximize;
} schedulers[] = {
    {"constant", "constant", "interval=step", NOTHING, false},
    {"step", "step", "interval=step step_size=7 gamma=0.5", NOTHING, false},
    {"multistep", "multistep", "interval=step milestones=5,20,21 gamma=0.3", NOTHING, false},
    {"exponential", "exponential", "interval=step gamma=0.93", NOTHING, false},
    {"polynomial", "polynomial", "interval=step total_iters=40 power=2", NOTHING, false},
    {"cosine", "cosine", "interval=step eta_min=0.001", NOTHING, false},
    {"cosine_short", "cosine", "interval=step T_max=20", NOTHING, false},
    {"restarts", "cosine_restarts", "interval=step T_0=10 eta_min=0.01", NOTHING, false},
    {"restarts_longer", "cosine_restarts", "interval=step T_0=5 T_mult=2", NOTHING, false},
    {"one_cycle", "one_cycle", "max_lr=0.4", NOTHING, false},
    {"one_cycle_linear", "one_cycle",
     "max_lr=0.4 pct_start=0.25 anneal_strategy=linear base_momentum=0.8 max_momentum=0.9 "
     "div_factor=10 final_div_factor=100",
     NOTHING, false},
    {"one_cycle_three", "one_cycle", "max_lr=0.4 three_phase=true", NOTHING, false},
    {"warm_step", "step",
     "interval=step step_size=7 gamma=0.5 warmup_steps=8 warmup_start_factor=0.2", NOTHING, false},
    {"warm_cosine", "cosine", "interval=step T_max=40 eta_min=0.001 warmup_steps=10", NOTHING,
     false},
    {"warm_constant", "constant", "interval=step warmup_steps=5 warmup_start_factor=0.1", NOTHING,
     false},
    {"warm_multistep", "multistep",
     "interval=step milestones=5,20 gamma=0.3 warmup_steps=6 warmup_start_factor=0.5", NOTHING,
     false},
    {"warm_exponential", "exponential", "interval=step gamma=0.93 warmup_steps=7", NOTHING, false},
    {"warm_polynomial", "polynomial", "interval=step total_iters=30 power=1.5 warmup_steps=9",
     NOTHING, false},
    {"warm_one_cycle", "one_cycle", "max_lr=0.4 warmup_steps=10", NOTHING, false},
    {"warm_restarts", "cosine_restarts", "interval=step T_0=8 T_mult=2 eta_min=0.01 warmup_steps=4",
     NOTHING, false},
    {"plateau", "plateau", "factor=0.5 patience=3", MONITOR, false},
    {"plateau_cooldown", "plateau",
     "mode=min factor=0.2 patience=2 threshold=0.01 threshold_mode=abs cooldown=4 min_lr=0.0005",
     FALLING, true},
    {"plateau_max", "plateau", "factor=0.5 patience=4", MONITOR, true},
};

/* What plateau is told after step i. */
static double told(int what, int i) {
    float noise[STEPS];
    golden_numbers("monitor", STEPS, 0.5, 0, noise);
    if (what == MONITOR) return (double)noise[i] + exp(-i / 12.0);
    return i < 20 ? 1.0 / (1 + i) : 0.05;
}

static void compare(const golden *file, const char *key, int step, double found) {
    double expected = golden_number(file, key, (size_t)step);
    if (!(fabs(found - expected) <= 1e-12 * fabs(expected) + 1e-17))
        fail_msg("%s, step %d: found %.17g, expected %.17g", key, step, found, expected);
}

static void test_schedulers(void **state) {
    golden *file = golden_open("schedulers");
    (void)state;
    for (size_t i = 0; i < sizeof schedulers / sizeof schedulers[0]; i++) {
        const struct scheduler_case *c = &schedulers[i];
        spur_error err = {0};
        spur_scheduler *s = spur_scheduler_create(
            c->kind, c->options, &(spur_schedule_span){.steps_per_epoch = 1, .epochs = STEPS},
            &err);
        if (!s) fail_msg("%s: %s", c->name, err.message);
        for (int step = 0; step < STEPS; step++) {
            compare(file, c->name, step, spur_scheduler_lr(s, 0.1, (uint64_t)step));
            if (c->told) spur_scheduler_observe(s, told(c->told, step), c->maximize);
        }
        spur_scheduler_destroy(s);
    }
    golden_close(file);
}

static void test_cycled_momentum(void **state) {
    golden *file = golden_open("schedulers");
    (void)state;
    for (size_t i = 0; i < sizeof schedulers / sizeof schedulers[0]; i++) {
        const struct scheduler_case *c = &schedulers[i];
        char key[64];
        if (strcmp(c->kind, "one_cycle") != 0) continue;
        snprintf(key, sizeof key, "%s_momentum", c->name);
        spur_scheduler *s =
            spur_scheduler_create(c->kind, c->options, &(spur_schedule_span){10, 5}, NULL);
        for (int step = 0; step < STEPS; step++)
            compare(file, key, step, spur_scheduler_momentum(s, (uint64_t)step));
        spur_scheduler_destroy(s);
    }
    golden_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_optimizers),
                                       cmocka_unit_test(test_schedulers),
                                       cmocka_unit_test(test_cycled_momentum)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
