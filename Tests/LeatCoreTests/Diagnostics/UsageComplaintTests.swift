import LeatCore
import Testing

struct UsageComplaintTests {
    @Test(arguments: [
        ("Error: Unexpected argument 'x'\nUsage: leat", "leat: unexpected argument 'x'\nUsage: leat"),
        ("Error: --limit: -1 is less than 0", "leat: --limit: -1 is less than 0"),
        ("Error: The value 'x' is invalid.", "leat: the value 'x' is invalid"),
    ])
    func messagesHaveOneStyle(_ text: String, _ expected: String) {
        #expect(UsageComplaint.text(text, program: "leat") == expected)
    }
}
