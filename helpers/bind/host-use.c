/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds what the host uses: network, input and displays here, disks in host-disks.c. Only reads. */

#include <stdarg.h>

#include "host-disks.h"
#include "host-use.h"
#include "log.h"
#include "proc-text.h"
#include "root.h"
#include "sysfs.h"

enum {
        DEPTH_MAX = 8, /* of interfaces on interfaces; a VLAN on a bridge on a bond on Ethernet is 3 */
};

static bool is_noted(const HostUses *l, HostUseType type, const char *path, const char *text) {
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].type == type && streq(l->items[i].path, path) && (!text || streq(l->items[i].text, text)))
                        return true;
        return false;
}

static int append(HostUses *l, HostUseType type, const char *path, const char *text) {
        HostUse *u;

        if (is_noted(l, type, path, text))
                return 0;
        u = ARRAY_GROW(l->items, l->n);
        if (!u)
                return -ENOMEM;
        l->n++;
        *u = (HostUse){ type, strdup(path), strdup(text) };
        return u->path && u->text ? 0 : -ENOMEM;
}

/* A virtual function goes when its physical one loses its driver; the link to that is “physfn”. */
static int append_physical(int root, HostUses *l, HostUseType type, const char *path, const char *text) {
        _cleanup_(freep) char *link = NULL, *physical = NULL;
        size_t n = pci_part_of(path);
        int r;

        if (n == 0)
                return 0;
        r = format(&link, "sys/%.*s/physfn", (int) n, path);
        r = r < 0 ? r : sysfs_resolve(root, link, &physical);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        return append(l, type, physical, text);
}

int host_uses_add(int root, HostUses *l, HostUseType type, const char *path, const char *fmt, ...) {
        _cleanup_(freep) char *text = NULL;
        va_list ap;
        int r;

        if (path_is_within(path, "devices/virtual"))
                return 0;
        va_start(ap, fmt);
        r = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (r < 0) {
                text = NULL;
                return -ENOMEM;
        }
        text_clean(text);
        r = append(l, type, path, text);
        return r < 0 ? r : append_physical(root, l, type, path, text);
}

void host_uses_done(HostUses *l) {
        for (size_t i = 0; i < l->n; i++) {
                free(l->items[i].path);
                free(l->items[i].text);
        }
        free(l->items);
        *l = (HostUses){};
}

bool host_use_is_of(const HostUse *u, const PciFunction *f) {
        const char *rest = startswith(u->path, f->path);

        if (!rest || (*rest != '/' && *rest != '\0'))
                return false;
        return f->class_code >> 8 != 0x0604 || pci_part_of(rest) == 0;
}

int host_uses_of(const HostUses *l, const PciFunction *f, char **ret) {
        _cleanup_(freep) char *all = NULL;
        char **seen = NULL;
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < l->n; i++) {
                const HostUse *u = &l->items[i];

                /* A mouse with many buttons is a keyboard of the same name twice. */
                if (!host_use_is_of(u, f) || strings_contain(seen, n, u->text))
                        continue;
                r = strings_add(&seen, &n, u->text);
                r = r < 0 ? r : list_append(&all, ", ", "%s", u->text);
        }
        strings_free(seen, n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(all);
        return 0;
}

/* ---- network ---- */

static int read_routes_of(int root, const char *path, int (*parse)(const char *, char ***, size_t *), char ***names,
        size_t *n) {
        _cleanup_(freep) char *text = NULL;
        int r;

        /* Without ENOENT, IPv6 or all of networking is off; other processes' routes are not for all to see. */
        r = root_read(root, path, &text);
        if (r == -ENOENT || r == -EACCES || r == -EPERM)
                return 0;
        r = r < 0 ? r : parse(text, names, n);
        return r < 0 ? log_error_errno(r, "Cannot read /%s: %s.", path, strerror(-r)) : 0;
}

static int read_routes(int root, char ***names, size_t *n) {
        int r;

        r = read_routes_of(root, "proc/1/net/route", routes_parse, names, n);
        r = r < 0 ? r : read_routes_of(root, "proc/1/net/ipv6_route", ipv6_routes_parse, names, n);
        r = r < 0 ? r : read_routes_of(root, "proc/net/route", routes_parse, names, n);
        return r < 0 ? r : read_routes_of(root, "proc/net/ipv6_route", ipv6_routes_parse, names, n);
}

/* Whether an interface does something: up, and with a cable in it. Some drivers do not know of cables. */
static bool is_up(int root, const char *path) {
        _cleanup_(freep) char *flags = NULL, *state = NULL;

        if (sysfs_read(root, path, "operstate", &state) < 0)
                return false; /* not an interface any more */
        if (streq(state, "up"))
                return true;
        return streq(state, "unknown") && sysfs_read(root, path, "flags", &flags) >= 0 && (strtoul(flags, NULL, 0) & 1);
}

/* Notes the hardware that an interface stands on: itself, or the interfaces that it names as lower. */
static int add_interface(int root, HostUses *l, const char *path, const char *name, bool routed, unsigned depth) {
        char **links = NULL;
        size_t n = 0;
        int r;

        if (!path_is_within(path, "devices/virtual")) {
                if (routed)
                        return streq(path_name(path), name)
                                ? host_uses_add(root, l, HOST_USE_NETWORK, path, "the default route (%s)", name)
                                : host_uses_add(root, l, HOST_USE_NETWORK, path, "the default route (%s on %s)", name,
                                          path_name(path));
                return is_noted(l, HOST_USE_NETWORK, path, NULL)
                        ? 0
                        : host_uses_add(root, l, HOST_USE_NETWORK, path, "network %s (up)", path_name(path));
        }
        if (depth >= DEPTH_MAX)
                return -ELOOP;

        r = sysfs_list(root, path, NULL, &links, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *link = NULL, *lower = NULL;

                if (!startswith(links[i], "lower_"))
                        continue;
                r = format(&link, "sys/%s/%s", path, links[i]);
                r = r < 0 ? r : sysfs_resolve(root, link, &lower);
                r = r < 0 ? r : add_interface(root, l, lower, name, routed, depth + 1);
        }
        strings_free(links, n);
        return r;
}

/* Calls add for each link in a directory of /sys/class whose name starts with prefix, with where it leads. */
static int each_device(int root, HostUses *l, const char *class, const char *prefix, int (*add)(int, HostUses *, const char *)) {
        _cleanup_(freep) char *directory = NULL;
        char **names = NULL;
        size_t n = 0;
        int r;

        r = format(&directory, "class/%s", class);
        r = r < 0 ? r : sysfs_list(root, directory, NULL, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *link = NULL, *path = NULL;

                if (!startswith(names[i], prefix))
                        continue;
                r = format(&link, "sys/%s/%s", directory, names[i]);
                r = r < 0 ? r : sysfs_resolve(root, link, &path);
                if (r == -EINVAL || r == -ENOENT) { /* no device (“bonding_masters”), or gone since */
                        r = 0;
                        continue;
                }
                r = r < 0 ? r : add(root, l, path);
        }
        strings_free(names, n);
        return r;
}

static int add_if_up(int root, HostUses *l, const char *path) {
        return is_up(root, path) ? add_interface(root, l, path, path_name(path), false, 0) : 0;
}

static int read_network(int root, HostUses *l) {
        char **routed = NULL;
        size_t n = 0;
        int r;

        r = read_routes(root, &routed, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *link = NULL, *path = NULL;

                r = format(&link, "sys/class/net/%s", routed[i]);
                r = r < 0 ? r : sysfs_resolve(root, link, &path);
                r = r < 0 ? r : add_interface(root, l, path, routed[i], true, 0);
                if (r < 0)
                        log_error_errno(r, "Cannot tell which device the default route by %s needs: %s.", routed[i], strerror(-r));
        }
        strings_free(routed, n);
        if (r < 0)
                return r;
        r = each_device(root, l, "net", "", add_if_up);
        return r < 0 ? log_error_errno(r, "Cannot read the network interfaces in /sys/class/net: %s.", strerror(-r)) : 0;
}

/* ---- input ---- */

/* From linux/input-event-codes.h, which has them as macros of names that are too short to be had in all files. */
enum {
        CODE_REL_X = 0x00,
        CODE_REL_Y = 0x01,
        CODE_ABS_X = 0x00,
        CODE_ABS_Y = 0x01,
        CODE_BTN_LEFT = 0x110,
        CODE_BTN_TOOL_FINGER = 0x145,
        CODE_BTN_TOUCH = 0x14a,
        CODE_KEY_ESC = 1,
        CODE_KEY_S = 31,
        BUS_BLUETOOTH = 5,
};

/* A capability is written as words of the machine's width, the highest first. */
static bool has_code(const char *words, unsigned code) {
        const unsigned bits = 8 * sizeof(unsigned long);
        const char *end = words + strlen(words);

        for (unsigned n = code / bits; n > 0; n--) {
                while (end > words && *--end != ' ')
                        ;
                if (end == words)
                        return false;
        }
        while (end > words && end[-1] != ' ')
                end--;
        return strtoull(end, NULL, 16) >> code % bits & 1;
}

static bool is_keyboard(const char *keys) {
        for (unsigned code = CODE_KEY_ESC; code <= CODE_KEY_S; code++)
                if (!has_code(keys, code))
                        return false;
        return true;
}

/* Most input devices are buttons, sensors and jacks, which their keys tell. */
static bool may_be_input(const char *keys) {
        return is_keyboard(keys) || has_code(keys, CODE_BTN_TOOL_FINGER) || has_code(keys, CODE_BTN_LEFT) ||
               has_code(keys, CODE_BTN_TOUCH);
}

/* What somebody would call it; NULL: nothing one works a desktop with. */
static const char *input_kind(const char *keys, const char *relative, const char *absolute) {
        bool moves = has_code(relative, CODE_REL_X) && has_code(relative, CODE_REL_Y);
        bool points = has_code(absolute, CODE_ABS_X) && has_code(absolute, CODE_ABS_Y);

        if (is_keyboard(keys))
                return "keyboard";
        if (points && has_code(keys, CODE_BTN_TOOL_FINGER))
                return "touchpad";
        if ((moves || points) && has_code(keys, CODE_BTN_LEFT))
                return "mouse";
        return points && has_code(keys, CODE_BTN_TOUCH) ? "touch screen" : NULL;
}


/* A Bluetooth keyboard is a virtual device (uhid) that does not tell its adapter: it may be any. */
static int add_bluetooth(int root, HostUses *l, const char *kind, const char *name) {
        char **adapters = NULL;
        size_t n = 0;
        int r;

        r = sysfs_list(root, "class/bluetooth", NULL, &adapters, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *link = NULL, *path = NULL;

                r = format(&link, "sys/class/bluetooth/%s", adapters[i]);
                r = r < 0 ? r : sysfs_resolve(root, link, &path);
                r = r < 0 ? r : host_uses_add(root, l, HOST_USE_INPUT, path, "%s “%s” (Bluetooth)", kind, name);
        }
        strings_free(adapters, n);
        return r;
}

static int add_input(int root, HostUses *l, const char *path) {
        _cleanup_(freep) char *keys = NULL, *relative = NULL, *absolute = NULL, *name = NULL, *bus = NULL;
        const char *kind;
        int r;

        r = sysfs_read(root, path, "capabilities/key", &keys);
        if (r >= 0 && !may_be_input(keys))
                return 0;
        r = r < 0 ? r : sysfs_read(root, path, "capabilities/rel", &relative);
        r = r < 0 ? r : sysfs_read(root, path, "capabilities/abs", &absolute);
        r = r < 0 ? r : sysfs_read(root, path, "name", &name);
        if (r < 0)
                return r == -ENOENT || r == -ENODEV ? 0 : r; /* unplugged just now */
        kind = input_kind(keys, relative, absolute);
        if (!kind)
                return 0;
        if (path_is_within(path, "devices/virtual") && sysfs_read(root, path, "id/bustype", &bus) >= 0 &&
            strtoul(bus, NULL, 16) == BUS_BLUETOOTH)
                return add_bluetooth(root, l, kind, name);
        return host_uses_add(root, l, HOST_USE_INPUT, path, "%s “%s”", kind, name);
}

/* ---- displays ---- */

/* Lit is what has a CRTC, be it blanked: whoever blanked it will want it back. A driver that cannot tell whether something
 * is connected says “unknown”. */
static int add_display(int root, HostUses *l, const char *path) {
        _cleanup_(freep) char *enabled = NULL, *status = NULL;
        const char *connector;

        connector = strchr(path_name(path), '-'); /* “card1-HDMI-A-1” */
        if (!connector || sysfs_read(root, path, "enabled", &enabled) < 0 || sysfs_read(root, path, "status", &status) < 0)
                return 0; /* the card itself, or gone since */
        if (!streq(enabled, "enabled") || streq(status, "disconnected"))
                return 0;
        return host_uses_add(root, l, HOST_USE_DISPLAY, path, "the display on %s", connector + 1);
}

int host_uses_read(int root, HostUses *ret) {
        _cleanup_(host_uses_done) HostUses l = {};
        int r;

        r = host_disks_read(root, &l);
        r = r < 0 ? r : read_network(root, &l);
        if (r < 0)
                return r;
        r = each_device(root, &l, "input", "input", add_input); /* “event3”, “mouse0” are other faces of an “inputN” */
        if (r < 0)
                return log_error_errno(r, "Cannot read the input devices in /sys/class/input: %s.", strerror(-r));
        r = each_device(root, &l, "drm", "card", add_display);
        if (r < 0)
                return log_error_errno(r, "Cannot read the displays in /sys/class/drm: %s.", strerror(-r));

        *ret = l;
        l = (HostUses){};
        return 0;
}
