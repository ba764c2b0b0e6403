/* The floor: the least that a supervisor in C can do.
 *
 *   floor fork|vfork|early|threads COUNT FIRST PROGRAM
 *
 * Runs COUNT copies of PROGRAM, numbered from FIRST in the variable STAMP, and
 * runs each again when it ends.
 *
 * fork, vfork: waitpid, then fork or vfork, then execve.
 * early: as vfork, but the new one is made before the zombie is taken away.
 * threads: as early, but each vfork is made by one of a few threads, so that a program that is
 * slow to execute holds nobody up.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PID_LIMIT = 1 << 22, QUEUE = 1 << 16, THREADS = 4 };

static char *program;
static char (*stamps)[24];
/* Which copy a process is, and 1 more. Only the pages in use take memory. */
static int copies[PID_LIMIT];

static void run(int copy, int by_vfork)
{
	char *argv[] = { program, NULL };
	char *environment[] = { stamps[copy], NULL };
	pid_t pid = by_vfork ? vfork() : fork();
	if (pid == 0) {
		execve(program, argv, environment);
		_exit(127);
	}
	if (pid < 0 || pid >= PID_LIMIT) {
		perror("floor: fork");
		exit(1);
	}
	copies[pid] = copy + 1;
}

/* Copies that the threads are to run, in turn. */
static int queue[QUEUE];
static unsigned put, taken;
static sem_t waiting;

static void *serve(void *unused)
{
	for (;;) {
		while (sem_wait(&waiting))
			;
		unsigned place = __atomic_fetch_add(&taken, 1, __ATOMIC_ACQ_REL);
		run(__atomic_load_n(&queue[place % QUEUE], __ATOMIC_ACQUIRE), 1);
	}
	return unused;
}

static void hand_over(int copy)
{
	__atomic_store_n(&queue[put++ % QUEUE], copy, __ATOMIC_RELEASE);
	sem_post(&waiting);
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	int threads = !strcmp(argv[1], "threads");
	int early = threads || !strcmp(argv[1], "early");
	int by_vfork = early || !strcmp(argv[1], "vfork");
	int count = atoi(argv[2]);
	int first = atoi(argv[3]);
	program = argv[4];
	stamps = calloc((size_t)count, sizeof *stamps);
	if (!stamps)
		return 1;
	if (threads && sem_init(&waiting, 0, 0))
		return 1;
	for (int thread = 0; threads && thread < THREADS; thread++) {
		pthread_t unused;
		if (pthread_create(&unused, NULL, serve, NULL))
			return 1;
	}
	for (int copy = 0; copy < count; copy++) {
		snprintf(stamps[copy], sizeof *stamps, "STAMP=%d", first + copy);
		run(copy, by_vfork);
	}
	for (;;) {
		siginfo_t dead;
		if (waitid(P_ALL, 0, &dead, WEXITED | (early ? WNOWAIT : 0)) < 0)
			return 1;
		int copy = copies[dead.si_pid];
		copies[dead.si_pid] = 0;
		if (copy && threads)
			hand_over(copy - 1);
		else if (copy)
			run(copy - 1, by_vfork);
		if (early && waitpid(dead.si_pid, NULL, 0) < 0)
			return 1;
	}
}
