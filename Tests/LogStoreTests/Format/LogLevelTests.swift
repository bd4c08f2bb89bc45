import Chance
import Testing

@testable import LogStore

@Suite("Levels") struct LogLevelTests {
    @Test(arguments: [
        ("<0>fire", LogLevel.emergency), ("<7>detail", .debug), ("<8>no level", .info), ("<3", .info), ("<a>x", .info),
        ("ERROR: it broke", .error), ("2026-11-23 04:05:06 WARN pool is full", .warning),
        ("[warn] nginx says", .warning),
        ("time=1 level=error msg=x", .error), ("error: no such file", .error), ("Error: thrown by node", .error),
        ("panic: runtime error", .critical), ("2026-11-23T04:05:06Z INF Starting tunnel", .info),
        ("2026-11-23T04:05:06Z ERR Retrying", .error), ("x DBG y", .debug), ("NOTICE", .notice), ("FATAL", .critical),
        ("this is no error at all", .info), ("ERRORS are not an error", .info), ("errors: none", .info),
        ("TERROR", .info), ("", .info), ("W", .info), ("=", .info), ("[", .info), ("é WARN", .warning),
        (String(repeating: "x", count: 70) + " ERROR", .info), (String(repeating: "x", count: 61) + " ERROR", .info),
        (String(repeating: "x", count: 57) + " ERROR", .error),
    ])
    func plainLine_hasTheLevelOfItsFirstWords(line: String, level: LogLevel) {
        #expect(detect(line).level == level, "\(line)")
    }

    @Test(arguments: [
        (#"{"level":"warn","msg":"ERROR"}"#, LogLevel.warning), (#"{"level":50,"msg":"x"}"#, .error),
        (#"{"time":1,"severity": "CRITICAL"}"#, .critical), (#"{"lvl":"trace"}"#, .debug), (#"{"level":30}"#, .info),
        (#"{"level":3}"#, .error), (#"{"level":null}"#, .info), (#"{"level":"#, .info), (#"{"level":"x"}"#, .info),
        (#"{"msg":"ERROR"}"#, .info), (#"{"level":99999999999999999999}"#, .info), ("{", .info),
    ])
    func jsonLine_hasTheLevelOfItsField(line: String, level: LogLevel) {
        #expect(detect(line).level == level, "\(line)")
    }

    @Test func numberPrefix_isNoPartOfTheText() {
        #expect(detect("<4>disk").prefix == 3 && detect("disk").prefix == 0 && detect("<9>disk").prefix == 0)
    }

    @Test func randomBytes_alwaysHaveALevel() {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let alphabet = Array("{\"level\":severity <[=]>ERRORWARNinfo 0159\u{7f}ä".utf8) + [0x80, 0xFF]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...90, using: &random)
            let line = (0..<count).map { _ in alphabet.randomElement(using: &random)! }
            let detected = line.withUnsafeBytes { LogLevel.detect($0, standard: .info) }
            #expect(detected.prefix <= line.count)
        }
    }

    private func detect(_ line: String) -> DetectedLevel {
        Array(line.utf8).withUnsafeBytes { LogLevel.detect($0, standard: .info) }
    }
}
