/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of static binding: by address, never by ids alone, and never for the GPU the machine boots on unless told. */

#include "fixture.h"
#include "static-files.h"

enum {
        UNIT_TEST_FUNCTIONS = 4,
};

static PciFunction function(const char *address, uint16_t vendor, uint16_t device, uint32_t class_code, bool boot_vga) {
        PciFunction f = { .vendor = vendor, .device = device, .class_code = class_code, .boot_vga = boot_vga };

        assert_int_equal(pci_address_parse(address, &f.address), 0);
        pci_address_format(f.address, f.name);
        return f;
}

/* Two cards of the same make; the machine boots on the first. */
static void make(bool also_boot_vga, bool mkinitcpio, StaticFiles *ret) {
        static const char *const modules[] = { "bochs", "snd_hda_intel" };
        PciFunction items[UNIT_TEST_FUNCTIONS] = {
                function("00:10.0", 0x1234, 0x1111, 0x030000, true),
                function("01:00.0", 0x1234, 0x1111, 0x030000, false),
                function("01:00.1", 0x8086, 0x2668, 0x040300, false),
                function("02:00.0", 0x8086, 0x2669, 0x040300, false),
        };
        const PciFunctions all = { items, UNIT_TEST_FUNCTIONS }, bound = { items + !also_boot_vga, 2 + also_boot_vga };
        const StaticFacts facts = { &bound, &all, modules, 2, mkinitcpio, "/usr/lib/systemd/system/vxm-static-bind.service" };

        assert_int_equal(static_files_make(&facts, ret), 0);
}

static const StaticFile *find(const StaticFiles *l, const char *path) {
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i].path, path))
                        return &l->items[i];
        fail_msg("no %s", path);
        return NULL;
}

static void assert_has(const StaticFile *f, const char *text) {
        if (!strstr(f->content, text))
                fail_msg("/%s has no “%s”:\n%s", f->path, text, f->content);
}

static void assert_has_not(const StaticFile *f, const char *text) {
        if (strstr(f->content, text))
                fail_msg("/%s has “%s”:\n%s", f->path, text, f->content);
}

/* Each path that may be made is among those that are looked at when all is taken away, and no file lacks the header. */
static void test_paths(void **state) {
        _cleanup_(static_files_done) StaticFiles l = {};

        (void) state;
        make(false, true, &l);
        for (size_t i = 0; i < l.n; i++) {
                bool known = false;

                for (size_t j = 0; static_paths[j]; j++)
                        known |= streq(static_paths[j], l.items[i].path);
                assert_true(known);
                assert_true((l.items[i].content != NULL) != (l.items[i].target != NULL));
                if (l.items[i].content)
                        assert_non_null(startswith(l.items[i].content, STATIC_HEADER));
        }
        assert_string_equal(find(&l, STATIC_WANTS)->target, "/usr/lib/systemd/system/vxm-static-bind.service");
}

static void test_devices(void **state) {
        _cleanup_(static_files_done) StaticFiles l = {};
        const StaticFile *f;

        (void) state;
        make(false, false, &l);
        f = find(&l, STATIC_DEVICES);
        assert_has(f, "\n0000:01:00.0 0x1234 0x1111\n0000:01:00.1 0x8086 0x2668\n");
        assert_has_not(f, "0000:00:10.0");
        assert_has_not(f, "0000:02:00.0");
        assert_has_not(f, "boot-vga");
}

/* SingleGpu=yes: then all three places have to let the machine's own GPU through. */
static void test_boot_vga(void **state) {
        _cleanup_(static_files_done) StaticFiles l = {};
        const StaticFile *f;

        (void) state;
        make(true, false, &l);
        assert_has(find(&l, STATIC_DEVICES), "\n0000:00:10.0 0x1234 0x1111 boot-vga\n0000:01:00.0 0x1234 0x1111\n");
        f = find(&l, STATIC_RULES);
        assert_has(f, "\nKERNEL==\"0000:00:10.0\", ATTR{vendor}==\"0x1234\", ATTR{device}==\"0x1111\", ENV{VXM_STATIC}=\"1\"\n");
        assert_has_not(find(&l, STATIC_MODPROBE), "would take");
}

static void test_rules(void **state) {
        _cleanup_(static_files_done) StaticFiles l = {};
        const StaticFile *f;

        (void) state;
        make(false, false, &l);
        f = find(&l, STATIC_RULES);
        assert_has(f, "\nKERNEL==\"0000:01:00.0\", ATTR{vendor}==\"0x1234\", ATTR{device}==\"0x1111\", ATTR{boot_vga}==\"0\", "
                      "ENV{VXM_STATIC}=\"1\"\n");
        /* Only VGA controllers have boot_vga, and a rule matches no attribute that is not there. */
        assert_has(f, "\nKERNEL==\"0000:01:00.1\", ATTR{vendor}==\"0x8086\", ATTR{device}==\"0x2668\", ENV{VXM_STATIC}=\"1\"\n");
        assert_has_not(f, "0000:00:10.0");
}

/* Identical cards are the reason why there is no option ids= but in a comment. */
static void test_modprobe(void **state) {
        _cleanup_(static_files_done) StaticFiles l = {};
        const StaticFile *f;

        (void) state;
        make(false, false, &l);
        f = find(&l, STATIC_MODPROBE);
        assert_has(f, "\nsoftdep bochs pre: vfio-pci\nsoftdep snd_hda_intel pre: vfio-pci\n");
        assert_has(f, "\n# ids=1234:1111, for 0000:01:00.0, would take 0000:00:10.0, too.\n");
        assert_has_not(f, "02:00.0");
        assert_has_not(f, "\noptions");
}

static void test_mkinitcpio(void **state) {
        _cleanup_(static_files_done) StaticFiles with = {}, without = {};

        (void) state;
        make(false, true, &with);
        make(false, false, &without);
        assert_has(find(&with, STATIC_MKINITCPIO), "HOOKS+=(vxm)\n");
        assert_int_equal(with.n, without.n + 1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_devices),
                cmocka_unit_test(test_boot_vga),
                cmocka_unit_test(test_rules),
                cmocka_unit_test(test_modprobe),
                cmocka_unit_test(test_mkinitcpio),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
