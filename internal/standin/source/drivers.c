#include "standin.h"

extern const struct driver test_driver, riffa_driver;

const struct driver *find_driver(const char *name)
{
    if (!strcmp(name, "test")) return &test_driver;
    if (!strcmp(name, "riffa") && setting("riffa", 1)) return &riffa_driver;
    return NULL;
}
