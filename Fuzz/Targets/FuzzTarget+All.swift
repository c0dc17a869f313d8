extension FuzzTarget {
    /// Every target, in the order in which `Scripts/fuzz` runs them.
    package static let all = [
        commands, requests, responses, peers, transfers, greetings,
        datagram, datagramSealed,
        block, blockSealed,
        segments, segmentsSealed,
        superblock, superblockSealed, patches,
        snapshot, snapshotSealed, state, stateSealed,
        json, jobJSON, texts, history, config,
    ]
}
