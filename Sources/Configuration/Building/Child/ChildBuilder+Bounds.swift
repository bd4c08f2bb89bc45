import Plan
import SupervisorCore

extension ChildBuilder {
    /// What a run may take as a whole.
    func bounds() -> RunBounds {
        var bounds = RunBounds(
            processes: reader(ChildBoundKeys.processes).map { UInt32($0) },
            cpuWeight: reader(ChildBoundKeys.cpuWeight).map { UInt16($0) })
        guard let memory = reader.below(ChildBoundKeys.memory) else { return bounds }
        bounds.memoryMax = memory(MemoryKeys.max)
        bounds.memoryHigh = memory(MemoryKeys.high)
        let patience = memory(MemoryKeys.patience)
        if let above = memory(MemoryKeys.recycle) {
            let standard = RecycleRule(above: above)
            bounds.recycle = RecycleRule(above: above, patience: patience ?? standard.patience)
        } else if memory.has(MemoryKeys.patience), memory.isMissing(MemoryKeys.recycle) {
            report.error(
                memory.keyPosition(of: MemoryKeys.patience),
                "'recycle-within' means nothing without 'recycle'; add recycle = \"1GiB\", or take it out")
        }
        if let max = bounds.memoryMax {
            check(bounds.memoryHigh, isBelow: max, MemoryKeys.high, memory)
            check(bounds.recycle?.above, isBelow: max, MemoryKeys.recycle, memory)
        }
        return bounds
    }

    private func check(_ bytes: UInt64?, isBelow max: UInt64, _ key: Key<UInt64?>, _ memory: SectionReader) {
        guard let bytes, bytes >= max else { return }
        report.error(
            memory.position(of: key),
            "'\(key.info.name)' (\(SizeText.show(bytes))) is not below 'max' (\(SizeText.show(max))), so it could never"
                + " be reached; lower it or raise 'max'")
    }
}
