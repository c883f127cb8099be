/* SPDX-License-Identifier: MIT
 *
 * How often reports are wrong, and what they find: made-up sweeps of 2 to 20 configurations with 3 to
 * 10 seeds, of whose variance the seeds share a part, seed by seed.
 *
 * Prints, in per cent, how many sweeps of equal configurations come to a difference that is "real":
 * for runs that vary alike, and the most for other kinds of noise. Then in how many sweeps the lead of one
 * configuration over a certain other is found. usage: verdicts [SWEEPS]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "sweep/evidence.h"

enum { MOST_CONFIGURATIONS = 20, MOST_SEEDS = 10, SHARES = 4 };

typedef enum noise {
    ALIKE,
    FOURFOLD,
    SIXTEENFOLD,
    ONE_WILD,
    ONE_TAME,
    SKEWED,
    COLLAPSE,
    NOISES
} noise;

static const double shares[SHARES] = {0, 0.4, 0.75, 0.95};

/* What a configuration's deviation is multiplied by. */
static double spread_of(noise kind, int configuration, spur__rng *rng) {
    bool half = spur__rng_double(rng) < 0.5;
    if (kind == FOURFOLD) return half ? 4 : 1;
    if (kind == SIXTEENFOLD) return half ? 16 : 1;
    if (configuration > 0) return 1;
    return kind == ONE_WILD ? 20 : kind == ONE_TAME ? 0.05 : 1;
}

static double draw(noise kind, spur__rng *rng) {
    double x = (double)spur__rng_normal(rng);
    if (kind == SKEWED) return -log(1 - spur__rng_double(rng)) - 1;
    if (kind == COLLAPSE && spur__rng_double(rng) < 0.1) return x - 10;
    return x;
}

typedef struct made_sweep {
    int configurations, seeds;
    noise kind;
    double share; /* of the variance: what seeds have in common */
    double lead; /* of the first configuration, in deviations */
} made_sweep;

static char *copy_of(const char *text) {
    char *copy = spur__strdup(text);
    if (!copy) abort();
    return copy;
}

/* The first configuration is called "first", the second "second". */
static void make_report(const made_sweep *s, spur__rng *rng, report *r) {
    double shared[MOST_SEEDS];
    *r = (report){.metric = copy_of("accuracy"), .maximize = true};
    r->groups = spur__calloc((size_t)s->configurations, sizeof *r->groups);
    if (!r->groups) abort();
    for (int i = 0; i < s->seeds; i++) shared[i] = sqrt(s->share) * (double)spur__rng_normal(rng);
    for (int c = 0; c < s->configurations; c++) {
        report_group *g = &r->groups[r->group_count++];
        double spread = sqrt(1 - s->share) * spread_of(s->kind, c, rng);
        const char *label = c == 0 ? "first" : c == 1 ? "second" : "other";
        if (!report_group_init(g, copy_of(label), (size_t)s->seeds, 0)) abort();
        for (int i = 0; i < s->seeds; i++) {
            double value = shared[i] + spread * draw(s->kind, rng) + (c == 0 ? s->lead : 0);
            report_group_add(g, &value, 0, i + 1);
        }
    }
    report_sort(r);
}

/* Whether the report calls some difference real; with a lead, that of the second configuration. */
static bool finds(const made_sweep *s, spur__rng *rng) {
    double p[MOST_CONFIGURATIONS];
    bool found = false;
    report r;
    make_report(s, rng, &r);
    if (!report_p_values(&r, p)) abort();
    for (size_t g = 0; g < r.group_count; g++)
        found = found || (p[g] < EVIDENCE_LEVEL && (s->lead == 0 || r.groups[g].label[0] == 's'));
    report_free(&r);
    return found;
}

static double percent_found(const made_sweep *s, long sweeps, uint64_t *number) {
    int found = 0;
    spur__rng rng;
    spur__rng_init(&rng, 1, 0, 0, (*number)++);
    for (long i = 0; i < sweeps; i++) found += finds(s, &rng);
    return 100.0 * found / (double)sweeps;
}

static void measure(int configurations, int seeds, long sweeps, uint64_t *number) {
    double alike = 0, other = 0;
    for (int kind = 0; kind < NOISES; kind++) {
        for (int k = 0; k < SHARES; k++) {
            made_sweep s = {configurations, seeds, (noise)kind, shares[k], 0};
            double wrong = percent_found(&s, sweeps, number);
            if (kind == ALIKE) alike = fmax(alike, wrong);
            if (kind != ALIKE) other = fmax(other, wrong);
        }
    }
    double lead = seeds == 3 ? 3 : seeds == 5 ? 2 : 1.2;
    printf("%14d  %5d  %6.1f  %6.1f  %5.1f", configurations, seeds, alike, other, lead);
    for (int k = 0; k < SHARES; k++) {
        made_sweep s = {configurations, seeds, ALIKE, shares[k], lead};
        printf("  %4.0f", percent_found(&s, sweeps, number));
    }
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv) {
    static const int configurations[] = {2, 3, 5, 8, 20}, seeds[] = {3, 5, MOST_SEEDS};
    long sweeps = argc > 1 ? strtol(argv[1], NULL, 10) : 4000;
    uint64_t number = 0;
    if (argc > 2 || sweeps < 1 || sweeps > 1000000) {
        fprintf(stderr, "usage: verdicts [SWEEPS]\n");
        return 2;
    }
    printf("%ld sweeps a number                                found, with a share of\n", sweeps);
    printf("configurations  seeds   wrong, at worst   lead");
    for (int k = 0; k < SHARES; k++) printf("  %4.2g", shares[k]);
    printf("\n");
    for (size_t c = 0; c < sizeof configurations / sizeof configurations[0]; c++)
        for (size_t k = 0; k < sizeof seeds / sizeof seeds[0]; k++)
            measure(configurations[c], seeds[k], sweeps, &number);
    return 0;
}
