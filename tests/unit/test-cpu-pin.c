/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads are pinned: those of this very process stand in for QEMU's, and its answers are made up, good ones and bad.
 */

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include "cpu-pin.h"
#include "fixture.h"

enum {
        THREADS = 2,
};

typedef struct Stage {
        pthread_t threads[THREADS];
        pid_t tids[THREADS];
        pthread_barrier_t begun, end;
        CpuPlacement placement;
} Stage;

typedef struct Start {
        Stage *stage;
        size_t index;
} Start;

static void *wait_for_end(void *userdata) {
        Start *start = userdata;

        start->stage->tids[start->index] = (pid_t) syscall(SYS_gettid);
        pthread_barrier_wait(&start->stage->begun);
        pthread_barrier_wait(&start->stage->end);
        return NULL;
}

static CpuSet affinity(pid_t tid) {
        uint64_t words[CPU_SET_MAX / 64] = {};

        assert_true(sched_getaffinity(tid, sizeof words, (cpu_set_t *) (void *) words) >= 0);
        return cpu_set_from_bytes((const uint8_t *) words, sizeof words);
}

/* Each thread gets one of the CPUs that this process may use; on a machine with a single one both get that. */
static void begin(Stage *stage, Start starts[static THREADS]) {
        CpuSet ours = affinity(0);
        unsigned first = cpu_set_next(&ours, 0), second = cpu_set_next(&ours, first + 1);

        *stage = (Stage){ .placement = { .vcpus = { first, second < CPU_SET_MAX ? second : first }, .n = THREADS } };
        cpu_set_add(&stage->placement.others, first);
        assert_int_equal(pthread_barrier_init(&stage->begun, NULL, THREADS + 1), 0);
        assert_int_equal(pthread_barrier_init(&stage->end, NULL, THREADS + 1), 0);
        for (size_t i = 0; i < THREADS; i++) {
                starts[i] = (Start){ stage, i };
                assert_int_equal(pthread_create(&stage->threads[i], NULL, wait_for_end, &starts[i]), 0);
        }
        pthread_barrier_wait(&stage->begun);
}

static void finish(Stage *stage) {
        pthread_barrier_wait(&stage->end);
        for (size_t i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(stage->threads[i], NULL), 0);
}

static json_t *answer(const Stage *stage, int swap) {
        return json_pack("[{s:i,s:i},{s:i,s:i}]", "cpu-index", swap, "thread-id", (int) stage->tids[swap], "cpu-index",
                1 - swap, "thread-id", (int) stage->tids[1 - swap]);
}

static void test_vcpus(void **state) {
        Start starts[THREADS];
        Stage stage;

        (void) state;
        begin(&stage, starts);
        for (int swap = 0; swap < 2; swap++) { /* in whatever order QEMU tells them */
                _cleanup_(freep) char *why = NULL;
                json_t *cpus = answer(&stage, swap);

                assert_int_equal(cpu_pin_vcpus(&stage.placement, false, getpid(), cpus, &why), 0);
                assert_null(why);
                json_decref(cpus);
                for (size_t i = 0; i < THREADS; i++) {
                        CpuSet now = affinity(stage.tids[i]), wanted = {};

                        cpu_set_add(&wanted, stage.placement.vcpus[i]);
                        assert_true(cpu_set_equal(&now, &wanted));
                }
        }
        finish(&stage);
}

static void test_iothreads(void **state) {
        _cleanup_(freep) char *why = NULL;
        Start starts[THREADS];
        json_t *iothreads;
        Stage stage;
        CpuSet now;

        (void) state;
        begin(&stage, starts);
        iothreads = json_pack("[{s:s,s:i}]", "id", "io0", "thread-id", (int) stage.tids[1]);
        assert_int_equal(cpu_pin_iothreads(&stage.placement, getpid(), iothreads, &why), 0);
        now = affinity(stage.tids[1]);
        assert_true(cpu_set_equal(&now, &stage.placement.others));
        json_decref(iothreads);
        iothreads = json_array();
        assert_int_equal(cpu_pin_iothreads(&stage.placement, getpid(), iothreads, &why), 0);
        json_decref(iothreads);
        finish(&stage);
}

/* QEMU is not trusted: another number of CPUs, one twice, one that there is not, threads of others. */
static void test_refused(void **state) {
        Start starts[THREADS];
        Stage stage;

        (void) state;
        begin(&stage, starts);
        int tid = (int) stage.tids[0];
        json_t *const answers[] = {
                json_array(),
                json_pack("{s:i}", "cpu-index", 0),
                json_pack("[{s:i,s:i}]", "cpu-index", 0, "thread-id", tid),
                json_pack("[{s:i,s:i},{s:i,s:i}]", "cpu-index", 0, "thread-id", tid, "cpu-index", 0, "thread-id", tid),
                json_pack("[{s:i,s:i},{s:i,s:i}]", "cpu-index", 2, "thread-id", tid, "cpu-index", 1, "thread-id", tid),
                json_pack("[{s:i,s:i},{s:i,s:i}]", "cpu-index", 0, "thread-id", 1, "cpu-index", 1, "thread-id", tid),
                json_pack("[{s:i,s:i},{s:i,s:i}]", "cpu-index", 0, "thread-id", -1, "cpu-index", 1, "thread-id", tid),
                json_pack("[{s:i,s:s},{s:i,s:i}]", "cpu-index", 0, "thread-id", "1", "cpu-index", 1, "thread-id", tid),
                json_pack("[{s:i},{s:i,s:i}]", "cpu-index", 0, "cpu-index", 1, "thread-id", tid),
        };

        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                _cleanup_(freep) char *why = NULL;

                assert_non_null(answers[i]);
                if (cpu_pin_vcpus(&stage.placement, false, getpid(), answers[i], &why) != -EPROTO || !why)
                        fail_msg("taken: answer %zu", i);
                json_decref(answers[i]);
        }
        finish(&stage);
}

/* A CPU that the kernel does not let us have is told, not passed over. */
static void test_no_such_cpu(void **state) {
        _cleanup_(freep) char *why = NULL;
        Start starts[THREADS];
        json_t *cpus;
        Stage stage;

        (void) state;
        begin(&stage, starts);
        stage.placement.vcpus[1] = CPU_SET_MAX - 1;
        cpus = answer(&stage, 0);
        assert_true(cpu_pin_vcpus(&stage.placement, false, getpid(), cpus, &why) < 0);
        assert_non_null(strstr(why, "CPU 1 of the guest cannot be pinned to CPU 1023 of the host ("));
        json_decref(cpus);
        finish(&stage);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vcpus),
                cmocka_unit_test(test_iothreads),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_no_such_cpu),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
