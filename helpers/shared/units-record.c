/* SPDX-License-Identifier: BSD-3-Clause */
/* The undo record of vxm-units: one unit's name a line. */

#include <fcntl.h>
#include <sys/file.h>

#include "parse.h"
#include "root.h"
#include "units-record.h"

#define RECORD_DIRECTORY "run/vxm/units"

enum {
        UNITS_MAX = 256,     /* what a guest file can name, and what earlier runs have left */
        UNIT_NAME_MAX = 255, /* systemd's own limit */
};

bool unit_name_is_valid(const char *s) {
        static const char *const types[] = { ".service", ".socket", ".target", ".timer", ".path", ".mount",
                ".automount", ".swap", ".device", ".scope", ".slice" };
        const char *dot = strrchr(s, '.');
        bool known = false;

        if (!dot || dot == s || *s == '@' || dot[-1] == '@' || strlen(s) > UNIT_NAME_MAX ||
                s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@")] != '\0')
                return false;
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                known |= streq(dot, types[i]);
        return known;
}

int unit_names_add(UnitNames *names, const char *name) {
        char **slot;

        if (unit_names_have(names, name))
                return 0;
        if (names->n >= UNITS_MAX)
                return -E2BIG;
        slot = ARRAY_GROW(names->names, names->n);
        if (!slot || !(*slot = strdup(name)))
                return -ENOMEM;
        names->n++;
        return 0;
}

bool unit_names_have(const UnitNames *names, const char *name) {
        for (size_t i = 0; i < names->n; i++)
                if (streq(names->names[i], name))
                        return true;
        return false;
}

void unit_names_done(UnitNames *names) {
        strings_free(names->names, names->n);
        *names = (UnitNames){};
}

int units_record_parse(char *text, UnitNames *ret) {
        _cleanup_(unit_names_done) UnitNames record = {};
        char *state;

        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                int r = unit_name_is_valid(line) ? unit_names_add(&record, line) : -EBADMSG;

                if (r < 0)
                        return r == -E2BIG ? -EBADMSG : r;
        }
        *ret = record;
        record = (UnitNames){};
        return 0;
}

static int record_print(FILE *f, const UnitNames *record) {
        for (size_t i = 0; i < record->n; i++)
                fprintf(f, "%s\n", record->names[i]);
        return fflush(f) != 0 || ferror(f) ? -EIO : 0;
}

int units_record_save(int root, const char *guest, const UnitNames *record) {
        _cleanup_(closep) int directory = -EBADF, fd = -EBADF;
        _cleanup_(fclosep) FILE *f = NULL;
        char temporary[64];
        int r;

        directory = root_openat(root, RECORD_DIRECTORY, O_PATH | O_DIRECTORY);
        if (directory < 0)
                return directory;
        (void) snprintf(temporary, sizeof temporary, ".%s.new", guest);
        (void) unlinkat(directory, temporary, 0); /* what a kill left behind */
        fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        f = fdopen(fd, "w");
        if (!f)
                return -ENOMEM;
        fd = -EBADF;

        r = record_print(f, record);
        if (r >= 0 && renameat(directory, temporary, directory, guest) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(directory, temporary, 0);
        return r;
}

int units_record_load(int root, const char *guest, UnitNames *ret) {
        _cleanup_(freep) char *text = NULL;
        char path[64];
        int r;

        (void) snprintf(path, sizeof path, RECORD_DIRECTORY "/%s", guest);
        r = root_read(root, path, &text);
        return r < 0 ? r : units_record_parse(text, ret);
}

int units_record_lock(int root, int *ret_fd) {
        _cleanup_(closep) int fd = root_openat(root, RECORD_DIRECTORY, O_RDONLY | O_DIRECTORY);

        if (fd < 0)
                return fd;
        if (flock(fd, LOCK_EX) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int record_of_guest_has(int root, const char *guest, const char *unit) {
        _cleanup_(unit_names_done) UnitNames record = {};
        int r;

        r = units_record_load(root, guest, &record);
        return r < 0 ? r : unit_names_have(&record, unit);
}

int units_record_holder(int root, const char *guest, const char *unit, char **ret_holder) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = root_list(root, RECORD_DIRECTORY, &names, &n);
        for (size_t i = 0; r == 0 && i < n; i++) {
                if (!guest_name_is_valid(names[i]) || streq(names[i], guest))
                        continue; /* no record of ours, or our own */
                r = record_of_guest_has(root, names[i], unit);
                if (r != 0)
                        *ret_holder = TAKE_PTR(names[i]);
        }
        strings_free(names, n);
        return r;
}

int units_record_forget(int root, const char *guest) {
        _cleanup_(closep) int directory = -EBADF;
        char temporary[64];

        directory = root_openat(root, RECORD_DIRECTORY, O_PATH | O_DIRECTORY);
        if (directory < 0)
                return directory == -ENOENT ? 0 : directory;

        /* What a kill between its making and its renaming left behind. */
        (void) snprintf(temporary, sizeof temporary, ".%s.new", guest);
        (void) unlinkat(directory, temporary, 0);
        return unlinkat(directory, guest, 0) < 0 && errno != ENOENT ? -errno : 0;
}
