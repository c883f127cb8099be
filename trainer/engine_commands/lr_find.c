/* SPDX-License-Identifier: MIT
 *
 * spur lr-find: the learning-rate range test (Smith 2017). The rate rises exponentially step by
 * step; where the smoothed loss falls fastest, training goes well. The smoothing is an exponential
 * average with bias correction, as in fastai.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "engine_commands/setup.h"
#include "plot/charts.h"
#include "output/curve.h"
#include "run/stop.h"
#include "train/pictures.h"
#include "train/session.h"

static int run_lr_find(int argc, char **argv);

extern const command command_lr_find;
const command command_lr_find = {
    .name = "lr-find",
    .computes = true,
    .leaves_run = true,
    .usage = "FILE.ini [section.key=value ...] [--min-lr X] [--max-lr X]\n"
             "                    [--steps N] [--json]",
    .summary = "Find a good learning rate: train while it rises, and plot the loss.",
    .help = "  --min-lr X   first rate (1e-5)\n"
            "  --max-lr X   last rate (10)\n"
            "  --steps N    steps between them (500); it stops earlier when the loss explodes\n"
            "  --json       print the suggestion as a JSON object\n\n"
            "Leaves a run directory with lr_find.png, lr_find.csv, and both in TensorBoard.",
    .run = run_lr_find,
};

typedef struct search {
    double low, high;
    long long steps;
    size_t count; /* points so far */
    double *rates, *losses, *smooth; /* [steps] */
    double suggestion; /* NaN: the loss never fell */
} search;

enum { PNG_LIMIT = 1 << 24, EXPLODED = 4 };

static double rate_at(const search *f, size_t i) {
    return f->low * pow(f->high / f->low, f->steps > 1 ? (double)i / (double)(f->steps - 1) : 0);
}

static void set_rate(session *s, double rate) {
    double base = spur_optimizer_base_lr(s->optimizer, 0);
    for (int g = 0; g < spur_optimizer_group_count(s->optimizer); g++)
        spur_optimizer_set_lr(s->optimizer, g,
                              base > 0 ? rate * spur_optimizer_base_lr(s->optimizer, g) / base
                                       : rate);
}

/* One batch at one rate; *loss is NaN when it exploded. */
static spur_status try_rate(session *s, double rate, double *loss, spur_error *err) {
    spur_batch batch;
    spur_status status = spur_loader_next(s->train_loader, &batch, err);
    if (status == SPUR_E_END) status = spur_loader_next(s->train_loader, &batch, err);
    SPUR__TRY(status);
    SPUR__TRY(network_feed(&s->net, &batch, err));
    spur_net_set_step(s->net.net, (uint64_t)s->at.step++);
    status = spur_net_forward(s->net.net, SPUR_TRAIN, err);
    *loss = status == SPUR_E_NUMERIC ? NAN : (double)spur_net_loss(s->net.net);
    if (status == SPUR_E_NUMERIC) return SPUR_OK;
    SPUR__TRY(status);
    set_rate(s, rate);
    return spur_optimizer_backward_step(s->optimizer, 1, NULL, err);
}

static spur_status walk(session *s, terminal *term, search *f, spur_error *err) {
    /* memory of the average: 50 steps of 500, as fastai's 0.98 */
    double average = 0, best = INFINITY, keep = 1 - 10 / (double)f->steps;
    if (keep < 0.5) keep = 0.5;
    for (size_t i = 0; i < (size_t)f->steps && !stop_requested(); i++) {
        double loss;
        SPUR__TRY(try_rate(s, rate_at(f, i), &loss, err));
        if (!isfinite(loss)) break;
        average = keep * average + (1 - keep) * loss;
        f->rates[i] = rate_at(f, i);
        f->losses[i] = loss;
        f->smooth[i] = average / (1 - pow(keep, (double)i + 1));
        f->count = i + 1;
        char values[64];
        snprintf(values, sizeof values, "rate %.2e  loss %.4f", f->rates[i], f->smooth[i]);
        terminal_progress(term, &(progress){.label = "lr-find",
                                            .done = (int64_t)i + 1,
                                            .total = f->steps,
                                            .values = values,
                                            .left = -1});
        if (i > 10 && f->smooth[i] > EXPLODED * best) break;
        if (f->smooth[i] < best) best = f->smooth[i];
    }
    terminal_clear(term);
    if (stop_requested()) return spur__fail(err, SPUR_E_INTERRUPTED, "interrupted");
    return f->count > 2 ? SPUR_OK
                        : spur__fail(err, SPUR_E_NUMERIC,
                                     "the loss is not finite from the start (rate %g)", f->low);
}

/* Where the smoothed loss falls fastest over log rate, leaving out both ends. */
static void suggest(search *f) {
    double steepest = 0;
    size_t first = f->count / 20 + 1, end = f->count - f->count / 20;
    size_t lowest = first;
    for (size_t i = first; i < end; i++)
        if (f->smooth[i] < f->smooth[lowest]) lowest = i;
    f->suggestion = NAN;
    for (size_t i = first; i + 1 < end && i < lowest; i++) {
        double slope = f->smooth[i + 1] - f->smooth[i - 1];
        if (slope >= steepest) continue;
        steepest = slope;
        f->suggestion = f->rates[i];
    }
}

static spur_status draw(const search *f, spur__str *png, spur_error *err) {
    curve lines[] = {{"loss", f->rates, f->losses, f->count, true},
                     {"smoothed", f->rates, f->smooth, f->count, false}};
    double low = INFINITY, high = -INFINITY, first = f->smooth[0];
    for (size_t i = 0; i < f->count; i++) {
        low = fmin(low, f->smooth[i]);
        high = fmax(high, f->smooth[i]);
    }
    char label[64], subtitle[64];
    snprintf(label, sizeof label, "suggestion %.2g", f->suggestion);
    snprintf(subtitle, sizeof subtitle, "%zu steps, exponential", f->count);
    curve_chart chart = {.title = "Learning-rate finder",
                         .subtitle = subtitle,
                         .x_title = "learning rate",
                         .y_title = "loss",
                         .curves = lines,
                         .count = 2,
                         .log_x = true,
                         .mark = f->suggestion,
                         .mark_label = label,
                         .y_low = low - 0.1 * fabs(first - low),
                         .y_high = fmin(high, first + 0.5 * fabs(first - low)) + 1e-3};
    return plot_curves(&chart, png, err);
}

static spur_status write_table(const session *s, const search *f, spur_error *err) {
    spur__str text;
    spur__str_init(&text, 1 << 26);
    spur__str_puts(&text, "step,learning_rate,loss,smoothed_loss\n");
    for (size_t i = 0; i < f->count; i++) {
        spur__str_printf(&text, "%zu,", i + 1);
        spur__str_double(&text, f->rates[i]);
        spur__str_putc(&text, ',');
        spur__str_double(&text, f->losses[i]);
        spur__str_putc(&text, ',');
        spur__str_double(&text, f->smooth[i]);
        spur__str_putc(&text, '\n');
    }
    spur_status status = run_write(&s->run, "lr_find.csv", &text, err);
    spur__str_free(&text);
    return status;
}

static spur_status record(session *s, const search *f, spur_error *err) {
    spur_writer *log = NULL;
    spur__str png;
    spur__str_init(&png, PNG_LIMIT);
    spur_status status =
        spur_writer_open(&log, &(spur_writer_options){.directory = s->run.path}, err);
    for (size_t i = 0; status == SPUR_OK && i < f->count; i++) {
        spur_log_scalar(log, "lr_find/loss", (int64_t)i + 1, f->losses[i]);
        spur_log_scalar(log, "lr_find/smoothed_loss", (int64_t)i + 1, f->smooth[i]);
        spur_log_scalar(log, "lr_find/learning_rate", (int64_t)i + 1, f->rates[i]);
    }
    if (status == SPUR_OK) status = draw(f, &png, err);
    if (status == SPUR_OK) status = run_write(&s->run, "lr_find.png", &png, err);
    if (status == SPUR_OK)
        status = log_png(log, "lr_find", 0, &png, SPUR_OK, err);
    else
        spur__str_free(&png);
    if (status == SPUR_OK) status = write_table(s, f, err);
    spur_status closed = spur_writer_close(log, status == SPUR_OK ? err : NULL);
    return status == SPUR_OK ? closed : status;
}

/* Points up to where, beyond the lowest one, the loss has risen so far that the rest would flatten
 * the drawing. */
static size_t interesting(const search *f) {
    size_t lowest = 0;
    for (size_t i = 1; i < f->count; i++)
        if (f->smooth[i] < f->smooth[lowest]) lowest = i;
    double first = f->smooth[0], fall = first - f->smooth[lowest];
    for (size_t i = lowest + 1; fall > 0 && i < f->count; i++)
        if (f->smooth[i] > first + 0.5 * fall) return i;
    return f->count;
}

static void say(const session *s, terminal *term, const search *f) {
    spur__str text;
    spur__str_init(&text, 1 << 20);
    draw_text_curve(&(text_curve){.x = f->rates,
                                  .y = f->smooth,
                                  .count = interesting(f),
                                  .log_x = true,
                                  .mark = f->suggestion,
                                  .columns = 64,
                                  .rows = 12,
                                  .unicode = term->unicode},
                    &text);
    terminal_say(term, "%s", spur__str_text(&text));
    spur__str_free(&text);
    if (isfinite(f->suggestion))
        terminal_say(term, "Suggestion: optimizer.lr = %.2g", f->suggestion);
    else
        terminal_say(term, "The loss never fell; look at %s/lr_find.png", s->run.path);
    terminal_say(term, "Plot:       %s/lr_find.png", s->run.path);
    spur__str_init(&text, 1 << 16);
    spur__str_puts(&text, "{\"suggestion\":");
    if (isfinite(f->suggestion))
        spur__str_double(&text, f->suggestion);
    else
        spur__str_puts(&text, "null");
    spur__str_puts(&text, ",\"run\":");
    spur__str_json(&text, s->run.path);
    spur__str_putc(&text, '}');
    terminal_json(term, spur__str_text(&text));
    spur__str_free(&text);
}

static spur_status find(session *s, terminal *term, search *f, int argc, char **argv,
                        spur_error *err) {
    char name[160];
    f->rates = spur__malloc_array((size_t)f->steps, sizeof *f->rates);
    f->losses = spur__malloc_array((size_t)f->steps, sizeof *f->losses);
    f->smooth = spur__malloc_array((size_t)f->steps, sizeof *f->smooth);
    if (!f->rates || !f->losses || !f->smooth)
        return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    snprintf(name, sizeof name, "%s%slr_find", s->run_options->name,
             *s->run_options->name ? "_" : "");
    stop_listen();
    SPUR__TRY(run_create(&s->run, s->run_options->logdir, name, err));
    SPUR__TRY(run_describe(&s->run, s->cfg, argc, argv, network_threads(s->cfg), err));
    SPUR__TRY(run_write_status(&s->run, &(run_status){.state = RUN_RUNNING}, err));
    SPUR__TRY(walk(s, term, f, err));
    suggest(f);
    SPUR__TRY(record(s, f, err));
    say(s, term, f);
    return run_write_status(&s->run, &(run_status){.state = RUN_DONE, .step = (int64_t)f->count},
                            err);
}

/* The exit status of one that came to nothing; its run says so, too. */
static int give_up(session *s, terminal *term, const search *f, const spur_error *err) {
    bool interrupted = err->status == SPUR_E_INTERRUPTED;
    int status = interrupted ? EXIT_INTERRUPTED : s->run.path ? EXIT_FAILED : EXIT_USAGE;
    run_status now = {.state = interrupted ? RUN_INTERRUPTED : RUN_FAILED,
                      .exit_code = status,
                      .step = (int64_t)f->count,
                      .message = err->message};
    terminal_warn(term, "lr-find: %s", err->message);
    if (s->run.path) run_write_status(&s->run, &now, NULL);
    return status;
}

static int lr_find(const config *cfg, search *f, bool json, int argc, char **argv) {
    session s;
    terminal term;
    spur_error err = {.status = SPUR_OK};
    terminal_init(&term, false, json);
    if (session_open(&s, cfg, NULL, &term, &err) != SPUR_OK)
        return command_refuse(&command_lr_find, &err);
    int status = EXIT_DONE;
    if (find(&s, &term, f, argc, argv, &err) != SPUR_OK) status = give_up(&s, &term, f, &err);
    session_close(&s);
    terminal_close(&term);
    spur__free(f->rates);
    spur__free(f->losses);
    spur__free(f->smooth);
    return status;
}

static bool parse_range(search *f, const char *low, const char *high, const char *steps) {
    if (low && !spur__parse_double(low, &f->low)) return false;
    if (high && !spur__parse_double(high, &f->high)) return false;
    if (steps && !spur__parse_int(steps, &f->steps)) return false;
    return f->low > 0 && f->high > f->low && f->high < 1e6 && f->steps >= 10 && f->steps <= 1000000;
}

static int run_lr_find(int argc, char **argv) {
    search f = {.low = 1e-5, .high = 10, .steps = 500};
    bool json = false;
    const char *low = NULL, *high = NULL, *steps = NULL;
    const flag table[] = {{.name = "min-lr", .text = &low},
                          {.name = "max-lr", .text = &high},
                          {.name = "steps", .text = &steps},
                          {.name = "json", .on = &json}};
    int words;
    config cfg;
    overrides o = {.count = 0};
    int status = arguments_parse(&command_lr_find, argc, argv, table, 4, &words);
    if (status != EXIT_DONE) return status;
    if (!parse_range(&f, low, high, steps))
        return command_misuse(
            &command_lr_find,
            "found --min-lr %s, --max-lr %s and --steps %s, expected 0 < --min-lr < "
            "--max-lr < 1e6 and 10 to 1000000 --steps",
            low ? low : "1e-5", high ? high : "10", steps ? steps : "500");
    status = load_config(&command_lr_find, &cfg, argv + 1, words, &o);
    if (status == EXIT_DONE) {
        status = lr_find(&cfg, &f, json, argc, argv);
        config_free(&cfg);
    }
    overrides_free(&o);
    return status;
}
