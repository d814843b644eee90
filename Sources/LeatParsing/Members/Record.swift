internal import LeatCore

/// The members of one event, to be changed: names and values as ranges of a pool of bytes that only grows.
///
/// One record is used for many events, so that a filter allocates nothing per event once the pool is large enough.
public struct Record: Sendable {
    /// The event's bytes, then everything that was added.
    public private(set) var pool: [UInt8] = []
    public private(set) var members: [Member] = []

    public init() {}

    /// Takes the members of an event in place of those before.
    public mutating func load(_ bytes: UnsafeRawBufferPointer) {
        self.pool.removeAll(keepingCapacity: true)
        self.members.removeAll(keepingCapacity: true)
        self.pool.append(contentsOf: bytes)
        var scanner = MemberScanner(bytes)
        while let member = scanner.next() { self.members.append(member) }
    }

    /// The members as JSON without braces, appended to `bytes`.
    public func write(to bytes: inout [UInt8]) {
        var isFirst = true
        for member in self.members {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes.append(UInt8(ascii: "\""))
            bytes += self.pool[member.name]
            bytes.append(UInt8(ascii: "\""))
            bytes.append(UInt8(ascii: ":"))
            bytes += self.pool[member.value]
        }
    }

    /// The number of the first member with this name, which is given as the contents of a JSON string.
    public func index(of name: [UInt8]) -> Int? {
        self.members.firstIndex { self.pool[$0.name].elementsEqual(name) }
    }

    /// The name of a member, as the contents of a JSON string.
    public func name(_ index: Int) -> ArraySlice<UInt8> { self.pool[self.members[index].name] }

    /// The value of a member, as JSON.
    public func value(_ index: Int) -> ArraySlice<UInt8> { self.pool[self.members[index].value] }

    /// Appends a member; the name is the contents of a JSON string, the value JSON.
    public mutating func append(name: some Collection<UInt8>, value: some Collection<UInt8>) {
        self.members.append(Member(name: self.store(name), value: self.store(value)))
    }

    /// Replaces the value of a member.
    public mutating func setValue(_ index: Int, to value: some Collection<UInt8>) {
        self.members[index].value = self.store(value)
    }

    /// Replaces the name of a member.
    public mutating func rename(_ index: Int, to name: some Collection<UInt8>) {
        self.members[index].name = self.store(name)
    }

    /// Sets the value of a name, at its place if it is there, else at the end.
    public mutating func set(_ name: [UInt8], to value: some Collection<UInt8>) {
        if let index = self.index(of: name) {
            self.setValue(index, to: value)
        } else {
            self.append(name: name, value: value)
        }
    }

    public mutating func remove(_ index: Int) { self.members.remove(at: index) }

    /// Keeps the members for which `isKept` says so.
    public mutating func filter(_ isKept: (Record, Int) -> Bool) {
        let kept = self.members.indices.filter { isKept(self, $0) }
        if kept.count < self.members.count { self.members = kept.map { self.members[$0] } }
    }

    /// Moves the members of `indices`, ascending, to the start or the end, keeping their order.
    public mutating func move(_ indices: [Int], toStart: Bool) {
        let moved = indices.map { self.members[$0] }
        for index in indices.reversed() { self.members.remove(at: index) }
        self.members.insert(contentsOf: moved, at: toStart ? 0 : self.members.count)
    }

    /// A copy of a member behind it, under another name.
    public mutating func copy(_ index: Int, as name: [UInt8]) {
        let copy = Member(name: self.store(name), value: self.members[index].value)
        self.members.insert(copy, at: index + 1)
    }

    /// Appends the members of a JSON object's contents.
    public mutating func appendMembers(_ contents: [UInt8]) {
        let base = self.pool.count
        self.pool += contents
        contents.withUnsafeBytes { bytes in
            var scanner = MemberScanner(bytes)
            while let member = scanner.next() {
                self.members.append(
                    Member(
                        name: member.name.lowerBound + base..<member.name.upperBound + base,
                        value: member.value.lowerBound + base..<member.value.upperBound + base
                    )
                )
            }
        }
    }

    /// Removes the members before number `added` whose names come again from there on: the last one of a name counts.
    public mutating func removeReplaced(from added: Int) {
        guard added < self.members.count else { return }
        let names = Set(self.members[added...].map { Array(self.pool[$0.name]) })
        let isKept = { (record: Record, index: Int) in index >= added || !names.contains(Array(record.name(index))) }
        self.filter(isKept)
    }

    private mutating func store(_ bytes: some Collection<UInt8>) -> Range<Int> {
        let start = self.pool.count
        self.pool.append(contentsOf: bytes)
        return start..<self.pool.count
    }
}
