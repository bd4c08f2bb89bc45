import ControlClient
import Glibc
import System

/// Gives the agent's user what it lacks on the way to a workspace, by lists of rights (acl(5)).
struct WorkspaceRights {
    let child: AgentChild
    private static let setfacl = "/usr/bin/setfacl"
    private static let limitMilliseconds: Int64 = 600_000
    /// What lies below a directory of root's is looked at as far as this.
    private static let entryLimit = 100_000

    /// One call of setfacl.
    struct Grant {
        let path: String
        let words: [String]
        /// Done as this user, who may do it to what is his own and to nothing else, wherever links lead by then.
        let owner: UInt32
        /// Whose home it is, or lies in.
        let home: String?

        /// As a person would type it.
        var command: String { (["setfacl"] + words).map(\.shellWord).joined(separator: " ") }
    }

    func grants(_ closed: [WorkspaceLook.Closed]) throws(ControlError) -> [Grant] {
        var grants: [Grant] = []
        for place in closed {
            guard place.error == .noAccess, let status = place.status else {
                throw ControlError(.failed, place.words, hint: "no right would change that")
            }
            let user = child.user ?? child.userName
            let rights = place.isPlace ? ["-m", Self.working(user, owner: status.user)] : ["-m", "u:\(user):x"]
            let isWhole = place.isPlace && (status.user != 0 || Self.isRootsAlone(place.path))
            grants.append(
                Grant(
                    path: place.path, words: (isWhole ? ["-R", "-P"] : []) + rights + ["--", place.path],
                    owner: status.user, home: Self.home(of: place.path, besides: child.identity?.user)))
        }
        return grants
    }

    /// For the agent all that is there and is to come. What it makes is its own, and the directory's owner is to work on that too;
    /// root needs no leave.
    static func working(_ user: String, owner: UInt32) -> String {
        let name = Accounts.name(of: owner) ?? String(owner)
        return "u:\(user):rwX,d:u:\(user):rwX" + (owner == 0 || name == user ? "" : ",d:u:\(name):rwX")
    }

    /// Without what gives them, nobody is told to let it.
    func refuseWithoutMeans() throws(ControlError) {
        guard access(Self.setfacl, X_OK) != 0 else { return }
        throw ControlError(
            .failed, "setfacl is not there, which gives rights to one user beside owner and group",
            hint: "apt install acl, and again; or by hand: a group that \(child.userName) is in, as group of these"
                + " directories (chgrp), with chmod g+rwxs")
    }

    /// Does it; what setfacl said of single files that it could not change.
    func give(_ grants: [Grant]) throws(ControlError) -> [String] {
        var remarks: [String] = []
        for grant in grants {
            var image = SpawnImage(
                executable: Self.setfacl, arguments: ["setfacl"] + grant.words,
                environment: ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"])
            if grant.owner != geteuid() { image.identity = SpawnIdentity(user: grant.owner, group: grant.owner) }
            do throws(SpawnFailure) {
                let said = try Capture.run(image, milliseconds: Self.limitMilliseconds)
                guard let said else { throw SpawnFailure(stage: .exec, error: .timedOut) }
                if said.status != 0 { remarks += said.errors.split(separator: "\n").prefix(3).map(String.init) }
            } catch {
                throw ControlError(.failed, "`\(grant.command)`: \(error.words)")
            }
        }
        return remarks
    }

    /// Nobody else has anything in it, or may put anything there: root can walk through it without being led astray.
    private static func isRootsAlone(_ path: String) -> Bool {
        let kernel = LiveKernel()
        var (waiting, seen) = ([path], 0)
        while let next = waiting.popLast() {
            guard let names = try? kernel.list(next) else { return false }
            for name in names {
                seen += 1
                guard seen <= entryLimit, let status = try? kernel.status(next + "/" + name, followingLinks: false),
                    status.user == 0, status.kind == .symbolicLink || status.mode & 0o022 == 0
                else { return false }
                if status.kind == .directory { waiting.append(next + "/" + name) }
            }
        }
        return true
    }

    /// The person in whose home it lies, who is neither root's own caller nor the agent.
    private static func home(of path: String, besides agent: UInt32?) -> String? {
        guard let owner = Accounts.home(above: path), owner.uid != agent, owner.uid != geteuid() || geteuid() == 0
        else {
            return nil
        }
        return owner.name
    }
}
