/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks monitors, and prints what they say, as a table and as JSON. */

#include "ddc-packet.h"
#include "ddc-probe.h"
#include "guest-monitors.h"
#include "json.h"
#include "log.h"
#include "smartcols-library.h"

enum {
        WIDTH = 80,  /* columns; most terminals have them */
        INDENT = 11, /* of details */
        ROUNDS = 8,  /* looks at a monitor that does not answer at first … */
};

#define ROUND_USEC UINT64_C(250000) /* … and what is between them */

/* What is found out about a monitor. */
typedef struct Report {
        const Monitor *monitor;
        int bus;
        int input; /* -1: unknown */
        bool inputs[256];
        bool has_inputs;
        char *problem; /* NULL: none */
} Report;

typedef struct Reports {
        Report *items;
        size_t n;
} Reports;

static void reports_done(Reports *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i].problem);
        free(l->items);
}

/* ---- asking ---- */

static int note_problem(Report *r, int error, const char *what) {
        static const struct {
                int error;
                const char *text;
        } texts[] = {
                { EAGAIN, "it does not answer: it is off or asleep, or DDC/CI is off in its menu" },
                { ENOENT, "its bus has no node /dev/i2c-*: run modprobe i2c-dev" },
                { ENXIO, "the driver of its GPU offers no I2C bus" },
                { EACCES, "its bus can be opened by root and the group i2c only" },
                { EPERM, "its bus can be opened by root and the group i2c only" },
                { ENOPKG, "libddcutil is not installed" },
                { EOPNOTSUPP, "the monitor says that it has no such thing; set HostInput= in the guest file" },
                { EPROTO, "its answers are garbled or missing: see that DDC/CI is on in its menu, or try another cable" },
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (error == -texts[i].error)
                        return list_append(&r->problem, "; ", "%s: %s", what, texts[i].text);
        return list_append(&r->problem, "; ", "%s: %s", what, strerror(-error));
}

static int reach(const DdcLink *link, Report *report) {
        int r = -EAGAIN;

        for (unsigned i = 0; r == -EAGAIN && i < ROUNDS; i++) {
                if (i > 0)
                        link->wait(link, ROUND_USEC);
                if (report->bus == BUS_UNKNOWN) {
                        r = link->find(link, report->monitor);
                        if (r < 0)
                                continue;
                        report->bus = r;
                }
                r = link->answers(link, report->bus, report->monitor->quirk.source);
        }
        return r;
}

/* Lists of features are for those that speak the standard. */
static int ask_inputs(const DdcLink *link, Report *report) {
        const MonitorQuirk *q = &report->monitor->quirk;
        _cleanup_(freep) char *text = NULL;
        int r;

        if (q->source != DDC_SOURCE_HOST)
                return 0;
        r = link->capabilities(link, report->bus, &text);
        if (r < 0)
                return note_problem(report, r, "its inputs cannot be read");
        r = ddc_capabilities_values(text, q->feature, report->inputs);
        report->has_inputs = r > 0;
        return r > 0 ? 0 : list_append(&report->problem, "; ", "it does not list its inputs");
}

static int ask(const DdcLink *link, Report *report) {
        const MonitorQuirk *q = &report->monitor->quirk;
        uint8_t input = 0;
        int r = reach(link, report);

        if (r < 0)
                return note_problem(report, r, "it cannot be spoken to");
        r = q->unreadable ? 0 : link->get(link, report->bus, q->source, q->feature, &input);
        if (r < 0 && note_problem(report, r, "its input cannot be read") < 0)
                return -ENOMEM;
        report->input = r >= 0 && input > 0 ? input : -1;
        return r == -ENOPKG ? 0 : ask_inputs(link, report);
}

static int ask_all(const DdcLink *link, const Monitors *l, Reports *ret) {
        int r = 0;

        ret->items = calloc(l->n + 1, sizeof ret->items[0]);
        if (!ret->items)
                return -ENOMEM;
        for (; r >= 0 && ret->n < l->n; ret->n++) {
                Report *report = &ret->items[ret->n];

                *report = (Report){ .monitor = &l->items[ret->n], .bus = l->items[ret->n].bus, .input = -1 };
                r = link ? ask(link, report) : 0;
        }
        return r;
}

/* ---- the table ---- */

/* “0x11 hdmi-1”. */
static int describe_input(const MonitorQuirk *q, unsigned value, char **ret) {
        const char *name = monitor_quirk_input(q, (uint8_t) value);

        return list_append(ret, ", ", "0x%02x%s%s", value, name ? " " : "", name ? name : "");
}

static int add_row(const SmartcolsLibrary *scols, struct libscols_table *table, const Report *report) {
        _cleanup_(freep) char *bus = NULL, *input = NULL;
        const Monitor *m = report->monitor;
        struct libscols_line *line = scols->table_new_line(table, NULL);
        char model[EDID_MODEL_SIZE];
        int r;

        if (!line)
                return -ENOMEM;
        r = report->bus == BUS_UNKNOWN ? format(&bus, "-") : format(&bus, "%d", report->bus);
        r = r < 0 ? r : report->input < 0 ? format(&input, "-") : describe_input(&m->quirk, (unsigned) report->input, &input);
        r = r < 0 ? r : scols->line_set_data(line, 0, m->connector);
        r = r < 0 ? r : scols->line_set_data(line, 1, bus);
        r = r < 0 ? r : scols->line_set_data(line, 2, edid_model(&m->edid, model));
        r = r < 0 ? r : scols->line_set_data(line, 3, m->edid.serial[0] ? m->edid.serial : "-");
        return r < 0 ? r : scols->line_set_data(line, 4, input);
}

static int make_table(const Reports *l, char **ret) {
        _cleanup_(scols_unrefp) struct libscols_table *table = NULL;
        const SmartcolsLibrary *scols = smartcols_library();
        int r = 0;

        if (!scols)
                return -ENOPKG;
        table = scols->new_table();
        if (!table || !scols->table_new_column(table, "CONNECTOR", 0, 0) || !scols->table_new_column(table, "BUS", 0, SCOLS_FL_RIGHT) ||
                !scols->table_new_column(table, "MODEL", 0, 0) || !scols->table_new_column(table, "SERIAL", 0, 0) ||
                !scols->table_new_column(table, "INPUT", 0, 0))
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < l->n; i++)
                r = add_row(scols, table, &l->items[i]);
        return r < 0 ? r : scols->print_table_to_string(table, ret);
}

/* Broken at blanks, all of it ASCII. */
static void print_detail(FILE *f, const char *name, const char *text) {
        size_t at = INDENT;

        if (isempty(text))
                return;
        fprintf(f, "  %-*s", INDENT - 2, name);
        while (*text) {
                size_t n = strcspn(text, " ");

                if (at > INDENT && at + 1 + n > WIDTH) {
                        fprintf(f, "\n%*s", INDENT, "");
                        at = INDENT;
                } else if (at > INDENT) {
                        fputc(' ', f);
                        at++;
                }
                fwrite(text, 1, n, f);
                at += n;
                text += n;
                text += strspn(text, " ");
        }
        fputc('\n', f);
}

/* The inputs that it lists, or those that the hwdb knows of it. */
static int describe_inputs(const Report *report, char **ret) {
        const MonitorQuirk *q = &report->monitor->quirk;
        int r = 0;

        for (unsigned value = 1; r >= 0 && value < 256; value++)
                if (report->has_inputs ? report->inputs[value] : q->known && monitor_quirk_input(q, (uint8_t) value))
                        r = describe_input(q, value, ret);
        return r;
}

static int describe_quirk(const MonitorQuirk *q, char **ret) {
        return !q->known ? 0
                         : format(ret, "feature 0x%02x from address 0x%02x%s%s", q->feature, q->source,
                                   q->unreadable ? ", does not tell its input: HostInput= is needed" : "",
                                   q->one_way ? ", listens to its active input only" : "");
}

static int print_details(const Report *report, FILE *f) {
        _cleanup_(freep) char *inputs = NULL, *quirk = NULL;

        if (describe_inputs(report, &inputs) < 0 || describe_quirk(&report->monitor->quirk, &quirk) < 0)
                return -ENOMEM;
        print_detail(f, "inputs", inputs);
        print_detail(f, "quirk", quirk);
        print_detail(f, "problem", report->problem);
        return 0;
}

static int print_reports(const Reports *l, FILE *f) {
        _cleanup_(freep) char *text = NULL;
        char *rest;
        int r;

        if (l->n == 0)
                return fputs("No monitor is connected.\n", f) < 0 ? -EIO : 0;
        r = make_table(l, &text);
        if (r < 0)
                return r;
        rest = text;
        fprintf(f, "%s\n", strsep(&rest, "\n"));
        for (size_t i = 0; r >= 0 && rest && i < l->n; i++) {
                fprintf(f, "%s\n", strsep(&rest, "\n"));
                r = print_details(&l->items[i], f);
        }
        return r;
}

/* ---- JSON ---- */

static json_t *json_input(const MonitorQuirk *q, int value) {
        return value < 0 ? json_null() : json_pack("{s:i, s:s?}", "value", value, "name", monitor_quirk_input(q, (uint8_t) value));
}

static json_t *json_inputs(const Report *report) {
        json_t *array = report->has_inputs ? json_array() : json_null();

        for (int value = 1; report->has_inputs && array && value < 256; value++)
                if (report->inputs[value] && json_array_append_new(array, json_input(&report->monitor->quirk, value)) < 0)
                        return json_decref(array), NULL;
        return array;
}

static json_t *json_quirk(const MonitorQuirk *q) {
        return !q->known ? json_null()
                         : json_pack("{s:i, s:i, s:b, s:b}", "feature", (int) q->feature, "source", (int) q->source, "unreadable",
                                   q->unreadable, "one_way", q->one_way);
}

static json_t *json_report(const Report *report) {
        const Monitor *m = report->monitor;
        char model[EDID_MODEL_SIZE];

        return json_pack("{s:s, s:o, s:s, s:s, s:s?, s:o, s:o, s:o, s:s?}", "connector", m->connector, "bus",
                report->bus == BUS_UNKNOWN ? json_null() : json_integer(report->bus), "vendor", m->edid.vendor, "model",
                edid_model(&m->edid, model), "serial", m->edid.serial[0] ? m->edid.serial : NULL, "input",
                json_input(&m->quirk, report->input), "inputs", json_inputs(report), "quirk", json_quirk(&m->quirk), "problem",
                report->problem);
}

static int dump_reports(const Reports *l, FILE *f) {
        json_t *array = json_array();
        _cleanup_(json_decrefp) json_t *top = json_pack("{s:o}", "monitors", array);

        for (size_t i = 0; top && i < l->n; i++)
                if (json_array_append_new(array, json_report(&l->items[i])) < 0)
                        return -ENOMEM;
        if (!top || json_dumpf(top, f, JSON_INDENT(2)) < 0)
                return -ENOMEM;
        return fputc('\n', f) < 0 ? -EIO : 0;
}

int ddc_probe(const DdcLink *link, const Monitors *l, bool json, FILE *f) {
        _cleanup_(reports_done) Reports reports = {};
        int r = ask_all(link, l, &reports);

        r = r < 0 ? r : json ? dump_reports(&reports, f) : print_reports(&reports, f);
        return r < 0 ? log_error_errno(r, "Cannot show the monitors: %s.", strerror(-r)) : 0;
}
