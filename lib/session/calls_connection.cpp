// Calls that concern the connection itself.
#include "session/calls.hpp"

#include "base/log.hpp"

namespace rf {

void Calls::init(const kern::fuse_init_in& in, size_t wire_bytes)
{
    session_.handle_init(request_, in, wire_bytes);
}

void Calls::destroy()
{
    session_.handle_destroy(request_);
}

void Calls::interrupt(const kern::fuse_interrupt_in& in)
{
    session_.handle_interrupt(in.unique);
    request_.finish_unanswered();
}

void Calls::notify_reply(const kern::fuse_notify_retrieve_in& in, Bytes data)
{
    void* cookie = nullptr;
    if (!session_.take_retrieve(request_.in.header.unique, cookie)) {
        log::debug("retrieved data for nobody: bytes=%zu, dropped", data.size());
        request_.finish_unanswered();
        return;
    }
    if (!ops_.retrieve_reply) {
        request_.finish_unanswered();
        return;
    }
    fuse_bufvec vector = FUSE_BUFVEC_INIT(data.size());
    vector.buf[0].mem = const_cast<std::byte*>(data.data());
    ops_.retrieve_reply(req_, cookie, node_, static_cast<off_t>(in.offset), &vector);
}

void Calls::cuse_init(const kern::cuse_init_in& in)
{
    session_.handle_cuse_init(request_, in);
}

void Session::handle_destroy(Request& request)
{
    if (!got_destroy_.exchange(true) && ops_.destroy)
        ops_.destroy(userdata_);
    request.finish(0);
}

/// One inode of a batch, for filesystems that take them singly: each call consumes a request of its own.
void Session::forget(fuse_ino_t ino, std::uint64_t nlookup)
{
    static constexpr kern::fuse_in_header kHeader = [] {
        kern::fuse_in_header header{};
        header.opcode = kern::OP_FORGET;
        return header;
    }();
    Slot* slot = acquire_slot();
    if (!slot) {
        log::error("no memory to forget: nodeid=%lu nlookup=%lu, the inode stays",
                   static_cast<unsigned long>(ino), static_cast<unsigned long>(nlookup));
        return;
    }
    slot->transport = &device();
    slot->in = {};
    slot->in.header = kHeader;
    slot->in.header.nodeid = ino;
    slot->payload = {};
    slot->channel = nullptr;
    slot->entry = nullptr;
    slot->add_references(2);
    Request& request = static_cast<Request&>(*slot);
    begin(request);
    ops_.forget(handle_of(request), ino, nlookup);
    if (slot->drop_reference())
        release_slot(*slot);
}

} // namespace rf
