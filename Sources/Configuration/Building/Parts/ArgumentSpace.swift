import Plan
import SupervisorCore

/// What execve(2) takes of arguments and environment. Above it every start would end in E2BIG.
struct ArgumentSpace {
    /// Bytes of one string without its NUL: MAX_ARG_STRLEN, 32 pages of 4 KiB.
    static let stringLimit = 131_071
    /// What the kernel takes at most, whatever the stack's limit: three quarters of the 8 MiB of _STK_LIM.
    static let most = 6 << 20
    /// What it always takes: ARG_MAX of POSIX times, 32 pages.
    static let least = 131_072
    /// For what nexusd adds (NOTIFY_SOCKET, NEXUS_RUN_ID, …) and the name of the program.
    static let reserve = 8192

    /// Bytes that are known to be there: values of secrets and captures are not.
    static func known(_ text: Text) -> Int {
        text.pieces.reduce(0) { sum, piece in
            switch piece {
            case .literal(let literal): sum + literal.utf8.count
            case .secret, .captured: sum
            }
        }
    }

    /// Strings with their NULs, and a pointer each.
    static func need(_ arguments: [Text], _ environment: [Variable]) -> Int {
        arguments.reduce(0) { $0 + known($1) + 9 }
            + environment.reduce(0) { $0 + $1.name.utf8.count + known($1.value) + 10 } + reserve
    }

    /// A quarter of the stack's soft limit, within bounds.
    static func limit(stack: UInt64) -> Int { max(least, min(most, Int(clamping: stack / 4))) }
}

extension ChildBuilder {
    /// Refuses what no execve(2) would take as a whole.
    func checkSpace(_ plan: ChildPlan) {
        let stack = plan.limits.first { $0.resource == ResourceName.stack.rawValue }?.soft
        let limit = ArgumentSpace.limit(stack: stack ?? host.softLimit(ResourceName.stack.rawValue))
        let need = ArgumentSpace.need(plan.arguments, plan.environment)
        guard need > limit else { return }
        report.error(
            reader.table.position,
            "arguments and environment take \(need) bytes; with this stack limit the kernel takes \(limit) (execve(2)):"
                + " put some of it into a file, or raise 'stack' in 'limits'")
    }

    /// Refuses a string that no execve(2) would take.
    static func checkString(_ bytes: Int, _ words: String, _ position: Position, _ report: Report) -> Bool {
        guard bytes > ArgumentSpace.stringLimit else { return true }
        report.error(
            position,
            "\(words) takes \(bytes) bytes; the kernel takes \(ArgumentSpace.stringLimit) for one argument or variable"
                + " (execve(2)): put it into a file")
        return false
    }
}
