internal import LeatCore

/// What a container's log file says by its name: `POD_NAMESPACE_CONTAINER-ID.log`, as kubelet links it in
/// `/var/log/containers`.
struct ContainerFileName: Hashable, Sendable {
    let pod: String
    let namespace: String
    let container: String
    /// 64 characters.
    let containerID: String

    private static let idByteCount = 64

    /// Takes a name apart; `nil` when it is no such name.
    init?(_ name: some StringProtocol) {
        let bytes = Array(name.utf8)
        let stemCount = bytes.count - Self.idByteCount - 5
        guard stemCount > 4, bytes.suffix(4).elementsEqual(".log".utf8), bytes[stemCount] == UInt8(ascii: "-") else {
            return nil
        }
        let id = bytes[(stemCount + 1)..<(stemCount + 1 + Self.idByteCount)]
        let parts = bytes[..<stemCount].split(
            separator: UInt8(ascii: "_"),
            maxSplits: 2,
            omittingEmptySubsequences: false
        )
        guard id.allSatisfy(Self.isIDByte), parts.count == 3, parts.allSatisfy({ !$0.isEmpty }),
            parts[0].allSatisfy({ Self.isIDByte($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") })
        else { return nil }
        self.pod = String(decoding: parts[0], as: UTF8.self)
        self.namespace = String(decoding: parts[1], as: UTF8.self)
        self.container = String(decoding: parts[2], as: UTF8.self)
        self.containerID = String(decoding: id, as: UTF8.self)
    }

    private static func isIDByte(_ byte: UInt8) -> Bool {
        (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z"))
            || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
    }
}
