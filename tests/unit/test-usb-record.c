/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of USB devices: what is written comes back, what is damaged is refused, other guests' devices are
 * found. */

#include "fixture.h"
#include "root.h"
#include "usb-record.h"

#define RECEIVER "have 1-4.2 046d:c52b 001-007 0:46 664 0200ff 1 1-4.2:1.0=usbhid 1-4.2:1.1=usbhid"

static int parse(const char *text, UsbRecord *ret) {
        _cleanup_(freep) char *copy = strdup(text);

        assert_non_null(copy);
        return usb_record_parse(copy, ret);
}

static void test_parse(void **state) {
        static const char *const bad[] = { "user 0", "user x", "user 7\nuser 7", "want", "want ", "want x", "want 1-4.2 1-4.3", "lend 1-4.2", "have 1-4.2 046d:c52b",
                "have 046d:c52b 1-4.2 001-007 0:0 664 - 1", "have 1-4.2 046d:c52b 1-7 0:0 664 - 1",
                "have 1-4.2 046d:c52b 001-007 0 664 - 1", "have 1-4.2 046d:c52b 001-007 4294967295:0 664 - 1",
                "have 1-4.2 046d:c52b 001-007 0:-1 664 - 1", "have 1-4.2 046d:c52b 001-007 0:0 888 - 1",
                "have 1-4.2 046d:c52b 001-007 0:0 17777 - 1", "have 1-4.2 046d:c52b 001-007 0:0 664 02f 1",
                "have 1-4.2 046d:c52b 001-007 0:0 664 zz 1", "have 1-4.2 046d:c52b 001-007 0:0 664  1",
                "have 1-4.2 046d:c52b 001-007 0:0 664 - 256", "have 1-4.2 046d:c52b 001-007 0:0 664 - 1 1-4.2:1.0",
                "have 1-4.2 046d:c52b 001-007 0:0 664 - 1 1-4.3:1.0=usbhid",
                "have 1-4.2 046d:c52b 001-007 0:0 664 - 1 1-4.2:../..=usbhid",
                "have 1-4.2 046d:c52b 001-007 0:0 664 - 1 1-4.2:1.0=a/b", "have 1-4.2 046d:c52b 001-007 0:0 664 - 1 ",
                RECEIVER "\n" RECEIVER };
        _cleanup_(usb_record_done) UsbRecord record = {};

        (void) state;
        assert_int_equal(parse("want 046d:c52b\nwant 1-2\n" RECEIVER "\nhave 2-3 0781:5581 002-004 0:0 600 - 0\n", &record), 0);
        assert_true(record.n_wants == 2 && record.n_loans == 2 && record.wants[1].by_port);
        assert_true(record.loans[0].uid == 0 && record.loans[0].gid == 46 && record.loans[0].mode == 0664);
        assert_string_equal(record.loans[0].acl, "0200ff");
        assert_int_equal(record.loans[0].n_interfaces, 2);
        assert_string_equal(record.loans[0].interfaces[1].name, "1-4.2:1.1");
        assert_string_equal(record.loans[0].interfaces[1].driver, "usbhid");
        assert_true(!record.loans[1].acl && record.loans[1].n_interfaces == 0 && record.loans[1].configuration == 0);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(usb_record_done) UsbRecord none = {};

                if (parse(bad[i], &none) != -EBADMSG)
                        fail_msg("taken: %s", bad[i]);
        }
}

/* What was noted first is how it was before. */
static void test_add(void **state) {
        _cleanup_(usb_record_done) UsbRecord record = {};
        UsbLoan again = { .port = "1-4.2", .vendor = 0x46d, .product = 0xc52b, .address = { 1, 7 }, .uid = 990 };
        UsbLoan other = { .port = "1-4.2", .vendor = 0x46d, .product = 0xc52b, .address = { 1, 8 }, .uid = 5 };

        (void) state;
        assert_int_equal(parse(RECEIVER, &record), 0);
        assert_int_equal(usb_record_add(&record, &again), 0);
        assert_int_equal(record.n_loans, 1);
        assert_int_equal(record.loans[0].uid, 0);
        assert_int_equal(usb_record_add(&record, &other), 0);
        assert_int_equal(record.n_loans, 2);
        usb_record_remove(&record, 0);
        assert_true(record.n_loans == 1 && record.loans[0].uid == 5);
        assert_int_equal(usb_loan_add_interface(&record.loans[0], "1-4.2:1.0", "usb hid"), -EINVAL);
        assert_int_equal(usb_loan_add_interface(&record.loans[0], "1-4:1.0", "usbhid"), -EINVAL);
        for (unsigned i = 1; i < 60; i++) {
                UsbLoan more = { .port = "1-5", .address = { 2, i } };

                assert_int_equal(usb_record_add(&record, &more), 0);
        }
        assert_int_equal(usb_record_add(&record, &(UsbLoan){ .port = "1-5", .address = { 3, 1 } }), -E2BIG);
}

static void test_file(void **state) {
        _cleanup_(usb_record_done) UsbRecord record = {}, again = {};
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;

        fixture_directory(f, "run/vxm/usb");
        assert_int_equal(usb_record_load(f->root, "demo", &again), -ENOENT);
        assert_int_equal(parse("user 988\nwant 1-2\n" RECEIVER, &record), 0);
        assert_int_equal(usb_record_save(f->root, "demo", &record), 0);
        assert_int_equal(root_read(f->root, "run/vxm/usb/demo", &text), 0);
        assert_string_equal(text, "user 988\nwant 1-2\n" RECEIVER);
        assert_int_equal(usb_record_load(f->root, "demo", &again), 0);
        assert_int_equal(again.n_loans, 1);
        assert_int_equal(usb_record_forget(f->root, "demo"), 0);
        assert_int_equal(usb_record_forget(f->root, "demo"), 0);
}

static void test_holder(void **state) {
        UsbDevice d = { .name = (char *) "1-4.2", .vendor = 0x46d, .product = 0xc52b, .address = { 1, 7 } };
        _cleanup_(freep) char *holder = NULL, *broken = NULL;
        Fixture *f = *state;

        fixture_write(f, "run/vxm/usb/other", RECEIVER "\n");
        assert_int_equal(usb_record_holder(f->root, "other", &d, &holder), 0);
        assert_int_equal(usb_record_holder(f->root, "demo", &d, &holder), 1);
        assert_string_equal(holder, "other");
        d.address.number = 8; /* it has been away: the record is of what it was */
        assert_int_equal(usb_record_holder(f->root, "demo", &d, &broken), 0);
        fixture_write(f, "run/vxm/usb/third", "nonsense");
        assert_int_equal(usb_record_holder(f->root, "demo", &d, &broken), -EBADMSG);
        assert_string_equal(broken, "third");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_add),
                fixture_test(test_file),
                fixture_test(test_holder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
