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
        for field in self.fields where field.kind.rawValue < JSONKind.null.rawValue {
            let name = Int(field.name)
            var column = name < self.columnOfName.count ? self.columnOfName[name] : Self.unknownColumn
            if column == Self.unknownColumn { column = self.findColumn(name, in: &builder, isSkipped) }
            if column >= 0 { builder.append(field.value, to: Int(column)) }
        }
    }

    private static var unknownColumn: Int32 { -1 }
    private static var skippedColumn: Int32 { -2 }

    @inline(never)
    private mutating func findColumn(
        _ name: Int,
        in builder: inout BatchBuilder,
        _ isSkipped: (UnsafeRawBufferPointer) -> Bool
    ) -> Int32 {
        let text = self.name(Int32(name))
        let column = isSkipped(text) ? Self.skippedColumn : Int32(builder.columnIndex(of: text))
        while self.columnOfName.count <= name { self.columnOfName.append(Self.unknownColumn) }
        self.columnOfName[name] = column
        return column
    }
}
