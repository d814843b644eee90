/// Proves to a server who sends a request, by something that has to be fetched first.
protocol RequestAuthorizer: AnyObject {
    /// Calls `body` with the request as it may be sent, at once or later.
    func authorize(_ request: HTTPRequest, _ body: @escaping (Result<HTTPRequest, FetchFailure>) -> Void)

    /// Looks at an answer of 400 and above for whether the proof was not accepted, and then fetches another one next time.
    ///
    /// - Returns: Why the same request goes again, without secrets; `nil` when the answer says that itself.
    func refusal(of request: HTTPRequest, status: Int, text: String) -> String?

    /// Ends all connections; what is being fetched fails.
    func close()
}
