/* SPDX-License-Identifier: BSD-3-Clause */
/* The undo record: a fact a line, a dash for none.
 *
 *     function ADDRESS DRIVER OVERRIDE UID GID
 *     stuck ADDRESS PID START-TIME
 *     attribute ADDRESS NAME VALUE…
 *     platform DEVICE DRIVER
 *     vtconsole NAME
 */

#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "bind-record.h"
#include "exit-status.h"
#include "parse.h"
#include "record-file.h"
#include "root.h"

#define RECORD_KIND "bind"

enum {
        FUNCTIONS_MAX = 16 * 8, /* as many slots as a guest can have, full */
        ATTRIBUTES_MAX = FUNCTIONS_MAX * 8,
        CONSOLES_MAX = 16,
        BAR_EXPONENT_MAX = 43, /* 2^63 bytes */
};

/* What could not be read back must not be written down. */
static int record_append(BindRecord *record, BindRecordFunction **ret) {
        if (record->n >= FUNCTIONS_MAX)
                return -E2BIG;
        *ret = ARRAY_GROW(record->functions, record->n);
        if (!*ret)
                return -ENOMEM;
        record->n++;
        return 0;
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
        BindRecordFunction *f;
        int r;

        if ((function->driver && !is_word(function->driver)) || (function->override && !is_word(function->override)))
                return -EINVAL;
        r = record_append(record, &f);
        if (r < 0)
                return r;
        f->address = function->address;
        r = read_owner(root, function->group, f);
        if (r < 0)
                return r;
        if (free_and_strdup(&f->driver, function->driver) < 0)
                return -ENOMEM;
        return free_and_strdup(&f->override, function->override);
}

/* The attributes that guest files set, and resourceN_resize. Nothing else is ever written by a record. */
static bool is_attribute(const char *name) {
        const char *bar = startswith(name, "resource");

        return streq(name, "reset_method") || streq(name, "power/control") || streq(name, "d3cold_allowed") ||
               (bar && *bar >= '0' && *bar <= '5' && streq(bar + 1, "_resize"));
}

/* Attributes such as reset_method have several words. */
static bool is_words(const char *s) {
        if (isempty(s) || *s == ' ')
                return false;
        for (; *s; s++)
                if (*s < ' ' || *s > '~')
                        return false;
        return true;
}

/* Sizes of BARs as the kernel takes them: exponents of two, in MiB. */
static bool is_value(const char *name, const char *value) {
        uint64_t exponent;

        return is_words(value) && (!startswith(name, "resource") || parse_number(value, 0, BAR_EXPONENT_MAX, &exponent) >= 0);
}

int bind_record_add_attribute(BindRecord *record, PciAddress address, const char *name, const char *value) {
        BindRecordAttribute *a;

        if (!is_attribute(name) || !is_value(name, value))
                return -EINVAL;
        if (record->n_attributes >= ATTRIBUTES_MAX)
                return -E2BIG;
        a = ARRAY_GROW(record->attributes, record->n_attributes);
        if (!a)
                return -ENOMEM;
        record->n_attributes++;
        a->address = address;
        return free_and_strdup(&a->name, name) < 0 ? -ENOMEM : free_and_strdup(&a->value, value);
}

int bind_record_add_platform(BindRecord *record, const char *device, const char *driver) {
        BindRecordPlatform *p;

        if (!is_word(device) || !is_word(driver))
                return -EINVAL;
        if (record->n_platforms >= CONSOLES_MAX)
                return -E2BIG;
        p = ARRAY_GROW(record->platforms, record->n_platforms);
        if (!p)
                return -ENOMEM;
        record->n_platforms++;
        return free_and_strdup(&p->device, device) < 0 ? -ENOMEM : free_and_strdup(&p->driver, driver);
}

int bind_record_add_vtconsole(BindRecord *record, const char *name) {
        char **v;

        if (!is_word(name))
                return -EINVAL;
        if (record->n_vtconsoles >= CONSOLES_MAX)
                return -E2BIG;
        v = ARRAY_GROW(record->vtconsoles, record->n_vtconsoles);
        if (!v)
                return -ENOMEM;
        record->n_vtconsoles++;
        return free_and_strdup(v, name);
}

void bind_record_done(BindRecord *record) {
        for (size_t i = 0; i < record->n; i++) {
                free(record->functions[i].driver);
                free(record->functions[i].override);
        }
        for (size_t i = 0; i < record->n_attributes; i++) {
                free(record->attributes[i].name);
                free(record->attributes[i].value);
        }
        for (size_t i = 0; i < record->n_platforms; i++) {
                free(record->platforms[i].device);
                free(record->platforms[i].driver);
        }
        strings_free(record->vtconsoles, record->n_vtconsoles);
        free(record->platforms);
        free(record->attributes);
        free(record->functions);
        *record = (BindRecord){};
}

/* Splits a line into exactly n words; with rest, the last is all that is left of it. */
static bool split_words(char *line, char *words[], size_t n, bool rest) {
        char *state = line;

        for (size_t i = 0; i < n; i++) {
                words[i] = rest && i + 1 == n ? state : strsep(&state, " ");
                if (isempty(words[i]))
                        return false;
        }
        return rest || !state;
}

static int parse_driver(const char *word, char **ret) {
        if (streq(word, "-"))
                return 0;
        return is_word(word) ? free_and_strdup(ret, word) : -EBADMSG;
}

static int parse_function(char *line, BindRecord *record) {
        BindRecordFunction *f;
        uint64_t uid, gid;
        char *word[5];
        int r;

        if (!split_words(line, word, ELEMENTSOF(word), false) ||
                parse_number(word[3], 0, UINT32_MAX - 1, &uid) < 0 || parse_number(word[4], 0, UINT32_MAX - 1, &gid) < 0)
                return -EBADMSG;

        r = record_append(record, &f);
        if (r < 0)
                return r;
        f->node_uid = (uid_t) uid;
        f->node_gid = (gid_t) gid;
        if (pci_address_parse(word[0], &f->address) < 0)
                return -EBADMSG;
        r = parse_driver(word[1], &f->driver);
        return r < 0 ? r : parse_driver(word[2], &f->override);
}

static int parse_stuck(char *line, BindRecord *record) {
        BindRecordFunction *f;
        uint64_t pid, start;
        PciAddress address;
        char *word[3];

        if (!split_words(line, word, ELEMENTSOF(word), false) || pci_address_parse(word[0], &address) < 0 ||
                parse_number(word[1], 1, INT32_MAX, &pid) < 0 || parse_number(word[2], 0, UINT64_MAX, &start) < 0)
                return -EBADMSG;
        f = bind_record_find(record, address);
        if (!f)
                return -EBADMSG;
        f->stuck = (GuardedStuck){ (pid_t) pid, start };
        return 0;
}

static int parse_attribute(char *line, BindRecord *record) {
        PciAddress address;
        char *word[3];

        if (!split_words(line, word, ELEMENTSOF(word), true) || pci_address_parse(word[0], &address) < 0)
                return -EBADMSG;
        return bind_record_add_attribute(record, address, word[1], word[2]);
}

static int parse_platform(char *line, BindRecord *record) {
        char *word[2];

        if (!split_words(line, word, ELEMENTSOF(word), false))
                return -EBADMSG;
        return bind_record_add_platform(record, word[0], word[1]);
}

static int parse_vtconsole(char *line, BindRecord *record) {
        return bind_record_add_vtconsole(record, line);
}

static int parse_line(char *line, BindRecord *record) {
        static const struct {
                const char *word;
                int (*parse)(char *line, BindRecord *record);
        } kinds[] = {
                { "function ", parse_function },
                { "stuck ", parse_stuck },
                { "attribute ", parse_attribute },
                { "platform ", parse_platform },
                { "vtconsole ", parse_vtconsole },
        };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (startswith(line, kinds[i].word))
                        return kinds[i].parse(line + strlen(kinds[i].word), record);
        return -EBADMSG;
}

int bind_record_parse(char *text, BindRecord *ret) {
        _cleanup_(bind_record_done) BindRecord record = {};
        char *state;

        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                int r = parse_line(line, &record);

                if (r < 0)
                        return r == -EINVAL || r == -E2BIG ? -EBADMSG : r;
        }
        *ret = record;
        record = (BindRecord){};
        return 0;
}

static int record_print(FILE *f, const void *userdata) {
        const BindRecord *record = userdata;
        char address[PCI_ADDRESS_TEXT];

        for (size_t i = 0; i < record->n; i++) {
                const BindRecordFunction *function = &record->functions[i];

                pci_address_format(function->address, address);
                fprintf(f, "function %s %s %s %u %u\n", address, function->driver ? function->driver : "-",
                        function->override ? function->override : "-", function->node_uid, function->node_gid);
                if (function->stuck.pid > 0)
                        fprintf(f, "stuck %s %d %" PRIu64 "\n", address, function->stuck.pid, function->stuck.start_time);
        }
        for (size_t i = 0; i < record->n_attributes; i++)
                fprintf(f, "attribute %s %s %s\n", pci_address_format(record->attributes[i].address, address),
                        record->attributes[i].name, record->attributes[i].value);
        for (size_t i = 0; i < record->n_platforms; i++)
                fprintf(f, "platform %s %s\n", record->platforms[i].device, record->platforms[i].driver);
        for (size_t i = 0; i < record->n_vtconsoles; i++)
                fprintf(f, "vtconsole %s\n", record->vtconsoles[i]);
        return 0;
}

int bind_record_save(int root, const char *guest, const BindRecord *record) {
        return record_file_save(root, RECORD_KIND, guest, record_print, record);
}

int bind_record_load(int root, const char *guest, BindRecord *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = record_file_read(root, RECORD_KIND, guest, &text);

        return r < 0 ? r : bind_record_parse(text, ret);
}

int bind_record_lock(int root, int *ret_fd) {
        return record_file_lock(root, RECORD_KIND, ret_fd);
}

BindRecordFunction *bind_record_find(const BindRecord *record, PciAddress address) {
        for (size_t i = 0; i < record->n; i++)
                if (pci_address_equal(record->functions[i].address, address))
                        return &record->functions[i];
        return NULL;
}

bool bind_record_is_stuck(const BindRecord *record, int root, PciAddress address) {
        for (size_t i = 0; i < record->n; i++)
                if (pci_same_slot(record->functions[i].address, address) && guarded_is_stuck(root, &record->functions[i].stuck))
                        return true;
        return false;
}

/* What the earlier record says of a function is older, so it stands. */
static int merge_function(BindRecord *record, const BindRecordFunction *source) {
        BindRecordFunction *f = bind_record_find(record, source->address);
        int r;

        r = f ? 0 : record_append(record, &f);
        if (r < 0)
                return r;
        f->address = source->address;
        f->node_uid = source->node_uid;
        f->node_gid = source->node_gid;
        f->stuck = source->stuck;
        return free_and_strdup(&f->driver, source->driver) < 0 ? -ENOMEM : free_and_strdup(&f->override, source->override);
}

static int merge_attribute(BindRecord *record, const BindRecordAttribute *source) {
        for (size_t i = 0; i < record->n_attributes; i++) {
                BindRecordAttribute *a = &record->attributes[i];

                if (pci_address_equal(a->address, source->address) && streq(a->name, source->name))
                        return free_and_strdup(&a->value, source->value);
        }
        return bind_record_add_attribute(record, source->address, source->name, source->value);
}

int bind_record_merge(BindRecord *record, const BindRecord *earlier) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < earlier->n; i++)
                r = merge_function(record, &earlier->functions[i]);
        for (size_t i = 0; r >= 0 && i < earlier->n_attributes; i++)
                r = merge_attribute(record, &earlier->attributes[i]);
        for (size_t i = 0; r >= 0 && i < earlier->n_platforms; i++) {
                bool known = false;

                for (size_t j = 0; j < record->n_platforms; j++)
                        known |= streq(record->platforms[j].device, earlier->platforms[i].device);
                r = known ? 0 : bind_record_add_platform(record, earlier->platforms[i].device, earlier->platforms[i].driver);
        }
        for (size_t i = 0; r >= 0 && i < earlier->n_vtconsoles; i++) {
                bool known = false;

                for (size_t j = 0; j < record->n_vtconsoles; j++)
                        known |= streq(record->vtconsoles[j], earlier->vtconsoles[i]);
                r = known ? 0 : bind_record_add_vtconsole(record, earlier->vtconsoles[i]);
        }
        return r;
}

static int call_flock(void *userdata) {
        return flock(*(const int *) userdata, LOCK_EX) < 0 ? -errno : 0;
}

/* flock(2) knows no deadline, so a child waits; what it gets is this process's too, by the descriptor they share. */
static int hold_file(int fd, uint64_t deadline) {
        GuardedStuck stuck;
        int r;

        r = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
        if (r == -EWOULDBLOCK)
                r = deadline > 0 ? guarded_call(call_flock, &fd, deadline, &stuck) : -ETIMEDOUT;
        return r == -ETIMEDOUT ? -E_BUSY : r;
}

/* A record is saved by putting a new file in its place: who has waited for the old one holds nothing. */
int bind_record_hold(int root, const char *guest, uint64_t deadline, int *ret_fd) {
        for (;;) {
                _cleanup_(closep) int fd = record_file_open(root, RECORD_KIND, guest), now = -EBADF;
                struct stat held, st;
                int r;

                r = fd < 0 ? fd : hold_file(fd, deadline);
                if (r < 0)
                        return r;
                now = record_file_open(root, RECORD_KIND, guest);
                if (now < 0)
                        return now;
                if (fstat(fd, &held) < 0 || fstat(now, &st) < 0)
                        return -errno;
                if (held.st_ino != st.st_ino)
                        continue;
                *ret_fd = TAKE_FD(fd);
                return 0;
        }
}

/* A card with a write stuck in it is out of bounds as a whole, also for who wants another function of it. */
static int record_has(int root, const char *guest, const void *data) {
        _cleanup_(bind_record_done) BindRecord record = {};
        PciAddress address = *(const PciAddress *) data;
        int r = bind_record_load(root, guest, &record);

        return r < 0 ? r : bind_record_find(&record, address) || bind_record_is_stuck(&record, root, address);
}

int bind_record_holder(int root, const char *guest, PciAddress address, char **ret_holder) {
        return record_file_holder(root, RECORD_KIND, guest, record_has, &address, ret_holder);
}

int bind_record_forget(int root, const char *guest) {
        return record_file_forget(root, RECORD_KIND, guest);
}
