/* SPDX-License-Identifier: BSD-3-Clause */
/* The undo record: what is written comes back the same, what is damaged is refused, and a reader never sees half. */

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bind-record.h"
#include "exit-status.h"
#include "fixture.h"
#include "root.h"

static int parse(const char *text, BindRecord *ret) {
        _cleanup_(freep) char *copy = strdup(text);

        assert_non_null(copy);
        return bind_record_parse(copy, ret);
}

static void test_parse(void **state) {
        BindRecord record;

        (void) state;
        assert_int_equal(parse("function 0000:01:00.0 bochs-drm - 0 0\nfunction 10000:e1:00.1 - vfio-pci 998 997\n", &record), 0);
        assert_int_equal(record.n, 2);
        assert_int_equal(record.functions[0].address.bus, 1);
        assert_string_equal(record.functions[0].driver, "bochs-drm");
        assert_null(record.functions[0].override);
        assert_int_equal(record.functions[0].node_uid, 0);
        assert_int_equal(record.functions[1].address.domain, 0x10000);
        assert_null(record.functions[1].driver);
        assert_string_equal(record.functions[1].override, "vfio-pci");
        assert_int_equal(record.functions[1].node_uid, 998);
        assert_int_equal(record.functions[1].node_gid, 997);
        bind_record_done(&record);

        assert_int_equal(parse("", &record), 0);
        assert_int_equal(record.n, 0);
        bind_record_done(&record);
}

static void test_damaged(void **state) {
        static const char *const rows[] = {
                "function 0000:01:00.0",
                "function 0000:01:00.0 bochs-drm - 0",
                "function 0000:01:00.0 bochs-drm - 0 0 0",
                "function 0000:01:00.8 bochs-drm - 0 0",
                "bochs-drm 0000:01:00.0 - 0 0",
                "function 0000:01:00.0 ../../x - 0 0",
                "function 0000:01:00.0 a/b - 0 0",
                "0000:01:00.0 a\tb - 0 0",
                "0000:01:00.0 a\x01 - 0 0",
                "0000:01:00.0 \xc3\xa4 - 0 0",
                "function 0000:01:00.0 bochs-drm x/y 0 0",
                "function 0000:01:00.0 bochs-drm - -1 0",
                "function 0000:01:00.0 bochs-drm - 4294967295 0", /* means “leave it” to chown(2) */
                "function 0000:01:00.0 bochs-drm - 0 4294967295",
                "function 0000:01:00.0 bochs-drm - 4294967296 0",
                "function 0000:01:00.0 bochs-drm - root root",
                "function 0000:01:00.0 bochs-drm - 0 0\n0000:01:00.1 snd",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                BindRecord record = { .n = 4711 };

                if (parse(rows[i], &record) != -EBADMSG)
                        fail_msg("taken: %s", rows[i]);
                assert_int_equal(record.n, 4711);
        }
}

/* Parses a record of n lines. */
static int parse_lines(int n, BindRecord *ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (int i = 0; i < n; i++)
                fprintf(f, "function 0000:%02x:00.0 - - 0 0\n", i);
        fclose(f);
        return bind_record_parse(text, ret);
}

static void test_limit(void **state) {
        BindRecord record;

        (void) state;
        assert_int_equal(parse_lines(128, &record), 0);
        assert_int_equal(record.n, 128);
        bind_record_done(&record);
        assert_int_equal(parse_lines(129, &record), -EBADMSG);
}

/* What could not be read back is not taken down in the first place: it would never be given back. */
static void test_limit_of_writer(void **state) {
        _cleanup_(bind_record_done) BindRecord record = {}, earlier = {};
        PciFunction function = { .address = { .bus = 200 }, .group = 8 };
        char more[] = "function 0000:c9:00.0 - - 0 0\n";
        Fixture *f = *state;

        assert_int_equal(parse_lines(128, &record), 0);
        assert_int_equal(bind_record_add(&record, f->root, &function), -E2BIG);
        assert_int_equal(bind_record_parse(more, &earlier), 0);
        assert_int_equal(bind_record_merge(&record, &earlier), -E2BIG);
        assert_int_equal(record.n, 128);
        for (int i = 0; i < 16; i++) {
                assert_int_equal(bind_record_add_vtconsole(&record, "vtcon1"), 0);
                assert_int_equal(bind_record_add_platform(&record, "a.0", "a"), 0);
        }
        assert_int_equal(bind_record_add_vtconsole(&record, "vtcon1"), -E2BIG);
        assert_int_equal(bind_record_add_platform(&record, "a.0", "a"), -E2BIG);
        for (int i = 0; i < 1024; i++)
                assert_int_equal(bind_record_add_attribute(&record, function.address, "d3cold_allowed", "1"), 0);
        assert_int_equal(bind_record_add_attribute(&record, function.address, "d3cold_allowed", "1"), -E2BIG);
}

static void add(Fixture *f, BindRecord *record, const char *address) {
        PciFunction function;
        PciAddress a;

        assert_int_equal(pci_address_parse(address, &a), 0);
        assert_int_equal(pci_read_function(f->root, a, &function), 0);
        assert_int_equal(pci_read_override(f->root, &function), 0);
        assert_int_equal(bind_record_add(record, f->root, &function), 0);
        pci_function_done(&function);
}

static void test_round_trip(void **state) {
        _cleanup_(bind_record_done) BindRecord saved = {}, loaded = {};
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;

        fixture_machine(f, "bmc");
        fixture_directory(f, "run/vxm/bind");
        add(f, &saved, "17:00.0");
        add(f, &saved, "65:00.0");
        add(f, &saved, "65:00.1");
        assert_int_equal(bind_record_save(f->root, "g", &saved), 0);

        assert_int_equal(root_read(f->root, "run/vxm/bind/g", &text), 0);
        assert_string_equal(text, "function 0000:17:00.0 vfio-pci vfio-pci 0 0\nfunction 0000:65:00.0 nvidia - 0 0\n"
                                  "function 0000:65:00.1 snd_hda_intel - 0 0");
        assert_int_equal(bind_record_load(f->root, "g", &loaded), 0);
        assert_int_equal(loaded.n, saved.n);
        for (size_t i = 0; i < saved.n; i++) {
                assert_true(pci_address_equal(loaded.functions[i].address, saved.functions[i].address));
                assert_true(streq_ptr(loaded.functions[i].driver, saved.functions[i].driver));
                assert_true(streq_ptr(loaded.functions[i].override, saved.functions[i].override));
        }

        assert_int_equal(bind_record_forget(f->root, "g"), 0);
        assert_false(root_exists(f->root, "run/vxm/bind/g"));
        assert_int_equal(bind_record_load(f->root, "g", &loaded), -ENOENT);
        assert_int_equal(bind_record_forget(f->root, "g"), 0); /* twice is once */
}

/* driver_override takes any line, a record only words: what could not be read back is not written down. */
static void test_not_recordable(void **state) {
        static const char *const overrides[] = { "a b", "a/b", "-", "\xc3\xa4" };
        _cleanup_(bind_record_done) BindRecord record = {};
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(overrides); i++) {
                PciFunction function = { .override = (char *) overrides[i], .group = 8 };

                assert_int_equal(bind_record_add(&record, f->root, &function), -EINVAL);
        }
}

/* The owner a node has is noted; where there is no node yet, it is root's. */
static void test_node_owner(void **state) {
        _cleanup_(bind_record_done) BindRecord record = {};
        Fixture *f = *state;
        struct stat st;

        fixture_machine(f, "two-gpu");
        add(f, &record, "01:00.0");
        assert_int_equal(record.functions[0].node_uid, 0);

        fixture_write(f, "dev/vfio/8", "");
        if (geteuid() == 0)
                assert_int_equal(fchownat(f->root, "dev/vfio/8", 4711, 4712, 0), 0);
        assert_int_equal(fstatat(f->root, "dev/vfio/8", &st, 0), 0);
        add(f, &record, "01:00.1");
        assert_int_equal(record.functions[1].node_uid, st.st_uid);
        assert_int_equal(record.functions[1].node_gid, st.st_gid);
}

static void test_load_damaged(void **state) {
        BindRecord record;
        Fixture *f = *state;

        fixture_write(f, "run/vxm/bind/g", "0000:01:00.0 bochs");
        assert_int_equal(bind_record_load(f->root, "g", &record), -EBADMSG);
}

static void assert_holder(Fixture *f, const char *guest, const char *address, const char *wanted) {
        _cleanup_(freep) char *holder = NULL;
        PciAddress a;

        assert_int_equal(pci_address_parse(address, &a), 0);
        assert_int_equal(bind_record_holder(f->root, guest, a, &holder), wanted ? 1 : 0);
        if (wanted)
                assert_string_equal(holder, wanted);
        else
                assert_null(holder);
}

/* Who holds a device is who has it in a record; one's own record is no obstacle, nor is a half-written one. */
static void test_holder(void **state) {
        _cleanup_(freep) char *holder = NULL;
        Fixture *f = *state;

        assert_holder(f, "a", "01:00.0", NULL);
        fixture_directory(f, "run/vxm/bind");
        assert_holder(f, "a", "01:00.0", NULL);
        fixture_write(f, "run/vxm/bind/b", "function 0000:02:00.0 - - 0 0\n");
        fixture_write(f, "run/vxm/bind/c", "function 0000:01:00.0 - - 0 0\nfunction 0000:01:00.1 - - 0 0\n");
        fixture_write(f, "run/vxm/bind/.d.new", "function 0000:03:00.0 - - 0 0\n");
        assert_holder(f, "a", "01:00.1", "c");
        assert_holder(f, "a", "02:00.0", "b");
        assert_holder(f, "a", "03:00.0", NULL);
        assert_holder(f, "a", "01:00.2", NULL);
        assert_holder(f, "c", "01:00.1", NULL);

        /* What cannot be read may hold anything. */
        fixture_write(f, "run/vxm/bind/a", "garbage\n");
        assert_int_equal(bind_record_holder(f->root, "z", (PciAddress){ .bus = 9 }, &holder), -EBADMSG);
        assert_string_equal(holder, "a");
        free(holder);

        /* What is no guest's is no record. */
        fixture_write(f, "run/vxm/bind/a", "");
        fixture_write(f, "run/vxm/bind/a~", "garbage\n");
        holder = NULL;
        assert_int_equal(bind_record_holder(f->root, "z", (PciAddress){ .bus = 9 }, &holder), 0);
        assert_null(holder);
}

/* What an earlier record says counts, whatever the machine looks like now. */
static void test_merge(void **state) {
        char text[] = "function 0000:01:00.0 nouveau - 7 8\nfunction 0000:01:00.1 - x 0 0\n"
                      "attribute 0000:01:00.0 reset_method flr bus\nvtconsole vtcon1\n";
        char now[] = "function 0000:01:00.0 vfio-pci vfio-pci 998 0\nattribute 0000:01:00.0 reset_method pm\n"
                     "attribute 0000:01:00.0 power/control on\nplatform simple-framebuffer.0 simple-framebuffer\n";
        _cleanup_(bind_record_done) BindRecord earlier = {}, record = {};

        (void) state;
        assert_int_equal(bind_record_parse(text, &earlier), 0);
        assert_int_equal(bind_record_parse(now, &record), 0);
        assert_int_equal(bind_record_merge(&record, &earlier), 0);
        assert_int_equal(record.n, 2);
        assert_string_equal(record.functions[0].driver, "nouveau");
        assert_null(record.functions[0].override);
        assert_int_equal(record.functions[0].node_uid, 7);
        assert_int_equal(record.functions[0].node_gid, 8);
        assert_string_equal(record.functions[1].override, "x");
        assert_int_equal(record.n_attributes, 2);
        assert_string_equal(record.attributes[0].value, "flr bus");
        assert_string_equal(record.attributes[1].value, "on");
        assert_int_equal(record.n_platforms, 1);
        assert_int_equal(record.n_vtconsoles, 1);
        /* Twice is once. */
        assert_int_equal(bind_record_merge(&record, &earlier), 0);
        assert_int_equal(record.n_attributes, 2);
        assert_int_equal(record.n_vtconsoles, 1);
}

/* All kinds of lines, there and back again. */
static void test_kinds(void **state) {
        static const char text[] = "function 0000:01:00.0 nouveau - 0 0\n"
                                   "stuck 0000:01:00.0 4711 123456789012\n"
                                   "attribute 0000:01:00.0 reset_method flr bus\n"
                                   "attribute 0000:01:00.0 resource0_resize 8\n"
                                   "attribute 0000:01:00.0 power/control auto\n"
                                   "platform simple-framebuffer.0 simple-framebuffer\n"
                                   "vtconsole vtcon1";
        _cleanup_(bind_record_done) BindRecord record = {};
        _cleanup_(freep) char *copy = strdup(text), *saved = NULL;
        Fixture *f = *state;

        fixture_directory(f, "run/vxm/bind");
        assert_non_null(copy);
        assert_int_equal(bind_record_parse(copy, &record), 0);
        assert_int_equal(record.functions[0].stuck.pid, 4711);
        assert_true(record.functions[0].stuck.start_time == UINT64_C(123456789012));
        assert_int_equal(bind_record_save(f->root, "g", &record), 0);
        assert_int_equal(root_read(f->root, "run/vxm/bind/g", &saved), 0);
        assert_string_equal(saved, text);
}

/* A record is root's, but what it makes root write is bounded all the same. */
static void test_damaged_kinds(void **state) {
        static const char *const texts[] = {
                "0000:01:00.0 nouveau - 0 0",
                "unknown x",
                "stuck 0000:01:00.0 1 1", /* of no function */
                "function 0000:01:00.0 - - 0 0\nstuck 0000:01:00.0 0 1",
                "function 0000:01:00.0 - - 0 0\nstuck 0000:01:00.0 1 1 1",
                "attribute 0000:01:00.0 remove 1",
                "attribute 0000:01:00.0 ../reset 1",
                "attribute 0000:01:00.0 resource6_resize 1",
                "attribute 0000:01:00.0 resource0 1",
                "attribute 0000:01:00.0 resource0_resize -1",
                "attribute 0000:01:00.0 resource0_resize 44",
                "attribute 0000:01:00.0 resource0_resize 8 9",
                "attribute 0000:01:00.0 reset_method",
                "attribute 0000:01:00.0 reset_method  x",
                "attribute 01:00 reset_method a\x01",
                "platform a/b c",
                "platform a",
                "vtconsole ../x",
                "vtconsole ",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(bind_record_done) BindRecord record = {};
                _cleanup_(freep) char *copy = strdup(texts[i]);

                assert_non_null(copy);
                if (bind_record_parse(copy, &record) != -EBADMSG)
                        fail_msg("accepted: %s", texts[i]);
        }
}

/* A write that goes on holds the record, whoever ordered it; the next run waits, but not for ever. */
static void test_hold(void **state) {
        _cleanup_(bind_record_done) BindRecord record = {};
        int first = -EBADF, second = -EBADF;
        Fixture *f = *state;

        fixture_directory(f, "run/vxm/bind");
        assert_int_equal(bind_record_hold(f->root, "g", 0, &first), -ENOENT);
        assert_int_equal(bind_record_save(f->root, "g", &record), 0);
        assert_int_equal(bind_record_hold(f->root, "g", 0, &first), 0);
        assert_int_equal(bind_record_hold(f->root, "g", 0, &second), -EBUSY);
        assert_int_equal(bind_record_hold(f->root, "g", 50000, &second), -EBUSY);
        close(first);
        assert_int_equal(bind_record_hold(f->root, "g", 0, &second), 0);
        /* What the waiting child gets is ours. */
        assert_int_equal(bind_record_hold(f->root, "g", 50000, &first), -EBUSY);
        close(second);
}

/* Whoever waits for a record that is saved anew meanwhile waits for the new one. */
static void test_hold_of_renewed(void **state) {
        _cleanup_(closep) int first = -EBADF, held = -EBADF;
        struct stat st, now;
        Fixture *f = *state;
        int fds[2];
        pid_t pid;

        fixture_directory(f, "run/vxm/bind");
        assert_int_equal(bind_record_save(f->root, "g", &(BindRecord){}), 0);
        assert_int_equal(pipe(fds), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                if (bind_record_hold(f->root, "g", 0, &first) < 0 || write(fds[1], "", 1) != 1)
                        _exit(1);
                (void) poll(NULL, 0, 100); /* time for the other to wait */
                _exit(bind_record_save(f->root, "g", &(BindRecord){}) < 0);
        }
        assert_int_equal(read(fds[0], &(char){ 0 }, 1), 1);
        assert_int_equal(bind_record_hold(f->root, "g", 0, &held), -E_BUSY);
        assert_int_equal(bind_record_hold(f->root, "g", 60000000, &held), 0);
        assert_int_equal(fstat(held, &st), 0);
        assert_int_equal(fstatat(f->root, "run/vxm/bind/g", &now, 0), 0);
        assert_true(st.st_ino == now.st_ino);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        close(fds[0]);
        close(fds[1]);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_limit),
                fixture_test(test_limit_of_writer),
                fixture_test(test_round_trip),
                fixture_test(test_not_recordable),
                fixture_test(test_node_owner),
                fixture_test(test_load_damaged),
                fixture_test(test_holder),
                cmocka_unit_test(test_merge),
                fixture_test(test_kinds),
                cmocka_unit_test(test_damaged_kinds),
                fixture_test(test_hold),
                fixture_test(test_hold_of_renewed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
