internal import Glibc

/// The system's limit on open files, which are connections and segments.
enum OpenFileLimit {
    /// Raises the limit as far as the system allows.
    ///
    /// - Returns: Files that may be open.
    static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        limit.rlim_cur = limit.rlim_max
        // A refusal leaves the limit as it was.
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(min(limit.rlim_cur, 1 << 30))
    }
}
