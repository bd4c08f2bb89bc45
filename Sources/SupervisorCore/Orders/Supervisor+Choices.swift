extension Supervisor {
    /// What an owner who gives this command chooses: for each child that it means, the choice from now on; nil: none,
    /// the file decides. To be asked before the command is handled. Empty while the tree ends: that is no choice.
    public func choices(madeBy command: Command) -> [(child: ChildID, choice: Choice?)] {
        switch life {
        case .ending, .finished: return []
        case .idle, .awaitingLogWriter, .running: break
        }
        switch command {
        case .start(let target):
            let named = members(of: target).filter { isMeant($0, by: target) }
            return closure(of: named, over: order.requires).map { ($0, policy($0).enabled ? nil : .on) }
        case .restart(let target):
            let named = members(of: target).filter { target == .child($0) || self[$0].wanted }
            return closure(of: named, over: order.requires).map { ($0, policy($0).enabled ? nil : .on) }
        case .stop(let target): return members(of: target).map { ($0, policy($0).enabled ? .off : nil) }
        case .reset(let target): return members(of: target).map { ($0, nil) }
        }
    }

    /// Children without a run that this command is to keep off: no end and no stop will tell of it, and whoever starts
    /// them on his own account is to know. To be asked before the command is handled.
    public func keptOff(by command: Command) -> [ChildID] {
        switch command {
        case .start, .restart: []
        case .stop, .reset:
            choices(madeBy: command).filter { child, choice in
                self[child].state.run == nil && !(choice?.isOn ?? policy(child).enabled)
            }.map(\.child)
        }
    }
}
