/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of keys holds for every row: what a new key must bring along is checked here, whoever adds it. */

#include <ctype.h>

#include "exit-status.h"
#include "fixture.h"
#include "guest-keys.h"

static bool is_disk(const GuestKey *k) {
        return streq(k->section, "Disk") || streq(k->section, "CDROM");
}

static bool is_share(const GuestKey *k) {
        return streq(k->section, "Share");
}

static bool is_devices(const GuestKey *k) {
        return (streq(k->section, "GPU") || streq(k->section, "PCI")) && !k->of_guest;
}

static bool is_network(const GuestKey *k) {
        return streq(k->section, "Network");
}

static bool is_monitor(const GuestKey *k) {
        return streq(k->section, "Monitor");
}

static bool is_download(const GuestKey *k) {
        return streq(k->section, "Download");
}

static const char *section_text(const GuestKey *k) {
        return is_share(k)                  ? "Share a"
               : streq(k->section, "CDROM") ? "CDROM a"
               : is_disk(k)                 ? "Disk a"
               : is_network(k)              ? "Network a"
               : is_download(k)             ? "Download a"
                                            : k->section;
}

static size_t size_of_base(const GuestKey *k) {
        return is_disk(k)      ? sizeof(GuestDisk)
               : is_share(k)   ? sizeof(GuestShare)
               : is_devices(k) ? sizeof(GuestDevices)
               : is_network(k) ? sizeof(GuestNetwork)
               : is_monitor(k) ? sizeof(GuestMonitor)
               : is_download(k) ? sizeof(GuestDownload)
                               : sizeof(Guest);
}

static int assign(Guest *g, const GuestKey *k, const char *value) {
        return guest_assign(&(ConfLine){ "/x", 1, section_text(k), k->key, value }, g);
}

static void test_rows_are_whole(void **state) {
        (void) state;
        assert_true(n_guest_keys > 0);
        for (size_t i = 0; i < n_guest_keys; i++) {
                const GuestKey *k = &guest_keys[i];

                assert_non_null(k->parse);
                assert_non_null(k->expects);
                assert_true(isupper((unsigned char) *k->section) && isupper((unsigned char) *k->key));
                assert_true(k->offset < size_of_base(k));
                assert_false(k->initial && k->reset);
                for (size_t j = 0; j < i; j++)
                        assert_false(streq(guest_keys[j].section, k->section) && streq(guest_keys[j].key, k->key));
        }
}

/* The initial value of each row is one that a file could give. */
static void test_initial(void **state) {
        (void) state;
        for (size_t i = 0; i < n_guest_keys; i++) {
                const GuestKey *k = &guest_keys[i];
                Guest *g = calloc(1, sizeof *g);

                assert_non_null(g);
                assert_int_equal(guest_apply_initial(g), 0);
                if (k->initial && assign(g, k, k->initial) != 0)
                        fail_msg("[%s] %s=%s, its initial value, is refused", k->section, k->key, k->initial);
                guest_free(g);
        }
}

/* Text that no key can mean; keys of free text take what stays on its line and is not too long. */
static void test_garbage(void **state) {
        static const char *const garbage[] = { "\x01", "a\nb", "a\rb", "\x7f", "/a\\", "/../", "-1",
                "99999999999999999999", "%s%n", "nö" };
        const size_t n_for_text = 5;
        char too_long[4200];

        (void) state;
        memset(too_long, 'x', sizeof too_long - 1);
        too_long[0] = '/';
        too_long[sizeof too_long - 1] = '\0';

        for (size_t i = 0; i < n_guest_keys; i++) {
                const GuestKey *k = &guest_keys[i];
                bool is_text = streq(k->key, "Description") || streq(k->key, "CommandLine") || streq(k->key, "Device") ||
                        streq(k->key, "Serial") || streq(k->key, "Tag") || streq(k->key, "Devices");
                Guest *g = calloc(1, sizeof *g);

                assert_non_null(g);
                if (assign(g, k, too_long) != -E_CONFIG)
                        fail_msg("[%s] %s= takes %zu characters", k->section, k->key, strlen(too_long));
                for (size_t j = 0; j < (is_text ? n_for_text : ELEMENTSOF(garbage)); j++)
                        if (assign(g, k, garbage[j]) != -E_CONFIG)
                                fail_msg("[%s] %s=%s is taken", k->section, k->key, garbage[j]);
                guest_free(g);
        }
}

/* Setting a key and then emptying it is as if it had never stood there. */
static void test_empty_is_initial(void **state) {
        static const char *const values[] = { "no", "yes", "1", "4G", "90s", "bios", "qcow2", "/a", "a", "01:00.0",
                "static", "flr", "auto", "256M", "bridge", "br0", "e1000e",
                "52:54:00:12:34:56", "8080:80", "2222", "qxl", "a.service", "scsi", "unsafe", "5", "jack", "10.0.7.1", "64",
                "model:DELL U2720Q", "hdmi-2", "0x1b", "https://example.org/a.img", "gzip",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "0000:00/1c.0/00.0 1234:1111:1af4:1100" };
        Guest *untouched = calloc(1, sizeof *untouched);

        (void) state;
        assert_non_null(untouched);
        assert_int_equal(guest_apply_initial(untouched), 0);
        for (size_t i = 0; i < n_guest_keys; i++) {
                const GuestKey *k = &guest_keys[i];
                Guest *g = calloc(1, sizeof *g);

                assert_non_null(g);
                assert_int_equal(guest_apply_initial(g), 0);
                for (size_t j = 0; j < ELEMENTSOF(values); j++)
                        (void) assign(g, k, values[j]);
                assert_int_equal(assign(g, k, ""), 0);
                if (is_disk(k)) {
                        bool cdrom = streq(k->section, "CDROM");
                        GuestDisk nothing = { .name = g->disks[0].name, .cdrom = cdrom, .format = cdrom ? DISK_RAW : DISK_FORMAT_UNSET,
                                .bus = cdrom ? DISK_SATA : DISK_VIRTIO, .read_only = cdrom, .discard = !cdrom };

                        assert_int_equal(g->n_disks, 1);
                        if (memcmp(&g->disks[0], &nothing, sizeof nothing) != 0)
                                fail_msg("[%s] %s= does not reset", k->section, k->key);
                } else if (is_share(k)) {
                        GuestShare nothing = { .name = g->shares[0].name };

                        assert_int_equal(g->n_shares, 1);
                        if (memcmp(&g->shares[0], &nothing, sizeof nothing) != 0)
                                fail_msg("[%s] %s= does not reset", k->section, k->key);
                } else if (is_network(k)) {
                        const GuestNetwork nothing = {};

                        assert_int_equal(g->n_networks, 1);
                        free(TAKE_PTR(g->networks[0].name));
                        if (memcmp(&g->networks[0], &nothing, sizeof nothing) != 0)
                                fail_msg("[%s] %s= does not reset", k->section, k->key);
                } else if (is_monitor(k)) {
                        const GuestMonitor nothing = {};

                        assert_int_equal(g->n_monitors, 1);
                        if (memcmp(&g->monitors[0], &nothing, sizeof nothing) != 0)
                                fail_msg("[%s] %s= does not reset", k->section, k->key);
                } else if (is_download(k)) {
                        GuestDownload nothing;

                        memset(&nothing, 0, sizeof nothing);
                        nothing.format = DISK_QCOW2;
                        assert_int_equal(g->n_downloads, 1);
                        free(TAKE_PTR(g->downloads[0].name));
                        if (memcmp(&g->downloads[0], &nothing, sizeof nothing) != 0)
                                fail_msg("[%s] %s= does not reset", k->section, k->key);
                } else if (is_devices(k)) {
                        GuestDevices nothing = { .gpu = streq(k->section, "GPU") };

                        assert_int_equal(g->n_devices, 1);
                        if (memcmp(&g->devices[0], &nothing, sizeof nothing) != 0)
                                fail_msg("[%s] %s= does not reset", k->section, k->key);
                } else if (memcmp(g, untouched, sizeof *g) != 0) {
                        fail_msg("[%s] %s= does not reset", k->section, k->key);
                }
                guest_free(g);
        }
        guest_free(untouched);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_rows_are_whole),
                fixture_test(test_initial),
                fixture_test(test_garbage),
                fixture_test(test_empty_is_initial),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
