/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c: takes every file of the folders and files named through a fuzz target, where there is no libFuzzer. A
 * finding ends the program; so does a folder without files, as it would prove nothing. */
#include "fuzz.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool file_replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long len = -1;
	bool good = false;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (len = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0)
		goto out;
	data = malloc((size_t)len + !len); /* of exactly its length, so that a read past it is seen */
	good = data && fread(data, 1, (size_t)len, file) == (size_t)len;
	if (good)
		LLVMFuzzerTestOneInput(data, (size_t)len);
out:
	if (!good)
		fprintf(stderr, "'%s' cannot be read: %s\n", path, strerror(errno));
	free(data);
	if (file)
		fclose(file);
	return good;
}

static bool folder_replay(const char *path, unsigned *count)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	char name[4096];
	bool good = true;

	if (folder == NULL)
		return ++*count && file_replay(path);
	while (good && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		good = file_replay(name);
		++*count;
	}
	closedir(folder);
	return good;
}

int main(int argc, char **argv)
{
	unsigned count = 0;

	for (int i = 1; i < argc; i++)
		if (!folder_replay(argv[i], &count))
			return 1;
	printf("%u inputs\n", count);
	return count == 0;
}
