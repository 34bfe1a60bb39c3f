/* SPDX-License-Identifier: BSD-3-Clause */
/* Shows what a guest is doing, for people and as JSON: its state, QEMU's process and since when it runs, CPUs, memory, and disks
 * that have an error. */

#include <inttypes.h>
#include <time.h>

#include "life.h"
#include "log.h"
#include "root.h"

typedef struct Status {
        const GuestState *state;
        pid_t pid;
        time_t since; /* of QEMU's process; 0: not to be found out */
        size_t n_cpus;
        uint64_t memory;
        char *version;
        json_t *disks; /* names of those with an error → “failed” or “nospace” */
} Status;

static void status_done(Status *t) {
        free(t->version);
        json_decref(t->disks);
}

/* Field 22 of proc_pid_stat(5); the name before it may hold anything. */
static time_t started_at(pid_t pid) {
        _cleanup_(closep) int root = root_open("/");
        _cleanup_(freep) char *path = NULL, *text = NULL;
        unsigned long long ticks;
        struct timespec boot, now;
        const char *rest;

        if (root < 0 || format(&path, "proc/%d/stat", pid) < 0 || root_read(root, path, &text) < 0)
                return 0;
        rest = strrchr(text, ')');
        if (!rest || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &ticks) != 1)
                return 0;
        (void) clock_gettime(CLOCK_BOOTTIME, &boot);
        (void) clock_gettime(CLOCK_REALTIME, &now);
        return now.tv_sec - boot.tv_sec + (time_t) (ticks / (unsigned long long) sysconf(_SC_CLK_TCK));
}

static int ask_cpus(LifeSession *s, Status *t) {
        _cleanup_(json_decrefp) json_t *cpus = NULL;
        int r = life_call(s, "Cannot count the guest's CPUs", "query-cpus-fast", NULL, &cpus);

        t->n_cpus = json_array_size(cpus);
        return r;
}

static int ask_memory(LifeSession *s, Status *t) {
        _cleanup_(json_decrefp) json_t *memory = NULL;
        int r = life_call(s, "Cannot see the guest's memory", "query-memory-size-summary", NULL, &memory);
        json_int_t size = json_integer_value(json_object_get(memory, "base-memory"));

        t->memory = size > 0 ? (uint64_t) size : 0;
        return r;
}

static int ask_version(LifeSession *s, Status *t) {
        _cleanup_(json_decrefp) json_t *answer = NULL;
        int r = life_call(s, "Cannot ask for QEMU's version", "query-version", NULL, &answer);
        const json_t *qemu = json_object_get(answer, "qemu");

        return r < 0 ? r
                     : format(&t->version, "%" JSON_INTEGER_FORMAT ".%" JSON_INTEGER_FORMAT ".%" JSON_INTEGER_FORMAT,
                               json_integer_value(json_object_get(qemu, "major")), json_integer_value(json_object_get(qemu, "minor")),
                               json_integer_value(json_object_get(qemu, "micro")));
}

/* The names of our disks are those of their nodes, “disk-system”. */
static int ask_disks(LifeSession *s, Status *t) {
        _cleanup_(json_decrefp) json_t *answer = NULL;
        const json_t *disk;
        size_t i;
        int r = life_call(s, "Cannot see the guest's disks", "query-block", NULL, &answer);

        t->disks = json_object();
        if (r < 0 || !t->disks)
                return r < 0 ? r : log_oom();
        json_array_foreach(answer, i, disk) {
                const char *io = json_get_string(disk, "io-status");
                const char *node = json_get_string(json_object_get(disk, "inserted"), "node-name");
                const char *name = node ? startswith(node, "disk-") : NULL;

                if (name && io && (streq(io, "failed") || streq(io, "nospace")) && utf8_is_valid(name))
                        (void) json_object_set_new(t->disks, name, json_string(io));
        }
        return 0;
}

static int ask(LifeSession *s, Status *t) {
        int r;

        t->pid = life_pid(s);
        t->since = started_at(t->pid);
        r = life_ask_state(s, &t->state);
        r = r < 0 ? r : ask_cpus(s, t);
        r = r < 0 ? r : ask_memory(s, t);
        r = r < 0 ? r : ask_version(s, t);
        return r < 0 ? r : ask_disks(s, t);
}

static json_t *json_running(const Status *t) {
        return json_pack("{s:i, s:I, s:I, s:I, s:s, s:O}", "pid", (int) t->pid, "since", (json_int_t) t->since, "cpus",
                (json_int_t) t->n_cpus, "memory", (json_int_t) t->memory, "qemu", t->version, "disk_errors", t->disks);
}

/* All keys are there in any case. */
static json_t *json_off(void) {
        return json_pack("{s:n, s:n, s:n, s:n, s:n, s:n}", "pid", "since", "cpus", "memory", "qemu", "disk_errors");
}

/* ASCII alone: what QEMU says may hold control characters, which would reach the terminal. */
static int print_json(const char *guest, const Status *t) {
        _cleanup_(json_decrefp) json_t *top = json_pack("{s:s, s:s}", "guest", guest, "state", t->state ? t->state->name : "off");

        if (!top || json_object_update_new(top, t->state ? json_running(t) : json_off()) < 0)
                return log_oom();
        return json_dumpf(top, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0 || putchar('\n') < 0 ? -EIO : 0;
}

static void print_since(const Status *t) {
        char text[64];
        struct tm tm;

        if (t->since > 0 && localtime_r(&t->since, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm) > 0)
                printf("  since     %s\n", text);
}

static void print_next(const char *guest, const GuestState *state) {
        const char *place = state->next ? strstr(state->next, "%s") : NULL;

        if (place)
                printf("  next      %.*s%s%s\n", (int) (place - state->next), state->next, guest, place + STRLEN("%s"));
}

static int print_text(const char *guest, const Status *t) {
        const char *name;
        json_t *error;

        if (!t->state) {
                printf("Guest %s is off; systemctl start vxm-guest@%s starts it.\n", guest, guest);
                return 0;
        }
        printf("Guest %s is %s\n", guest, t->state->text);
        print_since(t);
        printf("  QEMU      process %d, version %s\n", t->pid, t->version);
        printf("  CPUs      %zu\n  memory    %" PRIu64 " MB\n", t->n_cpus, t->memory >> 20);
        json_object_foreach(t->disks, name, error) {
                _cleanup_(freep) char *shown = life_clean(name);

                printf("  disk      %s: %s\n", shown ? shown : "?",
                        streq(json_string_value(error), "nospace") ? "no space left on the host" : "I/O error");
        }
        print_next(guest, t->state);
        return ferror(stdout) ? -EIO : 0;
}

int life_status(LifeSession *s, const char *guest, bool json) {
        _cleanup_(status_done) Status t = {};
        int r = s ? ask(s, &t) : 0;

        if (r < 0)
                return r;
        return json ? print_json(guest, &t) : print_text(guest, &t);
}
