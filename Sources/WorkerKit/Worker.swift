import Foundation
import Glibc
import Wire

/// The life of a worker in Swift.
///
///     @main struct Main {
///         static func main() async {
///             await Worker.run(name: "agent-worker") { bus in
///                 bus.serve { request, responder in … }
///                 bus.ready()
///                 try await work(bus)
///             }
///         }
///     }
public enum Worker {
    /// Thrown by a worker's body for what only its owner can mend: ends the process with 78 (EX_CONFIG, sysexits.h),
    /// on which nexusd parks the child instead of trying again.
    public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
        /// What is wrong and what to do.
        public let description: String

        /// The words.
        public init(_ description: String) { self.description = description }
    }

    /// How long the body may take to end after it was cancelled.
    public static let endLimit: Duration = .seconds(5)

    /// Joins the bus on fds 3 and 4, runs `body`, ends the process.
    ///
    /// When nexusd says drain, closes the bus, or SIGTERM comes, the body's task is cancelled and has 5 s to end; exit
    /// status 0. When the body returns by itself: a body that only sets things up (`serve`, `ready`) may return, the
    /// worker then goes on serving. When it throws: 78 for `ConfigurationError`, else 1, after a line on stderr.
    public static func run(name: String, _ body: @escaping @Sendable (Bus) async throws -> Void) async -> Never {
        let bus: Bus
        do {
            bus = try await Bus.connect(name: name)
        } catch {
            Log.error("\(name) cannot join the bus: \(error)")
            exit(78)
        }
        let status = await live(bus, terminated: termination(), body)
        bus.finish()
        exit(status)
    }

    private enum Step: Sendable {
        case returned
        case failed(Int32)
        case told(Bus.Ending)
        case terminated
    }

    /// Exit status of a life; for tests, everything but the process's own end.
    static func live(
        _ bus: Bus, terminated: AsyncStream<Void>, _ body: @escaping @Sendable (Bus) async throws -> Void
    ) async -> Int32 {
        let (steps, step) = AsyncStream<Step>.makeStream(bufferingPolicy: .bufferingNewest(8))
        let work = Task { _ = step.yield(await outcome(of: body, bus)) }
        let ending = Task { for await ending in bus.endings { step.yield(.told(ending)) } }
        let signal = Task { for await _ in terminated { step.yield(.terminated) } }
        defer {
            ending.cancel()
            signal.cancel()
        }
        var hasReturned = false
        for await next in steps {
            switch next {
            case .returned: hasReturned = true
            case .failed(let status): return status
            case .told(.closed(let fault?)):
                Log.error("the bus failed: \(fault)")
                return 1
            case .told(.drained), .told(.closed(nil)), .terminated:
                if !hasReturned { await end(work) }
                return 0
            }
        }
        return 0
    }

    private static func outcome(of body: @Sendable (Bus) async throws -> Void, _ bus: Bus) async -> Step {
        do {
            try await body(bus)
            return .returned
        } catch is CancellationError where Task.isCancelled {
            return .returned
        } catch let error as ConfigurationError {
            Log.error(error.description)
            return .failed(78)
        } catch {
            // What fails because the bus is gone, or because it is being ended, is no failure of its own.
            if Task.isCancelled || [.closed, .cutOff].contains(error as? BusError) { return .returned }
            Log.error("\(error)")
            return .failed(1)
        }
    }

    /// Cancels the body and waits for it, but not for ever: a body that ignores it is left to exit(3).
    private static func end(_ work: Task<Void, Never>) async {
        work.cancel()
        let (done, signal) = AsyncStream<Void>.makeStream()
        let wait = Task {
            await work.value
            signal.finish()
        }
        let limit = Task {
            try? await Task.sleep(for: endLimit)
            signal.finish()
        }
        for await _ in done {}
        wait.cancel()
        limit.cancel()
    }

    /// SIGTERM, and SIGINT for a worker in a terminal, as elements of a stream.
    private static func termination() -> AsyncStream<Void> {
        AsyncStream { continuation in
            // Unsafe only in name: the sources are made here, and after that only cancelled, which is thread-safe.
            nonisolated(unsafe) let sources = [SIGTERM, SIGINT].map { number in
                Glibc.signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number)
                source.setEventHandler { continuation.yield() }
                source.resume()
                return source
            }
            continuation.onTermination = { _ in for source in sources { source.cancel() } }
        }
    }
}
