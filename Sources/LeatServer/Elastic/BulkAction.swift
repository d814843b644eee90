internal import LeatCore

/// The first line of an item of a bulk request.
struct BulkAction: Hashable, Sendable {
    /// What the client asks for, as it appears as the key of the item in the answer.
    enum Kind: UInt8, Hashable, Sendable {
        case index, create, update, delete

        var name: String {
            switch self {
            case .index: "index"
            case .create: "create"
            case .update: "update"
            case .delete: "delete"
            }
        }
    }

    var kind: Kind
    /// The index, of the line or of the URL; empty when neither names one.
    var index: String
    /// The client's `_id`; `nil` when it gives none.
    var id: String?
    /// Whether the line names nothing at all, as the batches of Leat's agent: then no index is needed.
    var isBare = false

    /// Whether a source line follows.
    var hasSource: Bool { self.kind != .delete }

    /// Metadata that may be given; its meaning is ignored except for `_index`, `_id` and `op_type`.
    ///
    /// `_type` is refused by Elasticsearch 8 but sent by Fluent Bit, rsyslog and others.
    private static let metadata: Set<String> = [
        "_index", "_id", "_type", "routing", "op_type", "version", "version_type", "if_seq_no", "if_primary_term",
        "retry_on_conflict", "pipeline", "_source", "require_alias", "require_data_stream", "dynamic_templates",
        "list_executed_pipelines",
    ]

    /// Reads an action line.
    ///
    /// - Parameters:
    ///   - line: The line without its newline.
    ///   - number: The line's number in the request, from 1, for messages.
    ///   - defaultIndex: The index of the URL, or empty.
    /// - Returns: What the line asks for.
    /// - Throws: The refusal of the whole request.
    static func read(
        _ line: UnsafeRawBufferPointer,
        number: Int,
        defaultIndex: String
    ) throws(RequestFault) -> BulkAction {
        let value: JSONValue
        do {
            value = try JSONValue(line)
        } catch {
            if Self.startsLikeAnObject(line) {
                throw .elastic(
                    400,
                    "x_content_parse_exception",
                    "[\(number):\(error.offset + 1)] malformed action/metadata line: \(error)"
                )
            }
            throw Self.malformed(number, "expected START_OBJECT but found [\(Self.token(line))]")
        }
        guard let members = value.object else {
            throw Self.malformed(number, "expected START_OBJECT but found [\(Self.token(value))]")
        }
        guard let first = members.first else {
            throw Self.malformed(number, "expected FIELD_NAME but found [END_OBJECT]")
        }
        guard let kind = Self.kind(named: first.key) else {
            throw Self.malformed(
                number,
                "expected field [create], [delete], [index] or [update] but found [\(first.key)]"
            )
        }
        guard let metadata = first.value.object else {
            throw Self.malformed(number, "expected START_OBJECT but found [\(Self.token(first.value))]")
        }
        guard members.count == 1 else {
            throw Self.malformed(number, "expected END_OBJECT but found [FIELD_NAME]")
        }
        return try Self.action(kind, metadata, number: number, defaultIndex: defaultIndex)
    }

    private static func action(
        _ kind: Kind,
        _ metadata: [JSONValue.Member],
        number: Int,
        defaultIndex: String
    ) throws(RequestFault) -> BulkAction {
        var action = BulkAction(kind: kind, index: defaultIndex, id: nil)
        action.isBare = kind == .create && metadata.isEmpty && defaultIndex.isEmpty
        for member in metadata {
            guard Self.metadata.contains(member.key) else {
                throw .elastic(
                    400,
                    "illegal_argument_exception",
                    "Action/metadata line [\(number)] contains an unknown parameter [\(member.key)]"
                )
            }
            if member.value.object != nil || member.value.array != nil,
                !["dynamic_templates", "_source"].contains(member.key)
            {
                throw .elastic(
                    400,
                    "illegal_argument_exception",
                    "Malformed action/metadata line [\(number)], expected a simple value for field [\(member.key)] "
                        + "but found [\(Self.token(member.value))]"
                )
            }
            switch member.key {
            case "_index": action.index = member.value.scalarText ?? action.index
            case "_id": action.id = member.value.scalarText
            case "op_type" where kind == .index && member.value.string == "create": action.kind = .create
            default: break
            }
        }
        return action
    }

    private static func malformed(_ number: Int, _ what: String) -> RequestFault {
        .elastic(400, "illegal_argument_exception", "Malformed action/metadata line [\(number)], \(what)")
    }

    private static func kind(named name: String) -> Kind? {
        switch name {
        case "index": .index
        case "create": .create
        case "update": .update
        case "delete": .delete
        default: nil
        }
    }

    private static func startsLikeAnObject(_ line: UnsafeRawBufferPointer) -> Bool {
        line.first { $0 != 0x20 && $0 != 0x09 } == UInt8(ascii: "{")
    }

    /// Elasticsearch's name for the token that begins a value.
    private static func token(_ value: JSONValue) -> String {
        switch value {
        case .null: "VALUE_NULL"
        case .bool: "VALUE_BOOLEAN"
        case .number: "VALUE_NUMBER"
        case .string: "VALUE_STRING"
        case .array: "START_ARRAY"
        case .object: "START_OBJECT"
        }
    }

    private static func token(_ line: UnsafeRawBufferPointer) -> String {
        String(decoding: line.prefix(40), as: UTF8.self)
    }
}
