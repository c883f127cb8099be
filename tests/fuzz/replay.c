/* SPDX-License-Identifier: MIT
 *
 * Feeds every file of the named directories (or the named files) to a fuzz target once: the
 * committed corpus as an ordinary test, with any compiler.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        return 0;
    }
    long size = ftell(file);
    rewind(file);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1); /* exact: a byte too far is noticed */
    int whole = data && size >= 0 && fread(data, 1, (size_t)size, file) == (size_t)size;
    if (whole) LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    fclose(file);
    return whole;
}

static int replay(const char *path) {
    struct stat info;
    int count = 0;
    if (stat(path, &info) != 0) {
        perror(path);
        return 0;
    }
    if (!S_ISDIR(info.st_mode)) return replay_file(path);
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char name[4096];
        if (entry->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        count += replay(name);
    }
    if (directory) closedir(directory);
    return count;
}

int main(int argc, char **argv) {
    int count = 0;
    for (int i = 1; i < argc; i++) count += replay(argv[i]);
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}
