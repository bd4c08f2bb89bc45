import Plan
import SupervisorCore
import System
import Wire

extension Engine {
    /// The secrets this child is given, by index; generated ones are made anew when nobody who knows them lives.
    func gatherSecrets(_ child: ChildPlan) throws(Obstacle) -> [UInt16: String] {
        var indices = Set(child.secretFiles)
        for variable in child.environment {
            for case .secret(let index) in variable.value.pieces { indices.insert(index) }
        }
        guard !indices.isEmpty else { return [:] }
        if !isGroupAlive(child.policy.group) { vault.forget(indices) }
        var values: [UInt16: String] = [:]
        for index in indices {
            do {
                values[index] = try vault.value(of: index)
            } catch {
                let secret = plan.secrets[Int(index)]
                throw Obstacle(
                    SpawnFailure(stage: .prepare, error: error.error ?? .noData), "\(error)", secret.settings)
            }
        }
        return values
    }

    /// Whether any child of the group has a run; a child without a group is a group of its own.
    private func isGroupAlive(_ group: GroupID?) -> Bool {
        guard let group else { return false }
        return plan.groups[Int(group.rawValue)].policy.children.contains { self[$0].run != nil }
    }

    /// A child that names what a sibling has not told yet is not started; the words say what is missing.
    func checkCaptures(_ child: ChildPlan) throws(Obstacle) {
        for text in child.arguments + child.environment.map(\.value) {
            for case .captured(let sibling, let name) in text.pieces where captured(sibling, name) == nil {
                throw Obstacle(
                    SpawnFailure(stage: .prepare, error: .again),
                    "it needs {\(names[sibling]).\(name)}, which \(names[sibling]) has not told yet")
            }
        }
    }

    func captured(_ child: ChildID, _ name: String) -> String? {
        self[child].captures.first { $0.name == name }?.value
    }

    /// What the open pieces of its texts stand for.
    func values(_ secrets: [UInt16: String]) -> TextValues {
        TextValues(captured: { [unowned self] in captured($0, $1) }, secret: { secrets[$0] })
    }

    /// The same for a probe of this run, whose secrets are those that the run was given: a file may say another by now, and
    /// a reload may have given a secret another number.
    func values(of run: LivingRun) -> TextValues {
        TextValues(
            captured: { [unowned self] in captured($0, $1) },
            secret: { [plan] in run.secretValues[plan.secrets[Int($0)].name] })
    }

    func credentialFiles(_ child: ChildPlan, _ secrets: [UInt16: String]) throws(Obstacle) -> CredentialFiles? {
        guard !child.secretFiles.isEmpty else { return nil }
        let files = child.secretFiles.map { index in
            CredentialFiles.File(name: plan.secrets[Int(index)].name, value: secrets[index] ?? "")
        }
        do {
            return try CredentialFiles(
                kernel, disposal, directory: surroundings.places.credentials, child: child.name, files: files,
                owner: child.identity)
        } catch {
            throw Obstacle(error, "its secret files cannot be written")
        }
    }

    /// They go with the run; what keeps them from going whole is said.
    func removeCredentials(of run: LivingRun, _ child: ChildID) {
        guard let files = run.credentials else { return }
        let what: String
        switch files.remove(kernel, disposal) {
        case .whole: return
        case .movedAside: what = "had more in it than its secrets; these are removed, the rest is being removed aside"
        case .failed(let error): what = "cannot be removed: \(error)"
        }
        say(
            LogEvent(
                .spawnTrouble, 4, "The credentials directory of \(names[child]) (\(files.path)) \(what).", names[child],
                run.id))
    }

    /// What is to be blotted out wherever it is shown: every secret of the run that is long enough to be told from ordinary
    /// text.
    func redactions(_ secrets: [UInt16: String]) -> [String] {
        secrets.values.filter { $0.utf8.count >= LogStream.shortestRedaction }
            .sorted { $0.utf8.count > $1.utf8.count }
    }
}

extension SecretPlan {
    /// The key that says where it comes from.
    fileprivate var settings: [Explanation.Setting] {
        switch source {
        case .file(let path): [Explanation.Setting(key: "secret.\(name).file", value: path)]
        case .credential(let credential): [Explanation.Setting(key: "secret.\(name).credential", value: credential)]
        case .generated(let bytes): [Explanation.Setting(key: "secret.\(name).generate", value: "\(bytes)")]
        }
    }
}
