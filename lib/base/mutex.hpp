// A mutex that clang's thread-safety analysis understands (-Wthread-safety); elsewhere the macros vanish.
#pragma once

#include <mutex>

#if defined(__clang__)
#define RF_TSA(x) __attribute__((x))
#else
#define RF_TSA(x)
#endif
#define RF_CAPABILITY(x) RF_TSA(capability(x))
#define RF_SCOPED_CAPABILITY RF_TSA(scoped_lockable)
#define RF_GUARDED_BY(x) RF_TSA(guarded_by(x))
#define RF_REQUIRES(...) RF_TSA(requires_capability(__VA_ARGS__))
#define RF_ACQUIRE(...) RF_TSA(acquire_capability(__VA_ARGS__))
#define RF_RELEASE(...) RF_TSA(release_capability(__VA_ARGS__))
#define RF_EXCLUDES(...) RF_TSA(locks_excluded(__VA_ARGS__))

namespace rf {

class RF_CAPABILITY("mutex") Mutex {
public:
    void lock() RF_ACQUIRE() { mutex_.lock(); }
    void unlock() RF_RELEASE() { mutex_.unlock(); }

private:
    std::mutex mutex_;
};

class RF_SCOPED_CAPABILITY MutexLock {
public:
    explicit MutexLock(Mutex& mutex) RF_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
    ~MutexLock() RF_RELEASE() { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

private:
    Mutex& mutex_;
};

} // namespace rf
