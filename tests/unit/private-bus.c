/* SPDX-License-Identifier: BSD-3-Clause */
/* A private bus, see private-bus.h. */

#include <fnmatch.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "private-bus.h"
#include "systemd-bus.h"
#include "util.h"

#define JOB_PATH MANAGER_PATH "/job/4711"

typedef struct Server {
        sd_bus *bus;
        FakeSystemd *systemd;
        const FakePlay *plays;
        bool played[16];
} Server;

void fake_unit(FakeSystemd *systemd, const char *name, const char *active, const char *sub) {
        FakeUnit *u = &systemd->units[systemd->n_units++];

        (void) snprintf(u->name, sizeof u->name, "%s", name);
        (void) snprintf(u->active, sizeof u->active, "%s", active);
        (void) snprintf(u->sub, sizeof u->sub, "%s", sub);
}

static FakeUnit *find(FakeSystemd *systemd, const char *name) {
        for (size_t i = 0; i < systemd->n_units; i++)
                if (streq(systemd->units[i].name, name))
                        return &systemd->units[i];
        fake_unit(systemd, name, "inactive", "dead");
        return &systemd->units[systemd->n_units - 1];
}

/* ---- signals ---- */

static int tell_state(Server *s, const FakeUnit *u) {
        _cleanup_(messagep) sd_bus_message *m = NULL;
        _cleanup_(freep) char *path = NULL;
        int r = sd_bus_path_encode(MANAGER_PATH "/unit", u->name, &path);

        r = r < 0 ? r : sd_bus_message_new_signal(s->bus, &m, path, "org.freedesktop.DBus.Properties", "PropertiesChanged");
        r = r < 0 ? r
                  : sd_bus_message_append(m, "sa{sv}as", SYSTEMD ".Unit", 3, "Job", "(uo)", 0, "/", "ActiveState", "s", u->active, "SubState",
                            "s", u->sub, 0);
        return r < 0 ? r : sd_bus_send(s->bus, m, NULL);
}

static int play_line(Server *s, const char *line) {
        char words[3][FAKE_NAME_SIZE] = {};
        FakeUnit *u;

        if (sscanf(line, "%95s %95s %95s", words[0], words[1], words[2]) < 3)
                return 0;
        if (streq(words[0], "job")) {
                find(s->systemd, words[1])->job[0] = '\0';
                return sd_bus_emit_signal(s->bus, MANAGER_PATH, MANAGER, "JobRemoved", "uoss", 4711, JOB_PATH, words[1], words[2]);
        }
        u = find(s->systemd, words[0]);
        (void) snprintf(u->active, sizeof u->active, "%.15s", words[1]);
        (void) snprintf(u->sub, sizeof u->sub, "%.15s", words[2]);
        return tell_state(s, u);
}

/* The first play for this call that has not been played yet. */
static const char *next_play(Server *s, const char *call) {
        for (size_t i = 0; s->plays && s->plays[i].call; i++)
                if (!s->played[i] && streq(s->plays[i].call, call)) {
                        s->played[i] = true;
                        return s->plays[i].lines;
                }
        return NULL;
}

static int play(Server *s, const char *lines) {
        int r = 0;

        while (r >= 0 && lines && *lines) {
                r = play_line(s, lines);
                lines = strchr(lines, '\n');
                lines = lines ? lines + 1 : NULL;
        }
        return r;
}

/* ---- calls ---- */

static bool matches(const char *name, const char *patterns[], size_t n) {
        for (size_t i = 0; i < n; i++)
                if (fnmatch(patterns[i], name, FNM_NOESCAPE) == 0)
                        return true;
        return false;
}

static int list_units(Server *s, sd_bus_message *m) {
        _cleanup_(messagep) sd_bus_message *reply = NULL;
        const char *patterns[8];
        size_t n = 0;
        int r;

        r = sd_bus_message_skip(m, "as");
        r = r < 0 ? r : sd_bus_message_enter_container(m, 'a', "s");
        while (r > 0 && n < ELEMENTSOF(patterns) && (r = sd_bus_message_read(m, "s", &patterns[n])) > 0)
                n++;
        r = r < 0 ? r : sd_bus_message_new_method_return(m, &reply);
        r = r < 0 ? r : sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
        for (size_t i = 0; r >= 0 && i < s->systemd->n_units; i++) {
                const FakeUnit *u = &s->systemd->units[i];

                _cleanup_(freep) char *path = NULL;

                if (!matches(u->name, patterns, n))
                        continue;
                r = sd_bus_path_encode(MANAGER_PATH "/unit", u->name, &path);
                r = r < 0 ? r
                          : sd_bus_message_append(reply, "(ssssssouso)", u->name, "A unit of the test's own", "loaded", u->active, u->sub,
                                    "", path, u->job[0] ? 4711U : 0U, u->job, u->job[0] ? JOB_PATH : "/");
        }
        r = r < 0 ? r : sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(s->bus, reply, NULL);
}

static int get_all(Server *s, sd_bus_message *m) {
        const FakeSystemd *systemd = s->systemd;
        _cleanup_(messagep) sd_bus_message *reply = NULL;
        _cleanup_(freep) char *unit = NULL;
        const FakeUnit *u;
        int r;

        r = sd_bus_path_decode(sd_bus_message_get_path(m), MANAGER_PATH "/unit", &unit);
        if (r <= 0)
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_OBJECT, "no unit");
        u = find(s->systemd, unit);
        r = sd_bus_message_new_method_return(m, &reply);
        r = r < 0 ? r
                  : sd_bus_message_append(reply, "a{sv}", 11, "LoadState", "s", "loaded", "ActiveState", "s", u->active, "SubState", "s", u->sub,
                            "StatusText", "s", systemd->status, "NeedDaemonReload", "b", systemd->needs_reload, "DropInPaths", "as", 1,
                            systemd->not_generated ? "/etc/x.conf" : "/run/systemd/generator/x.service.d/50-vxm.conf", "ConditionResult",
                            "b", !systemd->condition_fails, "MainPID", "u", 42, "ExecMainStatus", "i", systemd->exit_status,
                            "ExecStartPre", "a(sasbttttuii)", 2, "/bin/true", 1, "true", false, UINT64_C(1), UINT64_C(1), UINT64_C(2),
                            UINT64_C(2), 41U, 1, 0, "/bin/judge", 2, "judge", "g", false, UINT64_C(2), UINT64_C(2), UINT64_C(3), UINT64_C(3),
                            42U, 1, systemd->pre_exit_status, "SomethingNew", "(su)", "as of next year", 7);
        return r < 0 ? r : sd_bus_send(s->bus, reply, NULL);
}

static int get_status(Server *s, sd_bus_message *m) {
        const char *interface, *property;

        if (sd_bus_message_read(m, "ss", &interface, &property) < 0 || !streq(property, "StatusText"))
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_PROPERTY, "not of this one");
        return sd_bus_reply_method_return(m, "v", "s", s->systemd->status);
}

static int load_unit(sd_bus_message *m) {
        _cleanup_(freep) char *path = NULL;
        const char *unit;

        if (sd_bus_message_read(m, "s", &unit) < 0 || sd_bus_path_encode(MANAGER_PATH "/unit", unit, &path) < 0)
                return -EINVAL;
        return sd_bus_reply_method_return(m, "o", path);
}

static int queue_job(Server *s, sd_bus_message *m, const char *lines) {
        char name[FAKE_NAME_SIZE], text[FAKE_NAME_SIZE];
        const char *unit, *mode;
        FakeUnit *u;

        if (lines && sscanf(lines, "refuse %95s %95[^\n]", name, text) == 2)
                return sd_bus_reply_method_errorf(m, name, "%s", text);
        if (sd_bus_message_read(m, "ss", &unit, &mode) < 0 || !streq(mode, "replace"))
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_INVALID_ARGS, "not as it has to be");
        u = find(s->systemd, unit);
        (void) snprintf(u->job, sizeof u->job, "%s", streq(sd_bus_message_get_member(m), "StopUnit") ? "stop" : "start");
        return sd_bus_reply_method_return(m, "o", JOB_PATH);
}

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Server *s = userdata;
        const char *member = sd_bus_message_get_member(m), *lines;
        size_t length = strlen(s->systemd->calls);
        int r;

        (void) error;
        if (!sd_bus_message_is_method_call(m, NULL, NULL))
                return 0;
        (void) snprintf(s->systemd->calls + length, sizeof s->systemd->calls - length, "%s ", member);
        lines = next_play(s, member);
        if (streq(member, "ListUnitsByPatterns"))
                r = list_units(s, m);
        else if (streq(member, "GetAll"))
                r = get_all(s, m);
        else if (streq(member, "Get"))
                r = get_status(s, m);
        else if (streq(member, "LoadUnit"))
                r = load_unit(m);
        else if (streq(member, "Subscribe"))
                r = sd_bus_reply_method_return(m, "");
        else if (streq(member, "StartUnit") || streq(member, "StopUnit") || streq(member, "RestartUnit"))
                r = queue_job(s, m, lines);
        else
                r = sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_METHOD, "%s", member);
        r = r < 0 ? r : play(s, lines);
        return r < 0 ? r : 1;
}

static void serve(Server *s, int ready) {
        int r;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        r = sd_bus_open_system(&s->bus);
        r = r < 0 ? r : sd_bus_add_filter(s->bus, NULL, on_call, s);
        r = r < 0 ? r : sd_bus_request_name(s->bus, SYSTEMD, 0);
        if (r < 0 || write(ready, "r", 1) != 1)
                _exit(1);
        while (r >= 0) {
                r = sd_bus_process(s->bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(s->bus, UINT64_MAX);
        }
        _exit(0);
}

/* ---- starting and stopping ---- */

static int write_configuration(const char *directory, char ret_path[static 300]) {
        FILE *f;

        (void) snprintf(ret_path, 300, "%s/bus.conf", directory);
        f = fopen(ret_path, "w");
        if (!f)
                return -1;
        fprintf(f, "<busconfig><type>custom</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth><policy context='default'>"
                   "<allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/><allow own='*'/></policy></busconfig>\n",
                directory);
        return fclose(f) == 0 ? 0 : -1;
}

static int start_daemon(PrivateBus *b, const char *directory) {
        char path[300], option[320];
        int fds[2], status;
        ssize_t n;

        if (write_configuration(directory, path) < 0 || pipe(fds) < 0)
                return -1;
        (void) snprintf(option, sizeof option, "--config-file=%s", path);
        b->daemon = fork();
        if (b->daemon == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) dup2(fds[1], STDOUT_FILENO);
                close(fds[0]);
                close(fds[1]);
                execlp("dbus-daemon", "dbus-daemon", option, "--nofork", "--nopidfile", "--print-address=1", (char *) NULL);
                _exit(127);
        }
        close(fds[1]);
        n = read(fds[0], b->address, sizeof b->address - 1); /* one line, when it listens */
        close(fds[0]);
        if (n <= 0)
                return b->daemon > 0 && waitpid(b->daemon, &status, 0) > 0 && WEXITSTATUS(status) == 127 ? 1 : -1;
        b->address[strcspn(b->address, "\n")] = '\0';
        return setenv("DBUS_SYSTEM_BUS_ADDRESS", b->address, 1);
}

int private_bus_start(PrivateBus *b, const char *directory, const FakePlay *plays, void (*prepare)(FakeSystemd *systemd)) {
        int fds[2], r = start_daemon(b, directory);
        char byte;

        if (r != 0)
                return r;
        b->systemd = mmap(NULL, sizeof *b->systemd, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (b->systemd == MAP_FAILED || pipe(fds) < 0)
                return -1;
        prepare(b->systemd);
        b->child = fork();
        if (b->child == 0) {
                Server s = { .systemd = b->systemd, .plays = plays };

                close(fds[0]);
                serve(&s, fds[1]);
        }
        close(fds[1]);
        r = read(fds[0], &byte, 1) == 1 ? 0 : -1;
        close(fds[0]);
        return r;
}

void private_bus_stop(PrivateBus *b) {
        kill(b->child, SIGKILL);
        kill(b->daemon, SIGKILL);
        (void) waitpid(b->child, NULL, 0);
        (void) waitpid(b->daemon, NULL, 0);
        (void) munmap(b->systemd, sizeof *b->systemd);
        (void) unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}
