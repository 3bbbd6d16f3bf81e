// swift-tools-version: 6.1
import PackageDescription

// One settings list for every Swift target: Swift 6 language mode, and imports that say what they need.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A library room of the package; its tests live in `Tests/<name>Tests`.
func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [])
    -> Target
{
    .testTarget(
        name: name + "Tests",
        dependencies: [.target(name: name)] + dependencies,
        resources: resources,
        swiftSettings: settings
    )
}

let real = Target.Dependency.product(name: "RealModule", package: "swift-numerics")
let ordered = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "EvenKeel",
    products: [
        .library(name: "EvenKeel", targets: ["EvenKeel"]),
        .library(name: "EvenKeelTensorBoard", targets: ["TensorBoard"]),
        .executable(name: "evenkeel", targets: ["evenkeel-cli"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-numerics", from: "1.0.0"),
        // Without its support of configuration files, which would be one more package to build.
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.20.0", traits: []),
        // Hummingbird's own foundations, as far as the dashboard names them.
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.0.0"),
        // Without its traits, whose additions nothing here uses. Two of them would also come in any order on
        // the compiler's command line, and so it would be built again now and then.
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
    ],
    targets: [
        // C: the interfaces of oneDNN, zlib, libpng and TurboJPEG, and the SIMD loops.
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CPNG", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CJPEG", providers: [.apt(["libturbojpeg0-dev"])]),
        .target(name: "CKernels"),

        // The rooms, from the ground up. Each depends only on rooms above it in this list.
        room("Arrays", [real]),
        room("Normalization", ["Arrays", "CKernels", real]),
        room("Graph", ["Arrays", "Normalization", ordered, real]),
        room("Runtime", ["Arrays", "CKernels", "COneDNN", "Graph", "Normalization"]),
        room("Interchange", ["Arrays", "CZlib"]),
        room("Layers", ["Arrays", "Graph", "Normalization", "Runtime"]),
        room("Models", ["Arrays", "Graph", "Layers", "Normalization"]),
        room("Datasets", ["Arrays", "CJPEG", "CPNG", "Interchange"]),
        room(
            "Training",
            [
                "Arrays", "Datasets", "Graph", "Interchange", "Layers", "Models", "Runtime",
                logging,
                yams,
            ]),
        room(
            "Lab",
            [
                "Arrays", "Datasets", "Graph", "Interchange", "Layers", "Models", "Normalization",
                "Runtime", "Training",
                ordered,
            ]),
        room(
            "EvenKeel",
            [
                "Arrays", "Datasets", "Graph", "Interchange", "Lab", "Layers", "Models",
                "Normalization", "Runtime", "Training",
            ]),
        // The library does without it, so that nobody builds a server who wants a network.
        .target(
            name: "Dashboard",
            dependencies: [
                "Interchange", "Lab", "Training", hummingbird, logging,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            resources: [.embedInCode("Page")],
            swiftSettings: settings
        ),
        // Apart from the umbrella, so that only who asks for it builds SwiftProtobuf.
        .target(
            name: "TensorBoard",
            dependencies: [
                "Arrays", "Datasets", "Graph", "Interchange", "Layers", "Training", protobuf,
            ],
            exclude: ["Messages/events.proto"], swiftSettings: settings),
        .executableTarget(
            name: "evenkeel-cli",
            dependencies: [
                "Dashboard", "EvenKeel", "TensorBoard", arguments, logging, yams,
            ],
            swiftSettings: settings
        ),

        // Temporary folders, random arrays and damaged bytes, for the tests of files.
        .target(
            name: "FileTestSupport", dependencies: ["Arrays", "Interchange"],
            path: "Tests/FileTestSupport", swiftSettings: settings),
        tests("Arrays"),
        .testTarget(
            name: "CKernelsTests", dependencies: ["CKernels", "Arrays"], swiftSettings: settings),
        tests("Normalization", ["Arrays"]),
        // Sample inputs of every operation, for the tests of more than one room.
        .target(
            name: "TestSupport", dependencies: ["Arrays", "Graph", "Layers"],
            path: "Tests/TestSupport",
            swiftSettings: settings),
        tests("Graph", ["Arrays", "Runtime", "TestSupport", real]),
        tests("Runtime", ["Arrays", "Graph", "TestSupport"]),
        tests("Interchange", ["Arrays", "FileTestSupport"]),
        tests("Layers", ["Arrays", "Graph", "Normalization", "Runtime", "TestSupport"]),
        tests(
            "Models",
            ["Arrays", "Graph", "Layers", "Normalization", "Runtime", "TestSupport", "Training"]),
        tests(
            "Datasets",
            [
                "Arrays", "CJPEG", "CPNG", "Interchange", "FileTestSupport", "Graph", "Layers",
                "Runtime", "Training",
            ]),
        tests(
            "Training",
            [
                "Arrays", "Datasets", "FileTestSupport", "Graph", "Interchange", "Layers",
                "Runtime",
                "TestSupport",
            ]),
        tests(
            "Lab", ["Arrays", "Datasets", "Graph", "Interchange", "Layers", "Runtime", "Training"]),
        tests("Dashboard", ["Arrays", "Interchange", "Training"]),
        tests(
            "TensorBoard",
            [
                "Arrays", "Datasets", "FileTestSupport", "Graph", "Interchange", "Layers",
                "Runtime", "Training", protobuf,
            ]),
        tests("EvenKeel", ["evenkeel-cli"]),
    ],
    cLanguageStandard: .c17
)
