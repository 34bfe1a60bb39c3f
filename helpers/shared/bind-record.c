/* SPDX-License-Identifier: BSD-3-Clause */
/* The undo record: one line a function, “ADDRESS DRIVER OVERRIDE UID GID”, a dash for none. */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "bind-record.h"
#include "parse.h"
#include "root.h"

#define RECORD_DIRECTORY "run/vxm/bind"

enum {
        FUNCTIONS_MAX = 16 * 8, /* as many slots as a guest can have, full */
};

static BindRecordFunction *record_append(BindRecord *record) {
        BindRecordFunction *f = ARRAY_GROW(record->functions, record->n);

        if (f)
                record->n++;
        return f;
}

static int read_owner(int root, int group, BindRecordFunction *f) {
        _cleanup_(closep) int fd = -EBADF;
        char path[32];
        struct stat st;

        (void) snprintf(path, sizeof path, "dev/vfio/%d", group);
        fd = root_openat(root, path, O_PATH | O_NOFOLLOW);
        if (fd == -ENOENT)
                return 0;
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        f->node_uid = st.st_uid;
        f->node_gid = st.st_gid;
        return 0;
}

/* A driver's name goes into a sysfs write later: nothing but one word of printable characters may come back. */
static bool is_word(const char *s) {
        if (isempty(s) || streq(s, "-"))
                return false;
        for (; *s; s++)
                if (*s <= ' ' || *s > '~' || *s == '/')
                        return false;
        return true;
}

int bind_record_add(BindRecord *record, int root, const PciFunction *function) {
        BindRecordFunction *f = record_append(record);
        int r;

        if (!f)
                return -ENOMEM;
        /* What could not be read back must not be written down. */
        if ((function->driver && !is_word(function->driver)) || (function->override && !is_word(function->override)))
                return -EINVAL;
        f->address = function->address;
        r = read_owner(root, function->group, f);
        if (r < 0)
                return r;
        if (free_and_strdup(&f->driver, function->driver) < 0)
                return -ENOMEM;
        return free_and_strdup(&f->override, function->override);
}

void bind_record_done(BindRecord *record) {
        for (size_t i = 0; i < record->n; i++) {
                free(record->functions[i].driver);
                free(record->functions[i].override);
        }
        free(record->functions);
        *record = (BindRecord){};
}

static int parse_driver(const char *word, char **ret) {
        if (streq(word, "-"))
                return 0;
        return is_word(word) ? free_and_strdup(ret, word) : -EBADMSG;
}

static int parse_line(char *line, BindRecord *record) {
        char *state, *word[5];
        BindRecordFunction *f;
        uint64_t uid, gid;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(word); i++, line = NULL) {
                word[i] = strtok_r(line, " ", &state);
                if (!word[i])
                        return -EBADMSG;
        }
        if (strtok_r(NULL, " ", &state) || record->n >= FUNCTIONS_MAX ||
                parse_number(word[3], 0, UINT32_MAX - 1, &uid) < 0 || parse_number(word[4], 0, UINT32_MAX - 1, &gid) < 0)
                return -EBADMSG;

        f = record_append(record);
        if (!f)
                return -ENOMEM;
        f->node_uid = (uid_t) uid;
        f->node_gid = (gid_t) gid;
        if (pci_address_parse(word[0], &f->address) < 0)
                return -EBADMSG;
        r = parse_driver(word[1], &f->driver);
        return r < 0 ? r : parse_driver(word[2], &f->override);
}

int bind_record_parse(char *text, BindRecord *ret) {
        _cleanup_(bind_record_done) BindRecord record = {};
        char *state;

        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                int r = parse_line(line, &record);

                if (r < 0)
                        return r;
        }
        *ret = record;
        record = (BindRecord){};
        return 0;
}

static int record_print(FILE *f, const BindRecord *record) {
        char address[PCI_ADDRESS_TEXT];

        for (size_t i = 0; i < record->n; i++) {
                const BindRecordFunction *function = &record->functions[i];

                fprintf(f, "%s %s %s %u %u\n", pci_address_format(function->address, address),
                        function->driver ? function->driver : "-", function->override ? function->override : "-",
                        function->node_uid, function->node_gid);
        }
        return fflush(f) != 0 || ferror(f) ? -EIO : 0;
}

int bind_record_save(int root, const char *guest, const BindRecord *record) {
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

int bind_record_load(int root, const char *guest, BindRecord *ret) {
        _cleanup_(freep) char *text = NULL;
        char path[64];
        int r;

        (void) snprintf(path, sizeof path, RECORD_DIRECTORY "/%s", guest);
        r = root_read(root, path, &text);
        return r < 0 ? r : bind_record_parse(text, ret);
}

int bind_record_lock(int root, int *ret_fd) {
        _cleanup_(closep) int fd = root_openat(root, RECORD_DIRECTORY, O_RDONLY | O_DIRECTORY);

        if (fd < 0)
                return fd;
        if (flock(fd, LOCK_EX) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static const BindRecordFunction *find_function(const BindRecord *record, PciAddress address) {
        for (size_t i = 0; i < record->n; i++)
                if (pci_address_equal(record->functions[i].address, address))
                        return &record->functions[i];
        return NULL;
}

int bind_record_copy(BindRecord *record, const BindRecord *from, PciAddress address) {
        const BindRecordFunction *source = find_function(from, address);
        BindRecordFunction *f;

        if (!source)
                return 0;
        f = record_append(record);
        if (!f)
                return -ENOMEM;
        *f = (BindRecordFunction){ .address = address, .node_uid = source->node_uid, .node_gid = source->node_gid };
        if (free_and_strdup(&f->driver, source->driver) < 0 || free_and_strdup(&f->override, source->override) < 0)
                return -ENOMEM;
        return 1;
}

static int record_of_guest_has(int root, const char *guest, PciAddress address) {
        _cleanup_(bind_record_done) BindRecord record = {};
        int r;

        r = bind_record_load(root, guest, &record);
        return r < 0 ? r : !!find_function(&record, address);
}

int bind_record_holder(int root, const char *guest, PciAddress address, char **ret_holder) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = root_list(root, RECORD_DIRECTORY, &names, &n);
        for (size_t i = 0; r == 0 && i < n; i++) {
                if (!guest_name_is_valid(names[i]) || streq(names[i], guest))
                        continue; /* no record of ours, or our own */
                r = record_of_guest_has(root, names[i], address);
                if (r != 0)
                        *ret_holder = TAKE_PTR(names[i]);
        }
        strings_free(names, n);
        return r;
}

int bind_record_forget(int root, const char *guest) {
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
