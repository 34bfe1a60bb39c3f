/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds guest files, presets and their drop-ins. */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "guest-files.h"
#include "log.h"
#include "parse.h"
#include "root.h"

/* The higher in the list, the stronger. */
static const char *const directories[] = { "etc/vxm", "run/vxm", "usr/lib/vxm" };
static const char *const kinds[] = { [GUEST_FILES] = "guests", [PRESET_FILES] = "presets" };

typedef struct DropIn {
        char *name; /* file name, what sorts and what masks */
        char *path;
} DropIn;

void guest_files_done(GuestFiles *f) {
        strings_free(f->paths, f->n);
        *f = (GuestFiles){};
}

static int files_append(GuestFiles *f, char *path) {
        char **slot = ARRAY_GROW(f->paths, f->n);

        if (!slot) {
                free(path);
                return -ENOMEM;
        }
        *slot = path;
        f->n++;
        return 0;
}

/* Whether the file exists, and whether it only masks. A link to nowhere exists: reading it tells the user which it is. */
static int look_at(int root, const char *path, bool *ret_masked) {
        _cleanup_(freep) char *target = NULL;
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;

        if (root_readlink(root, path, &target) >= 0 && streq(target, "/dev/null")) {
                *ret_masked = true;
                return 0;
        }
        fd = root_openat(root, path, O_PATH);
        if (fd < 0 && target) {
                *ret_masked = false;
                return 0;
        }
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        *ret_masked = (S_ISREG(st.st_mode) && st.st_size == 0) || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
        return 0;
}

static int find_main(int root, GuestFileKind kind, const char *name, GuestFiles *f) {
        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_(freep) char *path = NULL;
                int r;

                r = format(&path, "%s/%s/%s.guest", directories[i], kinds[kind], name);
                if (r < 0)
                        return r;
                r = look_at(root, path, &f->masked);
                if (r == -ENOENT || r == -ENOTDIR)
                        continue;
                return r < 0 ? r : files_append(f, TAKE_PTR(path));
        }
        return -ENOENT;
}

static bool ends_with(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n > m && streq(s + n - m, suffix);
}

static void drop_ins_free(DropIn *items, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(items[i].name);
                free(items[i].path);
        }
        free(items);
}

static int drop_in_append(DropIn **items, size_t *n, const char *directory, const char *name) {
        DropIn *d;

        for (size_t i = 0; i < *n; i++)
                if (streq((*items)[i].name, name))
                        return 0; /* a stronger directory has it */

        d = ARRAY_GROW(*items, *n);
        if (!d)
                return -ENOMEM;
        (*n)++;
        d->name = strdup(name);
        return d->name ? format(&d->path, "%s/%s", directory, name) : -ENOMEM;
}

static int collect_drop_ins(int root, const char *directory, DropIn **items, size_t *n) {
        char **names = NULL;
        size_t n_names = 0;
        int r;

        r = root_list(root, directory, &names, &n_names);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        for (size_t i = 0; r >= 0 && i < n_names; i++)
                if (ends_with(names[i], ".conf") && names[i][0] != '.')
                        r = drop_in_append(items, n, directory, names[i]);
        strings_free(names, n_names);
        return r;
}

static int compare_drop_ins(const void *a, const void *b) {
        return strcmp(((const DropIn *) a)->name, ((const DropIn *) b)->name);
}

static int find_drop_ins(int root, GuestFileKind kind, const char *name, GuestFiles *f) {
        DropIn *items = NULL;
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(directories); i++) {
                _cleanup_(freep) char *directory = NULL;

                r = format(&directory, "%s/%s/%s.guest.d", directories[i], kinds[kind], name);
                if (r >= 0)
                        r = collect_drop_ins(root, directory, &items, &n);
        }
        if (n > 0)
                qsort(items, n, sizeof *items, compare_drop_ins);

        for (size_t i = 0; r >= 0 && i < n; i++) {
                bool masked;

                r = look_at(root, items[i].path, &masked);
                if (r >= 0 && !masked)
                        r = files_append(f, TAKE_PTR(items[i].path));
        }
        drop_ins_free(items, n);
        return r;
}

int guest_files_find(int root, GuestFileKind kind, const char *name, GuestFiles *ret) {
        _cleanup_(guest_files_done) GuestFiles f = {};
        int r;

        r = find_main(root, kind, name, &f);
        if (r < 0)
                return r;
        if (!f.masked) {
                r = find_drop_ins(root, kind, name, &f);
                if (r < 0)
                        return r;
        }
        *ret = f;
        f = (GuestFiles){};
        return 0;
}

int guest_files_find_for(int root, const char *name, const char *main_file, GuestFiles *ret) {
        _cleanup_(guest_files_done) GuestFiles f = {};
        char *copy = strdup(main_file);
        int r;

        r = copy ? files_append(&f, copy) : -ENOMEM;
        r = r < 0 ? r : find_drop_ins(root, GUEST_FILES, name, &f);
        if (r < 0)
                return r;
        *ret = f;
        f = (GuestFiles){};
        return 0;
}

static const char *name_of(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* Of two drop-ins with the same name the one in the stronger directory counts, and /etc is the strongest. */
int guest_files_add(GuestFiles *f, const char *path) {
        char *copy;
        size_t i = 1;
        int r;

        while (i < f->n && strcmp(name_of(f->paths[i]), name_of(path)) < 0)
                i++;
        if (i < f->n && streq(name_of(f->paths[i]), name_of(path)))
                return free_and_strdup(&f->paths[i], path);
        copy = strdup(path);
        r = copy ? files_append(f, copy) : -ENOMEM;
        if (r < 0)
                return r;
        memmove(f->paths + i + 1, f->paths + i, (f->n - 1 - i) * sizeof *f->paths);
        f->paths[i] = copy;
        return 0;
}

static int names_append(GuestFileKind kind, char ***names, size_t *n, const char *file, const char *directory) {
        _cleanup_(freep) char *name = NULL;
        char **slot;

        name = strndup(file, strlen(file) - STRLEN(".guest"));
        if (!name)
                return -ENOMEM;
        if (!guest_name_is_valid(name)) {
                log_warning("/%s/%s: “%s” is no name for a %s, and ignored; use a-z, 0-9 and “-”, a letter first, "
                            "at most %d characters.",
                        directory, file, name, kind == GUEST_FILES ? "guest" : "preset", GUEST_NAME_MAX);
                return 0;
        }
        for (size_t i = 0; i < *n; i++)
                if (streq((*names)[i], name))
                        return 0;

        slot = ARRAY_GROW(*names, *n);
        if (!slot)
                return -ENOMEM;
        *slot = TAKE_PTR(name);
        (*n)++;
        return 0;
}

/* Takes the names of masked files out again: the strongest file decides, so it takes all directories to tell. The order
 * is not kept. */
static int drop_masked(int root, GuestFileKind kind, char **names, size_t *n) {
        for (size_t i = *n; i > 0; i--) {
                _cleanup_(guest_files_done) GuestFiles f = {};
                int r = find_main(root, kind, names[i - 1], &f);

                /* What else is wrong with a guest's file is told when it is read, and costs the others nothing. */
                if (r == -ENOMEM)
                        return r;
                if (r >= 0 && f.masked) {
                        free(names[i - 1]);
                        names[i - 1] = names[--*n];
                }
        }
        return 0;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static int list(int root, GuestFileKind kind, bool masked, char ***ret_names, size_t *ret_n) {
        char **names = NULL;
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(directories); i++) {
                char **files = NULL, directory[32];
                size_t n_files = 0;

                (void) snprintf(directory, sizeof directory, "%s/%s", directories[i], kinds[kind]);
                r = root_list(root, directory, &files, &n_files);
                if (r == -ENOENT || r == -ENOTDIR)
                        r = 0;
                for (size_t j = 0; r >= 0 && j < n_files; j++)
                        if (ends_with(files[j], ".guest") && files[j][0] != '.')
                                r = names_append(kind, &names, &n, files[j], directory);
                strings_free(files, n_files);
        }
        if (r >= 0 && !masked)
                r = drop_masked(root, kind, names, &n);
        if (r < 0) {
                strings_free(names, n);
                return r;
        }

        if (n > 0)
                qsort(names, n, sizeof *names, compare_names);
        *ret_names = names;
        *ret_n = n;
        return 0;
}

int guest_files_list(int root, char ***ret_names, size_t *ret_n) {
        return list(root, GUEST_FILES, false, ret_names, ret_n);
}

int guest_files_list_masked(int root, char ***ret_names, size_t *ret_n) {
        return list(root, GUEST_FILES, true, ret_names, ret_n);
}

int preset_files_list(int root, char ***ret_names, size_t *ret_n) {
        return list(root, PRESET_FILES, false, ret_names, ret_n);
}
