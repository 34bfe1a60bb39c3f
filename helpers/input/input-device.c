/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads /sys/class/input (Documentation/input/event-codes.rst of the kernel) into libevdev, which then is asked what there is, and
 * what udev has made of each (60-input-id.rules, 60-persistent-input.rules). What devices say of themselves is foreign text. */

#include <sys/sysmacros.h>

#include "evdev-library.h"
#include "exit-status.h"
#include "input-device.h"
#include "log.h"
#include "messages.h"
#include "parse.h"
#include "root.h"
#include "sysfs.h"

enum {
        DEVICES_MAX = 1024,
        LINKS_MAX = 32,
};

static void device_done(InputDevice *d) {
        free(d->name);
        free(d->title);
        free(d->body);
        strings_free(d->links, d->n_links);
}

void input_devices_done(InputDevices *l) {
        for (size_t i = 0; i < l->n; i++)
                device_done(&l->items[i]);
        free(l->items);
        *l = (InputDevices){};
}

const InputDevice *input_devices_find(const InputDevices *l, unsigned number) {
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].number == number)
                        return &l->items[i];
        return NULL;
}

/* ---- what it can do ---- */

/* A set of codes is written as words of the machine's width, the highest first. */
static void enable(struct libevdev *dev, int type, char *words) {
        const unsigned bits = 8 * sizeof(unsigned long);
        const int max = type < 0 ? INPUT_PROP_MAX : evdev_library()->event_type_get_max((unsigned) type);
        static const struct input_absinfo range = { .maximum = 1 };
        char *space;

        for (int first = 0; *words && first <= max; first += (int) bits) {
                unsigned long word;

                space = strrchr(words, ' ');
                word = strtoul(space ? space + 1 : words, NULL, 16);
                for (int code = first; word && code <= max; code++, word >>= 1) {
                        if (!(word & 1))
                                continue;
                        if (type < 0)
                                (void) evdev_library()->enable_property(dev, (unsigned) code);
                        else
                                (void) evdev_library()->enable_event_code(dev, (unsigned) type, (unsigned) code,
                                        type == EV_ABS ? &range : NULL);
                }
                if (!space)
                        return;
                *space = '\0';
        }
}

/* path: of the “inputN” that the node belongs to, below /sys. */
static int load(int root, const char *path, struct libevdev *dev) {
        static const struct {
                const char *file;
                int type; /* -1: properties */
        } sets[] = { { "capabilities/key", EV_KEY }, { "capabilities/rel", EV_REL }, { "capabilities/abs", EV_ABS }, { "properties", -1 } };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(sets); i++) {
                _cleanup_(freep) char *words = NULL;

                r = sysfs_read(root, path, sets[i].file, &words);
                if (r >= 0)
                        enable(dev, sets[i].type, words);
        }
        return r;
}

static bool has(const struct libevdev *dev, unsigned type, unsigned code) {
        return evdev_library()->has_event_code(dev, type, code);
}

/* What each desktop keyboard has, and no remote control. */
static bool has_letters(const struct libevdev *dev) {
        static const unsigned keys[] = { KEY_1, KEY_Q, KEY_A, KEY_Z, KEY_M, KEY_SPACE, KEY_ENTER, KEY_LEFTCTRL };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (!has(dev, EV_KEY, keys[i]))
                        return false;
        return true;
}

/* What QEMU can make use of: it wants buttons, too, and looks at two axes (ui/input-linux.c). */
static bool points(const struct libevdev *dev) {
        bool moves = has(dev, EV_REL, REL_X) && has(dev, EV_REL, REL_Y);
        bool lies = has(dev, EV_ABS, ABS_X) && has(dev, EV_ABS, ABS_Y);

        return (moves && has(dev, EV_KEY, BTN_LEFT)) || (lies && (has(dev, EV_KEY, BTN_LEFT) || has(dev, EV_KEY, BTN_TOUCH)));
}

/* Power buttons, lids and the like have keys that are no matter of a guest's. */
static bool has_other_keys(const struct libevdev *dev) {
        for (unsigned code = KEY_ESC; code < BTN_MISC; code++)
                if (code != KEY_POWER && code != KEY_SLEEP && code != KEY_WAKEUP && has(dev, EV_KEY, code))
                        return true;
        return false;
}

static InputKind kind_of(const struct libevdev *dev) {
        if (has_letters(dev))
                return INPUT_KEYBOARD;
        if (points(dev))
                return INPUT_POINTER;
        return has_other_keys(dev) ? INPUT_KEYS : INPUT_NONE;
}

/* ---- what udev knows ---- */

typedef struct UdevWord {
        bool known; /* it has looked at the device */
        bool keyboard, pointer;
} UdevWord;

static int heed_line(const char *line, InputDevice *d, UdevWord *word) {
        const char *link = startswith(line, "S:"), *property = startswith(line, "E:");
        _cleanup_(freep) char *path = NULL;

        if (property) {
                word->keyboard |= streq(property, "ID_INPUT_KEYBOARD=1");
                word->pointer |= streq(property, "ID_INPUT_MOUSE=1") || streq(property, "ID_INPUT_TOUCHPAD=1") ||
                        streq(property, "ID_INPUT_POINTINGSTICK=1");
                return 0;
        }
        if (!link || !startswith(link, "input/") || d->n_links >= LINKS_MAX)
                return 0;
        return format(&path, "/dev/%s", link) < 0 ? -ENOMEM : strings_add(&d->links, &d->n_links, path);
}

/* Until it has looked at a device, owner and mode of the node are not yet what they will be; where there is no udev at all, nobody
 * looks. Returns 0; -ENOENT: not yet; -ENOMEM. */
static int ask_udev(int root, InputDevice *d, UdevWord *ret) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        char *state;
        int r;

        r = format(&path, "run/udev/data/c%u:%u", major(d->device), minor(d->device));
        r = r < 0 ? r : root_read(root, path, &text);
        if (r < 0)
                return r == -ENOMEM || root_exists(root, "run/udev/control") ? r : 0;
        ret->known = true;
        for (char *line = strtok_r(text, "\n", &state); r >= 0 && line; line = strtok_r(NULL, "\n", &state))
                r = heed_line(line, d, ret);
        return r;
}

/* ---- all of them ---- */

static bool is_bluetooth(int root, const char *path) {
        _cleanup_(freep) char *bus = NULL;

        return sysfs_read(root, path, "id/bustype", &bus) >= 0 && strtoul(bus, NULL, 16) == BUS_BLUETOOTH;
}

/* Bluetooth devices are virtual to the kernel, as a program speaks for them (uhid). */
static bool is_real(int root, const char *path) {
        return !path_is_within(path, "devices/virtual") || is_bluetooth(root, path);
}

/* “usb-0000:00:14.0-1/input1”: the keys for the volume are another device of the same keyboard. */
static int read_body(int root, const char *path, char **ret) {
        _cleanup_(freep) char *where = NULL;

        /* By Bluetooth that is the host's own end, the same for all. */
        if (sysfs_read(root, path, is_bluetooth(root, path) ? "uniq" : "phys", &where) >= 0)
                where[strcspn(where, "/")] = '\0';
        return free_and_strdup(ret, where ? where : "");
}

static int read_numbers(int root, const char *path, dev_t *ret) {
        _cleanup_(freep) char *text = NULL;
        uint64_t high, low;
        char *colon;
        int r = sysfs_read(root, path, "dev", &text);

        if (r < 0)
                return r;
        colon = strchr(text, ':');
        if (!colon)
                return -EINVAL;
        *colon = '\0';
        if (parse_number(text, 0, UINT32_MAX, &high) < 0 || parse_number(colon + 1, 0, UINT32_MAX, &low) < 0)
                return -EINVAL;
        *ret = makedev((unsigned) high, (unsigned) low);
        return 0;
}

static int read_device(int root, const char *entry, unsigned number, InputDevice *d) {
        _cleanup_(evdev_freep) struct libevdev *dev = evdev_library()->new();
        _cleanup_(freep) char *link = NULL, *path = NULL, *of = NULL, *name = NULL;
        UdevWord word = {};
        int r;

        if (!dev)
                return -ENOMEM;
        d->number = number;
        r = format(&link, "sys/class/input/%s", entry);
        r = r < 0 ? r : sysfs_resolve(root, link, &path);
        r = r < 0 ? r : read_numbers(root, path, &d->device);
        if (r < 0)
                return r;
        of = strndup(path, (size_t) (strrchr(path, '/') - path));
        r = of ? sysfs_read(root, of, "name", &name) : -ENOMEM;
        r = r < 0 ? r : free_and_strdup(&d->title, strstrip(name)); /* as guest files have it */
        r = r < 0 ? r : free_and_strdup(&d->name, d->title);
        r = r < 0 ? r : load(root, of, dev);
        r = r < 0 ? r : read_body(root, of, &d->body);
        r = r < 0 ? r : ask_udev(root, d, &word);
        if (r < 0)
                return r;
        (void) text_clean(d->name);
        d->kind = kind_of(dev);
        d->offered = is_real(root, of) && !evdev_library()->has_property(dev, INPUT_PROP_DIRECT) &&
                ((d->kind == INPUT_KEYBOARD && (word.keyboard || !word.known)) ||
                        (d->kind == INPUT_POINTER && (word.pointer || !word.known)));
        return 0;
}

static int compare(const void *a, const void *b) {
        const InputDevice *x = a, *y = b;

        return x->number < y->number ? -1 : x->number > y->number;
}

static int add_device(int root, const char *entry, InputDevices *l) {
        InputDevice *slot, d = {};
        unsigned number;
        int r;

        if (input_node_parse(entry, &number) < 0)
                return 0;
        r = l->n >= DEVICES_MAX ? -E2BIG : read_device(root, entry, number, &d);
        slot = r < 0 ? NULL : ARRAY_GROW(l->items, l->n);
        if (slot) {
                *slot = d;
                l->n++;
                return 0;
        }
        device_done(&d);
        if (r == -ENOENT || r == -ENODEV || r == -EINVAL || r == -EIO)
                return 0;
        return r < 0 ? r : -ENOMEM;
}

int input_devices_read(int root, InputDevices *ret) {
        _cleanup_(input_devices_done) InputDevices l = {};
        char **names = NULL;
        size_t n = 0;
        int r;

        if (!evdev_library())
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "libevdev.so.2 is missing, which tells keyboards and mice apart; install it (Debian: libevdev2).");
        r = sysfs_list(root, "class/input", NULL, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = add_device(root, names[i], &l);
        strings_free(names, n);
        if (r < 0)
                return log_error_errno(r, "Cannot read /sys/class/input: %s.", strerror(-r));
        if (l.n > 0)
                qsort(l.items, l.n, sizeof l.items[0], compare);
        *ret = l;
        l = (InputDevices){};
        return 0;
}

/* ---- which is meant ---- */

/* A device of several parts may call all of them the same, also those that are of no use. */
static bool has_namesake(const InputDevices *l, const InputDevice *d) {
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].kind != INPUT_NONE && streq(l->items[i].title, d->title))
                        return true;
        return false;
}

bool input_devices_are_one(const InputDevice *a, const InputDevice *b) {
        return !isempty(a->body) && streq(a->body, b->body);
}

bool input_device_fits(const InputDevices *l, const InputDevice *d, const InputSpec *spec) {
        switch (spec->way) {
        case INPUT_AUTO:
                return d->offered || d->kind == INPUT_KEYS;
        case INPUT_LINK:
                return strings_contain(d->links, d->n_links, spec->text);
        case INPUT_NAME:
                return streq(d->title, spec->text) && (d->kind != INPUT_NONE || !has_namesake(l, d));
        }
        return false;
}

bool input_device_is_extra(const InputDevice *d, const InputSpec *spec) {
        return spec->way == INPUT_AUTO && !d->offered;
}
