internal import Glibc
internal import LeatCore

/// The journal of systemd through its own library, which is loaded when a configuration asks for it.
///
/// The functions are those of `sd-journal.h`; see `man sd-journal`.
final class SystemJournal: JournalReader {
    /// Which entries are wanted.
    struct Selection: Hashable, Sendable {
        /// `FIELD=value`.
        var matches: [String] = []
        /// Whether all must hold; else one suffices.
        var needsAll = false
    }

    private typealias Journal = OpaquePointer

    private static let libraryName = "libsystemd.so.0"
    /// SD_JOURNAL_LOCAL_ONLY.
    private static let localOnly: Int32 = 1

    private let functions: Functions
    private let journal: OpaquePointer
    let descriptor: Int32

    /// The functions of the library.
    private struct Functions {
        let open: @convention(c) (UnsafeMutablePointer<Journal?>, Int32) -> Int32
        let openFolder: @convention(c) (UnsafeMutablePointer<Journal?>, UnsafePointer<CChar>, Int32) -> Int32
        let close: @convention(c) (Journal) -> Void
        let addMatch: @convention(c) (Journal, UnsafeRawPointer, Int) -> Int32
        let addOr: @convention(c) (Journal) -> Int32
        let seekHead: @convention(c) (Journal) -> Int32
        let seekTail: @convention(c) (Journal) -> Int32
        let seekCursor: @convention(c) (Journal, UnsafePointer<CChar>) -> Int32
        let testCursor: @convention(c) (Journal, UnsafePointer<CChar>) -> Int32
        let next: @convention(c) (Journal) -> Int32
        let previous: @convention(c) (Journal) -> Int32
        let getCursor: @convention(c) (Journal, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
        let getTime: @convention(c) (Journal, UnsafeMutablePointer<UInt64>) -> Int32
        let restartData: @convention(c) (Journal) -> Void
        let enumerateData:
            @convention(c) (Journal, UnsafeMutablePointer<UnsafeRawPointer?>, UnsafeMutablePointer<Int>) -> Int32
        let setThreshold: @convention(c) (Journal, Int) -> Int32
        let getDescriptor: @convention(c) (Journal) -> Int32
        let process: @convention(c) (Journal) -> Int32
    }

    /// Opens the journal of a folder, or of this machine.
    init(folder: String?, _ selection: Selection) throws(JournalFailure) {
        let functions = try Self.load()
        self.functions = functions
        var opened: Journal?
        let result = folder.map { functions.openFolder(&opened, $0, 0) } ?? functions.open(&opened, Self.localOnly)
        guard result >= 0, let journal = opened else {
            throw JournalFailure(
                description: "cannot open the journal \(folder ?? "of this machine"): \(PlainStream.reason(-result))"
            )
        }
        self.journal = journal
        // Fields are never cut by the library; the record has a limit of its own.
        _ = functions.setThreshold(journal, 0)
        for (index, match) in selection.matches.enumerated() {
            // Matches of one field are alternatives by themselves, of different ones only with a disjunction between.
            if index > 0, !selection.needsAll { _ = functions.addOr(journal) }
            let bytes = Array(match.utf8)
            let code = functions.addMatch(journal, bytes, bytes.count)
            if code < 0 {
                functions.close(journal)
                throw JournalFailure(
                    description: "'\(match)' is no filter of the journal, such as _SYSTEMD_UNIT=x.service"
                )
            }
        }
        self.descriptor = functions.getDescriptor(journal)
    }

    /// Whether the library is there; else why not.
    static func loadFailure() -> JournalFailure? {
        do throws(JournalFailure) {
            _ = try Self.load()
            return nil
        } catch {
            return error
        }
    }

    private static func load() throws(JournalFailure) -> Functions {
        guard let handle = dlopen(Self.libraryName, RTLD_NOW | RTLD_LOCAL) else {
            throw JournalFailure(description: "the input systemd needs \(Self.libraryName), which is not installed")
        }
        func symbol<Function>(_ name: String, _ type: Function.Type) -> Function? {
            // Sound: the types are those of sd-journal.h.
            dlsym(handle, name).map { unsafeBitCast($0, to: type) }
        }
        typealias Plain = @convention(c) (Journal) -> Int32
        typealias Text = @convention(c) (Journal, UnsafePointer<CChar>) -> Int32
        typealias OpenFolder =
            @convention(c) (UnsafeMutablePointer<Journal?>, UnsafePointer<CChar>, Int32) -> Int32
        typealias GetCursor = @convention(c) (Journal, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
        typealias Enumerate =
            @convention(c) (Journal, UnsafeMutablePointer<UnsafeRawPointer?>, UnsafeMutablePointer<Int>) -> Int32
        typealias Open = @convention(c) (UnsafeMutablePointer<Journal?>, Int32) -> Int32
        guard let open = symbol("sd_journal_open", Open.self),
            let openFolder = symbol("sd_journal_open_directory", OpenFolder.self),
            let close = symbol("sd_journal_close", (@convention(c) (Journal) -> Void).self),
            let addMatch = symbol(
                "sd_journal_add_match",
                (@convention(c) (Journal, UnsafeRawPointer, Int) -> Int32).self
            ),
            let addOr = symbol("sd_journal_add_disjunction", Plain.self),
            let seekHead = symbol("sd_journal_seek_head", Plain.self),
            let seekTail = symbol("sd_journal_seek_tail", Plain.self),
            let seekCursor = symbol("sd_journal_seek_cursor", Text.self),
            let testCursor = symbol("sd_journal_test_cursor", Text.self),
            let next = symbol("sd_journal_next", Plain.self),
            let previous = symbol("sd_journal_previous", Plain.self),
            let getCursor = symbol("sd_journal_get_cursor", GetCursor.self),
            let getTime = symbol(
                "sd_journal_get_realtime_usec",
                (@convention(c) (Journal, UnsafeMutablePointer<UInt64>) -> Int32).self
            ),
            let restartData = symbol("sd_journal_restart_data", (@convention(c) (Journal) -> Void).self),
            let enumerateData = symbol("sd_journal_enumerate_data", Enumerate.self),
            let setThreshold = symbol(
                "sd_journal_set_data_threshold",
                (@convention(c) (Journal, Int) -> Int32).self
            ),
            let getDescriptor = symbol("sd_journal_get_fd", Plain.self),
            let process = symbol("sd_journal_process", Plain.self)
        else { throw JournalFailure(description: "\(Self.libraryName) lacks functions; it is too old") }
        return Functions(
            open: open,
            openFolder: openFolder,
            close: close,
            addMatch: addMatch,
            addOr: addOr,
            seekHead: seekHead,
            seekTail: seekTail,
            seekCursor: seekCursor,
            testCursor: testCursor,
            next: next,
            previous: previous,
            getCursor: getCursor,
            getTime: getTime,
            restartData: restartData,
            enumerateData: enumerateData,
            setThreshold: setThreshold,
            getDescriptor: getDescriptor,
            process: process
        )
    }

    // MARK: - Reading

    func process() throws(JournalFailure) { try self.check(self.functions.process(self.journal), "watch") }

    func next() throws(JournalFailure) -> Bool { try self.check(self.functions.next(self.journal), "read") > 0 }

    func seekToHead() throws(JournalFailure) { try self.check(self.functions.seekHead(self.journal), "seek in") }

    func seekToTail() throws(JournalFailure) {
        try self.check(self.functions.seekTail(self.journal), "seek in")
        // Without this step, `next` may begin anywhere (sd_journal_seek_tail(3)).
        try self.check(self.functions.previous(self.journal), "seek in")
    }

    func seek(behind cursor: String) throws(JournalFailure) {
        try self.check(self.functions.seekCursor(self.journal, cursor), "seek in")
        // The entry itself may be gone; then what follows it must not be stepped over.
        guard try self.check(self.functions.next(self.journal), "read") > 0 else { return }
        if try self.check(self.functions.testCursor(self.journal, cursor), "seek in") == 0 {
            try self.check(self.functions.previous(self.journal), "seek in")
        }
    }

    func cursor() throws(JournalFailure) -> String {
        var text: UnsafeMutablePointer<CChar>?
        try self.check(self.functions.getCursor(self.journal, &text), "read")
        defer { free(text) }
        return text.map { String(cString: $0) } ?? ""
    }

    func realtimeMicroseconds() throws(JournalFailure) -> UInt64 {
        var value: UInt64 = 0
        try self.check(self.functions.getTime(self.journal, &value), "read")
        return value
    }

    func fields(_ body: (UnsafeRawBufferPointer) -> Bool) throws(JournalFailure) {
        self.functions.restartData(self.journal)
        var data: UnsafeRawPointer?
        var count = 0
        while try self.check(self.functions.enumerateData(self.journal, &data, &count), "read") > 0 {
            if !body(UnsafeRawBufferPointer(start: data, count: count)) { return }
        }
    }

    func close() { self.functions.close(self.journal) }

    @discardableResult
    private func check(_ result: Int32, _ what: String) throws(JournalFailure) -> Int32 {
        if result >= 0 { return result }
        throw JournalFailure(description: "cannot \(what) the journal: \(PlainStream.reason(-result))")
    }
}
