/*
 * A plugin for qemu's user emulation that counts the instructions of the emulated
 * program. Each time the program makes the system call that is its mark
 * (getpgid of the number MARK, see steps.go), it writes what was counted since the
 * last one, a line each, into the file that PLATEWATCH_COUNTS names.
 *
 * Debian ships no header for plugins, so what is used of the interface (version 1,
 * qemu 4.2 to 8) is declared here, after its documentation.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MARK 0x7077
#define GETPGID 155 /* of arm64 */

typedef uint64_t id_t_;
struct qemu_plugin_tb;
enum { ADD_U64 = 0 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(id_t_ id, void (*cb)(id_t_, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *to, uint64_t value);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern void qemu_plugin_register_vcpu_syscall_cb(id_t_ id,
    void (*cb)(id_t_, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t));

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

static uint64_t counted, before;
static FILE *out;

static void translated(id_t_ id, struct qemu_plugin_tb *tb)
{
    qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD_U64, &counted, qemu_plugin_tb_n_insns(tb));
}

static void called(id_t_ id, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
    uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    if (number != GETPGID || a1 != MARK)
        return;
    uint64_t now = counted;
    fprintf(out, "%llu\n", (unsigned long long)(now - before));
    fflush(out);
    before = now;
}

__attribute__((visibility("default"))) int qemu_plugin_install(id_t_ id, const void *info, int argc, char **argv)
{
    const char *file = getenv("PLATEWATCH_COUNTS");
    if (!file || !(out = fopen(file, "w"))) {
        fprintf(stderr, "count: PLATEWATCH_COUNTS names no file that can be written\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
