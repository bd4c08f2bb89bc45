import Foundation

@testable import FuzzTargets

// Feeds one reader of strangers' bytes with what libFuzzer makes up; `scripts/fuzz` builds and runs it. A trap, a broken
// property, a hang and too much memory are findings; a refusal is what is wanted.
//
//     NEXUS_FUZZ=frames fuzz -runs=100000 CORPUS
//     NEXUS_FUZZ=frames NEXUS_FUZZ_SEEDS=DIRECTORY fuzz      writes good inputs to begin with, and ends
//     NEXUS_FUZZ=frames fuzz -help=1                          libFuzzer's own words

/// libFuzzer as a library (llvm.org/docs/LibFuzzer.html): SwiftPM gives the program a main of its own.
@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ each: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

let environment = ProcessInfo.processInfo.environment
guard let target = Target.chosen else {
    print("NEXUS_FUZZ has to be one of \(Target.all.map(\.name).joined(separator: " "))")
    exit(environment["NEXUS_FUZZ"] == nil ? 0 : 2)
}
if let directory = environment["NEXUS_FUZZ_SEEDS"] {
    for (index, seed) in target.seeds().enumerated() {
        guard FileManager.default.createFile(atPath: "\(directory)/seed-\(index)", contents: Data(seed)) else {
            print("\(directory) cannot be written to")
            exit(1)
        }
    }
    exit(0)
}
var count = CommandLine.argc
var words = CommandLine.unsafeArgv
exit(
    runDriver(&count, &words) { start, count in
        Target.chosen?.feed(Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    })
