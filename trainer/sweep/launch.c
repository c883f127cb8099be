/* SPDX-License-Identifier: MIT
 *
 * Starting trials; see launch.h.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "sweep/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "output/text.h"
#include "run/lock.h"
#include "run/process.h"
#include "sweep/string_list.h"

extern char **environ;

/* The value of placeholder `name` (n bytes): a varied parameter, else its default in [param]. */
static const char *parameter_value(const sweep_plan *plan, const assignment *a, const char *name,
                                   size_t n) {
    char key[160];
    if (n > 100) return NULL;
    snprintf(key, sizeof key, "param.%.*s", (int)n, name);
    long at = space_find(&plan->space, key);
    if (at >= 0) return a->values[at] ? a->values[at] : "";
    const document_entry *e = document_find(&plan->cfg->doc, "param", key + strlen("param."));
    return e ? e->value : NULL;
}

/* Appends what {name} (n bytes) stands for. */
static spur_status put_parameter(const sweep_plan *plan, const assignment *a, const char *seed,
                                 const char *run, const char *name, size_t n, spur__str *out,
                                 spur_error *err) {
    const char *value = n == 4 && strncmp(name, "seed", n) == 0      ? seed
                        : n == 7 && strncmp(name, "run_dir", n) == 0 ? run
                                                                     : NULL;
    if (!value) value = parameter_value(plan, a, name, n);
    if (!value)
        return document_fail(document_find(&plan->cfg->doc, "program", "command"), true,
                             SPUR_E_NOTFOUND, err,
                             "{%.*s} is neither in [param] nor varied; for braces of the command's "
                             "own write {{ and }}",
                             (int)n, name);
    put_shell_quoted(out, value);
    return SPUR_OK;
}

spur_status program_command(const sweep_plan *plan, const assignment *a, int64_t seed,
                            const char *run, spur__str *out, spur_error *err) {
    char number[32];
    snprintf(number, sizeof number, "%lld", (long long)seed);
    bool doubled = strstr(plan->program.command, "{{") != NULL;
    for (const char *p = plan->program.command; *p; p++) {
        bool brace = (*p == '{' || *p == '}') && p[1] == *p;
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        if ((doubled && brace) || !end) {
            spur__str_putc(out, *p);
            p += doubled && brace;
            continue;
        }
        SPUR__TRY(put_parameter(plan, a, number, run, p + 1, (size_t)(end - p) - 1, out, err));
        p = end;
    }
    return spur__str_status(out);
}

/* trial.ini: which part of which sweep this run is; the trainer reads it (trial.h). */
static spur_status write_trial_file(const launch *l, const char *run, spur_error *err) {
    spur__str text;
    spur__str_init(&text, 1 << 20);
    spur__str_printf(&text, "[trial]\nconfiguration = %zu\nseed = %lld\n\n[values]\n",
                     l->configuration, (long long)l->seed);
    const space *s = &l->plan->space;
    for (size_t i = 0; i < s->count; i++)
        if (l->assigned->values[i])
            spur__str_printf(&text, "%s = %s\n", s->parameters[i].name, l->assigned->values[i]);
    char *path = spur__path_join(run, "trial.ini");
    spur_status status = text_write(path, &text, err);
    spur__free(path);
    spur__str_free(&text);
    return status;
}

/* spur train SWEEP.INI section.key=value ... run.seed=S run.threads=T, or spur resume RUN. */
static spur_status train_arguments(const launch *l, const char *run, string_list *args) {
    string_list_add(args, "spur");
    string_list_add(args, l->resume ? "resume" : "train");
    if (l->resume) {
        string_list_add(args, run);
    } else {
        char *ini = sweep_path(l->dir, "sweep.ini");
        string_list_add(args, ini ? ini : "");
        spur__free(ini);
        for (size_t i = 0; i < l->plan->space.count; i++)
            if (l->assigned->values[i])
                string_list_printf(args, "%s=%s", l->plan->space.parameters[i].name,
                                   l->assigned->values[i]);
        string_list_printf(args, "run.seed=%lld", (long long)l->seed);
        string_list_printf(args, "run.threads=%d", l->threads);
    }
    string_list_add(args, "--quiet");
    return string_list_status(args);
}

/* sh -c "COMMAND" with the exit status left in a file, by rename so that it is whole. It begins when its owner
 * is noted; should we die before that, it ends. */
static spur_status program_arguments(const launch *l, const char *run, string_list *args,
                                     spur_error *err) {
    spur__str script;
    spur__str_init(&script, 1 << 20);
    spur__str_puts(&script, "read -r go || exit 1\nexec </dev/null\n(\n");
    spur_status status = program_command(l->plan, l->assigned, l->seed, run, &script, err);
    spur__str_puts(&script, "\n)\ns=$?\necho $s > \"$SPUR_RUN_DIR/exit.tmp\" && "
                            "mv \"$SPUR_RUN_DIR/exit.tmp\" \"$SPUR_RUN_DIR/exit\"\nexit $s\n");
    string_list_add(args, "sh");
    string_list_add(args, "-c");
    string_list_add(args, spur__str_text(&script));
    if (status == SPUR_OK) status = string_list_status(args);
    spur__str_free(&script);
    return status;
}

/* Variables that a trial gets from us and not from our own environment. */
static bool is_ours(const char *variable) {
    static const char *const names[] = {
        "SPUR_RUN_DIR=", "SPUR_HPARAMS=", "SPUR_HPARAMS_GROUP=", "OMP_NUM_THREADS="};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0) return true;
    return false;
}

bool sweep_records_seed(const sweep_plan *plan) {
    return plan->seed_count == 1 || plan->space.count == 0;
}

/* SPUR_HPARAMS: what is varied, for the HParams record that the trainer writes. */
static void add_hparams(const launch *l, string_list *env) {
    spur__str names;
    spur__str_init(&names, 1 << 20);
    for (size_t i = 0; i < l->plan->space.count; i++)
        spur__str_printf(&names, "%s%s", i ? " " : "", l->plan->space.parameters[i].name);
    if (sweep_records_seed(l->plan)) spur__str_puts(&names, " run.seed");
    string_list_printf(env, "SPUR_HPARAMS=%s", spur__str_text(&names));
    string_list_printf(env, "SPUR_HPARAMS_GROUP=config_%04zu", l->configuration);
    spur__str_free(&names);
}

/* Our environment with the variables of the trial. */
static spur_status make_environment(const launch *l, const char *run, string_list *env) {
    string_list_printf(env, "SPUR_RUN_DIR=%s", run);
    string_list_printf(env, "OMP_NUM_THREADS=%d", l->threads);
    add_hparams(l, env);
    for (char **e = environ; *e; e++)
        if (!is_ours(*e)) string_list_add(env, *e);
    return string_list_status(env);
}

spur_status launch_hold(const char *run, int *lock, spur_error *err) {
    SPUR__TRY(spur__mkdirs_synced(run, err));
    SPUR__TRY(lock_take(run, TRIAL_LOCK, lock, err));
    if (!lock_is_held(run, RUN_LOCK)) return SPUR_OK;
    close(*lock); /* somebody resumes it by hand */
    return spur__fail(err, SPUR_E_STATE, "%s: another process is working in this run", run);
}

/* Notes in the lock's file whose group has it, for those that adopt the trial. */
static void note_owner(int lock, pid_t pid) {
    char line[200];
    process_id owner = process_of(pid);
    process_format(&owner, line, sizeof line - 1);
    size_t n = strlen(line);
    line[n++] = '\n';
    if (ftruncate(lock, 0) == 0) (void)spur__write_all(lock, line, n);
}

/* Spawns in a group of its own with the output appended to `log`, and `in` as its input (-1: none).
 * Returns an errno. */
static int spawn(const char *file, char *const *argv, char *const *envp, const char *log, int in,
                 pid_t *pid) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    if (in >= 0)
        posix_spawn_file_actions_adddup2(&files, in, 0);
    else
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    int failed = posix_spawn(pid, file, &files, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

/* Starts the program, and lets it begin when the lock's file says whose it is. Returns an errno. */
static int spawn_program(int lock, char *const *argv, char *const *envp, const char *log,
                         pid_t *pid) {
    int gate[2];
    if (pipe(gate) != 0) return errno;
    for (int i = 0; i < 2; i++) (void)fcntl(gate[i], F_SETFD, FD_CLOEXEC);
    int failed = spawn("/bin/sh", argv, envp, log, gate[0], pid);
    close(gate[0]);
    if (!failed) note_owner(lock, *pid);
    if (!failed) (void)spur__write_all(gate[1], "\n", 1);
    close(gate[1]);
    return failed;
}

/* The trainer itself, which tells in status.ini, too, whose it is. */
static int spawn_trainer(int lock, char *const *argv, char *const *envp, const char *log,
                         pid_t *pid) {
    int failed = spawn("/proc/self/exe", argv, envp, log, -1, pid);
    if (!failed) note_owner(lock, *pid);
    return failed;
}

/* Starts the process; everything it needs has been put together. */
static spur_status start(const launch *l, const char *run, const string_list *args,
                         const string_list *env, pid_t *pid, spur_error *err) {
    char *log = spur__path_join(run, "output.log");
    if (!log) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", run);
    int failed = fcntl(l->lock, F_SETFD, 0) != 0 ? errno : 0; /* it is inherited */
    if (!failed)
        failed = (l->plan->is_program ? spawn_program : spawn_trainer)(l->lock, args->list,
                                                                       env->list, log, pid);
    spur__free(log);
    return failed ? spur__fail_errno(err, failed, "%s: cannot start the trial", run) : SPUR_OK;
}

spur_status launch_trial(const launch *l, pid_t *pid, spur_error *err) {
    string_list args = {0}, env = {0};
    char *relative = sweep_path(l->dir, "%s", l->name), *run = NULL;
    spur_status status = relative ? SPUR_OK : SPUR_E_MEMORY;
    if (relative) run = realpath(relative, NULL);
    if (relative && !run) status = spur__fail_errno(err, errno, "%s", relative);
    if (status == SPUR_OK && !l->resume) status = write_trial_file(l, run, err);
    if (status == SPUR_OK)
        status = l->plan->is_program ? program_arguments(l, run, &args, err)
                                     : train_arguments(l, relative, &args);
    if (status == SPUR_OK) status = make_environment(l, l->plan->is_program ? run : relative, &env);
    if (status == SPUR_OK)
        status = start(l, run, &args, &env, pid, err);
    else if (status == SPUR_E_MEMORY)
        spur__fail(err, status, "sweep: out of memory");
    string_list_free(&args);
    string_list_free(&env);
    free(run);
    spur__free(relative);
    return status;
}

int program_exit_status(const char *run) {
    char *path = spur__path_join(run, "exit"), *text = NULL;
    size_t size;
    long long status = -1;
    if (path && spur__file_read(path, 64, &text, &size, NULL) == SPUR_OK)
        if (!spur__parse_int(spur__trim(text), &status)) status = -1;
    spur__free(text);
    spur__free(path);
    return (int)status;
}
