"""A flat memory filesystem over pyfuse3, which drives libfuse's session from an event loop of its own (trio)."""

import errno
import os
import stat
import sys

import pyfuse3
import trio


class Flat(pyfuse3.Operations):
    """One directory of files; inode numbers count up."""

    def __init__(self):
        super().__init__()
        self.names = {}            # name -> inode number
        self.data = {}             # inode number -> bytes
        self.last = pyfuse3.ROOT_INODE

    async def getattr(self, inode, ctx=None):
        entry = pyfuse3.EntryAttributes()
        entry.st_ino = inode
        entry.st_mode = stat.S_IFDIR | 0o755 if inode == pyfuse3.ROOT_INODE else stat.S_IFREG | 0o644
        entry.st_nlink = 1
        entry.st_size = len(self.data.get(inode, b""))
        entry.st_uid = entry.st_gid = 0
        return entry

    async def lookup(self, parent_inode, name, ctx=None):
        if name not in self.names:
            raise pyfuse3.FUSEError(errno.ENOENT)
        return await self.getattr(self.names[name])

    async def setattr(self, inode, attr, fields, fh, ctx):
        if fields.update_size:
            self.data[inode] = self.data[inode][:attr.st_size].ljust(attr.st_size, b"\0")
        return await self.getattr(inode)

    async def opendir(self, inode, ctx):
        return inode

    async def readdir(self, fh, start_id, token):
        for name, inode in sorted(self.names.items(), key=lambda item: item[1]):
            if inode > start_id and not pyfuse3.readdir_reply(token, name, await self.getattr(inode), inode):
                break

    async def open(self, inode, flags, ctx):
        return pyfuse3.FileInfo(fh=inode)

    async def create(self, parent_inode, name, mode, flags, ctx):
        self.last += 1
        self.names[name] = self.last
        self.data[self.last] = b""
        return pyfuse3.FileInfo(fh=self.last), await self.getattr(self.last)

    async def read(self, fh, off, size):
        return self.data[fh][off:off + size]

    async def write(self, fh, off, buf):
        old = self.data[fh].ljust(off, b"\0")
        self.data[fh] = old[:off] + buf + old[off + len(buf):]
        return len(buf)

    async def unlink(self, parent_inode, name, ctx):
        self.names.pop(name)


def serve():
    options = set(pyfuse3.default_options) | {"fsname=pyfuse3_fs"}
    options.discard("default_permissions")
    pyfuse3.init(Flat(), os.fsdecode(sys.argv[1]), options)
    try:
        trio.run(pyfuse3.main)
    finally:
        pyfuse3.close(unmount=True)


serve()
