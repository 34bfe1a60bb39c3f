/* SPDX-License-Identifier: BSD-3-Clause */
/* Each keyboard takes all mice and further keys along (grab_all), but not the other keyboards: QEMU's devices that do so leave each other
 * alone (input_linux_toggle_grab() in QEMU's ui/input-linux.c). If only one of them did, the mouse would not follow the others' keys;
 * and mice with macros often call themselves keyboards. */

#include "guest.h"
#include "input-plug.h"
#include "messages.h"
#include "qemu-input.h"

static int node_of(const char *entry, char ret[static PLUG_NODE_SIZE]) {
        char node[INPUT_NODE_SIZE];
        InputKind kind;
        unsigned number;
        int r = input_entry_parse(entry, &kind, &number);

        if (r >= 0)
                (void) snprintf(ret, PLUG_NODE_SIZE, "%s", input_node_print(number, node));
        return r;
}

static json_t *describe(const char *entry, const char *node, const void *userdata) {
        const Guest *g = userdata;
        InputKind kind;
        unsigned number;

        if (input_entry_parse(entry, &kind, &number) < 0)
                return NULL;
        return json_pack("{s:s, s:s, s:b, s:b, s:s}", "qom-type", "input-linux", "evdev", node, "repeat",
                g->input_repeat && kind != INPUT_POINTER, "grab_all", g->input_grab_all && kind == INPUT_KEYBOARD, "grab-toggle",
                input_toggle_name(g->input_toggle));
}

/* When a device goes, QEMU closes its descriptor at the first failing read, and once more when the object is removed, whatever has
 * that number by then: so it is removed at once, and before another one joins. */
const QemuPlugKind qemu_input_kind = {
        .what = "Input device",
        .message = MESSAGE_INPUT_FAILED,
        .prefix = "input-",
        .add = "object-add",
        .drop = "object-del",
        .node_of = node_of,
        .describe = describe,
};
