/* Counts how often each translated block runs between two functions of the guest, and the jumps that leave it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
typedef uint64_t qemu_plugin_id_t;
typedef struct { const char *target_name; struct { int min; int cur; } version; int system_emulation; union { struct { int smp_vcpus; int max_vcpus; } system; }; } qemu_info_t;
struct qemu_plugin_tb;
typedef void (*exec_cb)(unsigned int, void *);
typedef void (*trans_cb)(qemu_plugin_id_t, struct qemu_plugin_tb *);
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, trans_cb);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, exec_cb, int, void *);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn;
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
__attribute__((visibility("default"))) int qemu_plugin_version = 1;
typedef struct { uint64_t at, end; uint32_t insns; uint64_t count, taken; } Block;
static Block **blocks; static size_t used, room;
static uint64_t begin_at, end_at; static FILE *out; static int on; static Block *last; static unsigned record;
static void dump(void) {
  fprintf(out, "R %u\n", record++);
  for (size_t i = 0; i < used; ++i) if (blocks[i]->count) { fprintf(out, "%" PRIx64 " %u %" PRIu64 " %" PRIu64 "\n", blocks[i]->at, blocks[i]->insns, blocks[i]->count, blocks[i]->taken); blocks[i]->count = blocks[i]->taken = 0; }
  fflush(out);
}
static void run(unsigned int cpu, void *data) {
  Block *b = data;
  if (b->at == begin_at) { for (size_t i = 0; i < used; ++i) blocks[i]->count = blocks[i]->taken = 0; on = 1; last = 0; return; }
  if (!on) return;
  if (last && b->at != last->end) ++last->taken;
  if (b->at == end_at) { on = 0; dump(); return; }
  ++b->count; last = b;
}
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  size_t n = qemu_plugin_tb_n_insns(tb);
  uint64_t at = qemu_plugin_tb_vaddr(tb) & 0xffffffffu;
  Block *b = 0;
  for (size_t i = used; i-- > 0;) if (blocks[i]->at == at && blocks[i]->insns == n) { b = blocks[i]; break; }
  if (!b) {
    b = calloc(1, sizeof *b); b->at = at; b->insns = n;
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, n - 1);
    b->end = (qemu_plugin_insn_vaddr(insn) + qemu_plugin_insn_size(insn)) & 0xffffffffu;
    if (used == room) { room = room ? 2 * room : 1024; blocks = realloc(blocks, room * sizeof *blocks); }
    blocks[used++] = b;
  }
  qemu_plugin_register_vcpu_tb_exec_cb(tb, run, 0, b);
}
__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
  for (int i = 0; i < argc; ++i) {
    if (!strncmp(argv[i], "begin=", 6)) begin_at = strtoull(argv[i] + 6, 0, 16);
    if (!strncmp(argv[i], "end=", 4)) end_at = strtoull(argv[i] + 4, 0, 16);
    if (!strncmp(argv[i], "out=", 4)) out = fopen(argv[i] + 4, "w");
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  return 0;
}
