// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "HelloJobboard",
    dependencies: [
        // The folder of the checkout may have any name; the package is called jobboard.
        .package(name: "jobboard", path: "../..")
    ],
    targets: [
        .executableTarget(
            name: "HelloJobboard",
            dependencies: [.product(name: "JobboardClient", package: "jobboard")])
    ]
)
