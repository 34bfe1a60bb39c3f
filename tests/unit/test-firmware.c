/* SPDX-License-Identifier: BSD-3-Clause */
/* Which firmware a guest gets: one descriptor judged by its text, and the choice among several in two directories. */

#include "firmware.h"
#include "fixture.h"

#define IMAGES "\"executable\": {\"filename\": \"/c\", \"format\": \"raw\"}, " \
               "\"nvram-template\": {\"filename\": \"/v\", \"format\": \"raw\"}"
#define FLASH "\"mapping\": {\"device\": \"flash\", " IMAGES "}"
#define UEFI "\"interface-types\": [\"bios\", \"uefi\"]"
#define TARGETS "\"targets\": [{\"architecture\": \"x86_64\", \"machines\": [\"pc-i440fx-*\", \"pc-q35-*\"]}]"
#define FEATURES "\"features\": [\"acpi-s3\", \"amd-sev\", \"verbose-dynamic\"]"
#define GOOD "{" UEFI ", " FLASH ", " TARGETS ", " FEATURES "}"

#define FLAGS(features) "{" UEFI ", " FLASH ", " TARGETS ", \"features\": [" features "]}"

static const FirmwareWish plain = { .machine = "q35" };
static const FirmwareWish secure = { .machine = "q35", .secure_boot = true };
static const FirmwareWish enrolled = { .machine = "q35", .secure_boot = true, .enrolled_keys = true };

static int parse(const char *text, const char *machine, Firmware *ret) {
        FirmwareWish wish = { .machine = machine };

        return firmware_parse(text, strlen(text), &wish, ret);
}

static void test_good(void **state) {
        static const char *const machines[] = { "q35", "pc-q35-10.0", "pc-i440fx-9.2" };
        Firmware f;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(machines); i++) {
                assert_int_equal(parse(GOOD, machines[i], &f), 1);
                assert_string_equal(f.code, "/c");
                assert_string_equal(f.vars, "/v");
                assert_string_equal(f.format, "raw");
                firmware_done(&f);
        }
        assert_int_equal(parse("{" UEFI ", " TARGETS ", \"mapping\": {\"device\": \"flash\", \"mode\": \"split\", " IMAGES "}}",
                                 "q35", &f), 1);
        firmware_done(&f);
        assert_int_equal(parse(GOOD, "virt", &f), 0);
}

/* Sound descriptors of firmware that does not fit. */
static void test_unfit(void **state) {
        static const char *const rows[] = {
                "{}",
                "{\"interface-types\": [\"bios\"], " FLASH ", " TARGETS ", " FEATURES "}",
                "{" UEFI ", " FLASH ", " FEATURES "}",
                "{" UEFI ", " FLASH ", \"targets\": [{\"architecture\": \"aarch64\", \"machines\": [\"pc-q35-*\"]}]}",
                "{" UEFI ", " FLASH ", \"targets\": [{\"architecture\": \"x86_64\", \"machines\": [\"microvm\"]}]}",
                "{" UEFI ", " FLASH ", " TARGETS ", \"features\": [\"requires-smm\"]}",
                "{" UEFI ", " FLASH ", " TARGETS ", \"features\": [\"acpi-s3\", \"enrolled-keys\"]}",
                "{" UEFI ", " TARGETS "}",
                "{" UEFI ", " TARGETS ", \"mapping\": {\"device\": \"memory\", \"filename\": \"/c\"}}",
                "{" UEFI ", " TARGETS ", \"mapping\": {\"device\": \"flash\", \"mode\": \"stateless\", " IMAGES "}}",
                "{" UEFI ", " TARGETS ", \"mapping\": {\"device\": \"flash\", \"mode\": \"combined\", " IMAGES "}}",
                "{" UEFI ", " TARGETS ", \"mapping\": {\"device\": \"flash\", \"executable\": {\"filename\": \"/c\", "
                "\"format\": \"raw\"}}}",
                "{" UEFI ", " TARGETS ", \"mapping\": {\"device\": \"flash\", \"executable\": {\"filename\": \"/c\", "
                "\"format\": \"qcow2\"}, \"nvram-template\": {\"filename\": \"/v\", \"format\": \"raw\"}}}",
                "{" UEFI ", " TARGETS ", \"mapping\": {\"device\": \"flash\", \"executable\": {\"filename\": \"/c\", "
                "\"format\": \"raw,x=y\"}, \"nvram-template\": {\"filename\": \"/v\", \"format\": \"raw,x=y\"}}}",
                "{" UEFI ", " TARGETS ", \"mapping\": {\"device\": \"flash\", \"executable\": {\"filename\": \"c\", "
                "\"format\": \"raw\"}, \"nvram-template\": {\"filename\": \"/v\", \"format\": \"raw\"}}}",
                "{" UEFI ", " TARGETS ", \"mapping\": {\"device\": \"flash\", \"executable\": {\"filename\": \"/c\", "
                "\"format\": \"raw\"}, \"nvram-template\": {\"filename\": \"/../v\", \"format\": \"raw\"}}}",
                /* the right keys with the wrong types */
                "{\"interface-types\": \"uefi\", " FLASH ", " TARGETS "}",
                "{\"interface-types\": [1, null, {}], " FLASH ", " TARGETS "}",
                "{" UEFI ", " FLASH ", \"targets\": [1, [], \"x86_64\", {\"architecture\": 1}]}",
                "{" UEFI ", " FLASH ", \"targets\": [{\"architecture\": \"x86_64\", \"machines\": \"pc-q35-*\"}]}",
                "{" UEFI ", " FLASH ", \"targets\": [{\"architecture\": \"x86_64\", \"machines\": [null, 5]}]}",
                "{" UEFI ", " TARGETS ", \"mapping\": []}",
                "{" UEFI ", " TARGETS ", \"mapping\": {\"device\": \"flash\", \"executable\": \"/c\", "
                "\"nvram-template\": 1}}",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Firmware f = {};

                if (parse(rows[i], "q35", &f) != 0)
                        fail_msg("taken: %s", rows[i]);
                assert_null(f.code);
        }
}

static void test_no_descriptor(void **state) {
        static const char *const rows[] = { "", "[]", "1", "\"uefi\"", "null", "{", GOOD "x",
                "{\"features\": [], \"features\": []}", "{\"\\u0000\": 1}" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Firmware f = {};

                if (parse(rows[i], "q35", &f) != -EINVAL)
                        fail_msg("“%s” is no descriptor", rows[i]);
        }
}

/* Each wish takes what has its features, and nothing else that matters. */
static void test_features(void **state) {
        static const struct {
                const char *text;
                bool plain, secure, enrolled, s3;
        } rows[] = {
                { FLAGS(""), true, false, false, false },
                { FLAGS("\"acpi-s3\""), true, false, false, true },
                { FLAGS("\"secure-boot\""), true, false, false, false }, /* without SMM it guards nothing */
                { FLAGS("\"requires-smm\""), false, false, false, false },
                { FLAGS("\"enrolled-keys\""), false, false, false, false },
                { FLAGS("\"secure-boot\", \"enrolled-keys\""), false, false, false, false },
                { FLAGS("\"secure-boot\", \"requires-smm\""), false, true, false, false },
                { FLAGS("\"requires-smm\", \"secure-boot\", \"acpi-s3\", \"enrolled-keys\""), false, false, true, true },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const FirmwareWish *const wishes[] = { &plain, &secure, &enrolled };
                const bool wanted[] = { rows[i].plain, rows[i].secure, rows[i].enrolled };

                for (size_t j = 0; j < ELEMENTSOF(wishes); j++) {
                        Firmware f = {};

                        if (firmware_parse(rows[i].text, strlen(rows[i].text), wishes[j], &f) != wanted[j])
                                fail_msg("wish %zu: %s", j, rows[i].text);
                        if (wanted[j]) {
                                assert_int_equal(f.secure_boot, j > 0);
                                assert_int_equal(f.enrolled_keys, j > 1);
                                assert_int_equal(f.s3, rows[i].s3);
                        }
                        firmware_done(&f);
                }
        }
}

static void assert_found(Fixture *fixture, const char *code) {
        Firmware f = {};
        int r = firmware_find(fixture->root, &plain, &f);

        assert_int_equal(r, code ? 0 : -ENOENT);
        if (code)
                assert_string_equal(f.code, code);
        firmware_done(&f);
}

static void test_packaged(void **state) {
        Firmware f = {};

        fixture_machine(*state, "host");
        assert_int_equal(firmware_find(((Fixture *) *state)->root, &plain, &f), 0);
        assert_string_equal(f.code, "/usr/share/OVMF/OVMF_CODE_4M.fd");
        assert_string_equal(f.vars, "/usr/share/OVMF/OVMF_VARS_4M.fd");
        firmware_done(&f);
        assert_int_equal(firmware_find(((Fixture *) *state)->root, &enrolled, &f), 0);
        assert_string_equal(f.code, "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd");
        assert_string_equal(f.vars, "/usr/share/OVMF/OVMF_VARS_4M.ms.fd");
        assert_true(f.secure_boot && f.enrolled_keys && f.s3);
        firmware_done(&f);
}

static void assert_pair(Fixture *fixture, const FirmwareWish *wish, const char *code, const char *vars, const char *format) {
        Firmware f = {};

        assert_int_equal(firmware_find(fixture->root, wish, &f), 0);
        assert_string_equal(f.code, code);
        assert_string_equal(f.vars, vars);
        assert_string_equal(f.format, format);
        assert_int_equal(f.secure_boot, wish->secure_boot);
        assert_int_equal(f.enrolled_keys, wish->secure_boot && wish->enrolled_keys);
        assert_false(f.s3); /* no file name tells it */
        firmware_done(&f);
}

/* Without a descriptor, files by their usual names: the larger flash first, and never half a pair. */
static void test_pairs(void **state) {
        Fixture *fixture = *state;
        Firmware f = {};

        fixture_write(fixture, "usr/share/OVMF/OVMF_CODE.fd", "2M");
        fixture_write(fixture, "usr/share/OVMF/OVMF_VARS.fd", "2M");
        fixture_write(fixture, "usr/share/OVMF/OVMF_CODE_4M.fd", "4M");
        assert_pair(fixture, &plain, "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd", "raw");
        fixture_write(fixture, "usr/share/OVMF/OVMF_VARS_4M.fd", "4M");
        assert_pair(fixture, &plain, "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", "raw");

        assert_int_equal(firmware_find(fixture->root, &secure, &f), -ENOENT);
        fixture_write(fixture, "usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "4M");
        assert_pair(fixture, &secure, "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", "raw");
        assert_int_equal(firmware_find(fixture->root, &enrolled, &f), -ENOENT);
        fixture_write(fixture, "usr/share/edk2/ovmf/OVMF_CODE_4M.secboot.qcow2", "4M");
        fixture_write(fixture, "usr/share/edk2/ovmf/OVMF_VARS_4M.secboot.qcow2", "4M");
        assert_pair(fixture, &enrolled, "/usr/share/edk2/ovmf/OVMF_CODE_4M.secboot.qcow2",
                "/usr/share/edk2/ovmf/OVMF_VARS_4M.secboot.qcow2", "qcow2");
        fixture_write(fixture, "usr/share/OVMF/OVMF_VARS_4M.ms.fd", "4M");
        assert_pair(fixture, &enrolled, "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", "raw");
}

static void test_none(void **state) {
        Fixture *f = *state;

        assert_found(f, NULL);
        fixture_directory(f, "usr/share/qemu/firmware");
        assert_found(f, NULL);
}

/* A descriptor for /NAME, with both files there. */
static void descriptor(Fixture *f, const char *path, const char *name) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(format(&text,
                                 "{" UEFI ", " TARGETS ", \"mapping\": {\"device\": \"flash\", "
                                 "\"executable\": {\"filename\": \"/%s\", \"format\": \"raw\"}, "
                                 "\"nvram-template\": {\"filename\": \"/%s.vars\", \"format\": \"raw\"}}}",
                                 name, name), 0);
        fixture_write(f, path, text);
        fixture_write(f, name, "code");
        free(TAKE_PTR(text));
        assert_int_equal(format(&text, "%s.vars", name), 0);
        fixture_write(f, text, "vars");
}

/* Names decide across directories; of one name the administrator's file counts, and an empty one hides. */
static void test_precedence(void **state) {
        Fixture *f = *state;

        descriptor(f, "usr/share/qemu/firmware/50-a.json", "usr-a");
        descriptor(f, "usr/share/qemu/firmware/60-b.json", "usr-b");
        assert_found(f, "/usr-a");
        descriptor(f, "etc/qemu/firmware/60-b.json", "etc-b");
        assert_found(f, "/usr-a");
        descriptor(f, "etc/qemu/firmware/50-a.json", "etc-a");
        assert_found(f, "/etc-a");
        fixture_write(f, "etc/qemu/firmware/50-a.json", "");
        assert_found(f, "/etc-b");
        fixture_write(f, "etc/qemu/firmware/60-b.json", "");
        assert_found(f, NULL);
        descriptor(f, "etc/qemu/firmware/10-c.json", "etc-c");
        assert_found(f, "/etc-c");
}

static void test_passed_over(void **state) {
        Fixture *f = *state;

        descriptor(f, "usr/share/qemu/firmware/10-not.txt", "txt");
        descriptor(f, "usr/share/qemu/firmware/.10-hidden.json", "hidden");
        descriptor(f, "usr/share/qemu/firmware/10-json", "json");
        fixture_write(f, "usr/share/qemu/firmware/20-broken.json", "{");
        fixture_directory(f, "usr/share/qemu/firmware/30-directory.json");
        descriptor(f, "usr/share/qemu/firmware/40-no-code.json", "no-code");
        fixture_remove(f, "no-code");
        descriptor(f, "usr/share/qemu/firmware/50-no-vars.json", "no-vars");
        fixture_remove(f, "no-vars.vars");
        assert_found(f, NULL);
        descriptor(f, "usr/share/qemu/firmware/60-good.json", "good");
        assert_found(f, "/good");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_unfit),
                cmocka_unit_test(test_no_descriptor),
                cmocka_unit_test(test_features),
                fixture_test(test_packaged),
                fixture_test(test_none),
                fixture_test(test_pairs),
                fixture_test(test_precedence),
                fixture_test(test_passed_over),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
