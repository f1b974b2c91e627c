// Proof that the structures of kernel.hpp have the kernel's layout. Holds no code: it compiles or it does
// not.
#include "proto/kernel.hpp"

#include <cstddef>
#include <type_traits>

namespace rf::kern {

#define RF_SIZE(type, bytes)                                                                                 \
    static_assert(sizeof(type) == (bytes));                                                                  \
    static_assert(std::is_trivially_copyable_v<type> && std::is_standard_layout_v<type>)
#define RF_AT(type, field, offset) static_assert(offsetof(type, field) == (offset))

RF_SIZE(fuse_attr, 88);
RF_AT(fuse_attr, ino, 0);
RF_AT(fuse_attr, size, 8);
RF_AT(fuse_attr, blocks, 16);
RF_AT(fuse_attr, atime, 24);
RF_AT(fuse_attr, mtime, 32);
RF_AT(fuse_attr, ctime, 40);
RF_AT(fuse_attr, atimensec, 48);
RF_AT(fuse_attr, mtimensec, 52);
RF_AT(fuse_attr, ctimensec, 56);
RF_AT(fuse_attr, mode, 60);
RF_AT(fuse_attr, nlink, 64);
RF_AT(fuse_attr, uid, 68);
RF_AT(fuse_attr, gid, 72);
RF_AT(fuse_attr, rdev, 76);
RF_AT(fuse_attr, blksize, 80);
RF_AT(fuse_attr, flags, 84);

RF_SIZE(fuse_sx_time, 16);
RF_AT(fuse_sx_time, tv_sec, 0);
RF_AT(fuse_sx_time, tv_nsec, 8);
RF_AT(fuse_sx_time, reserved, 12);

RF_SIZE(fuse_statx, 256);
RF_AT(fuse_statx, mask, 0);
RF_AT(fuse_statx, blksize, 4);
RF_AT(fuse_statx, attributes, 8);
RF_AT(fuse_statx, nlink, 16);
RF_AT(fuse_statx, uid, 20);
RF_AT(fuse_statx, gid, 24);
RF_AT(fuse_statx, mode, 28);
RF_AT(fuse_statx, spare0, 30);
RF_AT(fuse_statx, ino, 32);
RF_AT(fuse_statx, size, 40);
RF_AT(fuse_statx, blocks, 48);
RF_AT(fuse_statx, attributes_mask, 56);
RF_AT(fuse_statx, atime, 64);
RF_AT(fuse_statx, btime, 80);
RF_AT(fuse_statx, ctime, 96);
RF_AT(fuse_statx, mtime, 112);
RF_AT(fuse_statx, rdev_major, 128);
RF_AT(fuse_statx, rdev_minor, 132);
RF_AT(fuse_statx, dev_major, 136);
RF_AT(fuse_statx, dev_minor, 140);
RF_AT(fuse_statx, spare2, 144);

RF_SIZE(fuse_kstatfs, 80);
RF_AT(fuse_kstatfs, blocks, 0);
RF_AT(fuse_kstatfs, bfree, 8);
RF_AT(fuse_kstatfs, bavail, 16);
RF_AT(fuse_kstatfs, files, 24);
RF_AT(fuse_kstatfs, ffree, 32);
RF_AT(fuse_kstatfs, bsize, 40);
RF_AT(fuse_kstatfs, namelen, 44);
RF_AT(fuse_kstatfs, frsize, 48);
RF_AT(fuse_kstatfs, padding, 52);
RF_AT(fuse_kstatfs, spare, 56);

RF_SIZE(fuse_file_lock, 24);
RF_AT(fuse_file_lock, start, 0);
RF_AT(fuse_file_lock, end, 8);
RF_AT(fuse_file_lock, type, 16);
RF_AT(fuse_file_lock, pid, 20);

RF_SIZE(fuse_entry_out, 128);
RF_AT(fuse_entry_out, nodeid, 0);
RF_AT(fuse_entry_out, generation, 8);
RF_AT(fuse_entry_out, entry_valid, 16);
RF_AT(fuse_entry_out, attr_valid, 24);
RF_AT(fuse_entry_out, entry_valid_nsec, 32);
RF_AT(fuse_entry_out, attr_valid_nsec, 36);
RF_AT(fuse_entry_out, attr, 40);

RF_SIZE(fuse_forget_in, 8);
RF_AT(fuse_forget_in, nlookup, 0);

RF_SIZE(fuse_forget_one, 16);
RF_AT(fuse_forget_one, nodeid, 0);
RF_AT(fuse_forget_one, nlookup, 8);

RF_SIZE(fuse_batch_forget_in, 8);
RF_AT(fuse_batch_forget_in, count, 0);
RF_AT(fuse_batch_forget_in, dummy, 4);

RF_SIZE(fuse_getattr_in, 16);
RF_AT(fuse_getattr_in, getattr_flags, 0);
RF_AT(fuse_getattr_in, dummy, 4);
RF_AT(fuse_getattr_in, fh, 8);

RF_SIZE(fuse_attr_out, 104);
RF_AT(fuse_attr_out, attr_valid, 0);
RF_AT(fuse_attr_out, attr_valid_nsec, 8);
RF_AT(fuse_attr_out, dummy, 12);
RF_AT(fuse_attr_out, attr, 16);

RF_SIZE(fuse_statx_in, 24);
RF_AT(fuse_statx_in, getattr_flags, 0);
RF_AT(fuse_statx_in, reserved, 4);
RF_AT(fuse_statx_in, fh, 8);
RF_AT(fuse_statx_in, sx_flags, 16);
RF_AT(fuse_statx_in, sx_mask, 20);

RF_SIZE(fuse_statx_out, 288);
RF_AT(fuse_statx_out, attr_valid, 0);
RF_AT(fuse_statx_out, attr_valid_nsec, 8);
RF_AT(fuse_statx_out, flags, 12);
RF_AT(fuse_statx_out, spare, 16);
RF_AT(fuse_statx_out, stat, 32);

RF_SIZE(fuse_mknod_in, 16);
RF_AT(fuse_mknod_in, mode, 0);
RF_AT(fuse_mknod_in, rdev, 4);
RF_AT(fuse_mknod_in, umask, 8);
RF_AT(fuse_mknod_in, padding, 12);

RF_SIZE(fuse_mkdir_in, 8);
RF_AT(fuse_mkdir_in, mode, 0);
RF_AT(fuse_mkdir_in, umask, 4);

RF_SIZE(fuse_rename_in, 8);
RF_AT(fuse_rename_in, newdir, 0);

RF_SIZE(fuse_rename2_in, 16);
RF_AT(fuse_rename2_in, newdir, 0);
RF_AT(fuse_rename2_in, flags, 8);
RF_AT(fuse_rename2_in, padding, 12);

RF_SIZE(fuse_link_in, 8);
RF_AT(fuse_link_in, oldnodeid, 0);

RF_SIZE(fuse_setattr_in, 88);
RF_AT(fuse_setattr_in, valid, 0);
RF_AT(fuse_setattr_in, padding, 4);
RF_AT(fuse_setattr_in, fh, 8);
RF_AT(fuse_setattr_in, size, 16);
RF_AT(fuse_setattr_in, lock_owner, 24);
RF_AT(fuse_setattr_in, atime, 32);
RF_AT(fuse_setattr_in, mtime, 40);
RF_AT(fuse_setattr_in, ctime, 48);
RF_AT(fuse_setattr_in, atimensec, 56);
RF_AT(fuse_setattr_in, mtimensec, 60);
RF_AT(fuse_setattr_in, ctimensec, 64);
RF_AT(fuse_setattr_in, mode, 68);
RF_AT(fuse_setattr_in, unused4, 72);
RF_AT(fuse_setattr_in, uid, 76);
RF_AT(fuse_setattr_in, gid, 80);
RF_AT(fuse_setattr_in, unused5, 84);

RF_SIZE(fuse_open_in, 8);
RF_AT(fuse_open_in, flags, 0);
RF_AT(fuse_open_in, open_flags, 4);

RF_SIZE(fuse_create_in, 16);
RF_AT(fuse_create_in, flags, 0);
RF_AT(fuse_create_in, mode, 4);
RF_AT(fuse_create_in, umask, 8);
RF_AT(fuse_create_in, open_flags, 12);

RF_SIZE(fuse_open_out, 16);
RF_AT(fuse_open_out, fh, 0);
RF_AT(fuse_open_out, open_flags, 8);
RF_AT(fuse_open_out, backing_id, 12);

RF_SIZE(fuse_release_in, 24);
RF_AT(fuse_release_in, fh, 0);
RF_AT(fuse_release_in, flags, 8);
RF_AT(fuse_release_in, release_flags, 12);
RF_AT(fuse_release_in, lock_owner, 16);

RF_SIZE(fuse_flush_in, 24);
RF_AT(fuse_flush_in, fh, 0);
RF_AT(fuse_flush_in, unused, 8);
RF_AT(fuse_flush_in, padding, 12);
RF_AT(fuse_flush_in, lock_owner, 16);

RF_SIZE(fuse_read_in, 40);
RF_AT(fuse_read_in, fh, 0);
RF_AT(fuse_read_in, offset, 8);
RF_AT(fuse_read_in, size, 16);
RF_AT(fuse_read_in, read_flags, 20);
RF_AT(fuse_read_in, lock_owner, 24);
RF_AT(fuse_read_in, flags, 32);
RF_AT(fuse_read_in, padding, 36);

RF_SIZE(fuse_write_in, 40);
RF_AT(fuse_write_in, fh, 0);
RF_AT(fuse_write_in, offset, 8);
RF_AT(fuse_write_in, size, 16);
RF_AT(fuse_write_in, write_flags, 20);
RF_AT(fuse_write_in, lock_owner, 24);
RF_AT(fuse_write_in, flags, 32);
RF_AT(fuse_write_in, padding, 36);

RF_SIZE(fuse_write_out, 8);
RF_AT(fuse_write_out, size, 0);
RF_AT(fuse_write_out, padding, 4);

RF_SIZE(fuse_statfs_out, 80);
RF_AT(fuse_statfs_out, st, 0);

RF_SIZE(fuse_fsync_in, 16);
RF_AT(fuse_fsync_in, fh, 0);
RF_AT(fuse_fsync_in, fsync_flags, 8);
RF_AT(fuse_fsync_in, padding, 12);

RF_SIZE(fuse_setxattr_in, 16);
RF_AT(fuse_setxattr_in, size, 0);
RF_AT(fuse_setxattr_in, flags, 4);
RF_AT(fuse_setxattr_in, setxattr_flags, 8);
RF_AT(fuse_setxattr_in, padding, 12);

RF_SIZE(fuse_getxattr_in, 8);
RF_AT(fuse_getxattr_in, size, 0);
RF_AT(fuse_getxattr_in, padding, 4);

RF_SIZE(fuse_getxattr_out, 8);
RF_AT(fuse_getxattr_out, size, 0);
RF_AT(fuse_getxattr_out, padding, 4);

RF_SIZE(fuse_lk_in, 48);
RF_AT(fuse_lk_in, fh, 0);
RF_AT(fuse_lk_in, owner, 8);
RF_AT(fuse_lk_in, lk, 16);
RF_AT(fuse_lk_in, lk_flags, 40);
RF_AT(fuse_lk_in, padding, 44);

RF_SIZE(fuse_lk_out, 24);
RF_AT(fuse_lk_out, lk, 0);

RF_SIZE(fuse_access_in, 8);
RF_AT(fuse_access_in, mask, 0);
RF_AT(fuse_access_in, padding, 4);

RF_SIZE(fuse_init_in, 64);
RF_AT(fuse_init_in, major, 0);
RF_AT(fuse_init_in, minor, 4);
RF_AT(fuse_init_in, max_readahead, 8);
RF_AT(fuse_init_in, flags, 12);
RF_AT(fuse_init_in, flags2, 16);
RF_AT(fuse_init_in, unused, 20);

RF_SIZE(fuse_init_out, 64);
RF_AT(fuse_init_out, major, 0);
RF_AT(fuse_init_out, minor, 4);
RF_AT(fuse_init_out, max_readahead, 8);
RF_AT(fuse_init_out, flags, 12);
RF_AT(fuse_init_out, max_background, 16);
RF_AT(fuse_init_out, congestion_threshold, 18);
RF_AT(fuse_init_out, max_write, 20);
RF_AT(fuse_init_out, time_gran, 24);
RF_AT(fuse_init_out, max_pages, 28);
RF_AT(fuse_init_out, map_alignment, 30);
RF_AT(fuse_init_out, flags2, 32);
RF_AT(fuse_init_out, max_stack_depth, 36);
RF_AT(fuse_init_out, request_timeout, 40);
RF_AT(fuse_init_out, unused, 42);

RF_SIZE(cuse_init_in, 16);
RF_AT(cuse_init_in, major, 0);
RF_AT(cuse_init_in, minor, 4);
RF_AT(cuse_init_in, unused, 8);
RF_AT(cuse_init_in, flags, 12);

RF_SIZE(cuse_init_out, 72);
RF_AT(cuse_init_out, major, 0);
RF_AT(cuse_init_out, minor, 4);
RF_AT(cuse_init_out, unused, 8);
RF_AT(cuse_init_out, flags, 12);
RF_AT(cuse_init_out, max_read, 16);
RF_AT(cuse_init_out, max_write, 20);
RF_AT(cuse_init_out, dev_major, 24);
RF_AT(cuse_init_out, dev_minor, 28);
RF_AT(cuse_init_out, spare, 32);

RF_SIZE(fuse_interrupt_in, 8);
RF_AT(fuse_interrupt_in, unique, 0);

RF_SIZE(fuse_bmap_in, 16);
RF_AT(fuse_bmap_in, block, 0);
RF_AT(fuse_bmap_in, blocksize, 8);
RF_AT(fuse_bmap_in, padding, 12);

RF_SIZE(fuse_bmap_out, 8);
RF_AT(fuse_bmap_out, block, 0);

RF_SIZE(fuse_ioctl_in, 32);
RF_AT(fuse_ioctl_in, fh, 0);
RF_AT(fuse_ioctl_in, flags, 8);
RF_AT(fuse_ioctl_in, cmd, 12);
RF_AT(fuse_ioctl_in, arg, 16);
RF_AT(fuse_ioctl_in, in_size, 24);
RF_AT(fuse_ioctl_in, out_size, 28);

RF_SIZE(fuse_ioctl_iovec, 16);
RF_AT(fuse_ioctl_iovec, base, 0);
RF_AT(fuse_ioctl_iovec, len, 8);

RF_SIZE(fuse_ioctl_out, 16);
RF_AT(fuse_ioctl_out, result, 0);
RF_AT(fuse_ioctl_out, flags, 4);
RF_AT(fuse_ioctl_out, in_iovs, 8);
RF_AT(fuse_ioctl_out, out_iovs, 12);

RF_SIZE(fuse_poll_in, 24);
RF_AT(fuse_poll_in, fh, 0);
RF_AT(fuse_poll_in, kh, 8);
RF_AT(fuse_poll_in, flags, 16);
RF_AT(fuse_poll_in, events, 20);

RF_SIZE(fuse_poll_out, 8);
RF_AT(fuse_poll_out, revents, 0);
RF_AT(fuse_poll_out, padding, 4);

RF_SIZE(fuse_notify_poll_wakeup_out, 8);
RF_AT(fuse_notify_poll_wakeup_out, kh, 0);

RF_SIZE(fuse_fallocate_in, 32);
RF_AT(fuse_fallocate_in, fh, 0);
RF_AT(fuse_fallocate_in, offset, 8);
RF_AT(fuse_fallocate_in, length, 16);
RF_AT(fuse_fallocate_in, mode, 24);
RF_AT(fuse_fallocate_in, padding, 28);

RF_SIZE(fuse_in_header, 40);
RF_AT(fuse_in_header, len, 0);
RF_AT(fuse_in_header, opcode, 4);
RF_AT(fuse_in_header, unique, 8);
RF_AT(fuse_in_header, nodeid, 16);
RF_AT(fuse_in_header, uid, 24);
RF_AT(fuse_in_header, gid, 28);
RF_AT(fuse_in_header, pid, 32);
RF_AT(fuse_in_header, total_extlen, 36);
RF_AT(fuse_in_header, padding, 38);

RF_SIZE(fuse_out_header, 16);
RF_AT(fuse_out_header, len, 0);
RF_AT(fuse_out_header, error, 4);
RF_AT(fuse_out_header, unique, 8);

RF_SIZE(fuse_dirent, 24);
RF_AT(fuse_dirent, ino, 0);
RF_AT(fuse_dirent, off, 8);
RF_AT(fuse_dirent, namelen, 16);
RF_AT(fuse_dirent, type, 20);

RF_SIZE(fuse_direntplus, 152);
RF_AT(fuse_direntplus, entry_out, 0);
RF_AT(fuse_direntplus, dirent, 128);

RF_SIZE(fuse_notify_inval_inode_out, 24);
RF_AT(fuse_notify_inval_inode_out, ino, 0);
RF_AT(fuse_notify_inval_inode_out, off, 8);
RF_AT(fuse_notify_inval_inode_out, len, 16);

RF_SIZE(fuse_notify_inval_entry_out, 16);
RF_AT(fuse_notify_inval_entry_out, parent, 0);
RF_AT(fuse_notify_inval_entry_out, namelen, 8);
RF_AT(fuse_notify_inval_entry_out, flags, 12);

RF_SIZE(fuse_notify_delete_out, 24);
RF_AT(fuse_notify_delete_out, parent, 0);
RF_AT(fuse_notify_delete_out, child, 8);
RF_AT(fuse_notify_delete_out, namelen, 16);
RF_AT(fuse_notify_delete_out, padding, 20);

RF_SIZE(fuse_notify_store_out, 24);
RF_AT(fuse_notify_store_out, nodeid, 0);
RF_AT(fuse_notify_store_out, offset, 8);
RF_AT(fuse_notify_store_out, size, 16);
RF_AT(fuse_notify_store_out, padding, 20);

RF_SIZE(fuse_notify_retrieve_out, 32);
RF_AT(fuse_notify_retrieve_out, notify_unique, 0);
RF_AT(fuse_notify_retrieve_out, nodeid, 8);
RF_AT(fuse_notify_retrieve_out, offset, 16);
RF_AT(fuse_notify_retrieve_out, size, 24);
RF_AT(fuse_notify_retrieve_out, padding, 28);

RF_SIZE(fuse_notify_retrieve_in, 40);
RF_AT(fuse_notify_retrieve_in, dummy1, 0);
RF_AT(fuse_notify_retrieve_in, offset, 8);
RF_AT(fuse_notify_retrieve_in, size, 16);
RF_AT(fuse_notify_retrieve_in, dummy2, 20);
RF_AT(fuse_notify_retrieve_in, dummy3, 24);
RF_AT(fuse_notify_retrieve_in, dummy4, 32);

RF_SIZE(fuse_notify_prune_out, 16);
RF_AT(fuse_notify_prune_out, count, 0);
RF_AT(fuse_notify_prune_out, padding, 4);
RF_AT(fuse_notify_prune_out, spare, 8);

RF_SIZE(fuse_backing_map, 16);
RF_AT(fuse_backing_map, fd, 0);
RF_AT(fuse_backing_map, flags, 4);
RF_AT(fuse_backing_map, padding, 8);

RF_SIZE(fuse_lseek_in, 24);
RF_AT(fuse_lseek_in, fh, 0);
RF_AT(fuse_lseek_in, offset, 8);
RF_AT(fuse_lseek_in, whence, 16);
RF_AT(fuse_lseek_in, padding, 20);

RF_SIZE(fuse_lseek_out, 8);
RF_AT(fuse_lseek_out, offset, 0);

RF_SIZE(fuse_copy_file_range_in, 56);
RF_AT(fuse_copy_file_range_in, fh_in, 0);
RF_AT(fuse_copy_file_range_in, off_in, 8);
RF_AT(fuse_copy_file_range_in, nodeid_out, 16);
RF_AT(fuse_copy_file_range_in, fh_out, 24);
RF_AT(fuse_copy_file_range_in, off_out, 32);
RF_AT(fuse_copy_file_range_in, len, 40);
RF_AT(fuse_copy_file_range_in, flags, 48);

RF_SIZE(fuse_copy_file_range_out, 8);
RF_AT(fuse_copy_file_range_out, bytes_copied, 0);

RF_SIZE(fuse_setupmapping_in, 40);
RF_AT(fuse_setupmapping_in, fh, 0);
RF_AT(fuse_setupmapping_in, foffset, 8);
RF_AT(fuse_setupmapping_in, len, 16);
RF_AT(fuse_setupmapping_in, flags, 24);
RF_AT(fuse_setupmapping_in, moffset, 32);

RF_SIZE(fuse_removemapping_in, 4);
RF_AT(fuse_removemapping_in, count, 0);

RF_SIZE(fuse_removemapping_one, 16);
RF_AT(fuse_removemapping_one, moffset, 0);
RF_AT(fuse_removemapping_one, len, 8);

RF_SIZE(fuse_syncfs_in, 8);
RF_AT(fuse_syncfs_in, padding, 0);

RF_SIZE(fuse_secctx, 8);
RF_AT(fuse_secctx, size, 0);
RF_AT(fuse_secctx, padding, 4);

RF_SIZE(fuse_secctx_header, 8);
RF_AT(fuse_secctx_header, size, 0);
RF_AT(fuse_secctx_header, nr_secctx, 4);

RF_SIZE(fuse_ext_header, 8);
RF_AT(fuse_ext_header, size, 0);
RF_AT(fuse_ext_header, type, 4);

RF_SIZE(fuse_supp_groups, 4);
RF_AT(fuse_supp_groups, nr_groups, 0);

RF_SIZE(fuse_uring_ent_in_out, 32);
RF_AT(fuse_uring_ent_in_out, flags, 0);
RF_AT(fuse_uring_ent_in_out, commit_id, 8);
RF_AT(fuse_uring_ent_in_out, payload_sz, 16);
RF_AT(fuse_uring_ent_in_out, offset, 20);
RF_AT(fuse_uring_ent_in_out, reserved, 24);

RF_SIZE(fuse_uring_req_header, 288);
RF_AT(fuse_uring_req_header, in_out, 0);
RF_AT(fuse_uring_req_header, op_in, 128);
RF_AT(fuse_uring_req_header, ring_ent_in_out, 256);

RF_SIZE(fuse_uring_cmd_req, 40);
RF_AT(fuse_uring_cmd_req, flags, 0);
RF_AT(fuse_uring_cmd_req, commit_id, 8);
RF_AT(fuse_uring_cmd_req, qid, 16);
RF_AT(fuse_uring_cmd_req, padding, 18);
RF_AT(fuse_uring_cmd_req, bufpool, 24);
RF_AT(fuse_uring_cmd_req, ent_zero_copy_buf_index, 24);

#undef RF_SIZE
#undef RF_AT

} // namespace rf::kern
