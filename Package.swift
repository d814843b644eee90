// swift-tools-version:6.2
import PackageDescription

/// The settings of every Swift target; a warning is an error.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// C kernels are optimised in debug builds too, or a debug test run would take minutes.
let kernelSettings: [CSetting] = [.unsafeFlags(["-O3"])]

/// The linker of Swift's own toolchain: GNU ld warns of `mktemp` in every program that links Foundation statically.
let linker: [LinkerSetting] = [.unsafeFlags(["-use-ld=lld"])]

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let hummingbird: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")

/// System libraries, as Debian packages them; `make deps` installs them.
let systemLibraries: [Target] = [
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
    .systemLibrary(name: "CLz4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CXxhash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CPcre2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
]

/// Floor 1: the shared vocabulary, without networking and Foundation.
let floor1: [Target] = [
    .target(name: "CLeatKernels", cSettings: kernelSettings),
    .target(name: "CLeatPlatform"),
    .target(
        name: "LeatCore",
        dependencies: [
            "CLeatKernels", "CLeatPlatform", "CZlib", "CDeflate", "CLz4", "CZstd", "CXxhash", "CPcre2", "CYaml",
        ],
        swiftSettings: settings
    ),
]

/// Floor 2: one capability each; siblings never meet.
let floor2: [Target] = [
    .target(name: "LeatParsing", dependencies: ["LeatCore"], swiftSettings: settings),
    .target(name: "LeatStorage", dependencies: ["LeatCore", grdb], swiftSettings: settings),
    .target(name: "LeatQuery", dependencies: ["LeatCore"], swiftSettings: settings),
]

/// Floor 3: one library per program; siblings never meet.
let floor3: [Target] = [
    .target(
        name: "LeatAgent",
        dependencies: ["LeatCore", "LeatParsing", "CLeatPlatform", "COpenSSL"],
        swiftSettings: settings
    ),
    .target(
        name: "LeatServer",
        dependencies: [
            "LeatCore", "LeatParsing", "LeatStorage", "LeatQuery", hummingbird, httpTypes, nioHTTPTypes, lifecycle,
            signals,
            logging, nio, nioPosix, nioHTTP, nioSSL, "COpenSSL",
        ],
        swiftSettings: settings
    ),
    .target(
        name: "LeatShell",
        dependencies: ["LeatCore", "LeatParsing", "LeatQuery", nio, nioPosix, nioHTTP, nioSSL],
        swiftSettings: settings
    ),
]

/// Floor 4: the programs; arguments in, exit code out.
let floor4: [Target] = [
    .executableTarget(
        name: "leat-agent",
        dependencies: ["LeatAgent", "LeatCore"],
        swiftSettings: settings,
        linkerSettings: linker
    ),
    .executableTarget(
        name: "leat-server",
        dependencies: ["LeatServer", "LeatCore", arguments],
        swiftSettings: settings,
        linkerSettings: linker
    ),
    .executableTarget(
        name: "leat",
        dependencies: ["LeatShell", "LeatCore", arguments],
        swiftSettings: settings,
        linkerSettings: linker
    ),
]

/// Test only: temporary folders, seeded random, simulated disk, clock and network, process runner.
let testing: [Target] = [
    .target(
        name: "LeatTesting",
        dependencies: ["LeatCore", "CLeatPlatform"],
        path: "Sources/LeatTesting",
        swiftSettings: settings
    )
]

/// A test target for the module of the same name; `data` are folders that hold no code.
func tests(_ module: String, _ others: Target.Dependency..., data: [String] = []) -> Target {
    .testTarget(
        name: "\(module)Tests",
        dependencies: [.byName(name: module), "LeatTesting"] + (module == "LeatCore" ? [] : ["LeatCore"]) + others,
        exclude: data,
        swiftSettings: settings
    )
}

let testTargets: [Target] = [
    tests("LeatCore", "CLeatKernels"),
    tests("LeatParsing"),
    tests("LeatStorage", data: ["Fixtures"]),
    tests("LeatQuery", data: ["Fixtures", "Scripts"]),
    tests("LeatAgent", "LeatParsing"),
    tests("LeatServer", "LeatParsing", "LeatStorage", nio, data: ["Fixtures"]),
    tests("LeatShell", "LeatQuery", data: ["Fixtures"]),
    .testTarget(
        name: "LayeringTests",
        dependencies: ["LeatTesting"],
        swiftSettings: settings,
        linkerSettings: linker
    ),
    .testTarget(
        name: "EndToEndTests",
        dependencies: ["LeatCore", "LeatTesting"],
        exclude: ["Fixtures"],
        swiftSettings: settings
    ),
]

let package = Package(
    name: "leat",
    products: [
        .executable(name: "leat-agent", targets: ["leat-agent"]),
        .executable(name: "leat-server", targets: ["leat-server"]),
        .executable(name: "leat", targets: ["leat"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: systemLibraries + floor1 + floor2 + floor3 + floor4 + testing + testTargets,
    swiftLanguageModes: [.v6]
)
