/* System calls on the bytes of files. */
#include "probe.h"

#include <linux/falloc.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

static void probe_rw(void)
{
    int fd;
    char buf[64] = {0};
    void* volatile nowhere = (void*)8; /* no memory is mapped there */
    probe_section("read and write");
    RUN_FD(fd, open("io", O_RDWR | O_CREAT | O_TRUNC, 0644));
    RUN(write(fd, "hello world", 11));
    RUN(write(fd, NULL, 0));
    RUN(write(fd, nowhere, 4));
    RUN(lseek(fd, 0, SEEK_CUR));
    RUN(pread(fd, buf, 5, 6));
    probe_text("buf", buf);
    RUN(pread(fd, buf, 5, 11));
    RUN(pread(fd, buf, 5, 1000000));
    RUN(pread(fd, buf, 5, -1));
    RUN(pwrite(fd, "x", 1, -1));
    RUN(pwrite(fd, "END", 3, 20));
    RUN(pread(fd, nowhere, 5, 0));
    probe_show("io");
    RUN(lseek(fd, -1, SEEK_SET));
    RUN(lseek(fd, -3, SEEK_END));
    RUN(lseek(fd, 0, 99));
    RUN(read(fd, buf, sizeof(buf)));
    RUN(ioctl(fd, _IO('z', 200)));
    int left = -1;
    RUN(lseek(fd, 3, SEEK_SET));
    RUN(ioctl(fd, FIONREAD, &left));
    RUN(left);
    RUN(fsync(fd));
    RUN(fdatasync(fd));
    RUN(syncfs(fd));
    RUN(close(fd));
    RUN_FD(fd, open("io", O_WRONLY | O_APPEND));
    RUN(pwrite(fd, "++", 2, 0));
    RUN(lseek(fd, 0, SEEK_SET));
    RUN(write(fd, "--", 2));
    RUN(close(fd));
    probe_show("io");
}

static void probe_truncate(void)
{
    int fd;
    probe_section("truncate");
    RUN(truncate("io", 3));
    probe_show("io");
    RUN(truncate("io", 10));
    probe_show("io");
    RUN(truncate("io", -1));
    RUN(truncate("missing", 1));
    RUN(truncate(".", 1));
    RUN(truncate("io/x", 1));
    RUN_FD(fd, open("io", O_RDWR));
    RUN(ftruncate(fd, 5000));
    RUN(ftruncate(fd, -5));
    RUN(lseek(fd, 0, SEEK_END));
    RUN(close(fd));
}

static void probe_mmap(void)
{
    int fd;
    probe_section("mmap");
    probe_make("map", "0123456789");
    RUN_FD(fd, open("map", O_RDWR));
    char* at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    RUN(at == MAP_FAILED);
    if (at != MAP_FAILED) {
        memcpy(at + 2, "map", 3);
        RUN(at[9] == '9');
        RUN(at[10] == 0);
        RUN(pread(fd, (char[8]){0}, 8, 0));
        RUN(msync(at, 4096, MS_SYNC));
        RUN(munmap(at, 4096));
    }
    probe_show("map");
    RUN(close(fd));
    RUN_FD(fd, open("map", O_RDONLY));
    RUN(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    RUN(close(fd));
    RUN(unlink("map"));
}

static void probe_copy(void)
{
    int in;
    int out;
    off_t from = 2;
    off_t to = 1;
    probe_section("copy_file_range");
    probe_make("src", "abcdefghij");
    probe_make("dst", "..........");
    RUN_FD(in, open("src", O_RDONLY));
    RUN_FD(out, open("dst", O_RDWR));
    RUN(copy_file_range(in, &from, out, &to, 4, 0));
    RUN(from);
    RUN(to);
    probe_show("dst");
    RUN(copy_file_range(in, &from, out, &to, 100, 0));
    RUN(copy_file_range(in, &from, out, &to, 100, 0));
    probe_show("dst");
    RUN(copy_file_range(in, NULL, out, NULL, 3, 1));
    RUN(copy_file_range(out, NULL, in, NULL, 3, 0));
    from = 0;
    to = 2;
    RUN(copy_file_range(out, &from, out, &to, 5, 0));
    to = 20;
    RUN(copy_file_range(out, &from, out, &to, 5, 0));
    probe_show("dst");
    RUN(close(in));
    RUN(close(out));
    RUN(unlink("src"));
    RUN(unlink("dst"));
}

void probe_io(void)
{
    probe_rw();
    probe_truncate();
    probe_mmap();
    probe_copy();
}

void probe_space(void)
{
    int fd;
    struct stat st = {0};
    probe_section("fallocate");
    RUN_FD(fd, open("sp", O_RDWR | O_CREAT | O_TRUNC, 0644));
    RUN(fallocate(fd, 0, 0, 10000));
    RUN(fstat(fd, &st));
    RUN(st.st_size);
    RUN(st.st_blocks > 0);
    RUN(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 20000));
    RUN(lseek(fd, 0, SEEK_END));
    RUN(fallocate(fd, 0, 0, 0));
    RUN(fallocate(fd, 0, -1, 10));
    RUN(fallocate(fd, 0, 0, -1));
    RUN(pwrite(fd, "0123456789", 10, 0));
    RUN(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10));
    RUN(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 3));
    probe_show("sp");
    RUN(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 6, 2));
    probe_show("sp");
    RUN(fallocate(fd, FALLOC_FL_ZERO_RANGE, 9000, 3000));
    RUN(lseek(fd, 0, SEEK_END));
    RUN(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 10));
    RUN(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, 10));
    RUN(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, 10));
    RUN(close(fd));
    RUN_FD(fd, open("sp", O_RDONLY));
    RUN(fallocate(fd, 0, 0, 10));
    RUN(close(fd));
    probe_section("holes");
    RUN_FD(fd, open("sp", O_RDWR | O_TRUNC));
    RUN(lseek(fd, 0, SEEK_DATA));
    RUN(lseek(fd, 0, SEEK_HOLE));
    RUN(ftruncate(fd, 1 << 20));
    RUN(lseek(fd, 0, SEEK_DATA));
    RUN(lseek(fd, 5, SEEK_HOLE));
    RUN(pwrite(fd, "data", 4, 65536 * 3));
    RUN(fsync(fd));
    RUN(lseek(fd, 0, SEEK_DATA));
    RUN(lseek(fd, 65536 * 3 + 1, SEEK_DATA));
    RUN(lseek(fd, 0, SEEK_HOLE));
    RUN(lseek(fd, 65536 * 3, SEEK_HOLE));
    RUN(lseek(fd, 65536 * 5, SEEK_DATA));
    RUN(lseek(fd, 1 << 20, SEEK_HOLE));
    RUN(lseek(fd, -1, SEEK_DATA));
    RUN(close(fd));
    RUN(unlink("sp"));
    RUN(unlink("io"));
    probe_section("O_TMPFILE");
    RUN_FD(fd, open(".", O_RDWR | O_TMPFILE, 0600));
    if (fd >= 0) {
        RUN(write(fd, "tmp", 3));
        RUN(fstat(fd, &st));
        RUN(st.st_nlink);
        RUN(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
        probe_show("named");
        RUN(unlink("named"));
        RUN(close(fd));
    }
}
