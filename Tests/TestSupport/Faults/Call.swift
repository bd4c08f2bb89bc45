/// Every call of `Kernel`, to name the one that fails.
public enum Call: String, Hashable, Sendable, CaseIterable {
    // clocks
    case random
    // open files
    case read, readAt, write, gather, statusOfFile, changeOwnerOfFile, changeModeOfFile, truncate, seek, lock
    case synchronize, setNonBlocking, duplicate
    // paths
    case open, openIn, makeDirectory, removeDirectory, removeFile, rename, changeOwner, changeMode, status, list
    case readLink, attribute
    // pipes
    case makePipe, pipeSize, setPipeSize, readableBytes, tee, splice
    // memory
    case makeMemory, seal, isSealed, writeAt, closeOnExec
    // events
    case makeEpoll, watch, unwatch, wait, makeTimer, setTimer, makeClockAlarm, makeEventCounter, block, ignore,
        makeSignalFD
    case readSignal
    // sockets and messages
    case makeSocket, makeSocketPair, bind, listen, accept, connect, pendingError, boundPort, isHungUp,
        shutdownSending
    case peerCredentials, peerGroups, passCredentials, setSendBuffer, prepareListening, send, receive
    case shutdownReceiving, refuseDescriptors, look, restore
    // processes
    case spawn, peekEnded, reap, openProcess, signal, becomeSubreaper, limit, setLimit, execute
    // what log-writer asks for beside them
    case poll, peekInTurn, peek
}
