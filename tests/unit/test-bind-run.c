/* SPDX-License-Identifier: BSD-3-Clause */
/* Plans carried out on a fixture tree. A FIFO that nobody reads stands for a driver that does not come back. */

#include <sys/stat.h>

#include "bind-run.h"
#include "fixture.h"
#include "root.h"

#define GPU "0000:01:00.0"
#define SOUND "0000:01:00.1"
#define USB "0000:00:14.0"

/* Writes “x” into a file of that name in the root. */
#define WRITE(device_name, file) { .type = BIND_WRITE, .device = device_name, .path = (char *) file, .value = (char *) "x", .enters_driver = true }

static int run(BindRun *r, Fixture *f, BindStep steps[], size_t n) {
        r->root = f->root;
        if (r->deadline == 0)
                r->deadline = UINT64_C(60) * 1000000;
        return bind_run(r, &(BindPlan){ .steps = steps, .n = n });
}

static bool is_written(Fixture *f, const char *file) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(root_read(f->root, file, &text), 0);
        return startswith(text, "x");
}

static void lay_files(Fixture *f, const char *names) {
        for (char name[2] = { *names }; *names; name[0] = *++names)
                fixture_write(f, name, "-");
}

static void make_fifo(Fixture *f, const char *name) {
        (void) unlinkat(f->root, name, 0);
        assert_int_equal(mkfifoat(f->root, name, 0600), 0);
}

/* On the way to the guest the first failure ends it, at whichever step it is. */
static void test_take_fails(void **state) {
        static const char files[] = "abcd";
        Fixture *f = *state;

        for (size_t bad = 0; bad <= 4; bad++) {
                BindStep steps[] = { WRITE(GPU, "a"), WRITE(GPU, "b"), WRITE(SOUND, "c"), WRITE(USB, "d") };

                steps[1].enters_driver = false;
                lay_files(f, files);
                if (bad < 4)
                        steps[bad].path = (char *) "none";
                fixture_capture(f);
                assert_int_equal(run(&(BindRun){}, f, steps, 4), bad < 4 ? -ENOENT : 0);
                if (bad < 4)
                        fixture_assert_logged(f, ": cannot write “x” to /none: No such file or directory.");
                else
                        free(fixture_log(f));
                for (size_t i = 0; i < 4; i++)
                        assert_int_equal(is_written(f, (char[2]){ files[i] }), i < bad);
        }
}

/* The one attribute whose values only the kernel can judge. */
static void test_reset_method(void **state) {
        BindStep steps[] = { WRITE(GPU, "none/reset_method") };
        Fixture *f = *state;

        fixture_capture(f);
        assert_int_equal(run(&(BindRun){}, f, steps, 1), -ENOENT);
        fixture_assert_logged(f, "No such file or directory; correct ResetMethod= in the guest file, vxm list-gpus shows");
}

/* On the way back the device that failed is left, and the others go on. The first failure is what is told. */
static void test_return_fails(void **state) {
        BindStep steps[] = { WRITE(SOUND, "a"), WRITE(SOUND, "none"), WRITE(SOUND, "b"), WRITE(GPU, "c"), WRITE("", "directory"),
                WRITE("", "d") };
        Fixture *f = *state;

        lay_files(f, "abcd");
        fixture_directory(f, "directory");
        fixture_capture(f);
        assert_int_equal(run(&(BindRun){ .release = true }, f, steps, ELEMENTSOF(steps)), -ENOENT);
        fixture_assert_logged(f, "The host's console: cannot write “x” to /directory: Is a directory.");
        assert_true(is_written(f, "a"));
        assert_false(is_written(f, "b"));
        assert_true(is_written(f, "c"));
        assert_true(is_written(f, "d")); /* the console's steps are not one device's */
}

static void test_may_fail(void **state) {
        BindStep steps[] = { WRITE(GPU, "none"), WRITE(GPU, "a") };
        Fixture *f = *state;

        lay_files(f, "a");
        steps[0].may_fail = true;
        fixture_capture(f);
        assert_int_equal(run(&(BindRun){}, f, steps, 2), 0);
        fixture_assert_logged(f, GPU ": cannot write “x” to /none: No such file or directory; the host can do without.");
        assert_true(is_written(f, "a"));
}

/* Success is what can be read afterwards. */
static void test_expect_value(void **state) {
        BindStep steps[] = { { .type = BIND_EXPECT_VALUE, .path = (char *) "a", .value = (char *) "1" }, WRITE(GPU, "b") };
        Fixture *f = *state;

        lay_files(f, "b");
        fixture_write(f, "a", "1\n");
        assert_int_equal(run(&(BindRun){ .release = true }, f, steps, 2), 0);
        fixture_write(f, "a", "0\n");
        fixture_capture(f);
        assert_int_equal(run(&(BindRun){ .release = true }, f, steps, 2), -EIO);
        fixture_assert_logged(f, "The host's console: /a reads “0”, not “1”, after that has been written; `journalctl -k` may tell why.");
        assert_true(is_written(f, "b"));
}

/* A write past its deadline is given up, and the device is left; a card's other function is another device, as long as no
 * process is stuck in it. */
static void test_deadline(void **state) {
        BindStep steps[] = { WRITE(SOUND, "fifo"), WRITE(SOUND, "a"), WRITE(GPU, "b"), WRITE(USB, "c") };
        BindRun r = { .deadline = 50000 };
        Fixture *f = *state;

        lay_files(f, "abc");
        make_fifo(f, "fifo");
        fixture_capture(f);
        assert_int_equal(run(&r, f, steps, 4), -ETIMEDOUT);
        fixture_assert_logged(f, SOUND ": writing “x” to /fifo has not come back within 0.05 s; something still uses the device. It is "
                                       "not touched any more; `journalctl -k` may tell why.");
        assert_int_equal(r.stuck.pid, 0); /* it could be killed */
        assert_false(is_written(f, "a") || is_written(f, "b") || is_written(f, "c"));

        r.release = true;
        assert_int_equal(run(&r, f, steps, 4), -ETIMEDOUT);
        assert_false(is_written(f, "a"));
        assert_true(is_written(f, "b") && is_written(f, "c"));

        /* What may fail may not block all the same. */
        steps[0].may_fail = true;
        lay_files(f, "abc");
        assert_int_equal(run(&r, f, steps, 4), -ETIMEDOUT);
        assert_false(is_written(f, "a"));
}

/* With a process stuck in it a card is off limits, whole; only its node still goes back to root. */
static void test_stuck(void **state) {
        BindStep steps[] = { { .type = BIND_TAKE_NODE, .device = GPU, .path = (char *) "none" }, WRITE(GPU, "a"), WRITE(SOUND, "b"),
                { .type = BIND_EXPECT_DRIVER, .device = SOUND, .value = (char *) "nobody" }, WRITE(USB, "c"), WRITE("", "d") };
        BindRun r = { .release = true, .stuck = { 4711, 1 }, .stuck_device = "0000:01:00.3" };
        Fixture *f = *state;

        lay_files(f, "abcd");
        assert_int_equal(run(&r, f, steps, ELEMENTSOF(steps)), 0);
        assert_false(is_written(f, "a") || is_written(f, "b"));
        assert_true(is_written(f, "c") && is_written(f, "d"));
}

static void test_expect(void **state) {
        BindStep step = { .type = BIND_EXPECT_DRIVER, .device = GPU, .value = (char *) "vfio-pci", .was = (char *) "bochs-drm" };
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_capture(f);
        assert_int_equal(run(&(BindRun){}, f, &step, 1), -EIO);
        fixture_assert_logged(f, GPU ": driver vfio-pci did not take it (it has bochs-drm); `journalctl -k` may tell why.");

        fixture_lines(f, "sys/devices/pci0000:00/0000:00:1c.0/" GPU "/driver -> ../../../../bus/pci/drivers/vfio-pci");
        fixture_capture(f);
        assert_int_equal(run(&(BindRun){}, f, &step, 1), 0);
        fixture_assert_logged(f, GPU ": bochs-drm → vfio-pci (");

        step.value = NULL;
        assert_int_equal(run(&(BindRun){}, f, &step, 1), -EIO);
        fixture_lines(f, "!sys/devices/pci0000:00/0000:00:1c.0/" GPU "/driver");
        assert_int_equal(run(&(BindRun){}, f, &step, 1), 0);
        /* Unplugged meanwhile: nobody has it. */
        fixture_lines(f, "!sys/bus/pci/devices/" GPU);
        step.value = (char *) "vfio-pci";
        assert_int_equal(run(&(BindRun){}, f, &step, 1), -EIO);
}

static void test_node(void **state) {
        BindStep step = { .type = BIND_GIVE_NODE, .device = GPU, .path = (char *) "dev/vfio/8", .uid = geteuid(), .gid = getegid() };
        Fixture *f = *state;
        struct stat st;

        fixture_capture(f);
        assert_int_equal(run(&(BindRun){}, f, &step, 1), -ENOENT);
        fixture_assert_logged(f, GPU ": cannot open /dev/vfio/8: No such file or directory.");
        step.type = BIND_TAKE_NODE;
        assert_int_equal(run(&(BindRun){ .release = true }, f, &step, 1), 0);

        fixture_write(f, "dev/vfio/8", "");
        if (geteuid() == 0)
                step.uid = step.gid = 4711;
        step.type = BIND_GIVE_NODE;
        assert_int_equal(run(&(BindRun){}, f, &step, 1), 0);
        assert_int_equal(fstatat(f->root, "dev/vfio/8", &st, 0), 0);
        assert_int_equal(st.st_uid, step.uid);
        assert_int_equal(st.st_gid, step.gid);

        /* A link in its place does not lead the change of owner elsewhere. */
        fixture_write(f, "victim", "");
        fixture_link(f, "dev/vfio/8", "../../victim");
        (void) run(&(BindRun){}, f, &step, 1);
        assert_int_equal(fstatat(f->root, "victim", &st, 0), 0);
        assert_int_equal(st.st_uid, geteuid());
}

/* Into another machine's tree no modules are loaded. */
static void test_module(void **state) {
        BindStep step = { .type = BIND_LOAD_MODULE, .value = (char *) "vxm-has-no-such-module" };

        assert_int_equal(run(&(BindRun){}, *state, &step, 1), 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_take_fails),
                fixture_test(test_reset_method),
                fixture_test(test_return_fails),
                fixture_test(test_may_fail),
                fixture_test(test_expect_value),
                fixture_test(test_deadline),
                fixture_test(test_stuck),
                fixture_test(test_expect),
                fixture_test(test_node),
                fixture_test(test_module),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
