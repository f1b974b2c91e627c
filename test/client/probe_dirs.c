/* System calls on directories, and all kinds of rename. */
#include "probe.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

/* Offsets must stay good while names are removed: read one, note the place, remove others, go on from there.
 */
static void probe_positions(void)
{
    probe_section("readdir positions");
    RUN(mkdir("many", 0755));
    char name[32];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "many/%03d", i);
        probe_make(name, "");
    }
    DIR* dir = opendir("many");
    if (!dir) {
        RUN(-1);
        return;
    }
    int first = 0;
    while (first < 100 && readdir(dir))
        first++;
    long place = telldir(dir);
    int rest = 0;
    while (readdir(dir))
        rest++;
    seekdir(dir, place);
    int again = 0;
    while (readdir(dir))
        again++;
    rewinddir(dir);
    int all = 0;
    while (readdir(dir))
        all++;
    RUN(first);
    RUN(rest);
    RUN(again);
    RUN(all);
    rewinddir(dir);
    /* Every second name is removed in the middle of a listing: the others must come exactly once. */
    int seen[300] = {0};
    const struct dirent* d;
    while ((d = readdir(dir))) {
        int i = 0;
        if (sscanf(d->d_name, "%d", &i) != 1)
            continue;
        seen[i]++;
        snprintf(name, sizeof(name), "many/%03d", i ^ 1);
        if (i % 2 == 0)
            (void)unlink(name);
    }
    closedir(dir);
    int wrong = 0;
    for (int i = 0; i < 300; i += 2)
        wrong += seen[i] != 1;
    RUN(wrong);
    RUN(rmdir("many"));
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "many/%03d", i);
        (void)unlink(name);
    }
    RUN(rmdir("many"));
}

void probe_directories(void)
{
    probe_section("directories");
    RUN(mkdir("d", 0777));
    RUN(mkdir("d", 0777));
    RUN(mkdir("missing/d", 0777));
    RUN(mkdir("a/d", 0777));
    RUN(mkdir(".", 0777));
    RUN(mkdir("d/e", 01755));
    probe_stat("d");
    probe_stat("d/e");
    RUN(rmdir("d"));
    RUN(rmdir("a"));
    RUN(rmdir("missing"));
    RUN(rmdir("."));
    RUN(rmdir("d/."));
    RUN(rmdir("d/e/.."));
    RUN(unlink("d"));
    probe_list("d");
    RUN(rmdir("d/e"));
    probe_stat("d");
    probe_section("removed working directory");
    int here;
    int fd;
    RUN_FD(here, open(".", O_RDONLY | O_DIRECTORY));
    RUN(chdir("d"));
    RUN(rmdir("../d"));
    RUN_FD(fd, open("new", O_WRONLY | O_CREAT, 0600));
    RUN(mkdir("new", 0700));
    RUN(symlink("x", "new"));
    RUN(access(".", F_OK));
    probe_list(".");
    RUN(fchdir(here));
    RUN(close(here));
    probe_section("set-group-ID directory");
    RUN(mkdir("sg", 0755));
    RUN(chown("sg", (uid_t)-1, 12345));
    RUN(chmod("sg", 02777));
    RUN(mkdir("sg/d", 0755));
    probe_make("sg/f", "");
    RUN(symlink("x", "sg/l"));
    probe_stat("sg");
    probe_stat("sg/d");
    probe_stat("sg/f");
    probe_stat("sg/l");
    RUN(unlink("sg/f"));
    RUN(unlink("sg/l"));
    RUN(rmdir("sg/d"));
    RUN(rmdir("sg"));
    probe_positions();
}

static void probe_rename_flags(void)
{
    probe_section("rename flags");
    probe_make("x", "text of x");
    probe_make("y", "text of y");
    RUN(mkdir("p", 0755));
    RUN(mkdir("p/q", 0755));
    RUN(renameat2(AT_FDCWD, "x", AT_FDCWD, "y", RENAME_NOREPLACE));
    RUN(renameat2(AT_FDCWD, "x", AT_FDCWD, "z", RENAME_NOREPLACE));
    RUN(renameat2(AT_FDCWD, "z", AT_FDCWD, "x", RENAME_NOREPLACE));
    RUN(renameat2(AT_FDCWD, "x", AT_FDCWD, "y", RENAME_EXCHANGE));
    probe_show("x");
    probe_show("y");
    RUN(renameat2(AT_FDCWD, "x", AT_FDCWD, "missing", RENAME_EXCHANGE));
    RUN(renameat2(AT_FDCWD, "missing", AT_FDCWD, "x", RENAME_EXCHANGE));
    RUN(renameat2(AT_FDCWD, "x", AT_FDCWD, "p", RENAME_EXCHANGE));
    probe_stat("x");
    probe_stat("p");
    RUN(renameat2(AT_FDCWD, "x", AT_FDCWD, "p", RENAME_EXCHANGE));
    RUN(renameat2(AT_FDCWD, "p", AT_FDCWD, "p/q", RENAME_EXCHANGE));
    RUN(renameat2(AT_FDCWD, "p/q", AT_FDCWD, "y", RENAME_EXCHANGE));
    probe_stat("p");
    probe_stat("p/q");
    probe_stat("y");
    RUN(renameat2(AT_FDCWD, "p/q", AT_FDCWD, "y", RENAME_EXCHANGE));
    RUN(renameat2(AT_FDCWD, "x", AT_FDCWD, "y", RENAME_EXCHANGE | RENAME_NOREPLACE));
    RUN(renameat2(AT_FDCWD, "x", AT_FDCWD, "y", 1u << 10));
    RUN(unlink("x"));
    RUN(unlink("y"));
    RUN(rmdir("p/q"));
    RUN(rmdir("p"));
}

void probe_renames(void)
{
    probe_section("rename");
    probe_make("f", "one");
    probe_make("g", "two");
    RUN(mkdir("d1", 0755));
    RUN(mkdir("d2", 0755));
    RUN(mkdir("d2/sub", 0755));
    RUN(rename("missing", "f"));
    RUN(rename("f", "missing/f"));
    RUN(rename("f", "f"));
    RUN(rename("f", "d1"));
    RUN(rename("d1", "f"));
    RUN(rename("d1", "d2"));
    RUN(rename("d2", "d2/sub/x"));
    RUN(rename("d2/sub", "d2"));
    RUN(rename(".", "x"));
    RUN(rename("f", "g"));
    probe_show("g");
    probe_stat("f");
    RUN(rename("d2/sub", "d1"));
    probe_stat("d1");
    probe_stat("d2");
    RUN(rename("d1", "d2/moved"));
    probe_stat("d2");
    RUN(access("d2/moved/..", F_OK));
    RUN(link("g", "h"));
    RUN(rename("g", "h"));
    probe_stat("g");
    RUN(rename("g", "d2/moved/g"));
    RUN(rename("h/", "i"));
    RUN(rename("h", "i/"));
    probe_list("d2/moved");
    int fd;
    RUN_FD(fd, open("d2/moved/g", O_RDONLY));
    probe_make("over", "over");
    RUN(rename("over", "d2/moved/g"));
    RUN(read(fd, (char[8]){0}, 8));
    RUN(close(fd));
    probe_show("d2/moved/g");
    RUN(unlink("d2/moved/g"));
    RUN(unlink("h"));
    RUN(rmdir("d2/moved"));
    RUN(rmdir("d2"));
    probe_rename_flags();
    probe_list(".");
}
