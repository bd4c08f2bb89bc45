import Plan
import SupervisorCore
import System
import Testing

@testable import Runtime

@Suite struct ControlAccessTests {
    private func access(own: UInt32, children: [UInt32] = []) -> ControlAccess {
        let lists = SupervisorPlan(readUids: [10, 15], readGids: [100], controlUids: [15, 20], controlGids: [200])
        let plan = Plan(
            supervisor: lists,
            children: children.map { uid in
                ChildPlan(
                    name: "c\(uid)", executable: "/x", arguments: [],
                    identity: Identity(uid: uid, gid: uid, groups: [], user: "u"))
            })
        return ControlAccess(own: own, plan: PlanBook(plan))
    }

    private func judge(_ access: ControlAccess, uid: UInt32, gid: UInt32 = 1, groups: [UInt32] = []) -> AccessClass? {
        try? access.judge(
            Credentials(process: ProcessID(rawValue: 5), user: uid, group: gid), groups: groups
        ).get()
    }

    @Test func rootAndTheOwner_mayEverything() {
        #expect(judge(access(own: 1000), uid: 0) == .control)
        #expect(judge(access(own: 1000), uid: 1000) == .control)
    }

    @Test func lists_sayWhoElse_andControlWins() {
        let access = access(own: 1000)
        #expect(judge(access, uid: 10) == .read)
        #expect(judge(access, uid: 20) == .control)
        #expect(judge(access, uid: 30, gid: 100) == .read)
        #expect(judge(access, uid: 30, groups: [5, 200]) == .control)
        #expect(judge(access, uid: 10, groups: [200]) == .control)
        #expect(judge(access, uid: 30) == nil)
    }

    @Test func childrensUids_areRefused_whateverTheListsSay_butMayAskWhereTheyAreNamed() {
        let access = access(own: 0, children: [10, 15, 20, 30])
        // Named in both lists it reads, and controls nothing.
        #expect(judge(access, uid: 15) == .read && judge(self.access(own: 0), uid: 15) == .control)
        #expect(judge(access, uid: 10) == .read && judge(access, uid: 10, groups: [200]) == .read)
        #expect(judge(access, uid: 20) == nil)
        #expect(judge(access, uid: 30, groups: [100]) == nil)
        #expect(judge(access, uid: 30, groups: [200]) == nil)
    }

    @Test func childWithTheOwnersUid_doesNotLockTheOwnerOut() {
        let access = access(own: 1000, children: [1000])
        #expect(judge(access, uid: 1000) == .control)
        #expect(access.mustAskForProcess(Credentials(process: ProcessID(rawValue: 5), user: 1000, group: 1)))
    }
}
