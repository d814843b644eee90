/// A place where the text cannot go on as the grammar says.
struct SyntaxFailure: Error {
    var message: String
    var range: Range<Int>
    var hint: String?

    init(_ message: String, at range: Range<Int>, hint: String? = nil) {
        self.message = message
        self.range = range
        self.hint = hint
    }
}
