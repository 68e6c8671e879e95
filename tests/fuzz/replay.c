/* SPDX-License-Identifier: MIT */
/* Runs the files named through a fuzzer, without libFuzzer: any compiler can replay the seeds. */
#include "fuzz.h"

/* A block of exactly the file's size, so that AddressSanitizer sees a byte too far. */
static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    long end = -1;

    if (f != NULL && fseek(f, 0, SEEK_END) == 0)
        end = ftell(f);
    uint8_t *data = end < 0 ? NULL : malloc(end == 0 ? 1 : (size_t)end);
    if (data != NULL) {
        rewind(f);
        *size = fread(data, 1, (size_t)end, f);
    }
    if (f != NULL)
        (void)fclose(f);
    return data;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        size_t size = 0;
        uint8_t *data = read_file(argv[i], &size);
        if (data == NULL) {
            perror(argv[i]);
            return EXIT_FAILURE;
        }
        (void)LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
    printf("%d files replayed\n", argc - 1);
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
