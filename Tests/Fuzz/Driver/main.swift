import Foundation

@testable import FuzzTargets

// Feeds one reader of strangers' bytes with what libFuzzer makes up; `scripts/fuzz` builds and runs it. A trap, a broken
// property, a hang and too much memory are findings; a refusal is what is wanted.
//
//     NEXUS_FUZZ=frames fuzz -runs=100000 CORPUS
//     NEXUS_FUZZ=frames NEXUS_FUZZ_SEEDS=DIRECTORY fuzz      writes what to begin with: good inputs, those kept, words
//     NEXUS_FUZZ=frames NEXUS_FUZZ_KEEP=DIRECTORY fuzz       makes the inputs there those that are kept
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
func write(_ bytes: [UInt8], _ path: String) {
    guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else {
        print("\(path) cannot be written")
        exit(1)
    }
}
if let directory = environment["NEXUS_FUZZ_SEEDS"] {
    let (seeds, kept) = (target.seeds(), Corpus.kept(target.name))
    for (index, seed) in (seeds + kept).enumerated() { write(seed, "\(directory)/seed-\(index)") }
    write(Array(WordList.text(seeds).utf8), "\(directory).words")
    exit(0)
}
if let directory = environment["NEXUS_FUZZ_KEEP"] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    let inputs = names.compactMap { FileManager.default.contents(atPath: "\(directory)/\($0)").map { Array($0) } }
    write(Corpus.text(inputs), Corpus.path(target.name))
    print("\(target.name): \(inputs.count) inputs kept, \(Corpus.text(inputs).count) bytes")
    exit(0)
}
var count = CommandLine.argc
var words = CommandLine.unsafeArgv
exit(
    runDriver(&count, &words) { start, count in
        Target.chosen?.feed(Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    })
