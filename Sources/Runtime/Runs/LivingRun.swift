import SupervisorCore
import System

/// The shell's side of one run, from the spawn until it is empty.
final class LivingRun {
    let id: RunID
    let process: ProcessID
    let scope: any RunScope
    /// The one way to signal the main process; harmless after it was reaped.
    let pidfd: OwnedFD
    /// Set until its program is executed.
    var launch: Launch?
    /// Its program was executed, and it is listened to.
    var hasBegun = false
    /// An earlier nexusd started it: it is no child of this one. Since when that is so, and by what it was before, in words
    /// that go on a sentence.
    var adoption: String?
    var isAdopted: Bool { adoption != nil }
    /// The main process was reaped; of an adopted run, its pidfd said that it has ended.
    var hasExited = false
    /// Signals on their way, in order.
    var orders: [SignalOrder] = []
    /// The signal by which it was asked to stop, and when.
    var stopSignal: (signal: Signal, at: Instant)?
    /// SIGKILL was ordered for everything that is left.
    var isToBeEmpty = false
    /// The poller tells when the scope becomes empty.
    var isWatched = false
    /// Where the child says that it is ready, when it does so by a descriptor.
    var readyDescriptor: OwnedFD?
    /// What a worker writes, and what it reads.
    var busInput: OwnedFD?
    var busOutput: OwnedFD?
    /// It has asked for its own restart.
    var hasAskedForItself = false
    /// The poller waits for room in `busOutput`.
    var awaitsRoom = false
    /// A write to `busOutput` has failed: there is no reader any more.
    var readsNoMore = false
    /// log-writer's stderr.
    var errors: OwnedFD?
    /// Secret values it was given, which nothing that is shown may hold.
    var secrets: [String] = []
    /// All of them by the secret's name: what is asked for the run later, as a probe, is given the same.
    var secretValues: [String: String] = [:]
    /// Its secret files, to be removed with it.
    var credentials: CredentialFiles?
    /// The listening sockets that it was given, by their inodes: who has them is not always seen from outside.
    var sockets: [UInt64] = []
    /// It was killed for what it took; its end is one of `oom`.
    var isOverMemory = false
    /// Since when it is above the size at which it is to be recycled.
    var grownSince: Instant?
    /// When those who may say that it is idle were last told so.
    var suggestedAt: Instant?
    /// A probe under way, for which run.
    var probe: ProbeRun?
    /// What was said of it once and is not repeated.
    var oddities: Oddity = []

    /// Things a run does, most of them on its notify socket, that a person should hear of once.
    struct Oddity: OptionSet {
        let rawValue: UInt16

        static let mainProcess = Oddity(rawValue: 1)
        static let foreignMessage = Oddity(rawValue: 2)
        static let unread = Oddity(rawValue: 4)
        static let left = Oddity(rawValue: 8)
        static let tooLong = Oddity(rawValue: 16)
        static let foreignUser = Oddity(rawValue: 32)

        /// A value that this name does not take; each name has its own.
        static func malformed(_ name: NotifyWord.Name) -> Oddity {
            switch name {
            case .ready: Oddity(rawValue: 64)
            case .stopping: Oddity(rawValue: 128)
            case .watchdog: Oddity(rawValue: 256)
            case .watchdogInterval: Oddity(rawValue: 512)
            case .extendTimeout: Oddity(rawValue: 1024)
            case .barrier: Oddity(rawValue: 2048)
            }
        }
    }

    init(_ id: RunID, _ process: ProcessID, _ pidfd: consuming OwnedFD, in scope: any RunScope) {
        self.id = id
        self.process = process
        self.pidfd = pidfd
        self.scope = scope
    }

    var generation: EventSource.Generation { EventSource.Generation(id) }
}
