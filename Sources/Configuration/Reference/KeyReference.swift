/// Every key that Supervisor.toml may have.
public enum KeyReference {
    /// In the order of the reference.
    public static let sections: [SectionInfo] = [
        SupervisorKeys.section, LogKeys.section, GroupKeys.section, ChildKeys.section, DelayKeys.section,
        IntensityKeys.section, ScheduleKeys.section, ReadyKeys.section, LivenessKeys.section, ExitKeys.section,
        SocketKeys.section, MemoryKeys.section, CapabilityKeys.section, ChildLogKeys.section, SecretKeys.section,
        AgentKeys.section, WorkspaceKeys.section, ChatKeys.section, WordKeys.section, TunnelKeys.section,
    ]

    /// The reference as Markdown: what `nexus-config keys` prints and docs/configuration.md holds.
    public static var markdown: String {
        sections.map(markdown).joined(separator: "\n")
    }

    private static func markdown(_ section: SectionInfo) -> String {
        var lines = ["### `\(section.title)`", "", section.summary, "", "| key | type | default | values | reload | |"]
        lines.append("|---|---|---|---|---|---|")
        for key in section.keys {
            let cells = [
                "`\(key.name)`", key.type, key.initial.isEmpty ? "none" : key.initial, key.range,
                KeyEffect.words(key, in: section) ?? "", key.summary,
            ]
            lines.append("| " + cells.map { $0.replacingBars() }.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension String {
    /// A bar would end the cell of a Markdown table.
    fileprivate func replacingBars() -> String {
        split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
