internal import LeatCore

/// What storage may test before it reads, derived from the filters of a plan.
///
/// Sound: whatever passes the filters passes the prefilter. A filter on a field counts only until a stage may have
/// written that field; free text always does, as it looks at the event as stored.
enum PrefilterDerivation {
    static func prefilter(of stages: [any Stage]) -> Prefilter {
        var parts: [Prefilter] = []
        var changed: Changes = .names([])
        for stage in stages {
            switch stage {
            case let filter as FilterStage: parts.append(Self.prefilter(of: filter.filter, changed))
            case let regex as RegexStage:
                if regex.isStrict, regex.field.map({ !changed.mayHave($0) }) ?? true {
                    parts.append(regex.regex.pattern.requiredText.prefilter(field: regex.field.flatMap(Self.stored)))
                }
                changed.add(regex.regex.fieldNames)
            case let branches as BranchStage:
                parts.append(.or(branches.branches.map { Self.isFromStart(changed) ? Self.prefilter(of: $0) : .all }))
                changed = .anything
            case let assign as AssignStage: changed.add([assign.target])
            case let function as RowFunctionStage where !function.writesOtherNames:
                changed.add(function.function.outputs)
            case is SelectStage, is DropStage: break
            default: changed = .anything
            }
        }
        return Self.simplified(.and(parts))
    }

    /// Fields that a stage may have written.
    private enum Changes {
        case names(Set<String>)
        case anything

        func mayHave(_ name: String) -> Bool {
            switch self {
            case .names(let names): names.contains(name)
            case .anything: true
            }
        }

        mutating func add(_ added: [String]) {
            if case .names(let names) = self { self = .names(names.union(added)) }
        }
    }

    private static func isFromStart(_ changes: Changes) -> Bool {
        if case .names(let names) = changes { names.isEmpty } else { false }
    }

    /// Times are not columns, storage knows nothing of them under these names.
    private static func stored(_ name: String) -> String? { name.hasPrefix("@timestamp") ? nil : name }

    private static func prefilter(of node: FilterNode, _ changes: Changes) -> Prefilter {
        switch node {
        case .constant(let value): value ? .all : .none
        case .and(let parts): .and(parts.map { Self.prefilter(of: $0, changes) })
        case .or(let parts): .or(parts.map { Self.prefilter(of: $0, changes) })
        case .not, .predicate, .elements, .lookup, .expression: .all
        case .anyField(let test): Self.prefilter(of: test, field: nil)
        case .field(let name, let test):
            changes.mayHave(name) || Self.stored(name) == nil ? .all : Self.prefilter(of: test, field: name)
        }
    }

    private static func prefilter(of test: ValueTest, field: String?) -> Prefilter {
        func contains(_ needle: Needle) -> Prefilter {
            needle.bytes.isEmpty ? .all : field.map { .contains(field: $0, needle) } ?? .anyField(needle)
        }
        switch test {
        case .present: return field.map { .present(field: $0) } ?? .all
        case .equals(let text): return field.map { .equals(field: $0, text) } ?? contains(Needle(text))
        case .oneOf(let set): return .or(set.strings.map { Self.prefilter(of: .equals($0), field: field) })
        case .equalsNumber(_, let number): return field.map { .numeric(field: $0, number...number) } ?? .all
        case .contains(let needle): return contains(needle)
        case .glob(let glob): return .and(glob.needles.map { contains($0) })
        case .regex(let regex): return regex.pattern.requiredText.prefilter(field: field)
        case .number(let comparator, let bound):
            guard let field else { return .all }
            switch comparator {
            case .less, .lessOrEqual: return .numeric(field: field, -.infinity...bound)
            case .greater, .greaterOrEqual: return .numeric(field: field, bound ... .infinity)
            case .equal, .like, .notEqual: return .present(field: field)
            }
        case .any(let tests): return .or(tests.map { Self.prefilter(of: $0, field: field) })
        }
    }

    /// Without nested or empty conjunctions and disjunctions.
    static func simplified(_ prefilter: Prefilter) -> Prefilter {
        switch prefilter {
        case .and(let parts):
            var kept: [Prefilter] = []
            for part in parts.map(Self.simplified) {
                switch part {
                case .all: continue
                case .none: return .none
                case .and(let inner): kept += inner
                default: kept.append(part)
                }
            }
            return kept.isEmpty ? .all : kept.count == 1 ? kept[0] : .and(kept)
        case .or(let parts):
            var kept: [Prefilter] = []
            for part in parts.map(Self.simplified) {
                switch part {
                case .none: continue
                case .all: return .all
                case .or(let inner): kept += inner
                default: kept.append(part)
                }
            }
            return kept.isEmpty ? .none : kept.count == 1 ? kept[0] : .or(kept)
        default: return prefilter
        }
    }
}
