import Glibc
import System
import TestSupport

@testable import Runtime

/// The life after an execve. The process is the same one, with its children; what a program leaves to the next is played: what is
/// close-on-exec is closed, and of what was in memory nothing is looked at again.
extension FaultRun {
    /// Where the answer of a life goes, out of the way of its own descriptors.
    static let answerPlace: Int32 = 900

    func succeed(_ scene: Scene, _ environment: [String], _ steps: [FaultScript.Step]) -> Outcome {
        let before = scene.before.withLock { $0 }
        for raw in openDescriptors() where !before.contains(raw) && raw < Self.answerPlace {
            if fcntl(raw, F_GETFD) & FD_CLOEXEC != 0 { close(raw) }
        }
        let ticket = HandoverTicket { name in
            environment.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
        }
        guard let ticket else { return conclude(scene, nil, "the next program learns of no hand-over") }
        // Of the program before that goes on again it is the same fault.
        if ticket.failure == nil { scene.kernel.fault = fault }
        let complaint: String?
        do { complaint = try goOn(scene, ticket, steps) } catch { complaint = "it threw \(error)" }
        return conclude(scene, nil, complaint)
    }

    private func goOn(_ scene: Scene, _ ticket: HandoverTicket, _ steps: [FaultScript.Step]) throws -> String? {
        let (directory, kernel) = (scene.own.path, scene.kernel)
        if let engine = Nexusd.takeOver(FaultTree.arguments(directory), ticket, kernel) {
            return try live(FaultTree(directory, kernel, goingOn: engine), steps)
        }
        guard isSticky else { return "neither program goes on" }
        // The end of the process closes everything, and whoever started nexusd starts it again.
        kernel.fault = nil
        let before = scene.before.withLock { $0 }
        for raw in openDescriptors() where !before.contains(raw) && raw < Self.answerPlace { close(raw) }
        let tree = try FaultTree(directory, kernel)
        return try live(tree, [{ $0.isReady("log-writer", "plain", "server", "worker") }]).map {
            "started again, " + $0
        }
    }
}
