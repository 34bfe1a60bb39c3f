/* SPDX-License-Identifier: BSD-3-Clause */
/* Batch files. */

#include <sys/random.h>

#include "batch.h"
#include "code-page.h"
#include "log.h"

int batch_quote(char **line, const char *word) {
        _cleanup_(freep) char *quoted = NULL;
        int r = 0;

        for (const char *p = word; *p; p++)
                if (*p == '"' || (unsigned char) *p < ' ')
                        return -EINVAL;
        for (const char *part = word; r >= 0 && part;) {
                size_t n = strcspn(part, "%");

                r = list_append(&quoted, "%%", "%.*s", (int) n, part);
                part = part[n] ? part + n + 1 : NULL;
        }
        return r < 0 ? r : list_append(line, " ", "\"%s\"", quoted);
}

/* Whoever could make the file before us could say what the agent runs. */
static int make_path(char **ret) {
        uint64_t number[2];

        if (getrandom(number, sizeof number, 0) != sizeof number)
                return log_error_errno(errno, "Cannot get random numbers: %s.", strerror(errno));
        return format(ret, "C:\\Windows\\Temp\\vxm-%016llx%016llx.cmd", (unsigned long long) number[0], (unsigned long long) number[1]) < 0
                       ? log_oom()
                       : 0;
}

int batch_write(AgentClient *c, const char *bytes, size_t size, char **ret_path) {
        int64_t handle;
        int r = make_path(ret_path);

        r = r < 0 ? r : agent_open(c, *ret_path, "w", &handle);
        if (r < 0)
                return r;
        r = agent_write(c, handle, bytes, size);
        return r < 0 ? ((void) agent_close(c, handle), r) : agent_close(c, handle);
}

void batch_remove(AgentClient *c, const char *path) {
        _cleanup_(agent_status_done) AgentStatus status = {};

        (void) agent_exec(c, "Cannot remove a file", (const char *const[]){ "cmd.exe", "/d", "/c", "del", path, NULL }, &status);
}

/* cmd.exe reads the next line in the code page that the one before has set. “!” must not mean anything, whatever the registry says. */
int batch_run(AgentClient *c, const char *what, const char *line, AgentStatus *ret) {
        _cleanup_(freep) char *text = NULL, *path = NULL;
        int r;

        if (format(&text, "%s@%s\r\n", text_is_ascii(line) ? "" : "@chcp 65001 >nul\r\n", line) < 0)
                return log_oom();
        r = batch_write(c, text, strlen(text), &path);
        r = r < 0 ? r : agent_exec(c, what, (const char *const[]){ "cmd.exe", "/d", "/v:off", "/c", path, NULL }, ret);
        if (path)
                batch_remove(c, path);
        return r;
}
