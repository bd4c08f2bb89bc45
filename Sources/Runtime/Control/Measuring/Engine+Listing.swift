import SupervisorCore
import Wire

extension Engine {
    /// Bytes of an answer that may wait for its reader before more of it is made.
    private static let listingAhead = 32_768
    /// Bytes of one piece, with room for the child that goes over it.
    private static let pieceBytes = 16 * 1024

    /// Goes on with an answer as far as its reader keeps up; true when it is complete.
    func continueListing(_ entry: OpenAnswers.Entry, _ listing: Listing, sent: inout Int) -> Bool {
        while router.isOpen(entry.id) {
            guard router.answerBytes(for: entry.requester) < Self.listingAhead else { return false }
            let isFirst = sent == 0
            let piece = piece(of: listing, from: &sent)
            // A reload may have taken children away meanwhile.
            let isLast = sent >= listedCount
            if isFirst && isLast && piece.count <= FrameHeader.payloadLimit {
                router.reply(entry.id, piece)
            } else if router.stream(entry.id, piece), isLast {
                router.endStream(entry.id)
            }
            // What costs system calls goes on in the next turn.
            if listing.childrenPerPiece < listedCount, !isLast { return false }
        }
        return true
    }

    private func piece(of listing: Listing, from sent: inout Int) -> [UInt8] {
        var bytes = sent == 0 ? head(of: listing) : []
        let end = listedCount - sent > listing.childrenPerPiece ? sent + listing.childrenPerPiece : listedCount
        while sent < end, bytes.count < Self.pieceBytes {
            if sent > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: part(of: listing, self[listedChild(sent)]))
            sent += 1
        }
        if sent >= listedCount { bytes.append(contentsOf: StatusWriter.tail) }
        return bytes
    }

    private func head(of listing: Listing) -> [UInt8] {
        switch listing {
        case .status: statusHead()
        case .history: Array(#"{"children":["#.utf8)
        case .metrics: metricsHead()
        }
    }

    private func part(of listing: Listing, _ cell: ChildCell) -> [UInt8] {
        switch listing {
        case .status: status(of: cell.id)
        case .history: HistoryWriter.json(names[cell.id], cell.ends, cell.remark)
        case .metrics: metrics(of: cell)
        }
    }

    /// `history CHILD`.
    func history(of child: ChildID) -> [UInt8] {
        Array(#"{"children":["#.utf8) + HistoryWriter.json(names[child], self[child].ends, self[child].remark)
            + StatusWriter.tail
    }
}
