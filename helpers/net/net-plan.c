/* SPDX-License-Identifier: BSD-3-Clause */
/* Plans taps, and notes them. */

#include "guest-values.h"
#include "net-plan.h"
#include "record-file.h"

#define RECORD_KIND "net"

enum {
        TAPS_MAX = 2 * GUEST_NETWORKS_MAX, /* what a guest file can ask for, and what an earlier one has */
};

void net_taps_done(NetTaps *taps) {
        for (size_t i = 0; i < taps->n; i++)
                free(taps->items[i].bridge);
        free(taps->items);
        *taps = (NetTaps){};
}

const NetTap *net_taps_find(const NetTaps *taps, const char *name) {
        for (size_t i = 0; i < taps->n; i++)
                if (streq(taps->items[i].name, name))
                        return &taps->items[i];
        return NULL;
}

static int add(NetTaps *taps, const char *name, const char *mac, const char *bridge) {
        NetTap *tap;

        if (taps->n >= TAPS_MAX)
                return -E2BIG;
        tap = ARRAY_GROW(taps->items, taps->n);
        if (!tap)
                return -ENOMEM;
        (void) snprintf(tap->name, sizeof tap->name, "%s", name);
        (void) snprintf(tap->mac, sizeof tap->mac, "%s", mac);
        tap->bridge = strdup(bridge);
        if (!tap->bridge)
                return -ENOMEM;
        taps->n++;
        return 0;
}

/* A bridge takes the lowest address of its ports for its own, unless it has been given one: one that begins with fe is
 * never the lowest. It must not be the guest's own, or the bridge would keep what is for the guest. */
static void host_mac(const GuestNetwork *n, uint64_t tag, char ret[static MAC_TEXT_SIZE]) {
        mac_from_tag(tag, ret);
        if (n->mac)
                strcpy(ret, n->mac);
        memcpy(ret, startswith(ret, "fe") ? "fa" : "fe", 2);
}

int net_plan(int root, const Guest *g, NetTaps *ret) {
        _cleanup_(net_taps_done) NetTaps taps = {};

        for (size_t i = 0; i < g->n_networks; i++) {
                const GuestNetwork *n = &g->networks[i];
                char name[TAP_NAME_SIZE], mac[MAC_TEXT_SIZE];
                uint64_t tag;
                int r;

                if (n->type != NETWORK_BRIDGE)
                        continue;
                r = network_tag_find(root, g, n, &tag);
                if (r < 0)
                        return r;
                tap_from_tag(tag, name);
                host_mac(n, tag, mac);
                if (net_taps_find(&taps, name))
                        return -EEXIST;
                r = add(&taps, name, mac, n->bridge);
                if (r < 0)
                        return r;
        }
        *ret = taps;
        taps = (NetTaps){};
        return 0;
}

int net_plan_keep(NetTaps *taps, const NetTaps *earlier) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < earlier->n; i++)
                if (!net_taps_find(taps, earlier->items[i].name))
                        r = add(taps, earlier->items[i].name, "", earlier->items[i].bridge);
        return r;
}

static bool is_tap_name(const char *s) {
        const char *digits = startswith(s, "vxm-");

        return digits && strlen(digits) == 10 && digits[strspn(digits, "0123456789abcdef")] == '\0';
}

static int parse_line(char *line, NetTaps *taps) {
        _cleanup_(freep) char *bridge = NULL;
        char *space = strchr(line, ' ');
        int r;

        if (!space)
                return -EBADMSG;
        *space = '\0';
        if (!is_tap_name(line) || space[1] == '\0' || net_taps_find(taps, line))
                return -EBADMSG;
        r = value_interface(space + 1, &bridge);
        if (r == -ENOMEM)
                return r;
        return r < 0 ? -EBADMSG : add(taps, line, "", bridge);
}

int net_record_parse(char *text, NetTaps *ret) {
        _cleanup_(net_taps_done) NetTaps taps = {};
        char *state;

        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                int r = parse_line(line, &taps);

                if (r < 0)
                        return r == -ENOMEM ? r : -EBADMSG;
        }
        *ret = taps;
        taps = (NetTaps){};
        return 0;
}

static int record_print(FILE *f, const void *userdata) {
        const NetTaps *taps = userdata;

        for (size_t i = 0; i < taps->n; i++)
                fprintf(f, "%s %s\n", taps->items[i].name, taps->items[i].bridge);
        return 0;
}

int net_record_save(int root, const char *guest, const NetTaps *taps) {
        return record_file_save(root, RECORD_KIND, guest, record_print, taps);
}

int net_record_load(int root, const char *guest, NetTaps *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = record_file_read(root, RECORD_KIND, guest, &text);

        return r < 0 ? r : net_record_parse(text, ret);
}

int net_record_forget(int root, const char *guest) {
        return record_file_forget(root, RECORD_KIND, guest);
}
