/// vi's normal mode.
extension LineEditor {
    mutating func handleNormal(_ key: Key) -> Action {
        guard case .character(let character) = key else {
            self.viReader.reset()
            switch key {
            case .enter: return self.enter()
            case .backspace: return self.handleMove(.left)
            case .control("c"): return .abandon
            case .control("r"): return self.handleControl("r")
            case .control("d") where self.buffer.isEmpty: return .endOfInput
            case .control("l"): return .clearScreen
            default: return self.handleMove(key)
            }
        }
        guard let command = self.viReader.add(character) else { return .none }
        let action = self.perform(command)
        // The cursor stands on a character, not behind the last.
        if self.isNormalMode {
            let last = max(self.buffer.lineStart, self.buffer.lineEnd - 1)
            self.buffer.move(to: min(self.buffer.cursor, last))
        }
        return action
    }

    /// Escape and a character that came together, as over a network: in vi's keys nobody means Alt.
    mutating func handleFastEscape(_ character: Character) -> Action {
        if self.isNormalMode { self.viReader.reset() } else { _ = self.leaveInsertMode() }
        let action = self.handleNormal(.character(character))
        return action == .none ? .redraw : action
    }

    /// Does what a command says, and keeps it if it is a change.
    private mutating func perform(_ command: ViCommand) -> Action {
        if command.key == ".", command.operation == nil { return self.repeatChange(count: command.count) }
        guard let movement = self.movement(of: command) else { return .none }
        let action = self.carryOut(movement)
        guard movement.isChange, action != .none else { return action }
        self.lastChange = ViChange(command: movement, insertStart: self.isNormalMode ? nil : self.buffer.cursor)
        return action
    }

    /// Makes the last change again: the command, and the text that was typed after it.
    private mutating func repeatChange(count: Int) -> Action {
        guard var change = self.lastChange else { return .none }
        if count > 1 { change.command.count = count }
        self.lastChange = change
        let action = self.carryOut(change.command)
        guard !self.isNormalMode else { return action }
        _ = self.insert(change.inserted)
        self.isNormalMode = true
        self.stepBack()
        return .redraw
    }

    /// Escape: what was typed belongs to the change that began it.
    mutating func leaveInsertMode() -> Action {
        if let start = self.lastChange?.insertStart {
            let end = self.buffer.cursor
            self.lastChange?.inserted = start < end ? String(self.buffer.characters[start..<end]) : ""
            self.lastChange?.insertStart = nil
        }
        self.isNormalMode = true
        self.stepBack()
        return .redraw
    }

    /// As in vi, only what is typed after a movement is made again.
    mutating func insertAnew() {
        guard self.lastChange?.insertStart != nil else { return }
        self.lastChange = ViChange(command: ViCommand(key: "i"), insertStart: self.buffer.cursor)
    }

    private mutating func stepBack() {
        self.buffer.move(to: max(self.buffer.lineStart, self.buffer.cursor - 1))
    }

    private mutating func carryOut(_ movement: ViCommand) -> Action {
        if let operation = movement.operation { return self.operate(operation, movement) }
        if let target = self.buffer.target(of: movement) {
            self.buffer.move(to: target.position)
            return .redraw
        }
        return self.change(movement) ?? self.command(movement)
    }

    /// The command itself; for `;` and `,` the search that they repeat, `nil` when there is none.
    private mutating func movement(of command: ViCommand) -> ViCommand? {
        switch command.key {
        case "f", "F", "t", "T": self.lastFind = command
        case ";", ",":
            guard var find = self.lastFind else { return nil }
            let opposite: [Character: Character] = ["f": "F", "F": "f", "t": "T", "T": "t"]
            if command.key == "," { find.key = opposite[find.key] ?? find.key }
            find.count = command.count
            find.operation = command.operation
            return find
        default: break
        }
        return command
    }

    private mutating func operate(_ operation: Character, _ command: ViCommand) -> Action {
        var movement = command
        // As in vi: what is changed to the end of a word leaves the space behind it.
        if operation == "c", command.key == "w" || command.key == "W" { movement.key = command.key == "w" ? "e" : "E" }
        let range: Range<Int>
        if command.key == operation {
            range = self.buffer.lineStart..<self.buffer.lineEnd
        } else if let target = self.buffer.target(of: movement) {
            let end = max(target.position, self.buffer.cursor) + (target.isInclusive ? 1 : 0)
            range = min(target.position, self.buffer.cursor)..<min(end, self.buffer.characters.count)
        } else {
            return .none
        }
        if operation == "y" {
            self.killed = String(self.buffer.characters[range])
            return .none
        }
        _ = self.kill(range)
        if operation == "c" { self.insertFromHere(at: self.buffer.cursor) }
        return .redraw
    }

    /// Puts other characters in place of some, and stands behind them.
    private mutating func overwrite(_ range: Range<Int>, _ replacement: (Character) -> String) -> Action {
        guard !range.isEmpty else { return .none }
        self.remember()
        self.buffer.replace(range, with: self.buffer.characters[range].map(replacement).joined())
        return .redraw
    }

    private mutating func insertFromHere(at position: Int) {
        self.isNormalMode = false
        self.buffer.move(to: position)
    }

    /// Commands that change the text; `nil` when it is none.
    private mutating func change(_ command: ViCommand) -> Action? {
        let cursor = self.buffer.cursor
        let last = min(cursor + command.count, self.buffer.lineEnd)
        switch command.key {
        case "x": return self.kill(cursor..<last)
        case "X": return self.kill(max(self.buffer.lineStart, cursor - command.count)..<cursor)
        case "D": return self.kill(cursor..<self.buffer.lineEnd)
        case "C", "s", "S":
            let start = command.key == "S" ? self.buffer.lineStart : cursor
            _ = self.kill(start..<(command.key == "s" ? last : self.buffer.lineEnd))
            self.insertFromHere(at: start)
            return .redraw
        case "r":
            guard let argument = command.argument else { return nil }
            let action = self.overwrite(cursor..<last) { _ in String(argument) }
            self.buffer.move(to: max(cursor, self.buffer.cursor - 1))
            return action
        case "~": return self.overwrite(cursor..<last) { $0.isUppercase ? $0.lowercased() : $0.uppercased() }
        case "p", "P":
            if command.key == "p" { self.buffer.move(to: cursor + 1) }
            let action = self.insert(self.killed)
            self.buffer.move(to: self.buffer.cursor - 1)
            return action
        case "u": return self.undo()
        default: return nil
        }
    }

    private mutating func command(_ command: ViCommand) -> Action {
        switch command.key {
        case "i": self.insertFromHere(at: self.buffer.cursor)
        case "a": self.insertFromHere(at: min(self.buffer.lineEnd, self.buffer.cursor + 1))
        case "I": self.insertFromHere(at: self.buffer.lineStart)
        case "A": self.insertFromHere(at: self.buffer.lineEnd)
        case "k", "-": return self.handleMove(.up)
        case "j", "+": return self.handleMove(.down)
        case "/": return self.handleControl("r")
        case "v": return .openEditor
        default: return .none
        }
        return .redraw
    }
}
