import Plan
import SupervisorCore
import Wire

extension Engine {
    /// `settings CHILD`: what is in force, in the words of `diff`. What may be a secret has no value here either.
    func settings(of child: ChildID) -> [UInt8] {
        let whole = plan.unpacked
        var json = JSONWriter(capacity: 4096)
        json.object { json in
            json.field("name", names[child])
            json.field("choice", choices[child]?.word)
            json.array("settings") { json in
                for setting in Setting.all {
                    json.object { json in
                        json.field("setting", setting.name)
                        json.field("value", setting.value(of: whole[child], in: whole).map(DiffWriter.cut))
                    }
                }
            }
        }
        return json.bytes
    }
}
