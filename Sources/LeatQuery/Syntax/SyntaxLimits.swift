/// Limits of query text.
public enum SyntaxLimits {
    /// Unicode scalars of a query; LogScale documents the same number.
    public static let lengthMax = 66_000

    /// How deeply parentheses, arrays, calls, `case` and subqueries may nest, so that no stack overflows.
    public static let depthMax = 64

    /// Operators of an expression that may lie on one path from its root to a value.
    ///
    /// A chain of additions is a tree as deep as it is long, and planning and evaluation descend it. Operators of
    /// different arguments do not add up.
    public static let operatorsMax = 200

    /// Errors reported for one query; more would only repeat the first.
    public static let errorCountMax = 20
}
