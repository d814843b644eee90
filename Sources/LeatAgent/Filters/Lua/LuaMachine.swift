internal import Glibc
internal import LeatCore

/// A Lua state with one function in it; converts records to tables and back.
final class LuaMachine {
    /// What a call came to.
    struct Result {
        let code: Int
        /// Nanoseconds since 1970, if the function gave a time.
        let time: Int64?
        /// One record, or several when the function gave a list of them.
        let records: [JSONValue]
    }

    /// A script that does not run, in Lua's words.
    struct Failure: Error { let reason: String }

    /// Tables inside each other that are converted.
    private static let depthMax = 64

    private enum Kind {
        static let null: Int32 = 0
        static let boolean: Int32 = 1
        static let pointer: Int32 = 2
        static let number: Int32 = 3
        static let string: Int32 = 4
        static let table: Int32 = 5
    }

    private let lua: LuaLibrary
    private let state: LuaLibrary.State
    private let function: String
    private let usesTimeTable: Bool
    private let usesNull: Bool
    /// Fields that are whole numbers, and lists even when empty.
    private let integerKeys: Set<String>
    private let arrayKeys: Set<String>

    init(
        _ lua: LuaLibrary,
        code: [UInt8],
        name: String,
        function: String,
        usesTimeTable: Bool,
        usesNull: Bool,
        integerKeys: Set<String>,
        arrayKeys: Set<String>
    ) throws(Failure) {
        guard let state = lua.newState() else { throw Failure(reason: "out of memory") }
        self.lua = lua
        self.state = state
        self.function = function
        self.usesTimeTable = usesTimeTable
        self.usesNull = usesNull
        self.integerKeys = integerKeys
        self.arrayKeys = arrayKeys
        lua.openLibraries(state)
        if usesNull { lua.setGlobalNull(state, "flb_null") }
        let loaded = code.withUnsafeBytes { bytes in
            let start = bytes.bindMemory(to: CChar.self).baseAddress
            return start.map { lua.load(state, $0, bytes.count, name, nil) } ?? 0
        }
        if loaded != 0 { throw Failure(reason: self.takeText()) }
        if !code.isEmpty, lua.call(state, argumentCount: 0, resultCount: 0) != 0 {
            throw Failure(reason: self.takeText())
        }
        lua.getGlobal(state, function)
        let isThere = lua.type(state, -1) != Kind.null
        lua.setTop(state, 0)
        if !isThere { throw Failure(reason: "there is no function '\(function)'") }
    }

    deinit { self.lua.close(self.state) }

    /// Calls the function for one event.
    func call(tag: [UInt8], time: Int64, record: JSONValue) throws(Failure) -> Result {
        defer { self.lua.setTop(self.state, 0) }
        self.lua.getGlobal(self.state, self.function)
        self.push(tag)
        self.push(time: time)
        self.push(record, depth: 0)
        if self.lua.call(self.state, argumentCount: 3, resultCount: 3) != 0 { throw Failure(reason: self.takeText()) }
        let code = Int(self.lua.toNumber(self.state, 1, nil))
        let newTime = self.time(at: 2)
        guard code > 0 else { return Result(code: code, time: nil, records: []) }
        switch self.value(at: 3, key: nil, depth: 0) {
        case .object(let members): return Result(code: code, time: newTime, records: [.object(members)])
        case .array(let elements): return Result(code: code, time: newTime, records: elements)
        default: throw Failure(reason: "the function gave no table as record")
        }
    }

    // MARK: to Lua

    private func push(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            _ = self.lua.pushString(self.state, buffer.bindMemory(to: CChar.self).baseAddress, buffer.count)
        }
    }

    private func push(_ text: String) { self.push(Array(text.utf8)) }

    private func push(time: Int64) {
        let timestamp = Timestamp(nanoseconds: time)
        let nanoseconds = Int(time - timestamp.seconds * 1_000_000_000)
        guard self.usesTimeTable else {
            return self.lua.pushNumber(self.state, Double(timestamp.seconds) + Double(nanoseconds) / 1e9)
        }
        self.lua.createTable(self.state, 0, 2)
        self.push("sec")
        self.lua.pushInteger(self.state, Int(timestamp.seconds))
        self.lua.rawSet(self.state, -3)
        self.push("nsec")
        self.lua.pushInteger(self.state, nanoseconds)
        self.lua.rawSet(self.state, -3)
    }

    private func push(_ value: JSONValue, depth: Int) {
        guard depth < Self.depthMax, self.lua.checkStack(self.state, 8) != 0 else {
            return self.lua.pushNil(self.state)
        }
        switch value {
        case .null: if self.usesNull { self.lua.pushPointer(self.state, nil) } else { self.lua.pushNil(self.state) }
        case .bool(let value): self.lua.pushBoolean(self.state, value ? 1 : 0)
        case .string(let text): self.push(text)
        case .number(let text):
            if let whole = Int(text) {
                self.lua.pushInteger(self.state, whole)
            } else {
                self.lua.pushNumber(self.state, Double(text) ?? 0)
            }
        case .array(let elements):
            self.lua.createTable(self.state, Int32(clamping: elements.count), 0)
            for (index, element) in elements.enumerated() {
                self.push(element, depth: depth + 1)
                self.lua.rawSetIndex(self.state, -2, index + 1)
            }
        case .object(let members):
            self.lua.createTable(self.state, 0, Int32(clamping: members.count))
            for member in members {
                self.push(member.key)
                self.push(member.value, depth: depth + 1)
                self.lua.rawSet(self.state, -3)
            }
        }
    }

    // MARK: from Lua

    private func time(at index: Int32) -> Int64? {
        switch self.lua.type(self.state, index) {
        case Kind.number:
            let seconds = self.lua.toNumber(self.state, index, nil)
            // Doubles of this size have about 200 ns of precision; the fraction is taken apart from the seconds.
            guard abs(seconds) < 9e9 else { return nil }
            return Int64(seconds.rounded(.down)) * 1_000_000_000 + Int64((seconds - seconds.rounded(.down)) * 1e9)
        case Kind.table:
            guard case .object(let members) = self.value(at: index, key: nil, depth: 0) else { return nil }
            let value = JSONValue.object(members)
            guard let seconds = value["sec"]?.double, abs(seconds) < 9e9 else { return nil }
            let nanoseconds = value["nsec"]?.double ?? 0
            guard abs(nanoseconds) < 1e9 else { return nil }
            return Int64(seconds) * 1_000_000_000 + Int64(nanoseconds)
        default: return nil
        }
    }

    private func value(at index: Int32, key: String?, depth: Int) -> JSONValue {
        guard depth < Self.depthMax, self.lua.checkStack(self.state, 8) != 0 else { return .null }
        switch self.lua.type(self.state, index) {
        case Kind.boolean: return .bool(self.lua.toBoolean(self.state, index) != 0)
        case Kind.number: return self.number(at: index, isInteger: key.map { self.integerKeys.contains($0) } ?? false)
        case Kind.string: return .string(self.text(at: index))
        case Kind.table: return self.table(at: index, key: key, depth: depth)
        default: return .null
        }
    }

    private func number(at index: Int32, isInteger: Bool) -> JSONValue {
        if self.lua.isInteger?(self.state, index) == 1, let whole = self.lua.toInteger?(self.state, index, nil) {
            return .number(String(whole))
        }
        let value = self.lua.toNumber(self.state, index, nil)
        guard value.isFinite else { return .null }
        if isInteger || value == value.rounded(), abs(value) < 9e18 { return .number(String(Int64(value))) }
        var writer = JSONWriter()
        writer.value(value)
        return .number(writer.text)
    }

    private func text(at index: Int32) -> String {
        var count = 0
        guard let start = self.lua.toString(self.state, index, &count) else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// A table as a list when its keys are 1, 2, 3 …, else as an object with its names in order.
    private func table(at index: Int32, key: String?, depth: Int) -> JSONValue {
        let position = index > 0 ? index : self.lua.getTop(self.state) + 1 + index
        var members: [JSONValue.Member] = []
        var elements: [Int: JSONValue] = [:]
        self.lua.pushNil(self.state)
        while self.lua.next(self.state, position) != 0 {
            if self.lua.type(self.state, -2) == Kind.number {
                let number = Int(self.lua.toNumber(self.state, -2, nil))
                let element = self.value(at: -1, key: nil, depth: depth + 1)
                elements[number] = element
                members.append(JSONValue.Member(key: String(number), value: element))
            } else if self.lua.type(self.state, -2) == Kind.string {
                let name = self.text(at: -2)
                members.append(JSONValue.Member(key: name, value: self.value(at: -1, key: name, depth: depth + 1)))
            }
            self.lua.setTop(self.state, -2)
        }
        let isList = elements.count == members.count && (1...max(1, elements.count)).allSatisfy { elements[$0] != nil }
        if isList || (members.isEmpty && key.map { self.arrayKeys.contains($0) } == true) {
            return .array(elements.isEmpty ? [] : (1...elements.count).compactMap { elements[$0] })
        }
        return .object(members.sorted { $0.key < $1.key })
    }

    /// The text on top of the stack, such as an error's.
    private func takeText() -> String {
        defer { self.lua.setTop(self.state, 0) }
        return self.text(at: -1)
    }
}
