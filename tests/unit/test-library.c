/* SPDX-License-Identifier: BSD-3-Clause */
/* Libraries that are loaded when they are needed, and names that do not depend on which of them told. */

#include "fixture.h"
#include "kmod-library.h"
#include "library.h"
#include "pci-names.h"

static void test_load(void **state) {
        static double (*cosine)(double);
        static const LibraryFunction functions[] = { LIBRARY_FUNCTION(cosine, cos), {} };

        (void) state;
        for (unsigned i = 0; i < 2; i++) {
                cosine = NULL;
                assert_int_equal(library_load("libm.so.6", functions), 0);
                assert_true(cosine(0) > 0.99);
        }
}

static void test_lacking(void **state) {
        static void (*pointer)(void);
        static const LibraryFunction functions[] = { LIBRARY_FUNCTION(pointer, no_such_function), {} };

        (void) state;
        assert_int_equal(library_load("libvxm-has-none.so.1", functions), -ENOPKG);
        assert_int_equal(library_load("libm.so.6", functions), -ENOPKG);
        assert_null(pointer);
}

static void test_kmod(void **state) {
        (void) state;
        assert_non_null(kmod_library());
        assert_non_null(kmod_library()->module_unref_list);
}

/* From this machine's hwdb if it has one, else from the list of ids. */
static void test_names(void **state) {
        static const struct {
                uint16_t vendor, device;
                const char *title, *model;
        } rows[] = {
                { 0x1b36, 0x000d, "Red Hat, Inc. QEMU XHCI Host Controller", "QEMU XHCI Host Controller" },
                { 0x1b36, 0xfffe, "Red Hat, Inc. Device fffe", "Device fffe" },
                { 0xfff9, 0x0001, "Device fff9:0001", "Device 0001" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const PciFunction f = { .vendor = rows[i].vendor, .device = rows[i].device };
                _cleanup_(freep) char *title = pci_function_title(&f), *model = pci_function_model(&f);

                assert_string_equal(title, rows[i].title);
                assert_string_equal(model, rows[i].model);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_load),
                fixture_test(test_lacking),
                cmocka_unit_test(test_kmod),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
