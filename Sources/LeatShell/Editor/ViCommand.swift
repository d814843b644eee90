/// A command of vi's normal mode, as it is complete: `3dw` is the key `w` under the operator `d`, three times.
struct ViCommand: Hashable, Sendable {
    /// `d`, `c` or `y`; the same key as `key` means the whole line.
    var operation: Character?
    var key: Character
    /// What `f`, `F`, `t`, `T` and `r` are followed by.
    var argument: Character?
    var count = 1

    /// Whether it changes the text, or begins to: `.` makes such a command again.
    var isChange: Bool {
        if let operation { return operation != "y" }
        return "xXDCsSr~pPiaIA".contains(self.key)
    }
}

/// A change of vi's normal mode.
struct ViChange: Hashable, Sendable {
    var command: ViCommand
    /// Where the text that is being typed after the command begins.
    var insertStart: Int?
    /// The text that was typed after it.
    var inserted = ""
}

/// Gathers the keys of a command of vi's normal mode.
struct ViCommandReader: Sendable {
    private static let countMax = 9_999

    private var operation: Character?
    /// `f`, `F`, `t`, `T` or `r`, which wait for a character.
    private var waiting: Character?
    /// The number before the operator, and the one behind it; they multiply.
    private var counts: [Int] = [0]

    /// Forgets a command that was begun.
    mutating func reset() { self = ViCommandReader() }

    /// Takes a key; the command, once it is complete.
    mutating func add(_ key: Character) -> ViCommand? {
        if let waiting { return self.finish(waiting, argument: key) }
        let count = self.counts[self.counts.count - 1]
        if let digit = key.wholeNumberValue, key.isASCII, digit > 0 || count > 0 {
            self.counts[self.counts.count - 1] = min(Self.countMax, count * 10 + digit)
            return nil
        }
        switch key {
        case "f", "F", "t", "T", "r":
            self.waiting = key
            return nil
        case "d", "c", "y":
            if self.operation != nil { return self.finish(key) }
            self.operation = key
            self.counts.append(0)
            return nil
        default: return self.finish(key)
        }
    }

    private mutating func finish(_ key: Character, argument: Character? = nil) -> ViCommand {
        let count = self.counts.reduce(1) { min(Self.countMax, $0 * max(1, $1)) }
        defer { self.reset() }
        return ViCommand(operation: self.operation, key: key, argument: argument, count: count)
    }
}

extension LineBuffer {
    /// Where a movement leads.
    struct ViTarget: Hashable, Sendable {
        var position: Int
        /// Whether an operator takes the character there too.
        var isInclusive = false
    }

    /// Where the movement of a command leads from the cursor; `nil` when it is none, or there is no such place.
    func target(of command: ViCommand) -> ViTarget? {
        switch command.key {
        case "h": return ViTarget(position: max(self.lineStart, self.cursor - command.count))
        case "l", " ": return ViTarget(position: min(self.lineEnd, self.cursor + command.count))
        case "0": return ViTarget(position: self.lineStart)
        case "^":
            let first = (self.lineStart..<self.lineEnd).first { !self.characters[$0].isWhitespace }
            return ViTarget(position: first ?? self.lineStart)
        case "$": return ViTarget(position: max(self.lineStart, self.lineEnd - 1), isInclusive: true)
        case "w", "W", "b", "B", "e", "E": return self.wordTarget(of: command)
        case "f", "F", "t", "T": return self.findTarget(of: command)
        case "%":
            guard let (here, partner) = self.matchingBrackets, here == self.cursor else { return nil }
            return ViTarget(position: partner, isInclusive: true)
        default: return nil
        }
    }

    /// What a character is to movements by words; capital ones know only space and the rest.
    private func kind(_ position: Int, isCapital: Bool) -> Int {
        let character = self.characters[position]
        if character.isWhitespace { return 0 }
        return isCapital || Self.isWord(character) ? 1 : 2
    }

    private func wordTarget(of command: ViCommand) -> ViTarget {
        let isCapital = command.key.isUppercase
        var position = self.cursor
        for _ in 0..<command.count {
            switch command.key {
            case "w", "W": position = self.nextStart(position, isCapital)
            case "b", "B": position = self.earlierStart(position, isCapital)
            default: position = self.nextEnd(position, isCapital)
            }
        }
        return ViTarget(position: position, isInclusive: command.key == "e" || command.key == "E")
    }

    private func nextStart(_ start: Int, _ isCapital: Bool) -> Int {
        let end = self.characters.count
        guard start < end else { return end }
        let kind = self.kind(start, isCapital: isCapital)
        var position = start
        while position < end, kind != 0, self.kind(position, isCapital: isCapital) == kind { position += 1 }
        while position < end, self.kind(position, isCapital: isCapital) == 0 { position += 1 }
        return position
    }

    private func earlierStart(_ start: Int, _ isCapital: Bool) -> Int {
        var position = start
        while position > 0, self.kind(position - 1, isCapital: isCapital) == 0 { position -= 1 }
        guard position > 0 else { return 0 }
        let kind = self.kind(position - 1, isCapital: isCapital)
        while position > 0, self.kind(position - 1, isCapital: isCapital) == kind { position -= 1 }
        return position
    }

    private func nextEnd(_ start: Int, _ isCapital: Bool) -> Int {
        let end = self.characters.count
        var position = start + 1
        while position < end, self.kind(position, isCapital: isCapital) == 0 { position += 1 }
        guard position < end else { return max(0, end - 1) }
        let kind = self.kind(position, isCapital: isCapital)
        while position + 1 < end, self.kind(position + 1, isCapital: isCapital) == kind { position += 1 }
        return position
    }

    /// The place of the character that is looked for, within the line; `t` and `T` stop before it.
    private func findTarget(of command: ViCommand) -> ViTarget? {
        guard let wanted = command.argument else { return nil }
        let isForward = command.key == "f" || command.key == "t"
        let isShort = command.key == "t" || command.key == "T"
        let after = min(self.cursor + 1, self.lineEnd)..<self.lineEnd
        let places = isForward ? Array(after) : (self.lineStart..<self.cursor).reversed()
        let found = places.filter { self.characters[$0] == wanted }
        guard found.count >= command.count else { return nil }
        let place = found[command.count - 1]
        return ViTarget(position: isShort ? place + (isForward ? -1 : 1) : place, isInclusive: isForward)
    }
}
