/* What the files of the stand-in share. */
#ifndef STANDIN_H
#define STANDIN_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef uint32_t u32;
typedef uint64_t u64;

typedef struct { u32 idx, id, version, read_size, write_size; } device_t;

struct block { _Atomic int references; unsigned char bytes[]; };

typedef struct { /* the first 24 bytes are oni_frame_t */
    u64 time;
    u32 idx, size;
    unsigned char *data;
    struct block *block;
} frame_t;

typedef struct {
    const char *name;
    int major, minor, patch;
    const char *pre_release;
} oni_driver_info_t;

enum { CREATED, IDLE, RUNNING };
enum { MAX_DEVICES = 64, MAX_FRAME = 8192 };

typedef struct context *oni_ctx;

struct driver {
    oni_driver_info_t info;
    u32 clock_hz;
    int always_runs;
    void (*open)(oni_ctx);
    void (*close)(oni_ctx);
    void (*reset)(oni_ctx);
    void (*zero)(oni_ctx); /* the acquisition clock */
    void (*run)(oni_ctx, int on);
    int (*read)(oni_ctx, unsigned char *to, size_t size);
    int (*get)(oni_ctx, int option, u32 *);
    int (*set)(oni_ctx, int option, u32);
    int (*read_register)(oni_ctx, u32 address, u32 reg, u32 *value);
    int (*write_register)(oni_ctx, u32 address, u32 reg, u32 value);
};

struct context {
    const struct driver *driver;
    int state;
    _Atomic int reading, accessing;
    u32 runs, hardware_address, driver_option;
    device_t table[MAX_DEVICES];
    u32 devices, max_read, max_write, block_read, block_write;
    struct block *block;
    size_t at, end;
    void *own; /* of the driver */
};

const struct driver *find_driver(const char *name);
void die(const char *text);

/* settings.c */
long setting(const char *name, long otherwise);
const char *text_setting(const char *name);
void journal(const char *format, ...);
void pause_ms(int ms);
#endif
