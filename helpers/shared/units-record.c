/* SPDX-License-Identifier: BSD-3-Clause */
/* The undo record of vxm-units: one unit's name a line. */

#include "parse.h"
#include "record-file.h"
#include "root.h"
#include "units-record.h"

#define RECORD_KIND "units"

enum {
        UNITS_MAX = 256, /* what a guest file can name, and what earlier runs have left */
};

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

static int record_print(FILE *f, const void *userdata) {
        const UnitNames *record = userdata;

        for (size_t i = 0; i < record->n; i++)
                fprintf(f, "%s\n", record->names[i]);
        return 0;
}

int units_record_save(int root, const char *guest, const UnitNames *record) {
        return record_file_save(root, RECORD_KIND, guest, record_print, record);
}

int units_record_load(int root, const char *guest, UnitNames *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = record_file_read(root, RECORD_KIND, guest, &text);

        return r < 0 ? r : units_record_parse(text, ret);
}

static int record_has(int root, const char *guest, const void *unit) {
        _cleanup_(unit_names_done) UnitNames record = {};
        int r = units_record_load(root, guest, &record);

        return r < 0 ? r : unit_names_have(&record, unit);
}

int units_record_holder(int root, const char *guest, const char *unit, char **ret_holder) {
        return record_file_holder(root, RECORD_KIND, guest, record_has, unit, ret_holder);
}

int units_record_forget(int root, const char *guest) {
        return record_file_forget(root, RECORD_KIND, guest);
}
