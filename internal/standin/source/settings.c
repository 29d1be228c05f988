/* Faults on request, and a journal of what was asked of the library.
 *
 * A setting comes from standin_set, else from the environment of the process:
 * "hang_after" from STANDIN_HANG_AFTER. The journal is appended to the file
 * that STANDIN_LOG names, a line at a time.
 */
#include "standin.h"
#include <ctype.h>

enum { MAX_SETTINGS = 64 };
static struct { char name[32]; _Atomic long value; } settings[MAX_SETTINGS];
static _Atomic int known_settings;

void standin_set(const char *name, long value)
{
    for (int i = 0; i < known_settings; i++)
        if (!strcmp(settings[i].name, name)) {
            settings[i].value = value;
            return;
        }
    if (known_settings == MAX_SETTINGS) die("room for settings");
    snprintf(settings[known_settings].name, sizeof settings[0].name, "%s", name);
    settings[known_settings].value = value;
    known_settings++;
}

/* standin_clear forgets all settings. */
void standin_clear(void) { known_settings = 0; }

const char *text_setting(const char *name)
{
    char variable[64] = "STANDIN_";
    size_t n = strlen(variable);
    for (; *name && n + 1 < sizeof variable; name++) variable[n++] = (char)toupper((unsigned char)*name);
    variable[n] = 0;
    return getenv(variable);
}

long setting(const char *name, long otherwise)
{
    for (int i = 0; i < known_settings; i++)
        if (!strcmp(settings[i].name, name)) return settings[i].value;
    const char *text = text_setting(name);
    return text ? strtol(text, NULL, 0) : otherwise;
}

void journal(const char *format, ...)
{
    static const char *path = "";
    static int file = -1;
    if (path && !*path) {
        path = text_setting("log");
        if (path) file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    }
    if (file < 0) return;
    char line[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (n > (int)sizeof line - 2) n = sizeof line - 2;
    line[n] = '\n';
    if (write(file, line, (size_t)n + 1) < 0) file = -1;
}

void pause_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}
