/// What a `[INPUT] tail` was told, in our own terms.
struct TailOptions {
    /// Patterns of files to follow; `**` stands for any folders.
    var paths: [String] = []
    /// Patterns of paths or names not to follow.
    var excluded: [String] = []
    /// Route tag; `*` becomes the path with dots for slashes.
    var tag = "tail"
    /// `Tag_Regex`: fills in parts of the tag by named groups over the path.
    var tagTemplate: TagTemplate?
    var pathKey: String?
    /// Whether files that exist at the first start are read from their beginning.
    var readsFromHead = false
    /// The same for files that came later, also while no agent ran.
    var readsNewFilesFromHead = true
    var skipsLongLines = false
    var skipsEmptyLines = false
    /// Files that were not written for longer are left out; `nil`: none.
    var ignoredAgeNanoseconds: Int64?
    /// Whether files that become older than that while they are followed are left too.
    var leavesOldFiles = false
    var form = LineForm()
    /// What turns lines into UTF-8; `nil` where they are that.
    var decoder: LineDecoder?
    /// Most bytes of unfinished lines and events of all files.
    var heldByteCountMax = BufferLimits().heldByteCountMax
    /// Whether to look at the files by a timer instead of being told (network file systems).
    var polls = false
    /// Whether the agent ends when all files are read.
    var exitsAtEnd = false

    /// Longest line in bytes.
    var lineByteCountMax: Int { self.form.lineByteCountMax }
}
