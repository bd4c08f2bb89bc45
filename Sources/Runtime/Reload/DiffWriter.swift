import Plan
import SupervisorCore
import Wire

/// The answer to `diff`: what is different, child by child. Bounded, however much is: what goes beyond is counted.
struct DiffWriter {
    /// Bytes after which differences are only counted.
    static let limit = 128 * 1024
    /// Bytes of one value.
    static let valueLimit = 512

    private let update: PlanUpdate
    private let notes: [String]
    private let triedAgain: [ChildID]

    /// Notes that `status` says already are not said again with every look.
    /// `triedAgain`: parked now, and not after the reload; they may be among those that are changed in place.
    init(_ update: PlanUpdate, beside known: [String], triedAgain: [ChildID]) {
        self.update = update
        self.triedAgain = triedAgain
        notes = update.plan.notes.filter { !known.contains($0) }
    }

    var json: [UInt8] {
        var json = JSONWriter(capacity: 1024)
        var omitted = 0
        json.object { json in
            json.array("children") { json in
                for child in update.diff.children {
                    guard json.bytes.count < Self.limit else {
                        omitted += 1
                        continue
                    }
                    write(update.plan[child.id].name, child.kind, child.settings, into: &json)
                }
            }
            json.array("dependents") { json in
                for child in update.diff.dependents {
                    guard json.bytes.count < Self.limit else {
                        omitted += 1
                        continue
                    }
                    json.value(update.plan[child].name)
                }
            }
            json.array("tried_again") { json in
                for child in triedAgain {
                    guard json.bytes.count < Self.limit else {
                        omitted += 1
                        continue
                    }
                    json.value(update.plan[child].name)
                }
            }
            json.array("groups") { json in
                for group in update.diff.groups {
                    guard json.bytes.count < 2 * Self.limit else {
                        omitted += 1
                        continue
                    }
                    write(update.plan.groups[Int(group.id.rawValue)].name, group.kind, group.settings, into: &json)
                }
            }
            json.array("supervisor") { json in for key in update.diff.supervisor { json.value(key) } }
            json.field("unchanged", update.diff.unchanged)
            json.field("omitted", omitted)
            json.array("notes") { json in for note in notes.prefix(64) { json.value(note) } }
        }
        return json.bytes
    }

    private func write(
        _ name: String, _ kind: PlanDiff.Kind, _ settings: [SettingChange], into json: inout JSONWriter
    ) {
        json.object { json in
            json.field("name", name)
            json.field("change", kind.rawValue)
            json.array("settings") { json in
                for setting in settings {
                    json.object { json in
                        json.field("setting", setting.name)
                        json.field("restarts", setting.effect == .restart)
                        json.field("from", setting.values.map { Self.cut($0.from) })
                        json.field("to", setting.values.map { Self.cut($0.to) })
                    }
                }
            }
        }
    }

    static func cut(_ text: String) -> String {
        guard text.utf8.count > valueLimit else { return text }
        return String(decoding: text.utf8.prefix(valueLimit), as: UTF8.self) + "…"
    }
}
