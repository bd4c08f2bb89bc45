/// A name of the tree as a person may write it: `NAME`, `child:NAME`, `group:NAME`.
struct WrittenName {
    /// Without what stands before it.
    let name: String
    /// It may be a child's.
    let mayBeChild: Bool
    /// It may be a group's.
    let mayBeGroup: Bool

    init(_ word: String) {
        func after(_ prefix: String) -> String? {
            word.hasPrefix(prefix) ? String(word.dropFirst(prefix.count)) : nil
        }
        let (child, group) = (after("child:"), after("group:"))
        name = child ?? group ?? word
        mayBeChild = group == nil
        mayBeGroup = child == nil
    }

    /// What it says that it is, for a person.
    var kind: String { mayBeChild ? mayBeGroup ? "child or group" : "child" : "group" }
}
