// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "TrainFromYourPackage",
    dependencies: [
        // In a package of your own: .package(url: "https://...", from: "0.1.0")
        .package(name: "EvenKeel", path: "../..")
    ],
    targets: [
        .executableTarget(
            name: "TrainFromYourPackage",
            dependencies: [.product(name: "EvenKeel", package: "EvenKeel")])
    ]
)
