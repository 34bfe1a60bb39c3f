/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The verbs of vxm: one function each, in front-NAME.c. */

/* What -H HOST does to a verb. */
typedef enum VerbReach {
        VERB_BY_SSH, /* vxm runs there, with the same words: what it needs, sockets or files, is there only */
        VERB_BY_BUS, /* it speaks to the systemd there, and runs here */
} VerbReach;

typedef struct Verb {
        const char *name;
        const char *operands; /* as --help shows them */
        const char *summary;
        int (*run)(int argc, char *argv[]); /* argv[0] is the verb; returns an exit status */
        VerbReach reach;
} Verb;

/* What all of them have in their Cli. */
#define VERB_MANUAL "vxm(1)"

/* A group of verbs under a title in --help; verbs ends with a row without a name. */
typedef struct VerbGroup {
        const char *title;
        const Verb *verbs;
} VerbGroup;

int verb_alias(int argc, char *argv[]);
int verb_argv(int argc, char *argv[]);
int verb_cat(int argc, char *argv[]);
int verb_config(int argc, char *argv[]);
int verb_console(int argc, char *argv[]);
int verb_cp(int argc, char *argv[]);
int verb_doctor(int argc, char *argv[]);
int verb_dsp(int argc, char *argv[]);
int verb_edit(int argc, char *argv[]);
int verb_exec(int argc, char *argv[]);
int verb_fingerprint(int argc, char *argv[]);
int verb_gpu(int argc, char *argv[]);
int verb_init(int argc, char *argv[]);
int verb_list(int argc, char *argv[]);
int verb_list_gpus(int argc, char *argv[]);
int verb_log(int argc, char *argv[]);
int verb_monitor(int argc, char *argv[]);
int verb_pause(int argc, char *argv[]);
int verb_reset(int argc, char *argv[]);
int verb_reset_hard(int argc, char *argv[]);
int verb_restart(int argc, char *argv[]);
int verb_resume(int argc, char *argv[]);
int verb_screenshot(int argc, char *argv[]);
int verb_shell(int argc, char *argv[]);
int verb_snapshot(int argc, char *argv[]);
int verb_start(int argc, char *argv[]);
int verb_status(int argc, char *argv[]);
int verb_stop(int argc, char *argv[]);

/* front-target.c: what vxm does when called as @TARGET, with the words behind it; returns an exit status. */
int verb_target(const char *target, int argc, char *argv[]);
