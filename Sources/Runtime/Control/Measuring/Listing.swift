/// A long answer with a part for every child. It is made piece by piece, as fast as its reader takes it, so that an
/// answer about a thousand children is never whole in memory and never holds up a turn.
enum Listing {
    case status
    case history
    case metrics

    /// Children of one piece. What has to be asked of the kernel is not asked for a thousand in one turn.
    var childrenPerPiece: Int {
        switch self {
        case .status, .history: .max
        case .metrics: 32
        }
    }
}
