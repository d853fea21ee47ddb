/*
 * The CNI plugin that runtimes execute: hands the request (CNI_* variables and standard input) to
 * the agent's unix socket as one HTTP/1.0 POST of {"env": {...}, "stdin": "..."} and prints the
 * answer. Status 2xx: exit 0; any other: the body is a CNI error object, exit 1. VERSION is answered
 * here. No state, no configuration but CONTRAIL_CNI_SOCKET and CONTRAIL_CNI_WAIT_MS.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/var/run/contrail/cni.sock"
#define NEWEST_VERSION "1.1.0"
#define SUPPORTED_VERSIONS "\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\""
#define STDIN_MAX (1024 * 1024)
#define ENV_MAX (64 * 1024)
#define ANSWER_MAX (4 * 1024 * 1024)
#define TIMEOUT_S 60
/* How long commands wait for an agent that is being replaced, unless CONTRAIL_CNI_WAIT_MS says. */
#define WAIT_MS 15000
/* A kubelet calls its runtime dead when that does not answer within 30 s. */
#define STATUS_WAIT_MS 10000
#define POLL_MS 50

/* Codes of the CNI specification. */
enum cni_error { IO_FAILURE = 5, DECODE_FAILURE = 6, TRY_AGAIN = 11, NOT_AVAILABLE = 50, ENV_INVALID = 4 };

static const char *const variables[] = {
	"CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH",
};

struct buffer {
	char *data;
	size_t length;
	size_t capacity;
};

/* Version of the configuration; what it asks for is echoed in answers. */
static char version[16] = NEWEST_VERSION;

static void append(struct buffer *out, const char *data, size_t length)
{
	if (out->length + length + 1 > out->capacity) {
		size_t capacity = (out->length + length + 1) * 2;
		char *grown = realloc(out->data, capacity);

		if (!grown) {
			fputs("contrail-cni: out of memory\n", stderr);
			exit(1);
		}
		out->data = grown;
		out->capacity = capacity;
	}
	memcpy(out->data + out->length, data, length);
	out->length += length;
	out->data[out->length] = '\0';
}

static void append_text(struct buffer *out, const char *text)
{
	append(out, text, strlen(text));
}

/* A JSON string, quotes included. */
static void append_json(struct buffer *out, const char *data, size_t length)
{
	append(out, "\"", 1);
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)data[i];
		char escaped[8];

		if (c == '"' || c == '\\') {
			escaped[0] = '\\';
			escaped[1] = (char)c;
			append(out, escaped, 2);
		} else if (c < 0x20 || c == 0x7f) {
			snprintf(escaped, sizeof(escaped), "\\u%04x", c);
			append(out, escaped, 6);
		} else {
			append(out, data + i, 1);
		}
	}
	append(out, "\"", 1);
}

/* Prints a CNI error object on standard output, where runtimes look for it. Does not return. */
__attribute__((noreturn, format(printf, 3, 4)))
static void fail(enum cni_error code, const char *details, const char *format, ...)
{
	struct buffer out = {0};
	char message[1024];
	char number[16];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	snprintf(number, sizeof(number), "%d", code);
	append_text(&out, "{\"cniVersion\":");
	append_json(&out, version, strlen(version));
	append_text(&out, ",\"code\":");
	append_text(&out, number);
	append_text(&out, ",\"msg\":");
	append_json(&out, message, strlen(message));
	append_text(&out, ",\"details\":");
	append_json(&out, details, strlen(details));
	append_text(&out, "}\n");
	fwrite(out.data, 1, out.length, stdout);
	exit(1);
}

/* Everything on standard input; an error when it is more than STDIN_MAX. */
static struct buffer read_stdin(void)
{
	struct buffer in = {0};
	char chunk[16384];
	ssize_t got;

	append(&in, "", 0);
	while ((got = read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			fail(IO_FAILURE, strerror(errno), "standard input cannot be read");
		append(&in, chunk, (size_t)got);
		if (in.length > STDIN_MAX)
			fail(DECODE_FAILURE, "the network configuration is read from there",
			     "standard input has more than %d bytes", STDIN_MAX);
	}
	return in;
}

/* Takes "cniVersion" from the configuration without parsing it; the agent does that. */
static void find_version(const char *config)
{
	const char *at = strstr(config, "\"cniVersion\"");
	size_t length;

	if (!at)
		return;
	at += strlen("\"cniVersion\"");
	at += strspn(at, " \t\r\n");
	if (*at++ != ':')
		return;
	at += strspn(at, " \t\r\n");
	if (*at++ != '"')
		return;
	length = strspn(at, "0123456789.");
	if (length == 0 || length >= sizeof(version) || at[length] != '"')
		return;
	memcpy(version, at, length);
	version[length] = '\0';
}

static void append_environment(struct buffer *out)
{
	int first = 1;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *value = getenv(variables[i]);

		if (!value)
			continue;
		if (strlen(value) > ENV_MAX)
			fail(ENV_INVALID, "shorten it", "%s has more than %d bytes", variables[i], ENV_MAX);
		append_text(out, first ? "" : ",");
		append_json(out, variables[i], strlen(variables[i]));
		append_text(out, ":");
		append_json(out, value, strlen(value));
		first = 0;
	}
}

static struct buffer to_http_request(const struct buffer *config)
{
	struct buffer body = {0};
	struct buffer request = {0};
	char header[160];

	append_text(&body, "{\"env\":{");
	append_environment(&body);
	append_text(&body, "},\"stdin\":");
	append_json(&body, config->data, config->length);
	append_text(&body, "}");
	snprintf(header, sizeof(header),
		 "POST /cni HTTP/1.0\r\nHost: contrail\r\nContent-Type: application/json\r\n"
		 "Content-Length: %zu\r\n\r\n", body.length);
	append_text(&request, header);
	append(&request, body.data, body.length);
	free(body.data);
	return request;
}

/* The code that tells the runtime what an absent agent means for this command. */
static enum cni_error absent_code(const char *command)
{
	return strcmp(command, "STATUS") == 0 ? NOT_AVAILABLE : TRY_AGAIN;
}

/* Milliseconds for which a command waits for the socket. */
static long wait_ms(const char *command)
{
	const char *setting = getenv("CONTRAIL_CNI_WAIT_MS");

	int is_status = strcmp(command, "STATUS") == 0;

	if (!is_status && strcmp(command, "ADD") != 0 && strcmp(command, "DEL") != 0)
		return 0;
	if (setting)
		return strtol(setting, NULL, 10);
	return is_status ? STATUS_WAIT_MS : WAIT_MS;
}

/* 1: the agent does not listen, as while its pod is replaced; nothing was sent to it. */
static int is_absent(int error)
{
	return error == ENOENT || error == ECONNREFUSED;
}

static int connect_agent(const char *path, const char *command)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	long left_ms = wait_ms(command);
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		fail(ENV_INVALID, path, "CONTRAIL_CNI_SOCKET is longer than %zu bytes", sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail(IO_FAILURE, strerror(errno), "no socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	while (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		if (is_absent(errno) && left_ms > 0) {
			usleep(POLL_MS * 1000);
			left_ms -= POLL_MS;
			continue;
		}
		fail(absent_code(command), strerror(errno),
		     "vrouter-agent does not listen on %s; is its pod running on this node?", path);
	}
	return fd;
}

/* A failed send is not an error yet: the agent may have answered before it read everything. */
static void send_all(int fd, const struct buffer *request)
{
	size_t sent = 0;

	while (sent < request->length) {
		ssize_t n = send(fd, request->data + sent, request->length - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		sent += (size_t)n;
	}
}

static struct buffer receive_all(int fd, const char *command)
{
	struct buffer answer = {0};
	char chunk[16384];
	ssize_t got;

	append(&answer, "", 0);
	while ((got = recv(fd, chunk, sizeof(chunk), 0)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			fail(absent_code(command), strerror(errno), "vrouter-agent did not answer within %d s", TIMEOUT_S);
		if (got < 0)
			break;
		append(&answer, chunk, (size_t)got);
		if (answer.length > ANSWER_MAX)
			fail(IO_FAILURE, "", "vrouter-agent's answer has more than %d bytes", ANSWER_MAX);
	}
	return answer;
}

/* Length that the header promises; -1 when it promises none. */
static long content_length(const char *head, const char *end)
{
	for (const char *line = head; line && line < end; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncasecmp(line, "content-length:", 15) == 0)
			return strtol(line + 15, NULL, 10);
	}
	return -1;
}

/* Prints the body. @return the exit status. */
static int print_answer(const struct buffer *answer, const char *command)
{
	const char *body = strstr(answer->data, "\r\n\r\n");
	long promised;
	size_t length;
	int status;

	if (!body || sscanf(answer->data, "HTTP/1.%*d %d", &status) != 1)
		fail(absent_code(command), "", "vrouter-agent closed the connection before it answered");
	promised = content_length(answer->data, body);
	body += 4;
	length = answer->length - (size_t)(body - answer->data);
	if (promised >= 0 && (size_t)promised != length)
		fail(absent_code(command), "", "vrouter-agent closed the connection in the middle of its answer");
	fwrite(body, 1, length, stdout);
	if (fflush(stdout) != 0)
		return 1;
	return status >= 200 && status < 300 ? 0 : 1;
}

int main(void)
{
	const char *command = getenv("CNI_COMMAND");
	const char *path = getenv("CONTRAIL_CNI_SOCKET");
	struct buffer config = read_stdin();
	struct buffer request, answer;
	int fd;

	find_version(config.data);
	if (!command)
		fail(ENV_INVALID, "a CNI runtime sets it", "CNI_COMMAND is not set");
	if (strcmp(command, "VERSION") == 0) {
		printf("{\"cniVersion\":\"%s\",\"supportedVersions\":[" SUPPORTED_VERSIONS "]}\n", version);
		return 0;
	}
	request = to_http_request(&config);
	fd = connect_agent(path && *path ? path : DEFAULT_SOCKET, command);
	send_all(fd, &request);
	answer = receive_all(fd, command);
	close(fd);
	return print_answer(&answer, command);
}
