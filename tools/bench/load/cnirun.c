// SPDX-License-Identifier: Apache-2.0
/*
 * Runs CNI plugins and takes the time, as a container runtime would start them.
 *
 *   cnirun PARALLEL FOLDER PLUGIN CONFIG [PLUGIN CONFIG]… < LIST
 *       LIST has a line for each attachment: container id, path of the network namespace, CNI_ARGS.
 *       CONFIG is a file; @PREV@ in it stands for what the plugin before printed (null: nothing), @ID@ for the
 *       container id. PARALLEL attachments run at once, each its plugins one after the other.
 *       CNI_COMMAND and the rest of the environment are inherited; CNI_PATH is FOLDER.
 *       Prints a line for each: milliseconds, exit status of the plugin that ended it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINES_MAX 4096
#define TEXT_MAX 65536

extern char **environ;

struct attachment {
	char id[64], netns[256], args[512];
	double ms;
	int status;
};

static struct attachment attachments[LINES_MAX];
static int attachment_count, next_attachment, plugin_count;
static char **plugins; /* name and configuration of each */
static char *configs[16];
static const char *folder;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what)
{
	fprintf(stderr, "cnirun: %s: %s\n", what, strerror(errno));
	exit(2);
}

static char *read_file(const char *path)
{
	char *text = calloc(1, TEXT_MAX);
	FILE *file = fopen(path, "r");

	if (!file || !text)
		fail(path);
	if (fread(text, 1, TEXT_MAX - 1, file) == 0)
		fail(path);
	fclose(file);
	return text;
}

/* Replaces every occurrence of what. */
static void replace(char *text, const char *what, const char *with)
{
	char rest[TEXT_MAX];
	char *at = text;

	while ((at = strstr(at, what))) {
		snprintf(rest, sizeof(rest), "%s%s", with, at + strlen(what));
		if ((size_t)(at - text) + strlen(rest) >= TEXT_MAX) {
			errno = E2BIG;
			fail("configuration");
		}
		strcpy(at, rest);
		at += strlen(with);
	}
}

static void set(char **environment, int *count, const char *name, const char *value)
{
	if (asprintf(&environment[(*count)++], "%s=%s", name, value) < 0)
		fail("asprintf");
}

/* Standard output of the plugin comes back in output, of TEXT_MAX bytes. */
static int run_plugin(const char *plugin, char **environment, const char *input, char *output)
{
	posix_spawn_file_actions_t actions;
	char path[512], *argv[] = { path, NULL };
	int in[2], out[2], status;
	size_t length = 0;
	ssize_t n;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/%s", folder, plugin);
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		fail("pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	errno = posix_spawn(&pid, path, &actions, NULL, argv, environment);
	if (errno)
		fail(path);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	if (write(in[1], input, strlen(input)) < 0)
		perror("cnirun: write");
	close(in[1]);
	while (length < TEXT_MAX - 1 && (n = read(out[0], output + length, TEXT_MAX - 1 - length)) > 0)
		length += (size_t)n;
	output[length] = 0;
	close(out[0]);
	if (waitpid(pid, &status, 0) < 0)
		fail("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void attach(struct attachment *attachment)
{
	char *environment[256] = {}, *input = malloc(TEXT_MAX), *output = calloc(1, TEXT_MAX);
	double began = now_ms();
	int count = 0;

	for (char **each = environ; *each && count < 240; each++)
		environment[count++] = *each;
	set(environment, &count, "CNI_CONTAINERID", attachment->id);
	set(environment, &count, "CNI_NETNS", attachment->netns);
	set(environment, &count, "CNI_IFNAME", "eth0");
	set(environment, &count, "CNI_ARGS", attachment->args);
	set(environment, &count, "CNI_PATH", folder);
	for (int i = 0; i < plugin_count && attachment->status == 0; i++) {
		strcpy(input, configs[i]);
		replace(input, "@ID@", attachment->id);
		replace(input, "@PREV@", *output ? output : "null");
		attachment->status = run_plugin(plugins[2 * i], environment, input, output);
	}
	attachment->ms = now_ms() - began;
	if (attachment->status)
		fprintf(stderr, "cnirun: %s: %s\n", attachment->id, output);
	free(input);
	free(output);
}

static void *work(void *unused)
{
	(void)unused;
	for (;;) {
		pthread_mutex_lock(&lock);
		int mine = next_attachment++;
		pthread_mutex_unlock(&lock);
		if (mine >= attachment_count)
			return NULL;
		attach(&attachments[mine]);
	}
}

int main(int argc, char **argv)
{
	pthread_t threads[LINES_MAX];
	int parallel = argc > 1 ? atoi(argv[1]) : 0;

	if (argc < 5 || argc % 2 == 0 || parallel < 1 || parallel > LINES_MAX || argc > 2 * 16) {
		fputs("usage: cnirun PARALLEL FOLDER PLUGIN CONFIG [PLUGIN CONFIG]... < LIST\n", stderr);
		return 2;
	}
	folder = argv[2];
	plugins = argv + 3;
	plugin_count = (argc - 3) / 2;
	for (int i = 0; i < plugin_count; i++)
		configs[i] = read_file(plugins[2 * i + 1]);
	while (attachment_count < LINES_MAX) {
		struct attachment *a = &attachments[attachment_count];

		if (scanf("%63s %255s %511s", a->id, a->netns, a->args) != 3)
			break;
		attachment_count++;
	}
	for (int i = 0; i < parallel; i++)
		if (pthread_create(&threads[i], NULL, work, NULL))
			fail("pthread_create");
	for (int i = 0; i < parallel; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < attachment_count; i++)
		printf("%.3f %d\n", attachments[i].ms, attachments[i].status);
	return 0;
}
