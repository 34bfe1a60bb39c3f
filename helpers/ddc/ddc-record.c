/* SPDX-License-Identifier: BSD-3-Clause */
/* The undo record of vxm-ddc: a line a monitor,
 * “card0-HDMI-A-1 5 GSM5B7F:0001a2b3:204NTAB12345 f4 50 91 90 2000000 unreadable”. */

#include "ddc-record.h"
#include "monitors.h"
#include "parse.h"
#include "record-file.h"

#define RECORD_KIND "ddc"
#define CONNECTOR_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"

enum {
        CONNECTOR_MAX = 64,
        SETTLE_MAX = 60 * 1000000, /* µs */
};

void ddc_switch_done(DdcSwitch *s) {
        free(s->connector);
        *s = (DdcSwitch){};
}

void ddc_record_done(DdcRecord *record) {
        for (size_t i = 0; i < record->n; i++)
                ddc_switch_done(&record->items[i]);
        free(record->items);
        *record = (DdcRecord){};
}

DdcSwitch *ddc_record_find(const DdcRecord *record, const char *connector, const char *identity) {
        for (size_t i = 0; i < record->n; i++)
                if (streq(record->items[i].connector, connector) && streq(record->items[i].identity, identity))
                        return &record->items[i];
        return NULL;
}

int ddc_record_add(DdcRecord *record, const DdcSwitch *s) {
        DdcSwitch copy = *s, *slot = ddc_record_find(record, s->connector, s->identity);

        copy.connector = strdup(s->connector);
        if (!copy.connector)
                return -ENOMEM;
        if (slot) {
                ddc_switch_done(slot);
        } else {
                slot = ARRAY_GROW(record->items, record->n);
                if (!slot) {
                        ddc_switch_done(&copy);
                        return -ENOMEM;
                }
                record->n++;
        }
        *slot = copy;
        return 0;
}

/* Two hexadecimal digits, as we write them; 0 is allowed only where least is. */
static int parse_byte(const char *text, uint8_t least, uint8_t *ret) {
        unsigned value;
        char end;

        if (!text || strlen(text) != 2 || strspn(text, "0123456789abcdef") != 2 || sscanf(text, "%2x%c", &value, &end) != 1 ||
                value < least)
                return -EBADMSG;
        *ret = (uint8_t) value;
        return 0;
}

static int parse_flags(const char *word, DdcSwitch *s) {
        s->unreadable = streq(word, "unreadable") || streq(word, "unreadable,one-way");
        s->one_way = streq(word, "one-way") || streq(word, "unreadable,one-way");
        return s->unreadable || s->one_way || streq(word, "-") ? 0 : -EBADMSG;
}

static const char *print_flags(const DdcSwitch *s) {
        return s->unreadable && s->one_way ? "unreadable,one-way" : s->unreadable ? "unreadable" : s->one_way ? "one-way" : "-";
}

static int parse_line(char *line, DdcSwitch *s) {
        const char *connector = strsep(&line, " "), *bus_text = strsep(&line, " "), *identity = strsep(&line, " "),
                   *feature = strsep(&line, " "), *source = strsep(&line, " "), *host = strsep(&line, " "),
                   *guest = strsep(&line, " "), *settle = strsep(&line, " ");
        uint64_t bus;

        if (!settle || !line || !*connector || strlen(connector) > CONNECTOR_MAX ||
                connector[strspn(connector, CONNECTOR_CHARACTERS)] || parse_number(bus_text, 0, BUS_MAX, &bus) < 0 ||
                !edid_identity_is_valid(identity) || parse_byte(feature, 1, &s->feature) < 0 || parse_byte(source, 1, &s->source) < 0 ||
                parse_byte(host, 1, &s->host) < 0 || parse_byte(guest, 1, &s->guest) < 0 ||
                parse_number(settle, 0, SETTLE_MAX, &s->settle) < 0 || parse_flags(line, s) < 0)
                return -EBADMSG;
        s->bus = (int) bus;
        memcpy(s->identity, identity, strlen(identity) + 1);
        s->connector = strdup(connector);
        return s->connector ? 0 : -ENOMEM;
}

int ddc_record_parse(char *text, DdcRecord *ret) {
        _cleanup_(ddc_record_done) DdcRecord record = {};
        char *line;

        while ((line = strsep(&text, "\n"))) {
                DdcSwitch *s;
                int r;

                if (!*line && !text)
                        break; /* behind the last line */
                if (record.n >= GUEST_MONITORS_MAX)
                        return -EBADMSG;
                s = ARRAY_GROW(record.items, record.n);
                if (!s)
                        return -ENOMEM;
                r = parse_line(line, s);
                if (r < 0)
                        return r;
                record.n++;
        }
        if (record.n == 0)
                return -EBADMSG;
        *ret = record;
        record = (DdcRecord){};
        return 0;
}

static int record_print(FILE *f, const void *userdata) {
        const DdcRecord *record = userdata;

        for (size_t i = 0; i < record->n; i++) {
                const DdcSwitch *s = &record->items[i];

                fprintf(f, "%s %d %s %02x %02x %02x %02x %llu %s\n", s->connector, s->bus, s->identity, s->feature, s->source, s->host,
                        s->guest, (unsigned long long) s->settle, print_flags(s));
        }
        return 0;
}

int ddc_record_save(int root, const char *guest, const DdcRecord *record) {
        return record_file_save(root, RECORD_KIND, guest, record_print, record);
}

int ddc_record_load(int root, const char *guest, DdcRecord *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = record_file_read(root, RECORD_KIND, guest, &text);

        return r < 0 ? r : ddc_record_parse(text, ret);
}

int ddc_record_forget(int root, const char *guest) {
        return record_file_forget(root, RECORD_KIND, guest);
}

static int record_has(int root, const char *guest, const void *userdata) {
        const DdcSwitch *monitor = userdata;
        _cleanup_(ddc_record_done) DdcRecord record = {};
        int r = ddc_record_load(root, guest, &record);

        return r < 0 ? r : ddc_record_find(&record, monitor->connector, monitor->identity) != NULL;
}

int ddc_record_holder(int root, const char *guest, const DdcSwitch *monitor, char **ret_holder) {
        return record_file_holder(root, RECORD_KIND, guest, record_has, monitor, ret_holder);
}
