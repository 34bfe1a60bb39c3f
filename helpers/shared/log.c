/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal is written natively, for the fields. systemd tells by JOURNAL_STREAM= that standard error already leads
 * there (systemd.exec(5)); then a second copy on standard error would only double each line. */

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include "library.h"
#include "log.h"

enum {
        FIELDS_MAX = 16,
};

static const char *log_program = "vxm";
static const char *log_guest;
static const char *log_unit;
static int log_max_priority = LOG_INFO;
static int log_kmsg = -EBADF;
static FILE *log_stream;
static bool log_error_told;

void log_setup(const char *program, const char *guest) {
        const char *level = getenv("SYSTEMD_LOG_LEVEL"), *invocation = getenv("DEBUG_INVOCATION");

        log_program = program;
        log_guest = guest;
        if ((level && streq(level, "debug")) || (invocation && streq(invocation, "1")))
                log_max_priority = LOG_DEBUG;
}

void log_set_unit(const char *unit) {
        log_unit = unit;
}

void log_to_kmsg(void) {
        log_kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
}

void log_to_stream(FILE *f) {
        log_stream = f;
}

/* One write(2) is one record there. */
static int kmsg_write(int priority, const char *message) {
        return dprintf(log_kmsg, "<%d>%s[%d]: %s\n", priority, log_program, getpid(), message) < 0 ? -errno : 0;
}

void log_set_max_priority(int priority) {
        log_max_priority = priority;
}

int log_get_max_priority(void) {
        return log_max_priority;
}

bool log_has_told_error(void) {
        return log_error_told;
}

static bool stderr_is_journal(void) {
        static int cached = -1;
        const char *stream;
        unsigned long long device, inode;
        struct stat st;

        if (cached < 0) {
                stream = getenv("JOURNAL_STREAM");
                cached = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
                         st.st_dev == device && st.st_ino == inode;
        }
        return cached;
}

/* Owns the strings behind an iovec list for one sd_journal_sendv(). */
typedef struct Entry {
        char *text[FIELDS_MAX];
        struct iovec iov[FIELDS_MAX];
        int n;
} Entry;

static void entry_done(Entry *e) {
        for (int i = 0; i < e->n; i++)
                free(e->text[i]);
}

static int entry_add(Entry *e, const char *name, const char *value) {
        int r;

        if (e->n >= FIELDS_MAX)
                return -E2BIG;

        r = format(&e->text[e->n], "%s=%s", name, value);
        if (r < 0)
                return r;

        e->iov[e->n] = (struct iovec){ .iov_base = e->text[e->n], .iov_len = strlen(e->text[e->n]) };
        e->n++;
        return 0;
}

static int entry_add_unit(Entry *e) {
        _cleanup_(freep) char *unit = NULL;
        int r;

        if (!log_guest)
                return log_unit ? entry_add(e, "OBJECT_SYSTEMD_UNIT", log_unit) : 0;

        r = format(&unit, "vxm-guest@%s.service", log_guest);
        if (r < 0)
                return r;
        return entry_add(e, "OBJECT_SYSTEMD_UNIT", unit);
}

/* libsystemd takes longer to load than most helpers need for what they do; whoever calls one by hand does not wait for it. */
static __typeof__(sd_journal_sendv) *journal_sendv;

static int load_journal(void) {
        static const LibraryFunction functions[] = { LIBRARY_FUNCTION(journal_sendv, sd_journal_sendv), {} };
        static int result = 1;

        if (result > 0) {
                result = -ENOPKG; /* for what loading itself has to say */
                result = library_load("libsystemd.so.0", functions);
        }
        return result;
}

static int journal_write(int priority, int error, const char *message_id, const char *const fields[], const char *message) {
        _cleanup_(entry_done) Entry e = {};
        char number[16];
        int r;

        (void) snprintf(number, sizeof number, "%d", priority);
        r = entry_add(&e, "MESSAGE", message);
        r = r < 0 ? r : entry_add(&e, "PRIORITY", number);
        r = r < 0 ? r : entry_add(&e, "SYSLOG_IDENTIFIER", log_program);
        r = r < 0 ? r : entry_add_unit(&e);
        if (r >= 0 && message_id)
                r = entry_add(&e, "MESSAGE_ID", message_id);
        if (r >= 0 && error != 0) {
                (void) snprintf(number, sizeof number, "%d", error);
                r = entry_add(&e, "ERRNO", number);
        }
        for (size_t i = 0; r >= 0 && fields && fields[i]; i += 2)
                r = entry_add(&e, fields[i], fields[i + 1]);

        r = r < 0 ? r : load_journal();
        return r < 0 ? r : journal_sendv(e.iov, e.n);
}

int log_full(int priority, int error, const char *message_id, const char *const fields[], const char *fmt, ...) {
        _cleanup_(freep) char *message = NULL;
        va_list ap;
        int r;

        error = abs(error);
        if (priority > log_max_priority)
                return -error;

        va_start(ap, fmt);
        r = vasprintf(&message, fmt, ap);
        va_end(ap);
        if (r < 0) {
                message = NULL;
                fprintf(stderr, "%s: out of memory\n", log_program);
                return -error;
        }

        if (log_stream) {
                fprintf(log_stream, "%s\n", message);
                return -error;
        }
        log_error_told |= priority <= LOG_ERR;
        if (log_kmsg >= 0 && kmsg_write(priority, message) >= 0)
                return -error;
        if (!stderr_is_journal() || journal_write(priority, error, message_id, fields, message) < 0)
                fprintf(stderr, "%s: %s\n", log_program, message);
        return -error;
}
