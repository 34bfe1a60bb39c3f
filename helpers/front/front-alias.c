/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm alias: makes, lists and removes commands @NAME, which are links to vxm. */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "alias.h"
#include "cli.h"
#include "exit-status.h"
#include "guest-socket.h"
#include "json.h"
#include "log.h"
#include "target.h"
#include "text-table.h"
#include "verb.h"

static bool arg_list;
static bool arg_remove;
static bool arg_system;
static bool arg_json;

typedef struct Alias {
        char *name, *path, *target;
} Alias;

static void aliases_free(Alias *list, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(list[i].name);
                free(list[i].path);
                free(list[i].target);
        }
        free(list);
}

/* Where links go. */
static int find_directory(char **ret) {
        int r = arg_system ? free_and_strdup(ret, ALIAS_SYSTEM) : alias_home(ret);

        if (r == -ENOENT)
                return log_error_errno(r, "There is no home directory ($HOME); use --system.");
        return r < 0 ? log_oom() : 0;
}

static int find_self(char **ret) {
        char *self = realpath("/proc/self/exe", NULL);

        if (!self)
                return log_error_errno(errno, "Cannot find out where vxm is: %s.", strerror(errno));
        *ret = self;
        return 0;
}

static bool is_there(const char *path) {
        struct stat st;

        return lstat(path, &st) == 0;
}

/* ---- making and removing ---- */

/* All names are judged before the first is made or removed. */
static int judge(const char *directory, char *const names[]) {
        for (; *names; names++) {
                const char *name = (*names)[0] == '@' ? *names + 1 : *names;
                _cleanup_(freep) char *path = NULL, *target = NULL;
                int r = arg_remove ? 0 : target_check(GUEST_SOCKETS, name);

                if (r < 0)
                        return r;
                if (strchr(name, '/') || *name == '\0')
                        return log_error_errno(E_CONFIG, "“%s” is no name.", name);
                if (format(&path, "%s/@%s", directory, name) < 0)
                        return log_oom();
                target = alias_target(AT_FDCWD, path);
                if (!target && is_there(path))
                        return log_error_errno(EEXIST, "%s is not vxm's; nothing has been changed.", path);
        }
        return 0;
}

static int make_directory(const char *directory) {
        _cleanup_(freep) char *path = strdup(directory);

        if (!path)
                return log_oom();
        for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                (void) mkdir(path, 0755);
                *slash = '/';
        }
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return log_error_errno(errno, "Cannot make %s: %s.", path, strerror(errno));
        return 0;
}

/* The new link takes the place of an older one at once. */
static int make(const char *path, const char *self) {
        _cleanup_(freep) char *temporary = NULL, *target = alias_target(AT_FDCWD, path);

        if (target && streq(target, self))
                return 0;
        if (format(&temporary, "%s.%d", path, (int) getpid()) < 0)
                return log_oom();
        if (symlink(self, temporary) < 0 || rename(temporary, path) < 0) {
                int error = errno;

                (void) unlink(temporary);
                return log_error_errno(error, "Cannot make %s: %s%s.", path, strerror(error),
                        error == EACCES && arg_system ? "; without --system it would be below your home" : "");
        }
        return 0;
}

static int change(const char *directory, const char *self, const char *name) {
        _cleanup_(freep) char *path = NULL;

        name = name[0] == '@' ? name + 1 : name;
        if (format(&path, "%s/@%s", directory, name) < 0)
                return log_oom();
        if (!arg_remove)
                return make(path, self);
        if (unlink(path) < 0 && errno != ENOENT)
                return log_error_errno(errno, "Cannot remove %s: %s.", path, strerror(errno));
        return 0;
}

static bool is_in_path(const char *directory) {
        const char *path = getenv("PATH");
        size_t n = strlen(directory);

        for (const char *p = path ? path : ""; *p; p += strcspn(p, ":"), p += *p == ':')
                if (strcspn(p, ":") == n && strncmp(p, directory, n) == 0)
                        return true;
        return false;
}

static int change_all(char *const names[]) {
        _cleanup_(freep) char *directory = NULL, *self = NULL;
        int r;

        r = find_directory(&directory);
        r = r < 0 ? r : find_self(&self);
        r = r < 0 ? r : judge(directory, names);
        if (r >= 0 && !arg_remove)
                r = make_directory(directory);
        for (char *const *name = names; r >= 0 && *name; name++)
                r = change(directory, self, *name);
        if (r >= 0 && !arg_remove && !is_in_path(directory))
                log_warning("%s is not in $PATH; add it there, so that the shell finds @%s.", directory,
                        names[0][0] == '@' ? names[0] + 1 : names[0]);
        return r;
}

/* ---- listing ---- */

static int by_path(const void *a, const void *b) {
        return strcmp(((const Alias *) a)->path, ((const Alias *) b)->path);
}

static int add_from(const char *directory, Alias **list, size_t *n) {
        DIR *d = opendir(directory);
        int r = 0;

        for (struct dirent *e; r >= 0 && d && (e = readdir(d));) {
                _cleanup_(freep) char *path = NULL, *target = NULL;
                Alias *a;

                if (e->d_name[0] != '@')
                        continue;
                if (format(&path, "%s/%s", directory, e->d_name) < 0)
                        r = -ENOMEM;
                target = r < 0 ? NULL : alias_target(AT_FDCWD, path);
                if (!target)
                        continue;
                a = ARRAY_GROW(*list, *n);
                if (!a || free_and_strdup(&a->name, e->d_name) < 0) {
                        r = -ENOMEM;
                        continue;
                }
                a->path = TAKE_PTR(path);
                a->target = TAKE_PTR(target);
                (*n)++;
        }
        if (d)
                closedir(d);
        return r;
}

static int print_json(const Alias list[], size_t n) {
        _cleanup_(json_decrefp) json_t *array = json_array();

        for (size_t i = 0; array && i < n; i++)
                if (json_array_append_new(array,
                            json_pack("{s:s,s:s,s:s}", "name", list[i].name + 1, "link", list[i].path, "target", list[i].target)) < 0)
                        return -ENOMEM;
        return !array || json_dumpf(array, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF ? -EIO : 0;
}

static int print_table(const Alias list[], size_t n) {
        enum { COLUMNS = 2 };
        static const TextColumn columns[COLUMNS] = { { "COMMAND" }, { "LINK" } };
        const char **cells;
        int r;

        if (n == 0)
                return printf("There is no command @NAME; vxm alias NAME makes one.\n") < 0 ? -EIO : 0;
        cells = calloc(n, sizeof *cells * COLUMNS);
        if (!cells)
                return log_oom();
        for (size_t i = 0; i < n; i++) {
                cells[i * COLUMNS] = text_clean(list[i].name);
                cells[i * COLUMNS + 1] = text_clean(list[i].path);
        }
        r = text_table_print(stdout, columns, COLUMNS, cells, n);
        free(cells);
        return r;
}

static int list_all(void) {
        _cleanup_(freep) char *directory = NULL;
        Alias *list = NULL;
        size_t n = 0;
        int r = 0;

        if (!arg_system && getenv("HOME"))
                r = find_directory(&directory);
        r = r < 0 || !directory ? r : add_from(directory, &list, &n);
        r = r < 0 ? r : add_from(ALIAS_SYSTEM, &list, &n);
        if (r >= 0 && n > 0)
                qsort(list, n, sizeof *list, by_path);
        r = r < 0 ? r : arg_json ? print_json(list, n) : print_table(list, n);
        aliases_free(list, n);
        return r < 0 ? log_error_errno(r, "Cannot list commands: %s.", r == -ENOPKG ? "libsmartcols is missing" : strerror(-r)) : 0;
}

int verb_alias(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "list", NULL, "show the commands that there are", &arg_list, NULL },
                { "remove", NULL, "remove them", &arg_remove, NULL },
                { "system", NULL, "for all users: below " ALIAS_SYSTEM, &arg_system, NULL },
                { "json", NULL, "with --list: print JSON", &arg_json, NULL },
                {},
        };
        static const Cli cli = { .program = "vxm alias", .summary = "Makes commands @NAME, which run what follows them in guest NAME.",
                .operands = "[NAME…]", .options = options, .n_more = CLI_ANY, .verbatim = true, .manual = "vxm(1)" };
        char **operands;
        int r;

        arg_list = arg_remove = arg_system = arg_json = false;
        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        if ((arg_list || !operands[0]) ? arg_remove || operands[0] : arg_json) {
                fprintf(stderr, "vxm alias: expected names, or --list without any; --json goes with --list.\n");
                return STATUS_USAGE;
        }
        return exit_status(operands[0] ? change_all(operands) : list_all());
}
