/* The driver "test": 4 hubs with 4 devices of ID 10, without pacing, as
 * onix-devices 1.10 and 3.23 describe it, its faults included: a context can be
 * started only once, and with all devices disabled it divides by zero.
 */
#include "standin.h"

enum { HUBS = 4, PER_HUB = 4, COUNT = HUBS * PER_HUB };

struct test {
    u32 enable[COUNT], latched[COUNT], message[COUNT];
    u64 counter[COUNT];
    u32 active[COUNT], actives;
    u64 time, frames;
    u32 random;
    u64 malformed; /* the frame with that number has size 0 */
    unsigned char frame[MAX_FRAME]; /* the last one made */
    size_t at, end;                 /* what of it was not read yet */
};

static void latch(struct test *t)
{
    t->actives = 0;
    for (u32 i = 0; i < COUNT; i++)
        if (t->enable[i]) t->active[t->actives++] = i;
}

static void test_open(oni_ctx c)
{
    struct test *t = c->own = calloc(1, sizeof *t);
    t->random = 1;
    for (u32 i = 0; i < COUNT; i++) {
        t->enable[i] = 1;
        t->message[i] = 42 * (i / PER_HUB);
    }
    latch(t);
}

static void test_close(oni_ctx c) { free(c->own); }

static u32 words(u32 i) { return 2 * (i / PER_HUB) + 1; }

static void test_reset(oni_ctx c)
{
    c->devices = COUNT;
    for (u32 i = 0; i < COUNT; i++)
        c->table[i] = (device_t){i / PER_HUB << 8 | i % PER_HUB, 10, 2, 10 + 2 * words(i), 32};
}

static void test_zero(oni_ctx c) { (void)c; }

static void test_run(oni_ctx c, int on)
{
    if (on) latch(c->own);
}

static void make(struct test *t)
{
    if (!t->actives) raise(SIGFPE);
    t->random = t->random * 1664525u + 1013904223u;
    u32 i = t->active[(t->random >> 16) % t->actives];
    u32 address = i / PER_HUB << 8 | i % PER_HUB, n = words(i), size = 10 + 2 * n;
    u64 counter = t->counter[i]++;
    memcpy(t->frame, &t->time, 8);
    memcpy(t->frame + 8, &address, 4);
    if (t->frames == t->malformed) size = 0;
    memcpy(t->frame + 12, &size, 4);
    memcpy(t->frame + 16, &counter, 8);
    uint16_t message = (uint16_t)t->message[i];
    memcpy(t->frame + 24, &message, 2);
    for (uint16_t w = 0; w < n; w++) memcpy(t->frame + 26 + 2 * w, &w, 2);
    t->time++, t->frames++;
    t->at = 0, t->end = 26 + 2 * n;
}

static int test_read(oni_ctx c, unsigned char *to, size_t size)
{
    struct test *t = c->own;
    long hang = setting("hang_after", -1), fail = setting("fail_after", -1);
    t->malformed = (u64)setting("malformed_after", -1);
    while (hang >= 0 && t->frames >= (u64)hang) {
        pause_ms(2);
        hang = setting("hang_after", -1);
    }
    if (fail >= 0 && t->frames >= (u64)fail) return -5;
    while (size) {
        if (t->at == t->end) make(t);
        size_t n = t->end - t->at < size ? t->end - t->at : size;
        memcpy(to, t->frame + t->at, n);
        to += n, size -= n, t->at += n;
    }
    return 0;
}

static int test_get(oni_ctx c, int option, u32 *v)
{
    (void)c, (void)option, (void)v;
    return -11;
}

static int test_set(oni_ctx c, int option, u32 v)
{
    (void)c, (void)option, (void)v;
    return -11;
}

static int index_of(u32 address)
{
    u32 hub = address >> 8, i = address & 0xFF;
    return hub < HUBS && i < PER_HUB ? (int)(hub * PER_HUB + i) : -1;
}

static int test_read_register(oni_ctx c, u32 address, u32 reg, u32 *value)
{
    struct test *t = c->own;
    static u32 last;
    int i = index_of(address);
    if ((address & 0xFF) == 254) {
        switch (reg) {
        case 0: last = 5; break;
        case 2: last = 1600; break;
        case 4: last = 50000000; break;
        case 5: last = 628; break;
        }
    } else if (i < 0 || reg > 3)
        return i < 0 ? -3 : -5;
    else
        last = reg == 0 ? t->enable[i] : reg == 1 ? t->message[i] : reg == 2 ? words((u32)i) : 0;
    *value = last;
    return 0;
}

static int test_write_register(oni_ctx c, u32 address, u32 reg, u32 value)
{
    struct test *t = c->own;
    int i = index_of(address);
    if (i < 0 || reg > 1) return -6;
    if (reg == 0) t->enable[i] = value;
    if (reg == 1) t->message[i] = value;
    return 0;
}

const struct driver test_driver = {
    {"test", 2, 1, 0, NULL}, 200000000, 1,
    test_open, test_close, test_reset, test_zero, test_run, test_read, test_get, test_set, test_read_register, test_write_register,
};
