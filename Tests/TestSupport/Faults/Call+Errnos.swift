import Glibc
public import System

extension Call {
    /// What this call can answer on a machine in trouble, by its man page: no descriptors, memory, processes or disk left, a
    /// disk that fails or is read-only, rights taken away, a peer that is gone. Not what only a caller's own mistake brings
    /// (EBADF, EFAULT, EINVAL), and not what is an answer and no trouble (EAGAIN, ECHILD, ESRCH).
    public var errnos: [Errno] {
        switch self {
        case .random, .seek, .setNonBlocking, .pipeSize, .unwatch, .readableBytes, .wait, .setTimer, .block, .ignore,
            .restore,
            .readSignal, .pendingError, .peerCredentials, .passCredentials, .setSendBuffer, .prepareListening,
            .peekEnded,
            .reap, .becomeSubreaper, .limit, .peekInTurn:
            []
        case .read, .readAt: [.inputOutput]
        case .makeMemory: [.tooManyOpen, .tooManyOpenInSystem, .noMemory]
        case .seal: [.busy]
        case .writeAt: [.noSpace, .noMemory]
        case .isSealed, .closeOnExec: []
        case .write, .gather: [.noSpace, .inputOutput, .brokenPipe]
        case .truncate: [.noSpace, .inputOutput]
        case .synchronize: [.inputOutput, .noSpace]
        case .statusOfFile: [.inputOutput, .noMemory]
        case .lock: [Errno(rawValue: ENOLCK)]
        case .duplicate: [.tooManyOpen]
        case .open, .openIn:
            [.tooManyOpen, .tooManyOpenInSystem, .noMemory, .noSpace, .inputOutput, .noAccess, .readOnly]
        case .makeDirectory, .rename: [.noSpace, .readOnly, .noAccess, .inputOutput, .noMemory]
        case .removeDirectory, .removeFile: [.readOnly, .noAccess, .inputOutput]
        case .changeOwner, .changeMode, .changeOwnerOfFile, .changeModeOfFile: [.notPermitted, .readOnly, .inputOutput]
        case .status, .readLink: [.noMemory, .noAccess, .inputOutput]
        case .attribute: [.noData, .inputOutput]
        case .list: [.tooManyOpen, .tooManyOpenInSystem, .noMemory, .noAccess, .inputOutput]
        case .makePipe, .makeSocketPair: [.tooManyOpen, .tooManyOpenInSystem, .noMemory]
        case .setPipeSize: [.notPermitted, .noMemory, .busy]
        case .tee, .splice: [.noMemory]
        case .makeEpoll, .makeTimer, .makeClockAlarm, .makeEventCounter, .makeSignalFD:
            [.tooManyOpen, .tooManyOpenInSystem, .noMemory]
        case .watch: [.noMemory, .noSpace]
        case .isHungUp, .poll: [.noMemory]
        case .makeSocket: [.tooManyOpen, .tooManyOpenInSystem, .noMemory, .noBuffers]
        case .bind: [.addressInUse, .noAccess, .readOnly, .noSpace, .noMemory]
        case .listen: [.addressInUse]
        case .accept: [.tooManyOpen, .tooManyOpenInSystem, .noMemory, Errno(rawValue: ECONNABORTED)]
        case .connect: [.connectionRefused, .noAccess]
        case .boundPort: [.noBuffers]
        case .shutdownSending, .shutdownReceiving: [Errno(rawValue: ENOTCONN)]
        case .peerGroups: [Errno(rawValue: ERANGE), .noMemory]
        case .refuseDescriptors: [Errno(rawValue: ENOPROTOOPT)]
        case .send: [.noMemory, .noBuffers]
        case .receive, .look, .peek: [.noMemory]
        case .spawn: [.again, .noMemory, .tooManyOpen, .tooManyOpenInSystem]
        case .execute: [.noMemory, .noAccess, .inputOutput, .tooManyOpenInSystem]
        case .openProcess: [.tooManyOpen, .tooManyOpenInSystem, .noMemory]
        case .signal, .setLimit: [.notPermitted]
        }
    }

    /// What only a disk answers.
    static let ofDisks: [Errno] = [.inputOutput, .noSpace, .readOnly, .noAccess]
    /// What only who writes to one is told.
    static let ofFullDisks: [Errno] = [.noSpace, .readOnly]

    /// All of them, each once.
    public static let allErrnos: [Errno] = {
        var all: [Errno] = []
        for error in allCases.flatMap(\.errnos) where !all.contains(error) { all.append(error) }
        return all
    }()
}
