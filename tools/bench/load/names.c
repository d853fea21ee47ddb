// SPDX-License-Identifier: Apache-2.0
/*
 * Who answers at an address, asked from and in many network namespaces by one process.
 *
 *   names serve PORT < LIST
 *       LIST has a line for each server: path of its namespace, name. TCP and UDP on PORT tell every client
 *       "NAME CLIENT-ADDRESS:PORT". Prints "ready" when all listen, and serves until it is killed.
 *   names ask ROUNDS < LIST
 *       LIST has a line for each question: path of the client's namespace, tcp or udp, address, port, source
 *       port. All are asked in order, ROUNDS times; UDP sockets stay. Prints a line for each: the answer of the
 *       last round, or "-" when none came within a second.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define LINES_MAX 65536
#define NAME_MAX_LENGTH 64
#define EVENTS 64

struct server {
	char name[NAME_MAX_LENGTH];
	int fd;
	int is_tcp;
};

struct question {
	char netns[256], protocol[8], address[64], answer[128];
	int port, source_port;
	int fd; /* of UDP; -1: not yet made */
};

static void fail(const char *what)
{
	fprintf(stderr, "names: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int checked(int result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

/* Sockets belong to the namespace in which they are made. */
static int socket_in(const char *netns, int type, int port)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct timeval second = { .tv_sec = 1 };
	int one = 1;
	int namespace = checked(open(netns, O_RDONLY | O_CLOEXEC), netns);
	int fd;

	checked(setns(namespace, CLONE_NEWNET), netns);
	close(namespace);
	fd = checked(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");
	checked(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "SO_REUSEADDR");
	checked(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)), "SO_RCVTIMEO");
	checked(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second)), "SO_SNDTIMEO");
	checked(bind(fd, (struct sockaddr *)&own, sizeof(own)), "bind");
	return fd;
}

static int greeting(char *text, size_t size, const char *name, const struct sockaddr_in *client)
{
	char address[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &client->sin_addr, address, sizeof(address));
	return snprintf(text, size, "%s %s:%d", name, address, ntohs(client->sin_port));
}

static void answer(const struct server *server)
{
	struct sockaddr_in client;
	socklen_t length = sizeof(client);
	char text[NAME_MAX_LENGTH + 32], question[16];
	int size, fd;

	if (server->is_tcp) {
		fd = accept(server->fd, (struct sockaddr *)&client, &length);
		if (fd < 0)
			return;
		size = greeting(text, sizeof(text), server->name, &client);
		if (write(fd, text, (size_t)size) != size)
			fprintf(stderr, "names: %s: the client is gone\n", server->name);
		close(fd);
		return;
	}
	if (recvfrom(server->fd, question, sizeof(question), 0, (struct sockaddr *)&client, &length) < 0)
		return;
	size = greeting(text, sizeof(text), server->name, &client);
	if (sendto(server->fd, text, (size_t)size, 0, (struct sockaddr *)&client, length) != size)
		fprintf(stderr, "names: %s: not sent: %s\n", server->name, strerror(errno));
}

static void add_server(int poll, const char *netns, const char *name, int type, int port)
{
	struct server *server = calloc(1, sizeof(*server));
	struct epoll_event event = { .events = EPOLLIN };

	if (!server)
		fail("memory");
	snprintf(server->name, sizeof(server->name), "%s", name);
	server->is_tcp = type == SOCK_STREAM;
	server->fd = socket_in(netns, type, port);
	if (server->is_tcp)
		checked(listen(server->fd, 64), "listen");
	event.data.ptr = server;
	checked(epoll_ctl(poll, EPOLL_CTL_ADD, server->fd, &event), "epoll_ctl");
}

static void serve(int port)
{
	int poll = checked(epoll_create1(EPOLL_CLOEXEC), "epoll");
	struct epoll_event events[EVENTS];
	char netns[256], name[NAME_MAX_LENGTH];

	while (scanf("%255s %63s", netns, name) == 2) {
		add_server(poll, netns, name, SOCK_STREAM, port);
		add_server(poll, netns, name, SOCK_DGRAM, port);
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		int count = epoll_wait(poll, events, EVENTS, -1);

		if (count < 0 && errno != EINTR)
			fail("epoll_wait");
		for (int i = 0; i < count; i++)
			answer(events[i].data.ptr);
	}
}

static void ask(struct question *q)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)q->port) };
	int is_tcp = strcmp(q->protocol, "tcp") == 0;
	int fd = q->fd;
	ssize_t size = -1;

	inet_pton(AF_INET, q->address, &to.sin_addr);
	if (fd < 0)
		fd = socket_in(q->netns, is_tcp ? SOCK_STREAM : SOCK_DGRAM, q->source_port);
	if (q->fd >= 0 || !connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		if (is_tcp || send(fd, "?", 1, 0) == 1)
			size = recv(fd, q->answer, sizeof(q->answer) - 1, 0);
	}
	if (size <= 0)
		strcpy(q->answer, "-");
	else
		q->answer[size] = 0;
	if (is_tcp)
		close(fd);
	else
		q->fd = fd;
}

static void ask_all(int rounds)
{
	struct question *questions = calloc(LINES_MAX, sizeof(*questions));
	int count = 0;

	if (!questions)
		fail("memory");
	for (; count < LINES_MAX; count++) {
		struct question *q = &questions[count];

		if (scanf("%255s %7s %63s %d %d", q->netns, q->protocol, q->address, &q->port, &q->source_port) != 5)
			break;
		q->fd = -1;
	}
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < count; i++)
			ask(&questions[i]);
	for (int i = 0; i < count; i++)
		puts(questions[i].answer);
}

int main(int argc, char **argv)
{
	struct rlimit files;

	checked(getrlimit(RLIMIT_NOFILE, &files), "getrlimit");
	files.rlim_cur = files.rlim_max;
	checked(setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(atoi(argv[2]));
	else if (argc == 3 && strcmp(argv[1], "ask") == 0)
		ask_all(atoi(argv[2]));
	else
		return fprintf(stderr, "usage: names serve PORT | names ask ROUNDS\n"), 2;
	return 0;
}
