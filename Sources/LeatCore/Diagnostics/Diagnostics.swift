/// Everything that is wrong with one text, in the order of its lines.
public struct Diagnostics: Error, Hashable, Sendable, CustomStringConvertible {
    public let all: [Diagnostic]

    public init(_ all: [Diagnostic]) { self.all = all }

    public var description: String { self.all.map(\.description).joined(separator: "\n") }
}
