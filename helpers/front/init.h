/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Making a guest: what somebody wants, what becomes of that on this machine, and doing it. */

#include "download.h"
#include "guest.h"

/* All are as somebody wrote them; NULL: nothing is said. */
typedef struct InitWish {
        const char *name;
        const char *preset;
        const char *gpu; /* as Device= has it; “none” */
        const char *memory;
        const char *cpus;
        const char *disk; /* its size */
        const char *iso;
        const char *image; /* the name of a [Download] */
        const char *user, *key_file; /* who may come into an image for clouds */
        bool no_download;
        uint64_t patience; /* µs that a server may be silent */
} InitWish;

#define INIT_USER "vxm" /* who is made in an image for clouds if nobody is named and who calls is nobody for it */

typedef struct InitPlan {
        const InitWish *wish;
        Guest *base;  /* the preset alone */
        Guest *guest; /* as it will be */
        char *file, *directory; /* below the root: the guest file, and the guest's own directory */
        char *text;             /* of the guest file */
        const GuestDownload *downloads[GUEST_DOWNLOADS_MAX]; /* of base: those that are to be fetched … */
        Download found[GUEST_DOWNLOADS_MAX];                 /* … and what has been found out of them */
        size_t n_downloads;
        char *user, *key; /* of the seed; NULL: it needs none */
        uint64_t ssh[GUEST_NETWORKS_MAX]; /* for the networks of base: ports of the host that no other guest has; 0: none */
} InitPlan;

/* ---- init-wish.c ---- */

/* Whether a value is one that the guest file could have. option: as the user calls it. Returns 0; -EINVAL, said so on standard error. */
int init_wish_check(const char *option, const char *value);

/* The whole path of an installer that is named from here. Returns 0; -E_CONFIG or -ENOMEM, logged. */
int init_wish_find_iso(const char *iso, char **ret);

/* Asks for what is not said, proposing what fits this machine; what is said or answered is judged before more is asked, and a wrong answer
 * asked for again. The answers are in memory of *answers, to be freed by init_answers_done(). Returns 0, or -errno, logged; -ECANCELED:
 * there was no answer. */
typedef struct InitAnswers {
        char *texts[10];
        size_t n;
} InitAnswers;
int init_ask(int root, InitWish *wish, InitAnswers *answers);
void init_answers_done(InitAnswers *answers);

/* “Go on?”; -ECANCELED: no. */
int init_ask_go_on(void);

/* ---- init-ports.c ---- */

/* Sets plan->ssh by plan->base and the other guests' files. Returns 0; -errno, logged. */
int init_ports_choose(int root, InitPlan *plan);

/* ---- init-plan.c ---- */

/* The beginning of a plan: the name and the preset are judged, nothing else. Returns as init_plan(). */
int init_plan_begin(int root, const InitWish *wish, InitPlan *ret);

/* Makes a plan and judges all of it, without a write and without the network. Returns 0; -E_CONFIG, -E_LACKS, -E_BUSY or -errno, logged. */
int init_plan(int root, const InitWish *wish, InitPlan *ret);

/* Judges what an option says, as init_plan() would, along with what else is wished so far. Returns as that. */
int init_plan_judge(int root, const InitWish *wish, const char *option);

/* Whether an image for clouds is to be had of which "user" or "ssh-key" cannot be found out. Returns 1, 0 or as init_plan(). */
int init_plan_lacks(int root, const InitWish *wish, const char *option);

/* The guest file's text, once more when downloads have been found: drives have their names in it. Returns 0 or -errno, logged. */
int init_plan_write(int root, InitPlan *plan);

/* What is to be done, a step a line. */
void init_plan_print(const InitPlan *plan, FILE *f);

void init_plan_done(InitPlan *plan);

/* The bytes that are free where the guests' disks lie; 0: that cannot be told. */
uint64_t init_plan_room(int root);

/* The download that a disk begins as, by its place in the plan; -1: none. */
int init_plan_source(const InitPlan *plan, const GuestDisk *d);

/* ---- init-run.c ---- */

/* Does it: all or nothing, but for what has been fetched, which the next guest may use. Returns 0; -EINTR: somebody pressed Ctrl-C, and
 * nothing is left; -errno, logged, and nothing is left. */
int init_run(int root, InitPlan *plan);
