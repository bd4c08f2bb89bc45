import Wire

extension LogEvent {
    /// Worth a line on stderr although log-writer serves: the tree begins, gives something up, ends.
    var isHeadline: Bool {
        switch EventKind(rawValue: messageID) {
        case .supervisorStarted, .upgraded, .upgradeRefused, .parked, .groupParked, .unkillable, .supervisorStopping,
            .supervisorStopped:
            true
        case .starting, .ready, .stopping, .killing, .ended, .delayed, .skipped, .staysOff, .reloaded, .reloadRefused,
            .removed, .audit, .refused, .stray, .leftover, .memory, .outputDropped, .outputSuppressed, .recordsDropped,
            .linkBroken, .spawnTrouble, .notifyTrouble, .supervisorTrouble, .suppression, .journalAway, .journalBack,
            .logsRemoved,
            .logTrouble, nil:
            false
        }
    }
}
