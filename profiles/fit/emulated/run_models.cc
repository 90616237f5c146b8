// Runs the models named in the file list.txt; each operator between bench_begin and bench_end.
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <new>
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_profiler_interface.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/micro_resource_variable.h"
#include "tensorflow/lite/schema/schema_generated.h"
extern "C" {
void __attribute__((noinline)) bench_begin() { asm volatile(""); }
void __attribute__((noinline)) bench_end() { asm volatile(""); }
void DebugLog(const char* format, va_list args) { vprintf(format, args); fflush(stdout); }
int DebugVsnprintf(char* b, size_t n, const char* f, va_list v) { return vsnprintf(b, n, f, v); }
}
using Resolver = tflite::MicroMutableOpResolver<80>;
static char g_tags[4096][40];
static int g_count;
static bool g_on;
class Profiler : public tflite::MicroProfilerInterface {
 public:
  uint32_t BeginEvent(const char* tag) override { if (g_on) { strncpy(g_tags[g_count++], tag, 39); bench_begin(); } return 0; }
  void EndEvent(uint32_t) override { if (g_on) bench_end(); }
};
#ifdef __riscv
#define BIG
#else
#define BIG __attribute__((section(".big")))
#endif
void operator delete(void*, unsigned) noexcept {}
alignas(16) BIG static uint8_t g_arena[7 << 20];
alignas(16) BIG static uint8_t g_model[8 << 20];
alignas(16) static char g_interpreter[4096];
alignas(16) static char g_resolver[sizeof(Resolver)];
static void Fill(TfLiteTensor* t, int k) {
  size_t n = t->bytes;
  for (size_t i = 0;; ++i) {
    unsigned v = (i * 37 + 11 + 101 * k) & 0xFF;
    switch (t->type) {
      case kTfLiteFloat32: if (i * 4 >= n) return; t->data.f[i] = ((int)v - 128) / 128.0f; break;
      case kTfLiteInt16: if (i * 2 >= n) return; t->data.i16[i] = ((int)v - 128) * 256; break;
      case kTfLiteInt32: case kTfLiteUInt32: if (i * 4 >= n) return; t->data.i32[i] = v & 3; break;
      case kTfLiteInt64: case kTfLiteUInt64: if (i * 8 >= n) return; t->data.i64[i] = v & 3; break;
      case kTfLiteBool: if (i >= n) return; t->data.b[i] = v & 1; break;
      default: if (i >= n) return; t->data.int8[i] = (int8_t)v;
    }
  }
}
int main() {
  FILE* list = fopen("list.txt", "r");
  char path[512];
  if (!list) { printf("no list\n"); return 1; }
  while (fgets(path, sizeof path, list)) {
    path[strcspn(path, "\r\n")] = 0;
    FILE* f = fopen(path, "rb");
    if (!f) { printf("FAIL %s open\n", path); continue; }
    size_t size = fread(g_model, 1, sizeof g_model, f);
    fclose(f);
    memset(g_arena, 0, 1 << 18);
    const tflite::Model* model = tflite::GetModel(g_model);
    (void)size;
    auto* resolver = new (g_resolver) Resolver;
    resolver->AddAbs(); resolver->AddAdd(); resolver->AddArgMax(); resolver->AddAveragePool2D(); resolver->AddBatchMatMul(); resolver->AddCast(); resolver->AddConcatenation(); resolver->AddConv2D(); resolver->AddDepthwiseConv2D(); resolver->AddDequantize(); resolver->AddDiv(); resolver->AddEqual(); resolver->AddExp(); resolver->AddExpandDims(); resolver->AddFullyConnected(); resolver->AddGather(); resolver->AddGreater(); resolver->AddHardSwish(); resolver->AddL2Normalization(); resolver->AddLeakyRelu(); resolver->AddLess(); resolver->AddLog(); resolver->AddLogistic(); resolver->AddMaxPool2D(); resolver->AddMaximum(); resolver->AddMean(); resolver->AddMinimum(); resolver->AddMirrorPad(); resolver->AddMul(); resolver->AddNeg(); resolver->AddPack(); resolver->AddPad(); resolver->AddPadV2(); resolver->AddPrelu(); resolver->AddQuantize(); resolver->AddReduceMax(); resolver->AddRelu(); resolver->AddRelu6(); resolver->AddReshape(); resolver->AddResizeBilinear(); resolver->AddResizeNearestNeighbor(); resolver->AddRsqrt(); resolver->AddSlice(); resolver->AddSoftmax(); resolver->AddSplit(); resolver->AddSplitV(); resolver->AddSqrt(); resolver->AddSquare(); resolver->AddSquaredDifference(); resolver->AddSqueeze(); resolver->AddStridedSlice(); resolver->AddSub(); resolver->AddSum(); resolver->AddSvdf(); resolver->AddTanh(); resolver->AddTranspose(); resolver->AddTransposeConv(); resolver->AddUnidirectionalSequenceLSTM(); resolver->AddUnpack();
    Profiler profiler;
    auto* allocator = tflite::MicroAllocator::Create(g_arena, sizeof g_arena);
    auto* variables = tflite::MicroResourceVariables::Create(allocator, 8);
    auto* it = new (g_interpreter) tflite::MicroInterpreter(model, *resolver, allocator, variables, &profiler);
    g_count = 0; g_on = false;
    if (it->AllocateTensors() != kTfLiteOk) { printf("FAIL %s allocate\n", path); continue; }
    for (size_t k = 0; k < it->inputs_size(); ++k) Fill(it->input(k), k);
    g_on = true;
    int status = it->Invoke();
    g_on = false;
    printf("MODEL %s %d %d\n", path, g_count, status);
    for (int i = 0; i < g_count; ++i) printf("OP %d %s\n", i, g_tags[i]);
    fflush(stdout);
  }
  return 0;
}
