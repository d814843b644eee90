internal import CLeatPlatform
internal import Glibc

/// The memory of this process.
public enum ProcessMemory {
    /// Bytes of memory that are held and not used: freed pieces that malloc keeps, each thread for itself.
    ///
    /// `nil` where the system does not tell.
    public static var spareByteCount: UInt64? {
        guard let text = try? PosixFileSystem().contents("/proc/self/statm").text else { return nil }
        let pages = text.split(separator: " ").prefix(3).compactMap { UInt64($0) }
        guard pages.count == 3, pages[1] > pages[2] else { return nil }
        // What is resident without what is shared or belongs to files.
        let held = (pages[1] - pages[2]) * UInt64(sysconf(Int32(_SC_PAGESIZE)))
        let used = leat_malloc_in_use()
        return held > used ? held - used : 0
    }

    /// Keeps up to so many freed bytes for what is allocated next: clearing fresh pages costs more than filling them.
    public static func keepFreed(byteCountMax: Int32) { leat_malloc_keep(byteCountMax) }

    /// Gives freed memory back to the system.
    public static func giveBack() { leat_malloc_trim() }
}
