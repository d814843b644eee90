/// Text that every match of a pattern contains.
///
/// It may ask for too little, never for too much: a text that does not pass holds no match.
public indirect enum RequiredText: Hashable, Sendable {
    /// Nothing is known.
    case anything
    /// The match contains this.
    case needle(Needle)
    /// The match passes all of these.
    case all([RequiredText])
    /// The match passes at least one of these.
    case oneOf([RequiredText])

    /// The same as a condition on one field, or on any field when `field` is `nil`.
    public func prefilter(field: String?) -> Prefilter {
        switch self {
        case .anything: .all
        case .needle(let needle): field.map { .contains(field: $0, needle) } ?? .anyField(needle)
        case .all(let parts): .and(parts.map { $0.prefilter(field: field) })
        case .oneOf(let parts): .or(parts.map { $0.prefilter(field: field) })
        }
    }

    /// The longest text that surely occurs.
    public var longestNeedle: Needle? {
        switch self {
        case .anything, .oneOf: nil
        case .needle(let needle): needle
        case .all(let parts): parts.compactMap(\.longestNeedle).max { $0.bytes.count < $1.bytes.count }
        }
    }

    /// Both this and `other`.
    func and(_ other: RequiredText) -> RequiredText {
        switch (self, other) {
        case (.anything, let only), (let only, .anything): only
        case (.all(let left), .all(let right)): .all(left + right)
        case (.all(let left), _): .all(left + [other])
        case (_, .all(let right)): .all([self] + right)
        default: .all([self, other])
        }
    }
}
