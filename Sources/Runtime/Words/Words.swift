import CNexus
import Glibc
import Plan
import SupervisorCore
import System

extension Signal {
    /// `signal 9 (KILL)`, `signal 35 (RTMIN+1)`.
    var words: String {
        if rawValue >= 34 { return "signal \(rawValue) (\(SignalName.show(self).dropFirst(3)))" }
        guard let name = sigabbrev_np(rawValue) else { return "signal \(rawValue)" }
        return "signal \(rawValue) (\(String(cString: name)))"
    }
}

extension Signal {
    /// As in Supervisor.toml, `SIGHUP` or `SIGRTMIN+1`.
    var name: String { SignalName.show(self) }

    /// As Supervisor.toml has it (`HUP`, `SIGHUP`, `SIGRTMIN+1`), or a number; nil for what is none of signal(7).
    init?(named word: Substring) {
        guard let number = Int32(word) else {
            guard let named = SignalName.parseAny(String(word)) else { return nil }
            self = named
            return
        }
        guard (1...64).contains(number) else { return nil }
        self.init(rawValue: number)
    }
}

extension Exit {
    /// `exit 1`, `signal 9 (KILL)`, `signal 11 (SEGV), core dumped`, `exec: No such file or directory (ENOENT)`.
    var words: String {
        switch self {
        case .code(let code): "exit \(code)"
        case .signal(let signal, let coreDumped, let oom):
            signal.words + (coreDumped ? ", core dumped" : "") + (oom ? ", out of memory" : "")
        case .notExecuted(let stage, let errno): "\(stage): \(Errno(rawValue: errno))"
        case .unknown: "exit status unknown"
        }
    }

    /// As a shell reports it (POSIX, 2.8.2): the code, 128 and the signal, 127 for a program that is not there and 126
    /// for one that cannot be executed; 1 where nobody knows.
    var status: Int32 {
        switch self {
        case .code(let code): Int32(code)
        case .signal(let signal, _, _): 128 + signal.rawValue
        case .notExecuted(_, let errno): errno == ENOENT ? 127 : 126
        case .unknown: 1
        }
    }

    /// The exit code, when there was one.
    var code: UInt8? {
        if case .code(let code) = self { code } else { nil }
    }

    /// The signal number, when one ended it.
    var signal: Int32? {
        if case .signal(let signal, _, _) = self { signal.rawValue } else { nil }
    }
}

extension Duration {
    /// Whole milliseconds, rounded up so that a time still to come never shows as 0; never negative.
    var wholeMilliseconds: Int64 { max(0, (nanoseconds &+ 999_999) / 1_000_000) }

    /// For people, rounded to the nearest: `340 ms`, `4.2 s`, `15 min`, `3 h`.
    var words: String {
        let milliseconds = wholeMilliseconds
        return switch milliseconds {
        case ..<1000: "\(milliseconds) ms"
        case ..<9950: Self.tenths((milliseconds + 50) / 100) + " s"
        case ..<119_500: "\((milliseconds + 500) / 1000) s"
        case ..<7_170_000: "\((milliseconds + 30_000) / 60_000) min"
        case _: "\((milliseconds + 1_800_000) / 3_600_000) h"
        }
    }

    private static func tenths(_ count: Int64) -> String {
        count % 10 == 0 ? "\(count / 10)" : "\(count / 10).\(count % 10)"
    }
}

extension Strategy {
    /// As in Supervisor.toml.
    var words: String {
        switch self {
        case .oneForOne: "one-for-one"
        case .oneForAll: "one-for-all"
        case .restForOne: "rest-for-one"
        }
    }
}

/// `1 line`, `2 lines`.
func counted(_ count: Int, _ unit: String) -> String { "\(count) \(unit)\(count == 1 ? "" : "s")" }
