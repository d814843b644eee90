extension JSONFlattener {
    /// Appends the fields of the last document to the row under construction.
    ///
    /// Leaves out nulls and empty objects and arrays, which `shape` remembers, and names for which `isSkipped` says so
    /// (asked once per name, not once per document). Completing the row is the caller's business.
    public mutating func append(
        to builder: inout BatchBuilder,
        skipping isSkipped: (UnsafeRawBufferPointer) -> Bool = { _ in false }
    ) {
        if self.columnsGeneration != builder.generation {
            self.columnOfName = []
            self.columnsGeneration = builder.generation
        }
        var next = 0
        while true {
            // Fast path: the columns of all names are known.
            next = self.columnOfName.withUnsafeBufferPointer { builder.append(self.fields, from: next, columns: $0) }
            guard next < self.fields.count else { return }
            self.findColumn(Int(self.fields[next].name), in: &builder, isSkipped)
        }
    }

    /// What `columnOfName` has for names not asked for yet, and for those that are left out.
    static var unknownColumn: Int32 { -1 }
    static var skippedColumn: Int32 { -2 }

    @inline(never)
    private mutating func findColumn(
        _ name: Int,
        in builder: inout BatchBuilder,
        _ isSkipped: (UnsafeRawBufferPointer) -> Bool
    ) {
        let text = self.name(Int32(name))
        while self.columnOfName.count <= name { self.columnOfName.append(Self.unknownColumn) }
        self.columnOfName[name] = isSkipped(text) ? Self.skippedColumn : Int32(builder.columnIndex(of: text))
    }
}
