import Chance
import SupervisorCore

/// A tree made by chance. Tame trees keep to what nexus-config accepts; wild ones have cycles and ids of nobody.
struct RandomTree: Equatable {
    let tree: Tree
    let isTame: Bool

    init(tree: Tree, isTame: Bool) {
        self.tree = tree
        self.isTame = isTame
    }

    init(_ random: inout SplitMix) {
        let count = 1 + Int(random.below(9))
        let isTame = random.chance(85)
        // Edges and group orders follow one ranking, so that no cycle can come about.
        let ranking = (1...count).map { ChildID(rawValue: UInt16($0)) }.shuffled(using: &random)
        var children = [ChildPolicy](repeating: ChildPolicy(), count: count)
        let logWriter = random.chance(40) ? random.pick(ranking) : nil
        for (rank, child) in ranking.enumerated() {
            var policy = Self.policy(&random)
            if child != logWriter {
                if random.chance(12) {
                    policy.schedule =
                        random.chance(50) ? .calendar : .every(.milliseconds(200) + random.milliseconds(5_000))
                    policy.critical = false
                    policy.significant = false
                }
                let candidates =
                    isTame ? Array(ranking[..<rank]) : ranking + [ChildID(rawValue: 0), ChildID(rawValue: 99)]
                policy.requires = candidates.filter { other in
                    let isThere = !isTame || children[Int(other.rawValue) - 1].schedule == nil
                    return random.chance(20) && isThere
                }
                policy.after = candidates.filter { _ in random.chance(15) }
            }
            children[Int(child.rawValue) - 1] = policy
        }
        var groups: [GroupPolicy] = []
        var free = ranking.filter { $0 != logWriter }[...]
        while !free.isEmpty, random.chance(75) {
            let size = 1 + Int(random.below(UInt64(free.count)))
            groups.append(Self.group(Array(free.prefix(size)), &random))
            free = free.dropFirst(size)
        }
        tree = Tree(children: children, groups: groups, logWriter: logWriter)
        self.isTame = isTame
    }

    static func group(_ children: [ChildID], _ random: inout SplitMix) -> GroupPolicy {
        GroupPolicy(
            children: children, strategy: random.pick(Strategy.allCases),
            intensity: random.chance(20) ? intensity(&random) : nil,
            slowRetry: random.chance(80) ? .seconds(1) + random.milliseconds(4_000) : nil)
    }

    private static func intensity(_ random: inout SplitMix) -> Intensity {
        Intensity(restarts: UInt16(1 + random.below(4)), window: random.milliseconds(5_000))
    }

    static func policy(_ random: inout SplitMix) -> ChildPolicy {
        let first = Duration.milliseconds(10) + random.milliseconds(100)
        let delay = DelayRule(
            first: first, cap: first + random.milliseconds(2_000), stableAfter: random.milliseconds(2_000),
            parkAfter: UInt16(2 + random.below(5)),
            slowRetry: random.chance(80) ? .seconds(1) + random.milliseconds(4_000) : nil)
        let ready: ReadyRule = random.pick([
            .spawned, .reported, .reported, .probed(interval: .milliseconds(20)),
        ])
        let stop = StopRule(
            drain: random.chance(30) ? random.milliseconds(300) : nil, timeout: random.milliseconds(500),
            killGrace: random.milliseconds(500))
        return ChildPolicy(
            enabled: random.chance(90), critical: random.chance(20), significant: random.chance(4),
            restart: random.pick([.always, .always, .always, .onFailure, .never]), delay: delay,
            intensity: random.chance(15) ? intensity(&random) : nil, ready: ready,
            firstProbe: random.chance(30) ? random.milliseconds(100) : .zero,
            startTimeout: .milliseconds(200) + random.milliseconds(1_000),
            liveness: random.chance(30)
                ? LivenessRule(
                    interval: .milliseconds(50) + random.milliseconds(500), misses: UInt8(1 + random.below(3)),
                    first: random.chance(30) ? random.milliseconds(1_000) : nil)
                : nil,
            watchdog: random.chance(20) ? .milliseconds(100) + random.milliseconds(900) : nil, stop: stop,
            exits: ExitRule(
                success: random.chance(20) ? [0, .signal(.terminate)] : [0], network: [69]))
    }
}
