/// The fixed MESSAGE_ID of every kind of event of nexusd and log-writer (journald's way to find them:
/// `journalctl MESSAGE_ID=…`). They are part of what scripts may rely on, so a value is never changed and never used again for
/// something else; units/nexus.catalog explains each.
public enum EventKind: String, Hashable, Sendable, CaseIterable {
    /// A run is about to be spawned.
    case starting = "21d5ae072daa42c3940b5734b249a421"
    /// A run serves.
    case ready = "28593bf7685b4c65a2b9d003d962ea2d"
    /// A run is being stopped.
    case stopping = "9522a23bdf30465f80446063c2f2c1ec"
    /// A timeout went by and SIGKILL is sent.
    case killing = "185ae8a461a74efaae8c676c2813ed30"
    /// A run is over.
    case ended = "1c657580dcbb4e52bd2e5ff3959019e0"
    /// A replacement comes later.
    case delayed = "ae11b8f43a074b07904ffcfa6d3a5699"
    /// A child is given up for now.
    case parked = "c758947a4e434f82a40312a35c6232cf"
    /// A group is given up for now.
    case groupParked = "cdc5d0e83a704ab1aa0a9ae6de2476bd"
    /// A scheduled child was to run and did not, because it ran still.
    case skipped = "5b0f6a3e7d1c4c8e9a42d6b8f1073e95"
    /// An owner stopped by command what had no run: nothing else tells of it.
    case staysOff = "4baac0634fe14c478df3aac106d5808c"
    /// SIGKILL did not end a run.
    case unkillable = "9fce88af007c4003a4ca463c4e60c791"
    /// nexusd begins.
    case supervisorStarted = "0830f9591e1949eb8fb01286a6da625c"
    /// nexusd went on as another program; its children did not notice.
    case upgraded = "a02d692bb0aa49b1bbe89fab20b92142"
    /// nexusd was to go on as another program and did not; nothing is changed.
    case upgradeRefused = "ef94a53f7a994499aa270f19f1b7c4c4"
    /// nexusd was asked to stop.
    case supervisorStopping = "7106c47b87444246979364fa9a7db30c"
    /// Another plan is in force.
    case reloaded = "57e3821c82fc224c5abb63cd1bf83346"
    /// A file was refused, or a plan could not be put in force; nothing is changed.
    case reloadRefused = "37a674df76d334f0a8770bf7cea588b1"
    /// Nothing is left of a child that is not in the file any more.
    case removed = "dccf2c13c1c5dd81b18848048d8288b2"
    /// nexusd ends. log-writer is gone by then: this one is on stderr only.
    case supervisorStopped = "7f3c1a5be8d94f0eae2b60c1d4978a35"
    /// An owner or a worker used a control verb.
    case audit = "d46dcc6ca75344cc9f79fcc432c08072"
    /// Somebody was refused at the control socket, or a worker at the bus.
    case refused = "527f6a27201a48089c07947706d753d5"
    /// A process of the tree was left over.
    case stray = "f2c5e56f8af74f8488e9ff6d5da7d00e"
    /// Processes of an earlier nexusd were found and ended.
    case leftover = "59ac559503064a2bb2c6a24d4ebdaf95"
    /// A run has grown above a bound of its memory.
    case memory = "154e4db6b1744fcc96533f4a6ec6ea52"
    /// Output of a child was dropped and counted.
    case outputDropped = "092462c0e9cc4e579ff7979b397c2492"
    /// Output of a child beyond its rate was counted and not kept.
    case outputSuppressed = "92a9d374c23f4d31bbf448ba3adfef4f"
    /// Records of nexusd itself were dropped and counted.
    case recordsDropped = "9950001767834559a82871374f5d64fa"
    /// A worker's link was ended.
    case linkBroken = "1b885ccd0759488a8e16a514e58503c0"
    /// Something needed for a run could not be made.
    case spawnTrouble = "1b8d958ba45c49bfadb74f94dbb7b7bd"
    /// A child's notify socket brought something that is not heeded.
    case notifyTrouble = "317ebdf64255d370b136fdb7f39b2c54"
    /// nexusd itself met something it had to work around.
    case supervisorTrouble = "7ed6a4c27a0c4eb88e06d356080764bc"

    /// log-writer: what it told as suppressed, for the journal.
    case suppression = "f76b11d810124d0eaab8d51a6204b7d2"
    /// log-writer: journald takes nothing.
    case journalAway = "ba8fb522716043938d0ee369c0528ef3"
    /// log-writer: journald takes lines again.
    case journalBack = "5543a9d12cb94426b3de42db5be43276"
    /// log-writer: old files were removed, for all logs together were too much.
    case logsRemoved = "3e19e5e983094fa18b678bcbd0cf54bf"
    /// log-writer itself met something it had to work around.
    case logTrouble = "9cf1e9b6ad6e4d0d8a3c3f0a64f3cf4e"

    /// 32 hexadecimal digits.
    public var messageID: String { rawValue }
}
