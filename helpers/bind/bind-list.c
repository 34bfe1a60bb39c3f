/* SPDX-License-Identifier: BSD-3-Clause */
/* Shows the machine's GPUs and IOMMU groups, for people and as JSON. What is shown is found in gpu-report.c. Only reads. */

#include <locale.h>

#include "bind-list.h"
#include "gpu-report.h"
#include "json.h"
#include "log.h"
#include "pci-names.h"
#include "smartcols-library.h"
#include "sysfs.h"

enum {
        WIDTH = 80,  /* columns; most terminals have them */
        INDENT = 14, /* of details, under the name of which they are */
};

/* ---- text ---- */

/* Characters, not bytes; none of those we print is wider than a column. */
static size_t columns_of(const char *s, size_t n) {
        size_t columns = 0;

        for (size_t i = 0; i < n; i++)
                columns += ((unsigned char) s[i] & 0xc0) != 0x80;
        return columns;
}

/* How many bytes of text fill at most so many columns, one of which the “…” needs if that is not all. */
static size_t cut(const char *text, size_t columns) {
        size_t n = strlen(text);

        if (columns_of(text, n) <= columns)
                return n;
        for (n = 0; columns_of(text, n + 1) < columns || ((unsigned char) text[n] & 0xc0) == 0x80; n++)
                ;
        return n;
}

/* Prints text from column on, broken at blanks; further lines start with prefix, and are indented to the same column. */
static void print_wrapped(FILE *f, const char *prefix, size_t column, const char *text) {
        size_t at = column;

        while (*text) {
                size_t n = strcspn(text, " "), width = columns_of(text, n);

                if (at > column && at + 1 + width > WIDTH) {
                        fprintf(f, "\n%s%*s", prefix, (int) (column - columns_of(prefix, strlen(prefix))), "");
                        at = column;
                } else if (at > column) {
                        fputc(' ', f);
                        at++;
                }
                fwrite(text, 1, n, f);
                at += width;
                text += n;
                text += strspn(text, " ");
        }
        fputc('\n', f);
}

static void print_detail(FILE *f, const char *name, const char *text) {
        if (isempty(text))
                return;
        fprintf(f, "  %-*s", INDENT - 2, name);
        print_wrapped(f, "", INDENT, text);
}

/* Prints a list that is made in memory. */
typedef void (*WriteList)(FILE *list, const GpuReport *g);

static int print_list(FILE *f, const char *name, const GpuReport *g, WriteList write_list) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *list = open_memstream(&text, &size);

        if (!list)
                return -ENOMEM;
        write_list(list, g);
        if (fclose(list) != 0)
                return -ENOMEM;
        print_detail(f, name, text);
        return 0;
}

static void write_guest(FILE *list, const GpuReport *g) {
        for (size_t i = 0; i < g->guest.n && g->passable; i++)
                fprintf(list, "%s%s", i > 0 ? ", " : "", g->guest.items[i].pci.name);
}

static void write_ids(FILE *list, const GpuReport *g) {
        fprintf(list, "%04x:%04x", g->gpu.vendor, g->gpu.device);
        if (g->gpu.subsystem_vendor > 0)
                fprintf(list, ", card %04x:%04x", g->gpu.subsystem_vendor, g->gpu.subsystem_device);
        fprintf(list, ", class %06x%s", g->gpu.class_code, g->boots ? ", boots the machine" : "");
}

static void write_displays(FILE *list, const GpuReport *g) {
        for (size_t i = 0; i < g->console.n_displays; i++)
                fprintf(list, "%s%s", i > 0 ? ", " : "", g->console.displays[i]);
}

static void write_console(FILE *list, const GpuReport *g) {
        const HostConsole *c = &g->console;

        for (size_t i = 0; i < c->n_framebuffers; i++)
                fprintf(list, "%s%s", i > 0 ? ", " : "", c->framebuffers[i]);
        if (c->n_vtconsoles > 0)
                fprintf(list, ", the only console");
        for (size_t i = 0; i < c->n_platform_devices; i++)
                fprintf(list, "%s%s of the firmware (%s)", c->n_framebuffers > 0 ? ", " : "", c->platform_devices[i],
                        c->platform_drivers[i]);
}

/* A line of text a process, be its open nodes as many as they may. */
static void write_holders(FILE *list, const GpuReport *g) {
        for (size_t i = 0; i < g->holders.n; i++) {
                const Holder *h = &g->holders.items[i];
                bool first = i == 0 || g->holders.items[i - 1].pid != h->pid;
                bool last = i + 1 == g->holders.n || g->holders.items[i + 1].pid != h->pid;
                _cleanup_(freep) char *text = NULL;

                if (!first)
                        fprintf(list, ", %s", h->node);
                else if (holder_describe(h, &text) >= 0)
                        fprintf(list, "%s%s", i > 0 ? "; " : "", text);
                if (last && h->yields)
                        fprintf(list, " (lets go by itself)");
        }
}

static void write_size(FILE *list, uint64_t size) {
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
        size_t unit = 0;

        for (; unit + 1 < ELEMENTSOF(units) && size >= 1024 && size % 1024 == 0; unit++)
                size /= 1024;
        fprintf(list, "%llu %s", (unsigned long long) size, units[unit]);
}

/* The largest size that a BAR can be given. */
static uint64_t largest(uint64_t sizes) {
        return sizes > 0 ? 1ULL << (63 - __builtin_clzll(sizes)) : 0;
}

static void write_memory(FILE *list, const GpuReport *g) {
        bool first = true;

        for (size_t i = 0; i < g->details.n_bars; i++) {
                const PciBar *bar = &g->details.bars[i];

                if (!bar->memory)
                        continue;
                if (bar->index == 6)
                        fprintf(list, "%sROM ", first ? "" : ", ");
                else
                        fprintf(list, "%sBAR %u ", first ? "" : ", ", bar->index);
                write_size(list, bar->size);
                if (largest(bar->sizes) > bar->size >> 20) {
                        fprintf(list, " (up to ");
                        write_size(list, largest(bar->sizes) << 20);
                        fputc(')', list);
                }
                first = false;
        }
}

static void write_reset(FILE *list, const GpuReport *g) {
        if (!g->details.knows_reset_methods)
                return;
        if (g->details.n_reset_methods == 0)
                fprintf(list, "none");
        for (size_t i = 0; i < g->details.n_reset_methods; i++)
                fprintf(list, "%s%s", i > 0 ? ", " : "", g->details.reset_methods[i]);
}

static int print_details(FILE *f, const GpuReport *g) {
        static const struct {
                const char *name;
                WriteList write_list;
        } rows[] = {
                { "guest gets", write_guest },
                { "displays", write_displays },
                { "console", write_console },
                { "held by", write_holders },
                { "memory", write_memory },
                { "reset", write_reset },
                { "ids", write_ids },
        };
        int r = 0;

        print_detail(f, "verdict", g->verdict);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(rows); i++)
                r = print_list(f, rows[i].name, g, rows[i].write_list);
        return r;
}

/* ---- the table ---- */

static int add_row(const SmartcolsLibrary *scols, struct libscols_table *table, const GpuReport *g, size_t columns) {
        struct libscols_line *line = scols->table_new_line(table, NULL);
        size_t length = cut(g->title, columns);
        _cleanup_(freep) char *group = NULL, *title = NULL;
        int r;

        if (!line)
                return -ENOMEM;
        r = g->gpu.group < 0 ? format(&group, "-") : format(&group, "%d", g->gpu.group);
        r = r < 0 ? r : format(&title, "%.*s%s", (int) length, g->title, g->title[length] ? "…" : "");
        r = r < 0 ? r : scols->line_set_data(line, 0, g->gpu.name);
        r = r < 0 ? r : scols->line_set_data(line, 1, g->gpu.driver ? g->gpu.driver : "-");
        r = r < 0 ? r : scols->line_set_data(line, 2, group);
        return r < 0 ? r : scols->line_set_data(line, 3, title);
}

/* The columns that are left for the names. */
static size_t name_columns(const GpuReports *l) {
        size_t address = STRLEN("ADDRESS"), driver = STRLEN("DRIVER");

        for (size_t i = 0; i < l->n; i++) {
                const PciFunction *f = &l->items[i].gpu;

                address = strlen(f->name) > address ? strlen(f->name) : address;
                driver = f->driver && strlen(f->driver) > driver ? strlen(f->driver) : driver;
        }
        address += driver + STRLEN("  GROUP ");
        return address + 16 < WIDTH ? WIDTH - address : 16;
}

/* The table's text, a line a GPU below the header. */
static int make_table(const GpuReports *l, char **ret) {
        _cleanup_(scols_unrefp) struct libscols_table *table = NULL;
        const SmartcolsLibrary *scols = smartcols_library();
        int r = 0;

        if (!scols)
                return -ENOPKG;
        table = scols->new_table();
        if (!table || !scols->table_new_column(table, "ADDRESS", 0, 0) || !scols->table_new_column(table, "DRIVER", 0, 0) ||
            !scols->table_new_column(table, "GROUP", 0, SCOLS_FL_RIGHT) || !scols->table_new_column(table, "NAME", 0, 0))
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < l->n; i++)
                r = add_row(scols, table, &l->items[i], name_columns(l));
        return r < 0 ? r : scols->print_table_to_string(table, ret);
}

static int print_table(const GpuReports *l, FILE *f) {
        _cleanup_(freep) char *text = NULL;
        char *rest;
        int r;

        if (l->n == 0)
                return fputs("There is no GPU in this machine.\n", f) < 0 ? -EIO : 0;
        r = make_table(l, &text);
        if (r < 0)
                return r;
        rest = text;
        fprintf(f, "%s\n", strsep(&rest, "\n"));
        for (size_t i = 0; r >= 0 && rest && i < l->n; i++) {
                fprintf(f, "%s%s\n", i > 0 ? "\n" : "", strsep(&rest, "\n"));
                r = print_details(f, &l->items[i]);
        }
        if (r >= 0 && l->n_unseen > 0)
                fprintf(f, "\n%zu processes could not be looked into; root sees all that have a GPU open.\n", l->n_unseen);
        return r;
}

/* smartcols writes what is no ASCII as \x.. in the C locale, in which we run. All our texts are UTF-8. */
static int print_gpus(const GpuReports *l, FILE *f) {
        locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0), before;
        int r;

        before = utf8 ? uselocale(utf8) : (locale_t) 0;
        r = print_table(l, f);
        if (before)
                (void) uselocale(before);
        if (utf8)
                freelocale(utf8);
        return r;
}

/* ---- JSON ---- */

static json_t *json_strings(char *const *strings, size_t n) {
        json_t *array = json_array();

        for (size_t i = 0; array && i < n; i++)
                if (json_array_append_new(array, json_string(strings[i])) < 0)
                        return json_decref(array), NULL;
        return array;
}

/* “10de:1e84” */
static json_t *json_ids(uint16_t vendor, uint16_t device) {
        return vendor > 0 ? json_sprintf("%04x:%04x", vendor, device) : json_null();
}

static json_t *json_group(int group) {
        return group < 0 ? json_null() : json_integer(group);
}

static json_t *json_functions(const GuestFunctions *l) {
        json_t *array = json_array();

        for (size_t i = 0; array && i < l->n; i++)
                if (json_array_append_new(array, json_string(l->items[i].pci.name)) < 0)
                        return json_decref(array), NULL;
        return array;
}

static json_t *json_holders(const Holders *l) {
        json_t *array = json_array();

        for (size_t i = 0; array && i < l->n; i++) {
                const Holder *h = &l->items[i];

                if (json_array_append_new(array,
                            json_pack("{s:i, s:s, s:s?, s:s?, s:s?, s:s, s:b}", "pid", (int) h->pid, "command", h->command, "unit",
                                    h->unit, "user_unit", h->user_unit, "session", h->session, "node", h->node, "yields",
                                    h->yields)) < 0)
                        return json_decref(array), NULL;
        }
        return array;
}

static json_t *json_sizes(uint64_t sizes) {
        json_t *array = json_array();

        for (unsigned bit = 0; array && bit < 43; bit++) /* 2^43 MiB is the largest that a signed integer holds in bytes */
                if ((sizes >> bit & 1) && json_array_append_new(array, json_integer((json_int_t) (1ULL << (bit + 20)))) < 0)
                        return json_decref(array), NULL;
        return array;
}

static json_t *json_bars(const PciDetails *d) {
        json_t *array = json_array();

        for (size_t i = 0; array && i < d->n_bars; i++) {
                const PciBar *bar = &d->bars[i];

                if (json_array_append_new(array,
                            json_pack("{s:i, s:s, s:I, s:b, s:o}", "index", (int) bar->index, "type", bar->memory ? "memory" : "io",
                                    "size", (json_int_t) bar->size, "prefetchable", bar->prefetchable, "resizable_sizes",
                                    json_sizes(bar->sizes))) < 0)
                        return json_decref(array), NULL;
        }
        return array;
}

static json_t *json_details(const PciDetails *d) {
        return json_pack("{s:o, s:o, s:{s:s?, s:s?, s:o}, s:{s:s?, s:s?, s:s?, s:s?}}", "bars", json_bars(d), "reset_methods",
                d->knows_reset_methods ? json_strings(d->reset_methods, d->n_reset_methods) : json_null(), "power", "control",
                d->power_control, "state", d->power_state, "d3cold_allowed",
                d->d3cold_allowed < 0 ? json_null() : json_boolean(d->d3cold_allowed), "link", "speed", d->link_speed, "width",
                d->link_width, "max_speed", d->link_speed_max, "max_width", d->link_width_max);
}

static json_t *json_console(const HostConsole *c) {
        return json_pack("{s:o, s:o, s:o, s:o, s:b}", "displays", json_strings(c->displays, c->n_displays), "framebuffers",
                json_strings(c->framebuffers, c->n_framebuffers), "vtconsoles", json_strings(c->vtconsoles, c->n_vtconsoles),
                "platform_devices", json_strings(c->platform_devices, c->n_platform_devices), "boot_framebuffer",
                c->boot_framebuffer);
}

static json_t *json_function(const PciFunction *f, const char *title) {
        return json_pack("{s:s, s:s, s:o, s:o, s:o, s:s?, s:o}", "address", f->name, "name", title, "ids",
                json_ids(f->vendor, f->device), "subsystem_ids", json_ids(f->subsystem_vendor, f->subsystem_device), "class",
                json_sprintf("%06x", f->class_code), "driver", f->driver, "iommu_group", json_group(f->group));
}

static json_t *json_gpu(const GpuReport *g) {
        _cleanup_(json_decrefp) json_t *top = json_function(&g->gpu, g->title), *more = NULL;

        more = json_pack("{s:b, s:b, s:{s:b, s:b, s:b, s:s, s:s?}, s:o, s:o, s:o, s:o}", "boot_vga", g->gpu.boot_vga,
                "boots_machine", g->boots, "verdict", "passable",
                g->passable, "needs_single_gpu", g->needs_single_gpu, "held", g->held, "text", g->verdict,
                "host_would_lose", g->loss, "guest_gets",
                g->passable ? json_functions(&g->guest) : json_array(), "holders",
                json_holders(&g->holders), "console", json_console(&g->console), "details", json_details(&g->details));
        if (!top || !more || json_object_update(top, more) < 0)
                return NULL;
        return json_incref(top);
}

static int dump(json_t *top, FILE *f) {
        if (!top)
                return -ENOMEM;
        if (json_dumpf(top, f, JSON_INDENT(2)) < 0)
                return -EIO;
        fputc('\n', f);
        return 0;
}

static int dump_gpus(const GpuReports *l, FILE *f) {
        json_t *gpus = json_array();
        _cleanup_(json_decrefp) json_t *top = json_pack("{s:o, s:I}", "gpus", gpus, "unseen_processes", (json_int_t) l->n_unseen);

        for (size_t i = 0; top && i < l->n; i++)
                if (json_array_append_new(gpus, json_gpu(&l->items[i])) < 0)
                        return -ENOMEM;
        return dump(top, f);
}

int bind_list(int root, bool json, FILE *f) {
        _cleanup_(gpu_reports_done) GpuReports l = {};
        int r;

        r = gpu_reports_read(root, &l);
        if (r < 0)
                return r;
        r = json ? dump_gpus(&l, f) : print_gpus(&l, f);
        return r < 0 ? log_error_errno(r, "Cannot print the list of GPUs: %s.", strerror(-r)) : 0;
}

/* ---- groups ---- */

static int compare_by_group(const void *a, const void *b) {
        const PciFunction *x = *(const PciFunction *const *) a, *y = *(const PciFunction *const *) b;

        /* Those without a group come last. */
        if (x->group != y->group)
                return (unsigned) x->group > (unsigned) y->group ? 1 : -1;
        return x > y ? 1 : -1;
}

/* Functions sorted by group, and what the host uses. */
typedef struct Tree {
        PciFunctions functions;
        const PciFunction **sorted;
        HostUses uses;
        bool iommu_is_on;
} Tree;

static void tree_done(Tree *t) {
        pci_functions_done(&t->functions);
        free(t->sorted);
        host_uses_done(&t->uses);
}

static int read_tree(int root, Tree *t) {
        int r;

        r = pci_read_all(root, &t->functions);
        if (r < 0 && r != -ENOENT)
                return log_error_errno(r, "Cannot read the PCI devices in /sys/bus/pci/devices: %s.", strerror(-r));
        t->sorted = calloc(t->functions.n + 1, sizeof *t->sorted); /* ends with NULL */
        if (!t->sorted)
                return log_oom();
        for (size_t i = 0; i < t->functions.n; i++)
                t->sorted[i] = &t->functions.items[i];
        if (t->functions.n > 0)
                qsort(t->sorted, t->functions.n, sizeof *t->sorted, compare_by_group);
        t->iommu_is_on = pci_iommu_is_on(root);
        return host_uses_read(root, &t->uses);
}

static int print_function(FILE *f, const Tree *t, const PciFunction *function, bool last) {
        _cleanup_(freep) char *title = pci_function_model(function), *loss = NULL, *text = NULL;
        const char *driver = function->driver ? function->driver : "-";
        size_t length;
        int r;

        if (!title)
                return -ENOMEM;
        r = host_uses_of(&t->uses, function, &loss);
        if (r < 0)
                return r;
        /* “├─ 0000:02:00.0  1022:43ee  xhci_hcd       ” */
        fprintf(f, "%s %s  %04x:%04x  %-13s  ", last ? "└─" : "├─", function->name, function->vendor, function->device, driver);
        length = cut(text_clean(title), WIDTH - 43);
        fprintf(f, "%.*s%s\n", (int) length, title, title[length] ? "…" : "");
        if (!loss)
                return 0;
        r = format(&text, "the host would lose %s", loss);
        if (r < 0)
                return r;
        fprintf(f, "%s    ", last ? " " : "│");
        print_wrapped(f, last ? " " : "│", 5, text);
        return 0;
}

static int print_tree(const Tree *t, FILE *f) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < t->functions.n; i++) {
                const PciFunction *function = t->sorted[i], *next = t->sorted[i + 1];

                if (i == 0 || t->sorted[i - 1]->group != function->group) {
                        if (function->group >= 0)
                                fprintf(f, "group %d\n", function->group);
                        else
                                fprintf(f, "%s\n", t->iommu_is_on ? "in no group" : "in no group, as the IOMMU is off");
                }
                r = print_function(f, t, function, !next || next->group != function->group);
        }
        return r;
}

static json_t *json_member(const Tree *t, const PciFunction *function) {
        _cleanup_(freep) char *title = pci_function_title(function), *loss = NULL;
        json_t *member;

        if (!title || host_uses_of(&t->uses, function, &loss) < 0)
                return NULL;
        member = json_function(function, text_clean(title));
        if (member && (json_object_set_new(member, "bridge", json_boolean(pci_is_bridge(function))) < 0 ||
                       json_object_set_new(member, "boot_vga", json_boolean(function->boot_vga)) < 0 ||
                       json_object_set_new(member, "host_would_lose", loss ? json_string(loss) : json_null()) < 0))
                return json_decref(member), NULL;
        return member;
}

static int dump_tree(const Tree *t, FILE *f) {
        json_t *groups = json_array(), *members = NULL;
        _cleanup_(json_decrefp) json_t *top = json_pack("{s:b, s:o}", "iommu", t->iommu_is_on, "groups", groups);

        for (size_t i = 0; top && i < t->functions.n; i++) {
                const PciFunction *function = t->sorted[i];

                if (i == 0 || t->sorted[i - 1]->group != function->group) {
                        members = json_array();
                        if (json_array_append_new(groups,
                                    json_pack("{s:o, s:o}", "group", json_group(function->group), "functions", members)) < 0)
                                return -ENOMEM;
                }
                if (json_array_append_new(members, json_member(t, function)) < 0)
                        return -ENOMEM;
        }
        return dump(top, f);
}

int bind_tree(int root, bool json, FILE *f) {
        _cleanup_(tree_done) Tree t = {};
        int r;

        r = read_tree(root, &t);
        if (r < 0)
                return r;
        r = json ? dump_tree(&t, f) : print_tree(&t, f);
        return r < 0 ? log_error_errno(r, "Cannot print the IOMMU groups: %s.", strerror(-r)) : 0;
}
