import Foundation
import Testing
import Wire

@testable import Runtime

/// units/nexus.catalog, from which `journalctl -x` explains nexusd's events.
@Suite struct CatalogTests {
    @Test func everyKindOfEvent_isExplainedOnce_andNothingElse() throws {
        let ids = try entries().map(\.id)
        #expect(ids.sorted() == EventKind.allCases.map(\.messageID).sorted())
    }

    /// journalctl puts a field's value in its place: one that no entry has stays there as a bare @NAME@.
    @Test func everyEntry_hasASubjectAndAText_andNamesOnlyFieldsThatItsEventHas() throws {
        let more: [EventKind: Set<String>] = [
            .stopping: ["CAUSE"], .ended: ["CAUSE"], .delayed: ["CAUSE"], .parked: ["CAUSE"],
            .groupParked: ["GROUP", "BECAUSE"], .starting: ["RUN_ID"],
        ]
        let ofTheTree: Set<EventKind> = [
            .supervisorStarted, .upgraded, .upgradeRefused, .supervisorStopping, .supervisorStopped, .reloaded,
            .reloadRefused, .audit, .refused,
            .stray, .leftover, .outputDropped, .recordsDropped, .supervisorTrouble, .groupParked, .journalAway,
            .journalBack, .logsRemoved, .logTrouble,
        ]
        for entry in try entries() {
            let kind = try #require(EventKind(rawValue: entry.id))
            #expect(entry.head.first?.hasPrefix("Subject: ") == true, "\(kind)")
            #expect(entry.head.dropFirst().first == "Defined-By: Nexus", "\(kind)")
            #expect(!entry.text.isEmpty, "\(kind)")
            let known = (more[kind] ?? []).union(ofTheTree.contains(kind) ? [] : ["CHILD"])
            let named = (entry.head + entry.text).joined(separator: " ").matches(of: /@NEXUS_([A-Z_]+)@/)
            for field in named { #expect(known.contains(String(field.1)), "\(kind): \(field.0)") }
        }
    }

    private struct Entry {
        var id: String
        var head: [String] = []
        var text: [String] = []
    }

    /// `-- ID`, the header's lines, an empty line, the text; # begins a comment.
    private func entries() throws -> [Entry] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        let file = try String(contentsOf: root.appending(path: "units/nexus.catalog"), encoding: .utf8)
        var entries: [Entry] = []
        var inHead = false
        for line in file.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        where !line.hasPrefix("#") {
            if line.hasPrefix("-- ") {
                entries.append(Entry(id: String(line.dropFirst(3))))
                inHead = true
            } else if line.isEmpty {
                inHead = inHead && entries.last?.head.isEmpty == true
            } else if !entries.isEmpty {
                if inHead {
                    entries[entries.count - 1].head.append(line)
                } else {
                    entries[entries.count - 1].text.append(line)
                }
            }
        }
        return entries
    }
}
