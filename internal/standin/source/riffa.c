/* The driver "riffa": a PCIe host with breakout board that answers in real
 * time, and on port A or B what STANDIN_A or STANDIN_B names (np1e, np2e).
 * Registers, their power-up values and when they take effect are those of
 * onix-devices 2.4 to 2.10 and 3; headstages are just real enough to be
 * configured: chips answer behind a locked link only.
 *
 * Settings: saved_voltage (dV, of both ports), lock_a, lock_b (dV from which a
 * link locks, 33), lose_a, lose_b (ms after the start when the link drops),
 * silent_after, mute_after (ms after the start from which nothing is delivered,
 * or heartbeats only),
 * malformed_after, fail_after, hang_after (frames).
 */
#include "standin.h"

enum { CLOCK = 250000000, ENTRIES = 1 << 14, TOTAL_WORDS = 536870912 };
enum { HEARTBEAT = 0, PORT_A = 1, PORT_B = 2, ANALOG = 6, DIGITAL = 7, RAW_A = 8, RAW_B = 9, MEMORY = 10, LOAD = 11, HARP = 12 };

struct entry { u32 used, address, reg, value; };

struct sender { /* a device that sends at an even pace */
    u32 address, size;
    double period, next; /* ticks; period 0: off */
    u64 count;
};

struct riffa {
    struct entry entries[ENTRIES];
    u32 passthrough;         /* as set */
    u32 passing;             /* as latched */
    u32 status_on[2], lost[2], told[2];
    struct sender senders[8];
    int running;
    struct timespec start;
    double now;              /* ticks, as of the last look */
    u64 frames, malformed;
    unsigned char frame[MAX_FRAME];
    size_t at, end;
};

static struct entry *cell(struct riffa *r, u32 address, u32 reg)
{
    u32 h = (address * 2654435761u ^ reg * 2246822519u) % ENTRIES;
    for (u32 i = 0; i < ENTRIES; i++) {
        struct entry *e = &r->entries[(h + i) % ENTRIES];
        if (!e->used) e->used = 1, e->address = address, e->reg = reg;
        if (e->address == address && e->reg == reg) return e;
    }
    die("room for registers");
    return NULL;
}

static u32 get(struct riffa *r, u32 address, u32 reg) { return cell(r, address, reg)->value; }
static void put(struct riffa *r, u32 address, u32 reg, u32 value) { cell(r, address, reg)->value = value; }

static const char *headstage(int port)
{
    const char *name = text_setting(port ? "b" : "a");
    return name ? name : "";
}

static double ticks(struct riffa *r)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return ((double)(t.tv_sec - r->start.tv_sec) + (double)(t.tv_nsec - r->start.tv_nsec) * 1e-9) * CLOCK;
}

/* gone reports whether the link of a port was lost before a tick. What was
 * sampled earlier is still delivered, however late it is read. */
static int gone(u32 port, double tick)
{
    long ms = setting(port ? "lose_b" : "lose_a", -1);
    return ms >= 0 && tick > (double)ms * (CLOCK / 1000);
}

static int dropped(struct riffa *r, int port) { return r->running && gone((u32)port, ticks(r)); }

/* A link locks with enough voltage for the headstage that is there. */
static int locked(struct riffa *r, int port)
{
    u32 threshold = (u32)setting(port ? "lock_b" : "lock_a", 33);
    int lock = *headstage(port) && get(r, PORT_A + port, 2) && get(r, PORT_A + port, 3) >= threshold && !dropped(r, port);
    if (!lock && r->told[port]) r->lost[port] = 3; /* LINKFLAGS */
    r->told[port] = (u32)lock;
    return lock;
}

static void riffa_open(oni_ctx c)
{
    struct riffa *r = c->own = calloc(1, sizeof *r);
    static const struct { u32 address, reg, value; } initial[] = {
        {HEARTBEAT, 0, 1}, {HEARTBEAT, 1, CLOCK / 100}, {HEARTBEAT, 2, CLOCK}, {HEARTBEAT, 3, 1},
        {PORT_A, 2, 1}, {PORT_B, 2, 1}, {5, 2, 1}, {5, 3, 1}, {5, 5, 1}, {5, 6, CLOCK},
        {DIGITAL, 1, 3}, {DIGITAL, 2, 3}, {DIGITAL, 5, CLOCK}, {RAW_A, 0x8001, 1280}, {RAW_B, 0x8001, 1280},
        {MEMORY, 1, CLOCK / 1000}, {MEMORY, 2, CLOCK}, {MEMORY, 3, TOTAL_WORDS}, {LOAD, 1, CLOCK}, {LOAD, 2, CLOCK},
    };
    for (size_t i = 0; i < sizeof initial / sizeof initial[0]; i++) put(r, initial[i].address, initial[i].reg, initial[i].value);
    for (u32 port = PORT_A; port <= PORT_B; port++) put(r, port, 3, (u32)setting("saved_voltage", 0));
}

static void riffa_close(oni_ctx c) { free(c->own); }

/* What a passthrough device sends follows from its registers; 2.8. */
static u32 raw_size(struct riffa *r, int port)
{
    u32 a = RAW_A + (u32)port, shape = get(r, a, 0x8001), mode = get(r, a, 0x800A);
    if (!(r->passing >> 2 * port & 1) || !locked(r, port) || !(get(r, a, 0x8000) & 1)) return 0;
    u32 units = shape >> 16 ? shape >> 16 : 1;
    u32 words = units * (shape & 0xFFFF) * (1u << (mode >> 8 & 3));
    return 8 + 2 * (mode & 1) + 2 * words;
}

static struct sender sender(struct riffa *r, u32 address, u32 size, u32 divider, u32 slowest)
{
    struct sender s = {address, size, 0, 0, 0};
    if (get(r, address, 0) & 1) s.period = divider >= CLOCK / 10000000 ? divider : slowest;
    s.next = s.period;
    return s;
}

static void riffa_reset(oni_ctx c)
{
    struct riffa *r = c->own;
    journal("reset");
    r->passing = r->passthrough;
    for (int port = 0; port < 2; port++) {
        put(r, PORT_A + (u32)port, 1, 0); /* GPOSTATE is the one register that a RESET clears */
        r->status_on[port] = get(r, PORT_A + (u32)port, 0) & 1;
    }
    u32 raw[2] = {raw_size(r, 0), raw_size(r, 1)};
    device_t table[] = {
        {HEARTBEAT, 35, 1, 8, 0}, {PORT_A, 23, 2, 10, 0}, {PORT_B, 23, 2, 10, 0}, {3, 0, 0, 0, 0}, {4, 0, 0, 0, 0}, {5, 20, 1, 0, 0},
        {ANALOG, 22, 2, 32, 24}, {DIGITAL, 18, 2, 12, 4}, {RAW_A, 24, 3, raw[0], 0}, {RAW_B, 24, 3, raw[1], 0},
        {MEMORY, 28, 2, 12, 0}, {LOAD, 27, 2, 16, 8}, {HARP, 30, 2, 12, 0},
    };
    c->devices = sizeof table / sizeof table[0];
    memcpy(c->table, table, sizeof table);
    memset(r->senders, 0, sizeof r->senders);
    r->senders[0] = sender(r, HEARTBEAT, 8, get(r, HEARTBEAT, 1), CLOCK / 1000);
    r->senders[1] = sender(r, ANALOG, 32, CLOCK / 100000, 0);
    r->senders[2] = sender(r, MEMORY, 12, get(r, MEMORY, 1), CLOCK / 1000);
    r->senders[3] = sender(r, HARP, 12, CLOCK, 0);
    for (u32 port = 0; port < 2; port++)
        if (raw[port]) r->senders[4 + port] = (struct sender){RAW_A + port, raw[port], CLOCK / 30000.0, CLOCK / 30000.0, 0};
}

static void riffa_zero(oni_ctx c)
{
    struct riffa *r = c->own;
    clock_gettime(CLOCK_MONOTONIC, &r->start);
}

static void riffa_run(oni_ctx c, int on)
{
    struct riffa *r = c->own;
    journal("run %d", on);
    r->running = on;
    r->now = 0;
    r->at = r->end = 0;
    for (size_t i = 0; i < sizeof r->senders / sizeof r->senders[0]; i++) r->senders[i].next = r->senders[i].period, r->senders[i].count = 0;
}

static void make(struct riffa *r, u64 time, u32 address, u32 size, u64 count)
{
    memset(r->frame, 0, 16 + size);
    memcpy(r->frame, &time, 8);
    memcpy(r->frame + 8, &address, 4);
    u32 said = r->frames++ == r->malformed ? 0 : size;
    memcpy(r->frame + 12, &said, 4);
    memcpy(r->frame + 16, &time, 8); /* HubClock */
    unsigned char *p = r->frame + 24;
    if (address == ANALOG)
        for (int ch = 0; ch < 12; ch++) {
            int16_t v = (int16_t)((count + (u64)ch) << 2);
            memcpy(p + 2 * ch, &v, 2);
        }
    if (address == MEMORY) {
        double behind = r->now - (double)time;
        u32 used = behind > 0 ? (u32)(behind / CLOCK * 20e6) : 0;
        memcpy(p, &used, 4);
    }
    if (address == HARP) memcpy(p, &count, 4);
    if (address == RAW_A || address == RAW_B)
        for (u32 at = 8; at + 2 <= size; at += 2) {
            uint16_t v = (uint16_t)(count + at);
            if (at == 8) v = 0;
            memcpy(r->frame + 16 + at, &v, 2);
        }
    r->at = 0, r->end = 16 + size + size % 4;
}

/* next makes the next frame that is due, and waits for it in the driver. */
static int next(struct riffa *r)
{
    struct sender *s = NULL;
    long mute = setting("mute_after", -1);
    int beats_only = mute >= 0 && r->now > (double)mute * (CLOCK / 1000);
    for (size_t i = 0; i < (beats_only ? 1 : sizeof r->senders / sizeof r->senders[0]); i++)
        if (r->senders[i].period > 0 && (!s || r->senders[i].next < s->next)) s = &r->senders[i];
    while (!s || s->next > r->now) {
        long silent = setting("silent_after", -1);
        r->now = ticks(r);
        if (silent >= 0 && r->now > (double)silent * (CLOCK / 1000)) r->now = 0;
        for (u32 port = 0; port < 2; port++) {
            int before = (int)r->told[port];
            if (r->status_on[port] && before && !locked(r, (int)port)) {
                make(r, (u64)r->now, PORT_A + port, 10, 0);
                return 1;
            }
        }
        if (!s || s->next > r->now) pause_ms(1);
    }
    double at = s->next;
    s->next += s->period;
    u32 size = s->size, port = s->address - RAW_A;
    if (s->address >= RAW_A && s->address <= RAW_B && gone(port, at)) return 0;
    if (s->address >= RAW_A && s->address <= RAW_B && get(r, s->address, 0x800A) >> 2 & 1) { /* two streams */
        make(r, (u64)at, s->address, size, s->count / 2);
        uint16_t index = (uint16_t)(s->count++ & 1);
        memcpy(r->frame + 24, &index, 2);
        if (index == 0) s->next = at; /* the other probe's follows at once */
        return 1;
    }
    make(r, (u64)at, s->address, size, s->count++);
    return 1;
}

static int riffa_read(oni_ctx c, unsigned char *to, size_t size)
{
    struct riffa *r = c->own;
    long fail = setting("fail_after", -1);
    r->malformed = (u64)setting("malformed_after", -1);
    if (fail >= 0 && r->frames >= (u64)fail) return -5;
    while (setting("hang_after", -1) >= 0 && r->frames >= (u64)setting("hang_after", -1)) pause_ms(5);
    while (size) {
        while (r->at == r->end) next(r);
        size_t n = r->end - r->at < size ? r->end - r->at : size;
        memcpy(to, r->frame + r->at, n);
        to += n, size -= n, r->at += n;
    }
    return 0;
}

static int riffa_get(oni_ctx c, int option, u32 *v)
{
    struct riffa *r = c->own;
    if (option != 12) return -11;
    *v = r->passthrough;
    return 0;
}

static int riffa_set(oni_ctx c, int option, u32 v)
{
    struct riffa *r = c->own;
    if (option != 12) return -11;
    r->passthrough = v;
    return 0;
}

/* Bytes of an EEPROM at 0x51: header, then the device info; 2.8. */
static u32 headstage_eeprom(int port, u32 at)
{
    unsigned char b[32] = {'H', 'S', 'O', 'E', 1, 0, 2};
    unsigned char info[16] = {1, 2, !strcmp(headstage(port), "np2e") ? 8 : 6, 0, 0, 0, 0, 1, 4, 't', 'e', 's', 't'};
    memcpy(b + 16, info, sizeof info);
    for (int section = 0; section < 2; section++) {
        unsigned sum = 0;
        for (int i = 0; i < 15; i++) sum += b[16 * section + i];
        b[16 * section + 15] = (unsigned char)-sum;
    }
    return at < sizeof b ? b[at] : 0xFF;
}

/* Bytes of a probe's EEPROM at 0x50; 6.6, 6.8. */
static u32 flex_eeprom(int port, int probe, u32 at)
{
    int v2 = !strcmp(headstage(port), "np2e");
    unsigned char b[0x60] = {0};
    u64 serial = 20240000 + 10 * (u64)port + (u64)probe + 1;
    const char *flex = v2 ? "NP2_FLEX_0" : "NPM_FLEX_0", *part = v2 ? "NP2014" : "NP1000";
    memcpy(b, &serial, 8);
    b[v2 ? 0x10 : 10] = 1;
    memcpy(b + (v2 ? 0x20 : 20), flex, strlen(flex));
    memcpy(b + (v2 ? 0x40 : 40), part, strlen(part));
    return at < sizeof b ? b[at] : 0xFF;
}

/* chip answers for what is at an I2C address behind a passthrough device. It
 * returns 0 if nothing is there. */
static int chip(struct riffa *r, int port, u32 address, u32 reg, u32 *value, int write)
{
    u32 a = RAW_A + (u32)port, number = reg >> 7 & 0xFFFF, i2c = reg & 0x7F;
    int v2 = !strcmp(headstage(port), "np2e");
    if (i2c != 0x30 && !locked(r, port)) return 0;
    u32 select = get(r, a, 0x0E << 7 | 0x58);
    int probe = v2 ? select == 0x19 ? 0 : select == 0x99 ? 1 : -1 : 0;
    switch (i2c) {
    case 0x30: case 0x58: case 0x28: break;
    case 0x51:
        if (write) return 0;
        *value = headstage_eeprom(port, number);
        return 1;
    case 0x50:
        if (write || probe < 0) return 0;
        *value = flex_eeprom(port, probe, number);
        return 1;
    case 0x10: case 0x70:
        if (probe < 0 || (i2c == 0x10) != v2) return 0;
        if (!write && number == (v2 ? 9u : 8u)) {
            *value = 0x80;
            return 1;
        }
        break;
    default: return 0;
    }
    if (write) put(r, address, reg, *value);
    else *value = get(r, address, reg);
    return 1;
}

static int riffa_read_register(oni_ctx c, u32 address, u32 reg, u32 *value)
{
    struct riffa *r = c->own;
    if ((address & 0xFF) == 254) {
        static const u32 manager[] = {1, 0x103, 0x202, 0x202, CLOCK, 0};
        if (address >> 8 || reg > 5) return -5;
        *value = manager[reg];
        return 0;
    }
    if (address == PORT_A || address == PORT_B) {
        int port = (int)(address - PORT_A);
        int lock = locked(r, port);
        if (reg > 7 || reg == 4) return -5;
        *value = reg == 5 ? (lock ? 3 : 0) : reg == 7 ? r->lost[port] : get(r, address, reg);
        return 0;
    }
    if (address == MEMORY && reg == 4) {
        double behind = r->running ? ticks(r) - r->now : 0;
        *value = behind > 0 ? (u32)(behind / CLOCK * 20e6) : 0;
        return 0;
    }
    if ((address == RAW_A || address == RAW_B) && (reg < 0x8000 || reg >> 28)) return chip(r, (int)(address - RAW_A), address, reg, value, 0) ? 0 : -5;
    if ((address == RAW_A || address == RAW_B) && reg == 0x8012) {
        *value = locked(r, (int)(address - RAW_A)) ? 3 : 0;
        return 0;
    }
    if (address != RAW_A && address != RAW_B && reg > 13) return -5;
    *value = get(r, address, reg);
    return 0;
}

static int riffa_write_register(oni_ctx c, u32 address, u32 reg, u32 value)
{
    struct riffa *r = c->own;
    if ((address & 0xFF) == 254) return -6;
    if ((address == RAW_A || address == RAW_B) && (reg < 0x8000 || reg >> 28)) return chip(r, (int)(address - RAW_A), address, reg, &value, 1) ? 0 : -6;
    if (address == HEARTBEAT && (reg != 1 || value < CLOCK / 10000000)) return -6;
    if ((address == PORT_A || address == PORT_B)) {
        if (reg == 5 || reg > 7) return -6;
        if (reg == 7) r->lost[address - PORT_A] &= ~value;
        if (reg == 7) return 0;
    }
    put(r, address, reg, value);
    if (address == PORT_A || address == PORT_B) locked(r, (int)(address - PORT_A));
    if (address == HEARTBEAT && reg == 1) r->senders[0].period = value; /* at once */
    return 0;
}

const struct driver riffa_driver = {
    {"riffa", 1, 1, 0, "test"}, CLOCK, 0,
    riffa_open, riffa_close, riffa_reset, riffa_zero, riffa_run, riffa_read, riffa_get, riffa_set, riffa_read_register, riffa_write_register,
};
