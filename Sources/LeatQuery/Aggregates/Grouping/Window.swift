internal import LeatCore

/// `window`: within `bucket` or `timeChart`, an aggregate over a bucket and those before it.
///
/// Its state is that of the aggregate; `TimeChartState` adds up the buckets.
struct WindowPlan: AggregatePlan {
    let function: any AggregatePlan
    /// Length in nanoseconds, rounded up to whole buckets; `nil`: `bucketCount`.
    let span: Int64?
    let bucketCount: Int?

    /// How many buckets of that length a window has, its own included.
    func count(bucketSpan: Int64) -> Int {
        if let span = self.span { return max(1, Int((span + bucketSpan - 1) / bucketSpan)) }
        return max(1, self.bucketCount ?? 1)
    }

    var columns: [String]? { self.function.columns }

    func makeState(_ context: StageContext) -> any AggregateState { self.function.makeState(context) }
}
