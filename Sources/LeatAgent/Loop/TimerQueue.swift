/// Timers in the order in which they are due.
///
/// A binary heap; a removed timer stays in it, without its handler, until it is due.
struct TimerQueue {
    /// The name of a timer.
    struct ID: Hashable { fileprivate let number: UInt64 }

    private struct Entry {
        let deadline: UInt64
        let number: UInt64
    }

    private var heap: [Entry] = []
    private var handlers: [UInt64: () -> Void] = [:]
    private var nextNumber: UInt64 = 1

    /// When the first timer is due, in nanoseconds of the monotonic clock.
    var nextDeadline: UInt64? { self.heap.first?.deadline }

    /// Adds a timer.
    mutating func insert(at deadline: UInt64, _ handler: @escaping () -> Void) -> ID {
        let number = self.nextNumber
        self.nextNumber += 1
        self.handlers[number] = handler
        self.heap.append(Entry(deadline: deadline, number: number))
        self.siftUp(self.heap.count - 1)
        return ID(number: number)
    }

    /// Forgets a timer's handler.
    mutating func remove(_ id: ID) {
        self.handlers[id.number] = nil
        // Dead entries at the top would wake the loop for nothing.
        while let first = self.heap.first, self.handlers[first.number] == nil { self.removeFirst() }
    }

    /// Takes the handlers of the timers that are due, in order; the caller calls them.
    mutating func takeDue(until now: UInt64) -> [() -> Void] {
        var due: [() -> Void] = []
        while let first = self.heap.first, first.deadline <= now {
            self.removeFirst()
            if let handler = self.handlers.removeValue(forKey: first.number) { due.append(handler) }
        }
        while let first = self.heap.first, self.handlers[first.number] == nil { self.removeFirst() }
        return due
    }

    private mutating func removeFirst() {
        self.heap.swapAt(0, self.heap.count - 1)
        self.heap.removeLast()
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < self.heap.count {
                if self.heap[child].deadline < self.heap[least].deadline { least = child }
            }
            if least == index { return }
            self.heap.swapAt(index, least)
            index = least
        }
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            if self.heap[parent].deadline <= self.heap[index].deadline { return }
            self.heap.swapAt(index, parent)
            index = parent
        }
    }
}
