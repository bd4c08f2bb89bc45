/// What the owner can do about a child that is not where it should be, in words; what nexusd's own sentences leave open.
enum Remedy {
    /// Nil where there is nothing to do.
    /// - Parameters:
    ///   - hasLines: its last run has said something, which is shown.
    ///   - missing: what its program names to carry it out and is not there, where the program itself is.
    static func words(for child: ChildStatus, hasLines: Bool, missing: ProgramHead.Carrier? = nil) -> String? {
        if let missing, child.state == "parked" || child.state == "delayed" { return install(missing, child) }
        switch child.state {
        case "parked": return parked(child, hasLines)
        case "waiting": return child.waitsFor.map { "see `nexusctl why \($0)`" }
        case "unkillable":
            return
                "the kernel holds process \(child.pid.map(String.init) ?? "?"), mostly for a disk or network file system that"
                + " hangs (`cat /proc/\(child.pid.map(String.init) ?? "PID")/wchan`); when that is mended it ends by itself"
        case "delayed" where child.unstableRuns > 2:
            return "it ended \(child.unstableRuns) times in a row: \(hint(child, child.cause, hasLines))"
        case "scheduled" where child.unstableRuns > 0: return hint(child, child.cause, hasLines)
        case "starting" where child.failure != nil, "ready" where child.failure != nil:
            return "about its last run: " + hint(child, child.lastEnd?.cause, hasLines)
        case "stopping" where ["watchdog", "probe", "oom"].contains(child.cause):
            return hint(child, child.cause, hasLines)
        case "delayed", "starting", "ready": return lastEnd(child, hasLines)
        case _: return nil
        }
    }

    private static func install(_ missing: ProgramHead.Carrier, _ child: ChildStatus) -> String {
        let (what, remedy) =
            switch missing {
            case .interpreter: ("which it names to carry it out", "install that or correct the name")
            case .loader: ("the loader that it was built for", "install that, or a build for this machine")
            }
        return
            "\(child.executable ?? "its program") is there, and \(missing.path), \(what), is not: \(remedy), then"
            + " `nexusctl start \(child.name)`"
    }

    /// Between two ends it is up for a moment: what to do about the last one is the same then. A single crash, or
    /// one that a stable run followed, is past; what nexusd ended it for may come again any time.
    private static func lastEnd(_ child: ChildStatus, _ hasLines: Bool) -> String? {
        guard let end = child.lastEnd else { return nil }
        switch end.cause {
        case "watchdog", "probe", "oom": break
        case "crash", "network", "config", "unknown":
            if child.unstableRuns < 2 || child.state == "delayed" { return nil }
        case _: return nil
        }
        let again = child.unstableRuns > 1 ? "it ended \(child.unstableRuns) times in a row: " : "about its last end: "
        return again + hint(child, end.cause, hasLines)
    }

    private static func parked(_ child: ChildStatus, _ hasLines: Bool) -> String {
        if child.cause == "dependency", let other = child.waitsFor {
            return "its group is parked because of \(other): see `nexusctl why \(other)`"
        }
        let how =
            child.cause == "config"
            ? config(child, child.lastEnd?.exit ?? "", hasLines) : hint(child, child.cause, hasLines)
        return how + ", then `nexusctl start \(child.name)`"
    }

    /// What to look at, by the cause.
    private static func hint(_ child: ChildStatus, _ cause: String?, _ hasLines: Bool) -> String {
        switch cause {
        case "oom": return "give it more memory, or find out why it needs so much"
        case "probe" where child.lastEnd?.detail?.hasPrefix("not executed within ") ?? false: return notExecuted(child)
        case "probe": return "see whether it serves what its readiness or liveness asks for"
        case "watchdog" where child.lastEnd?.detail == "it said WATCHDOG=trigger":
            return "see where it hangs: it said so itself, and "
                + (hasLines ? "its last lines may say more" : "no more")
        case "watchdog": return "let it send WATCHDOG=1 in time (sd_notify(3)), or see where it hangs"
        case "network": return "see whether this machine has a network"
        case "config": return config(child, child.lastEnd?.exit ?? "", hasLines)
        case _ where child.lastEnd?.exit.hasPrefix("exec: ") ?? false: return notExecuted(child)
        case "crash" where limit(child) != nil: return limit(child) ?? ""
        case _ where hasLines: return "mend what its last lines tell of (`nexusctl logs \(child.name)`)"
        case _:
            let user = child.user.map { " as \($0)" } ?? ""
            return "it said nothing in its last run: run its command by hand\(user), or see what it said before"
                + " (`nexusctl logs \(child.name)`)"
        }
    }

    /// Its program did not come to run, for a reason that may pass.
    private static func notExecuted(_ child: ChildStatus) -> String {
        let program = child.executable ?? "its program"
        let exit = child.lastEnd?.exit ?? ""
        if exit.contains("ETIMEDOUT") || child.cause == "probe" {
            return "look for a lease on \(program) (`/proc/locks`), or for a file system that hangs"
        }
        if exit.contains("ETXTBSY") { return "end what has \(program) open for writing (`fuser -v \(program)`)" }
        if exit.contains("EAGAIN") {
            return "let its user have more processes (`limits.nproc`), or end some of them"
        }
        return "see whether \(program) can be executed by its user"
    }

    /// What nexusd or the kernel ended it for, in nexusd's words.
    private static func limit(_ child: ChildStatus) -> String? {
        guard let detail = child.lastEnd?.detail else { return nil }
        if detail.hasSuffix(" of processor time, its limit") {
            return "raise `limits.cpu`, or see whether it runs in a loop"
        }
        // Of a limit that the kernel says nothing of: without it the command may well do by hand.
        let possible = detail.split(separator: "`", omittingEmptySubsequences: false)
        if detail.hasPrefix("it may have run into its limit "), possible.count > 1 {
            return "raise `\(possible[1])`, or see whether it ends so without that limit too"
        }
        if detail.hasPrefix("a file of it would have grown above ") {
            return "raise `limits.fsize`, or see what it writes so much of"
        }
        if detail.hasPrefix("it said STOPPING=1 ") {
            return "let it end soon after it says STOPPING=1, or raise `stop-timeout`"
        }
        return nil
    }

    /// nexusd's words say it where what is in the way is no socket, or whose it is.
    private static func inUse(_ detail: String) -> String {
        if detail.contains("no socket: remove it") || detail.contains("(pid ") { return "mend that" }
        return detail.contains(" cannot listen on /")
            ? "`ss -lxp` says who listens there: end that, or take another path"
            : "`ss -lntup` says who listens there: end that, or take another address"
    }

    // `STAGE: words (ERRNO)`, as nexusd says of a program that was never executed.
    private static func config(_ child: ChildStatus, _ exit: String, _ hasLines: Bool) -> String {
        // Empty where none was found when the file was read; only a reload looks again.
        if child.executable == "" {
            return
                "there was no such program when the file was read: install it or correct `command`, then `nexusctl reload`"
        }
        let program = child.executable ?? "its program"
        let parts = exit.split(separator: ":", maxSplits: 1)
        let stage = parts.count == 2 ? String(parts[0]) : ""
        switch (stage, exit) {
        case ("exec", let exit) where exit.contains("ENOENT"):
            return "\(program) is not there, or its interpreter is not: install it or correct `command`"
        case ("exec", let exit) where exit.contains("EACCES"):
            return "\(program) is not executable for its user: see `ls -l` of it and of the directories above it"
        case ("exec", let exit) where exit.contains("ENOEXEC"):
            return "\(program) is no program for this machine: see `file` of it, or give it a `#!` line"
        case ("exec", _): return "see whether \(program) can be executed by its user"
        case ("prepare", let exit) where exit.contains("EADDRINUSE"):
            return inUse(child.lastEnd?.detail ?? "")
        case ("prepare", _):
            return child.lastEnd?.detail == nil
                ? "give it what could not be had of its sockets, secrets and directories" : "mend that"
        case ("directory", let exit) where exit.contains("EACCES"):
            return
                "let \(child.user ?? "its user") into its working directory (`ls -ld` of it and of those above it), or correct"
                + " `directory` or `user`"
        case ("directory", _): return "make its working directory, or correct `directory`"
        case ("identity", _), ("privileges", _): return "run nexusd with the right to change users, or take `user` out"
        case ("limits", _): return "lower `limits` to what nexusd itself may have"
        case ("", "exit 0"):
            return
                "keep it in the foreground, or say `restart = \"on-failure\"` for a job that ends"
        case _: return "mend its own configuration" + (hasLines ? ", of which its last lines tell" : "")
        }
    }
}
