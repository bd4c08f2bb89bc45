import SupervisorCore
import System
import Wire

extension Engine {
    /// For strays to end by SIGTERM, and for SIGKILL to reach the last of them.
    static let strayPatience: Duration = .seconds(2)
    static let strayLimit: Duration = .seconds(5)

    /// Each signal of this kind makes it more urgent.
    func shutDown(_ received: ReceivedSignal) {
        guard shutdownLevel < 3 else { return }
        if shutdownBegan == nil { shutdownBegan = now }
        shutdownLevel += 1
        notify.stopping()
        surroundings.releaseReserve()
        let how = ["", "in order", "at once, with one second each", "by SIGKILL"][Int(shutdownLevel)]
        let who = received.sender.rawValue > 0 ? " from pid \(received.sender)" : ""
        say(
            LogEvent(
                .supervisorStopping, 5, "\(received.signal.words)\(who): the tree is stopped \(how)."))
        if shutdownLevel == 1 {
            router.announceStopping()
            endWishes()
        }
        if shutdownLevel > 1 { pulse.hurry(at: now) }
        feed(.shutdown(level: shutdownLevel))
        carryOut()
    }

    /// A significant child has ended for good: the core stops the tree as at the first signal, and nexusd's exit status is
    /// the child's.
    func treeEnds(because child: ChildID, _ exit: Exit?) {
        significantStatus = exit?.status ?? 1
        if shutdownBegan == nil { shutdownBegan = now }
        notify.stopping()
        surroundings.releaseReserve()
        let how = exit.map { " (\($0.words))" } ?? ""
        say(
            LogEvent(
                .supervisorStopping, 5,
                "\(names[child]) is significant and has ended for good\(how): the tree is stopped in order.",
                names[child]))
        router.announceStopping()
        endWishes()
    }

    /// A terminal that hangs up is a wish to stop; without one it is the wish for a reload.
    func hangUp(_ received: ReceivedSignal) {
        if surroundings.hasTerminal { return shutDown(received) }
        let who = received.sender.rawValue > 0 ? " of pid \(received.sender)" : ""
        say(LogEvent(.audit, 5, "SIGHUP\(who) asks: reload."))
        wish(.reload(nil))
    }

    /// The tree is empty: what strayed is named and ended, the files go. The exit status of nexusd.
    func conclude() -> Int32 {
        let isEmpty = endStrays()
        surroundings.tell(.ending)
        listener.close(surroundings.poller, kernel)
        for cell in cells {
            cell.notify?.remove()
            cell.sockets?.close(by: disposal)
            cell.pidFile?.remove(kernel)
        }
        if let shutdownBegan {
            say(
                LogEvent(
                    .supervisorStopped, 5,
                    "The tree \(endWords(isEmpty)), after \((kernel.monotonic() - shutdownBegan).words)."))
        }
        tellUnread()
        journal.flush()
        if isEmpty {
            surroundings.endLife()
            keeper?.end()
        }
        let isClean = finished == true && isEmpty
        if let significantStatus, significantStatus != 0 || isClean { return significantStatus }
        return isClean ? 0 : 1
    }

    /// What log-writer had not taken when it was killed (by the third signal, or because it drained in no time).
    private func tellUnread() {
        guard logWriter != nil else { return }
        for cell in cells {
            var left = 0
            for output in cell.outputs {
                for kind in StreamKind.allCases {
                    _ = output.with(kind) { fd in left += (try? kernel.readableBytes(fd)) ?? 0 }
                }
            }
            guard left > 0 else { continue }
            let words = "\(counted(left, "byte")) of \(names[cell.id]) are lost: log-writer had not taken them."
            say(LogEvent(.outputDropped, 3, words, names[cell.id]))
        }
    }

    private func endWords(_ isEmpty: Bool) -> String {
        guard !isEmpty else {
            return finished == true
                ? "is stopped, and nothing of it is left" : "is stopped, and what had outlived SIGKILL is gone too"
        }
        let unkillable = cells.filter { $0.run != nil }.map { names[$0.id] }.joined(separator: ", ")
        return "is left with a rest that did not end" + (unkillable.isEmpty ? "" : " (of \(unkillable))")
    }

    /// Ends what belongs to no run any more: SIGTERM once, then time, then SIGKILL. True when nothing is left below
    /// nexusd.
    private func endStrays() -> Bool {
        let begun = kernel.monotonic()
        var known: Set<ProcessID> = []
        while !reapOrphans() {
            now = kernel.monotonic()
            let isLate = now - begun > Self.strayPatience
            if known.isEmpty || isLate {
                for stray in surroundings.containment.signalStrays(isLate ? .kill : .terminate)
                where known.insert(stray.process).inserted { tell(stray) }
            }
            guard now - begun < Self.strayLimit else {
                say(LogEvent(.stray, 2, "Processes of the tree are still there after SIGKILL; nexusd leaves them."))
                return false
            }
            journal.flush()
            try? surroundings.poller.wait(atMost: .milliseconds(isLate ? 20 : 100))
            while (try? surroundings.signals.next()) != nil {}
        }
        return true
    }

    private func tell(_ stray: ProcessEntry) {
        let words = "\(stray.name) (pid \(stray.process)) had left its run and was still there; it is ended."
        say(LogEvent(.stray, 4, words, nil, nil, [LogEvent.Field(name: "STRAY_PID", value: "\(stray.process)")]))
    }

    /// True when there is no child left at all.
    private func reapOrphans() -> Bool {
        while true {
            switch try? surroundings.reaper.next(before: { _ in }) {
            case .reaped(let ended): surroundings.containment.orphanEnded(ended.process)
            case .childless: return true
            case .nothing, nil: return false
            }
        }
    }
}
