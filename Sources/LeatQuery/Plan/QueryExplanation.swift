internal import LeatCore

/// `explain:asTable`: the steps of a plan as rows, in the place of its answer.
enum QueryExplanation {
    /// A program that gives a row for each step: where it runs, and its text; before them, what storage tests.
    static func program(of pipeline: Pipeline, as program: Program, showsPrefilter: Bool) -> Program {
        var rows: [(phase: String, text: String)] = []
        if showsPrefilter && program.source == nil {
            rows.append(("prefilter", Self.text(PrefilterDerivation.prefilter(of: program.stages))))
        }
        var isAggregated = false
        for step in pipeline.steps {
            let kind = Self.kind(of: step)
            switch kind {
            case .source: rows.append(("source", QueryPrinter.print(step)))
            case .aggregate, .sequence:
                rows.append((isAggregated ? "rows" : "aggregate", QueryPrinter.print(step)))
                isAggregated = true
            case .filter, .transformation, .preamble, nil:
                rows.append((isAggregated ? "rows" : "events", QueryPrinter.print(step)))
            }
        }
        let table = JoinTable(
            columns: ["step", "phase", "query"],
            rows: rows.enumerated().map { index, row in
                [Array(String(index + 1).utf8), Array(row.phase.utf8), Array(row.text.utf8)]
            }
        )
        var result = Program()
        result.source = .tables([TableSource(.table(table))], include: nil, limit: nil)
        result.aggregate = KeepRowsPlan(columns: table.columns, limit: rows.count)
        return result
    }

    private static func kind(of step: Step) -> FunctionSignature.Kind? {
        if case .call(let call) = step { return FunctionCatalogue.find(call.name)?.kind }
        return nil
    }

    /// A prefilter in the words of the language, as far as it has them.
    static func text(_ prefilter: Prefilter) -> String {
        switch prefilter {
        case .all: "*"
        case .none: "false"
        case .and(let parts): "(" + parts.map { Self.text($0) }.joined(separator: " and ") + ")"
        case .or(let parts): "(" + parts.map { Self.text($0) }.joined(separator: " or ") + ")"
        case .anyField(let needle): Self.text(needle, caseless: { "/\($0)/i" }, else: { $0 })
        case .contains(let field, let needle):
            Self.text(needle, caseless: { "\(field)=/\($0)/i" }, else: { "\(field) like \($0)" })
        case .equals(let field, let value): "\(field)=\(QueryPrinter.quote(String(decoding: value, as: UTF8.self)))"
        case .present(let field): "\(field)=*"
        case .numeric(let field, let bounds): "\(field) in \(bounds.lowerBound)...\(bounds.upperBound)"
        }
    }

    private static func text(
        _ needle: Needle,
        caseless: (String) -> String,
        else plain: (String) -> String
    ) -> String {
        let text = String(decoding: needle.bytes, as: UTF8.self)
        return needle.foldsCase ? caseless(text) : plain(QueryPrinter.quote(text))
    }
}
