/// What a node spends on a block of its log that no node has whole.
extension Budget {
    static let repairs = [combinedBlocks, combinedCandidates, combinedHashBytes, corruptCopyBytes, corruptSearchBytes]

    package static let combinedBlocks = Budget(
        "combined_blocks", per: .node, 1, .count,
        meaning: "Blocks whose corrupt copies are fetched and combined at the same time, on a thread of their own.",
        whenExceeded: "The block waits for its turn.")

    package static let combinedCandidates = Budget(
        "combined_candidates", per: .request, 1 << 16, .count,
        meaning: "Candidates for a block, and for its header, that are tried where corrupt copies of it have no majority.",
        whenExceeded: "The block stays missing, and is tried again after a while.")

    package static let combinedHashBytes = Budget(
        "combined_hash_bytes", per: .request, 16 << 30, .bytes,
        meaning: "Bytes that all candidates for a block may have together: of large blocks fewer are tried.",
        whenExceeded: "The block stays missing, and is tried again after a while.")

    package static let corruptCopyBytes = Budget(
        "corrupt_copy_bytes", per: .request, 8 << 20, .bytes, meaning: "A corrupt copy of a block that is given to another node.",
        whenExceeded: "The copy is cut off.")

    package static let corruptSearchBytes = Budget(
        "corrupt_search_bytes", per: .request, 8 << 20, .bytes,
        meaning: "Bytes of the log that are searched for a corrupt copy whose place is not known.",
        whenExceeded: "What is behind them is not searched.")
}
