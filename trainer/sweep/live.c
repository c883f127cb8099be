/* SPDX-License-Identifier: MIT
 *
 * The live view of a sweep; see live.h.
 */
#include "sweep/live.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "config/config.h"
#include "output/text.h"

enum { BEST_ROWS = 5, RUNNING_ROWS = 8, REDRAW_MS = 500, MOST_COUNTED = 2000 };

void live_init(live *l, terminal *term) {
    *l = (live){.term = term, .begun = spur__monotonic_ns()};
}

void live_begin(live *l, const char *path, bool continued) {
    spur__str line;
    spur__str_init(&line, 1 << 14);
    spur__str_printf(&line, "%s %s", continued ? "Continuing" : "Sweep:", path);
    if (continued)
        spur__str_printf(&line, ": %zu trial%s done", l->before - l->failed_before,
                         l->before - l->failed_before == 1 ? "" : "s");
    if (l->failed_before) spur__str_printf(&line, ", %zu failed", l->failed_before);
    terminal_say(l->term, "%s", spur__str_text(&line));
    spur__str_free(&line);
    l->watching = true;
}

void live_clear(live *l) {
    if (!l->term->bars || l->lines == 0) return;
    printf("\033[%zuA\033[J", l->lines);
    fflush(stdout);
    l->lines = 0;
}

static void put_label(const sweep_worker *w, size_t configuration, spur__str *out) {
    assignment_label(&w->plan->space, &w->search.known[configuration].assigned, out);
}

/* Whether two of the configurations so far differ in parameter i; of a single one, whether others
 * may. */
static bool is_varied(const sweep_worker *w, size_t i) {
    const parameter *p = &w->plan->space.parameters[i];
    if (w->search.count == 1) return p->kind != DOMAIN_CHOICE || p->choice_count > 1;
    const char *first = w->search.known[0].assigned.values[i];
    for (size_t c = 1; c < w->search.count; c++) {
        const char *value = w->search.known[c].assigned.values[i];
        if (!first != !value || (first && strcmp(first, value) != 0)) return true;
    }
    return false;
}

/* As put_label, but only what tells this configuration from the others: room is short. */
static void put_difference(const sweep_worker *w, size_t configuration, spur__str *out) {
    const space *s = &w->plan->space;
    char *const *values = w->search.known[configuration].assigned.values;
    for (size_t i = 0; i < s->count; i++) {
        if (!values[i] || !is_varied(w, i)) continue;
        spur__str_puts(out, "  ");
        config_short_path(s->parameters[i].name, out);
        spur__str_printf(out, "=%s", values[i]);
    }
}

/* "trial_0003_seed_2  lr=0.1 ...  val_accuracy 0.91 (epoch 4)". */
static void put_slot(const sweep_worker *w, const trial_slot *slot, spur__str *out) {
    char name[64];
    const run_outcome *o = &slot->outcome;
    sweep_trial_name(w->plan, slot->configuration, slot->seed, name, sizeof name);
    spur__str_printf(out, "%s  ", name);
    put_label(w, slot->configuration, out);
    if (!isnan(o->best))
        spur__str_printf(out, "  %s %.4g (epoch %lld)", o->monitor, o->best, o->best_epoch);
}

static void json_slot(live *l, const sweep_worker *w, const trial_slot *slot) {
    char name[64];
    spur__str out, label;
    const run_outcome *o = &slot->outcome;
    sweep_trial_name(w->plan, slot->configuration, slot->seed, name, sizeof name);
    spur__str_init(&out, 1 << 16);
    spur__str_init(&label, 1 << 14);
    put_label(w, slot->configuration, &label);
    spur__str_printf(&out, "{\"trial\":\"%s\",\"state\":\"%s\",\"label\":", name,
                     run_verdict_names[o->verdict]);
    spur__str_json(&out, spur__str_text(&label));
    if (!isnan(o->best)) {
        spur__str_putc(&out, ',');
        spur__str_json(&out, o->monitor);
        spur__str_putc(&out, ':');
        spur__str_double(&out, o->best);
    }
    spur__str_putc(&out, '}');
    terminal_json(l->term, spur__str_text(&out));
    spur__str_free(&label);
    spur__str_free(&out);
}

void live_ended(void *user, const sweep_worker *w, const trial_slot *slot) {
    live *l = user;
    run_verdict v = slot->outcome.verdict;
    if (l->term->json) json_slot(l, w, slot);
    if (!l->watching) {
        l->before += v != VERDICT_DAMAGED;
        l->failed_before += v == VERDICT_FAILED;
        return;
    }
    l->ended++;
    spur__str line;
    spur__str_init(&line, 1 << 14);
    put_slot(w, slot, &line);
    if (v == VERDICT_FAILED || v == VERDICT_DAMAGED) {
        live_clear(l);
        terminal_warn(l->term, "sweep: %s  %s: %s", spur__str_text(&line), run_verdict_names[v],
                      slot->outcome.message);
    } else if (!l->term->bars) {
        terminal_say(l->term, "%s%s", spur__str_text(&line), v == VERDICT_PRUNED ? "  pruned" : "");
    }
    spur__str_free(&line);
}

/* One line of the block, cut at the terminal's width; dots tell that something is missing. */
static void put_line(live *l, spur__str *block, const spur__str *line) {
    text_cut(block, spur__str_text(line), (size_t)terminal_width() - 1);
    spur__str_puts(block, "\033[K\n");
    l->lines++;
}

/* "trial_0003_seed_2  epoch 4  val_accuracy 0.91  lr=0.1 ...": what may be cut comes last. */
static void put_progress(const sweep_worker *w, const trial_slot *slot, spur__str *out) {
    char name[64];
    const run_outcome *o = &slot->outcome;
    sweep_trial_name(w->plan, slot->configuration, slot->seed, name, sizeof name);
    spur__str_puts(out, name);
    if (o->epochs > 0) spur__str_printf(out, "  epoch %lld", o->epochs);
    if (!isnan(o->best)) spur__str_printf(out, "  %s %.4g", o->monitor, o->best);
    put_difference(w, slot->configuration, out);
}

static void put_running(live *l, const sweep_worker *w, spur__str *block) {
    size_t shown = 0;
    for (size_t i = 0; i < w->count && shown < RUNNING_ROWS; i++) {
        const trial_slot *slot = &w->slots[i];
        if (slot->state != SLOT_OURS && slot->state != SLOT_ADOPTED && slot->state != SLOT_FOREIGN)
            continue;
        spur__str line;
        spur__str_init(&line, 1 << 14);
        spur__str_puts(&line, slot->state == SLOT_FOREIGN ? "  (other) " : "  running ");
        put_progress(w, slot, &line);
        put_line(l, block, &line);
        spur__str_free(&line);
        shown++;
    }
}

/* Finds the best finished configuration that is worse than rank (value, index); SIZE_MAX: none. */
static size_t next_best(const sweep_worker *w, size_t last) {
    size_t found = SIZE_MAX;
    double sign = w->search.maximize ? -1 : 1;
    for (size_t i = 0; i < w->search.count; i++) {
        const search_outcome *o = &w->search.known[i];
        if (o->state != OUTCOME_FINISHED) continue;
        if (last != SIZE_MAX) {
            double before = sign * w->search.known[last].value, here = sign * o->value;
            if (here < before || (here == before && i <= last)) continue;
        }
        if (found == SIZE_MAX || sign * o->value < sign * w->search.known[found].value) found = i;
    }
    return found;
}

static void put_best(live *l, const sweep_worker *w, spur__str *block) {
    size_t at = SIZE_MAX;
    for (int rank = 1; rank <= BEST_ROWS; rank++) {
        at = next_best(w, at);
        if (at == SIZE_MAX) return;
        spur__str line;
        spur__str_init(&line, 1 << 14);
        spur__str_printf(&line, "  %d. %-7.4g", rank, w->search.known[at].value);
        put_difference(w, at, &line);
        put_line(l, block, &line);
        spur__str_free(&line);
    }
}

/* How many trials there will be: the search run dry, without its conditions' duplicates. */
static size_t count_trials(const sweep_worker *w) {
    const sweep_plan *plan = w->plan;
    search_state s;
    const assignment *a;
    size_t most = search_grid_size(&plan->space);
    if (plan->settings.trials > 0) return (size_t)plan->settings.trials * plan->seed_count;
    if (most > MOST_COUNTED) return SIZE_MAX;
    search_init(&s, &plan->space, 0, false);
    s.lookup = sweep_plan_option;
    s.context = plan;
    while (search_next(&s, plan->method, sweep_plan_method_options(plan), &a, NULL) == SPUR_OK) {
    }
    size_t count = s.count * plan->seed_count;
    search_free(&s);
    return count;
}

/* "3 min" of a number of seconds. */
static void put_duration(spur__str *out, double seconds) {
    if (seconds < 100)
        spur__str_printf(out, "%.0f s", seconds);
    else if (seconds < 6000)
        spur__str_printf(out, "%.0f min", seconds / 60);
    else
        spur__str_printf(out, "%.1f h", seconds / 3600);
}

/* "12 of 48 trials done, 1 failed, 2 running; 3 min, about 9 min left". */
static void put_counts(live *l, const sweep_worker *w, uint64_t now, spur__str *block) {
    size_t of[VERDICT_COUNT] = {0}, final = 0;
    spur__str line;
    for (size_t i = 0; i < w->count; i++) {
        if (w->slots[i].state != SLOT_FINAL) continue;
        of[w->slots[i].outcome.verdict]++;
        final++;
    }
    if (l->total == 0) l->total = count_trials(w);
    size_t total = w->exhausted ? w->count : l->total;
    spur__str_init(&line, 1 << 14);
    spur__str_printf(&line, "%zu", of[VERDICT_DONE]);
    if (total != SIZE_MAX) spur__str_printf(&line, " of %zu", total);
    spur__str_puts(&line, " trials done");
    if (of[VERDICT_PRUNED]) spur__str_printf(&line, ", %zu pruned", of[VERDICT_PRUNED]);
    if (of[VERDICT_FAILED]) spur__str_printf(&line, ", %zu failed", of[VERDICT_FAILED]);
    if (of[VERDICT_DAMAGED]) spur__str_printf(&line, ", %zu damaged", of[VERDICT_DAMAGED]);
    spur__str_printf(&line, ", %zu running; ", w->running);
    double elapsed = (double)(now - l->begun) / 1e9;
    put_duration(&line, elapsed);
    if (l->ended > 1 && total != SIZE_MAX && total > final) {
        spur__str_puts(&line, ", about ");
        put_duration(&line, elapsed / (double)l->ended * (double)(total - final));
        spur__str_puts(&line, " left");
    }
    put_line(l, block, &line);
    spur__str_free(&line);
}

void live_tick(void *user, const sweep_worker *w) {
    live *l = user;
    uint64_t now = spur__monotonic_ns();
    if (!l->term->bars || l->term->quiet || now - l->drawn < REDRAW_MS * 1000000u) return;
    l->drawn = now;
    spur__str block;
    spur__str_init(&block, 1 << 16);
    live_clear(l);
    put_counts(l, w, now, &block);
    put_running(l, w, &block);
    put_best(l, w, &block);
    fputs(spur__str_text(&block), stdout);
    fflush(stdout);
    spur__str_free(&block);
}
