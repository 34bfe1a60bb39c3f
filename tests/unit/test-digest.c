/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums of files, and what lists of them say. */

#include <fcntl.h>
#include <sys/mman.h>

#include "digest.h"
#include "fixture.h"

#define EMPTY_256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC_256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC_512                                                                                                            \
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e"   \
        "2a9ac94fa54ca49f"

/* Those of FIPS 180-4's examples. */
static void test_files(void **state _unused_) {
        int fd = memfd_create("vxm-digest", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(digest_check(fd, EMPTY_256), 1);
        assert_int_equal(write(fd, "abc", 3), 3); /* it is read from the beginning, wherever the descriptor is */
        assert_int_equal(digest_check(fd, ABC_256), 1);
        assert_int_equal(digest_check(fd, ABC_512), 1);
        assert_int_equal(digest_check(fd, EMPTY_256), 0);
        assert_int_equal(digest_check(fd, "abc"), 0);
        close(fd);
}

static void assert_found(const char *text, const char *pattern, int result, const char *name, const char *digest) {
        _cleanup_(freep) char *copy = strdup(text), *found = NULL;
        char digits[DIGEST_MAX];

        assert_non_null(copy);
        assert_int_equal(digest_find(copy, pattern, &found, digits), result);
        if (result < 0)
                return;
        assert_string_equal(found, name);
        assert_string_equal(digits, digest);
}

#define DIGITS_64 "0123456789012345678901234567890123456789012345678901234567890123"

static void test_lists(void **state _unused_) {
        static const char gnu[] = ABC_256 "  b.img\n" EMPTY_256 " *a-1.2.img\n";

        assert_found(gnu, "a-1.2.img", 0, "a-1.2.img", EMPTY_256);
        assert_found(gnu, "a-*.img", 0, "a-1.2.img", EMPTY_256);
        assert_found(gnu, "*", -ENOTUNIQ, NULL, NULL);
        assert_found(gnu, "*.img", -ENOTUNIQ, NULL, NULL);
        assert_found(gnu, "a", -ENOENT, NULL, NULL);
        assert_found(gnu, "a-1.2.img-*.img", -ENOENT, NULL, NULL); /* both parts would need the same characters */
        assert_found("", "a", -ENOENT, NULL, NULL);
        assert_found("SHA512 (a) = " ABC_512 "\nSHA256 (a) = " ABC_256 "\n", "a", 0, "a", ABC_512);
        assert_found("SHA1 (a) = da39a3ee5e6b4b0d3255bfef95601890afd80709\n", "a", -ENOENT, NULL, NULL);
        assert_found(ABC_256 "0  a\n", "a", -ENOENT, NULL, NULL); /* one digit too many */
        assert_found(ABC_256 "\ta\n", "a", -ENOENT, NULL, NULL);
        assert_found("# " ABC_256 "  a\n", "a", -ENOENT, NULL, NULL);
        assert_found(ABC_256 "  ./a\n", "a", 0, "a", ABC_256);
        assert_found(ABC_256 "  a-" DIGITS_64 ".img\n", "a-*.img", 0, "a-" DIGITS_64 ".img", ABC_256);
        assert_found(ABC_256 "  a-" DIGITS_64 DIGITS_64 ".img\n", "a-*.img", -ENOENT, NULL, NULL); /* too long for a file */
        /* What a “*” stands for becomes part of a path. */
        assert_found(ABC_256 "  a-../../b.img\n", "a-*.img", -ENOENT, NULL, NULL);
        assert_found(ABC_256 "  a-\x1b.img\n", "a-*.img", -ENOENT, NULL, NULL);
        assert_found(ABC_256 "  a-1 2.img\n", "a-*.img", -ENOENT, NULL, NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_lists),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
