// SPDX-License-Identifier: Apache-2.0
/*
 * Load for measurements: one server, one client, each on a core of its own.
 *
 *   netload CPU serve PORT
 *       TCP on PORT swallows, on PORT+1 echoes, on PORT+2 echoes once and closes; UDP on PORT+1
 *       echoes. Prints "ready" and serves until it is killed.
 *   netload CPU stream|rr|crr|udp ADDRESS PORT MILLISECONDS
 *       PORT is the server's. stream: one connection, as fast as it takes; rr: one byte there and
 *       back on one connection; crr: connect, one byte there and back, close; udp: as rr.
 *       Prints one JSON object: seconds, bytes (stream: received by the peer), operations, p50Us and
 *       p99Us of one operation (0 for stream), errors.
 *
 * The server closes first, so that no port of the client waits. The first WARM_UP_NS do not count.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP_NS 20000000ull
#define FD_MAX 65536
#define CHUNK (128 * 1024)
/* One answer may take this long; then it is an error. */
#define ANSWER_MS 1000

static char buffer[CHUNK];

static void fail(const char *what)
{
	fprintf(stderr, "netload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int checked(int result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	checked(sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

static void enable(int fd, int level, int option)
{
	int one = 1;

	checked(setsockopt(fd, level, option, &one, sizeof(one)), "setsockopt");
}

static struct sockaddr_in address_of(const char *address, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1) {
		errno = EINVAL;
		fail(address);
	}
	return to;
}

/* ---- times of operations: 64 steps for each power of two of nanoseconds, so 1.6 % ---- */

#define STEPS 64
static uint64_t histogram[64 * STEPS];
static uint64_t recorded;

static void record(uint64_t ns)
{
	int power = 63 - __builtin_clzll(ns | STEPS);
	/* Below 2 * STEPS the value itself is the index. */
	uint64_t step = ns >> (power - 6);

	histogram[(uint64_t)(power - 6) * STEPS + step]++;
	recorded++;
}

static double quantile_us(double q)
{
	uint64_t want = (uint64_t)((double)recorded * q), seen = 0;

	for (uint64_t i = 0; i < 64 * STEPS; i++) {
		seen += histogram[i];
		if (seen > want) {
			uint64_t power = i < 2 * STEPS ? 0 : i / STEPS - 1;
			uint64_t step = i - power * STEPS;

			return (double)(step << power) / 1000.0;
		}
	}
	return 0;
}

/* ---- server ---- */

enum kind { LISTEN_SINK = 1, LISTEN_ECHO, LISTEN_ONCE, SINK, ECHO, ONCE, UDP };
static uint8_t kinds[FD_MAX];
static int epoll_fd;

static void watch(int fd, enum kind kind)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (fd >= FD_MAX) {
		close(fd);
		return;
	}
	kinds[fd] = (uint8_t)kind;
	checked(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void listen_on(int port, enum kind kind)
{
	int type = kind == UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd = checked(socket(AF_INET, type | SOCK_NONBLOCK, 0), "socket");
	struct sockaddr_in own = address_of("0.0.0.0", port);

	enable(fd, SOL_SOCKET, SO_REUSEADDR);
	checked(bind(fd, (struct sockaddr *)&own, sizeof(own)), "bind");
	if (kind != UDP)
		checked(listen(fd, 4096), "listen");
	watch(fd, kind);
}

static void accept_all(int listener, enum kind kind)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		enable(fd, IPPROTO_TCP, TCP_NODELAY);
		watch(fd, kind);
	}
}

static void serve_connection(int fd)
{
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && kinds[fd] != SINK)
		n = send(fd, buffer, (size_t)n, MSG_NOSIGNAL);
	if (n <= 0 || kinds[fd] == ONCE)
		close(fd);
}

static void serve_datagrams(int fd)
{
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(fd, buffer, 2048, 0, (struct sockaddr *)&from, &length)) >= 0) {
		sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&from, length);
		length = sizeof(from);
	}
}

static void serve(int port)
{
	struct epoll_event events[64];

	epoll_fd = checked(epoll_create1(0), "epoll_create1");
	listen_on(port, LISTEN_SINK);
	listen_on(port + 1, LISTEN_ECHO);
	listen_on(port + 2, LISTEN_ONCE);
	listen_on(port + 1, UDP);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int count = epoll_wait(epoll_fd, events, 64, -1);

		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			switch ((enum kind)kinds[fd]) {
			case LISTEN_SINK: accept_all(fd, SINK); break;
			case LISTEN_ECHO: accept_all(fd, ECHO); break;
			case LISTEN_ONCE: accept_all(fd, ONCE); break;
			case UDP: serve_datagrams(fd); break;
			case SINK: case ECHO: case ONCE: serve_connection(fd); break;
			}
		}
	}
}

/* ---- client ---- */

struct result {
	uint64_t bytes, operations, errors, ns;
};

static int connected(int type, const struct sockaddr_in *to)
{
	struct timeval limit = { .tv_sec = ANSWER_MS / 1000, .tv_usec = ANSWER_MS % 1000 * 1000 };
	int fd = checked(socket(AF_INET, type, 0), "socket");

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (type == SOCK_STREAM)
		enable(fd, IPPROTO_TCP, TCP_NODELAY);
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* True when one byte came back. */
static int exchange(int fd)
{
	char byte = 'x';

	return send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1;
}

static int connect_exchange_close(const struct sockaddr_in *to)
{
	int fd = connected(SOCK_STREAM, to);
	char byte;
	int ok;

	if (fd < 0)
		return 0;
	/* The end of the stream comes from the server. */
	ok = exchange(fd) && recv(fd, &byte, 1, 0) == 0;
	close(fd);
	return ok;
}

static struct result run_operations(const char *mode, const struct sockaddr_in *to, uint64_t duration)
{
	int is_crr = strcmp(mode, "crr") == 0;
	int fd = is_crr ? -1 : checked(connected(strcmp(mode, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM, to), "connect");
	uint64_t start = now_ns() + WARM_UP_NS, end = start + duration, before = now_ns();
	struct result result = {};

	while (before < end) {
		int ok = is_crr ? connect_exchange_close(to) : exchange(fd);
		uint64_t after = now_ns();

		if (before >= start && ok) {
			record(after - before);
			result.operations++;
		}
		result.errors += !ok;
		before = after;
	}
	result.ns = before - start;
	return result;
}

static struct result run_stream(const struct sockaddr_in *to, uint64_t duration)
{
	int fd = checked(connected(SOCK_STREAM, to), "connect");
	uint64_t start = now_ns() + WARM_UP_NS, end = start + duration, now = 0, total = 0, before = 0;
	struct result result = {};
	int waiting = 0;

	while (now < end) {
		ssize_t n = send(fd, buffer, sizeof(buffer), MSG_NOSIGNAL);

		if (n < 0) {
			result.errors++;
			break;
		}
		total += (uint64_t)n;
		now = now_ns();
		if (result.ns == 0 && now >= start) {
			/* What waits in the socket has not been sent yet. */
			ioctl(fd, SIOCOUTQ, &waiting);
			before = total - (uint64_t)waiting;
			result.ns = now;
		}
	}
	ioctl(fd, SIOCOUTQ, &waiting);
	result.ns = now_ns() - result.ns;
	result.bytes = total - (uint64_t)waiting - before;
	return result;
}

static void client(char **arguments)
{
	const char *mode = arguments[0];
	int offset = strcmp(mode, "stream") == 0 ? 0 : strcmp(mode, "crr") == 0 ? 2 : 1;
	struct sockaddr_in to = address_of(arguments[1], atoi(arguments[2]) + offset);
	uint64_t duration = strtoull(arguments[3], NULL, 10) * 1000000ull;
	struct result result = offset == 0 ? run_stream(&to, duration) : run_operations(mode, &to, duration);

	printf("{\"seconds\":%.6f,\"bytes\":%llu,\"operations\":%llu,\"p50Us\":%.2f,\"p99Us\":%.2f,\"errors\":%llu}\n",
	       (double)result.ns / 1e9, (unsigned long long)result.bytes,
	       (unsigned long long)result.operations, quantile_us(0.5), quantile_us(0.99),
	       (unsigned long long)result.errors);
}

static int is_client(const char *mode)
{
	return !strcmp(mode, "stream") || !strcmp(mode, "rr") || !strcmp(mode, "crr") || !strcmp(mode, "udp");
}

int main(int argc, char **argv)
{
	struct rlimit files = { FD_MAX, FD_MAX };

	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &files);
	if (argc == 4 && strcmp(argv[2], "serve") == 0) {
		pin(atoi(argv[1]));
		serve(atoi(argv[3]));
	} else if (argc == 6 && is_client(argv[2])) {
		pin(atoi(argv[1]));
		client(argv + 2);
		return 0;
	}
	fputs("usage: netload CPU serve PORT | netload CPU stream|rr|crr|udp ADDRESS PORT MILLISECONDS\n", stderr);
	return 2;
}
