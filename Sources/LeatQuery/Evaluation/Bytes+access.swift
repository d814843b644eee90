extension [UInt8] {
    /// Calls `body` with the bytes, which are valid during the call; keeps the type of what it throws.
    @inline(__always)
    func withRawBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try self.span.bytes.withUnsafeBytes(body)
    }
}
