/* SPDX-License-Identifier: MIT
 *
 * Trying the configurations of a sweep; see sweep_check.h.
 */
#include "engine_commands/sweep_check.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "output/text.h"
#include "sweep/string_list.h"
#include "train/session.h"

spur_status sweep_check_open(sweep_check *c, const sweep_plan *plan, size_t most, spur_error *err) {
    const assignment *a;
    *c = (sweep_check){.plan = plan};
    search_init(&c->search, &plan->space, (uint64_t)plan->seeds[0], false);
    c->search.lookup = sweep_plan_option;
    c->search.context = plan;
    c->search.trials = (size_t)plan->settings.trials;
    if (plan->method->adaptive && most > (size_t)plan->settings.tpe.startup_trials)
        most = (size_t)plan->settings.tpe.startup_trials;
    spur_status status = SPUR_OK;
    while (status == SPUR_OK && c->search.count < most)
        status = search_next(&c->search, plan->method, sweep_plan_method_options(plan), &a, err);
    if (status == SPUR_OK || status == SPUR_E_END) {
        c->faults = spur__calloc(c->search.count + 1, sizeof *c->faults);
        status = c->faults ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
    }
    if (status != SPUR_OK) sweep_check_close(c);
    return status;
}

void sweep_check_close(sweep_check *c) {
    for (size_t i = 0; c->faults && i < c->search.count; i++) spur__free(c->faults[i]);
    spur__free(c->faults);
    c->faults = NULL;
    search_free(&c->search);
}

/* The configuration as its trial would read it. */
static spur_status load(const sweep_check *c, size_t i, const char *file, const overrides *given,
                        config *cfg, spur_error *err) {
    const assignment *a = &c->search.known[i].assigned;
    string_list list = {0};
    for (size_t k = 0; k < given->count; k++) string_list_add(&list, given->items[k]);
    for (size_t k = 0; k < c->plan->space.count; k++)
        if (a->values[k])
            string_list_printf(&list, "%s=%s", c->plan->space.parameters[k].name, a->values[k]);
    spur_status status = string_list_status(&list);
    if (status == SPUR_OK)
        status = config_load(cfg, file, list.list, list.count, err);
    else
        spur__fail(err, status, "sweep: out of memory");
    string_list_free(&list);
    return status;
}

spur_status sweep_check_run(sweep_check *c, const char *file, const overrides *given,
                            spur_error *err) {
    shared_data data = {.count = 0};
    terminal term;
    spur_status status = SPUR_OK;
    terminal_init(&term, true, false);
    for (size_t i = 0; status == SPUR_OK && i < c->search.count; i++) {
        config cfg;
        spur_error why = {.status = SPUR_OK};
        spur_status tried = load(c, i, file, given, &cfg, &why);
        if (tried == SPUR_OK) {
            tried = session_try(&cfg, &data, &term, &why);
            config_free(&cfg);
        }
        if (tried == SPUR_OK) continue;
        c->failed++;
        c->faults[i] = spur__strdup(why.message);
        if (!c->faults[i]) status = spur__fail(err, SPUR_E_MEMORY, "sweep: out of memory");
    }
    shared_data_free(&data);
    terminal_close(&term);
    return status;
}

/* True when every configuration in which parameter p has this value failed, and there are some. */
static bool is_useless(const sweep_check *c, size_t p, const char *value) {
    size_t with = 0;
    for (size_t i = 0; i < c->search.count; i++) {
        const char *own = c->search.known[i].assigned.values[p];
        if (!own || strcmp(own, value) != 0) continue;
        if (!c->faults[i]) return false;
        with++;
    }
    return with > 0;
}

bool sweep_check_is_hopeless(const sweep_check *c) {
    if (c->failed > 0 && c->failed == c->search.count) return true;
    for (size_t p = 0; p < c->plan->space.count; p++) {
        const parameter *one = &c->plan->space.parameters[p];
        for (size_t k = 0; one->kind == DOMAIN_CHOICE && k < one->choice_count; k++)
            if (is_useless(c, p, one->choices[k])) return true;
    }
    return false;
}

void sweep_check_print(const sweep_check *c) {
    fprintf(stderr, "spur sweep: %zu of %zu configurations cannot be trained:\n", c->failed,
            c->search.count);
    for (size_t i = 0; i < c->search.count; i++) {
        spur__str line;
        if (!c->faults[i]) continue;
        spur__str_init(&line, 1 << 16);
        assignment_label(&c->plan->space, &c->search.known[i].assigned, &line);
        if (line.length) spur__str_puts(&line, ": ");
        text_line(&line, c->faults[i], strlen(c->faults[i]));
        fprintf(stderr, "  %s\n", spur__str_text(&line));
        spur__str_free(&line);
    }
}
