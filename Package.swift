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

let collections = Package.Dependency.package(url: "https://github.com/apple/swift-collections", from: "1.6.0")
let cryptography = Package.Dependency.package(url: "https://github.com/apple/swift-crypto", from: "4.5.2")

var package = Package(
    name: "jobboard",
    products: [
        .executable(name: "jobboard", targets: ["JobboardCLI"]),
        .library(name: "JobboardClient", targets: ["JobboardClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        collections,
        cryptography,
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // The pure targets: no Foundation, Dispatch, NIO or Logging.
        .target(name: "Jobboard", dependencies: [deque], swiftSettings: rules),
        .target(name: "Consensus", dependencies: [deque], swiftSettings: rules),
        .target(name: "WireFormat", dependencies: ["Consensus", "Jobboard"], swiftSettings: rules),
        .target(
            name: "NodeEngine", dependencies: ["Consensus", "Jobboard", "WireFormat", deque, heap, ordered],
            swiftSettings: rules),

        // The log on disk.
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .target(name: "EventLog", dependencies: ["CLZ4", "Consensus", crypto], swiftSettings: rules),

        // A node's recovery and snapshots, for the real and for the simulated disk.
        .target(
            name: "NodeStorage", dependencies: ["Consensus", "EventLog", "Jobboard", "NodeEngine", "WireFormat"],
            swiftSettings: rules),

        // Starting processes: the steps between fork and exec.
        .target(name: "CProcess"),

        // What both ends of a connection share.
        .target(name: "Transport", dependencies: ["WireFormat"] + nio, swiftSettings: rules),

        // What runs it for real, and what people use.
        .target(
            name: "NodeServer",
            dependencies: [
                "Consensus", "EventLog", "Jobboard", "NodeEngine", "NodeStorage", "Transport", "WireFormat", crypto, logging,
                lifecycle, deque,
            ] + nio, swiftSettings: rules),
        .target(
            name: "JobboardClient", dependencies: ["Jobboard", "Transport", "WireFormat", logging, lifecycle, deque] + nio,
            swiftSettings: rules),
        .target(
            name: "Simulation",
            dependencies: ["Consensus", "EventLog", "Jobboard", "NodeEngine", "NodeStorage", "WireFormat", heap],
            swiftSettings: rules),
        .executableTarget(
            name: "JobboardCLI",
            dependencies: [
                "CProcess", "Consensus", "EventLog", "Jobboard", "JobboardClient", "NodeEngine", "NodeServer", "NodeStorage",
                "Simulation", "WireFormat", logging, lifecycle,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ] + nio, swiftSettings: rules),

        // The README's program, so that it can't rot; outside the repository it is a package of its own.
        .executableTarget(
            name: "HelloJobboard", dependencies: ["JobboardClient"], path: "Examples/HelloJobboard/Sources/HelloJobboard",
            swiftSettings: rules),

        // Every decoder as a fuzz target; tests replay what is in Fuzz/Corpus.
        .target(
            name: "FuzzTargets",
            dependencies: ["Consensus", "EventLog", "Jobboard", "NodeEngine", "NodeServer", "Simulation", "WireFormat", crypto],
            path: "Fuzz/Targets", swiftSettings: rules),

        .testTarget(
            name: "JobboardTests", dependencies: ["Consensus", "Jobboard", "NodeEngine"], swiftSettings: rules),
        .testTarget(
            name: "NodeEngineTests",
            dependencies: ["Consensus", "EventLog", "Jobboard", "NodeEngine", "NodeStorage", "WireFormat"], swiftSettings: rules),
        .testTarget(
            name: "ConsensusTests", dependencies: ["Consensus"], exclude: ["Scenarios"], swiftSettings: rules),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"], swiftSettings: rules),
        .testTarget(
            name: "WireFormatTests", dependencies: ["Consensus", "FuzzTargets", "Jobboard", "WireFormat"],
            swiftSettings: rules),
        .testTarget(name: "EventLogTests", dependencies: ["Consensus", "EventLog"], swiftSettings: rules),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["Consensus", "EventLog", "Jobboard", "NodeEngine", "NodeStorage", "Simulation", "WireFormat"],
            swiftSettings: rules),
        .testTarget(
            name: "JobboardClientTests",
            dependencies: ["Jobboard", "JobboardClient", "Transport", "WireFormat", logging, lifecycle] + nio,
            swiftSettings: rules),
        .testTarget(
            name: "NodeServerTests",
            dependencies: [
                "Consensus", "EventLog", "Jobboard", "NodeEngine", "NodeServer", "Transport", "WireFormat", logging,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ] + nio, swiftSettings: rules),
        .testTarget(
            name: "JobboardCLITests",
            dependencies: [
                "Consensus", "EventLog", "Jobboard", "JobboardCLI", "NodeEngine", "NodeStorage", "Simulation", "WireFormat",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: rules),
        .testTarget(
            name: "ClusterTests", dependencies: ["JobboardCLI", "JobboardClient", "WireFormat"] + nio, swiftSettings: rules),
    ]
)

// Microbenchmarks: root-package targets, since a nested package can't see `package` symbols; and behind variables, since
// nobody else should have to build them. Times need a library, which nobody else should have to fetch; instruction counts
// (Scripts/check-benchmarks) don't.
let (timesPieces, countsPieces) = (
    Context.environment["JOBBOARD_BENCHMARKS"] != nil, Context.environment["JOBBOARD_COUNTS"] != nil
)
if timesPieces || countsPieces {
    package.targets.append(
        .target(
            name: "Workloads", dependencies: ["Consensus", "EventLog", "Jobboard", "NodeEngine", "NodeStorage", "WireFormat"],
            path: "Benchmarks/Workloads", swiftSettings: rules))
}
if timesPieces {
    package.dependencies.append(.package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []))
    package.targets.append(
        .executableTarget(
            name: "CoreBenchmarks", dependencies: ["Workloads", .product(name: "Benchmark", package: "benchmark")],
            path: "Benchmarks/CoreBenchmarks", swiftSettings: rules,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]))
} else if countsPieces {
    // Never beside the other: the library's plugin runs every executable in this folder.
    package.targets.append(
        .executableTarget(
            name: "InstructionCounts", dependencies: ["Workloads"], path: "Benchmarks/InstructionCounts", swiftSettings: rules))
}

// How long a snapshot holds up a turn: no throughput but a longest time, for which that library has no use.
if Context.environment["JOBBOARD_STALLS"] != nil {
    package.targets.append(
        .executableTarget(
            name: "SnapshotStalls", dependencies: ["Consensus", "Jobboard", "NodeEngine"], path: "Benchmarks/SnapshotStalls",
            swiftSettings: rules))
}

// The fuzzer, for `Scripts/fuzz`: our modules with libFuzzer's instrumentation and the address sanitizer's, libraries as
// they are. It has a scratch path of its own, since these flags change every module of ours.
if Context.environment["JOBBOARD_FUZZ"] != nil {
    let instrumented = [
        "Jobboard", "Consensus", "WireFormat", "NodeEngine", "EventLog", "NodeStorage", "NodeServer", "Simulation",
        "FuzzTargets", "Transport",
    ]
    let sanitizers = "-sanitize=fuzzer,address"
    for target in package.targets where instrumented.contains(target.name) {
        target.swiftSettings = rules + [.unsafeFlags([sanitizers])]
    }
    package.targets += [
        .systemLibrary(name: "CLibFuzzer", path: "Fuzz/CLibFuzzer"),
        .executableTarget(
            name: "jobboard-fuzz", dependencies: ["CLibFuzzer", "FuzzTargets"], path: "Fuzz/Runner",
            swiftSettings: rules + [.unsafeFlags([sanitizers])],
            linkerSettings: [.unsafeFlags([sanitizers, "-use-ld=lld"])]),
    ]
}

// The pure targets, the log, the simulator and their tests alone, which build in a fraction of the time: for working on
// rules, consensus, engine and formats.
if Context.environment["JOBBOARD_CORE"] != nil {
    let core = [
        "CLZ4", "Consensus", "EventLog", "Jobboard", "NodeEngine", "NodeStorage", "Simulation", "WireFormat", "ConsensusTests",
        "EventLogTests", "JobboardTests", "NodeEngineTests", "SimulationTests",
    ]
    package.products = []
    package.dependencies = [collections, cryptography]
    package.targets.removeAll { !core.contains($0.name) }
}

// The hunt for mutants (Scripts/mutants): the simulator and what it stands on, so that a mutant is built in seconds.
if Context.environment["JOBBOARD_MUTANTS"] != nil {
    let simulator = ["CLZ4", "Consensus", "EventLog", "Jobboard", "NodeEngine", "NodeStorage", "Simulation", "WireFormat"]
    package.products = []
    package.dependencies = [collections, cryptography]
    package.targets.removeAll { !simulator.contains($0.name) }
    // All of them by name: where a mutant changes a type's layout alone, SwiftPM looks no further than the direct ones.
    package.targets.append(
        .executableTarget(
            name: "MutantHunt", dependencies: simulator.map { .target(name: $0) }, path: "Mutants/MutantHunt",
            swiftSettings: rules))
}
