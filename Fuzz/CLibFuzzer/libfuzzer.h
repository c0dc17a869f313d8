// The entry of libFuzzer, which the compiler links with -sanitize=fuzzer (LLVM, compiler-rt/lib/fuzzer/FuzzerInterface.h).
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
