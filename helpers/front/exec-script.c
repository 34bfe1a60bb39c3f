/* SPDX-License-Identifier: BSD-3-Clause */
/* The scripts, for any POSIX shell with the tools that busybox has, too. What is common runs without starting any but the command
 * and rm: on an emulated machine each process costs. */

#include "exec-script.h"

/* The first subshell makes the files, and only if they are new. A holder keeps the pipe open for writing until it is told of the
 * input's end; this shell keeps it open for reading, so that nobody waits in vain for the command to read. Nor does
 * who tells of the input's end wait for a holder that is gone: as long as the pipes are there, this shell has both open. It tells the
 * holder itself in the end, and does not kill it: that may have ended long ago, and its number be another process's. What is run is a
 * program, though the shell may know a word of that name (exec). */
const char EXEC_SCRIPT_RUN[] =
        "f=$1 how=$2\n"
        "shift 2\n"
        "small() { [ ! -s \"$1\" ] || [ \"$(wc -c <\"$1\")\" -le 65536 ]; }\n"
        "if ! (umask 077; set -C; : >\"$f.out\" >\"$f.err\" >\"$f.read\") 2>/dev/null; then\n"
        "  rm -f \"$f.out\" \"$f.err\" \"$f.read\"\n"
        "  printf C\n"
        "  (exec \"$@\")\n"
        "  exit\n"
        "fi\n"
        "if [ \"$how\" = pipe ]; then\n"
        "  (read -r x <\"$f.pipe/end\") </dev/null >/dev/null 2>&1 7>\"$f.pipe/in\" &\n"
        "  exec 8<\"$f.pipe/in\"\n"
        "  (exec \"$@\") <&8 8<&- >>\"$f.out\" 2>>\"$f.err\"\n"
        "  s=$?\n"
        "  exec 9<>\"$f.pipe/end\"\n"
        "  echo >&9\n"
        "  rm -rf \"$f.pipe\"\n"
        "else\n"
        "  (exec \"$@\") >>\"$f.out\" 2>>\"$f.err\"\n"
        "  s=$?\n"
        "fi\n"
        "if [ -s \"$f.read\" ]; then\n"
        "  printf S\n"
        "elif small \"$f.out\" && small \"$f.err\"; then\n"
        "  printf C\n"
        "  [ ! -s \"$f.out\" ] || cat \"$f.out\"\n"
        "  [ ! -s \"$f.err\" ] || cat \"$f.err\" >&2\n"
        "else\n"
        "  printf F\n"
        "  exit \"$s\"\n"
        "fi\n"
        "rm -f \"$f.out\" \"$f.err\" \"$f.read\"\n"
        "exit \"$s\"\n";

const char EXEC_SCRIPT_PIPE[] = "umask 077; mkdir \"$1.pipe\" && mkfifo \"$1.pipe/in\" \"$1.pipe/end\"";

const char EXEC_SCRIPT_FEED[] = "[ -p \"$1.pipe/in\" ] && exec cat >\"$1.pipe/in\"";

const char EXEC_SCRIPT_END[] = "[ ! -p \"$1.pipe/end\" ] || echo >\"$1.pipe/end\"";

/* The number of a process that has ended may be another one's by now: PREFIX stands in the right one's command line. The fourth field
 * of stat is the parent; the second one, the program's name, may have blanks and parentheses in it. Busybox' grep reads
 * no further than to the first NUL. */
const char EXEC_SCRIPT_KILL[] =
        "p=$2 signal=$3\n"
        "case \"$(2>/dev/null tr '\\0' ' ' <\"/proc/$p/cmdline\")\" in *\"$1\"*) ;; *) exit 0 ;; esac\n"
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
