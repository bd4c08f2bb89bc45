// swift-tools-version: 6.2
import PackageDescription

// NEXUS_PROGRAMS=1 leaves the programs and what they are made of, for scripts/build: nothing that only tests need, and
// nexusd, log-writer and nexusctl fully static.
let programs = Context.environment["NEXUS_PROGRAMS"] == "1"
// NEXUS_LEAN=1 leaves nexusd, log-writer and nexusctl with the pure targets and their tests. It has one dependency.
// NEXUS_PURE=1 leaves only the pure bottom and its tests: no dependency, and a look at the core takes seconds.
let pure = Context.environment["NEXUS_PURE"] == "1"
// NEXUS_SANITIZED="TESTS…" leaves what scripts/checks/sanitizers looks at: nexusd, log-writer, what they are made of, and
// those tests.
let sanitized = Context.environment["NEXUS_SANITIZED"]?.split(separator: " ").map(String.init)
let lean = pure || sanitized != nil || Context.environment["NEXUS_LEAN"] == "1"

// `System` of our sources is compiled as NexusSystem: swift-nio asks canImport(System), meaning Apple's, and would take ours.
// NEXUS_FUZZ=1 adds the program of scripts/fuzz, and libFuzzer's marks to all of our modules.
let fuzzing = Context.environment["NEXUS_FUZZ"] == "1"
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error), .swiftLanguageMode(.v6), .unsafeFlags(["-module-alias", "System=NexusSystem"]),
    .unsafeFlags(fuzzing ? ["-sanitize=fuzzer"] : []),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}
func executable(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}
// What must run whatever is wrong with the machine's libraries.
func staticExecutable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, swiftSettings: strict,
        linkerSettings: programs ? [.unsafeFlags(["-static-executable"])] : [])
}
func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport", "Chance"], resources: resources, swiftSettings: strict)
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

var dependencies: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
]

var targets: [Target] = [
    // The pure bottom: no I/O, no clock, no Foundation. Plan and Wire speak the core's words (ids, policies, durations).
    library("SupervisorCore"),
    library("Wire", ["SupervisorCore"]),
    library("Plan", ["SupervisorCore", "Wire"]),
    // The shell of nexusd and log-writer: Glibc and the C shims only.
    .target(name: "CNexus", cSettings: [.treatAllWarnings(as: .error)]),
    .target(
        name: "NexusSystem", dependencies: ["CNexus", "SupervisorCore"], path: "Sources/System", swiftSettings: strict),
    library("Runtime", ["NexusSystem", "CNexus", "SupervisorCore", "Plan", "Wire"]),
    library("LogStore", ["NexusSystem", "CNexus", "SupervisorCore", "Wire"]),
    staticExecutable("nexusd", ["Runtime"]),
    staticExecutable("log-writer", ["LogStore"]),
    library("ControlClient", ["SupervisorCore", "Wire"]),
    staticExecutable("nexusctl", ["ControlClient", "CNexus", "NexusSystem", "Wire", "LogStore", argumentParser]),
    // Not static: libcurl is the system's. Here because RuntimeTests run it.
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    executable("nexus-probe", ["CCurl", "Wire"]),
    // Tests that need nothing else. `fixture` is the bad child: one executable, one verb a misbehaviour.
    executable("fixture", ["CNexus"], path: "Tests/fixture"),
    .target(
        name: "TestSupport", dependencies: ["NexusSystem", "CNexus", "Wire", "Plan"], path: "Tests/TestSupport",
        swiftSettings: strict),
    // Seeds and random numbers of tests.
    .target(name: "Chance", path: "Tests/Chance", swiftSettings: strict),
    tests("SupervisorCoreTests", ["SupervisorCore", "Plan"]),
    tests("PlanTests", ["Plan"]),
    tests("WireTests", ["Wire"]),
    tests("SystemTests", ["NexusSystem", "CNexus"]),
    // The scenarios of RuntimeTests run the built programs beside the test bundle.
    tests("RuntimeTests", ["Runtime", "nexusd", "log-writer", "nexusctl", "nexus-probe", "fixture"]),
    tests("LogStoreTests", ["LogStore"]),
    // The real programs with real children; which ones is said by NEXUS_BIN.
    .testTarget(
        name: "Scenarios", dependencies: ["CNexus", "Chance"],
        exclude: ["systemd", "vm", "asker.py", "botapi.py", "flooder.py", "receiver.py", "Tunnel/visitor.py"],
        swiftSettings: strict),
    tests("ControlClientTests", ["ControlClient", "Wire"]),
]

if !lean {
    dependencies += [
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["FullFoundation"]),
        // Of Hummingbird's own dependencies: what the page's listener is made of.
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.2"),
    ]
    let toml: Target.Dependency = .product(name: "TOMLKit", package: "TOMLKit")
    let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
    let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
    let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
    let nio: [Target.Dependency] = [
        .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOExtras", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
    ]
    targets += [
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(
            name: "CMarkdown", pkgConfig: "libcmark-gfm",
            providers: [.apt(["libcmark-gfm-dev", "libcmark-gfm-extensions-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        library("QR", ["CQREncode"]),
        library("AgentModel"),
        // The folder is Configuration; the module cannot be: Hummingbird brings swift-configuration's of that name.
        .target(
            name: "NexusConfiguration", dependencies: ["Plan", "SupervisorCore", "Wire", toml],
            path: "Sources/Configuration", swiftSettings: strict),
        library("WorkerKit", ["Wire", "SupervisorCore"]),
        library("OpenCode", ["CCurl", "AgentModel", "Outgoing"]),
        library("Tunnel", ["Outgoing", "Wire", yams]),
        library("Chat", ["AgentModel", "Cryptography", "Wire", grdb]),
        library("Cryptography", ["COpenSSL"]),
        // Calls to the outside, and what is brought by them.
        library("Outgoing", ["CCurl"]),
        library("Outbox", ["Chat", "Outgoing", "Cryptography"]),
        library("Telegram", ["Outgoing"]),
        // The page's files are no part of the module: scripts/build lays them beside the program.
        .target(
            name: "ChatWeb",
            dependencies: [
                "Chat", "Cryptography", "CSodium", "COpenSSL", "QR", "CMarkdown", "CZlib", hummingbird,
            ] + nio,
            resources: [.copy("Page")], swiftSettings: strict),
        executable("nexus-config", ["NexusConfiguration", "CNexus", "Plan", "Wire", argumentParser]),
        executable("agent-worker", ["OpenCode", "AgentModel", "WorkerKit", "Wire"]),
        executable("tunnel-worker", ["Tunnel", "QR", "WorkerKit"]),
        executable("chat-bridge", ["Chat", "ChatWeb", "Outbox", "Outgoing", "AgentModel", "WorkerKit", "LogStore"]),
        executable("telegram-bridge", ["Telegram", "Outgoing", "WorkerKit"]),
        executable("echo-agent", ["CNexus", hummingbird, argumentParser]),
        tests("ConfigurationTests", ["NexusConfiguration"], resources: [.copy("Files")]),
        tests("WorkerKitTests", ["WorkerKit"]),
        tests(
            "OpenCodeTests", ["OpenCode", "Outgoing", "AgentModel", "Wire", "echo-agent", "agent-worker"],
            resources: [.copy("Schemas"), .copy("Frames")]),
        tests("TunnelTests", ["Tunnel", "Outgoing", yams]),
        // The built chat-bridge runs beside the test bundle.
        // A disk that fails, for SQLite.
        .target(
            name: "CFaultyDisk", path: "Tests/CFaultyDisk", cSettings: [.treatAllWarnings(as: .error)],
            linkerSettings: [.linkedLibrary("sqlite3")]),
        tests("ChatTests", ["Chat", "ChatWeb", "AgentModel", "Wire", "chat-bridge", "CFaultyDisk", grdb]),
        tests("ChatWebTests", ["ChatWeb", "Chat", "AgentModel", grdb]),
        tests("TelegramTests", ["Telegram", "Outgoing"]),
        tests("OutboxTests", ["Outbox", "Outgoing", "Chat", "AgentModel", "Cryptography", "COpenSSL"]),
    ]
}

if !lean {
    // Every reader of strangers' bytes: for scripts/fuzz, and for the tests of every run.
    targets += [
        .target(
            name: "FuzzTargets",
            dependencies: [
                "NexusConfiguration", "Runtime", "LogStore", "ControlClient", "Chat", "ChatWeb", "OpenCode",
                "AgentModel", "Tunnel",
            ], path: "Tests/Fuzz/Targets", swiftSettings: strict),
        tests("FuzzTests", ["FuzzTargets"]),
    ]
    if fuzzing {
        targets.append(
            .executableTarget(
                name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver", swiftSettings: strict))
    }
}

let bottom = ["SupervisorCore", "Wire", "Plan", "Chance"]
let heart = ["CNexus", "NexusSystem", "Runtime", "LogStore", "nexusd", "log-writer", "fixture", "TestSupport"]
if pure || sanitized != nil {
    let kept = bottom + (sanitized.map { heart + $0 } ?? ["SupervisorCoreTests", "PlanTests", "WireTests"])
    dependencies = []
    targets = targets.filter { kept.contains($0.name) }
}
if pure {
    for target in targets {
        target.dependencies.removeAll { if case .byNameItem("TestSupport", _) = $0 { true } else { false } }
    }
}

if programs {
    // Of tests and their helpers nothing is compiled.
    let helpers = ["fixture", "TestSupport", "Chance", "CFaultyDisk", "FuzzTargets"]
    targets = targets.filter { !$0.isTest && !helpers.contains($0.name) }
}

let package = Package(
    name: "Nexus",
    platforms: [.macOS(.v15)],
    dependencies: dependencies,
    targets: targets
)
