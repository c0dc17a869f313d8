// swift-tools-version: 6.2
import PackageDescription

/// What every target is held to: Swift 6 rules, no warning left standing, imports said out loud.
let rules: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let ordered = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let nio: [Target.Dependency] = [
    .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

var package = Package(
    name: "jobboard",
    products: [
        .executable(name: "jobboard", targets: ["JobboardCLI"]),
        .library(name: "JobboardClient", targets: ["JobboardClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The pure targets: no Foundation, Dispatch, NIO or Logging.
        .target(name: "Jobboard", dependencies: [deque, heap], swiftSettings: rules),
        .target(name: "Consensus", dependencies: [deque], swiftSettings: rules),
        .target(name: "WireFormat", dependencies: ["Consensus", "Jobboard"], swiftSettings: rules),
        .target(
            name: "NodeEngine", dependencies: ["Consensus", "Jobboard", "WireFormat", deque, ordered], swiftSettings: rules),

        // The log on disk.
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .target(name: "EventLog", dependencies: ["CLZ4", "Consensus", crypto], swiftSettings: rules),

        // What runs it for real, and what people use.
        .target(
            name: "NodeServer",
            dependencies: [
                "Consensus", "EventLog", "Jobboard", "NodeEngine", "WireFormat", crypto, logging, lifecycle, deque,
            ] + nio, swiftSettings: rules),
        .target(
            name: "JobboardClient", dependencies: ["Jobboard", "WireFormat", logging, lifecycle, deque] + nio,
            swiftSettings: rules),
        .target(
            name: "Simulation", dependencies: ["Consensus", "EventLog", "Jobboard", "NodeEngine", "WireFormat", heap],
            swiftSettings: rules),
        .executableTarget(
            name: "JobboardCLI",
            dependencies: [
                "Consensus", "EventLog", "Jobboard", "JobboardClient", "NodeEngine", "NodeServer", "Simulation", "WireFormat",
                logging, lifecycle, .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + nio, swiftSettings: rules),

        // The README's program, so that it can't rot; outside the repository it is a package of its own.
        .executableTarget(
            name: "HelloJobboard", dependencies: ["JobboardClient"], path: "Examples/HelloJobboard/Sources/HelloJobboard",
            swiftSettings: rules),

        .testTarget(name: "JobboardTests", dependencies: ["Jobboard"], swiftSettings: rules),
        .testTarget(
            name: "ConsensusTests", dependencies: ["Consensus"], exclude: ["Scenarios"], swiftSettings: rules),
        .testTarget(name: "WireFormatTests", dependencies: ["Consensus", "Jobboard", "WireFormat"], swiftSettings: rules),
        .testTarget(name: "EventLogTests", dependencies: ["Consensus", "EventLog"], swiftSettings: rules),
        .testTarget(
            name: "SimulationTests", dependencies: ["Consensus", "Jobboard", "Simulation", "WireFormat"], swiftSettings: rules),
        .testTarget(
            name: "JobboardClientTests",
            dependencies: ["Jobboard", "JobboardClient", "WireFormat", logging, lifecycle] + nio, swiftSettings: rules),
        .testTarget(
            name: "NodeServerTests", dependencies: ["Consensus", "NodeServer", "WireFormat"], swiftSettings: rules),
        .testTarget(
            name: "JobboardCLITests",
            dependencies: [
                "Consensus", "EventLog", "Jobboard", "JobboardCLI",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: rules),
        .testTarget(
            name: "ClusterTests", dependencies: ["JobboardCLI", "JobboardClient", "WireFormat"] + nio, swiftSettings: rules),
    ]
)

// Microbenchmarks: root-package targets, since a nested package can't see `package` symbols; and behind a variable,
// since nobody else should have to fetch and build their library.
if Context.environment["JOBBOARD_BENCHMARKS"] != nil {
    package.dependencies.append(.package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []))
    package.targets.append(
        .executableTarget(
            name: "CoreBenchmarks",
            dependencies: [
                "Consensus", "EventLog", "Jobboard", "WireFormat", .product(name: "Benchmark", package: "benchmark"),
            ], path: "Benchmarks/CoreBenchmarks", swiftSettings: rules,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]))
}
