// Table of functions; exempt from the length of files.

extension FunctionCatalogue {
    /// Math functions.
    static let mathFunctions: [FunctionSignature] = [
        FunctionSignature(
            "math:abs",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_abs"),
            ],
            outputs: "_abs",
            summary: "Absolute value; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:arccos",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_arccos"),
            ],
            outputs: "_arccos",
            summary: "Arc cosine, in radians; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:arcsin",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_arcsin"),
            ],
            outputs: "_arcsin",
            summary: "Arc sine, in radians; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:arctan",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_arctan"),
            ],
            outputs: "_arctan",
            summary: "Arc tangent, in radians; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:arctan2",
            .transformation,
            [
                .init("x", .field, required: true),
                .init("y", .field, required: true),
                .init("as", .field, default: "_arctan2"),
            ],
            outputs: "_arctan2",
            summary: "Angle of the point (x, y), in radians; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:ceil",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_ceil"),
            ],
            outputs: "_ceil",
            summary: "Rounds up to an integer; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:cos",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_cos"),
            ],
            outputs: "_cos",
            summary: "Cosine of an angle in radians; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:cosh",
            .transformation,
            [
                .init("field", .field, required: true),
                .init("as", .field, default: "_cosh"),
            ],
            outputs: "_cosh",
            summary: "Hyperbolic cosine; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:deg2rad",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_deg2rad"),
            ],
            outputs: "_deg2rad",
            summary: "Degrees to radians; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:exp",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_exp"),
            ],
            outputs: "_exp",
            summary: "e to the power of the value; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:expm1",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_expm1"),
            ],
            outputs: "_expm1",
            summary: "e to the power of the value, minus 1; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:floor",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_floor"),
            ],
            outputs: "_floor",
            summary: "Rounds down to an integer; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:log",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_log"),
            ],
            outputs: "_log",
            summary: "Natural logarithm; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:log10",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_log10"),
            ],
            outputs: "_log10",
            summary: "Logarithm to base 10; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:log1p",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_log1p"),
            ],
            outputs: "_log1p",
            summary: "Natural logarithm of 1 + the value; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:log2",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_log2"),
            ],
            outputs: "_log2",
            summary: "Logarithm to base 2; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:mod",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("divisor", .expression, required: true),
                .init("as", .field, default: "_mod"),
            ],
            outputs: "_mod",
            summary: "Floored remainder of the division by divisor; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:pow",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("exponent", .expression, required: true),
                .init("as", .field, default: "_pow"),
            ],
            outputs: "_pow",
            summary: "The value to the power of exponent; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:rad2deg",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_rad2deg"),
            ],
            outputs: "_rad2deg",
            summary: "Radians to degrees; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:sin",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_sin"),
            ],
            outputs: "_sin",
            summary: "Sine of an angle in radians; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:sinh",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_sinh"),
            ],
            outputs: "_sinh",
            summary: "Hyperbolic sine; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:spherical2cartesian",
            .transformation,
            [
                .init("azimuth", .field, required: true),
                .init("polar", .field, required: true),
                .init("radius", .expression, default: "1.0"),
                .init("as", .field, default: "_spherical2cartesian"),
            ],
            outputs: "<as>.x,.y,.z",
            summary: """
                Spherical to Cartesian coordinates: as.x, as.y, as.z; writes nothing when the value is not a number.
                """
        ),
        FunctionSignature(
            "math:sqrt",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_sqrt"),
            ],
            outputs: "_sqrt",
            summary: "Square root; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:tan",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_tan"),
            ],
            outputs: "_tan",
            summary: "Tangent of an angle in radians; writes nothing when the value is not a number."
        ),
        FunctionSignature(
            "math:tanh",
            .transformation,
            [
                .init("field", .field, unnamed: true, required: true),
                .init("as", .field, default: "_tanh"),
            ],
            outputs: "_tanh",
            summary: "Hyperbolic tangent; writes nothing when the value is not a number."
        ),
    ]
}
