import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

/// A whole nexusd in this process, turned by hand: what a script of the sweep looks at and asks.
final class FaultTree {
    let directory: String
    let kernel: FaultyKernel
    let engine: Engine
    let before: KilledLife?
    private var client: Held?
    private var next = Instant(nanoseconds: 0)
    private var decoder = FrameDecoder()
    private(set) var replies: [String] = []
    private var count: UInt64 = 0

    /// A descriptor that can be let go of.
    private final class Held {
        let fd: OwnedFD

        init(_ fd: consuming OwnedFD) { self.fd = fd }
    }

    /// As `Nexusd.supervise` does it, with a nexus-config that gives what lies in `plan` (see `FaultRun`).
    init(
        _ directory: String, _ kernel: FaultyKernel, _ before: KilledLife? = nil,
        variable: @escaping (String) -> String? = { _ in nil }
    ) throws {
        self.directory = directory
        self.kernel = kernel
        self.before = before
        let options = try Options.parse(Self.arguments(directory))
        let surroundings = try Surroundings.prepare(options, kernel, variable: variable)
        do throws(StartError) {
            guard let made = try Nexusd.makeEngine(options, surroundings) else { throw .failed("stopped") }
            engine = made
        } catch {
            surroundings.leave()
            surroundings.withdraw()
            throw error
        }
    }

    /// One that goes on where another program was.
    init(_ directory: String, _ kernel: FaultyKernel, goingOn engine: Engine) {
        self.directory = directory
        self.kernel = kernel
        self.engine = engine
        before = nil
    }

    static func arguments(_ directory: String) -> [String] {
        ["--config", directory + "/Supervisor.toml", "--state", directory + "/state", "--runtime", directory + "/run"]
    }

    func view(_ child: String) -> ChildView? { engine.names.child(named: child).map { engine.core.view(of: $0) } }

    func isReady(_ children: String...) -> Bool { children.allSatisfy { view($0)?.phase == .ready } }

    func process(_ child: String) -> ProcessID? { engine.names.child(named: child).flatMap { engine[$0].process } }

    /// Asks over the control socket, as nexusctl does; a connection that was refused is made again. Once it is answered
    /// without an error, true.
    func ask(_ words: String) -> Bool {
        let real = LiveKernel()
        if client == nil {
            // Who is refused does not come again at once: the loop's own turns are what is counted.
            guard real.monotonic() > next else { return false }
            guard let socket = try? real.makeSocket(.unix, .stream),
                (try? real.connect(socket, to: .path(directory + "/run/control.sock"))) != nil
            else { return false }
            client = Held(socket)
            decoder = FrameDecoder()
            count += 1
            let frames =
                Frame(.hello, peer: .nexusd, id: .none, payload: Array("1 1 test".utf8)).bytes
                + Frame(.request, peer: .nexusd, id: FrameID(rawValue: count), payload: Array(words.utf8)).bytes
            guard let client, (try? real.writeAll(client.fd, frames)) != nil else { return hangUp() }
        }
        return takeAnswer(real)
    }

    private func takeAnswer(_ real: LiveKernel) -> Bool {
        guard let client else { return false }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        do {
            let got = try buffer.withUnsafeMutableBytes { try real.read(client.fd, into: $0) }
            guard got > 0 else { return hangUp() }
            return try buffer.withUnsafeBytes { all in
                var rest = UnsafeRawBufferPointer(rebasing: all[..<got])
                while let frame = try decoder.next(from: &rest) {
                    switch frame.header.kind {
                    case .reply, .end:
                        replies.append(String(decoding: frame.payload, as: UTF8.self))
                        _ = hangUp()
                        return true
                    case .error: return hangUp()
                    case _: continue
                    }
                }
                return false
            }
        } catch let error as Errno where error == .again {
            return false
        } catch {
            return hangUp()
        }
    }

    /// The next `ask` connects anew.
    func hangUp() -> Bool {
        client = nil
        next = LiveKernel().monotonic() + .milliseconds(10)
        return false
    }

    /// What a child has left in a file of its own.
    func file(_ name: String) -> String {
        let path = directory + "/" + name
        do throws(Errno) {
            return String(decoding: try LiveKernel().readFile(path, limit: 1 << 22), as: UTF8.self)
        } catch {
            if error != .noEntry { Issue.record("\(path) cannot be read: \(error)") }
            return ""
        }
    }
}
