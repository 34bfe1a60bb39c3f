/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the journal, sd-journal(3). Fields that begin with an underscore are journald's own, and cannot be made up by a
 * program. */

#include <systemd/sd-journal.h>

#include "guest-unit.h"
#include "unit-log.h"

enum {
        MESSAGE_MAX = 400, /* bytes that are shown */
};

static void journalp(sd_journal **j) {
        sd_journal_close(*j);
}

static int add_match(sd_journal *j, const char *field, const char *value) {
        char match[320];

        (void) snprintf(match, sizeof match, "%s=%s", field, value);
        return sd_journal_add_match(j, match, 0);
}

/* What the unit's processes say, or systemd of the unit. */
static int add_matches(sd_journal *j, const char *unit) {
        int r = add_match(j, "_SYSTEMD_UNIT", unit);

        r = r < 0 ? r : sd_journal_add_disjunction(j);
        r = r < 0 ? r : add_match(j, "_PID", "1");
        return r < 0 ? r : add_match(j, "UNIT", unit);
}

static int print_entry(FILE *f, sd_journal *j) {
        _cleanup_(freep) char *text = NULL;
        const void *data;
        size_t size;
        int r = sd_journal_get_data(j, "MESSAGE", &data, &size);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        size -= STRLEN("MESSAGE=");
        text = strndup((const char *) data + STRLEN("MESSAGE="), size < MESSAGE_MAX ? size : MESSAGE_MAX);
        if (!text)
                return -ENOMEM;
        return fprintf(f, "    %s\n", text_clean(text)) < 0 ? -EIO : 1;
}

/* The entry that is being looked at, unless it is too old. */
static int print_recent(FILE *f, sd_journal *j, uint64_t since) {
        uint64_t when;
        int r = sd_journal_get_realtime_usec(j, &when);

        return r < 0 ? r : when < since ? 0 : print_entry(f, j);
}

int unit_log_print(FILE *f, const char *unit, uint64_t since, size_t max) {
        _cleanup_(journalp) sd_journal *j = NULL;
        int n, printed = 0, r;

        r = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        r = r < 0 ? r : add_matches(j, unit);
        r = r < 0 ? r : sd_journal_seek_tail(j);
        r = n = r < 0 ? r : sd_journal_previous_skip(j, max);
        for (; n > 0 && r >= 0; n--) {
                r = print_recent(f, j, since);
                printed += r > 0;
                if (n > 1 && r >= 0)
                        r = sd_journal_next(j);
        }
        return r < 0 ? r : printed;
}

int unit_log_has_guest(const char *guest) {
        _cleanup_(journalp) sd_journal *j = NULL;
        int r = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

        for (const GuestUnitKind *kind = guest_unit_kinds; r >= 0 && kind->name; kind++) {
                char unit[GUEST_UNIT_SIZE];

                (void) snprintf(unit, sizeof unit, "%s@%s.service", kind->name, guest);
                r = add_matches(j, unit);
                r = r < 0 ? r : sd_journal_add_disjunction(j);
        }
        return r < 0 ? r : sd_journal_next(j);
}
