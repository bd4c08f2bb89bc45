import AgentModel
import OpenCode

extension AgentDesk {
    /// Stops what runs in a session; in one that is not there nothing does.
    func abort(_ session: AgentSessionID) async throws(AgentFailure) {
        let client = try await connection.readyClient(within: Limits.handOverTime)
        do {
            try await client.abort(session, directory: try await directory(of: session, client))
        } catch  where error.code != .unknown {
            throw error
        } catch {}
    }

    /// Does to a session as a whole what is asked.
    func change(_ session: AgentSessionID, _ asked: AgentRequest) async throws(AgentFailure) -> AgentReply {
        let client = try await connection.readyClient(within: Limits.handOverTime)
        let directory: String
        do {
            directory = try await self.directory(of: session, client)
        } catch {
            if case .deleteSession = asked, error.code == .unknown { return .changed }
            throw error
        }
        switch asked {
        case .renameSession(_, let title): try await client.rename(session, to: title, directory: directory)
        case .deleteSession: try await client.remove(session, directory: directory)
        case .revert(_, let message): try await client.revert(session, to: message, directory: directory)
        case .unrevert: try await client.unrevert(session, directory: directory)
        case .forkSession(_, let message):
            return .session(try await client.fork(session, before: message, directory: directory))
        case .describe, .catalog, .openSession, .runTurn, .followTurn, .abort, .answerPermission, .answerQuestion:
            throw AgentFailure(.failed, "not a change of a session")
        }
        return .changed
    }
}
