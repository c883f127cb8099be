/* SPDX-License-Identifier: MIT
 *
 * Configurations: defaults, messages with place and nearest name, canonical text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
    char name[128];
    snprintf(name, sizeof name, "[run]\nname = %0101d\n", 0);
    refuses(name, "t.ini:2:8: name: longer than 100 bytes");
    refuses("[run]\nseed = 1\n[trian]\n",
            "t.ini:3:1: unknown section [trian]; did you mean [train]?");
    refuses("[run]\nsede = 1\n", "t.ini:2:1: unknown key 'sede' in [run]; did you mean 'seed'?");
    refuses("[run]\nearly_stopping = 1\n", "it belongs into [train]");
    refuses("[run]\nqqqqqqqq = 1\n", "unknown key 'qqqqqqqq' in [run]; `spur help run` lists them");
    refuses("[train]\nepochs = 0\n",
            "t.ini:2:10: epochs: found '0', expected whole number in [1, ");
    refuses("[train]\nepochs = many\n", "t.ini:2:10: epochs: found 'many'");
    refuses("[run]\nseed = 9007199254740993\n",
            "t.ini:2:8: seed: found '9007199254740993', expected whole number in [0, "
            "9007199254740992]");
    refuses("[run]\nseed = 1\ninclude = a.ini\n",
            "t.ini:3:1: found 'include' in [run], expected it before the first [section]");
    refuses("[sweep]\n include = a.ini\n",
            "t.ini:2:2: found 'include' in [sweep], expected it before the first [section]");
    refuses("[train]\nmax_time = 10x\n", "expected a time such as 90s");
    refuses("[run]\nname = a/b\n", "t.ini:2:8: name: found 'a/b', expected a name without '/'");
    refuses("[run]\nname = tfevents\n", "breaks TensorBoard");
    refuses("[run]\nname = a\x01z\n", "expected a name without '/'");
    refuses("[run]\nlogdir =\n", "t.ini:2:9: logdir: found nothing, expected a path");
    refuses("[train]\nmonitor =\n", "t.ini:2:10: monitor: found nothing, expected a name");
    refuses("[sweep]\ntrain.epoch = 1, 2\n", "t.ini:2:1: no option 'epoch' in [train] to vary");
    refuses("[sweep]\ntrian.epochs = 1, 2\n", "no section [trian] to vary; did you mean [train]?");
    refuses("[sweep]\nsweep.jobs = 1, 2\n", "t.ini:2:1: [sweep] cannot be varied");
    refuses("[sweep]\nprogram.run = a, b\n", "t.ini:2:1: [program] cannot be varied");
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
    refuses("[optimizer]\nname = sgd\nnesterow = true\n",
            "t.ini:3:1: unknown key 'nesterow' in [optimizer]; did you mean 'nesterov'?");
    refuses("[optimizer]\nnaem = sgd\n", "did you mean 'name'?");
    refuses("[model]\nname = resnet99\n", "t.ini:2:8: unknown model 'resnet99'");
    refuses("[optimizer]\nname = sgd\nlr = -1\n", "t.ini:3:6: lr: found '-1'");
    refuses("[optimizer]\nname = sgd\nbetas = x\n[sweep]\noptimizer.name = sgd, adam\n",
            "t.ini:3:9: betas: found 'x'");
    assert_int_equal(
        load(&cfg,
             "[optimizer]\nname = sgd\nbetas = 0.9, 0.99\n[sweep]\noptimizer.name = sgd, adam\n",
             &err),
        SPUR_OK);
    assert_true(cfg.sweeps && !cfg.program);
    assert_string_equal(cfg.parts[SECTION_OPTIMIZER].kind->name, "sgd");
    config_free(&cfg);
    assert_int_equal(load(&cfg, "[program]\ncommand = x\n", &err), SPUR_OK);
    assert_true(cfg.program && !cfg.sweeps);
    config_free(&cfg);
}

/* Appends the options that are not what they are by default. */
static void put_changed(void *user, const char *section, const char *key, const char *value,
                        const char *initial) {
    if (strcmp(value, initial) != 0)
        spur__str_printf(user, "%s.%s=%s instead of %s\n", section, key, value, initial);
}

static void test_overrides_win_and_are_named(void **state) {
    (void)state;
    config cfg;
    spur_error err;
    spur__str changed;
    char *good[] = {"train.epochs=7", "optimizer.name=sgd", "run.seed=5"},
         *bad[] = {"train.epochs=x"};
    assert_int_equal(config_load(&cfg, NULL, good, 3, &err), SPUR_OK);
    assert_int_equal(config_common(&cfg, SECTION_TRAIN, train_settings)->epochs, 7);
    assert_int_equal(config_common(&cfg, SECTION_RUN, run_settings)->seed, 5);
    spur__str_init(&changed, 1000);
    config_each(&cfg, put_changed, &changed);
    assert_string_equal(spur__str_text(&changed),
                        "run.seed=5 instead of 1\noptimizer.name=sgd instead of adam\n"
                        "train.epochs=7 instead of 10\n");
    spur__str_free(&changed);
    config_fail(&cfg, SECTION_TRAIN, "epochs", SPUR_E_RANGE, &err, "too %s", "many");
    assert_string_equal(err.message, "command line: train.epochs=7: too many");
    config_fail(&cfg, SECTION_TRAIN, "ema", SPUR_E_RANGE, &err, "too %s", "much");
    assert_string_equal(err.message, "train.ema: too much");
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
        assert_non_null(strstr(spur__str_text(&first), "\n\n[train]\nepochs = 10\n"));
        spur__str_free(&first);
        spur__str_free(&second);
    }
}

/* What is varied is told apart from the others, and from the sections. */
static void test_short_names(void **state) {
    (void)state;
    static const char *const names[][2] = {
        {"optimizer.lr", "lr"},
        {"optimizer.name", "optimizer"},
        {"data.format", "format"},
        {"balance.method", "balance"},
        {"scheduler.gamma", "scheduler.gamma"},
        {"loss.gamma", "loss.gamma"},
        {"data.seed", "data.seed"},
        {"run.seed", "seed"},
        {"run.name", "name"},
        {"param.name", "name"},
        {"param.lr.head", "lr.head"},
        {"param.gamma", "gamma"},
        {"train.max_time", "max_time"},
        {"plain", "plain"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        spur__str out;
        spur__str_init(&out, 100);
        config_short_path(names[i][0], &out);
        assert_string_equal(spur__str_text(&out), names[i][1]);
        spur__str_free(&out);
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
    assert_true(duration_seconds("10m") == 600);
    assert_true(duration_seconds("1e10s") < 0);
    assert_true(duration_seconds("0000000000000000000000000000090") == 90);
    assert_true(duration_seconds("00000000000000000000000000000090") < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_are_named),
        cmocka_unit_test(test_options_of_other_kinds),
        cmocka_unit_test(test_overrides_win_and_are_named),
        cmocka_unit_test(test_printing_round_trips),
        cmocka_unit_test(test_short_names),
        cmocka_unit_test(test_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
