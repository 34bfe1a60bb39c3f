/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The shell scripts that vxm exec runs in a guest around the command. The agent itself gives output at the command's end only, and takes
 * input at its start only; so output goes to files that are read meanwhile, and input through a pipe with a name. All begin with PREFIX,
 * which ends with a number that nobody can guess; what a script has made is removed by the last one to use it. */

/* $1: PREFIX; $2: “pipe” when EXEC_SCRIPT_PIPE has been run; then the command. Writes how its output is to be had, one letter of
 * ExecOutput, and ends as the command does. The command's descriptors lead to files, so that what it leaves running in the background
 * does not keep the agent from seeing the end. Where no file can be written, output stays with the agent. */
extern const char EXEC_SCRIPT_RUN[];

typedef enum ExecOutput {
        EXEC_OUTPUT_FOLLOWS = 'C', /* the rest of what has been written */
        EXEC_OUTPUT_FILES = 'F',   /* the files PREFIX.out and PREFIX.err, which are large */
        EXEC_OUTPUT_READ = 'S',    /* somebody has written into PREFIX.read, so reads the files himself, which are open and removed */
} ExecOutput;

/* $1: PREFIX. Makes the pipe that leads to the command's input. */
extern const char EXEC_SCRIPT_PIPE[];

/* $1: PREFIX, $2: the process of EXEC_SCRIPT_RUN. Copies its input to the command's, and waits until the command takes it. */
extern const char EXEC_SCRIPT_FEED[];

/* $1: PREFIX, $2: the process of EXEC_SCRIPT_RUN. The command's input ends. Fails when the command has ended. */
extern const char EXEC_SCRIPT_END[];

/* $1: PREFIX, $2: the process of EXEC_SCRIPT_RUN, $3: a signal. Sends it to all processes that the command has started and that
 * are still its offspring, and to itself. */
extern const char EXEC_SCRIPT_KILL[];

/* $1: PREFIX, $2 and $3: how much of its output and of its errors has been read. Gives that back to the guest's file system, as far as this
 * can, and writes how much there is in all, two numbers. */
extern const char EXEC_SCRIPT_TRIM[];

/* $1: PREFIX. Removes what may be left. */
extern const char EXEC_SCRIPT_CLEAN[];
