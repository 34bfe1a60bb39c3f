/* SPDX-License-Identifier: BSD-3-Clause */
/* URLs that are taken, and those that somebody might mean something by. */

#include "fixture.h"
#include "guest-downloads.h"

static void test_urls(void **state _unused_) {
        static const char *const good[] = {
                "https://example.org/file", "http://example.org:8080/a/b-1.2_x86+64~1.img.xz", "https://[2001:db8::1]/a", "http://[::1]:80/a",
                "https://example.org/a/file-*.img", "https://example.org/a%20b",
        };
        static const char *const bad[] = {
                "", "file", "ftp://example.org/file", "file:///etc/passwd", "https://", "https:///file", "https://example.org",
                "https://example.org/", "https://example.org/a/", "https://user@example.org/file", "https://example.org:x/file",
                "https://example.org/../file", "https://example.org/a/../file", "https://example.org/..", "https://example.org/.hidden",
                "https://example.org//file", "https://example.org/file?a", "https://example.org/file#a", "https://example.org/a b",
                "https://example.org/a\nb", "https://example.org/a\"b", "https://example.org/*/file", "https://example.org/a*b*c",
                "https://[::1/file", "HTTPS://example.org/file",
        };
        char long_one[2048] = "https://example.org/";

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(url_is_clean(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(url_is_clean(bad[i]));
        memset(long_one + strlen(long_one), 'a', 128);
        assert_true(url_is_clean(long_one));
        strcat(long_one, "a");
        assert_false(url_is_clean(long_one));
}

static void test_names(void **state _unused_) {
        assert_string_equal(url_file_name("https://example.org/a/b.img"), "b.img");
}

/* By https, or from this machine: nobody else could be on the way. */
static void test_safe(void **state _unused_) {
        assert_true(url_is_safe("https://example.org/a"));
        assert_true(url_is_safe("http://127.0.0.1:8000/a"));
        assert_true(url_is_safe("http://localhost/a"));
        assert_true(url_is_safe("http://[::1]/a"));
        assert_false(url_is_safe("http://example.org/a"));
        assert_false(url_is_safe("http://127.0.0.1.example.org/a"));
        assert_false(url_is_safe("http://localhost.example.org/a"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_urls),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_safe),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
