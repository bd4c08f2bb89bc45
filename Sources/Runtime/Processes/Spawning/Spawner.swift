public import Plan
import SupervisorCore
public import System

/// Starts runs and exec probes.
public struct Spawner: ~Copyable {
    private let kernel: any Kernel
    private let null: OwnedFD
    private let openFiles: ResourceLimit
    /// The variable by which everything this nexusd starts is known for its own.
    private let mark: String
    /// The same before its program is executed.
    private let waitingName: String

    /// `openFiles` is the RLIMIT_NOFILE nexusd was started with: children get that one back, not the raised one.
    public init(_ kernel: any Kernel, openFiles: ResourceLimit, life: LifeID) throws(Errno) {
        self.kernel = kernel
        self.openFiles = openFiles
        mark = LifeID.variable + "=" + life.description
        waitingName = life.waitingName
        null = try kernel.open("/dev/null", .readWrite, mode: 0)
    }

    /// Starts a run inside its scope and tells the scope. ENODATA in stage `prepare`: a text names a captured value or
    /// a secret that is not there.
    public func spawn(
        _ request: borrowing SpawnRequest, in scope: any RunScope, values: TextValues
    ) throws(SpawnFailure) -> Spawned {
        let child = request.child
        var image = SpawnImage(
            executable: child.executable, arguments: try resolve(child.arguments, values),
            environment: try environment(of: child, values) + request.addedEnvironment + [mark])
        image.pidVariables = request.pidVariables
        apply(child, to: &image)
        image.descriptors = withNull(request.descriptors)
        image.cgroup = scope.cgroup
        let spawned = try kernel.spawn(image)
        scope.began(spawned.process)
        return spawned
    }

    /// Starts an exec probe: the child's identity, environment and scope, but its own short life. What it says on
    /// both its streams goes to `output`.
    public func spawnProbe(
        _ executable: String, _ arguments: [Text], of request: borrowing SpawnRequest, in scope: any RunScope,
        output: borrowing OwnedFD, values: TextValues
    ) throws(SpawnFailure) -> Spawned {
        let child = request.child
        var image = SpawnImage(
            executable: executable, arguments: try resolve(arguments, values),
            environment: try environment(of: child, values) + request.probeEnvironment + [mark])
        apply(child, to: &image)
        image.descriptors = [null.raw, output.raw, output.raw].enumerated().map {
            DescriptorMapping(source: $1, target: Int32($0))
        }
        image.cgroup = scope.cgroup
        let spawned = try kernel.spawn(image)
        scope.began(spawned.process)
        return spawned
    }

    /// Starts a program of nexusd's own, which is no child of the plan, inside a scope and with the limits that nexusd was
    /// started with.
    public func spawnOwn(_ image: SpawnImage, in scope: any RunScope) throws(SpawnFailure) -> Spawned {
        var image = image
        image.limits = [openFiles]
        image.waitingName = waitingName
        image.cgroup = scope.cgroup
        let spawned = try kernel.spawn(image)
        scope.began(spawned.process)
        return spawned
    }

    private func apply(_ child: ChildPlan, to image: inout SpawnImage) {
        image.waitingName = waitingName
        image.directory = child.directory
        image.identity = child.identity.map { SpawnIdentity(user: $0.uid, group: $0.gid, groups: $0.groups) }
        image.capabilities = child.spawnCapabilities(own: kernel.userID())
        image.limits = child.limits.map { ResourceLimit(resource: $0.resource, soft: $0.soft, hard: $0.hard) }
        if !image.limits.contains(where: { $0.resource == ResourceLimit.openFiles }) { image.limits.append(openFiles) }
        image.umask = child.umask
        image.nice = child.nice
        image.oomScoreAdjust = child.oomScoreAdjust
        image.noNewPrivileges = child.noNewPrivileges
        // Log-writer moves lines by splice(2), and is given no pipe that another reads for it.
        image.refusesPipeHolds = child.noNewPrivileges && child.role != .logWriter
    }

    private func withNull(_ descriptors: [DescriptorMapping]) -> [DescriptorMapping] {
        var all = descriptors
        for target: Int32 in 0...2 where !descriptors.contains(where: { $0.target == target }) {
            all.append(DescriptorMapping(source: null.raw, target: target))
        }
        return all
    }

    private func resolve(_ texts: [Text], _ values: TextValues) throws(SpawnFailure) -> [String] {
        var resolved: [String] = []
        resolved.reserveCapacity(texts.count)
        for text in texts { resolved.append(try resolve(text, values)) }
        return resolved
    }

    private func environment(of child: ChildPlan, _ values: TextValues) throws(SpawnFailure) -> [String] {
        var resolved: [String] = []
        resolved.reserveCapacity(child.environment.count)
        for variable in child.environment {
            resolved.append(variable.name + "=" + (try resolve(variable.value, values)))
        }
        return resolved
    }

    private func resolve(_ text: Text, _ values: TextValues) throws(SpawnFailure) -> String {
        do { return try values.resolve(text) } catch { throw SpawnFailure(stage: .prepare, error: .noData) }
    }
}

extension ChildPlan {
    /// A child of another user has no rights of root, and none that it could gain: an empty bounding set. Not so where it
    /// may gain privileges, which is asked for by `no-new-privileges = false`: a setuid program without a right to use
    /// would be of no use. nil: nothing is touched.
    func spawnCapabilities(own: UInt32) -> SpawnCapabilities? {
        let isOther = identity.map { $0.uid != own && $0.uid != 0 } ?? false
        guard isOther || capabilities != Capabilities() else { return nil }
        let standard: UInt64? = isOther && noNewPrivileges ? capabilities.ambient : nil
        return SpawnCapabilities(
            bounding: capabilities.bounding ?? standard, isBoundingRequired: capabilities.bounding != nil,
            ambient: capabilities.ambient)
    }
}
