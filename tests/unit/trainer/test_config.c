/* SPDX-License-Identifier: MIT
 *
 * Configurations: defaults, messages with place and nearest name, canonical text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/settings.h"

static spur_status load(config *cfg, const char *text, spur_error *err) {
    document doc;
    document_init(&doc);
    spur_status status = document_parse(&doc, "t.ini", text, strlen(text), err);
    if (status != SPUR_OK) {
        document_free(&doc);
        return status;
    }
    return config_resolve(cfg, &doc, err);
}

static void refuses(const char *text, const char *message) {
    config cfg;
    spur_error err;
    assert_int_not_equal(load(&cfg, text, &err), SPUR_OK);
    if (!strstr(err.message, message)) print_message("found: %s\n", err.message);
    assert_non_null(strstr(err.message, message));
}

static void test_mistakes_are_named(void **state) {
    (void)state;
    refuses("[run]\nseed = 1\n[trian]\n",
            "t.ini:3:1: unknown section [trian]; did you mean [train]?");
    refuses("[run]\nsede = 1\n", "t.ini:2:1: unknown key 'sede' in [run]; did you mean 'seed'?");
    refuses("[run]\nearly_stopping = 1\n", "it belongs into [train]");
    refuses("[run]\nqqqqqqqq = 1\n", "unknown key 'qqqqqqqq' in [run]; `spur help run` lists them");
    refuses("[train]\nepochs = 0\n",
            "t.ini:2:10: epochs: found '0', expected whole number in [1, ");
    refuses("[train]\nepochs = many\n", "t.ini:2:10: epochs: found 'many'");
    refuses("[train]\nmax_time = 10x\n", "expected a time such as 90s");
    refuses("[run]\nname = a/b\n", "t.ini:2:8: name: found 'a/b', expected a name without '/'");
    refuses("[run]\nname = tfevents\n", "breaks TensorBoard");
    refuses("[sweep]\ntrain.epoch = 1, 2\n", "t.ini:2:1: no option 'epoch' in [train] to vary");
    refuses("[sweep]\ntrian.epochs = 1, 2\n", "no section [trian] to vary; did you mean [train]?");
}

/* An option of another kind is refused, unless the sweep varies the kind. */
static void test_options_of_other_kinds(void **state) {
    (void)state;
    config cfg;
    spur_error err;
    refuses("[optimizer]\nname = sgd\nbetas = 0.9, 0.99\n",
            "t.ini:3:1: 'betas' is an option of adam, adamw, not of 'sgd' (name = sgd)");
    refuses("[optimizer]\nname = adm\n",
            "t.ini:2:8: unknown optimizer 'adm'; did you mean 'adam'?");
    refuses("[model]\nname = resnet99\n", "t.ini:2:8: unknown model 'resnet99'");
    refuses("[optimizer]\nname = sgd\nlr = -1\n", "t.ini:3:6: lr: found '-1'");
    refuses("[optimizer]\nname = sgd\nbetas = x\n[sweep]\noptimizer.name = sgd, adam\n",
            "t.ini:3:9: betas: found 'x'");
    assert_int_equal(
        load(&cfg,
             "[optimizer]\nname = sgd\nbetas = 0.9, 0.99\n[sweep]\noptimizer.name = sgd, adam\n",
             &err),
        SPUR_OK);
    assert_true(cfg.sweeps);
    assert_string_equal(cfg.parts[SECTION_OPTIMIZER].kind->name, "sgd");
    config_free(&cfg);
}

static void test_overrides_win_and_are_named(void **state) {
    (void)state;
    config cfg;
    spur_error err;
    char *good[] = {"train.epochs=7", "run.seed=5"}, *bad[] = {"train.epochs=x"};
    assert_int_equal(config_load(&cfg, NULL, good, 2, &err), SPUR_OK);
    assert_int_equal(config_common(&cfg, SECTION_TRAIN, train_settings)->epochs, 7);
    assert_int_equal(config_common(&cfg, SECTION_RUN, run_settings)->seed, 5);
    config_free(&cfg);
    assert_int_not_equal(config_load(&cfg, NULL, bad, 1, &err), SPUR_OK);
    assert_non_null(strstr(err.message, "command line: train.epochs=x: epochs: found 'x'"));
}

/* What is printed reads back as itself, for defaults and for changed values. */
static void test_printing_round_trips(void **state) {
    (void)state;
    const char *const texts[] = {"",
                                 "[run]\nname = a b\nseed = 12\n[train]\nmax_time=1.5h\nema=0.999"};
    for (size_t i = 0; i < 2; i++) {
        config cfg;
        spur_error err;
        spur__str first, second;
        spur__str_init(&first, 1 << 20);
        spur__str_init(&second, 1 << 20);
        assert_int_equal(load(&cfg, texts[i], &err), SPUR_OK);
        config_format(&cfg, &first);
        config_free(&cfg);
        assert_int_equal(load(&cfg, spur__str_text(&first), &err), SPUR_OK);
        config_format(&cfg, &second);
        config_free(&cfg);
        assert_string_equal(spur__str_text(&first), spur__str_text(&second));
        assert_non_null(strstr(spur__str_text(&first), "[train]\nepochs = 10\n"));
        spur__str_free(&first);
        spur__str_free(&second);
    }
}

static void test_durations(void **state) {
    (void)state;
    assert_true(duration_seconds("") == 0);
    assert_true(duration_seconds("90") == 90);
    assert_true(duration_seconds("90s") == 90);
    assert_true(duration_seconds("1.5h") == 5400);
    assert_true(duration_seconds("2d") == 172800);
    assert_true(duration_seconds("h") < 0);
    assert_true(duration_seconds("-1m") < 0);
    assert_true(duration_seconds("inf") < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_are_named),
        cmocka_unit_test(test_options_of_other_kinds),
        cmocka_unit_test(test_overrides_win_and_are_named),
        cmocka_unit_test(test_printing_round_trips),
        cmocka_unit_test(test_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
