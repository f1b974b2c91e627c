// Order that ThreadSanitizer cannot see: one thread hands something to the kernel (an answer), the kernel
// tells a client, and what the client does next reaches another thread of ours (its next request). Over a
// descriptor TSan follows that by itself; over an io_uring's shared memory it does not. Nothing at all in
// other builds.
#pragma once

#if defined(__SANITIZE_THREAD__)
#define RF_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RF_UNDER_TSAN 1
#endif
#endif

#ifdef RF_UNDER_TSAN
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace rf::tsan {

#ifdef RF_UNDER_TSAN
// One place for the whole process: which client an answer wakes, and what that leads to, is not known here.
inline char g_kernel;
/// Everything this thread did happens before what follows a later from_kernel(), on any thread.
inline void to_kernel() noexcept
{
    __tsan_release(&g_kernel);
}
inline void from_kernel() noexcept
{
    __tsan_acquire(&g_kernel);
}
#else
inline void to_kernel() noexcept {}
inline void from_kernel() noexcept {}
#endif

} // namespace rf::tsan
