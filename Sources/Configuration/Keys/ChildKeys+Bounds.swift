import Plan
import SupervisorCore

/// Keys of a child about what a run may take as a whole.
enum ChildBoundKeys {
    static let memory = Key.table(
        "memory", MemoryKeys.section, shown: "none", "{ max = \"2GiB\", recycle = \"1536MiB\" }",
        "Memory of a run, its helpers included (docs/containment.md, Bounds).")
    static let processes = Key.number(
        "pids-max", in: 1...4_194_304, shown: "none",
        "Processes and threads of a run at a time; needs a cgroup with the pids controller.")
    static let cpuWeight = Key.number(
        "cpu-weight", in: 1...10_000, shown: "100",
        "Share of the processors in relation to other children; needs a cgroup with the cpu controller.")
}

/// Keys of `memory`.
enum MemoryKeys {
    private static let range: ClosedRange<UInt64> = (1 << 20)...(1 << 50)
    static let max = Key.size("max", in: range, shown: "none", "A run that takes more is ended, with cause `oom`.")
    static let high = Key.size(
        "high", in: range, shown: "none",
        "A run above this is slowed down while the kernel takes its pages back; needs a cgroup with the memory controller."
    )
    static let recycle = Key.size(
        "recycle", in: range, shown: "none",
        "A run that has grown above this is replaced when it is idle, with cause `recycled`, which is no failure.")
    static let patience = Key.duration(
        "recycle-within", in: .zero ... .seconds(604_800),
        shown: DurationText.show(RecycleRule(above: 0).patience),
        "How long such a run may go on being busy before it is replaced all the same.")

    static let section = SectionInfo(
        title: "memory", summary: "`memory = { … }`.", keys: [max.info, high.info, recycle.info, patience.info],
        rules: [.beside("recycle-within", oneOf: ["recycle"])])
}
