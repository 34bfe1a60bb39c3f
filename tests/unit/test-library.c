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

static void assert_names(const PciFunction *f, const char *title, const char *model) {
        _cleanup_(freep) char *t = pci_function_title(f), *m = pci_function_model(f);

        assert_string_equal(t, title);
        assert_string_equal(m, model);
}

/* By libpci, from this machine's hwdb if it has one, else from the list of ids: no such device is plugged in. */
static void test_names(void **state) {
        (void) state;
        assert_names(&(PciFunction){ .vendor = 0x1b36, .device = 0x000d }, "Red Hat, Inc. QEMU XHCI Host Controller",
                "QEMU XHCI Host Controller");
        assert_names(&(PciFunction){ .vendor = 0x1b36, .device = 0xfffe }, "Red Hat, Inc. Device fffe", "Device fffe");
        assert_names(&(PciFunction){ .vendor = 0xfff9, .device = 0x0001 }, "Device fff9:0001", "Device 0001");
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
