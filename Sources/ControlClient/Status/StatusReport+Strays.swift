extension StatusReport {
    /// Strays of those children, and those that may be theirs: one that emptied its environment does not say whose it was, but
    /// was born while its run was there.
    /// - Parameter age: how long a process has been there; nil: nobody can tell.
    public func strays(of names: [String], age: (Int64) -> Duration?) -> [Stray] {
        let spans = children.filter { names.contains($0.name) }.flatMap { $0.spans(age) }
        return strays.filter { stray in
            guard stray.child == nil else { return stray.child.map(names.contains) ?? false }
            guard let age = age(stray.pid) else { return true }
            return spans.contains { $0.contains(age) }
        }
    }

    /// The same in words: each that says whose it was, and how many do not.
    public func strayWords(of names: [String], age: (Int64) -> Duration?) -> [String] {
        let theirs = strays(of: names, age: age)
        let words = theirs.filter { $0.child != nil }.map { "\($0.words), or by `kill \($0.pid)`" }
        let listed = theirs.count - words.count
        guard listed > 0 else { return words }
        // The answer names the first of them only.
        let nobodys = listed + max(0, Int(strayCount) - strays.count)
        let left = nobodys == 1 ? "a process left its run" : "\(nobodys) processes left their runs"
        return words + ["\(left), and nothing tells whose: see `nexusctl status`"]
    }
}

extension ChildStatus {
    /// How old a process is that began while a run of this child was there: its last one, or the one there is.
    fileprivate func spans(_ age: (Int64) -> Duration?) -> [ClosedRange<Duration>] {
        // Ages come in ticks of the clock, and are read a moment after the answer.
        let blur = Duration.seconds(1)
        let living = pid.map { Duration.zero...((age($0) ?? .seconds(Int64.max >> 32)) + blur) }
        let ended = lastEnd.flatMap { end in
            end.ago.map { ago in max(.zero, ago - blur)...(ago + (end.ran ?? .zero) + blur) }
        }
        return [living, ended].compactMap(\.self)
    }
}
