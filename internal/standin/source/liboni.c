/* A stand-in of liboni for tests: its functions, structures, return codes and
 * aborts (onix-devices 1.1 to 1.10), with two drivers built in (drivers.c):
 * "test", and "riffa", which answers like an ONIX controller in real time.
 *
 * Where liboni's asserts end the process this one does; what would crash it by
 * chance (destroying a context under a reader) ends the process here always.
 */
#include "standin.h"

static _Atomic int contexts;

#define REQUIRE(condition, text) do { if (!(condition)) die(text); } while (0)

void die(const char *text)
{
    fprintf(stderr, "stand-in of liboni: assertion failed: %s\n", text);
    abort();
}

void oni_version(int *major, int *minor, int *patch)
{
    *major = (int)setting("version", 4), *minor = 6, *patch = 0;
}

oni_ctx oni_create_ctx(const char *driver)
{
    const struct driver *d = find_driver(driver);
    if (!d) {
        fprintf(stderr, "libonidriver_%s.so: cannot open shared object file: No such file or directory\n", driver);
        errno = EINVAL;
        return NULL;
    }
    oni_ctx c = calloc(1, sizeof *c);
    c->driver = d;
    journal("create %s", driver);
    contexts++;
    return c;
}

/* Limits and default block sizes follow from the table; 1.4. */
static void measure(oni_ctx c)
{
    c->max_read = c->max_write = 0;
    for (u32 i = 0; i < c->devices; i++) {
        if (c->table[i].read_size > c->max_read) c->max_read = c->table[i].read_size;
        if (c->table[i].write_size > c->max_write) c->max_write = c->table[i].write_size;
    }
    c->max_read += 16, c->max_write += 8;
    c->block_read = (c->max_read + 3) / 4 * 4;
    c->block_write = (c->max_write + 3) / 4 * 4;
}

static void drop_block(oni_ctx c)
{
    if (c->block && --c->block->references == 0) free(c->block);
    c->block = NULL, c->at = c->end = 0;
}

int oni_init_ctx(oni_ctx c, int host)
{
    REQUIRE(c, "ctx != NULL");
    REQUIRE(c->state == CREATED, "ctx->run_state == UNINITIALIZED");
    journal("init %d", host);
    int code = (int)setting("init", 0);
    if (code) return code;
    c->driver->open(c);
    c->driver->reset(c);
    measure(c);
    c->state = IDLE;
    return 0;
}

int oni_destroy_ctx(oni_ctx c)
{
    REQUIRE(c, "ctx != NULL");
    REQUIRE(!c->reading, "no reader is inside a context that is destroyed");
    journal("destroy");
    drop_block(c);
    if (c->state != CREATED) c->driver->close(c);
    contexts--;
    memset(c, 0xDB, sizeof *c);
    free(c);
    return 0;
}

static int put(void *value, size_t *length, const void *from, size_t size)
{
    if (*length < size) return -14;
    memcpy(value, from, size);
    *length = size;
    return 0;
}

int oni_get_opt(oni_ctx c, int option, void *value, size_t *length)
{
    REQUIRE(c, "ctx != NULL");
    REQUIRE(c->state != CREATED, "ctx->run_state > UNINITIALIZED");
    REQUIRE(option >= 0, "option >= 0");
    u32 v;
    switch (option) {
    case 0: return put(value, length, c->table, c->devices * sizeof c->table[0]);
    case 1: v = c->devices; break;
    case 2: v = c->driver->always_runs ? 1 : c->runs; break;
    case 3: case 6: return -23;
    case 4: v = c->driver->clock_hz; break;
    case 5: v = c->driver->clock_hz; break;
    case 7: v = c->hardware_address; break;
    case 8: v = c->max_read; break;
    case 9: v = c->max_write; break;
    case 10: v = c->block_read; break;
    case 11: v = c->block_write; break;
    default: return c->driver->get(c, option, &v) ? c->driver->get(c, option, &v) : put(value, length, &v, sizeof v);
    }
    return put(value, length, &v, sizeof v);
}

static void run(oni_ctx c, u32 on)
{
    REQUIRE(on || !c->reading, "no reader is inside when acquisition is stopped");
    c->runs = on != 0;
    c->driver->run(c, on != 0);
}

int oni_set_opt(oni_ctx c, int option, const void *value, size_t length)
{
    REQUIRE(c, "ctx != NULL");
    REQUIRE(c->state != CREATED, "ctx->run_state > UNINITIALIZED");
    REQUIRE(option >= 0, "option >= 0");
    switch (option) {
    case 0: case 1: case 4: case 5: case 8: case 9: return -18;
    }
    if (length != 4) return -14;
    u32 v;
    memcpy(&v, value, 4);
    journal("option %d %u", option, v);
    switch (option) {
    case 2:
        run(c, v);
        drop_block(c);
        c->state = v ? RUNNING : IDLE;
        return 0;
    case 3:
        REQUIRE(c->state == IDLE, "RESET: ctx->run_state == IDLE");
        REQUIRE(!c->runs, "no RESET while the hardware runs");
        c->driver->reset(c);
        measure(c);
        return 0;
    case 6: /* 2 starts the hardware; the state stays as it is */
        c->driver->zero(c);
        if (v == 2) run(c, 1);
        return 0;
    case 7: c->hardware_address = v; return 0;
    case 10:
        REQUIRE(c->state == IDLE, "BLOCKREADSIZE: ctx->run_state == IDLE");
        REQUIRE(!c->runs || c->driver->always_runs, "no BLOCKREADSIZE while the hardware runs");
        if (v < c->max_read || v % 4) return -20;
        c->block_read = v;
        return 0;
    case 11:
        REQUIRE(c->state == IDLE, "BLOCKWRITESIZE: ctx->run_state == IDLE");
        if (v < c->max_write || v % 4) return -24;
        c->block_write = v;
        return 0;
    }
    return c->driver->set(c, option, v);
}

int oni_get_driver_opt(oni_ctx c, int option, void *value, size_t *length)
{
    REQUIRE(c && c->state != CREATED, "ctx->run_state > UNINITIALIZED");
    return option == 1 ? put(value, length, &c->driver_option, 4) : -10;
}

int oni_set_driver_opt(oni_ctx c, int option, const void *value, size_t length)
{
    REQUIRE(c && c->state != CREATED, "ctx->run_state > UNINITIALIZED");
    if (option != 1) return -10;
    if (length != 4) return -14;
    memcpy(&c->driver_option, value, 4);
    return 0;
}

static int known(oni_ctx c, u32 address)
{
    for (u32 i = 0; i < c->devices; i++)
        if (c->table[i].idx == address || (address & 0xFF) == 254) return 1;
    return 0;
}

/* One register access at a time; 1.9. */
static int enter(oni_ctx c, u32 address)
{
    REQUIRE(c, "ctx != NULL");
    REQUIRE(c->state != CREATED, "ctx->run_state > UNINITIALIZED");
    if (c->accessing++) {
        c->accessing--;
        return -13;
    }
    while (setting("hang_register", 0)) pause_ms(2);
    int code = known(c, address) ? 0 : -3;
    if (code) c->accessing--;
    return code;
}

int oni_read_reg(oni_ctx c, u32 address, u32 reg, u32 *value)
{
    int code = enter(c, address);
    if (code) return code;
    code = setting("nack", -1) == (long)address ? -5 : c->driver->read_register(c, address, reg, value);
    journal("r 0x%04x 0x%x %u %d", address, reg, code ? 0 : *value, code);
    c->accessing--;
    return code;
}

int oni_write_reg(oni_ctx c, u32 address, u32 reg, u32 value)
{
    int code = enter(c, address);
    if (code) return code;
    code = setting("nack", -1) == (long)address ? -6 : c->driver->write_register(c, address, reg, value);
    journal("w 0x%04x 0x%x %u %d", address, reg, value, code);
    c->accessing--;
    return code;
}

int oni_read_frame(oni_ctx c, frame_t **out)
{
    REQUIRE(c, "ctx != NULL");
    REQUIRE(c->state != CREATED, "ctx->run_state > UNINITIALIZED");
    REQUIRE(!c->reading++, "one reader at a time");
    if (c->end - c->at < c->max_read) {
        size_t rest = c->end - c->at;
        struct block *b = malloc(sizeof *b + rest + c->block_read);
        b->references = 1;
        if (rest) memcpy(b->bytes, c->block->bytes + c->at, rest);
        drop_block(c);
        c->block = b, c->at = 0, c->end = rest + c->block_read;
        int code = c->driver->read(c, b->bytes + rest, c->block_read);
        if (code) {
            c->reading--;
            return code;
        }
    }
    unsigned char *p = c->block->bytes + c->at;
    u32 size;
    memcpy(&size, p + 12, 4);
    REQUIRE(size, "Zero-sized frame");
    REQUIRE(size + 16 <= c->max_read, "frame larger than MAXREADFRAMESIZE");
    frame_t *f = malloc(sizeof *f);
    memcpy(&f->time, p, 8);
    memcpy(&f->idx, p + 8, 4);
    f->size = size, f->data = p + 16, f->block = c->block;
    c->block->references++;
    u32 padded = size + size % 4;
    c->at += 16 + padded;
    *out = f;
    c->reading--;
    return (int)(24 + padded);
}

int oni_create_frame(oni_ctx c, frame_t **out, u32 address, void *data, size_t size)
{
    REQUIRE(c && c->state != CREATED, "ctx->run_state > UNINITIALIZED");
    u32 unit = 0, found = 0;
    for (u32 i = 0; i < c->devices; i++)
        if (c->table[i].idx == address) found = 1, unit = c->table[i].write_size;
    if (!found) return -3;
    if (!unit) return -25;
    if (size % unit) return -4;
    if (size + 8 > c->block_write) return -11;
    frame_t *f = calloc(1, sizeof *f);
    f->block = malloc(sizeof *f->block + size);
    f->block->references = 1;
    f->idx = address, f->size = (u32)size, f->data = f->block->bytes;
    memcpy(f->data, data, size);
    *out = f;
    return (int)(24 + size);
}

int oni_write_frame(oni_ctx c, const frame_t *f)
{
    REQUIRE(c && c->state != CREATED, "ctx->run_state > UNINITIALIZED");
    journal("frame 0x%04x %u", f->idx, f->size);
    return (int)(8 + f->size);
}

void oni_destroy_frame(frame_t *f)
{
    if (!f) return;
    if (--f->block->references == 0) free(f->block);
    free(f);
}

const oni_driver_info_t *oni_get_driver_info(oni_ctx c) { return &c->driver->info; }

const char *oni_error_str(int code)
{
    REQUIRE(code > -30 && code <= 0, "err > ONI_MINERRORNUM && err <= 0");
    return "text";
}

const char *onix_device_str(int id) { return id == 12 ? "Heartbeat" : "Unknown device"; }
const char *onix_hub_str(int id) { return id == 1 ? "FMC host" : "Unknown hub"; }

int standin_contexts(void) { return contexts; }
