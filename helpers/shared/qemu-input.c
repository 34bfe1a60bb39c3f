/* SPDX-License-Identifier: BSD-3-Clause */
/* One keyboard takes all other devices along (grab_all): QEMU's devices that do so leave each other alone, so that a second one would
 * stay where it is and get out of step (input_linux_toggle_grab() in QEMU's ui/input-linux.c). When that keyboard is pulled out,
 * another one takes its place. The keys of the others move only these themselves. */

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

static InputKind kind_of(const char *entry) {
        InputKind kind;
        unsigned number;

        return input_entry_parse(entry, &kind, &number) < 0 ? INPUT_NONE : kind;
}

static json_t *describe(const char *entry, const char *node, void *userdata) {
        const QemuInput *input = userdata;
        bool repeat = input->guest->input_repeat && kind_of(entry) != INPUT_POINTER;

        return json_pack("{s:s, s:s, s:b, s:s}", "qom-type", "input-linux", "evdev", node, "repeat", repeat, "grab-toggle",
                input_toggle_name(input->guest->input_toggle));
}

/* The one that there is already, else the first with letters. */
static const char *choose_main(const QemuPlug *plug, const QemuInput *input) {
        const char *found = NULL, *entry;

        for (size_t i = 0; (entry = qemu_plug_entry(plug, i)); i++) {
                if (streq(entry, input->main))
                        return entry;
                if (kind_of(entry) == INPUT_KEYBOARD && (!found || strcmp(entry, found) < 0))
                        found = entry;
        }
        return found;
}

static void dropped(const char *entry, void *userdata) {
        QemuInput *input = userdata;

        if (streq(input->main, entry))
                input->main[0] = '\0';
}

static int settle(QemuPlug *plug, Qmp *qmp, void *userdata) {
        QemuInput *input = userdata;
        const char *chosen = input->guest->input_grab_all ? choose_main(plug, input) : NULL;
        _cleanup_(freep) char *path = NULL;
        char id[PLUG_ID_SIZE];
        json_t *arguments;

        if (!chosen || streq(chosen, input->main))
                return 0;
        if (format(&path, "/objects/%s", qemu_plug_id(&qemu_input_kind, chosen, id)) < 0)
                return -ENOMEM;
        arguments = json_pack("{s:s, s:s, s:b}", "path", path, "property", "grab_all", "value", true);
        if (!arguments)
                return -ENOMEM;
        (void) snprintf(input->main, sizeof input->main, "%s", chosen);
        return qmp_send(qmp, "qom-set", arguments, NULL, NULL);
}

/* When a device goes, QEMU closes its descriptor at the first failing read, and once more when the object is removed: nothing else
 * may be opened in between, so it is removed at once. */
const QemuPlugKind qemu_input_kind = {
        .what = "Input device",
        .message = MESSAGE_INPUT_FAILED,
        .prefix = "input-",
        .add = "object-add",
        .drop = "object-del",
        .node_of = node_of,
        .describe = describe,
        .dropped = dropped,
        .settle = settle,
};
