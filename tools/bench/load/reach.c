// SPDX-License-Identifier: Apache-2.0
/*
 * When an address begins, or ceases, to answer.
 *
 *   reach begin|end ADDRESS PORT SECONDS
 *       Tries to connect by TCP every millisecond. begin: prints when a connection was established
 *       first; end: when the first of LOST_RUN attempts in a row began that all failed. In milliseconds of
 *       CLOCK_MONOTONIC. Exit status 3 when nothing of that happened in time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PENDING_MAX 64
/* An attempt that takes longer has failed. */
#define PENDING_NS 30000000ull
#define LOST_RUN 20

static struct pollfd fds[PENDING_MAX];
static uint64_t began[PENDING_MAX];
static nfds_t count;
static uint64_t first_success, lost_since;
static int lost;

static void fail(const char *what)
{
	fprintf(stderr, "reach: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void begin_attempt(const struct sockaddr_in *to)
{
	/* A reset at the end, so that no port waits. */
	struct linger reset = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	fds[count] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	began[count++] = now_ns();
	/* What becomes of it is read off the socket later. */
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		errno = 0;
}

static void end_attempt(nfds_t i, int ok)
{
	if (ok && !first_success)
		first_success = now_ns();
	if (ok && began[i] > lost_since)
		lost = 0;
	if (!ok && lost++ == 0)
		lost_since = began[i];
	close(fds[i].fd);
	count--;
	memmove(&fds[i], &fds[i + 1], (count - i) * sizeof(fds[0]));
	memmove(&began[i], &began[i + 1], (count - i) * sizeof(began[0]));
}

/* Oldest first, so that runs of failures are in order. */
static void end_attempts(void)
{
	for (nfds_t i = 0; i < count;) {
		int error = 0;
		socklen_t length = sizeof(error);

		if (!fds[i].revents && now_ns() - began[i] <= PENDING_NS) {
			i++;
			continue;
		}
		getsockopt(fds[i].fd, SOL_SOCKET, SO_ERROR, &error, &length);
		end_attempt(i, fds[i].revents == POLLOUT && !error);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	if (argc != 5 || (strcmp(argv[1], "begin") && strcmp(argv[1], "end")) ||
	    inet_pton(AF_INET, argv[2], &to.sin_addr) != 1) {
		fputs("usage: reach begin|end ADDRESS PORT SECONDS\n", stderr);
		return 2;
	}
	to.sin_port = htons((uint16_t)atoi(argv[3]));
	int is_end = strcmp(argv[1], "end") == 0;
	uint64_t deadline = now_ns() + strtoull(argv[4], NULL, 10) * 1000000000ull;

	while (now_ns() < deadline) {
		uint64_t next = now_ns() + 1000000ull;

		if (count < PENDING_MAX)
			begin_attempt(&to);
		poll(fds, count, 1);
		end_attempts();
		if (is_end ? lost >= LOST_RUN : first_success != 0) {
			printf("%.3f\n", (double)(is_end ? lost_since : first_success) / 1e6);
			return 0;
		}
		uint64_t now = now_ns();

		if (now < next)
			usleep((useconds_t)((next - now) / 1000));
	}
	return 3;
}
