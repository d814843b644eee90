internal import LeatCore

/// A whole answer.
struct HTTPAnswer {
    let status: Int
    let body: [UInt8]

    var isGood: Bool { (200..<300).contains(self.status) }
}

extension HTTPConnection {
    /// Bytes of an answer that are kept; what is asked for so is small.
    private static let answerByteCountMax = 1 << 20

    /// Sends a request whose answer is wanted as a whole.
    func ask(
        _ request: HTTPRequest,
        body: [UInt8],
        completion: @escaping (Result<HTTPAnswer, HTTPFailure>) -> Void
    ) {
        var answer: [UInt8] = []
        self.send(request, body: body) { bytes in
            if answer.count + bytes.count <= Self.answerByteCountMax { answer.append(contentsOf: bytes) }
        } completion: { result in
            completion(result.map { HTTPAnswer(status: $0.status, body: answer) })
        }
    }
}
