/* SPDX-License-Identifier: BSD-3-Clause */
/* Option ROMs: good ones, and each way in which one is none. */

#include <fcntl.h>

#include "exit-status.h"
#include "fixture.h"
#include "rom-file.h"

enum {
        UNIT = 512,
        PCIR = 0x1c, /* where our images have their PCI data structure */
        BIOS = 0,
        EFI = 3,
};

/* Writes an image of n units; last: nothing comes behind it. */
static void put_image(uint8_t *p, uint8_t n, uint16_t vendor, uint16_t device, uint8_t type, bool last) {
        memset(p, 0, (size_t) n * UNIT);
        p[0] = 0x55;
        p[1] = 0xaa;
        p[0x18] = PCIR;
        memcpy(p + PCIR, "PCIR", 4);
        p[PCIR + 4] = vendor & 0xff;
        p[PCIR + 5] = (uint8_t) (vendor >> 8);
        p[PCIR + 6] = device & 0xff;
        p[PCIR + 7] = (uint8_t) (device >> 8);
        p[PCIR + 0x10] = n;
        p[PCIR + 0x14] = type;
        p[PCIR + 0x15] = last ? 0x80 : 0;
}

/* Checks a copy of just this size, for the sanitizers; reason: what is said, NULL when the ROM is good. */
static void assert_rom(const uint8_t *data, size_t size, bool want_efi, const char *wanted) {
        _cleanup_(freep) char *reason = NULL;
        _cleanup_(freep) uint8_t *copy = malloc(size > 0 ? size : 1);
        int r;

        assert_non_null(copy);
        if (size > 0)
                memcpy(copy, data, size);
        r = rom_check(copy, size, 0x1002, 0x73bf, want_efi, &reason);
        if (r != (wanted ? -EBADMSG : 0) || !streq_ptr(reason, wanted))
                fail_msg("%zu bytes: %d, %s; not: %s", size, r, reason ? reason : "good", wanted ? wanted : "good");
}

#define NO_EFI "has no image for UEFI; set [Firmware] Type=bios, or find a newer one"
#define NO_ROM "does not begin with 0x55AA, so it is no option ROM"
#define NO_PCIR "has no PCI data structure; it may be cut short"
#define SHORT "is shorter than it says; it may be cut short"
#define NO_LAST "ends before its last image; it may be cut short"

static void test_good(void **state) {
        uint8_t rom[8 * UNIT] = {};

        (void) state;
        put_image(rom, 2, 0x1002, 0x73bf, BIOS, true);
        assert_rom(rom, 2 * UNIT, false, NULL);
        assert_rom(rom, 2 * UNIT, true, NO_EFI);
        put_image(rom, 2, 0x1002, 0x73bf, EFI, true);
        assert_rom(rom, 2 * UNIT, true, NULL);
        assert_rom(rom, sizeof rom, true, NULL); /* what a flash chip holds behind it */

        put_image(rom, 2, 0x1002, 0x73bf, BIOS, false);
        put_image(rom + 2 * UNIT, 3, 0x1002, 0x73bf, EFI, true);
        assert_rom(rom, 5 * UNIT, true, NULL);
        assert_rom(rom, 5 * UNIT, false, NULL);
}

static void test_other_device(void **state) {
        uint8_t rom[4 * UNIT];

        (void) state;
        put_image(rom, 2, 0x1002, 0x73df, BIOS, true);
        assert_rom(rom, 2 * UNIT, false, "is for device 1002:73df, not for 1002:73bf");
        put_image(rom, 2, 0x10de, 0x73bf, BIOS, true);
        assert_rom(rom, 2 * UNIT, false, "is for device 10de:73bf, not for 1002:73bf");

        /* The guest's firmware runs only images with the card's own ids. */
        put_image(rom, 2, 0x1002, 0x73bf, BIOS, false);
        put_image(rom + 2 * UNIT, 2, 0x1002, 0x73df, EFI, true);
        assert_rom(rom, 4 * UNIT, true, NO_EFI);
}

/* One ROM for several devices of a vendor names the others in a list, from revision 3 of the data structure on. */
static void test_device_list(void **state) {
        static const uint8_t list[] = { 0xe1, 0x73, 0xbf, 0x73, 0, 0 };
        uint8_t rom[2 * UNIT];

        (void) state;
        put_image(rom, 2, 0x1002, 0x73df, EFI, true);
        memcpy(rom + PCIR + 0x20, list, sizeof list);
        rom[PCIR + 0x08] = 0x20;
        assert_rom(rom, sizeof rom, true, "is for device 1002:73df, not for 1002:73bf");
        rom[PCIR + 0x0c] = 3;
        assert_rom(rom, sizeof rom, true, NULL);
        rom[PCIR + 0x04] = 0xde;
        assert_rom(rom, sizeof rom, true, "is for device 10de:73df, not for 1002:73bf");

        /* Without an end, at the end, and beyond it. */
        put_image(rom, 2, 0x1002, 0x73df, EFI, true);
        rom[PCIR + 0x0c] = 3;
        memset(rom + UNIT, 0x11, UNIT);
        for (unsigned at = 2 * UNIT - PCIR - 4; at < 2 * UNIT; at++) {
                rom[PCIR + 0x08] = at & 0xff;
                rom[PCIR + 0x09] = (uint8_t) (at >> 8);
                assert_rom(rom, sizeof rom, true, "is for device 1002:73df, not for 1002:73bf");
        }
}

/* At no length does a part of it pass for the whole. */
static void test_cut_short(void **state) {
        uint8_t rom[3 * UNIT];

        (void) state;
        put_image(rom, 2, 0x1002, 0x73bf, BIOS, false);
        put_image(rom + 2 * UNIT, 1, 0x1002, 0x73bf, EFI, true);
        for (size_t size = 0; size < sizeof rom; size++) {
                size_t at = size < 2 * UNIT ? 0 : 2 * UNIT, left = size - at;

                if (size == 2 * UNIT)
                        assert_rom(rom, size, true, NO_LAST);
                else
                        assert_rom(rom, size, true, left < 0x1a ? NO_ROM : left < PCIR + 0x18 ? NO_PCIR : SHORT);
        }
        assert_rom(rom, sizeof rom, true, NULL);
}

static void test_damaged(void **state) {
        uint8_t rom[2 * UNIT];

        (void) state;
        put_image(rom, 2, 0x1002, 0x73bf, EFI, true);
        rom[0] = 'N';
        assert_rom(rom, sizeof rom, true, NO_ROM);

        put_image(rom, 2, 0x1002, 0x73bf, EFI, true);
        rom[PCIR] = 'p';
        assert_rom(rom, sizeof rom, true, NO_PCIR);

        /* Pointers to all places: only one has the structure. */
        for (unsigned at = 0; at <= UINT16_MAX; at++) {
                put_image(rom, 2, 0x1002, 0x73bf, EFI, true);
                rom[0x18] = at & 0xff;
                rom[0x19] = (uint8_t) (at >> 8);
                assert_rom(rom, sizeof rom, true, at == PCIR ? NULL : NO_PCIR);
        }

        put_image(rom, 2, 0x1002, 0x73bf, EFI, true);
        rom[PCIR + 0x10] = 0;
        assert_rom(rom, sizeof rom, true, SHORT);
        rom[PCIR + 0x11] = 0xff;
        assert_rom(rom, sizeof rom, true, SHORT);
}

static void test_endless(void **state) {
        _cleanup_(freep) uint8_t *rom = calloc(64, UNIT);

        (void) state;
        assert_non_null(rom);
        for (size_t i = 0; i < 64; i++)
                put_image(rom + i * UNIT, 1, 0x1002, 0x73bf, EFI, false);
        assert_rom(rom, 64 * UNIT, true, "has too many images");
        put_image(rom + 31 * UNIT, 1, 0x1002, 0x73bf, EFI, true);
        assert_rom(rom, 64 * UNIT, true, NULL);
}

static void write_rom(Fixture *f, const uint8_t *data, size_t size) {
        int fd;

        fixture_write(f, "rom", "");
        fd = openat(f->root, "rom", O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(write_full(fd, data, size), 0);
        close(fd);
}

static void test_file(void **state) {
        PciFunction function = { .name = "0000:01:00.0", .vendor = 0x1002, .device = 0x73bf };
        Guest g = { .file = (char *) "/g.guest", .firmware = FIRMWARE_UEFI };
        Fixture *f = *state;
        uint8_t rom[UNIT];

        fixture_capture(f);
        assert_int_equal(rom_file_check(f->root, &g, &function, "/rom"), -E_CONFIG);
        fixture_assert_logged(f, "/g.guest: RomFile=/rom cannot be read: No such file or directory; correct the path.");

        put_image(rom, 1, 0x1002, 0x73bf, BIOS, true);
        write_rom(f, rom, sizeof rom);
        fixture_capture(f);
        assert_int_equal(rom_file_check(f->root, &g, &function, "/rom"), -E_CONFIG);
        fixture_assert_logged(f, "/g.guest: RomFile=/rom for 0000:01:00.0 " NO_EFI "; without RomFile= the guest uses the card's own.");
        g.firmware = FIRMWARE_BIOS;
        assert_int_equal(rom_file_check(f->root, &g, &function, "/rom"), 0);

        fixture_remove(f, "rom");
        fixture_directory(f, "rom");
        assert_int_equal(rom_file_check(f->root, &g, &function, "/rom"), -E_CONFIG);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_other_device),
                cmocka_unit_test(test_device_list),
                cmocka_unit_test(test_cut_short),
                cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_endless),
                fixture_test(test_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
