/* SPDX-License-Identifier: BSD-3-Clause */
/* Forward= and MAC= of any bytes, tables of sockets, name servers, and undo records of taps. What is taken has the form
 * that the rest of the product relies on. */

#include "forward.h"
#include "fuzz.h"
#include "mac.h"
#include "net-plan.h"
#include "passt-argv.h"
#include "port-use.h"
#include "root.h"

static void check_values(const char *text) {
        char mac[MAC_TEXT_SIZE], again[MAC_TEXT_SIZE];
        Forward f;

        if (forward_parse(text, &f) >= 0 &&
                (f.host == 0 || f.guest == 0 || !memchr(f.address, '\0', sizeof f.address) ||
                        !forwards_collide(&f, &f)))
                abort();
        if (mac_parse(text, mac) >= 0 && (mac_parse(mac, again) < 0 || !streq(mac, again)))
                abort();
}

static void check_tables(const char *text) {
        Forward f = { .host = 8080 };
        char **servers = NULL;
        size_t n = 0;
        PortUse use;

        (void) port_use_parse(text, false, &f, 0, &use);
        (void) port_use_parse(text, true, &f, 0, &use);
        if (name_servers_parse(text, &servers, &n) >= 0)
                for (size_t i = 0; i < n; i++)
                        if (servers[i][strspn(servers[i], "0123456789abcdefABCDEF.:")] != '\0')
                                abort();
        strings_free(servers, n);
}

static void check_record(char *text) {
        _cleanup_(net_taps_done) NetTaps taps = {};

        if (net_record_parse(text, &taps) < 0)
                return;
        for (size_t i = 0; i < taps.n; i++)
                if (!startswith(taps.items[i].name, "vxm-") || strpbrk(taps.items[i].bridge, "/ \n"))
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = malloc(size + 1);

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        check_values(text);
        check_tables(text);
        check_record(text);
        return 0;
}
