/* SPDX-License-Identifier: MIT
 *
 * What pruners save and what they lose: 300 sweeps of 40 trials, one after the other, whose learning
 * curves fall from a start to a floor at rates of their own, so that they cross.
 *
 * Prints the epochs that were run, in per cent of all, how often the best trial was stopped, and how
 * much worse than it the best of those is that were not (floors lie between 0.1 and 0.6).
 */
#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "sweep/pruner.h"

enum { SWEEPS = 300, TRIALS = 40, EPOCHS = 27 };

typedef struct made_sweep {
    double values[TRIALS][EPOCHS], end[TRIALS]; /* with noise; the last one without */
} made_sweep;

static void make_sweep(made_sweep *s, uint64_t number) {
    spur__rng rng;
    spur__rng_init(&rng, 1, 0, 0, number);
    for (int t = 0; t < TRIALS; t++) {
        double floor = 0.1 + 0.5 * spur__rng_double(&rng), start = 1 + 2 * spur__rng_double(&rng);
        double rate = 0.05 + 0.55 * spur__rng_double(&rng);
        for (int e = 0; e < EPOCHS; e++) {
            s->end[t] = floor + (start - floor) * exp(-rate * (e + 1));
            s->values[t][e] = s->end[t] + 0.03 * (double)spur__rng_normal(&rng);
        }
    }
}

typedef struct account {
    double epochs, lost, regret;
} account;

static void run_sweep(const pruner *p, const void *options, const made_sweep *s, account *sum) {
    learning_curve curves[TRIALS];
    int best = 0, found = -1;
    for (int t = 0; t < TRIALS; t++) {
        learning_curve *c = &curves[t];
        *c = (learning_curve){.trial = (size_t)t, .values = s->values[t]};
        bool stopped = false;
        while (c->count < EPOCHS && !stopped) {
            c->count++;
            stopped =
                c->count < EPOCHS && p->prune(options, curves, (size_t)t + 1, (size_t)t, false);
        }
        c->finished = !stopped;
        sum->epochs += (double)c->count / (TRIALS * EPOCHS);
        if (s->end[t] < s->end[best]) best = t;
        if (!stopped && (found < 0 || s->end[t] < s->end[found])) found = t;
    }
    sum->lost += found != best;
    sum->regret += s->end[found] - s->end[best];
}

static void measure(const char *name, const char *what, const void *options) {
    const pruner *p = (const void *)spur__family_find(&pruner_family, name, NULL);
    static made_sweep s;
    account sum = {0};
    for (uint64_t i = 0; i < SWEEPS; i++) {
        make_sweep(&s, i);
        run_sweep(p, options, &s, &sum);
    }
    printf("%-10s %-28s %5.0f %% %8.0f %% %9.3f\n", name, what, 100 * sum.epochs / SWEEPS,
           100 * sum.lost / SWEEPS, sum.regret / SWEEPS);
}

int main(void) {
    printf("%-39s %7s %10s %9s\n", "", "epochs", "best lost", "worse by");
    measure("none", "", NULL);
    measure("median", "", &(median_options){.startup_trials = 5});
    measure("median", "warmup_epochs = 5", &(median_options){5, 5});
    measure("median", "warmup_epochs = 9", &(median_options){5, 9});
    measure("asha", "", &(asha_options){1, 4, 0});
    measure("asha", "min_resource = 3", &(asha_options){3, 4, 0});
    measure("asha", "min_resource = 5", &(asha_options){5, 4, 0});
    measure("asha", "min_resource = 9, factor 2", &(asha_options){9, 2, 0});
    measure("hyperband", "", &(hyperband_options){1, EPOCHS, 3});
    return 0;
}
