// swift-tools-version:6.2
import PackageDescription

/// Whole-process benchmarks; a package of its own, so that its needs stay out of the product.
let package = Package(
    name: "leat-benchmarks",
    targets: [
        .executableTarget(
            name: "leat-bench",
            path: "Sources/LeatBench",
            swiftSettings: [.treatAllWarnings(as: .error)],
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]
        )
    ],
    swiftLanguageModes: [.v6]
)
