/* cuse_check [-u] DEVICE: uses the device that cuse_queue makes (test/fs), its queue being empty, and checks
 * each answer. -u: the device is unrestricted. Exit 0: all as expected; 1: not; 2: bad usage or no device. A
 * hang ends by SIGALRM. */
#include "../fs/cuse_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kDeadlineSeconds = 50, kPause_us = 50000 };

static int failures;

/* Says what is not as expected, and goes on. */
static void expect(const char* what, long got, long wanted)
{
    if (got == wanted)
        return;
    printf("cuse_check: %s: got=%ld expected=%ld\n", what, got, wanted);
    failures++;
}

/* 0 or more, or -errno. */
static long result(long rc)
{
    return rc < 0 ? -errno : rc;
}

static short ready(int fd, int timeout_ms)
{
    struct pollfd one = {fd, POLLIN | POLLOUT, 0};
    const long count = result(poll(&one, 1, timeout_ms));
    expect("poll", count, one.revents ? 1 : 0);
    return one.revents;
}

static void check_bytes(int fd, const char* device)
{
    char back[64] = "";
    expect("write", result(write(fd, "hello, device", 13)), 13);
    expect("read of a part", result(read(fd, back, 5)), 5);
    expect("its bytes", memcmp(back, "hello", 5), 0);
    expect("read of the rest", result(read(fd, back, sizeof(back))), 8);
    expect("its bytes", memcmp(back, ", device", 8), 0);
    const int other = open(device, O_RDONLY | O_NONBLOCK);
    expect("second open", other >= 0, 1);
    expect("read of nothing", result(read(other, back, 1)), -EAGAIN);
    expect("write to a reader", result(write(other, "x", 1)), -EBADF);
    close(other);
}

static void check_poll(int fd)
{
    expect("ready when empty", ready(fd, 0), POLLOUT);
    expect("write", result(write(fd, "x", 1)), 1);
    expect("ready with a byte", ready(fd, 0), POLLIN | POLLOUT);
    expect("QUEUE_CLEAR", result(ioctl(fd, QUEUE_CLEAR)), 0);
    /* A child writes while this process sleeps in poll(2). */
    struct pollfd one = {fd, POLLIN, 0};
    const pid_t child = fork();
    if (child == 0) {
        usleep(kPause_us);
        _exit(write(fd, "wake", 4) == 4 ? 0 : 1);
    }
    expect("poll until something comes", result(poll(&one, 1, -1)), 1);
    expect("what came", one.revents, POLLIN);
    int status = 0;
    waitpid(child, &status, 0);
    expect("the writer", status, 0);
    char back[8];
    expect("read of it", result(read(fd, back, sizeof(back))), 4);
}

static void on_signal(int signo)
{
    (void)signo;
}

static void check_waiting(int fd)
{
    char back[8];
    const pid_t writer = fork();
    if (writer == 0) {
        usleep(kPause_us);
        _exit(write(fd, "late", 4) == 4 ? 0 : 1);
    }
    expect("read that waits", result(read(fd, back, sizeof(back))), 4);
    waitpid(writer, NULL, 0);

    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    sigaction(SIGUSR1, &action, NULL);
    const pid_t reader = getpid();
    const pid_t signaller = fork();
    if (signaller == 0) {
        /* Again and again: the first may come before the read. */
        for (;;) {
            usleep(kPause_us);
            kill(reader, SIGUSR1);
        }
    }
    expect("read that is interrupted", result(read(fd, back, sizeof(back))), -EINTR);
    kill(signaller, SIGKILL);
    waitpid(signaller, NULL, 0);

    const pid_t doomed = fork();
    if (doomed == 0)
        _exit((int)read(fd, back, 1));
    usleep(kPause_us);
    kill(doomed, SIGKILL);
    int status = 0;
    waitpid(doomed, &status, 0);
    expect("a killed reader goes", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, 1);
}

static void check_ioctls(int fd, int unrestricted)
{
    int32_t bytes = -1;
    expect("QUEUE_GET_BYTES", result(ioctl(fd, QUEUE_GET_BYTES, &bytes)), 0);
    expect("its answer", bytes, 0);
    int32_t room = 4;
    expect("QUEUE_SET_ROOM", result(ioctl(fd, QUEUE_SET_ROOM, &room)), 0);
    expect("write of more than fits", result(write(fd, "abcdef", 6)), 4);
    expect("write to a full queue", result(write(fd, "g", 1)), -ENOSPC);
    expect("ready when full", ready(fd, 0), POLLIN);
    expect("QUEUE_GET_BYTES", result(ioctl(fd, QUEUE_GET_BYTES, &bytes)), 0);
    expect("its answer", bytes, 4);
    char back[8] = "";
    const struct queue_peek peek = {(uintptr_t)back, 3};
    expect("QUEUE_PEEK", result(ioctl(fd, QUEUE_PEEK, &peek)), unrestricted ? 3 : -EPERM);
    expect("its bytes", memcmp(back, unrestricted ? "abc\0" : "\0\0\0\0", 4), 0);
    if (unrestricted) {
        const struct queue_peek nowhere = {8, 3};
        expect("QUEUE_PEEK to nowhere", result(ioctl(fd, QUEUE_PEEK, &nowhere)), -EFAULT);
    }
    room = 0;
    expect("QUEUE_SET_ROOM of nothing", result(ioctl(fd, QUEUE_SET_ROOM, &room)), -EINVAL);
    expect("an unknown ioctl", result(ioctl(fd, _IO('Q', 99))), -ENOTTY);
    room = kQueueBytes;
    expect("QUEUE_SET_ROOM", result(ioctl(fd, QUEUE_SET_ROOM, &room)), 0);
    expect("QUEUE_CLEAR", result(ioctl(fd, QUEUE_CLEAR)), 0);
}

int main(int argc, char* argv[])
{
    const int unrestricted = argc == 3 && strcmp(argv[1], "-u") == 0;
    if (argc != 2 + unrestricted) {
        fprintf(stderr, "usage: cuse_check [-u] DEVICE\n");
        return 2;
    }
    const char* device = argv[argc - 1];
    setvbuf(stdout, NULL, _IOLBF, 0); /* so that a hang shows where it is */
    alarm(kDeadlineSeconds);
    struct stat st;
    const int fd = open(device, O_RDWR);
    if (fd < 0 || fstat(fd, &st) != 0) {
        fprintf(stderr, "cuse_check: cannot open %s: %s\n", device, strerror(errno));
        return 2;
    }
    expect("a character device", S_ISCHR(st.st_mode), 1);
    puts("bytes");
    check_bytes(fd, device);
    puts("poll");
    check_poll(fd);
    puts("waiting");
    check_waiting(fd);
    puts("ioctl");
    check_ioctls(fd, unrestricted);
    expect("close", result(close(fd)), 0);
    printf("cuse_check: %s: %d wrong\n", device, failures);
    return failures ? 1 : 0;
}
