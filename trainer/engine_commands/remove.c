/* SPDX-License-Identifier: MIT
 *
 * spur rm and spur restore: runs and sweeps go to a trash beside the log directory (TensorBoard
 * does not look there) and come back from it.
 *
 * The trash of ./my_logs is ./.spur-trash/<number>-<name>/ with the thing itself under `run` and a
 * file `origin` that tells its place as seen from where the trash lies, my_logs/<name>: so it comes
 * back from any working directory, also after all of it has moved. A trial goes where its sweep would:
 * beside the sweep, inside of ./my_logs, TensorBoard would find it.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine_commands/setup.h"
#include "run/lock.h"
#include "run/process.h"
#include "sweep/catalog.h"
#include "sweep/collect.h"
#include "sweep/journal.h"
#include "run/move.h"
#include "run/remove.h"

static int run_rm(int argc, char **argv);
static int run_restore(int argc, char **argv);

extern const command command_rm, command_restore;
const command command_rm = {
    .name = "rm",
    .usage = "RUN|SWEEP ... | --purge [LOGDIR]",
    .summary = "Move runs to the trash; --purge empties it for good.",
    .help = "The trash is .spur-trash beside the log directory; `spur restore` brings things\n"
            "back.",
    .run = run_rm,
};
const command command_restore = {
    .name = "restore",
    .usage = "[NAME] [--logdir LOGDIR]",
    .summary = "Bring a run back from the trash; without a name, list what is there.",
    .run = run_restore,
};

/* Whether a path ends in a directory's place instead of its name: ".", "x/..". */
static bool ends_in_dots(const char *path) {
    const char *name = spur__path_name(path);
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The directory above another one. */
static char *above(const char *folder) {
    char *clean = spur__path_plain(folder), *out = NULL;
    if (clean)
        out = ends_in_dots(clean) ? spur__path_join(clean, "..") : spur__path_directory(clean);
    spur__free(clean);
    return out;
}

/* The name of a directory, also of one that is called by its place. */
static char *base_of(const char *folder) {
    char *clean = spur__path_plain(folder), *real = NULL;
    bool dots = clean && ends_in_dots(clean);
    if (dots) real = realpath(clean, NULL);
    const char *path = dots ? real : clean;
    char *base = path ? spur__strdup(spur__path_name(path)) : NULL;
    free(real);
    spur__free(clean);
    return base;
}

/* <parent of the log directory>/.spur-trash */
static char *trash_of(const char *logdir) {
    char *parent = above(logdir), *trash = parent ? spur__path_join(parent, ".spur-trash") : NULL;
    spur__free(parent);
    return trash;
}

/* Where something that is removed lies, and under which name below the log directory's own: "s", or
 * "s/trial_0001_seed_1" of a trial, whose sweep lies in the log directory. */
typedef struct place_of {
    char *logdir, *below;
} place_of;

static void place_free(place_of *p) {
    spur__free(p->logdir);
    spur__free(p->below);
}

static place_of find_place(const char *path) {
    place_of p = {spur__path_directory(path), spur__strdup(spur__path_name(path))};
    if (!p.logdir || !is_sweep(p.logdir)) return p;
    char *sweep = base_of(p.logdir);
    place_of trial = {above(p.logdir), sweep ? spur__path_join(sweep, p.below) : NULL};
    spur__free(sweep);
    place_free(&p);
    return trial;
}

static bool is_busy(const char *path) {
    catalog c;
    bool busy = run_is_locked(path) || sweep_journal_has_worker(path);
    if (!busy && is_sweep(path) && catalog_read(&c, path, NULL) == SPUR_OK) {
        for (size_t i = 0; i < c.count; i++)
            busy |= c.entries[i].outcome.verdict == VERDICT_RUNNING;
        catalog_free(&c);
    }
    return busy;
}

/* Makes an empty numbered folder in the trash. */
static spur_status make_place(const char *trash, const char *name, char **place, spur_error *err) {
    SPUR__TRY(spur__mkdirs_synced(trash, err));
    size_t size = strlen(trash) + strlen(name) + 32;
    char *path = spur__malloc(size);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "rm: out of memory");
    for (int i = 1; i < 1000000; i++) {
        snprintf(path, size, "%s/%04d-%s", trash, i, name);
        if (mkdir(path, 0777) == 0) {
            *place = path;
            return spur__sync_name(path, err);
        }
        if (errno != EEXIST) break;
    }
    spur_status status = spur__fail_errno(err, errno, "%s: cannot make", path);
    spur__free(path);
    return status;
}

/* What brings it back, as a shell takes it. */
static void say_moved(const char *path, const char *place, const char *name, const char *logdir) {
    spur__str way;
    spur__str_init(&way, 1 << 16);
    spur__str_puts(&way, "spur restore --logdir ");
    put_shell_word(&way, logdir);
    spur__str_puts(&way, *name == '-' ? " -- " : " ");
    put_shell_word(&way, name);
    printf("%s -> %s  (%s)\n", path, place, spur__str_text(&way));
    spur__str_free(&way);
}

/* Moves `path` into a new folder of the trash, beside the file that tells where it was. The folder goes again
 * after a failure, unless all of it has arrived. */
static spur_status move_into(const char *place, const char *path, const char *origin,
                             spur_error *err) {
    char *file = spur__path_join(place, "origin"), *target = spur__path_join(place, "run");
    spur_status status = file && target ? spur__file_write(file, origin, strlen(origin), err)
                                        : spur__fail(err, SPUR_E_MEMORY, "rm: out of memory");
    if (status == SPUR_OK) status = move_tree(path, target, err);
    if (status != SPUR_OK && !(target && spur__exists(target))) remove_tree(place, NULL);
    spur__free(target);
    spur__free(file);
    return status;
}

static spur_status move_to_trash(const char *path, spur_error *err) {
    place_of was = find_place(path);
    const char *name = spur__path_name(path);
    char *trash = was.logdir ? trash_of(was.logdir) : NULL, *place = NULL;
    char *base = trash && was.below ? base_of(was.logdir) : NULL;
    char *origin = base ? spur__path_join(base, was.below) : NULL;
    spur_status status = origin ? make_place(trash, name, &place, err)
                                : spur__fail(err, SPUR_E_MEMORY, "rm: out of memory");
    if (status == SPUR_OK) {
        status = move_into(place, path, origin, err);
        if (status == SPUR_OK) say_moved(path, place, name, was.logdir);
    }
    spur__free(origin);
    spur__free(base);
    spur__free(place);
    spur__free(trash);
    place_free(&was);
    return status;
}

/* Takes the locks that a run has, so that nobody begins to work in it while it is moved. What has none, or may
 * not be opened, has been looked at. */
static bool hold(const char *path, int held[2]) {
    static const char *const names[] = {RUN_LOCK, TRIAL_LOCK};
    bool free_now = true;
    for (int i = 0; i < 2; i++) {
        char *file = spur__path_join(path, names[i]);
        held[i] = -1;
        if (file && spur__exists(file))
            free_now &= lock_take(path, names[i], &held[i], NULL) != SPUR_E_STATE;
        spur__free(file);
    }
    return free_now;
}

static int remove_one(const char *argument) {
    spur_error err = {.status = SPUR_OK};
    char *path = path_by_name(argument);
    int result = EXIT_USAGE, held[2] = {-1, -1};
    if (!path)
        result = EXIT_FAILED;
    else if (!is_run(path) && !is_sweep(path))
        command_misuse(&command_rm, "%s: neither a run nor a sweep", path);
    else if (is_busy(path) || !hold(path, held))
        command_misuse(&command_rm, "%s: a process is working in it", path);
    else if (move_to_trash(path, &err) != SPUR_OK)
        result = command_fail(&command_rm, &err);
    else
        result = EXIT_DONE;
    for (int i = 0; i < 2; i++)
        if (held[i] >= 0) close(held[i]);
    spur__free(path);
    return result;
}

static int purge(const char *logdir) {
    spur_error err = {.status = SPUR_OK};
    char *trash = trash_of(logdir);
    spur_status status = trash ? remove_tree(trash, &err) : SPUR_E_MEMORY;
    if (status == SPUR_OK) printf("%s is empty\n", trash);
    spur__free(trash);
    return status == SPUR_OK ? EXIT_DONE : command_fail(&command_rm, &err);
}

static int run_rm(int argc, char **argv) {
    bool everything = false;
    const flag rows[] = {{.name = "purge", .on = &everything}};
    int words, result = EXIT_DONE;
    int parsed = arguments_parse(&command_rm, argc, argv, rows, 1, &words);
    if (parsed != EXIT_DONE) return parsed;
    if (everything && words <= 1) return purge(words ? argv[1] : "./my_logs");
    if (everything || words < 1) return command_misuse(&command_rm, "expected runs, or --purge");
    for (int i = 1; i <= words; i++) {
        int status = remove_one(argv[i]);
        if (status != EXIT_DONE) result = status;
    }
    return result;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whether there is something under that name of the trash: who was killed while he moved it there, or back, left
 * the folder alone. */
static bool is_filled(const char *trash, const char *name) {
    struct stat info;
    char *place = spur__path_join(trash, name), *run = place ? spur__path_join(place, "run") : NULL;
    bool filled = run && lstat(run, &info) == 0;
    spur__free(run);
    spur__free(place);
    return filled;
}

/* Names in the trash, sorted. */
static size_t names_in(const char *trash, char ***names) {
    size_t count = 0;
    DIR *d = opendir(trash);
    *names = NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        bool named = e->d_name[0] != '.' && is_filled(trash, e->d_name);
        char **grown = named ? spur__realloc_array(*names, count + 1, sizeof *grown) : NULL;
        if (!grown) continue;
        *names = grown;
        grown[count] = spur__strdup(e->d_name);
        count += grown[count] != NULL;
    }
    if (d) closedir(d);
    if (count) qsort(*names, count, sizeof **names, by_name);
    return count;
}

/* Moves <trash>/<name>/run back to where it was. */
static spur_status bring_back(const char *trash, const char *name, spur_error *err) {
    char *place = spur__path_join(trash, name), *beside = spur__path_directory(trash), *from = NULL;
    char *origin = place ? spur__path_join(place, "origin") : NULL, *above = NULL;
    char *run = place ? spur__path_join(place, "run") : NULL, *target = NULL;
    size_t size;
    spur_status status = origin && run && beside
                             ? spur__file_read(origin, 1 << 16, &from, &size, err)
                             : spur__fail(err, SPUR_E_MEMORY, "restore: out of memory");
    if (status == SPUR_OK) {
        target = strcmp(beside, ".") == 0 ? spur__strdup(from) : spur__path_join(beside, from);
        if (!target) status = spur__fail(err, SPUR_E_MEMORY, "restore: out of memory");
    }
    if (status == SPUR_OK && spur__exists(target))
        status = spur__fail(err, SPUR_E_EXISTS, "%s: exists again", target);
    if (status == SPUR_OK) {
        above = spur__path_directory(target);
        status = above ? spur__mkdirs_synced(above, err) : SPUR_E_MEMORY;
    }
    if (status == SPUR_OK) status = move_tree(run, target, err);
    if (status == SPUR_OK) {
        printf("%s\n", target);
        status = remove_tree(place, err);
    }
    spur__free(above);
    spur__free(target);
    spur__free(from);
    spur__free(run);
    spur__free(origin);
    spur__free(beside);
    spur__free(place);
    return status;
}

/* The entry of the trash that `name` means: its whole name, or the latest one of that run. */
static const char *find_name(char **names, size_t count, const char *name) {
    for (size_t i = count; i-- > 0;) {
        const char *dash = strchr(names[i], '-');
        if (strcmp(names[i], name) == 0 || (dash && strcmp(dash + 1, name) == 0)) return names[i];
    }
    return NULL;
}

static int restore_from(const char *trash, const char *name) {
    char **names;
    spur_error err = {.status = SPUR_OK};
    int result = EXIT_DONE;
    size_t count = names_in(trash, &names);
    const char *found = name ? find_name(names, count, name) : NULL;
    for (size_t i = 0; !name && i < count; i++) printf("%s\n", names[i]);
    if (!name && count == 0) printf("(the trash is empty)\n");
    if (name && !found) {
        result = command_misuse(&command_restore, "%s: not in %s", name, trash);
    } else if (found && bring_back(trash, found, &err) != SPUR_OK) {
        result = command_fail(&command_restore, &err);
    }
    for (size_t i = 0; i < count; i++) spur__free(names[i]);
    spur__free(names);
    return result;
}

static int run_restore(int argc, char **argv) {
    const char *logdir = "./my_logs";
    const flag rows[] = {{.name = "logdir", .text = &logdir}};
    int words;
    int parsed = arguments_parse(&command_restore, argc, argv, rows, 1, &words);
    if (parsed != EXIT_DONE) return parsed;
    if (words > 1) return command_misuse(&command_restore, "expected one name at most");
    char *trash = trash_of(logdir);
    int result = trash ? restore_from(trash, words ? argv[1] : NULL) : EXIT_FAILED;
    spur__free(trash);
    return result;
}
