import SupervisorCore

/// Who cannot have what another one's run has waits for its end, and nothing is held against it.
extension Referee {
    /// The run whose end is waited for.
    struct Barrier {
        let holder: ChildID
        let run: RunID
        /// A reload, or an owner's word, may have made it needless.
        var isFirm = true
    }

    mutating func noteBarrier(of child: ChildID, _ run: RunID, _ holder: ChildID) {
        guard let life = self[child], life.run == run, !life.isCloned, life.stop == nil, !life.isLeaving, !life.isExited
        else { return }
        guard let other = self[holder], other.stop != nil || other.isLeaving || other.isExited, !other.isUnkillable
        else {
            return
        }
        if isScheduled(child) {
            // Its time had come, and is owed.
            restarts[Int(child.rawValue)].earliest = nil
            standings[Int(child.rawValue)].isCalled = true
        }
        standings[Int(child.rawValue)].barrier = Barrier(holder: holder, run: other.run)
    }

    mutating func loosenBarriers() {
        for index in standings.indices { standings[index].barrier?.isFirm = false }
    }

    /// Its run lives still.
    func isBarred(_ child: ChildID) -> Bool {
        guard let barrier = standings[Int(child.rawValue)].barrier else { return false }
        return self[barrier.holder].map { $0.run == barrier.run && !$0.isUnkillable } ?? false
    }

    mutating func judgeBarrier(of child: ChildID) {
        if isBarred(child), standings[Int(child.rawValue)].barrier?.isFirm ?? false {
            complain(7, "\(child) started before the run was over that has what it needs")
        }
        standings[Int(child.rawValue)].barrier = nil
    }
}
