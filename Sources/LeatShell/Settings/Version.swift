/// Which leat this is.
public enum Version {
    public static let number = "0.1.0"
    /// When it was last changed, for the manual.
    static let date = "2026-11-30"
    public static let text = "leat \(Self.number)"
}
