internal import LeatCore

/// `linReg`: the straight line through pairs of numbers with the least squares of distances.
struct LinearRegressionPlan: AggregatePlan {
    var x: String
    var y: String
    var prefix: String

    var columns: [String]? { ["slope", "intercept", "r2", "n"].map { self.prefix + $0 } }

    func makeState(_ context: StageContext) -> any AggregateState { LinearRegressionState(self) }
}

/// See `LinearRegressionPlan`.
final class LinearRegressionState: AggregateState {
    private struct Sums {
        var count = 0
        var x = ExactSum()
        var y = ExactSum()
        var xx = ExactSum()
        var xy = ExactSum()
        var yy = ExactSum()
    }

    private let plan: LinearRegressionPlan
    private var sums: [Sums] = []

    init(_ plan: LinearRegressionPlan) { self.plan = plan }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        self.sums.grow(to: groups.count, with: Sums())
        guard let (x, xValid) = try rows.column(self.plan.x)?.numbers(),
            let (y, yValid) = try rows.column(self.plan.y)?.numbers()
        else { return }
        var selection = rows.selection
        if let valid = Bitmap.intersection(xValid, yValid) { selection.formIntersection(valid) }
        selection.forEachSet { row in
            let group = groups[row]
            self.sums[group].count += 1
            self.sums[group].x.add(x[row])
            self.sums[group].y.add(y[row])
            self.sums[group].xx.add(x[row] * x[row])
            self.sums[group].xy.add(x[row] * y[row])
            self.sums[group].yy.add(y[row] * y[row])
        }
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) {
        self.sums.grow(to: groupCount, with: Sums())
        for (index, sums) in self.sibling(other).sums.enumerated() {
            let own = Int(groups[index])
            self.sums[own].count += sums.count
            self.sums[own].x.add(sums.x)
            self.sums[own].y.add(sums.y)
            self.sums[own].xx.add(sums.xx)
            self.sums[own].xy.add(sums.xy)
            self.sums[own].yy.add(sums.yy)
        }
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        guard group < self.sums.count, self.sums[group].count > 1 else { return }
        let sums = self.sums[group]
        let count = Double(sums.count)
        let xSpread = sums.xx.value - sums.x.value * sums.x.value / count
        let ySpread = sums.yy.value - sums.y.value * sums.y.value / count
        let joint = sums.xy.value - sums.x.value * sums.y.value / count
        guard xSpread > 0 else { return }
        let slope = joint / xSpread
        let values = [
            slope, (sums.y.value - slope * sums.x.value) / count,
            ySpread > 0 ? joint * joint / (xSpread * ySpread) : 1, count,
        ]
        try writer.scoped { () throws(QueryFailure) in
            for (name, value) in zip(self.plan.columns ?? [], values) {
                try writer.set(writer.column(name), to: value)
            }
            try next()
        }
    }
}
