/* SPDX-License-Identifier: BSD-3-Clause */
/* The scripts, for any POSIX shell with the tools that busybox has, too. What is common runs without starting any but the command
 * and rm: on an emulated machine each process costs. */

#include "exec-script.h"

/* The number of a process that has ended may be another one's by now: PREFIX stands in the right one's command line. */
#define CHECK_PROCESS "case \"$(2>/dev/null tr '\\0' ' ' <\"/proc/$2/cmdline\")\" in *\"$1\"*) ;; *) exit 1 ;; esac\n"

/* The first subshell makes the files, and only if they are new. From then on it goes by descriptors, as the command may clear /tmp; two for
 * each file, as wc leaves the first one at the end. Output whose files are gone by name is left to the agent. A holder keeps the pipe
 * open for writing until it is told of the input's end; this shell keeps it open for reading, so that nobody waits in vain for the
 * command to read. Nor does who tells of the input's end wait for a holder that is gone: as long as the pipes are there, this shell
 * has both open. It tells the holder itself in the end, and does not kill it: that may have ended long ago, and its number be another
 * process's. What is run is a program, though the shell may know a word of that name (exec). */
const char EXEC_SCRIPT_RUN[] =
        "f=$1 how=$2\n"
        "shift 2\n"
        "none() { [ -f \"$1\" ] && [ ! -s \"$1\" ]; }\n"
        "small() { none \"$1\" || [ \"$(wc -c)\" -le 65536 ]; }\n"
        "run() { (exec \"$@\") 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&- >>\"$f.out\" 2>>\"$f.err\"; }\n"
        "if ! (umask 077; set -C; : >\"$f.out\" >\"$f.err\" >\"$f.read\") 2>/dev/null; then\n"
        "  rm -f \"$f.out\" \"$f.err\" \"$f.read\"\n"
        "  printf C\n"
        "  (exec \"$@\")\n"
        "  exit\n"
        "fi\n"
        "exec 3<\"$f.out\" 4<\"$f.out\" 5<\"$f.err\" 6<\"$f.err\" 7<\"$f.read\"\n"
        "if [ \"$how\" = pipe ]; then\n"
        "  exec 9<>\"$f.pipe/end\"\n"
        "  (read -r x <&9) </dev/null >/dev/null 2>&1 3<&- 4<&- 5<&- 6<&- 7<&- 8>\"$f.pipe/in\" &\n"
        "  exec 8<\"$f.pipe/in\"\n"
        "  run \"$@\" <&8\n"
        "  s=$?\n"
        "  echo >&9\n"
        "  rm -rf \"$f.pipe\"\n"
        "else\n"
        "  run \"$@\"\n"
        "  s=$?\n"
        "fi\n"
        "read -r mark <&7\n"
        "if [ -n \"$mark\" ]; then\n"
        "  printf S\n"
        "elif [ ! -f \"$f.out\" ] || [ ! -f \"$f.err\" ] || { small \"$f.out\" <&3 && small \"$f.err\" <&5; }; then\n"
        "  printf C\n"
        "  none \"$f.out\" || cat <&4\n"
        "  none \"$f.err\" || cat <&6 >&2\n"
        "else\n"
        "  printf F\n"
        "  exit \"$s\"\n"
        "fi\n"
        "rm -f \"$f.out\" \"$f.err\" \"$f.read\"\n"
        "exit \"$s\"\n";

const char EXEC_SCRIPT_PIPE[] = "umask 077; mkdir \"$1.pipe\" && mkfifo \"$1.pipe/in\" \"$1.pipe/end\"";

/* A pipe that has lost its name is still one of the shell's descriptors, at least on Linux. */
const char EXEC_SCRIPT_FEED[] =
        "[ ! -p \"$1.pipe/in\" ] || exec cat >\"$1.pipe/in\"\n"
        CHECK_PROCESS
        "[ -p \"/proc/$2/fd/8\" ] && exec cat >\"/proc/$2/fd/8\"\n";

/* Opened both ways, a pipe without readers keeps nobody waiting. The command may end, and its pipe go, at any moment; what then stands
 * in its place is for EXEC_SCRIPT_CLEAN. */
const char EXEC_SCRIPT_END[] =
        "[ ! -p \"$1.pipe/end\" ] || { echo 2>/dev/null 1<>\"$1.pipe/end\"; exit; }\n"
        CHECK_PROCESS
        "[ ! -p \"/proc/$2/fd/9\" ] || echo 2>/dev/null 1<>\"/proc/$2/fd/9\"\n";

/* The fourth field of stat is the parent; the second one, the program's name, may have blanks and parentheses in it. Busybox' grep reads
 * no further than to the first NUL. */
const char EXEC_SCRIPT_KILL[] =
        CHECK_PROCESS
        "p=$2 signal=$3\n"
        "all=\" $p \" more=1\n"
        "while [ -n \"$more\" ]; do\n"
        "  more=\n"
        "  for d in /proc/[0-9]*; do\n"
        "    c=${d#/proc/}\n"
        "    case \"$all\" in *\" $c \"*) continue ;; esac\n"
        "    read -r line 2>/dev/null <\"$d/stat\" || continue\n"
        "    set -- ${line##*')'}\n"
        "    case \"$all\" in *\" $2 \"*) all=\"$all$c \" more=1 ;; esac\n"
        "  done\n"
        "done\n"
        "for c in $all; do\n"
        "  [ \"$c\" = \"$p\" ] || kill -s \"$signal\" \"$c\" 2>/dev/null\n"
        "done\n";

/* Holes are punched by util-linux' fallocate; where there is none, files stay as large as they are. */
const char EXEC_SCRIPT_TRIM[] =
        "trim() { [ \"$2\" = 0 ] || fallocate -p -o 0 -l \"$2\" \"$1\"; }\n"
        "trim \"$1.out\" \"$2\" 2>/dev/null\n"
        "trim \"$1.err\" \"$3\" 2>/dev/null\n"
        "wc -c <\"$1.out\"\n"
        "wc -c <\"$1.err\"\n";

const char EXEC_SCRIPT_CLEAN[] = "rm -rf \"$1.out\" \"$1.err\" \"$1.read\" \"$1.pipe\"";
