/* A bare dlopen: prints for how many nanoseconds it loads the file FILE.
 *
 *   dlopen FILE
 *
 * Linked with the libraries that a module needs, so that only the module
 * itself is loaded, as in the loader.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

int main(int argc, char **argv)
{
	struct timespec from, to;
	if (argc != 2)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &from);
	void *module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (!module) {
		fprintf(stderr, "dlopen: %s\n", dlerror());
		return 1;
	}
	printf("%lld\n", (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec);
	return 0;
}
